/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a front end's memory. */
#include "core/serve_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

int serve_memory_init(struct serve_memory *memory)
{
	*memory = (struct serve_memory){ .gm = guest_memory_create() };
	return memory->gm ? 0 : -ENOMEM;
}

static void close_region(struct serve_region *r)
{
	serve_map_close(&r->map);
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
}

void serve_memory_finish(struct serve_memory *memory)
{
	if (!memory->gm)
		return;
	serve_memory_clear(memory);
	serve_memory_release(memory);
	guest_memory_destroy(memory->gm);
	memory->gm = NULL;
}

/* The front end's addresses must not be two things at once either. */
static bool overlaps(const struct serve_memory *memory, const struct vhost_user_memory_region *is)
{
	for (uint32_t i = 0; i < memory->n_regions; i++) {
		const struct vhost_user_memory_region *o = &memory->regions[i].is;

		if (is->user_address < o->user_address + o->size &&
			o->user_address < is->user_address + is->size)
			return true;
	}
	return false;
}

static int map_failed(
	struct error *err, int ret, const struct vhost_user_memory_region *is, uint64_t there)
{
	if (ret == -ENXIO)
		return error_set(err, EXIT_HOST, ret,
			"the memory at 0x%" PRIx64 " is 0x%" PRIx64
			" bytes long, but its file has only 0x%" PRIx64 " of them",
			is->gpa, is->size, there);
	return error_set(err, EXIT_HOST, ret,
		"the memory at 0x%" PRIx64 " (0x%" PRIx64 " bytes) cannot be mapped: %s", is->gpa,
		is->size, ret == -EINVAL ? "that is no file of whole pages" : strerror(-ret));
}

static int lend(struct serve_memory *memory, const struct serve_region *r, struct error *err)
{
	const struct guest_region region = {
		.gpa = r->is.gpa,
		.size = r->is.size,
		.host = r->map.host,
		.fd = r->fd,
		.fd_offset = r->is.fd_offset,
		.kind = GUEST_RAM,
	};

	return guest_memory_lend(memory->gm, &region, err);
}

int serve_memory_add(struct serve_memory *memory, const struct vhost_user_memory_region *region,
	int fd, struct error *err)
{
	struct serve_region r = { .is = *region, .fd = fd };
	uint64_t there, end;
	int ret;

	if (memory->n_regions == SERVE_MAX_REGIONS)
		ret = error_set(err, EXIT_HOST, -ENOSPC, "more than %d regions of memory",
			SERVE_MAX_REGIONS);
	else if (__builtin_add_overflow(region->user_address, region->size, &end) ||
		 overlaps(memory, region))
		ret = error_set(err, EXIT_HOST, -EEXIST,
			"the memory at 0x%" PRIx64 " has addresses of the front end that are "
			"another's",
			region->gpa);
	else {
		ret = serve_map_open(fd, region->fd_offset, region->size, &r.map, &there);
		if (ret < 0)
			(void)map_failed(err, ret, region, there);
	}
	if (ret == 0)
		ret = lend(memory, &r, err);
	if (ret < 0) {
		close_region(&r);
		return ret;
	}
	memory->regions[memory->n_regions++] = r;
	return 0;
}

static void retire(struct serve_memory *memory, uint32_t index)
{
	struct serve_region *r = &memory->regions[index];

	(void)guest_memory_take_back(memory->gm, r->is.gpa);
	if (memory->n_old == sizeof(memory->old) / sizeof(memory->old[0]))
		serve_memory_release(memory); /* a front end that never lets the device be idle */
	memory->old[memory->n_old++] = *r;
	memory->n_regions--;
	memmove(r, r + 1, (memory->n_regions - index) * sizeof(*r));
}

int serve_memory_remove(struct serve_memory *memory, const struct vhost_user_memory_region *region,
	struct error *err)
{
	for (uint32_t i = 0; i < memory->n_regions; i++) {
		const struct vhost_user_memory_region *is = &memory->regions[i].is;

		if (is->gpa != region->gpa || is->size != region->size ||
			is->user_address != region->user_address)
			continue;
		retire(memory, i);
		return 0;
	}
	return error_set(err, EXIT_HOST, -ENOENT,
		"there is no memory of 0x%" PRIx64 " bytes at 0x%" PRIx64 " to take out",
		region->size, region->gpa);
}

void serve_memory_clear(struct serve_memory *memory)
{
	while (memory->n_regions > 0)
		retire(memory, memory->n_regions - 1);
}

void serve_memory_release(struct serve_memory *memory)
{
	while (memory->n_old > 0)
		close_region(&memory->old[--memory->n_old]);
}

bool serve_memory_gpa(const struct serve_memory *memory, uint64_t user, uint64_t *ret_gpa)
{
	for (uint32_t i = 0; i < memory->n_regions; i++) {
		const struct vhost_user_memory_region *is = &memory->regions[i].is;

		if (user < is->user_address || user - is->user_address >= is->size)
			continue;
		*ret_gpa = is->gpa + (user - is->user_address);
		return true;
	}
	return false;
}

bool serve_memory_gpa_of_host(
	const struct serve_memory *memory, const void *host, uint64_t *ret_gpa)
{
	for (uint32_t i = 0; i < memory->n_regions; i++) {
		const struct serve_region *r = &memory->regions[i];
		uintptr_t at = (uintptr_t)host, first = (uintptr_t)r->map.host;

		if (at < first || at - first >= r->is.size)
			continue;
		*ret_gpa = r->is.gpa + (at - first);
		return true;
	}
	return false;
}
