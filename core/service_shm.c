/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.shm/1: windows above the guest's RAM, each a region of guest memory of its own.
 *
 * A region of guest memory stays till the VM ends; what the device mapped over it goes with the
 * device.
 */
#include <errno.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "core/backend.h"
#include "core/config.h"
#include "core/device.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/guest_overlay.h"
#include "core/services.h"

#define PAGE      4096u
#define MIN_ALIGN (2u << 20) /* so that large pages fit */

struct tenon_shm_region {
	struct tenon_shm_region *next; /* the device's */
	uint32_t id;
	struct guest_region region; /* a copy: the array of regions moves */
};

/* Above all that is there. */
static uint64_t next_place(const struct device_env *env)
{
	const size_t n = guest_memory_count(env->gm);
	const struct guest_region *last = guest_memory_region(env->gm, n - 1);
	uint64_t align = env->layout->shm_align, end = 0;

	if (align < MIN_ALIGN)
		align = MIN_ALIGN;
	if (n > 0)
		end = last->gpa + last->size;
	if (end < env->layout->hole_end)
		end = env->layout->hole_end;
	if (end < env->layout->mmio_end)
		end = env->layout->mmio_end;
	return (end + align - 1) & ~(align - 1);
}

static const struct guest_region *region_at(const struct guest_memory *gm, uint64_t gpa)
{
	size_t i = 0;

	while (guest_memory_region(gm, i)->gpa != gpa)
		i++;
	return guest_memory_region(gm, i);
}

static int open_window(const struct device_env *env, uint64_t size, struct guest_region *ret_region)
{
	const uint64_t gpa = next_place(env);
	const uint64_t end = 1ull << (env->phys_bits && env->phys_bits < 63 ? env->phys_bits : 62);
	struct backend_error berr = { "" };
	struct error err = { .text = "" };
	int ret;

	if (gpa >= end || size > end - gpa)
		return -ENOSPC;
	ret = guest_memory_add(env->gm, gpa, size, GUEST_SHM, false, &err);
	if (ret < 0)
		return ret;
	*ret_region = *region_at(env->gm, gpa);
	if (!env->ops || !env->vm)
		return 0;
	return env->ops->mem_map(env->vm, gpa, size, ret_region->host, 0, &berr);
}

static bool has(const struct tenon_dev *dev, uint32_t id)
{
	for (const struct tenon_shm_region *r = dev->shm; r; r = r->next)
		if (r->id == id)
			return true;
	return false;
}

static int shm_create(
	struct tenon_dev *dev, uint32_t id, uint64_t size, struct tenon_shm_region **ret_region)
{
	struct tenon_shm_region *r;
	int ret;

	if (!dev->virtio)
		return -ENODEV;
	if (has(dev, id))
		return -EEXIST;
	if (size == 0 || size % PAGE || id >= VIRTIO_HOST_MAX_SHM)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->id = id;
	ret = open_window(dev->env, size, &r->region);
	if (ret == 0)
		ret = virtio_host_set_shm(dev->virtio, id, r->region.gpa, size);
	if (ret < 0) {
		free(r);
		return ret;
	}
	r->next = dev->shm;
	dev->shm = r;
	*ret_region = r;
	return 0;
}

static uint64_t shm_address(const struct tenon_shm_region *region)
{
	return region->region.gpa;
}

static void *shm_host(const struct tenon_shm_region *region)
{
	return region->region.host;
}

static int shm_map(struct tenon_shm_region *region, uint64_t offset, int32_t fd, uint64_t fd_offset,
	uint64_t size, uint32_t prot)
{
	return guest_overlay_map(
		&region->region, offset, fd, fd_offset, size, prot & TENON_PROT_WRITE);
}

static int shm_unmap(struct tenon_shm_region *region, uint64_t offset, uint64_t size)
{
	return guest_overlay_unmap(&region->region, offset, size);
}

void shm_release(struct tenon_dev *dev)
{
	while (dev->shm) {
		struct tenon_shm_region *r = dev->shm;

		dev->shm = r->next;
		(void)guest_overlay_unmap(&r->region, 0, r->region.size);
		free(r);
	}
}

const struct tenon_shm service_shm = {
	.struct_size = sizeof(struct tenon_shm),
	.create = shm_create,
	.address = shm_address,
	.host = shm_host,
	.map = shm_map,
	.unmap = shm_unmap,
};
