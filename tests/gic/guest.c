/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk through the GICv3 that QEMU emulates, on its `virt` machine: the words go to its serial
 * port.  The first vCPU walks; the second one does what it is asked to in shared memory, for system
 * registers are each vCPU's own.
 */
#include <stdint.h>

#include "tests/gic/walk.h"

#define GICD ((uintptr_t)0x08000000)
#define GICR ((uintptr_t)0x080a0000)
#define UART ((volatile uint32_t *)(uintptr_t)0x09000000)

void first(void);
void second(void);
extern char _start[];

/* ---- system registers ---- */

#define STRING(x)                #x
#define NAME(op1, crn, crm, op2) STRING(S3_##op1##_C##crn##_C##crm##_##op2)
#define READ(name, op1, crn, crm, op2)                                                             \
	case name:                                                                                 \
		__asm__ volatile("mrs %0, " NAME(op1, crn, crm, op2) : "=r"(value) : : "memory");  \
		break;
#define WRITE(name, op1, crn, crm, op2)                                                            \
	case name:                                                                                 \
		__asm__ volatile("msr " NAME(op1, crn, crm, op2) ", %0"                            \
				 :                                                                 \
				 : "r"(value)                                                      \
				 : "memory");                                                      \
		break;

enum request { READ_REG, WRITE_REG, READ_OUTPUTS };

static uint64_t serve(enum request request, enum walk_reg reg, uint64_t value)
{
	if (request == READ_OUTPUTS) {
		__asm__ volatile("mrs %0, isr_el1" : "=r"(value) : : "memory");
		return value;
	}
	if (request == READ_REG)
		switch (reg) {
			WALK_REGS(READ)
		}
	else
		switch (reg) {
			WALK_REGS(WRITE)
		}
	__asm__ volatile("isb" : : : "memory");
	return value;
}

/* ---- on the vCPU that it is for ---- */

static volatile struct {
	uint32_t asked, answered, request, reg;
	uint64_t value;
} box;

static void barrier(void)
{
	__asm__ volatile("dmb sy" : : : "memory");
}

/* The other one's turn: QEMU runs them one at a time. */
static void wait(void)
{
	__asm__ volatile("yield" : : : "memory");
}

static uint64_t on(uint32_t cpu, enum request request, enum walk_reg reg, uint64_t value)
{
	if (cpu == 0)
		return serve(request, reg, value);
	box.request = request;
	box.reg = reg;
	box.value = value;
	barrier();
	box.asked++;
	while (box.answered != box.asked)
		wait();
	barrier();
	return box.value;
}

static void enable_sre(void)
{
	uint64_t sre = 7;

	__asm__ volatile("msr S3_0_C12_C12_5, %0\n isb" : : "r"(sre) : "memory");
}

void second(void)
{
	enable_sre();
	for (;;) {
		while (box.asked == box.answered)
			wait();
		barrier();
		box.value = serve((enum request)box.request, (enum walk_reg)box.reg, box.value);
		barrier();
		box.answered = box.asked;
	}
}

/* ---- what the walk needs ---- */

static uintptr_t address(enum walk_window window, uint32_t cpu, uint32_t offset)
{
	return (window == WALK_DIST ? GICD : GICR + cpu * 0x20000u) + offset;
}

uint64_t walk_read(enum walk_window window, uint32_t cpu, uint32_t offset, uint32_t size)
{
	uintptr_t at = address(window, cpu, offset);

	if (size == 1)
		return *(volatile uint8_t *)at;
	return size == 8 ? *(volatile uint64_t *)at : *(volatile uint32_t *)at;
}

void walk_write(
	enum walk_window window, uint32_t cpu, uint32_t offset, uint32_t size, uint64_t value)
{
	uintptr_t at = address(window, cpu, offset);

	if (size == 1)
		*(volatile uint8_t *)at = (uint8_t)value;
	else if (size == 8)
		*(volatile uint64_t *)at = value;
	else
		*(volatile uint32_t *)at = (uint32_t)value;
}

uint64_t walk_mrs(uint32_t cpu, enum walk_reg reg)
{
	return on(cpu, READ_REG, reg, 0);
}

void walk_msr(uint32_t cpu, enum walk_reg reg, uint64_t value)
{
	(void)on(cpu, WRITE_REG, reg, value);
}

uint32_t walk_outputs(uint32_t cpu)
{
	return (uint32_t)on(cpu, READ_OUTPUTS, WALK_PMR, 0) & 0xc0;
}

static void put_hex(uint64_t value, char end)
{
	int shift = 60;

	while (shift > 0 && value >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*UART = (uint32_t) "0123456789abcdef"[value >> shift & 15];
	*UART = (uint32_t)end;
}

void walk_say(uint32_t seed, uint32_t step, uint32_t what, uint64_t answer)
{
	put_hex(seed, ' ');
	put_hex(step, ' ');
	put_hex(what, ' ');
	put_hex(answer, '\n');
}

/* ---- the machine ---- */

static void psci(uint64_t function, uint64_t a, uint64_t b)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = 0;

	__asm__ volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
}

void first(void)
{
	enable_sre();
	psci(0xc4000003, 1, (uintptr_t)_start);
	walk();
	psci(0x84000008, 0, 0);
}
