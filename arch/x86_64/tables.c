/* SPDX-License-Identifier: Apache-2.0 */
/* GDT, IDT and identity page tables. */
#include "arch/x86_64/tables.h"

#include <string.h>

#include "arch/bytes.h"
#include "arch/x86_64/boot_layout.h"
#include "core/guest_memory.h"

#define PAGE_PRESENT 0x01u
#define PAGE_WRITE   0x02u
#define PAGE_LARGE   0x80u
#define PAGE_SIZE    0x1000ull
#define LARGE_PAGE   0x200000ull
#define TABLE_SLOTS  512ull
#define N_PDS        4u /* 1 GiB each */

static uint64_t descriptor(uint32_t base, uint32_t limit, uint16_t rights)
{
	return (limit & 0xffffu) | (uint64_t)(base & 0xffffffu) << 16 |
	       (uint64_t)(rights & 0xf0ffu) << 40 | (uint64_t)(limit >> 16 & 0xfu) << 48 |
	       (uint64_t)(base >> 24) << 56;
}

static int write_descriptors(
	struct guest_memory *gm, enum boot_protocol protocol, struct error *err)
{
	const uint16_t code = protocol == BOOT_LINUX64 ? SEGMENT_CODE64 : SEGMENT_CODE32;
	uint8_t *gdt;
	int ret;

	ret = guest_memory_claim(gm, BOOT_GDT, GDT_ENTRIES * 8, "the descriptor table", err);
	if (ret == 0)
		ret = guest_memory_claim(gm, BOOT_IDT, BOOT_IDT_SIZE, "the interrupt table", err);
	if (ret < 0)
		return ret;
	gdt = guest_memory_ptr(gm, BOOT_GDT, GDT_ENTRIES * 8);
	memset(gdt, 0, GDT_ENTRIES * 8);
	put_le64(gdt + GDT_CODE, descriptor(0, 0xfffff, code));
	put_le64(gdt + GDT_DATA, descriptor(0, 0xfffff, SEGMENT_DATA));
	put_le64(gdt + GDT_TSS, descriptor(0, TSS_LIMIT, SEGMENT_TSS));
	memset(guest_memory_ptr(gm, BOOT_IDT, BOOT_IDT_SIZE), 0, BOOT_IDT_SIZE);
	return 0;
}

static int write_pages(struct guest_memory *gm, struct error *err)
{
	const uint32_t size = BOOT_PAGES_END - BOOT_PML4;
	uint8_t *pages, *pdpt, *pd;
	int ret;

	ret = guest_memory_claim(gm, BOOT_PML4, size, "the page tables", err);
	if (ret < 0)
		return ret;
	pages = guest_memory_ptr(gm, BOOT_PML4, size);
	pdpt = pages + (BOOT_PDPT - BOOT_PML4);
	pd = pages + (BOOT_PD - BOOT_PML4);
	memset(pages, 0, size);
	put_le64(pages, BOOT_PDPT | PAGE_PRESENT | PAGE_WRITE);
	for (uint64_t i = 0; i < N_PDS; i++)
		put_le64(pdpt + 8 * i, (BOOT_PD + i * PAGE_SIZE) | PAGE_PRESENT | PAGE_WRITE);
	for (uint64_t i = 0; i < N_PDS * TABLE_SLOTS; i++)
		put_le64(pd + 8 * i, i * LARGE_PAGE | PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE);
	return 0;
}

int tables_write(struct guest_memory *gm, enum boot_protocol protocol, struct error *err)
{
	int ret = write_descriptors(gm, protocol, err);

	if (ret == 0)
		ret = guest_memory_claim(gm, BOOT_STACK_LOW, BOOT_STACK_END - BOOT_STACK_LOW,
			"the first stack", err);
	if (ret == 0 && protocol == BOOT_LINUX64)
		ret = write_pages(gm, err);
	return ret;
}
