/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hart's life and its registers as the core sees them.
 */
#include "backends/emu/emu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/emu/emu_timed_wait.h"
#include "core/riscv_ext.h"

#define LETTER(c) (1ull << ((c) - 'A'))

#define RISCV_PC_NUMBER 32u

/* ---- life ---- */

static void reset_state(struct backend_vcpu *h)
{
	memset(h->x, 0, sizeof(h->x));
	memset(h->f, 0, sizeof(h->f));
	h->pc = 0;
	h->mode = EMU_SUPERVISOR;
	h->sstatus = h->sie = h->stvec = h->senvcfg = h->sscratch = 0;
	h->sepc = h->scause = h->stval = h->satp = 0;
	/* As firmware leaves it: Linux reads the clock in user mode and does not ask for it. */
	h->scounteren = 7;
	h->stimecmp = UINT64_MAX;
	h->timer_due = false;
	h->fp_dirty = false;
	h->reserved = NULL;
	h->pending = EMU_PENDING_NONE;
	atomic_store(&h->irq_lines, 0);
	emu_fcsr_set(h, 0, 0);
	emu_context_update(h);
	emu_tlb_flush(h);
	emu_fence_i(h);
}

int emu_vcpu_create(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
	struct backend_error *err)
{
	struct backend_vcpu *h;

	if (index >= EMU_MAX_HARTS)
		return backend_fail(
			err, -EINVAL, "vCPU %u is beyond the emulator's %u", index, EMU_MAX_HARTS);
	h = calloc(1, sizeof(*h));
	if (!h)
		return backend_fail(err, -ENOMEM, "out of memory");
	h->vm = vm;
	h->index = index;
	if (emu_code_create(h) < 0) {
		free(h);
		return backend_fail(err, -ENOMEM, "out of memory for decoded code");
	}
	(void)pthread_mutex_init(&h->lock, NULL);
	emu_timed_wait_init(&h->wake);
	(void)pthread_cond_init(&h->fenced, NULL);
	reset_state(h);
	(void)pthread_mutex_lock(&vm->lock);
	vm->harts[index] = h;
	(void)pthread_mutex_unlock(&vm->lock);
	*ret_vcpu = h;
	return 0;
}

void emu_vcpu_destroy(struct backend_vcpu *h)
{
	if (!h)
		return;
	(void)pthread_mutex_lock(&h->vm->lock);
	h->vm->harts[h->index] = NULL;
	(void)pthread_mutex_unlock(&h->vm->lock);
	emu_turn_leave(h);
	(void)pthread_cond_destroy(&h->fenced);
	(void)pthread_cond_destroy(&h->wake);
	(void)pthread_mutex_destroy(&h->lock);
	emu_code_destroy(h);
	free(h);
}

int emu_vcpu_reset(struct backend_vcpu *h, struct backend_error *err)
{
	(void)err;
	emu_turn_leave(h);
	reset_state(h);
	return 0;
}

/* ---- what it is ---- */

static uint64_t extensions(uint32_t word)
{
	static const uint8_t have[] = { RISCV_EXT_SSTC, RISCV_EXT_ZIHINTPAUSE, RISCV_EXT_ZICBOM,
		RISCV_EXT_ZICBOZ, RISCV_EXT_ZBA, RISCV_EXT_ZBB, RISCV_EXT_ZBS, RISCV_EXT_ZICNTR,
		RISCV_EXT_ZICSR, RISCV_EXT_ZIFENCEI, RISCV_EXT_ZICOND };
	uint64_t bits = 0;

	for (size_t i = 0; i < sizeof(have); i++)
		if (have[i] / 64u == word)
			bits |= 1ull << have[i] % 64u;
	return bits;
}

static int read_conf(uint32_t number, uint64_t *ret_value)
{
	switch (number) {
	case RISCV_CONF_LETTERS:
		*ret_value = LETTER('I') | LETTER('M') | LETTER('A') | LETTER('F') | LETTER('D') |
			     LETTER('C');
		return 0;
	case RISCV_CONF_TIMEBASE:
		*ret_value = EMU_TIMEBASE;
		return 0;
	case RISCV_CONF_SATP:
		*ret_value = 9;
		return 0;
	case RISCV_CONF_CBOM:
	case RISCV_CONF_CBOZ:
		*ret_value = 64;
		return 0;
	case RISCV_CONF_CBOP:
	case RISCV_CONF_MVENDORID:
	case RISCV_CONF_MARCHID:
	case RISCV_CONF_MIMPID:
		*ret_value = 0;
		return 0;
	default:
		if (number - RISCV_CONF_EXT >= RISCV_EXT_WORDS)
			return -ENOENT;
		*ret_value = extensions(number - RISCV_CONF_EXT);
		return 0;
	}
}

/* ---- registers ---- */

static int set_reg(struct backend_vcpu *h, uint32_t id, uint64_t value)
{
	uint32_t number = REG_NUMBER(id);

	switch (REG_CLASS(id)) {
	case REG_RISCV_X:
		if (number > RISCV_PC_NUMBER)
			return -ENOENT;
		if (number == RISCV_PC_NUMBER)
			h->pc = value & ~1ull;
		else if (number)
			h->x[number] = value;
		return 0;
	case REG_RISCV_CSR:
		return emu_csr_write(h, number, value) < 0 ? -ENOENT : 0;
	default:
		return -ENOENT;
	}
}

int emu_vcpu_set_regs(
	struct backend_vcpu *h, const struct backend_reg *regs, size_t n, struct backend_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (set_reg(h, regs[i].id, regs[i].value) < 0)
			return backend_fail(err, -ENOENT,
				"the emulator has no register 0x%08x that can be set", regs[i].id);
	return 0;
}

static int get_reg(struct backend_vcpu *h, uint32_t id, uint64_t *ret_value)
{
	uint32_t number = REG_NUMBER(id);

	switch (REG_CLASS(id)) {
	case REG_RISCV_X:
		if (number > RISCV_PC_NUMBER)
			return -ENOENT;
		*ret_value = number == RISCV_PC_NUMBER ? h->pc : h->x[number];
		return 0;
	case REG_RISCV_CSR:
		return emu_csr_read(h, number, ret_value) < 0 ? -ENOENT : 0;
	case REG_RISCV_CONF:
		return read_conf(number, ret_value);
	default:
		return -ENOENT;
	}
}

int emu_vcpu_get_regs(struct backend_vcpu *h, struct backend_reg *regs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (get_reg(h, regs[i].id, &regs[i].value) < 0)
			return -ENOENT;
	return 0;
}
