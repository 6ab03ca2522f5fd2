/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.shm/1: windows far above the kit's RAM.  A window that a device has left is given to the
 * next that wants one of its size: guest memory has room for few.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/guest_overlay.h"
#include "sdk/testkit/driver.h"
#include "sdk/testkit/kit.h"

#define PAGE       4096u
#define FIRST_GPA  0x100000000ull
#define GAP        0x40000000ull
#define MAX_WINDOW 0x40000000ull

struct tenon_shm_region {
	struct tenon_shm_region *next;
	struct tk_dev *dev; /* NULL = free */
	uint32_t id;
	struct guest_region region;
};

static struct tenon_shm_region *windows;

static struct tenon_shm_region *free_window(uint64_t size)
{
	for (struct tenon_shm_region *w = windows; w; w = w->next)
		if (!w->dev && w->region.size == size)
			return w;
	return NULL;
}

static struct tenon_shm_region *new_window(uint64_t size)
{
	const uint64_t gpa = windows ? windows->region.gpa + windows->region.size + GAP : FIRST_GPA;
	struct guest_memory *gm = kit_memory();
	struct tenon_shm_region *w;

	if (guest_memory_add(gm, gpa, size, GUEST_SHM, false, NULL) < 0)
		return NULL;
	w = kit_alloc(sizeof(*w));
	w->region = *guest_memory_region(gm, guest_memory_count(gm) - 1);
	/* The window's descriptor is not what a device leaves behind. */
	for (struct tk_dev *d = kit.devices; d; d = d->next)
		if (d->n_fds < KIT_MAX_FDS)
			d->fds[d->n_fds++] = w->region.fd;
	w->next = windows;
	windows = w;
	return w;
}

static struct tenon_shm_region *window_of(const struct tk_dev *d, uint32_t id)
{
	for (struct tenon_shm_region *w = windows; w; w = w->next)
		if (w->dev == d && w->id == id)
			return w;
	return NULL;
}

static int shm_create(
	struct tenon_dev *dev, uint32_t id, uint64_t size, struct tenon_shm_region **ret_region)
{
	struct tenon_shm_region *w;

	if (kit_fails("tenon.shm create", ROLE_MAIN))
		return -ENOMEM;
	if (!dev->d.virtio)
		return -ENODEV;
	if (size == 0 || size % PAGE || id >= VIRTIO_MAX_SHM)
		return -EINVAL;
	if (window_of(&dev->d, id))
		return -EEXIST;
	if (size > MAX_WINDOW)
		return -ENOSPC;
	w = free_window(size);
	if (!w)
		w = new_window(size);
	if (!w)
		return -ENOSPC;
	w->dev = &dev->d;
	w->id = id;
	*ret_region = w;
	return virtio_device_set_shm(kit_virtio_layer(&dev->d), id, w->region.gpa, size);
}

static uint64_t shm_address(const struct tenon_shm_region *region)
{
	kit_role("tenon.shm address", ROLE_ANY);
	return region->region.gpa;
}

static void *shm_host(const struct tenon_shm_region *region)
{
	kit_role("tenon.shm host", ROLE_ANY);
	return region->region.host;
}

static int shm_map(struct tenon_shm_region *region, uint64_t offset, int32_t fd, uint64_t fd_offset,
	uint64_t size, uint32_t prot)
{
	if (kit_fails("tenon.shm map", ROLE_MAIN | ROLE_LOOP))
		return -ENOMEM;
	return guest_overlay_map(
		&region->region, offset, fd, fd_offset, size, prot & TENON_PROT_WRITE);
}

static int shm_unmap(struct tenon_shm_region *region, uint64_t offset, uint64_t size)
{
	kit_role("tenon.shm unmap", ROLE_MAIN | ROLE_LOOP);
	return guest_overlay_unmap(&region->region, offset, size);
}

void kit_shm_release(struct tk_dev *d)
{
	for (struct tenon_shm_region *w = windows; w; w = w->next) {
		if (w->dev != d)
			continue;
		(void)guest_overlay_unmap(&w->region, 0, w->region.size);
		w->dev = NULL;
	}
}

const struct tenon_shm kit_shm = {
	.struct_size = sizeof(struct tenon_shm),
	.create = shm_create,
	.address = shm_address,
	.host = shm_host,
	.map = shm_map,
	.unmap = shm_unmap,
};

/* ---- the driver's side ---- */

static uint64_t read_pair(struct tk_dev *d, uint32_t low)
{
	return tk_reg(d, low) | (uint64_t)tk_reg(d, low + 4) << 32;
}

void *tk_shm(struct tk_dev *d, uint32_t id, uint64_t *ret_size)
{
	tk_set_reg(d, REG_SHM_SEL, id);
	*ret_size = read_pair(d, REG_SHM_LEN_LOW);
	if (*ret_size == UINT64_MAX)
		return NULL;
	return tk_mem(read_pair(d, REG_SHM_BASE_LOW), *ret_size);
}
