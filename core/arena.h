/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is given back all at once: a configuration is many small strings with one life.
 */
#ifndef TENON_CORE_ARENA_H
#define TENON_CORE_ARENA_H

#include <stddef.h>

struct arena_chunk;

/* Zeroed is empty. */
struct arena {
	struct arena_chunk *chunks; /* newest first */
};

/* @n objects of @size bytes, zeroed and aligned for any type; NULL when memory or the size
 * arithmetic runs out.  [one thread at a time, as all of these] */
void *arena_alloc(struct arena *arena, size_t n, size_t size);

/* Copies; NULL when out of memory. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t n);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* An array of @n objects grown to @n + 1 (the new one zeroed); NULL when out of memory, and then
 * the old one stands.  The old array is given back with the arena. */
void *arena_grow(struct arena *arena, const void *array, size_t n, size_t size);

/* Gives everything back; the arena is empty again. */
void arena_finish(struct arena *arena);

#endif
