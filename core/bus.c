/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buses: a sorted array of windows under a reader-writer lock.  An access holds the lock for
 * reading, so that bus_remove() returns only when nobody is inside the window any more.
 */
#include "core/bus.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/grow.h"

struct bus {
	pthread_rwlock_t lock;
	struct bus_range *ranges; /* ascending by base */
	size_t n, room;
};

struct bus *bus_create(void)
{
	struct bus *bus = calloc(1, sizeof(*bus));

	if (bus)
		(void)pthread_rwlock_init(&bus->lock, NULL);
	return bus;
}

void bus_destroy(struct bus *bus)
{
	if (!bus)
		return;
	(void)pthread_rwlock_destroy(&bus->lock);
	free(bus->ranges);
	free(bus);
}

/* Index of the first range that ends after @address; the lock is held. */
static size_t lower_bound(const struct bus *bus, uint64_t address)
{
	size_t low = 0, high = bus->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct bus_range *r = &bus->ranges[mid];

		if (r->base + (r->size - 1) < address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int insert(struct bus *bus, const struct bus_range *range)
{
	size_t at = lower_bound(bus, range->base);

	if (at < bus->n && bus->ranges[at].base <= range->base + (range->size - 1))
		return -EBUSY;
	if (bus->n == bus->room) {
		size_t room = bus->room ? bus->room * 2 : 16;
		struct bus_range *more = grow_array(bus->ranges, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		bus->ranges = more;
		bus->room = room;
	}
	memmove(&bus->ranges[at + 1], &bus->ranges[at], (bus->n - at) * sizeof(*range));
	bus->ranges[at] = *range;
	bus->n++;
	return 0;
}

int bus_add(struct bus *bus, const struct bus_range *range)
{
	uint64_t last;
	int ret;

	if (range->size == 0 || __builtin_add_overflow(range->base, range->size - 1, &last))
		return -EINVAL;
	(void)pthread_rwlock_wrlock(&bus->lock);
	ret = insert(bus, range);
	(void)pthread_rwlock_unlock(&bus->lock);
	return ret;
}

void bus_remove(struct bus *bus, uint64_t base)
{
	size_t at;

	(void)pthread_rwlock_wrlock(&bus->lock);
	at = lower_bound(bus, base);
	if (at < bus->n && bus->ranges[at].base == base) {
		memmove(&bus->ranges[at], &bus->ranges[at + 1],
			(bus->n - at - 1) * sizeof(*bus->ranges));
		bus->n--;
	}
	(void)pthread_rwlock_unlock(&bus->lock);
}

uint64_t bus_find_free(struct bus *bus, uint64_t low, uint64_t high, uint64_t size, uint64_t align)
{
	uint64_t at = (low + align - 1) & ~(align - 1);
	uint64_t found = UINT64_MAX;

	(void)pthread_rwlock_rdlock(&bus->lock);
	for (size_t i = lower_bound(bus, at);; i++) {
		uint64_t end =
			i < bus->n && bus->ranges[i].base < high ? bus->ranges[i].base : high;

		if (at < end && end - at >= size) {
			found = at;
			break;
		}
		if (i >= bus->n || bus->ranges[i].base >= high)
			break;
		at = (bus->ranges[i].base + bus->ranges[i].size + align - 1) & ~(align - 1);
	}
	(void)pthread_rwlock_unlock(&bus->lock);
	return found;
}

/* The range that holds all of the access, or NULL; the lock is held. */
static const struct bus_range *find(const struct bus *bus, uint64_t address, uint32_t size)
{
	size_t at = lower_bound(bus, address);
	const struct bus_range *r;

	if (at == bus->n)
		return NULL;
	r = &bus->ranges[at];
	if (address < r->base || size > r->size || address - r->base > r->size - size)
		return NULL;
	return r;
}

bool bus_read(struct bus *bus, uint64_t address, uint32_t size, uint64_t *ret_value)
{
	uint64_t mask = size >= 8 ? UINT64_MAX : (1ull << (8 * size)) - 1;
	const struct bus_range *r;

	(void)pthread_rwlock_rdlock(&bus->lock);
	r = find(bus, address, size);
	*ret_value = (r ? r->ops->read(r->opaque, address - r->base, size) : UINT64_MAX) & mask;
	(void)pthread_rwlock_unlock(&bus->lock);
	return r;
}

bool bus_write(struct bus *bus, uint64_t address, uint32_t size, uint64_t value)
{
	const struct bus_range *r;

	(void)pthread_rwlock_rdlock(&bus->lock);
	r = find(bus, address, size);
	if (r)
		r->ops->write(r->opaque, address - r->base, size, value);
	(void)pthread_rwlock_unlock(&bus->lock);
	return r;
}
