/* SPDX-License-Identifier: Apache-2.0 */
/* sysctl(3). */
#ifndef TENON_DARWIN_SYS_SYSCTL_H
#define TENON_DARWIN_SYS_SYSCTL_H

#include <sys/types.h>

int sysctlbyname(const char *name, void *old, size_t *old_size, void *new, size_t new_size);

#endif
