/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk through a GICv3 of two vCPUs: a pseudo-random sequence of accesses to all of its
 * registers, with what each answers written down.  Two controllers that are the same give the same
 * words.
 *
 * It keeps to what the architecture defines and both controllers implement: interrupts 0 to 95,
 * priorities of five bits, both groups on in both CPU interfaces.
 */
#ifndef TENON_TESTS_GIC_WALK_H
#define TENON_TESTS_GIC_WALK_H

#include <stdint.h>

#define WALK_CPUS  2u
#define WALK_SEEDS 4u
#define WALK_STEPS 3000u

enum walk_window { WALK_DIST, WALK_REDIST };

/* In the order of walk_names[] below. */
enum walk_reg {
	WALK_PMR,
	WALK_IAR0,
	WALK_EOIR0,
	WALK_HPPIR0,
	WALK_BPR0,
	WALK_AP0R0,
	WALK_AP1R0,
	WALK_DIR,
	WALK_RPR,
	WALK_SGI1R,
	WALK_ASGI1R,
	WALK_SGI0R,
	WALK_IAR1,
	WALK_EOIR1,
	WALK_HPPIR1,
	WALK_BPR1,
	WALK_CTLR,
	WALK_IGRPEN0,
	WALK_IGRPEN1,
};

/* Each by op1, CRn, CRm, op2 with op0 of 3. */
#define WALK_REGS(each)                                                                            \
	each(WALK_PMR, 0, 4, 6, 0) each(WALK_IAR0, 0, 12, 8, 0) each(WALK_EOIR0, 0, 12, 8,         \
		1) each(WALK_HPPIR0, 0, 12, 8, 2) each(WALK_BPR0, 0, 12, 8, 3) each(WALK_AP0R0, 0, \
		12, 8, 4) each(WALK_AP1R0, 0, 12, 9, 0) each(WALK_DIR, 0, 12, 11, 1)               \
		each(WALK_RPR, 0, 12, 11, 3) each(WALK_SGI1R, 0, 12, 11, 5) each(WALK_ASGI1R, 0,   \
			12, 11, 6) each(WALK_SGI0R, 0, 12, 11, 7) each(WALK_IAR1, 0, 12, 12, 0)    \
			each(WALK_EOIR1, 0, 12, 12, 1) each(WALK_HPPIR1, 0, 12, 12, 2)             \
				each(WALK_BPR1, 0, 12, 12, 3) each(WALK_CTLR, 0, 12, 12, 4)        \
					each(WALK_IGRPEN0, 0, 12, 12, 6)                           \
						each(WALK_IGRPEN1, 0, 12, 12, 7)

/* The controller, and where the words go: the walker brings them. */
uint64_t walk_read(enum walk_window window, uint32_t cpu, uint32_t offset, uint32_t size);
void walk_write(
	enum walk_window window, uint32_t cpu, uint32_t offset, uint32_t size, uint64_t value);
uint64_t walk_mrs(uint32_t cpu, enum walk_reg reg);
void walk_msr(uint32_t cpu, enum walk_reg reg, uint64_t value);
uint32_t walk_outputs(uint32_t cpu); /* bit 7: IRQ, bit 6: FIQ, as in ISR_EL1 */
void walk_say(uint32_t seed, uint32_t step, uint32_t what, uint64_t answer);

void walk(void);

#endif
