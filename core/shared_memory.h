/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that has a descriptor and no name, so that a device may live in another process; one file
 * per host (memfd on Linux).
 */
#ifndef TENON_CORE_SHARED_MEMORY_H
#define TENON_CORE_SHARED_MEMORY_H

#include <stdint.h>

/* What it is called when it cannot be had. */
extern const char shared_memory_call[];

/* All zero.  Whoever is handed the descriptor can neither shrink nor grow it, where the host knows
 * how to forbid it.  0 or -errno.  [any] */
int shared_memory_create(const char *name, uint64_t size, int *ret_fd);
/* Core dumps leave the mapping out, where the host lets one choose.  [any] */
void shared_memory_hide(void *at, uint64_t size);
/* What is in @fd from @offset on, mapped at @at, is zero again, and the host's if it takes it.
 * [any] */
void shared_memory_clear(int fd, uint64_t offset, void *at, uint64_t size);

#endif
