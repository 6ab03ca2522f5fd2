/* SPDX-License-Identifier: Apache-2.0 */
/* The map of memory that the guest is told, as in the BIOS call E820 and in PVH's start_info. */
#ifndef TENON_ARCH_X86_64_MEMMAP_H
#define TENON_ARCH_X86_64_MEMMAP_H

#include <stddef.h>
#include <stdint.h>

struct guest_memory;

#define MEMMAP_MAX 64 /* the zero page has room for 128 */

enum memmap_type {
	MEMMAP_RAM = 1,
	MEMMAP_RESERVED = 2,
	MEMMAP_ACPI = 3, /* the guest may use it once it has read its tables */
};

struct memmap_entry {
	uint64_t base, size;
	uint32_t type;
};

struct memmap {
	struct memmap_entry entries[MEMMAP_MAX]; /* ascending, disjoint */
	size_t n;
};

/*
 * Writes RAM as guest memory has it, less the places that PCs reserve and less [@acpi_base,
 * @acpi_base + @acpi_size), which holds tables (size 0: none).  0 or -ENOSPC.
 */
int memmap_build(const struct guest_memory *gm, uint64_t acpi_base, uint64_t acpi_size,
	struct memmap *ret_map);

#endif
