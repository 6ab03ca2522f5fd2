/* SPDX-License-Identifier: Apache-2.0 */
/* Wake-ups that cross threads and processes; one file per host (eventfd on Linux). */
#ifndef TENON_CORE_NOTIFIER_H
#define TENON_CORE_NOTIFIER_H

#include <stdbool.h>

struct tenon_notifier;

int notifier_create(struct tenon_notifier **ret_notifier); /* [any] */
void notifier_destroy(struct tenon_notifier *notifier);    /* NULL is fine [any] */
int notifier_fd(const struct tenon_notifier *notifier);    /* [any] */
void notifier_signal(struct tenon_notifier *notifier);     /* [any] */
bool notifier_drain(struct tenon_notifier *notifier);      /* true: it had been signalled [any] */

#endif
