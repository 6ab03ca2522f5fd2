/* SPDX-License-Identifier: Apache-2.0 */
/* A GICv3 as guests and devices find it, for its tests: registers, system registers, lines. */
#ifndef TENON_ARCH_AARCH64_GICV3_BENCH_H
#define TENON_ARCH_AARCH64_GICV3_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/aarch64/gicv3.h"
#include "arch/aarch64/layout.h"
#include "arch/arch.h"
#include "core/bus.h"
#include "core/error.h"

#define CPUS 18 /* more than a group of affinities has */

/* Offsets in the windows. */
#define CTLR      0x000u
#define IGROUPR   0x080u
#define ISENABLER 0x100u
#define ICENABLER 0x180u
#define ISPENDR   0x200u
#define ICPENDR   0x280u
#define ISACTIVER 0x300u
#define ICACTIVER 0x380u
#define PRIORITY  0x400u
#define ICFGR     0xc00u
#define IROUTER   0x6000u
#define WAKER     0x014u
#define SGI_PAGE  0x10000u

/* System registers: op1, CRn, CRm, op2 with op0 of 3. */
#define SYSREG(crn, crm, op2)                                                                      \
	REG_ID(REG_ARM_SYS, 3u << 14 | (uint32_t)(crn) << 7 | (uint32_t)(crm) << 3 | (op2))
#define PMR     SYSREG(4, 6, 0)
#define IAR0    SYSREG(12, 8, 0)
#define EOIR0   SYSREG(12, 8, 1)
#define HPPIR0  SYSREG(12, 8, 2)
#define BPR0    SYSREG(12, 8, 3)
#define AP0R(n) SYSREG(12, 8, 4 + (n))
#define AP1R(n) SYSREG(12, 9, (n))
#define DIR     SYSREG(12, 11, 1)
#define RPR     SYSREG(12, 11, 3)
#define SGI1R   SYSREG(12, 11, 5)
#define ASGI1R  SYSREG(12, 11, 6)
#define SGI0R   SYSREG(12, 11, 7)
#define IAR1    SYSREG(12, 12, 0)
#define EOIR1   SYSREG(12, 12, 1)
#define HPPIR1  SYSREG(12, 12, 2)
#define BPR1    SYSREG(12, 12, 3)
#define ICC_CTL SYSREG(12, 12, 4)
#define SRE     SYSREG(12, 12, 5)
#define GRPEN0  SYSREG(12, 12, 6)
#define GRPEN1  SYSREG(12, 12, 7)

#define NONE 1023

struct bench {
	struct bus *bus;
	struct arch_irqchip *chip;
	bool irq[CPUS], fiq[CPUS];
};

static inline void bench_line(void *opaque, uint32_t vcpu, uint32_t line, bool level)
{
	struct bench *b = opaque;
	bool *output;

	assert_true(vcpu < CPUS);
	assert_true(line == ARM_LINE_IRQ || line == ARM_LINE_FIQ);
	output = line == ARM_LINE_IRQ ? &b->irq[vcpu] : &b->fiq[vcpu];
	assert_int_not_equal(*output, level);
	*output = level;
}

static inline uint64_t at_size(struct bench *b, uint64_t address, uint32_t size)
{
	uint64_t value;

	assert_true(bus_read(b->bus, address, size, &value));
	return value;
}

static inline void put_size(struct bench *b, uint64_t address, uint32_t size, uint64_t value)
{
	assert_true(bus_write(b->bus, address, size, value));
}

static inline uint32_t dist(struct bench *b, uint64_t offset)
{
	return (uint32_t)at_size(b, ARM_GICD + offset, 4);
}

static inline void put_dist(struct bench *b, uint64_t offset, uint32_t value)
{
	put_size(b, ARM_GICD + offset, 4, value);
}

static inline uint64_t redist_at(uint32_t cpu, uint64_t offset)
{
	return ARM_GICR + ARM_GICR_SIZE * cpu + offset;
}

static inline uint32_t own(struct bench *b, uint32_t cpu, uint64_t offset)
{
	return (uint32_t)at_size(b, redist_at(cpu, SGI_PAGE + offset), 4);
}

