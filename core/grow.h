/* SPDX-License-Identifier: Apache-2.0 */
/* realloc() for arrays, whose size may not overflow. */
#ifndef TENON_CORE_GROW_H
#define TENON_CORE_GROW_H

#include <stddef.h>
#include <stdlib.h>

/* As realloc(): NULL leaves @old as it is. */
static inline void *grow_array(void *old, size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : realloc(old, bytes);
}

#endif
