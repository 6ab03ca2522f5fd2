/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions that the guest takes to the hypervisor (Arm ARM, ESR_EL2), and the answers to them.
 *
 * The program counter is at the instruction that trapped, but for HVC: there it is behind it.
 */
#include "backends/hvf/hvf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#define EC(syndrome) ((uint32_t)((syndrome) >> 26 & 0x3f))
#define EC_WFX       0x01u
#define EC_HVC       0x16u
#define EC_SMC       0x17u
#define EC_SYSREG    0x18u
#define EC_FETCH     0x20u
#define EC_DATA      0x24u

/* Of a data abort. */
#define ISS_VALID(s)  ((s) >> 24 & 1)
#define ISS_SIZE(s)   (1u << ((s) >> 22 & 3))
#define ISS_SIGNED(s) ((s) >> 21 & 1)
#define ISS_REG(s)    ((uint32_t)((s) >> 16 & 31))
#define ISS_WIDE(s)   ((s) >> 15 & 1)
#define ISS_CACHE(s)  ((s) >> 8 & 1)
#define ISS_WRITE(s)  ((s) >> 6 & 1)

#define ISS_WFE(s) ((s)&1)
#define ISS_IMM(s) ((s)&0xffff)

/* Of a system register. */
#define ISS_OP0(s)  ((uint32_t)((s) >> 20 & 3))
#define ISS_OP2(s)  ((uint32_t)((s) >> 17 & 7))
#define ISS_OP1(s)  ((uint32_t)((s) >> 14 & 7))
#define ISS_CRN(s)  ((uint32_t)((s) >> 10 & 15))
#define ISS_RT(s)   ((uint32_t)((s) >> 5 & 31))
#define ISS_CRM(s)  ((uint32_t)((s) >> 1 & 15))
#define ISS_READ(s) ((s)&1)

#define INSTRUCTION 4u

/* What an undefined instruction needs. */
#define SYS_SCTLR     0xc080u
#define SYS_SPSR      0xc200u
#define SYS_ELR       0xc201u
#define SYS_ESR       0xc290u
#define SYS_VBAR      0xc600u
#define ESR_UNDEFINED (UINT64_C(1) << 25)
#define SCTLR_SPAN    (UINT64_C(1) << 23)
#define PSTATE_PAN    (UINT64_C(1) << 22)
#define PSTATE_MODE   0x1fu
#define MODE_EL0      0x00u
#define MODE_EL1T     0x04u
#define MODE_EL1H     0x05u

int hvf_fail(const struct backend_vcpu *v, struct vcpu_exit *exit, const char *format, ...)
{
	char text[160];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	exit->kind = VCPU_FAILED;
	(void)snprintf(
		exit->text, sizeof(exit->text), "%s (at 0x%" PRIx64 ")", text, hvf_get_pc(v));
	return -EIO;
}

static void set_pc(const struct backend_vcpu *v, uint64_t pc)
{
	(void)hv_vcpu_set_reg(v->id, HV_REG_PC, pc);
}

static void skip_instruction(const struct backend_vcpu *v)
{
	set_pc(v, hvf_get_pc(v) + INSTRUCTION);
}

