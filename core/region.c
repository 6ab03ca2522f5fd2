/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.mmio/1: windows of registers.
 *
 * A doorbell is kept in the window as well as handed to the hypervisor: where that has nothing
 * faster, the write traps, and the trap signals the notifier instead of calling the device.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "core/backend.h"
#include "core/bus.h"
#include "core/config.h"
#include "core/device.h"
#include "core/notifier.h"
#include "core/services.h"
#include "sdk/virtio/table.h"

#define PAGE      4096u
#define PIO_FIRST 0xc000u
#define PIO_END   0x10000u

struct doorbell {
	struct doorbell *next;
	uint64_t offset, match;
	uint32_t size;
	bool has_match, in_backend;
	struct tenon_notifier *notifier;
};

struct tenon_region {
	struct tenon_region *next;
	struct tenon_dev *dev;
	struct tenon_region_desc desc;
	uint64_t address; /* TENON_ADDR_ANY = not mapped */
	bool unlocked;    /* the core's own ops, which lock what they need */
	struct doorbell *doorbells;
};

/* ---- accesses ---- */

static uint64_t region_read(void *opaque, uint64_t offset, uint32_t size)
{
	struct tenon_region *r = opaque;
	uint64_t value;

	if (!TENON_HAS(r->desc.ops, read))
		return 0;
	if (r->unlocked)
		return r->desc.ops->read(r->dev, r->desc.opaque, offset, size);
	device_lock(r->dev);
	value = r->desc.ops->read(r->dev, r->desc.opaque, offset, size);
	device_unlock(r->dev);
	return value;
}

static bool ring(const struct tenon_region *r, uint64_t offset, uint32_t size, uint64_t value)
{
	for (const struct doorbell *d = r->doorbells; d; d = d->next) {
		if (d->offset == offset && d->size == size &&
			(!d->has_match || d->match == value)) {
			notifier_signal(d->notifier);
			return true;
		}
	}
	return false;
}

static void region_write(void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct tenon_region *r = opaque;

	if (ring(r, offset, size, value) || !TENON_HAS(r->desc.ops, write))
		return;
	if (!r->unlocked)
		device_lock(r->dev);
	r->desc.ops->write(r->dev, r->desc.opaque, offset, size, value);
	if (!r->unlocked)
		device_unlock(r->dev);
}

static const struct bus_ops region_bus_ops = { region_read, region_write };

static struct bus *bus_of(const struct tenon_region *r)
{
	return r->desc.space == TENON_SPACE_PIO ? r->dev->env->pio : r->dev->env->mmio;
}

/* ---- doorbells ---- */

static void connect_doorbell(struct tenon_region *r, struct doorbell *d, bool assign)
{
	const struct device_env *env = r->dev->env;
	int ret;

	if (!env->ops || !env->ops->doorbell || d->in_backend == assign)
		return;
	ret = env->ops->doorbell(env->vm, r->address + d->offset, d->size,
		d->has_match ? &d->match : NULL, r->desc.space == TENON_SPACE_PIO,
		notifier_fd(d->notifier), assign);
	/* A refusal is ordinary: the write traps. */
	d->in_backend = assign && ret == 0;
}

static int mmio_doorbell(struct tenon_region *region, uint64_t offset, uint32_t size,
	const uint64_t *match, struct tenon_notifier *notifier)
{
	struct doorbell *d;

	if (size > region->desc.size || offset > region->desc.size - size)
		return -EINVAL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	*d = (struct doorbell){
		.next = region->doorbells,
		.offset = offset,
		.size = size,
		.match = match ? *match : 0,
		.has_match = match != NULL,
		.notifier = notifier,
	};
	region->doorbells = d;
	if (region->address != TENON_ADDR_ANY)
		connect_doorbell(region, d, true);
	return 0;
}

/* ---- windows ---- */

static int mmio_region_create(struct tenon_dev *dev, const struct tenon_region_desc *desc,
	struct tenon_region **ret_region)
{
	struct tenon_region_desc own;
	struct tenon_region *r;

	table_copy(&own, sizeof(own), desc);
	if (own.size == 0 || !own.ops)
		return -EINVAL;
	if (dev->env->home)
		return device_refuse(dev, -ENOTSUP,
			"there is no machine here that its registers "
			"could be in; only virtio devices are served");
	if (own.space == TENON_SPACE_PIO && !dev->env->pio)
		return -ENOTSUP;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->dev = dev;
	r->desc = own;
	r->address = TENON_ADDR_ANY;
	r->next = dev->regions;
	dev->regions = r;
	*ret_region = r;
	return 0;
}

