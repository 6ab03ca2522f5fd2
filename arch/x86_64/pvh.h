/* SPDX-License-Identifier: Apache-2.0 */
/* The start_info of the PVH boot ABI: an ELF kernel entered in 32-bit protected mode. */
#ifndef TENON_ARCH_X86_64_PVH_H
#define TENON_ARCH_X86_64_PVH_H

#include <stdint.h>

struct error;
struct guest_memory;
struct loaded;
struct memmap;

/* Offsets in struct hvm_start_info, version 1. */
#define PVH_MAGIC          0x336ec578u
#define PVH_VERSION        4u
#define PVH_NR_MODULES     12u
#define PVH_MODLIST        16u
#define PVH_CMDLINE        24u
#define PVH_RSDP           32u
#define PVH_MEMMAP         40u
#define PVH_MEMMAP_ENTRIES 48u
#define PVH_SIZE           56u

#define PVH_MODULE_SIZE       32u /* address, size, command line, reserved */
#define PVH_MEMMAP_ENTRY_SIZE 24u /* address, size, type, reserved */

/* Claims and writes it and its lists.  @rsdp is 0 where there are no ACPI tables.  [main] */
int pvh_write(struct guest_memory *gm, const struct loaded *loaded, const struct memmap *map,
	uint64_t rsdp, struct error *err);

#endif
