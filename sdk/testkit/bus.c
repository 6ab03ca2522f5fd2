/* SPDX-License-Identifier: Apache-2.0 */
/* tenon.mmio/1: windows, found by their addresses so that overlaps are refused as in the core. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "sdk/testkit/kit.h"
#include "sdk/virtio/table.h"

#define PAGE       4096u
#define PIO_FIRST  0xc000u
#define PIO_END    0x10000u
#define MMIO_FIRST 0xd0000000u
#define MMIO_END   0xe0000000u

static uint64_t mapped_size(const struct tenon_region *r)
{
	if (r->desc.space == TENON_SPACE_PIO)
		return r->desc.size;
	return (r->desc.size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static bool overlaps(const struct tenon_region *r, uint64_t address)
{
	uint64_t end = address + mapped_size(r);

	if (end < address)
		return true;
	if (r->desc.space == TENON_SPACE_MMIO && kit_memory_holds(address, mapped_size(r)))
		return true;
	for (const struct tk_dev *d = kit.devices; d; d = d->next)
		for (const struct tenon_region *o = d->regions; o; o = o->next)
			if (o->desc.space == r->desc.space && o->address != TENON_ADDR_ANY &&
				o->address < end && address < o->address + mapped_size(o))
				return true;
	return false;
}

static uint64_t find_place(const struct tenon_region *r)
{
	bool pio = r->desc.space == TENON_SPACE_PIO;
	uint64_t end = pio ? PIO_END : MMIO_END, align = pio ? 8 : PAGE;

	while (!pio && align < mapped_size(r))
		align *= 2;
	for (uint64_t at = pio ? PIO_FIRST : MMIO_FIRST; at + mapped_size(r) <= end; at += align)
		if (!overlaps(r, at))
			return at;
	return TENON_ADDR_ANY;
}

/* ---- the service ---- */

static int mmio_region_create(struct tenon_dev *dev, const struct tenon_region_desc *desc,
	struct tenon_region **ret_region)
{
	struct tenon_region *r, **at = &dev->d.regions;
	struct tenon_region_desc own;

	if (kit_fails("tenon.mmio region_create", ROLE_MAIN))
		return -ENOMEM;
	table_copy(&own, sizeof(own), desc);
	if (own.size == 0 || !own.ops || own.space > TENON_SPACE_PIO)
		return -EINVAL;
	if (own.space == TENON_SPACE_PIO && kit.no_ports)
		return -ENOTSUP;
	r = kit_alloc(sizeof(*r));
	r->dev = &dev->d;
	r->desc = own;
	r->address = TENON_ADDR_ANY;
	while (*at)
		at = &(*at)->next;
	*at = r;
	*ret_region = r;
	return 0;
}

/* `address` in the configuration is about the first window that a device maps. */
static bool is_first(const struct tenon_region *region)
{
	for (const struct tenon_region *r = region->dev->regions; r; r = r->next)
		if (r->address != TENON_ADDR_ANY)
			return false;
	return true;
}

static int mmio_map(struct tenon_region *region, uint64_t address)
{
	if (kit_fails("tenon.mmio map", ROLE_MAIN))
		return -ENOSPC;
	if (region->address != TENON_ADDR_ANY)
		return -EBUSY;
	if (region->dev->cd->has_address && is_first(region))
		address = region->dev->cd->address;
	if (address == TENON_ADDR_ANY)
		address = find_place(region);
	if (address == TENON_ADDR_ANY)
		return kit_host.fail(kit_handle(region->dev), -ENOSPC, "no room for a window");
	if (region->desc.space == TENON_SPACE_PIO && address > PIO_END - mapped_size(region))
		return kit_host.fail(
			kit_handle(region->dev), -EINVAL, "the port is past the last one");
	if (overlaps(region, address))
		return kit_host.fail(kit_handle(region->dev), -EBUSY, "the address is taken");
	region->address = address;
	return 0;
}

static uint64_t mmio_address(const struct tenon_region *region)
{
	kit_role("tenon.mmio address", ROLE_ANY);
	return region->address;
}

static void free_doorbells(struct tenon_region *r)
{
	while (r->doorbells) {
		struct kit_doorbell *b = r->doorbells;

		r->doorbells = b->next;
		free(b);
	}
}

static void mmio_unmap(struct tenon_region *region)
{
	kit_role("tenon.mmio unmap", ROLE_MAIN);
	free_doorbells(region);
	region->address = TENON_ADDR_ANY;
}

void kit_region_free(struct tenon_region *r)
{
	if (!r)
		return;
	free_doorbells(r);
	for (struct tenon_region **at = &r->dev->regions; *at; at = &(*at)->next) {
		if (*at == r) {
			*at = r->next;
			break;
		}
	}
	free(r);
}

