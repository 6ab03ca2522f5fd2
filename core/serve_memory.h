/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's memory as a front end tells of it: for every region its guest physical address, the
 * front end's own address (in which the rings' addresses are given) and the descriptor behind it.
 *
 * What was mapped once stays so until serve_memory_release(): a device may hold pointers into it.
 */
#ifndef TENON_CORE_SERVE_MEMORY_H
#define TENON_CORE_SERVE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include <tenon/vhost_user.h>

#include "core/guest_memory.h"
#include "core/serve_map.h"

struct error;

#define SERVE_MAX_REGIONS GUEST_MEMORY_MAX_REGIONS

struct serve_region {
	struct vhost_user_memory_region is;
	struct serve_map map;
	int fd; /* owned */
};

struct serve_memory {
	struct guest_memory *gm; /* what devices see; owned */
	struct serve_region regions[SERVE_MAX_REGIONS];
	uint32_t n_regions;
	struct serve_region old[SERVE_MAX_REGIONS * 4]; /* no more in the table */
	uint32_t n_old;
};

int serve_memory_init(struct serve_memory *memory); /* 0 or -ENOMEM [main] */
void serve_memory_finish(struct serve_memory *memory);

/* @fd is given away in every case.  A sentence in @err, and -errno, where it is refused. */
int serve_memory_add(struct serve_memory *memory, const struct vhost_user_memory_region *region,
	int fd, struct error *err);
/* The one of that address, size and place. */
int serve_memory_remove(struct serve_memory *memory, const struct vhost_user_memory_region *region,
	struct error *err);
void serve_memory_clear(struct serve_memory *memory);
/* No device holds a pointer into what is no more in the table. */
void serve_memory_release(struct serve_memory *memory);

/* The guest physical address of the front end's own; false where there is none. */
bool serve_memory_gpa(const struct serve_memory *memory, uint64_t user, uint64_t *ret_gpa);
/* The same of an address in this process. */
bool serve_memory_gpa_of_host(
	const struct serve_memory *memory, const void *host, uint64_t *ret_gpa);

#endif
