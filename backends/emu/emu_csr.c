/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control and status registers of user and supervisor.
 */
#include "backends/emu/emu.h"

#define CSR_FFLAGS     0x001u
#define CSR_FRM        0x002u
#define CSR_FCSR       0x003u
#define CSR_SSTATUS    0x100u
#define CSR_SIE        0x104u
#define CSR_STVEC      0x105u
#define CSR_SCOUNTEREN 0x106u
#define CSR_SENVCFG    0x10au
#define CSR_SSCRATCH   0x140u
#define CSR_SEPC       0x141u
#define CSR_SCAUSE     0x142u
#define CSR_STVAL      0x143u
#define CSR_SIP        0x144u
#define CSR_STIMECMP   0x14du
#define CSR_SATP       0x180u
#define CSR_CYCLE      0xc00u
#define CSR_TIME       0xc01u
#define CSR_INSTRET    0xc02u

#define SSTATUS_WRITABLE                                                                           \
	(EMU_SSTATUS_SIE | EMU_SSTATUS_SPIE | EMU_SSTATUS_SPP | EMU_SSTATUS_FS | EMU_SSTATUS_SUM | \
		EMU_SSTATUS_MXR)
#define SENVCFG_WRITABLE 0xf1u /* FIOM, CBIE, CBCFE, CBZE */

static uint64_t read_sstatus(const struct backend_vcpu *h)
{
	uint64_t v = h->sstatus | EMU_SSTATUS_UXL;

	return (v & EMU_SSTATUS_FS) == EMU_SSTATUS_FS ? v | EMU_SSTATUS_SD : v;
}

static void write_sstatus(struct backend_vcpu *h, uint64_t value)
{
	uint64_t old = h->sstatus;

	h->sstatus = (old & ~SSTATUS_WRITABLE) | (value & SSTATUS_WRITABLE);
	h->fp_dirty = (h->sstatus & EMU_SSTATUS_FS) == EMU_SSTATUS_FS;
	if ((old ^ h->sstatus) & EMU_SSTATUS_MXR)
		emu_tlb_flush(h);
	emu_context_update(h);
}

static void write_satp(struct backend_vcpu *h, uint64_t value)
{
	uint64_t mode = value >> 60, old = h->satp;

	if (mode != 0 && mode != 8 && mode != 9)
		return;
	h->satp = value;
	if (old >> 60 != mode)
		emu_tlb_flush(h);
	else if (old != h->satp)
		emu_tlb_switch(h);
}

/* CBIE has a value that is reserved. */
static uint64_t legal_senvcfg(uint64_t value)
{
	return (value & 0x30) == 0x20 ? value & SENVCFG_WRITABLE & ~0x30ull
				      : value & SENVCFG_WRITABLE;
}

/* ---- one by one ---- */

static int read_fp(struct backend_vcpu *h, uint32_t number, uint64_t *v)
{
	if (!(h->sstatus & EMU_SSTATUS_FS))
		return -1;
	if (number == CSR_FRM)
		*v = h->frm;
	else
		*v = emu_fflags(h) | (number == CSR_FCSR ? (uint64_t)h->frm << 5 : 0);
	return 0;
}

static int read_counter(struct backend_vcpu *h, uint32_t number, uint64_t *v)
{
	if (h->mode == EMU_USER && !(h->scounteren >> (number - CSR_CYCLE) & 1))
		return -1;
	if (number == CSR_TIME)
		*v = emu_ticks(h);
	else
		*v = number == CSR_CYCLE ? h->icount : h->icount - h->traps;
	return 0;
}