static void mmio_region_destroy(struct tenon_region *region)
{
	kit_role("tenon.mmio region_destroy", ROLE_MAIN);
	kit_region_free(region);
}

static int mmio_doorbell(struct tenon_region *region, uint64_t offset, uint32_t size,
	const uint64_t *match, struct tenon_notifier *notifier)
{
	struct kit_doorbell *b;

	if (kit_fails("tenon.mmio doorbell", ROLE_MAIN))
		return -ENOMEM;
	if (size > region->desc.size || offset > region->desc.size - size || !notifier)
		return -EINVAL;
	b = kit_alloc(sizeof(*b));
	*b = (struct kit_doorbell){ region->doorbells, offset, match ? *match : 0, size,
		match != NULL, notifier };
	region->doorbells = b;
	return 0;
}

void kit_regions_left(struct tk_dev *d)
{
	if (d->regions)
		kit_fail("%s left its window \"%s\"", d->cd->name,
			d->regions->desc.name ? d->regions->desc.name : "");
}

/* ---- the vCPU's side ---- */

struct tenon_region *kit_region(struct tk_dev *d, unsigned index)
{
	struct tenon_region *r = d->regions;

	while (r && index-- > 0)
		r = r->next;
	if (!r)
		kit_fail("%s has no such window", d->cd->name);
	return r;
}

/* What the bus lets through: whole accesses of 1, 2, 4 or 8 bytes inside a mapped window. */
static bool reaches(const struct tenon_region *r, uint64_t offset, uint32_t size)
{
	uint64_t room = mapped_size(r);

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return false;
	return r->address != TENON_ADDR_ANY && size <= room && offset <= room - size;
}

uint64_t kit_region_read(struct tenon_region *r, uint64_t offset, uint32_t size)
{
	uint64_t mask = size < 8 ? ((uint64_t)1 << (8 * size)) - 1 : UINT64_MAX, value;
	struct tk_dev *locked = r->unlocked ? NULL : r->dev;
	struct kit_here before;

	if (!reaches(r, offset, size))
		return mask;
	if (!TENON_HAS(r->desc.ops, read))
		return 0;
	kit_enter(locked, ROLE_VCPU, &before);
	value = r->desc.ops->read(kit_handle(r->dev), r->desc.opaque, offset, size);
	kit_leave(locked, &before);
	return value & mask;
}

uint64_t tk_read(struct tk_dev *d, unsigned window, uint64_t offset, uint32_t size)
{
	return kit_region_read(kit_region(d, window), offset, size);
}

static bool ring(const struct tenon_region *r, uint64_t offset, uint32_t size, uint64_t value)
{
	for (const struct kit_doorbell *b = r->doorbells; b; b = b->next) {
		if (b->offset == offset && b->size == size &&
			(!b->has_match || b->match == value)) {
			kit_notifier.signal(b->notifier);
			kit_lock();
			r->dev->doorbells++;
			kit_unlock();
			return true;
		}
	}
	return false;
}

void kit_region_write(struct tenon_region *r, uint64_t offset, uint32_t size, uint64_t value)
{
	struct tk_dev *locked = r->unlocked ? NULL : r->dev;
	struct kit_here before;

	if (size < 8)
		value &= ((uint64_t)1 << (8 * size)) - 1;
	if (!reaches(r, offset, size) || ring(r, offset, size, value) ||
		!TENON_HAS(r->desc.ops, write))
		return;
	kit_enter(locked, ROLE_VCPU, &before);
	r->desc.ops->write(kit_handle(r->dev), r->desc.opaque, offset, size, value);
	kit_leave(locked, &before);
}

void tk_write(struct tk_dev *d, unsigned window, uint64_t offset, uint32_t size, uint64_t value)
{
	kit_region_write(kit_region(d, window), offset, size, value);
}

int tk_window(struct tk_dev *d, unsigned window, uint32_t *ret_space, uint64_t *ret_address,
	uint64_t *ret_size)
{
	const struct tenon_region *r = d->regions;

	while (r && window-- > 0)
		r = r->next;
	if (!r)
		return -ENOENT;
	*ret_space = r->desc.space;
	*ret_address = r->address;
	*ret_size = mapped_size(r);
	return 0;
}

void tk_no_ports(int on)
{
	kit.no_ports = on != 0;
}

unsigned tk_doorbells(struct tk_dev *d)
{
	unsigned n;

	kit_lock();
	n = d->doorbells;
	kit_unlock();
	return n;
}

const struct tenon_mmio kit_mmio = {
	.struct_size = sizeof(struct tenon_mmio),
	.region_create = mmio_region_create,
	.map = mmio_map,
	.address = mmio_address,
	.unmap = mmio_unmap,
	.region_destroy = mmio_region_destroy,
	.doorbell = mmio_doorbell,
};
