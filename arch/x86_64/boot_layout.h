/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the boot structures lie, in guest physical addresses.
 *
 * All of them are claimed in the ledger of guest memory before they are written.  0x20000..0x30000
 * holds the command line, which the loader places; 0x30000..0x9fc00 stays free, because kernels
 * need memory below 1 MiB for the code that starts further CPUs.
 */
#ifndef TENON_ARCH_X86_64_BOOT_LAYOUT_H
#define TENON_ARCH_X86_64_BOOT_LAYOUT_H

#define BOOT_GDT           0x500u /* GDT_ENTRIES * 8 bytes */
#define BOOT_IDT           0x540u /* one empty gate */
#define BOOT_IDT_SIZE      8u
#define BOOT_START_INFO    0x6000u /* PVH: start_info, then the two lists it points to */
#define BOOT_MODULES       0x6040u
#define BOOT_MEMMAP        0x6080u
#define BOOT_PVH_END       0x7000u
#define BOOT_ZERO_PAGE     0x7000u
#define BOOT_SETUP_DATA    0x8000u
#define BOOT_STACK_LOW     0x8800u
#define BOOT_STACK_TOP     0x8ff0u
#define BOOT_STACK_END     0x9000u
#define BOOT_PML4          0x9000u /* PML4, PDPT and four page directories follow each other */
#define BOOT_PDPT          0xa000u
#define BOOT_PD            0xb000u
#define BOOT_PAGES_END     0xf000u
#define BOOT_EBDA          0x9fc00u /* reserved, up to the video memory */
#define BOOT_VIDEO         0xa0000u /* never memory */
#define BOOT_BIOS          0xe0000u /* reserved, up to 1 MiB */
#define BOOT_RSDP          0xe0000u
#define BOOT_ACPI          0xe0040u /* ACPI tables, where they fit */
#define BOOT_ACPI_END      0xf0000u
#define BOOT_SMBIOS_ANCHOR 0xf0000u /* kernels scan from here in steps of 16 */
#define BOOT_SMBIOS        0xf0020u
#define BOOT_SMBIOS_END    0xffff0u
#define BOOT_RESET_STUB    0xffff0u /* where a PC's firmware is entered */
#define BOOT_BIOS_END      0x100000u

/* The rest of the address space that the tables speak of. */
#define BOOT_LOW_LIMIT       0xc0000000u /* low RAM ends here at the latest */
#define BOOT_IOAPIC          0xfec00000u
#define BOOT_LAPIC           0xfee00000u
#define BOOT_HYPERVISOR      0xfffbc000u /* pages that the hypervisor uses itself */
#define BOOT_HYPERVISOR_SIZE 0x4000u

#endif
