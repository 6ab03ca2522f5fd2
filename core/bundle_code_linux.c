/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machine code for bundles: get_kernel stores three values through its arguments, get_initrd one,
 * and each returns an address of the library.  On aarch64 and riscv64 the values lie behind the
 * code, in the same page, and are read relative to the program counter.
 */
#include "core/bundle_code.h"

#include <elf.h>
#include <string.h>

struct code {
	uint8_t *page;
	uint64_t address; /* of the page */
	uint32_t n;       /* bytes of code */
	uint32_t pool;    /* where in the page the next value goes */
};

static void emit(struct code *c, const void *bytes, uint32_t n)
{
	memcpy(c->page + c->n, bytes, n);
	c->n += n;
}

static void word(struct code *c, uint32_t instruction)
{
	emit(c, &instruction, sizeof(instruction));
}

/* From the next instruction to a new value. */
static uint32_t to_value(struct code *c, uint64_t value)
{
	uint32_t at = c->pool;

	memcpy(c->page + at, &value, sizeof(value));
	c->pool += sizeof(value);
	return at - c->n;
}

static int64_t to_address(const struct code *c, uint64_t address)
{
	return (int64_t)address - (int64_t)(c->address + c->n);
}

#define POOL 0x400u

/* A store of a value through an argument, and the return of an address. */
typedef void store_fn(struct code *c, unsigned argument, uint64_t value);
typedef void return_fn(struct code *c, uint64_t address);

static uint64_t write_both(
	struct code *c, store_fn *store, return_fn *give_back, const struct bundle_values *v)
{
	uint64_t second;

	store(c, 0, v->load_gpa);
	store(c, 1, v->entry_gpa);
	store(c, 2, v->kernel_room);
	give_back(c, v->kernel_at);
	second = c->address + c->n;
	store(c, 0, v->initrd_size);
	give_back(c, v->initrd_at);
	return second;
}

/* ---- x86-64 ---- */

/* mov $value, %rax; mov %rax, (argument) */
static void x86_store(struct code *c, unsigned argument, uint64_t value)
{
	static const uint8_t modrm[] = { 0x07, 0x06, 0x02 }; /* (%rdi), (%rsi), (%rdx) */
	const uint8_t mov[] = { 0x48, 0xb8 }, put[] = { 0x48, 0x89, modrm[argument] };

	emit(c, mov, sizeof(mov));
	emit(c, &value, sizeof(value));
	emit(c, put, sizeof(put));
}

/* lea address(%rip), %rax; ret */
static void x86_return(struct code *c, uint64_t address)
{
	const uint8_t lea[] = { 0x48, 0x8d, 0x05 }, ret = 0xc3;
	int32_t distance;

	emit(c, lea, sizeof(lea));
	distance = (int32_t)(to_address(c, address) - 4);
	emit(c, &distance, sizeof(distance));
	emit(c, &ret, 1);
}

static uint64_t x86_write(uint8_t *page, uint64_t address, const struct bundle_values *values)
{
	struct code c = { .page = page, .address = address };

	return write_both(&c, x86_store, x86_return, values);
}

/* ---- aarch64 ---- */

/* ldr x3, value; str x3, [argument] */
static void arm_store(struct code *c, unsigned argument, uint64_t value)
{
	uint32_t distance = to_value(c, value);

	word(c, 0x58000003u | distance / 4 << 5);
	word(c, 0xf9000003u | argument << 5);
}

/* adrp x0, address; ret */
static void arm_return(struct code *c, uint64_t address)
{
	uint64_t here = c->address + c->n;
	uint32_t pages = (uint32_t)((address >> 12) - (here >> 12));

	word(c, 0x90000000u | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5);
	word(c, 0xd65f03c0u);
}

static uint64_t arm_write(uint8_t *page, uint64_t address, const struct bundle_values *values)
{
	struct code c = { .page = page, .address = address, .pool = POOL };

	return write_both(&c, arm_store, arm_return, values);
}

/* ---- riscv64 ---- */

#define RV_T0 5u
#define RV_T1 6u
#define RV_A0 10u

/* auipc t0, 0; ld t1, value(t0); sd t1, 0(argument) */
static void riscv_store(struct code *c, unsigned argument, uint64_t value)
{
	uint32_t distance = to_value(c, value);

	word(c, 0x00000017u | RV_T0 << 7);
	word(c, 0x00003003u | distance << 20 | RV_T0 << 15 | RV_T1 << 7);
	word(c, 0x00003023u | RV_T1 << 20 | (RV_A0 + argument) << 15);
}

/* auipc a0, high; addi a0, a0, low; ret */
static void riscv_return(struct code *c, uint64_t address)
{
	uint32_t distance = (uint32_t)to_address(c, address);

	word(c, 0x00000017u | ((distance + 0x800u) & 0xfffff000u) | RV_A0 << 7);
	word(c, 0x00000013u | (distance & 0xfffu) << 20 | RV_A0 << 15 | RV_A0 << 7);
	word(c, 0x00008067u);
}

static uint64_t riscv_write(uint8_t *page, uint64_t address, const struct bundle_values *values)
{
	struct code c = { .page = page, .address = address, .pool = POOL };

	return write_both(&c, riscv_store, riscv_return, values);
}

/* ---- all of them ---- */

static const struct bundle_code codes[] = {
	{ ISA_X86_64, EM_X86_64, 0, x86_write },
	{ ISA_AARCH64, EM_AARCH64, 0, arm_write },
	{ ISA_RISCV64, EM_RISCV, EF_RISCV_FLOAT_ABI_DOUBLE, riscv_write },
};

const struct bundle_code *bundle_code_of(enum isa isa)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].isa == isa)
			return &codes[i];
	return NULL;
}
