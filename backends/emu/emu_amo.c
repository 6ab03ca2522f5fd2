/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atomics, as true atomics on guest memory: other harts are other threads.  A store-conditional is
 * a compare-and-swap with the value that the load-reserved saw.  All are sequentially consistent,
 * which is more than any combination of aq and rl asks for.
 */
#include "backends/emu/emu.h"

/* The host address; NULL: the trap is set. */
static void *locate(
	struct backend_vcpu *h, uint64_t va, uint32_t size, enum emu_access access, bool amo)
{
	const struct emu_tlb *e = &h->tlb[va >> 12 & (EMU_TLB_SIZE - 1)];
	uint64_t tag = va & (~EMU_PAGE_MASK | (size - 1)), pa;
	uint8_t *host;

	if (emu_likely((access == EMU_LOAD ? e->read : e->write) == tag))
		return (void *)(uintptr_t)(va + e->offset);
	if (va & (size - 1)) {
		emu_set_trap(h, amo ? EMU_STORE_MISALIGNED : EMU_LOAD_MISALIGNED, va);
		return NULL;
	}
	if (emu_lookup(h, va, access, &pa, &host) < 0)
		return NULL;
	if (!host)
		emu_set_trap(h, amo ? EMU_STORE_ACCESS : EMU_LOAD_ACCESS, va);
	return host;
}

static uint32_t size_of(const struct emu_op *op)
{
	return op->aux & EMU_AMO_DOUBLE ? 8 : 4;
}

enum emu_result emu_lr(struct backend_vcpu *h, const struct emu_op *op)
{
	void *host = locate(h, h->x[op->rs1], size_of(op), EMU_LOAD, false);

	if (!host)
		return EMU_TRAPPED;
	if (size_of(op) == 8)
		h->reserved_value = __atomic_load_n((uint64_t *)host, __ATOMIC_SEQ_CST);
	else
		h->reserved_value =
			(uint64_t)(int64_t)__atomic_load_n((int32_t *)host, __ATOMIC_SEQ_CST);
	h->reserved = host;
	h->reserved_size = size_of(op);
	h->x[op->rd] = h->reserved_value;
	return EMU_DONE;
}

enum emu_result emu_sc(struct backend_vcpu *h, const struct emu_op *op)
{
	void *host = locate(h, h->x[op->rs1], size_of(op), EMU_STORE, true);
	uint64_t want = h->reserved_value, v = h->x[op->rs2];
	uint32_t want32 = (uint32_t)want;
	bool done = false;

	if (!host)
		return EMU_TRAPPED;
	if (h->reserved == host && h->reserved_size == size_of(op)) {
		if (size_of(op) == 8)
			done = __atomic_compare_exchange_n((uint64_t *)host, &want, v, false,
				__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		else
			done = __atomic_compare_exchange_n((uint32_t *)host, &want32, (uint32_t)v,
				false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	h->reserved = NULL;
	h->x[op->rd] = !done;
	return EMU_DONE;
}

/* ---- read-modify-write ---- */

static uint64_t pick64(uint32_t funct5, uint64_t a, uint64_t b)
{
	switch (funct5) {
	case 0x10:
		return (int64_t)a < (int64_t)b ? a : b;
	case 0x14:
		return (int64_t)a > (int64_t)b ? a : b;
	case 0x18:
		return a < b ? a : b;
	default:
		return a > b ? a : b;
	}
}

static uint32_t pick32(uint32_t funct5, uint32_t a, uint32_t b)
{
	switch (funct5) {
	case 0x10:
		return (int32_t)a < (int32_t)b ? a : b;
	case 0x14:
		return (int32_t)a > (int32_t)b ? a : b;
	case 0x18:
		return a < b ? a : b;
	default:
		return a > b ? a : b;
	}
}

#define AMO_FUNCTION(bits)                                                                         \
	static uint##bits##_t amo##bits(uint32_t funct5, uint##bits##_t *p, uint##bits##_t v)      \
	{                                                                                          \
		uint##bits##_t old;                                                                \
                                                                                                   \
		switch (funct5) {                                                                  \
		case 0x00:                                                                         \
			return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);                         \
		case 0x01:                                                                         \
			return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                        \
		case 0x04:                                                                         \
			return __atomic_fetch_xor(p, v, __ATOMIC_SEQ_CST);                         \
		case 0x08:                                                                         \
			return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);                          \
		case 0x0c:                                                                         \
			return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST);                         \
		default:                                                                           \
			break;                                                                     \
		}                                                                                  \
		old = __atomic_load_n(p, __ATOMIC_RELAXED);                                        \
		while (!__atomic_compare_exchange_n(p, &old, pick##bits(funct5, old, v), true,     \
			__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))                                       \
			;                                                                          \
		return old;                                                                        \
	}

AMO_FUNCTION(32)
AMO_FUNCTION(64)

enum emu_result emu_amo(struct backend_vcpu *h, const struct emu_op *op)
{
	void *host = locate(h, h->x[op->rs1], size_of(op), EMU_STORE, true);
	uint32_t funct5 = op->aux >> 1;

	if (!host)
		return EMU_TRAPPED;
	if (size_of(op) == 8)
		h->x[op->rd] = amo64(funct5, host, h->x[op->rs2]);
	else
		h->x[op->rd] =
			(uint64_t)(int64_t)(int32_t)amo32(funct5, host, (uint32_t)h->x[op->rs2]);
	return EMU_DONE;
}
