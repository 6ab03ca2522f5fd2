/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GICv3 of aarch64 machines, driven by a hostile guest on several vCPUs and by devices: any
 * sequence of register accesses of any width, system registers, lines, pulses, resets.
 *
 * What must hold at every moment: outputs change only from one level to the other, and while a
 * vCPU's IRQ or FIQ is up and its redistributor awake, there is something to acknowledge.
 */
#include "tests/fuzz/input.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arch/aarch64/gicv3.h"
#include "arch/aarch64/layout.h"
#include "arch/arch.h"
#include "core/bus.h"
#include "core/error.h"

#define CPUS 18
#define NONE 1023u

enum op {
	OP_DIST_WRITE,
	OP_DIST_READ,
	OP_REDIST_WRITE,
	OP_REDIST_READ,
	OP_MSR,
	OP_MRS,
	OP_LINE,
	OP_PULSE,
	OP_OWN_LINE,
	OP_RESET,
	OP_BRING_UP,
	OP_ACKNOWLEDGE,
	N_OPS,
};

static struct {
	struct bus *bus;
	struct arch_irqchip *chip;
	bool up[CPUS][2];
} run;

static void vcpu_line(void *opaque, uint32_t vcpu, uint32_t line, bool level)
{
	(void)opaque;
	if (vcpu >= CPUS || line > ARM_LINE_FIQ || run.up[vcpu][line] == level)
		abort();
	run.up[vcpu][line] = level;
}

static bool sysreg(uint32_t cpu, uint32_t number, bool write, uint64_t *value)
{
	struct vcpu_exit exit = { .kind = VCPU_SYSREG };

	exit.sysreg.id = REG_ID(REG_ARM_SYS, number);
	exit.sysreg.write = write;
	exit.sysreg.handled = false;
	exit.sysreg.value = *value;
	if (!gicv3_ops.sysreg(run.chip, cpu, &exit) || !exit.sysreg.handled)
		return false;
	*value = exit.sysreg.value;
	return true;
}

/* op0 of 3, op1 of 0, CRn of 12: most of the numbers are the controller's. */
static uint32_t icc(uint8_t choice)
{
	return choice == 0xff ? 0xc230 : 0xc600u | (choice & 0x7f);
}

static void write_icc(uint32_t cpu, uint32_t number, uint64_t value)
{
	(void)sysreg(cpu, number, true, &value);
}

static void put(uint64_t address, uint32_t size, uint64_t value)
{
	if (!bus_write(run.bus, address, size, value))
		abort();
}

static void access_window(struct input *in, uint64_t base, uint64_t length, bool write)
{
	uint32_t size = 1u << input_u8(in) % 4;
	uint64_t offset = input_u32(in) % (length - size + 1), value;

	if (write)
		put(base + offset, size, input_u64(in));
	else if (!bus_read(run.bus, base + offset, size, &value))
		abort();
}

/* What a kernel does first, so that interrupts come at all. */
static void bring_up(uint32_t cpu)
{
	put(ARM_GICD, 4, 3);
	for (uint32_t i = 1; i < 31; i++) {
		put(ARM_GICD + 0x80 + 4ull * i, 4, i % 4 ? ~0u : 0);
		put(ARM_GICD + 0x100 + 4ull * i, 4, ~0u);
	}
	put(ARM_GICR + ARM_GICR_SIZE * cpu + 0x14, 4, 0);
	put(ARM_GICR + ARM_GICR_SIZE * cpu + 0x10080, 4, 0xfffffff0);
	put(ARM_GICR + ARM_GICR_SIZE * cpu + 0x10100, 4, ~0u);
	write_icc(cpu, 0xc230, 0xff);
	write_icc(cpu, icc(0x66), 1);
	write_icc(cpu, icc(0x67), 1);
}

static bool is_awake(uint32_t cpu)
{
	uint64_t waker;

	if (!bus_read(run.bus, ARM_GICR + ARM_GICR_SIZE * cpu + 0x14, 4, &waker))
		abort();
	return !(waker & 2);
}

/* IAR0 is for FIQ, IAR1 for IRQ; both are taken back. */
static void acknowledge(uint32_t cpu)
{
	bool awake = is_awake(cpu);

	for (uint32_t group = 0; group < 2; group++) {
		bool up = run.up[cpu][group ? ARM_LINE_IRQ : ARM_LINE_FIQ];
		uint64_t intid = 0;

		if (!sysreg(cpu, icc(group ? 0x60 : 0x40), false, &intid))
			abort();
		if (awake && up != (intid != NONE))
			abort();
		if (intid != NONE)
			write_icc(cpu, icc(group ? 0x61 : 0x41), intid);
	}
}

static void step(struct input *in)
{
	uint32_t op = input_u8(in) % N_OPS, cpu = input_u8(in) % CPUS;
	uint64_t value;

	switch ((enum op)op) {
	case OP_DIST_WRITE:
	case OP_DIST_READ:
		access_window(in, ARM_GICD, ARM_GICD_V3_SIZE, op == OP_DIST_WRITE);
		return;
	case OP_REDIST_WRITE:
	case OP_REDIST_READ:
		access_window(in, ARM_GICR, ARM_GICR_SIZE * CPUS, op == OP_REDIST_WRITE);
		return;
	case OP_MSR:
	case OP_MRS:
		value = op == OP_MSR ? input_u64(in) : 0;
		(void)sysreg(cpu, icc(input_u8(in)), op == OP_MSR, &value);
		return;
	case OP_LINE:
		(void)gicv3_ops.line(run.chip, input_u16(in), input_u8(in) & 1);
		return;
	case OP_PULSE:
		(void)gicv3_ops.pulse(run.chip, input_u16(in));
		return;
	case OP_OWN_LINE:
		(void)gicv3_ops.own_line(run.chip, cpu, input_u8(in) % 20, input_u8(in) & 1);
		return;
	case OP_RESET:
		gicv3_ops.reset(run.chip);
		return;
	case OP_BRING_UP:
		bring_up(cpu);
		return;
	case OP_ACKNOWLEDGE:
		acknowledge(cpu);
		return;
	case N_OPS:
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct arch_irqchip_sink sink = { vcpu_line, NULL };
	struct input in = { data, size };
	struct error err;

	memset(&run, 0, sizeof(run));
	run.bus = bus_create();
	if (!run.bus || gicv3_ops.create(run.bus, CPUS, &sink, &run.chip, &err) < 0)
		abort();
	while (in.left)
		step(&in);
	for (uint32_t cpu = 0; cpu < CPUS; cpu++)
		acknowledge(cpu);
	gicv3_ops.destroy(run.chip);
	bus_destroy(run.bus);
	return 0;
}
