/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/notifier.h - wake-ups: an eventfd on Linux, a pipe elsewhere.
 */
#ifndef TENON_NOTIFIER_H
#define TENON_NOTIFIER_H

#include <tenon/abi.h>

#define TENON_SVC_NOTIFIER "tenon.notifier/1"

struct tenon_notifier_svc {
	uint32_t struct_size;

	int (*create)(struct tenon_notifier **ret_notifier); /* [any] */
	int (*fd)(const struct tenon_notifier *notifier);    /* readable while signalled [any] */
	void (*signal)(struct tenon_notifier *notifier);     /* [any] */
	/* Clears it; true when it had been signalled.  [any] */
	int (*drain)(struct tenon_notifier *notifier);
	void (*destroy)(struct tenon_notifier *notifier); /* NULL is fine [any] */
};

#endif
