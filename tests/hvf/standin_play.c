/* SPDX-License-Identifier: Apache-2.0 */
/* Playing the script: what a guest's instructions would do, and the exits that they cause. */
#include "tests/hvf/standin.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define EC(class) ((uint64_t)(class) << 26 | 1u << 25)

/* ESR_EL2 as the Arm ARM has it. */
#define EC_WFX    0x01u
#define EC_HVC    0x16u
#define EC_SMC    0x17u
#define EC_SYSREG 0x18u
#define EC_DATA   0x24u

#define SYS_SPSR 0xc200
#define SYS_ELR  0xc201
#define SYS_ESR  0xc290
#define SYS_VBAR 0xc600

static void leave(struct standin_vcpu *v, hv_exit_reason_t reason, enum pc_check check)
{
	v->exit.reason = reason;
	v->old_pc = v->regs[HV_REG_PC];
	v->check = check;
}

static void trap(struct standin_vcpu *v, uint64_t syndrome, uint64_t address, enum pc_check check)
{
	v->exit.exception.syndrome = syndrome;
	v->exit.exception.physical_address = address;
	v->exit.exception.virtual_address = ~address;
	leave(v, HV_EXIT_REASON_EXCEPTION, check);
}

/* ---- the timer ---- */

static bool timer_is_on(const struct standin_vcpu *v)
{
	return (v->sys[HV_SYS_REG_CNTV_CTL_EL0] & 3) == 1;
}

static bool timer_fires(const struct standin_vcpu *v)
{
	return timer_is_on(v) && !v->vtimer_masked &&
	       standin_counter() >= v->sys[HV_SYS_REG_CNTV_CVAL_EL0];
}

/* Inside of the guest, until something changes. */
static void wait_inside(const struct standin_vcpu *v)
{
	uint64_t at = v->sys[HV_SYS_REG_CNTV_CVAL_EL0] + VTIMER_OFFSET;
	const struct timespec until = { .tv_sec = (time_t)(at / 1000000000u),
		.tv_nsec = (long)(at % 1000000000u) };

	if (timer_is_on(v) && !v->vtimer_masked)
		(void)pthread_cond_timedwait(&standin_changed, &standin_lock, &until);
	else
		(void)pthread_cond_wait(&standin_changed, &standin_lock);
}

/* ---- steps without an exit ---- */

static uint64_t get(const struct standin_vcpu *v, uint32_t reg)
{
	return reg < STANDIN_REGS ? v->regs[reg] : v->sys[reg - STANDIN_SYS];
}

static void put(struct standin_vcpu *v, uint32_t reg, uint64_t value)
{
	if (reg >= STANDIN_REGS)
		v->sys[reg - STANDIN_SYS] = value;
	else if (reg != STANDIN_XZR)
		v->regs[reg] = value;
}

static void use_memory(const struct step *s)
{
	void *at = standin_memory(s->number, s->size, s->kind == STEP_STORE);
	uint64_t value = 0;

	if (!at)
		standin_fail("script:%u: 0x%" PRIx64 " is not mapped so", s->line, s->number);
	if (s->kind == STEP_STORE)
		memcpy(at, &s->value, s->size);
	else
		memcpy(&value, at, s->size);
	if (s->kind == STEP_LOAD && value != s->value)
		standin_fail("script:%u: found 0x%" PRIx64 ", wanted 0x%" PRIx64, s->line, value,
			s->value);
}

static void expect(const struct standin_vcpu *v, const struct step *s)
{
	uint64_t value = get(v, s->reg);

	if (value != s->value)
		standin_fail("script:%u: found 0x%" PRIx64 ", wanted 0x%" PRIx64, s->line, value,
			s->value);
}

static void set_timer(struct standin_vcpu *v, const struct step *s)
{
	v->sys[HV_SYS_REG_CNTV_CVAL_EL0] = standin_counter() + s->number;
	v->sys[HV_SYS_REG_CNTV_CTL_EL0] = s->kind == STEP_TIMER;
}

/* ---- steps with an exit ---- */

static uint32_t rt(const struct step *s)
{
	return s->reg == STANDIN_XZR ? 31 : s->reg;
}

static void access_memory(struct standin_vcpu *v, const struct step *s)
{
	uint64_t log2 = (uint64_t)__builtin_ctzll(s->size);

	trap(v,
		EC(EC_DATA) | 1u << 24 | log2 << 22 | (uint64_t)s->is_signed << 21 |
			(uint64_t)rt(s) << 16 | (uint64_t)s->is_wide << 15 |
			(uint64_t)(s->kind == STEP_WRITE) << 6,
		s->number, PC_NEXT);
}

