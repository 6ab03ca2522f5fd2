/* SPDX-License-Identifier: Apache-2.0 */
/* RAM regions with the reserved places cut out of them. */
#include "arch/x86_64/memmap.h"

#include <errno.h>
#include <string.h>

#include "arch/x86_64/boot_layout.h"
#include "core/guest_memory.h"

#define NOT_LISTED 0u /* cut out of RAM, without an entry of its own */

/* Inserts in ascending order. */
static int add(struct memmap *map, uint64_t base, uint64_t end, uint32_t type)
{
	size_t at = map->n;

	if (base >= end || type == NOT_LISTED)
		return 0;
	if (map->n == MEMMAP_MAX)
		return -ENOSPC;
	while (at > 0 && map->entries[at - 1].base > base)
		at--;
	memmove(&map->entries[at + 1], &map->entries[at], (map->n - at) * sizeof(map->entries[0]));
	map->entries[at] = (struct memmap_entry){ base, end - base, type };
	map->n++;
	return 0;
}

/* Adds what the ascending @cuts leave of [@base, @end). */
static int add_ram(struct memmap *map, uint64_t base, uint64_t end, const struct memmap_entry *cuts,
	size_t n_cuts)
{
	int ret;

	for (size_t i = 0; i < n_cuts; i++) {
		uint64_t cut_end = cuts[i].base + cuts[i].size;

		if (cuts[i].size == 0 || cut_end <= base || cuts[i].base >= end)
			continue;
		ret = add(map, base, cuts[i].base, MEMMAP_RAM);
		if (ret < 0)
			return ret;
		base = cut_end;
	}
	return add(map, base, end, MEMMAP_RAM);
}

int memmap_build(const struct guest_memory *gm, uint64_t acpi_base, uint64_t acpi_size,
	struct memmap *ret_map)
{
	const struct memmap_entry cuts[] = {
		{ BOOT_EBDA, BOOT_VIDEO - BOOT_EBDA, MEMMAP_RESERVED },
		{ BOOT_VIDEO, BOOT_BIOS - BOOT_VIDEO, NOT_LISTED },
		{ BOOT_BIOS, BOOT_BIOS_END - BOOT_BIOS, MEMMAP_RESERVED },
		{ acpi_base, acpi_size, MEMMAP_ACPI },
		{ BOOT_HYPERVISOR, BOOT_HYPERVISOR_SIZE, MEMMAP_RESERVED },
	};
	const size_t n_cuts = sizeof(cuts) / sizeof(cuts[0]);
	struct memmap map = { 0 };
	int ret = 0;

	for (size_t i = 0; i < guest_memory_count(gm) && ret == 0; i++) {
		const struct guest_region *r = guest_memory_region(gm, i);

		if (r->kind == GUEST_RAM)
			ret = add_ram(&map, r->gpa, r->gpa + r->size, cuts, n_cuts);
	}
	for (size_t i = 0; i < n_cuts && ret == 0; i++)
		ret = add(&map, cuts[i].base, cuts[i].base + cuts[i].size, cuts[i].type);
	if (ret < 0)
		return ret;
	*ret_map = map;
	return 0;
}
