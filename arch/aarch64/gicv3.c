/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GICv3: its state, its inputs and outputs, its life.
 *
 * It has one Security state (GICD_CTLR.DS is one) and affinity routing only, as a guest of KVM has
 * it, and neither LPIs nor an ITS.  Group 1 goes to a vCPU's IRQ, group 0 to its FIQ.
 *
 * An interrupt is pending while it is latched (by an edge, an SGI, a write to ISPENDR) or while the
 * line of a level one is up.  Acknowledging it takes the latch and makes it active, and what is
 * active is not shown to a CPU interface again.  A CPU interface is shown the interrupt of the
 * highest priority of those that are pending, enabled, not active, and in a group that both it and
 * the distributor have on; its output is up when that is above the mask and preempts what it is at.
 *
 * A redistributor that was put to sleep shows nothing.  What would be shown is then a request to
 * wake up: it goes to IRQ, which is what a vCPU wakes up by that was suspended.
 *
 * All is under one lock, and outputs are set under it, so that a vCPU never sees an older level
 * after a newer one.
 */
#include "arch/aarch64/gicv3.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/aarch64/gicv3_private.h"
#include "core/bus.h"
#include "core/error.h"

/* ---- which interrupt ---- */

struct gic_word *gic_word_of(struct arch_irqchip *gic, uint32_t vcpu, uint32_t intid)
{
	return intid < GIC_OWN ? &gic->state->cpus[vcpu].own : &gic->state->spis[intid / 32];
}

/* As arm_mpidr() gives them out. */
uint16_t gic_vcpu_of(const struct arch_irqchip *gic, uint64_t affinity)
{
	uint64_t index =
		(affinity & 0xf) | (affinity >> 8 & 0xff) << 4 | (affinity >> 16 & 0xff) << 12;

	if ((affinity & 0xf0) || affinity >> 24 || index >= gic->n)
		return GIC_NOBODY;
	return (uint16_t)index;
}

uint32_t gic_group_bits(const struct gic_cpu *cpu, uint32_t group)
{
	uint32_t below = group && !cpu->common_bpr ? cpu->bpr[1] : cpu->bpr[0] + 1u;

	return 0xffu << below & 0xffu;
}

/* Those of @w that could be shown to somebody. */
static uint32_t candidates(const struct gic_word *w)
{
	return gic_pending(w) & w->enabled & ~w->active;
}

/* Interrupt @n of @w for @cpu. */
static void consider(const struct gic_state *s, const struct gic_cpu *cpu, const struct gic_word *w,
	uint32_t first, uint32_t n, struct gic_best *best)
{
	uint32_t group = w->group >> n & 1;

	if (best->intid != GIC_NONE && w->priority[n] >= best->priority)
		return;
	if ((s->groups_on >> group & 1) && (cpu->group_on[group] || cpu->asleep))
		*best = (struct gic_best){ first + n, group, w->priority[n] };
}

static struct gic_best best_of_own(const struct gic_state *s, const struct gic_cpu *cpu)
{
	struct gic_best best = { GIC_NONE, 0, 0xff };

	for (uint32_t bits = candidates(&cpu->own); bits; bits &= bits - 1)
		consider(s, cpu, &cpu->own, 0, (uint32_t)__builtin_ctz(bits), &best);
	return best;
}

struct gic_best gic_best_of(const struct arch_irqchip *gic, uint32_t vcpu)
{
	const struct gic_state *s = gic->state;
	const struct gic_cpu *cpu = &s->cpus[vcpu];
	struct gic_best best = best_of_own(s, cpu);

	for (uint32_t i = 1; i < GIC_WORDS; i++)
		for (uint32_t bits = candidates(&s->spis[i]); bits; bits &= bits - 1) {
			uint32_t n = (uint32_t)__builtin_ctz(bits);

			if (s->target[i * 32 + n] == vcpu)
				consider(s, cpu, &s->spis[i], i * 32, n, &best);
		}
	return best;
}

