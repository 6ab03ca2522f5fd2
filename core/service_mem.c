/* SPDX-License-Identifier: Apache-2.0 */
/* tenon.mem/1 */
#include <errno.h>

#include "core/device.h"
#include "core/guest_memory.h"
#include "core/services.h"

static int mem_read(struct tenon_dev *dev, uint64_t gpa, void *to, size_t size)
{
	return guest_memory_read(dev->env->gm, gpa, to, size);
}

static void mark_host(struct tenon_dev *dev, const void *host, uint64_t size)
{
	const struct virtio_home *home = dev->env->home;

	if (home)
		home->mark_dirty(home->opaque, host, size);
}

/* The range may lie in several regions. */
static void mem_mark_dirty(struct tenon_dev *dev, uint64_t gpa, size_t size)
{
	while (dev->env->home && size > 0) {
		uint64_t part = size;
		const void *host = guest_memory_span(dev->env->gm, gpa, &part, true);

		if (!host)
			return;
		mark_host(dev, host, part);
		gpa += part;
		size -= part;
	}
}

/* Whether the guest may only read part of the range. */
static bool is_read_only(const struct guest_memory *gm, uint64_t gpa, size_t size)
{
	for (size_t i = 0; i < guest_memory_count(gm); i++) {
		const struct guest_region *r = guest_memory_region(gm, i);

		if (r->read_only && (gpa < r->gpa ? r->gpa - gpa < size : gpa - r->gpa < r->size))
			return true;
	}
	return false;
}

static int mem_write(struct tenon_dev *dev, uint64_t gpa, const void *from, size_t size)
{
	int ret;

	if (is_read_only(dev->env->gm, gpa, size))
		return -EFAULT;
	ret = guest_memory_write(dev->env->gm, gpa, from, size);
	if (ret == 0)
		mem_mark_dirty(dev, gpa, size);
	return ret;
}

static void *mem_map(struct tenon_dev *dev, uint64_t gpa, size_t size, uint32_t prot)
{
	const struct guest_memory *gm = dev->env->gm;

	for (size_t i = 0; (prot & TENON_PROT_WRITE) && i < guest_memory_count(gm); i++) {
		const struct guest_region *r = guest_memory_region(gm, i);

		if (gpa >= r->gpa && gpa - r->gpa < r->size && r->read_only)
			return NULL;
	}
	return guest_memory_ptr(gm, gpa, size);
}

static void mem_unmap(struct tenon_dev *dev, void *host, size_t size)
{
	/* Mappings are views of regions that stay till the VM ends. */
	mark_host(dev, host, size);
}

static int mem_regions(struct tenon_dev *dev,
	int (*each)(void *arg, const struct tenon_mem_region *region), void *arg)
{
	const struct guest_memory *gm = dev->env->gm;
	int ret = 0;

	for (size_t i = 0; i < guest_memory_count(gm) && ret == 0; i++) {
		const struct guest_region *r = guest_memory_region(gm, i);
		const struct tenon_mem_region region = {
			.struct_size = sizeof(region),
			.prot = TENON_PROT_READ | (r->read_only ? 0 : TENON_PROT_WRITE),
			.gpa = r->gpa,
			.size = r->size,
			.fd = r->fd,
			.fd_offset = r->fd_offset,
		};

		/* What devices map over shared memory is not in its file. */
		if (r->kind != GUEST_SHM)
			ret = each(arg, &region);
	}
	return ret;
}

const struct tenon_mem service_mem = {
	.struct_size = sizeof(struct tenon_mem),
	.read = mem_read,
	.write = mem_write,
	.map = mem_map,
	.unmap = mem_unmap,
	.mark_dirty = mem_mark_dirty,
	.regions = mem_regions,
};
