/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GICv3's CPU interfaces: the ICC_*_EL1 system registers (IHI 0069, chapter 12.2) as software
 * in the Non-secure state sees them, in a system that has no other one.
 */
#include "arch/aarch64/gicv3_private.h"

#define SYS(op1, crn, crm, op2)                                                                    \
	REG_ID(REG_ARM_SYS, 3u << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

#define ICC_PMR     SYS(0u, 4u, 6u, 0u)
#define ICC_IAR0    SYS(0u, 12u, 8u, 0u)
#define ICC_EOIR0   SYS(0u, 12u, 8u, 1u)
#define ICC_HPPIR0  SYS(0u, 12u, 8u, 2u)
#define ICC_BPR0    SYS(0u, 12u, 8u, 3u)
#define ICC_AP0R0   SYS(0u, 12u, 8u, 4u)
#define ICC_AP1R0   SYS(0u, 12u, 9u, 0u)
#define ICC_DIR     SYS(0u, 12u, 11u, 1u)
#define ICC_RPR     SYS(0u, 12u, 11u, 3u)
#define ICC_SGI1R   SYS(0u, 12u, 11u, 5u)
#define ICC_ASGI1R  SYS(0u, 12u, 11u, 6u)
#define ICC_SGI0R   SYS(0u, 12u, 11u, 7u)
#define ICC_IAR1    SYS(0u, 12u, 12u, 0u)
#define ICC_EOIR1   SYS(0u, 12u, 12u, 1u)
#define ICC_HPPIR1  SYS(0u, 12u, 12u, 2u)
#define ICC_BPR1    SYS(0u, 12u, 12u, 3u)
#define ICC_CTLR    SYS(0u, 12u, 12u, 4u)
#define ICC_SRE     SYS(0u, 12u, 12u, 5u)
#define ICC_IGRPEN0 SYS(0u, 12u, 12u, 6u)
#define ICC_IGRPEN1 SYS(0u, 12u, 12u, 7u)

/* ICC_CTLR_EL1 */
#define CTLR_CBPR     (1u << 0)
#define CTLR_EOIMODE  (1u << 1)
#define CTLR_PRI_BITS ((GIC_BITS - 1) << 8)
#define CTLR_A3V      (1u << 15)

#define SRE_BITS 7u /* no other way than by system registers; no bypass */

/* ICC_SGI1R_EL1 */
#define SGI_TARGETS(v) ((uint32_t)((v)&0xffff))
#define SGI_INTID(v)   ((uint32_t)((v) >> 24 & 0xf))
#define SGI_ALL(v)     ((v) >> 40 & 1)
#define SGI_RANGE(v)   ((v) >> 44 & 0xf)
/* Aff3 to Aff1, where MPIDR_EL1 has them. */
#define SGI_AFFINITY(v)                                                                            \
	(((v) >> 48 & 0xff) << 32 | ((v) >> 32 & 0xff) << 16 | ((v) >> 16 & 0xff) << 8)

#define IDLE 0xffu

struct access {
	struct arch_irqchip *gic;
	struct gic_cpu *cpu;
	uint32_t vcpu;
};

/* ---- acknowledging ---- */

/* What is shown, if it is of @group. */
static uint32_t highest_pending(const struct access *a, uint32_t group)
{
	struct gic_best best = gic_best_of(a->gic, a->vcpu);

	return a->cpu->asleep || best.group != group ? GIC_NONE : best.intid;
}

static uint32_t acknowledge(const struct access *a, uint32_t group)
{
	struct gic_best best = gic_best_of(a->gic, a->vcpu);
	uint32_t bit = 1u << best.intid % 32;
	struct gic_word *w;

	if (best.group != group || !gic_signals(a->cpu, &best))
		return GIC_NONE;
	w = gic_word_of(a->gic, a->vcpu, best.intid);
	w->latched &= ~bit;
	w->active |= bit;
	a->cpu->apr[group] |=
		1u << ((best.priority & gic_group_bits(a->cpu, group)) >> (8 - GIC_BITS));
	gic_update(a->gic, a->vcpu);
	return best.intid;
}

static uint32_t running_priority(const struct gic_cpu *cpu)
{
	uint32_t active = cpu->apr[0] | cpu->apr[1];

	return active ? (uint32_t)__builtin_ctz(active) << (8 - GIC_BITS) : IDLE;
}

/* ---- ending ---- */

/* An SPI may end on another vCPU than the one that it goes to. */
static void deactivate(const struct access *a, uint64_t intid)
{
	uint32_t target;

	if (intid >= GIC_INTIDS)
		return;
	gic_word_of(a->gic, a->vcpu, (uint32_t)intid)->active &= ~(1u << intid % 32);
	target = intid < GIC_OWN ? a->vcpu : a->gic->state->target[intid];
	if (target != GIC_NOBODY && target != a->vcpu)
		gic_update(a->gic, target);
}

/* The write is for the interrupt that was acknowledged last; of another group it is none. */
static void end(const struct access *a, uint32_t group, uint64_t intid)
{
	uint32_t all = a->cpu->apr[0] | a->cpu->apr[1];
	uint32_t highest = all & -all;

	if (intid >= GIC_INTIDS || !(a->cpu->apr[group] & highest))
		return;
	a->cpu->apr[group] &= ~highest;
	if (!a->cpu->eoi_splits)
		deactivate(a, intid);
	gic_update(a->gic, a->vcpu);
}

static void deactivate_only(const struct access *a, uint64_t intid)
{
	if (!a->cpu->eoi_splits)
		return;
	deactivate(a, intid);
	gic_update(a->gic, a->vcpu);
}

/* ---- software generated interrupts ---- */

/* What is configured as group 0 comes by the registers of either group (as the only Security state
 * may, 8.1.10), what is configured as group 1 by its own alone. */
static void send_to(const struct access *a, uint32_t vcpu, uint32_t group, uint32_t intid)
{
	struct gic_word *w = &a->gic->state->cpus[vcpu].own;

	if ((w->group >> intid & 1) > group)
		return;
	w->latched |= 1u << intid;
	gic_update(a->gic, vcpu);
}

static void send(const struct access *a, uint32_t group, uint64_t value)
{
	uint32_t targets = SGI_TARGETS(value);

	if (SGI_ALL(value)) {
		for (uint32_t i = 0; i < a->gic->n; i++)
			if (i != a->vcpu)
				send_to(a, i, group, SGI_INTID(value));
		return;
	}
	if (SGI_RANGE(value))
		return; /* nobody is there */
	for (; targets; targets &= targets - 1) {
		uint16_t vcpu =
			gic_vcpu_of(a->gic, SGI_AFFINITY(value) | (uint32_t)__builtin_ctz(targets));

		if (vcpu != GIC_NOBODY)
			send_to(a, vcpu, group, SGI_INTID(value));
	}
}

/* ---- registers ---- */

static uint32_t read_bpr1(const struct gic_cpu *cpu)
{
	if (!cpu->common_bpr)
		return cpu->bpr[1];
	return cpu->bpr[0] < 7 ? cpu->bpr[0] + 1u : 7;
}

static bool read_register(const struct access *a, uint32_t id, uint64_t *ret_value)
{
	const struct gic_cpu *cpu = a->cpu;

	switch (id) {
	case ICC_PMR:
		*ret_value = cpu->pmr;
		return true;
	case ICC_IAR0:
	case ICC_IAR1:
		*ret_value = acknowledge(a, id == ICC_IAR1);
		return true;
	case ICC_HPPIR0:
	case ICC_HPPIR1:
		*ret_value = highest_pending(a, id == ICC_HPPIR1);
		return true;
	case ICC_BPR0:
		*ret_value = cpu->bpr[0];
		return true;
	case ICC_BPR1:
		*ret_value = read_bpr1(cpu);
		return true;
	case ICC_AP0R0:
	case ICC_AP1R0:
		*ret_value = cpu->apr[id == ICC_AP1R0];
		return true;
	case ICC_RPR:
		*ret_value = running_priority(cpu);
		return true;
	case ICC_CTLR:
		*ret_value = CTLR_A3V | CTLR_PRI_BITS | (cpu->common_bpr ? CTLR_CBPR : 0) |
			     (cpu->eoi_splits ? CTLR_EOIMODE : 0);
		return true;
	case ICC_SRE:
		*ret_value = SRE_BITS;
		return true;
	case ICC_IGRPEN0:
	case ICC_IGRPEN1:
		*ret_value = cpu->group_on[id == ICC_IGRPEN1];
		return true;
	default:
		return false;
	}
}

static uint8_t at_least(uint64_t value, uint32_t least)
{
	value &= 7;
	return (uint8_t)(value < least ? least : value);
}

/* Those that change what the vCPU is shown. */
static bool write_setting(struct gic_cpu *cpu, uint32_t id, uint64_t value)
{
	switch (id) {
	case ICC_PMR:
		cpu->pmr = value & GIC_PRIORITY;
		return true;
	case ICC_BPR0:
		cpu->bpr[0] = at_least(value, GIC_BPR0_MIN);
		return true;
	case ICC_BPR1:
		if (!cpu->common_bpr)
			cpu->bpr[1] = at_least(value, GIC_BPR1_MIN);
		return true;
	case ICC_AP0R0:
	case ICC_AP1R0:
		cpu->apr[id == ICC_AP1R0] = (uint32_t)value;
		return true;
	case ICC_CTLR:
		cpu->common_bpr = value & CTLR_CBPR;
		cpu->eoi_splits = value & CTLR_EOIMODE;
		return true;
	case ICC_SRE:
		return true;
	case ICC_IGRPEN0:
	case ICC_IGRPEN1:
		cpu->group_on[id == ICC_IGRPEN1] = value & 1;
		return true;
	default:
		return false;
	}
}

static bool write_register(const struct access *a, uint32_t id, uint64_t value)
{
	switch (id) {
	case ICC_EOIR0:
	case ICC_EOIR1:
		end(a, id == ICC_EOIR1, value & 0xffffff);
		return true;
	case ICC_DIR:
		deactivate_only(a, value & 0xffffff);
		return true;
	case ICC_SGI1R:
		send(a, 1, value);
		return true;
	case ICC_SGI0R:
	case ICC_ASGI1R: /* the Secure group 1, which is group 0 where there is no Secure state */
		send(a, 0, value);
		return true;
	default:
		if (!write_setting(a->cpu, id, value))
			return false;
		gic_update(a->gic, a->vcpu);
		return true;
	}
}

/* Group 12 of the system registers has, of what can trap, those of the interrupt controller. */
static bool is_ours(uint32_t id)
{
	return id == ICC_PMR || (id >= ICC_IAR0 && id <= ICC_IGRPEN1);
}

bool gic_sysreg(struct arch_irqchip *gic, uint32_t vcpu, struct vcpu_exit *exit)
{
	const struct access a = { gic, &gic->state->cpus[vcpu], vcpu };

	if (!is_ours(exit->sysreg.id))
		return false;
	(void)pthread_mutex_lock(&gic->lock);
	if (exit->sysreg.write)
		exit->sysreg.handled = write_register(&a, exit->sysreg.id, exit->sysreg.value);
	else
		exit->sysreg.handled = read_register(&a, exit->sysreg.id, &exit->sysreg.value);
	(void)pthread_mutex_unlock(&gic->lock);
	return true;
}