/* What is active is compared by the binary point of now, whatever it was then. */
bool gic_signals(const struct gic_cpu *cpu, const struct gic_best *best)
{
	uint32_t active = cpu->apr[0] | cpu->apr[1], bits;

	if (best->intid == GIC_NONE || cpu->asleep || best->priority >= cpu->pmr)
		return false;
	if (active == 0)
		return true;
	bits = gic_group_bits(cpu, best->group);
	return (best->priority & bits) < ((uint32_t)__builtin_ctz(active) << (8 - GIC_BITS) & bits);
}

/* ---- outputs ---- */

static void put_output(struct arch_irqchip *gic, uint32_t vcpu, uint32_t line, bool *is, bool level)
{
	if (*is == level)
		return;
	*is = level;
	gic->sink.vcpu_line(gic->sink.opaque, vcpu, line, level);
}

static void show(struct arch_irqchip *gic, uint32_t vcpu, const struct gic_best *best)
{
	struct gic_cpu *cpu = &gic->state->cpus[vcpu];
	bool signals = gic_signals(cpu, best);
	bool wakes = cpu->asleep && best->intid != GIC_NONE;

	put_output(gic, vcpu, ARM_LINE_IRQ, &cpu->irq, (signals && best->group == 1) || wakes);
	put_output(gic, vcpu, ARM_LINE_FIQ, &cpu->fiq, signals && best->group == 0);
}

void gic_update(struct arch_irqchip *gic, uint32_t vcpu)
{
	struct gic_best best = gic_best_of(gic, vcpu);

	show(gic, vcpu, &best);
}

/* As gic_update() for each of them, with one look at the SPIs. */
void gic_update_all(struct arch_irqchip *gic)
{
	struct gic_state *s = gic->state;

	for (uint32_t i = 0; i < gic->n; i++)
		s->cpus[i].best = best_of_own(s, &s->cpus[i]);
	for (uint32_t i = 1; i < GIC_WORDS; i++)
		for (uint32_t bits = candidates(&s->spis[i]); bits; bits &= bits - 1) {
			uint32_t n = (uint32_t)__builtin_ctz(bits), to = s->target[i * 32 + n];

			if (to != GIC_NOBODY)
				consider(
					s, &s->cpus[to], &s->spis[i], i * 32, n, &s->cpus[to].best);
		}
	for (uint32_t i = 0; i < gic->n; i++)
		show(gic, i, &s->cpus[i].best);
}

/* ---- inputs ---- */

static void put_line(struct gic_word *w, uint32_t intid, bool level)
{
	uint32_t bit = 1u << intid % 32;

	if (level)
		w->latched |= w->edge & ~w->line & bit;
	w->line = level ? w->line | bit : w->line & ~bit;
}

static void update_target(struct arch_irqchip *gic, uint32_t intid)
{
	if (gic->state->target[intid] != GIC_NOBODY)
		gic_update(gic, gic->state->target[intid]);
}

static int gic_line(struct arch_irqchip *gic, uint32_t number, bool level)
{
	uint32_t intid = GIC_OWN + number;

	if (number >= ARM_GIC_SPIS)
		return -EINVAL;
	(void)pthread_mutex_lock(&gic->lock);
	put_line(gic_word_of(gic, 0, intid), intid, level);
	update_target(gic, intid);
	(void)pthread_mutex_unlock(&gic->lock);
	return 0;
}

/* Of a level interrupt nothing remains once the line is down. */
static int gic_pulse(struct arch_irqchip *gic, uint32_t number)
{
	uint32_t intid = GIC_OWN + number;
	struct gic_word *w;

	if (number >= ARM_GIC_SPIS)
		return -EINVAL;
	(void)pthread_mutex_lock(&gic->lock);
	w = gic_word_of(gic, 0, intid);
	put_line(w, intid, true);
	put_line(w, intid, false);
	update_target(gic, intid);
	(void)pthread_mutex_unlock(&gic->lock);
	return 0;
}

static int gic_own_line(struct arch_irqchip *gic, uint32_t vcpu, uint32_t number, bool level)
{
	uint32_t intid = GIC_SGIS + number;

	if (vcpu >= gic->n || number >= GIC_OWN - GIC_SGIS)
		return -EINVAL;
	(void)pthread_mutex_lock(&gic->lock);
	put_line(&gic->state->cpus[vcpu].own, intid, level);
	gic_update(gic, vcpu);
	(void)pthread_mutex_unlock(&gic->lock);
	return 0;
}

