/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the GICv3 share; see gicv3.c for how it works. */
#ifndef TENON_ARCH_AARCH64_GICV3_PRIVATE_H
#define TENON_ARCH_AARCH64_GICV3_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/aarch64/layout.h"
#include "arch/arch.h"

#define GIC_OWN      32u                      /* INTIDs of each vCPU's own: SGIs, PPIs */
#define GIC_SGIS     16u                      /* the first of those */
#define GIC_INTIDS   (GIC_OWN + ARM_GIC_SPIS) /* all that there are */
#define GIC_WORDS    (GIC_INTIDS / 32u)
#define GIC_NONE     1023u      /* what is read where no interrupt is */
#define GIC_NOBODY   UINT16_MAX /* an affinity that no vCPU has */
#define GIC_BITS     5u         /* of a priority: 32 levels, all of which preempt */
#define GIC_PRIORITY (0xffu << (8 - GIC_BITS) & 0xffu)

/* The smallest binary points: with them all bits of a priority are of its group. */
#define GIC_BPR0_MIN (7u - GIC_BITS)
#define GIC_BPR1_MIN (8u - GIC_BITS)

_Static_assert(ARM_GIC_SPIS % 32 == 0, "interrupts fill whole words");

/* 32 interrupts, a bit each. */
struct gic_word {
	uint32_t group; /* 1: group 1, whose output is IRQ; 0: group 0, FIQ */
	uint32_t enabled;
	uint32_t latched; /* pending of an edge, an SGI, or a write */
	uint32_t line;    /* as its input is */
	uint32_t active;
	uint32_t edge; /* 1: edge, 0: level */
	uint8_t priority[32];
};

/* The interrupt that a CPU interface is shown. */
struct gic_best {
	uint32_t intid; /* GIC_NONE */
	uint32_t group;
	uint8_t priority;
};

/* A redistributor and the CPU interface behind it. */
struct gic_cpu {
	struct gic_word own;
	bool asleep;
	uint8_t pmr, bpr[2];
	uint32_t apr[2]; /* bit n: priority n << 3 is active */
	bool group_on[2];
	bool common_bpr, eoi_splits;
	bool irq, fiq;        /* outputs */
	struct gic_best best; /* gic_update_all()'s own */
};

/* All that there is to it, in plain numbers. */
struct gic_state {
	uint32_t groups_on;              /* bit 0, 1: group 0, 1 */
	struct gic_word spis[GIC_WORDS]; /* the first is not used */
	uint64_t router[GIC_INTIDS];
	uint16_t target[GIC_INTIDS]; /* whom the router means, or GIC_NOBODY */
	struct gic_cpu cpus[];
};

struct arch_irqchip {
	pthread_mutex_t lock; /* all of the state */
	struct arch_irqchip_sink sink;
	struct bus *mmio;
	uint32_t n; /* vCPUs */
	struct gic_state *state;
};

/* ---- gicv3.c; the lock is held ---- */

struct gic_best gic_best_of(const struct arch_irqchip *gic, uint32_t vcpu);
/* Whether that interrupts @vcpu now, by its mask and by what it is at. */
bool gic_signals(const struct gic_cpu *cpu, const struct gic_best *best);
/* The bits of a priority that decide on preemption. */
uint32_t gic_group_bits(const struct gic_cpu *cpu, uint32_t group);
/* The 32 interrupts that @intid is of, as @vcpu sees it. */
struct gic_word *gic_word_of(struct arch_irqchip *gic, uint32_t vcpu, uint32_t intid);
/* Whose affinity this is (Aff3 in bits 32 to 39, as in MPIDR_EL1), or GIC_NOBODY. */
uint16_t gic_vcpu_of(const struct arch_irqchip *gic, uint64_t affinity);
/* Sets the outputs to @vcpu as they are to be; to all of them. */
void gic_update(struct arch_irqchip *gic, uint32_t vcpu);
void gic_update_all(struct arch_irqchip *gic);

static inline uint32_t gic_pending(const struct gic_word *w)
{
	return w->latched | (w->line & ~w->edge);
}

/* ---- gicv3_registers.c: in memory ---- */

extern const struct bus_ops gic_distributor_ops, gic_redistributor_ops;

/* ---- gicv3_cpu.c: system registers ---- */

bool gic_sysreg(struct arch_irqchip *gic, uint32_t vcpu, struct vcpu_exit *exit);

#endif
