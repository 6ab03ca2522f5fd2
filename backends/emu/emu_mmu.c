/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual memory: Sv39 and Sv48.  The hardware sets the accessed and dirty bits (Svadu), by a
 * compare-and-swap on the entry, because other harts and other threads walk and change the same
 * tables.  Entries must lie in RAM.
 */
#include "backends/emu/emu.h"

#include <string.h>

#define PTE_V        (1ull << 0)
#define PTE_R        (1ull << 1)
#define PTE_W        (1ull << 2)
#define PTE_X        (1ull << 3)
#define PTE_U        (1ull << 4)
#define PTE_G        (1ull << 5)
#define PTE_A        (1ull << 6)
#define PTE_D        (1ull << 7)
#define PTE_RESERVED (~0ull << 54)
#define PTE_PPN(pte) ((pte) >> 10 & ((1ull << 44) - 1))

#define SATP_MODE(satp) ((satp) >> 60)
#define SATP_PPN(satp)  ((satp) & ((1ull << 44) - 1))

static int page_fault(struct backend_vcpu *h, uint64_t va, enum emu_access access)
{
	static const uint8_t causes[] = { [EMU_LOAD] = EMU_LOAD_PAGE,
		[EMU_STORE] = EMU_STORE_PAGE,
		[EMU_FETCH] = EMU_INSN_PAGE };

	emu_set_trap(h, causes[access], va);
	return -1;
}

static int access_fault(struct backend_vcpu *h, uint64_t va, enum emu_access access)
{
	static const uint8_t causes[] = { [EMU_LOAD] = EMU_LOAD_ACCESS,
		[EMU_STORE] = EMU_STORE_ACCESS,
		[EMU_FETCH] = EMU_INSN_ACCESS };

	emu_set_trap(h, causes[access], va);
	return -1;
}

/* ---- one leaf ---- */

static bool permitted(const struct backend_vcpu *h, uint64_t pte, enum emu_access access)
{
	if (h->mode == EMU_USER && !(pte & PTE_U))
		return false;
	if (h->mode == EMU_SUPERVISOR && (pte & PTE_U))
		if (access == EMU_FETCH || !(h->sstatus & EMU_SSTATUS_SUM))
			return false;
	if (access == EMU_STORE)
		return pte & PTE_W;
	if (access == EMU_FETCH)
		return pte & PTE_X;
	return (pte & PTE_R) || ((h->sstatus & EMU_SSTATUS_MXR) && (pte & PTE_X));
}

/* Sets what the access sets in the entry; 0 when the entry changed meanwhile. */
static int mark(_Atomic uint64_t *entry, uint64_t *pte, enum emu_access access)
{
	uint64_t want = *pte | PTE_A | (access == EMU_STORE ? PTE_D : 0);

	if (want == *pte)
		return 1;
	if (!atomic_compare_exchange_strong(entry, pte, want))
		return 0;
	*pte = want;
	return 1;
}

static void fill_page(uint64_t va, uint64_t pte, unsigned int shift, struct emu_page *page)
{
	uint64_t span = 1ull << shift;

	page->span = span;
	page->pa = ((PTE_PPN(pte) << 12) & ~(span - 1)) | (va & (span - 1));
	page->writable = (pte & PTE_W) && (pte & PTE_D);
	page->global |= (pte & PTE_G) != 0;
}

/* ---- the walk ---- */

static _Atomic uint64_t *entry_at(
	const struct backend_vcpu *h, uint64_t table, uint64_t va, unsigned int shift)
{
	uint64_t pa = table + (va >> shift & 511) * 8;
	const struct emu_region *r = emu_region_at(h->vm, pa);

	return r && !r->readonly ? (_Atomic uint64_t *)(void *)(r->host + (pa - r->gpa)) : NULL;
}

static bool well_formed(uint64_t pte)
{
	return (pte & PTE_V) && ((pte & PTE_R) || !(pte & PTE_W)) && !(pte & PTE_RESERVED);
}

/* 1 found, 0 try again, -1 trap. */
static int walk(struct backend_vcpu *h, uint64_t va, unsigned int levels, enum emu_access access,
	struct emu_page *page)
{
	uint64_t table = SATP_PPN(h->satp) << 12;
	unsigned int shift = 12 + 9 * levels;

	page->global = false;
	while (shift > 12) {
		_Atomic uint64_t *entry;
		uint64_t pte;

		shift -= 9;
		entry = entry_at(h, table, va, shift);
		if (!entry)
			return access_fault(h, va, access);
		pte = atomic_load_explicit(entry, memory_order_acquire);
		if (!well_formed(pte))
			return page_fault(h, va, access);
		table = PTE_PPN(pte) << 12;
		if (!(pte & (PTE_R | PTE_X))) {
			if (pte & (PTE_A | PTE_D | PTE_U))
				return page_fault(h, va, access);
			page->global |= (pte & PTE_G) != 0;
			continue;
		}
		if ((table & ((1ull << shift) - 1)) || !permitted(h, pte, access))
			return page_fault(h, va, access);
		if (!mark(entry, &pte, access))
			return 0;
		fill_page(va, pte, shift, page);
		return 1;
	}
	return page_fault(h, va, access);
}