/* ---- its life ---- */

static size_t state_size(uint32_t vcpus)
{
	return sizeof(struct gic_state) + vcpus * sizeof(struct gic_cpu);
}

/* What a reset leaves, but for the levels of lines. */
static void init_state(struct arch_irqchip *gic)
{
	struct gic_state *s = gic->state;

	memset(s, 0, state_size(gic->n));
	for (uint32_t i = 0; i < gic->n; i++) {
		struct gic_cpu *cpu = &s->cpus[i];

		cpu->asleep = true;
		cpu->own.edge = (1u << GIC_SGIS) - 1;
		cpu->bpr[0] = GIC_BPR0_MIN;
		cpu->bpr[1] = GIC_BPR1_MIN;
	}
}

/* What the devices' lines are is theirs to say; the vCPUs' own go down with them. */
static void gic_reset(struct arch_irqchip *gic)
{
	struct gic_state *s = gic->state;
	uint32_t lines[GIC_WORDS];

	(void)pthread_mutex_lock(&gic->lock);
	for (uint32_t i = 0; i < gic->n; i++) {
		put_output(gic, i, ARM_LINE_IRQ, &s->cpus[i].irq, false);
		put_output(gic, i, ARM_LINE_FIQ, &s->cpus[i].fiq, false);
	}
	for (uint32_t i = 0; i < GIC_WORDS; i++)
		lines[i] = s->spis[i].line;
	init_state(gic);
	for (uint32_t i = 0; i < GIC_WORDS; i++)
		s->spis[i].line = lines[i];
	(void)pthread_mutex_unlock(&gic->lock);
}

static void gic_destroy(struct arch_irqchip *gic)
{
	if (!gic)
		return;
	bus_remove(gic->mmio, ARM_GICR);
	bus_remove(gic->mmio, ARM_GICD);
	(void)pthread_mutex_destroy(&gic->lock);
	free(gic->state);
	free(gic);
}

static int add_windows(struct arch_irqchip *gic)
{
	const struct bus_range distributor = { ARM_GICD, ARM_GICD_V3_SIZE, &gic_distributor_ops,
		gic, "GIC distributor" };
	const struct bus_range redistributors = { ARM_GICR, ARM_GICR_SIZE * gic->n,
		&gic_redistributor_ops, gic, "GIC redistributors" };
	int ret = bus_add(gic->mmio, &distributor);

	if (ret < 0)
		return ret;
	ret = bus_add(gic->mmio, &redistributors);
	if (ret < 0)
		bus_remove(gic->mmio, ARM_GICD);
	return ret;
}

static int gic_create(struct bus *mmio, uint32_t vcpus, const struct arch_irqchip_sink *sink,
	struct arch_irqchip **ret_chip, struct error *err)
{
	struct arch_irqchip *gic;
	int ret;

	if (vcpus == 0 || vcpus > ARM_MAX_VCPUS)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"the interrupt controller serves %u vcpus, %u are wanted", ARM_MAX_VCPUS,
			vcpus);
	gic = calloc(1, sizeof(*gic));
	if (gic)
		gic->state = calloc(1, state_size(vcpus));
	if (!gic || !gic->state) {
		free(gic);
		return error_set(
			err, EXIT_HOST, -ENOMEM, "out of memory for the interrupt controller");
	}
	gic->sink = *sink;
	gic->mmio = mmio;
	gic->n = vcpus;
	(void)pthread_mutex_init(&gic->lock, NULL);
	init_state(gic);
	ret = add_windows(gic);
	if (ret < 0) {
		(void)pthread_mutex_destroy(&gic->lock);
		free(gic->state);
		free(gic);
		return error_set(err, EXIT_INTERNAL, ret,
			"the interrupt controller's window is taken: %s", strerror(-ret));
	}
	*ret_chip = gic;
	return 0;
}

const struct arch_irqchip_ops gicv3_ops = {
	.create = gic_create,
	.line = gic_line,
	.pulse = gic_pulse,
	.own_line = gic_own_line,
	.sysreg = gic_sysreg,
	.reset = gic_reset,
	.destroy = gic_destroy,
};
