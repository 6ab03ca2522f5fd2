/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses that the table of pages did not answer: pages not seen yet, accesses that are not
 * aligned or lie across two pages, devices, and faults.
 */
#include "backends/emu/emu.h"

#include <string.h>

/* ---- host memory: other harts and devices use it at the same time ---- */

static uint64_t read_bytes(const uint8_t *host, uint32_t n)
{
	uint64_t v = 0;

	for (uint32_t i = 0; i < n; i++)
		v |= (uint64_t)__atomic_load_n(host + i, __ATOMIC_RELAXED) << 8 * i;
	return v;
}

static void write_bytes(uint8_t *host, uint32_t n, uint64_t v)
{
	for (uint32_t i = 0; i < n; i++)
		__atomic_store_n(host + i, (uint8_t)(v >> 8 * i), __ATOMIC_RELAXED);
}

static uint64_t read_aligned(uint8_t *host, uint32_t size)
{
	switch (size) {
	case 1:
		return __atomic_load_n(host, __ATOMIC_RELAXED);
	case 2:
		return __atomic_load_n((uint16_t *)(void *)host, __ATOMIC_RELAXED);
	case 4:
		return __atomic_load_n((uint32_t *)(void *)host, __ATOMIC_RELAXED);
	default:
		return __atomic_load_n((uint64_t *)(void *)host, __ATOMIC_RELAXED);
	}
}

static void write_aligned(uint8_t *host, uint32_t size, uint64_t v)
{
	switch (size) {
	case 1:
		__atomic_store_n(host, (uint8_t)v, __ATOMIC_RELAXED);
		break;
	case 2:
		__atomic_store_n((uint16_t *)(void *)host, (uint16_t)v, __ATOMIC_RELAXED);
		break;
	case 4:
		__atomic_store_n((uint32_t *)(void *)host, (uint32_t)v, __ATOMIC_RELAXED);
		break;
	default:
		__atomic_store_n((uint64_t *)(void *)host, v, __ATOMIC_RELAXED);
		break;
	}
}

/* ---- devices ---- */

static enum emu_result fault(struct backend_vcpu *h, uint64_t va, enum emu_access access)
{
	emu_set_trap(h, access == EMU_STORE ? EMU_STORE_ACCESS : EMU_LOAD_ACCESS, va);
	return EMU_TRAPPED;
}

/* Devices answer to whole, aligned accesses only. */
static enum emu_result ask_device(struct backend_vcpu *h, uint64_t va, uint64_t pa, uint32_t size,
	enum emu_access access, uint64_t value)
{
	if (va & (size - 1))
		return fault(h, va, access);
	h->exit->kind = VCPU_MMIO;
	h->exit->bus.address = pa;
	h->exit->bus.size = size;
	h->exit->bus.write = access == EMU_STORE;
	h->exit->bus.value =
		access == EMU_STORE && size < 8 ? value & ((1ull << 8 * size) - 1) : value;
	h->pending = access == EMU_STORE ? EMU_PENDING_STORE : EMU_PENDING_LOAD;
	return EMU_DEVICE;
}

/* ---- across two pages ---- */

/* The host addresses of both parts; the first has @split bytes. */
static enum emu_result look_up_both(struct backend_vcpu *h, uint64_t va, uint32_t split,
	enum emu_access access, uint8_t *ret_host[2])
{
	for (int i = 0; i < 2; i++) {
		uint64_t at = i ? va + split : va, pa;

		if (emu_lookup(h, at, access, &pa, &ret_host[i]) < 0)
			return EMU_TRAPPED;
		if (!ret_host[i])
			return fault(h, at, access);
	}
	return EMU_DONE;
}

static uint32_t bytes_to_page_end(uint64_t va)
{
	return (uint32_t)(EMU_PAGE - (va & EMU_PAGE_MASK));
}