int emu_translate(
	struct backend_vcpu *h, uint64_t va, enum emu_access access, struct emu_page *ret_page)
{
	unsigned int mode = (unsigned int)SATP_MODE(h->satp), levels = mode == 9 ? 4 : 3;
	unsigned int unused = 64 - (12 + 9 * levels);
	int r;

	if (mode == 0) {
		*ret_page = (struct emu_page){
			.pa = va, .span = EMU_PAGE, .writable = true, .global = true
		};
		return 0;
	}
	if ((uint64_t)((int64_t)(va << unused) >> unused) != va)
		return page_fault(h, va, access);
	do
		r = walk(h, va, levels, access, ret_page);
	while (r == 0);
	return r < 0 ? -1 : 0;
}

/* ---- the tables ---- */

static void note_large(struct backend_vcpu *h, uint64_t va, uint64_t span)
{
	uint64_t low = va & ~(span - 1), high = low + span - 1;
	unsigned int half = va >> 63;

	if (low < h->large[half].low)
		h->large[half].low = low;
	if (high > h->large[half].high)
		h->large[half].high = high;
}

static void enter(struct backend_vcpu *h, uint64_t va, enum emu_access access,
	const struct emu_page *page, const struct emu_region *region, uint8_t *host)
{
	uint64_t tag = va & ~EMU_PAGE_MASK;
	struct emu_tlb *e = &h->tlb[va >> 12 & (EMU_TLB_SIZE - 1)];

	if (e->offset != (uintptr_t)host - va ||
		(e->read != tag && e->write != tag && e->fetch != tag))
		*e = (struct emu_tlb){ EMU_NO_PAGE, EMU_NO_PAGE, EMU_NO_PAGE,
			(uintptr_t)host - va };
	if (access == EMU_FETCH)
		e->fetch = tag;
	else if (access == EMU_STORE)
		e->write = tag;
	else
		e->read = tag;
	/* What may be written may be read. */
	if (access == EMU_STORE)
		e->read = tag;
	else if (access == EMU_LOAD && page->writable && !region->readonly)
		e->write = tag;
	if (page->span > EMU_PAGE)
		note_large(h, va, page->span);
	if (!page->global && h->mode == EMU_SUPERVISOR &&
		(access == EMU_FETCH || h->tlb == h->tlbs[EMU_CTX_SUPERVISOR]))
		h->non_global = true;
}

int emu_lookup(struct backend_vcpu *h, uint64_t va, enum emu_access access, uint64_t *ret_pa,
	uint8_t **ret_host)
{
	const struct emu_region *r;
	struct emu_page page;

	if (emu_translate(h, va, access, &page) < 0)
		return -1;
	*ret_pa = page.pa;
	*ret_host = NULL;
	/* Regions are whole pages: what holds one byte of a page holds all of it. */
	r = emu_region_at(h->vm, page.pa);
	if (!r) {
		if (access == EMU_FETCH || page.pa >> EMU_PHYS_BITS)
			return access_fault(h, va, access);
		return 0;
	}
	if (access == EMU_STORE && r->readonly)
		return 0;
	*ret_host = r->host + (page.pa - r->gpa);
	enter(h, va, access, &page, r, *ret_host);
	return 0;
}

static void clear_table(struct emu_tlb *table)
{
	for (size_t i = 0; i < EMU_TLB_SIZE; i++)
		table[i].read = table[i].write = table[i].fetch = EMU_NO_PAGE;
}

void emu_tlb_flush(struct backend_vcpu *h)
{
	for (size_t i = 0; i < EMU_CONTEXTS; i++)
		clear_table(h->tlbs[i]);
	for (size_t i = 0; i < 2; i++) {
		h->large[i].low = UINT64_MAX;
		h->large[i].high = 0;
	}
	h->non_global = false;
	emu_code_forget_jumps(h, EMU_SUPERVISOR);
	emu_code_forget_jumps(h, EMU_USER);
}

void emu_tlb_flush_page(struct backend_vcpu *h, uint64_t va)
{
	unsigned int half = va >> 63;

	if (va >= h->large[half].low && va <= h->large[half].high) {
		emu_tlb_flush(h);
		return;
	}
	for (size_t i = 0; i < EMU_CONTEXTS; i++) {
		struct emu_tlb *e = &h->tlbs[i][va >> 12 & (EMU_TLB_SIZE - 1)];

		e->read = e->write = e->fetch = EMU_NO_PAGE;
	}
	emu_code_forget_jumps(h, EMU_SUPERVISOR);
	emu_code_forget_jumps(h, EMU_USER);
}

void emu_tlb_switch(struct backend_vcpu *h)
{
	if (h->non_global) {
		emu_tlb_flush(h);
		return;
	}
	clear_table(h->tlbs[EMU_CTX_USER]);
	clear_table(h->tlbs[EMU_CTX_SUM]);
	emu_code_forget_jumps(h, EMU_USER);
}

void emu_context_update(struct backend_vcpu *h)
{
	enum emu_context c = EMU_CTX_USER;

	if (h->mode == EMU_SUPERVISOR)
		c = h->sstatus & EMU_SSTATUS_SUM ? EMU_CTX_SUM : EMU_CTX_SUPERVISOR;
	h->tlb = h->tlbs[c];
}
