/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables that the processor itself reads when it enters the guest: descriptors and, for the
 * 64-bit protocol, page tables that map the first 4 GiB onto themselves.
 */
#ifndef TENON_ARCH_X86_64_TABLES_H
#define TENON_ARCH_X86_64_TABLES_H

#include <stdint.h>

#include "core/payload.h"

struct error;
struct guest_memory;

/* Selectors; code and data are where Linux' 64-bit boot protocol wants them. */
#define GDT_CODE    0x10u
#define GDT_DATA    0x18u
#define GDT_TSS     0x20u
#define GDT_ENTRIES 6ull /* null, unused, code, data, and a TSS, which takes two in long mode */

/* Access rights as in bits 40..55 of a descriptor. */
#define SEGMENT_CODE64 0xa09bu /* present, execute and read, accessed; L, G */
#define SEGMENT_CODE32 0xc09bu /* the same; D, G */
#define SEGMENT_DATA   0xc093u /* present, read and write, accessed; B, G */
#define SEGMENT_TSS    0x008bu /* present, busy TSS */
#define TSS_LIMIT      0x67u

/* Claims and writes them for @protocol, BOOT_LINUX64 or BOOT_PVH.  [main] */
int tables_write(struct guest_memory *gm, enum boot_protocol protocol, struct error *err);

#endif