static inline void put_own(struct bench *b, uint32_t cpu, uint64_t offset, uint32_t value)
{
	put_size(b, redist_at(cpu, SGI_PAGE + offset), 4, value);
}

static inline struct vcpu_exit access_sysreg(
	struct bench *b, uint32_t cpu, uint32_t id, bool write, uint64_t value)
{
	struct vcpu_exit exit = { .kind = VCPU_SYSREG };

	exit.sysreg.id = id;
	exit.sysreg.write = write;
	exit.sysreg.value = value;
	exit.sysreg.handled = false;
	assert_true(gicv3_ops.sysreg(b->chip, cpu, &exit));
	return exit;
}

static inline uint64_t mrs(struct bench *b, uint32_t cpu, uint32_t id)
{
	struct vcpu_exit exit = access_sysreg(b, cpu, id, false, ~0ull);

	assert_true(exit.sysreg.handled);
	return exit.sysreg.value;
}

static inline void msr(struct bench *b, uint32_t cpu, uint32_t id, uint64_t value)
{
	assert_true(access_sysreg(b, cpu, id, true, value).sysreg.handled);
}

static inline void spi(struct bench *b, uint32_t intid, bool level)
{
	assert_int_equal(gicv3_ops.line(b->chip, intid - 32, level), 0);
}

static inline void pulse(struct bench *b, uint32_t intid)
{
	assert_int_equal(gicv3_ops.pulse(b->chip, intid - 32), 0);
}

static inline void ppi(struct bench *b, uint32_t cpu, uint32_t intid, bool level)
{
	assert_int_equal(gicv3_ops.own_line(b->chip, cpu, intid - 16, level), 0);
}

static inline void set_priority(struct bench *b, uint32_t intid, uint8_t value)
{
	put_size(b, ARM_GICD + PRIORITY + intid, 1, value);
}

static inline void set_own_priority(struct bench *b, uint32_t cpu, uint32_t intid, uint8_t value)
{
	put_size(b, redist_at(cpu, SGI_PAGE + PRIORITY + intid), 1, value);
}

static inline void set_edge(struct bench *b, uint32_t intid)
{
	uint64_t at = ICFGR + intid / 16 * 4ull;

	put_dist(b, at, dist(b, at) | 2u << intid % 16 * 2);
}

static inline void enable(struct bench *b, uint32_t intid)
{
	put_dist(b, ISENABLER + intid / 32 * 4ull, 1u << intid % 32);
}

static inline bool bit_of(struct bench *b, uint32_t offset, uint32_t intid)
{
	return dist(b, offset + intid / 32 * 4ull) >> intid % 32 & 1;
}

/* As a kernel leaves it: all are in group 1 with one priority, everybody is awake. */
static inline void bring_up(struct bench *b)
{
	put_dist(b, CTLR, 2);
	for (uint32_t i = 1; i < 31; i++)
		put_dist(b, IGROUPR + 4ull * i, ~0u);
	for (uint32_t i = 32; i < 992; i++)
		set_priority(b, i, 0xa0);
	for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
		put_size(b, redist_at(cpu, WAKER), 4, 0);
		put_own(b, cpu, IGROUPR, ~0u);
		for (uint32_t i = 0; i < 32; i++)
			set_own_priority(b, cpu, i, 0xa0);
		put_own(b, cpu, ISENABLER, 0xffff);
		msr(b, cpu, PMR, 0xf0);
		msr(b, cpu, GRPEN1, 1);
	}
}

static inline void begin_raw(struct bench *b)
{
	struct arch_irqchip_sink sink = { .vcpu_line = bench_line };
	struct error err;

	*b = (struct bench){ .bus = bus_create() };
	sink.opaque = b;
	assert_non_null(b->bus);
	assert_int_equal(gicv3_ops.create(b->bus, CPUS, &sink, &b->chip, &err), 0);
}

static inline void begin(struct bench *b)
{
	begin_raw(b);
	bring_up(b);
}

static inline void end(struct bench *b)
{
	uint64_t value;

	gicv3_ops.destroy(b->chip);
	assert_false(bus_read(b->bus, ARM_GICD, 4, &value));
	assert_false(bus_read(b->bus, ARM_GICR, 4, &value));
	bus_destroy(b->bus);
}

#endif