static uint64_t mapped_size(const struct tenon_region *r)
{
	if (r->desc.space == TENON_SPACE_PIO)
		return r->desc.size;
	return (r->desc.size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static uint64_t find_place(const struct tenon_region *r)
{
	const struct arch_layout *layout = r->dev->env->layout;
	uint64_t size = mapped_size(r), align = 8;

	if (r->desc.space == TENON_SPACE_PIO)
		return bus_find_free(bus_of(r), PIO_FIRST, PIO_END, size, 8);
	for (align = PAGE; align < size;)
		align *= 2;
	return bus_find_free(bus_of(r), layout->mmio_base, layout->mmio_end, size, align);
}

/* `address` in the configuration is about the first window that a device maps. */
static bool is_first(const struct tenon_region *region)
{
	for (const struct tenon_region *r = region->dev->regions; r; r = r->next)
		if (r->address != TENON_ADDR_ANY)
			return false;
	return true;
}

/* Elsewhere lies memory, or what the hypervisor keeps to itself: the device would never be heard.
 */
static int check_address(const struct tenon_region *region, uint64_t address, uint64_t size)
{
	const struct arch_layout *layout = region->dev->env->layout;

	if (region->desc.space == TENON_SPACE_PIO) {
		if (size <= PIO_END && address <= PIO_END - size)
			return 0;
		return device_refuse(region->dev, -EINVAL,
			"port 0x%llx is past the last one (0xffff)", (unsigned long long)address);
	}
	if (address % PAGE == 0 && address >= layout->mmio_base &&
		size <= layout->mmio_end - layout->mmio_base && address <= layout->mmio_end - size)
		return 0;
	return device_refuse(region->dev, -EINVAL,
		"address 0x%llx is not a multiple of 4096 from 0x%llx to 0x%llx, where windows of "
		"devices are",
		(unsigned long long)address, (unsigned long long)layout->mmio_base,
		(unsigned long long)layout->mmio_end - 1);
}

static int mmio_map(struct tenon_region *region, uint64_t address)
{
	struct bus_range range = { .size = mapped_size(region),
		.ops = &region_bus_ops,
		.opaque = region,
		.name = region->desc.name };
	int ret;

	if (region->address != TENON_ADDR_ANY)
		return -EBUSY;
	if (region->dev->config->has_address && is_first(region))
		address = region->dev->config->address;
	if (address == TENON_ADDR_ANY)
		address = find_place(region);
	if (address == TENON_ADDR_ANY)
		return device_refuse(region->dev, -ENOSPC,
			"no room for a window of %llu bytes in the guest's address space",
			(unsigned long long)range.size);
	ret = check_address(region, address, range.size);
	if (ret < 0)
		return ret;
	range.base = address;
	ret = bus_add(bus_of(region), &range);
	if (ret == -EBUSY)
		return device_refuse(region->dev, ret, "%s 0x%llx (%llu bytes) is taken",
			region->desc.space == TENON_SPACE_PIO ? "port" : "address",
			(unsigned long long)address, (unsigned long long)range.size);
	if (ret < 0)
		return ret;
	region->address = address;
	for (struct doorbell *d = region->doorbells; d; d = d->next)
		connect_doorbell(region, d, true);
	return 0;
}

static uint64_t mmio_address(const struct tenon_region *region)
{
	return region->address;
}

static void mmio_unmap(struct tenon_region *region)
{
	if (region->address == TENON_ADDR_ANY)
		return;
	while (region->doorbells) {
		struct doorbell *d = region->doorbells;

		connect_doorbell(region, d, false);
		region->doorbells = d->next;
		free(d);
	}
	bus_remove(bus_of(region), region->address);
	region->address = TENON_ADDR_ANY;
}

static void mmio_region_destroy(struct tenon_region *region)
{
	if (!region)
		return;
	mmio_unmap(region);
	for (struct tenon_region **at = &region->dev->regions; *at; at = &(*at)->next) {
		if (*at == region) {
			*at = region->next;
			break;
		}
	}
	while (region->doorbells) {
		struct doorbell *d = region->doorbells;

		region->doorbells = d->next;
		free(d);
	}
	free(region);
}

void regions_release(struct tenon_dev *dev)
{
	while (dev->regions)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it unlinks what it frees */
		mmio_region_destroy(dev->regions);
}

void region_set_unlocked(struct tenon_region *region)
{
	region->unlocked = true;
}

void region_describe(const struct tenon_region *region, struct region_info *ret_info)
{
	*ret_info = (struct region_info){
		region->desc.name,
		region->desc.space == TENON_SPACE_PIO,
		region->address,
		mapped_size(region),
	};
}

bool region_info(const struct tenon_dev *dev, unsigned index, struct region_info *ret_info)
{
	for (const struct tenon_region *r = dev->regions; r; r = r->next) {
		if (index-- > 0)
			continue;
		region_describe(r, ret_info);
		return true;
	}
	return false;
}

const struct tenon_mmio service_mmio = {
	.struct_size = sizeof(struct tenon_mmio),
	.region_create = mmio_region_create,
	.map = mmio_map,
	.address = mmio_address,
	.unmap = mmio_unmap,
	.region_destroy = mmio_region_destroy,
	.doorbell = mmio_doorbell,
};
