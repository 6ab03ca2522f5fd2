/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bus: windows of registers in an address space, found by address from vCPU threads.
 */
#ifndef TENON_CORE_BUS_H
#define TENON_CORE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus;

/* The answer of a window; @size is 1, 2, 4 or 8 and lies inside it.  [vcpu] */
struct bus_ops {
	uint64_t (*read)(void *opaque, uint64_t offset, uint32_t size);
	void (*write)(void *opaque, uint64_t offset, uint32_t size, uint64_t value);
};

struct bus_range {
	uint64_t base, size;
	const struct bus_ops *ops;
	void *opaque;
	const char *name; /* for listings */
};

struct bus *bus_create(void);      /* NULL when memory is short [main] */
void bus_destroy(struct bus *bus); /* NULL is fine [main] */

/* -EINVAL (empty, wraps), -EBUSY (overlap), -ENOMEM.  [main] */
int bus_add(struct bus *bus, const struct bus_range *range);
/* On return no access to it is under way.  Must not be called from an access.  [main] */
void bus_remove(struct bus *bus, uint64_t base);
/* The first free place in [@low, @high) for @size bytes aligned to @align, or UINT64_MAX.  [main]
 */
uint64_t bus_find_free(struct bus *bus, uint64_t low, uint64_t high, uint64_t size, uint64_t align);

/*
 * Performs an access.  False when no window holds all of it: reads then give all ones, as an absent
 * device does, writes are dropped.  [vcpu]
 */
bool bus_read(struct bus *bus, uint64_t address, uint32_t size, uint64_t *ret_value);
bool bus_write(struct bus *bus, uint64_t address, uint32_t size, uint64_t value);

#endif