enum emu_result emu_load(struct backend_vcpu *h, uint64_t va, uint32_t size, uint64_t *ret_value)
{
	uint32_t split = bytes_to_page_end(va);
	uint8_t *host[2];
	uint64_t pa;

	if (split < size) {
		enum emu_result r = look_up_both(h, va, split, EMU_LOAD, host);

		if (r == EMU_DONE)
			*ret_value = read_bytes(host[0], split) | read_bytes(host[1], size - split)
									  << 8 * split;
		return r;
	}
	if (emu_lookup(h, va, EMU_LOAD, &pa, host) < 0)
		return EMU_TRAPPED;
	if (!host[0])
		return ask_device(h, va, pa, size, EMU_LOAD, 0);
	*ret_value = va & (size - 1) ? read_bytes(host[0], size) : read_aligned(host[0], size);
	return EMU_DONE;
}

enum emu_result emu_store(struct backend_vcpu *h, uint64_t va, uint32_t size, uint64_t value)
{
	uint32_t split = bytes_to_page_end(va);
	uint8_t *host[2];
	uint64_t pa;

	if (split < size) {
		enum emu_result r = look_up_both(h, va, split, EMU_STORE, host);

		if (r == EMU_DONE) {
			write_bytes(host[0], split, value);
			write_bytes(host[1], size - split, value >> 8 * split);
		}
		return r;
	}
	if (emu_lookup(h, va, EMU_STORE, &pa, host) < 0)
		return EMU_TRAPPED;
	if (!host[0])
		return ask_device(h, va, pa, size, EMU_STORE, value);
	if (va & (size - 1))
		write_bytes(host[0], size, value);
	else
		write_aligned(host[0], size, value);
	return EMU_DONE;
}

enum emu_result emu_zero_line(struct backend_vcpu *h, uint64_t va)
{
	uint8_t *host;
	uint64_t pa;

	/* A fault names the address that was given. */
	if (emu_lookup(h, va, EMU_STORE, &pa, &host) < 0)
		return EMU_TRAPPED;
	if (!host)
		return fault(h, va, EMU_STORE);
	host -= va & 63;
	for (int i = 0; i < 64; i += 8)
		write_aligned(host + i, 8, 0);
	return EMU_DONE;
}

enum emu_result emu_touch_line(struct backend_vcpu *h, uint64_t va)
{
	uint8_t *host;
	uint64_t pa;

	if (emu_lookup(h, va, EMU_LOAD, &pa, &host) == 0)
		return EMU_DONE;
	/* These count as stores. */
	h->trap_cause = h->trap_cause == EMU_LOAD_PAGE ? EMU_STORE_PAGE : EMU_STORE_ACCESS;
	return EMU_TRAPPED;
}

/* ---- what the core answered ---- */

static uint64_t extend(uint8_t opcode, uint64_t v)
{
	switch (opcode) {
	case EMU_LB:
		return (uint64_t)(int64_t)(int8_t)v;
	case EMU_LBU:
		return (uint8_t)v;
	case EMU_LH:
		return (uint64_t)(int64_t)(int16_t)v;
	case EMU_LHU:
		return (uint16_t)v;
	case EMU_LW:
		return (uint64_t)(int64_t)(int32_t)v;
	case EMU_LWU:
		return (uint32_t)v;
	case EMU_FLW:
		return v | 0xffffffff00000000u;
	default:
		return v;
	}
}

void emu_finish_pending(struct backend_vcpu *h, const struct vcpu_exit *exit)
{
	enum emu_pending pending = h->pending;

	h->pending = EMU_PENDING_NONE;
	if (pending == EMU_PENDING_LOAD) {
		uint64_t v = extend(h->pending_op, exit->bus.value);

		if (h->pending_op == EMU_FLW || h->pending_op == EMU_FLD)
			h->f[h->pending_rd] = v;
		else
			h->x[h->pending_rd] = v;
	} else if (pending == EMU_PENDING_CALL) {
		h->x[10] = exit->call.ret[0];
		h->x[11] = exit->call.ret[1];
	}
}