static void access_sysreg(struct standin_vcpu *v, const struct step *s)
{
	uint64_t n = s->number;

	trap(v,
		EC(EC_SYSREG) | (n >> 14 & 3) << 20 | (n & 7) << 17 | (n >> 11 & 7) << 14 |
			(n >> 7 & 15) << 10 | (uint64_t)rt(s) << 5 | (n >> 3 & 15) << 1 |
			(s->kind == STEP_MRS),
		0, s->is_undefined ? PC_VECTOR : PC_NEXT);
}

static void call(struct standin_vcpu *v, const struct step *s)
{
	if (s->kind == STEP_HVC)
		v->regs[HV_REG_PC] += 4;
	trap(v, EC(s->kind == STEP_HVC ? EC_HVC : EC_SMC) | s->number, 0, PC_ANY);
	if (s->kind == STEP_SMC && v->regs[0] != 0x84000002) /* CPU_OFF does not come back */
		v->check = PC_NEXT;
}

/* True when the step caused an exit. */
static bool do_step(struct standin_vcpu *v, const struct step *s)
{
	switch (s->kind) {
	case STEP_SET:
		put(v, s->reg, s->value);
		return false;
	case STEP_EXPECT:
		expect(v, s);
		return false;
	case STEP_STORE:
	case STEP_LOAD:
		use_memory(s);
		return false;
	case STEP_TIMER:
	case STEP_TIMER_OFF:
		set_timer(v, s);
		return false;
	case STEP_NO_IRQ:
	case STEP_HAS_IRQ:
		if (v->pending[HV_INTERRUPT_TYPE_IRQ] != (s->kind == STEP_HAS_IRQ))
			standin_fail("script:%u: wanted is %s interrupt", s->line,
				s->kind == STEP_HAS_IRQ ? "an" : "no");
		return false;
	case STEP_HAS_TIMER:
		if (!v->vtimer_masked)
			standin_fail("script:%u: the timer was not due", s->line);
		return false;
	case STEP_WRITE:
	case STEP_READ:
		access_memory(v, s);
		return true;
	case STEP_MSR:
	case STEP_MRS:
		access_sysreg(v, s);
		return true;
	case STEP_HVC:
	case STEP_SMC:
		call(v, s);
		return true;
	case STEP_WFI:
	case STEP_WFE:
		trap(v, EC(EC_WFX) | (s->kind == STEP_WFE), 0, PC_NEXT);
		return true;
	case STEP_ABORT:
		trap(v, s->number, s->value, PC_ANY);
		return true;
	case STEP_EXIT:
		leave(v, (hv_exit_reason_t)s->number, PC_ANY);
		return true;
	default:
		return false;
	}
}

/* ---- all of it ---- */

/* Whether the step waits still. */
static bool waits(const struct standin_vcpu *v, const struct step *s)
{
	switch (s->kind) {
	case STEP_WAIT_IRQ:
		return !v->pending[HV_INTERRUPT_TYPE_IRQ];
	case STEP_WAIT_FIQ:
		return !v->pending[HV_INTERRUPT_TYPE_FIQ];
	case STEP_WAIT_TIMER:
		return !v->vtimer_masked;
	case STEP_SPIN:
		return true;
	default:
		return false;
	}
}

static void check_pc(struct standin_vcpu *v, const struct program *p)
{
	unsigned line = p->at > 0 ? p->steps[p->at - 1].line : 0;
	uint64_t pc = v->regs[HV_REG_PC];

	if (v->check == PC_NEXT && pc != v->old_pc + 4)
		standin_fail("script:%u: the program counter went from 0x%" PRIx64 " to 0x%" PRIx64,
			line, v->old_pc, pc);
	if (v->check == PC_VECTOR &&
		(pc != v->sys[SYS_VBAR] + 0x200 || v->sys[SYS_ELR] != v->old_pc ||
			v->sys[SYS_ESR] != EC(0) || (v->regs[HV_REG_CPSR] & 0x3df) != 0x3c5))
		standin_fail("script:%u: the guest got no exception", line);
	v->check = PC_ANY;
}

void standin_play(struct standin_vcpu *v)
{
	uint64_t mpidr = v->sys[HV_SYS_REG_MPIDR_EL1];
	struct program *p = standin_program((mpidr & 0xff) | (mpidr >> 8 & 0xff) << 4);

	check_pc(v, p);
	for (;;) {
		const struct step *s = p->at < p->n ? &p->steps[p->at] : NULL;

		if (v->cancelled) {
			v->cancelled = false;
			leave(v, HV_EXIT_REASON_CANCELED, PC_ANY);
			return;
		}
		if (timer_fires(v)) {
			v->vtimer_masked = true;
			leave(v, HV_EXIT_REASON_VTIMER_ACTIVATED, PC_ANY);
			return;
		}
		if (!s || waits(v, s)) {
			wait_inside(v);
			continue;
		}
		p->at++;
		if (s->kind == STEP_MAYBE)
			p->may_end = true;
		if (s->kind == STEP_UNTIL && get(v, s->reg) != s->value)
			p->at -= s->number + 1;
		else if (do_step(v, s))
			return;
	}
}
