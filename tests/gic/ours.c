/* SPDX-License-Identifier: Apache-2.0 */
/* ours: the walk through the GICv3 of arch/aarch64; the words go to standard output. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/aarch64/gicv3.h"
#include "arch/aarch64/layout.h"
#include "arch/arch.h"
#include "core/bus.h"
#include "core/error.h"
#include "tests/gic/walk.h"

static struct bus *bus;
static struct arch_irqchip *chip;
static bool outputs[WALK_CPUS][2];

static void vcpu_line(void *opaque, uint32_t vcpu, uint32_t line, bool level)
{
	(void)opaque;
	outputs[vcpu][line] = level;
}

static uint64_t address(enum walk_window window, uint32_t cpu, uint32_t offset)
{
	return (window == WALK_DIST ? ARM_GICD : ARM_GICR + cpu * ARM_GICR_SIZE) + offset;
}

uint64_t walk_read(enum walk_window window, uint32_t cpu, uint32_t offset, uint32_t size)
{
	uint64_t value;

	if (!bus_read(bus, address(window, cpu, offset), size, &value))
		abort();
	return value;
}

void walk_write(
	enum walk_window window, uint32_t cpu, uint32_t offset, uint32_t size, uint64_t value)
{
	if (!bus_write(bus, address(window, cpu, offset), size, value))
		abort();
}

#define NUMBER(name, op1, crn, crm, op2)                                                           \
	[name] = 3u << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2),

static const uint32_t numbers[] = { WALK_REGS(NUMBER) };

static uint64_t sysreg(uint32_t cpu, enum walk_reg reg, bool write, uint64_t value)
{
	struct vcpu_exit exit = { .kind = VCPU_SYSREG };

	exit.sysreg.id = REG_ID(REG_ARM_SYS, numbers[reg]);
	exit.sysreg.write = write;
	exit.sysreg.handled = false;
	exit.sysreg.value = value;
	if (!gicv3_ops.sysreg(chip, cpu, &exit) || !exit.sysreg.handled)
		abort();
	return exit.sysreg.value;
}

uint64_t walk_mrs(uint32_t cpu, enum walk_reg reg)
{
	return sysreg(cpu, reg, false, 0);
}

void walk_msr(uint32_t cpu, enum walk_reg reg, uint64_t value)
{
	(void)sysreg(cpu, reg, true, value);
}

uint32_t walk_outputs(uint32_t cpu)
{
	return (outputs[cpu][ARM_LINE_IRQ] ? 0x80u : 0) | (outputs[cpu][ARM_LINE_FIQ] ? 0x40u : 0);
}

void walk_say(uint32_t seed, uint32_t step, uint32_t what, uint64_t answer)
{
	(void)printf("%x %x %x %" PRIx64 "\n", seed, step, what, answer);
}

int main(void)
{
	const struct arch_irqchip_sink sink = { vcpu_line, NULL };
	struct error err;

	bus = bus_create();
	if (!bus || gicv3_ops.create(bus, WALK_CPUS, &sink, &chip, &err) < 0)
		return 1;
	walk();
	gicv3_ops.destroy(chip);
	bus_destroy(bus);
	return 0;
}
