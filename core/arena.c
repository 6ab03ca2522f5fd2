/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks in a list; an object never moves. */
#include "core/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK ((size_t)4096)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size; /* of bytes */
	alignas(max_align_t) unsigned char bytes[];
};

static struct arena_chunk *chunk_add(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk;
	size_t whole;

	if (size < ARENA_CHUNK)
		size = ARENA_CHUNK;
	if (__builtin_add_overflow(size, sizeof(*chunk), &whole))
		return NULL;
	chunk = calloc(1, whole);
	if (!chunk)
		return NULL;

	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t n, size_t size)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t bytes;
	void *object;

	if (__builtin_mul_overflow(n, size, &bytes) ||
		__builtin_add_overflow(bytes, alignof(max_align_t) - 1, &bytes))
		return NULL;
	bytes &= ~(alignof(max_align_t) - 1);
	if (!bytes)
		bytes = alignof(max_align_t);

	if (!chunk || chunk->size - chunk->used < bytes)
		chunk = chunk_add(arena, bytes);
	if (!chunk)
		return NULL;

	object = chunk->bytes + chunk->used;
	chunk->used += bytes;
	return object;
}

char *arena_strndup(struct arena *arena, const char *text, size_t n)
{
	char *copy = n < SIZE_MAX ? arena_alloc(arena, n + 1, 1) : NULL;

	if (copy && n)
		memcpy(copy, text, n);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return NULL;

	text = arena_alloc(arena, (size_t)n + 1, 1);
	if (!text)
		return NULL;
	va_start(args, format);
	(void)vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *arena, const void *array, size_t n, size_t size)
{
	/* Moved at each power of two: the capacity follows from @n, so nobody has to keep it. */
	size_t capacity = n ? n * 2 : 1;
	unsigned char *grown;

	if (n && (n & (n - 1))) {
		grown = (unsigned char *)(uintptr_t)array;
		memset(grown + n * size, 0, size);
		return grown;
	}
	if (n > SIZE_MAX / 2)
		return NULL;
	grown = arena_alloc(arena, capacity, size);
	if (grown && n)
		memcpy(grown, array, n * size);
	return grown;
}

void arena_finish(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
}
