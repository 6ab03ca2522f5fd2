/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The zero page of Linux' x86 boot protocol, with the list of extra data that hangs off it.
 */
#ifndef TENON_ARCH_X86_64_BOOT_PARAMS_H
#define TENON_ARCH_X86_64_BOOT_PARAMS_H

#include <stdint.h>

struct error;
struct guest_memory;
struct loaded;
struct memmap;

/* Offsets in the zero page (Documentation/arch/x86/zero-page.rst and boot.rst). */
#define ZP_SIZE              0x1000u
#define ZP_ACPI_RSDP_ADDR    0x070u
#define ZP_EXT_RAMDISK_IMAGE 0x0c0u
#define ZP_EXT_RAMDISK_SIZE  0x0c4u
#define ZP_EXT_CMD_LINE_PTR  0x0c8u
#define ZP_E820_ENTRIES      0x1e8u
#define ZP_SENTINEL          0x1efu /* must stay 0: the page was made, not copied from disk */
#define ZP_E820_TABLE        0x2d0u
#define ZP_E820_ENTRY_SIZE   20u

/* The setup header in it. */
#define ZP_HEADER           0x1f1u
#define ZP_HEADER_END       0x290u
#define ZP_VID_MODE         0x1fau
#define ZP_BOOT_FLAG        0x1feu
#define ZP_JUMP_OFFSET      0x201u /* from 0x202 on to the end of the header */
#define ZP_MAGIC            0x202u
#define ZP_VERSION          0x206u
#define ZP_TYPE_OF_LOADER   0x210u
#define ZP_LOADFLAGS        0x211u
#define ZP_RAMDISK_IMAGE    0x218u
#define ZP_RAMDISK_SIZE     0x21cu
#define ZP_CMD_LINE_PTR     0x228u
#define ZP_INITRD_ADDR_MAX  0x22cu
#define ZP_KERNEL_ALIGNMENT 0x230u
#define ZP_RELOCATABLE      0x234u
#define ZP_XLOADFLAGS       0x236u
#define ZP_CMDLINE_SIZE     0x238u
#define ZP_SETUP_DATA       0x250u

#define SETUP_RNG_SEED 9u
#define RNG_SEED_SIZE  32u

/*
 * Claims and writes the zero page and its seed for the guest's random numbers.  @rsdp is 0 where
 * there are no ACPI tables.  [main]
 */
int boot_params_write(struct guest_memory *gm, const struct loaded *loaded,
	const struct memmap *map, uint64_t rsdp, struct error *err);

#endif