int emu_csr_read(struct backend_vcpu *h, uint32_t number, uint64_t *ret_value)
{
	const uint64_t *plain = NULL;

	switch (number) {
	case CSR_FFLAGS:
	case CSR_FRM:
	case CSR_FCSR:
		return read_fp(h, number, ret_value);
	case CSR_CYCLE:
	case CSR_TIME:
	case CSR_INSTRET:
		return read_counter(h, number, ret_value);
	case CSR_SSTATUS:
		*ret_value = read_sstatus(h);
		return 0;
	case CSR_SIP:
		*ret_value = emu_pending_irqs(h);
		return 0;
	case CSR_SIE:
		plain = &h->sie;
		break;
	case CSR_STVEC:
		plain = &h->stvec;
		break;
	case CSR_SCOUNTEREN:
		plain = &h->scounteren;
		break;
	case CSR_SENVCFG:
		plain = &h->senvcfg;
		break;
	case CSR_SSCRATCH:
		plain = &h->sscratch;
		break;
	case CSR_SEPC:
		plain = &h->sepc;
		break;
	case CSR_SCAUSE:
		plain = &h->scause;
		break;
	case CSR_STVAL:
		plain = &h->stval;
		break;
	case CSR_STIMECMP:
		plain = &h->stimecmp;
		break;
	case CSR_SATP:
		plain = &h->satp;
		break;
	default:
		return -1;
	}
	*ret_value = *plain;
	return 0;
}

static int write_fp(struct backend_vcpu *h, uint32_t number, uint64_t v)
{
	if (emu_fp_use(h) < 0)
		return -1;
	if (number == CSR_FFLAGS)
		emu_fcsr_set(h, h->frm, v & 31);
	else if (number == CSR_FRM)
		emu_fcsr_set(h, v & 7, emu_fflags(h));
	else
		emu_fcsr_set(h, v >> 5 & 7, v & 31);
	return 0;
}

/* The guest itself may set and clear the software interrupt; the others are lines. */
static void write_sip(struct backend_vcpu *h, uint64_t v)
{
	if (v >> EMU_IRQ_SOFT & 1)
		(void)atomic_fetch_or(&h->irq_lines, 1u << EMU_IRQ_SOFT);
	else
		(void)atomic_fetch_and(&h->irq_lines, ~(1u << EMU_IRQ_SOFT));
}

int emu_csr_write(struct backend_vcpu *h, uint32_t number, uint64_t value)
{
	switch (number) {
	case CSR_FFLAGS:
	case CSR_FRM:
	case CSR_FCSR:
		return write_fp(h, number, value);
	case CSR_SSTATUS:
		write_sstatus(h, value);
		return 0;
	case CSR_SIP:
		write_sip(h, value);
		return 0;
	case CSR_SIE:
		h->sie = value & EMU_IRQS;
		return 0;
	case CSR_STVEC:
		if ((value & 3) < 2)
			h->stvec = value;
		return 0;
	case CSR_SCOUNTEREN:
		h->scounteren = value & 7;
		return 0;
	case CSR_SENVCFG:
		h->senvcfg = legal_senvcfg(value);
		return 0;
	case CSR_SSCRATCH:
		h->sscratch = value;
		return 0;
	case CSR_SEPC:
		h->sepc = value & ~1ull;
		return 0;
	case CSR_SCAUSE:
		h->scause = value;
		return 0;
	case CSR_STVAL:
		h->stval = value;
		return 0;
	case CSR_STIMECMP:
		h->stimecmp = value;
		h->timer_due = emu_ticks(h) >= value;
		return 0;
	case CSR_SATP:
		write_satp(h, value);
		return 0;
	default:
		return -1;
	}
}

/* ---- the instruction ---- */

int emu_csr_op(struct backend_vcpu *h, const struct emu_op *op)
{
	uint32_t number = (uint32_t)op->imm, kind = op->aux & 3;
	uint64_t operand = op->aux & 4 ? op->rs1 : h->x[op->rs1], old = 0;
	/* Setting or clearing nothing does not write, and writing to x0 does not read. */
	bool writes = kind == 1 || op->rs1 != 0;
	bool changes_soft = operand >> EMU_IRQ_SOFT & 1;

	if ((number >> 8 & 3) > (uint32_t)h->mode || (writes && number >> 10 == 3))
		return -1;
	if ((kind != 1 || op->rd != EMU_SINK) && emu_csr_read(h, number, &old) < 0)
		return -1;
	if (kind == 2)
		operand = old | operand;
	else if (kind == 3)
		operand = old & ~operand;
	/* A software interrupt that comes meanwhile must not be lost. */
	if (kind != 1 && number == CSR_SIP && !changes_soft)
		writes = false;
	if (writes && emu_csr_write(h, number, operand) < 0)
		return -1;
	h->x[op->rd] = old;
	return 0;
}