static uint64_t low_bytes(uint64_t value, uint32_t size)
{
	return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

/* ---- accesses to memory ---- */

static bool data_abort(struct backend_vcpu *v, uint64_t s, struct vcpu_exit *exit)
{
	const uint64_t address = v->exit->exception.physical_address;

	if (ISS_CACHE(s)) { /* of what is not memory there is nothing in a cache */
		skip_instruction(v);
		return false;
	}
	if (!ISS_VALID(s)) {
		hvf_fail(v, exit,
			"an access to 0x%" PRIx64 " by an instruction that cannot be decoded for "
			"it, a load or store of one register is wanted",
			address);
		return true;
	}
	v->unfinished = ISS_WRITE(s) ? HVF_WRITE : HVF_READ;
	v->reg = ISS_REG(s);
	v->size = ISS_SIZE(s);
	v->extends_sign = ISS_SIGNED(s);
	v->wide = ISS_WIDE(s);
	exit->kind = VCPU_MMIO;
	exit->bus.address = address;
	exit->bus.size = v->size;
	exit->bus.write = ISS_WRITE(s);
	exit->bus.value = ISS_WRITE(s) ? low_bytes(hvf_get_x(v, v->reg), v->size) : 0;
	return true;
}

static void complete_read(const struct backend_vcpu *v, uint64_t value)
{
	uint32_t unused = 64 - 8 * v->size;

	value = low_bytes(value, v->size);
	if (v->extends_sign)
		value = (uint64_t)((int64_t)(value << unused) >> unused);
	hvf_set_x(v, v->reg, v->wide ? value : (uint32_t)value);
}

/* ---- calls ---- */

/* Of the numbers that may stand in the instruction, zero alone is the calling convention's. */
static bool call(struct backend_vcpu *v, uint64_t s, struct vcpu_exit *exit)
{
	if (EC(s) == EC_SMC)
		skip_instruction(v);
	exit->kind = VCPU_CALL;
	exit->call.function = ISS_IMM(s) ? UINT64_MAX : hvf_get_x(v, 0);
	for (uint32_t i = 0; i < 6; i++)
		exit->call.args[i] = hvf_get_x(v, i + 1);
	v->unfinished = HVF_CALL;
	return true;
}

/* ---- system registers ---- */

static bool sysreg(struct backend_vcpu *v, uint64_t s, struct vcpu_exit *exit)
{
	v->unfinished = HVF_SYSREG;
	v->reg = ISS_RT(s);
	exit->kind = VCPU_SYSREG;
	exit->sysreg.id =
		REG_ID(REG_ARM_SYS, ISS_OP0(s) << 14 | ISS_OP1(s) << 11 | ISS_CRN(s) << 7 |
					    ISS_CRM(s) << 3 | ISS_OP2(s));
	exit->sysreg.write = !ISS_READ(s);
	exit->sysreg.handled = false;
	exit->sysreg.value = ISS_READ(s) ? 0 : hvf_get_x(v, v->reg);
	return true;
}

/* Where in the table of vectors an exception from that mode goes. */
static uint64_t vector_of(uint64_t pstate)
{
	switch (pstate & PSTATE_MODE) {
	case MODE_EL1T:
		return 0;
	case MODE_EL1H:
		return 0x200;
	case MODE_EL0:
		return 0x400;
	default:
		return 0x600; /* EL0 in the 32-bit state */
	}
}

static void set_sys(const struct backend_vcpu *v, uint32_t number, uint64_t value)
{
	(void)hv_vcpu_set_sys_reg(v->id, (hv_sys_reg_t)number, value);
}

/* The guest takes an exception for an undefined instruction. */
static void inject_undefined(const struct backend_vcpu *v)
{
	uint64_t pstate = 0, next = HVF_CPSR_RESET;

	(void)hv_vcpu_get_reg(v->id, HV_REG_CPSR, &pstate);
	next |= pstate & PSTATE_PAN;
	if (!(hvf_get_sys(v, SYS_SCTLR) & SCTLR_SPAN))
		next |= PSTATE_PAN;
	set_sys(v, SYS_SPSR, pstate);
	set_sys(v, SYS_ELR, hvf_get_pc(v));
	set_sys(v, SYS_ESR, ESR_UNDEFINED);
	(void)hv_vcpu_set_reg(v->id, HV_REG_CPSR, next);
	set_pc(v, hvf_get_sys(v, SYS_VBAR) + vector_of(pstate));
}

static void complete_sysreg(const struct backend_vcpu *v, const struct vcpu_exit *exit)
{
	if (!exit->sysreg.handled) {
		inject_undefined(v);
		return;
	}
	if (!exit->sysreg.write)
		hvf_set_x(v, v->reg, exit->sysreg.value);
	skip_instruction(v);
}

/* ---- all of them ---- */

bool hvf_exception(struct backend_vcpu *v, struct vcpu_exit *exit)
{
	const uint64_t s = v->exit->exception.syndrome;

	switch (EC(s)) {
	case EC_WFX:
		skip_instruction(v);
		v->waits = !ISS_WFE(s);
		return false;
	case EC_HVC:
	case EC_SMC:
		return call(v, s, exit);
	case EC_SYSREG:
		return sysreg(v, s, exit);
	case EC_DATA:
		return data_abort(v, s, exit);
	case EC_FETCH:
		exit->kind = VCPU_DEAD;
		(void)snprintf(exit->text, sizeof(exit->text),
			"it fetches instructions from 0x%" PRIx64 ", where there is no memory",
			v->exit->exception.physical_address);
		return true;
	default:
		hvf_fail(v, exit,
			"an exception of class 0x%x, syndrome 0x%" PRIx64
			", which is not one that a guest should cause",
			EC(s), s);
		return true;
	}
}

void hvf_complete(struct backend_vcpu *v, const struct vcpu_exit *exit)
{
	enum hvf_unfinished what = v->unfinished;

	v->unfinished = HVF_NOTHING;
	switch (what) {
	case HVF_NOTHING:
		return;
	case HVF_READ:
		complete_read(v, exit->bus.value);
		skip_instruction(v);
		return;
	case HVF_WRITE:
		skip_instruction(v);
		return;
	case HVF_CALL:
		hvf_set_x(v, 0, exit->call.ret[0]);
		return;
	case HVF_SYSREG:
		complete_sysreg(v, exit);
		return;
	}
}
