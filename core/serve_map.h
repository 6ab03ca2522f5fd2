/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that a peer shares through a descriptor.
 *
 * The peer may take it away again: a file that it shrinks has no pages where it ended before, and
 * the kernel says so with SIGBUS to whoever touches them.  Such a page is replaced by an empty one
 * of our own, so that the access ends, and the memory is marked as lost.
 */
#ifndef TENON_CORE_SERVE_MAP_H
#define TENON_CORE_SERVE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct serve_map {
	uint8_t *base; /* page-aligned; NULL = not mapped */
	size_t size;   /* of all of it */
	uint8_t *host; /* what was asked for */
};

/*
 * Maps @size bytes at @offset of @fd.  -EINVAL where that is nothing or wraps, -ENXIO where the
 * file ends before (*@ret_there bytes are there), or the errno of mmap().  Allocates a place in a
 * table: -ENOSPC when that is full.  [main]
 */
int serve_map_open(
	int fd, uint64_t offset, uint64_t size, struct serve_map *ret_map, uint64_t *ret_there);
/* NULL base is fine.  [main] */
void serve_map_close(struct serve_map *map);

/* Catches SIGBUS from now on.  0 or -errno.  [main] */
int serve_map_guard(void);
/* Whether something was lost since the last call.  [main] */
bool serve_map_lost(void);

#endif
