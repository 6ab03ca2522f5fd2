/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of a bundle, carried out: by as much of
 * an interpreter as they need. */
#include "core/bundle_code.h"

#include <string.h>

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#define TEXT  0x1000u
#define STEPS 64

static const struct bundle_values values = {
	.load_gpa = 0x80200000,
	.entry_gpa = 0x123456789abcdef0,
	.kernel_room = 0x2000000,
	.initrd_size = 77,
	.kernel_at = 0x3000,
	.initrd_at = 0x7654000,
};

struct cpu {
	const uint8_t *page;
	uint64_t x[32], pc;
	uint64_t stored[3]; /* through the arguments, whose values are 0, 8 and 16 */
};

static uint64_t load_u64(const struct cpu *c, uint64_t address)
{
	uint64_t value;

	assert_true(address >= TEXT && address <= TEXT + 4096 - 8);
	memcpy(&value, c->page + (address - TEXT), 8);
	return value;
}

static void store_u64(struct cpu *c, uint64_t address, uint64_t value)
{
	assert_true(address <= 16 && address % 8 == 0);
	c->stored[address / 8] = value;
}

/* Bits @n up of @word, @width of them, with their sign. */
static int64_t field(uint32_t word, unsigned n, unsigned width)
{
	return (int64_t)((uint64_t)word << (64 - n - width)) >> (64 - width);
}

/* False at the return. */
static bool riscv_step(struct cpu *c, uint32_t w)
{
	uint32_t rd = w >> 7 & 31, rs1 = w >> 15 & 31, rs2 = w >> 20 & 31;

	if (w == 0x00008067)
		return false;
	if ((w & 0x7f) == 0x17)
		c->x[rd] = c->pc + (uint64_t)(field(w, 12, 20) * 4096);
	else if ((w & 0x707f) == 0x13)
		c->x[rd] = c->x[rs1] + (uint64_t)field(w, 20, 12);
	else if ((w & 0x707f) == 0x3003)
		c->x[rd] = load_u64(c, c->x[rs1] + (uint64_t)field(w, 20, 12));
	else if ((w & 0xfe007fff) == 0x3023)
		store_u64(c, c->x[rs1], c->x[rs2]);
	else
		fail_msg("unexpected instruction %08x", w);
	return true;
}

static bool arm_step(struct cpu *c, uint32_t w)
{
	uint32_t rt = w & 31, rn = w >> 5 & 31;

	if (w == 0xd65f03c0)
		return false;
	if (w >> 24 == 0x58)
		c->x[rt] = load_u64(c, c->pc + (uint64_t)(field(w, 5, 19) * 4));
	else if (w >> 10 == 0xf9000000u >> 10)
		store_u64(c, c->x[rn], c->x[rt]);
	else if ((w & 0x9f000000) == 0x90000000)
		c->x[rt] = (c->pc & ~0xfffull) +
			   (uint64_t)((field(w, 5, 19) * 4 + (w >> 29 & 3)) * 4096);
	else
		fail_msg("unexpected instruction %08x", w);
	return true;
}

static void call(struct cpu *c, uint64_t at, unsigned first, bool (*step)(struct cpu *, uint32_t))
{
	uint32_t w;

	memset(c->stored, 0, sizeof(c->stored));
	for (unsigned i = 0; i < 3; i++)
		c->x[first + i] = 8ull * i;
	c->pc = at;
	for (int i = 0; i < STEPS; i++) {
		memcpy(&w, c->page + (c->pc - TEXT), 4);
		if (!step(c, w))
			return;
		c->pc += 4;
	}
	fail_msg("no return");
}

static void check(enum isa isa, unsigned first, bool (*step)(struct cpu *, uint32_t))
{
	static uint8_t page[4096];
	struct cpu c = { .page = page };
	uint64_t second;

	memset(page, 0, sizeof(page));
	second = bundle_code_of(isa)->write(page, TEXT, &values);
	call(&c, TEXT, first, step);
	assert_int_equal(c.stored[0], values.load_gpa);
	assert_int_equal(c.stored[1], values.entry_gpa);
	assert_int_equal(c.stored[2], values.kernel_room);
	assert_int_equal(c.x[first], values.kernel_at);
	call(&c, second, first, step);
	assert_int_equal(c.stored[0], values.initrd_size);
	assert_int_equal(c.x[first], values.initrd_at);
}

static void riscv64_functions_answer(void **state)
{
	(void)state;
	check(ISA_RISCV64, 10, riscv_step);
	assert_int_equal(bundle_code_of(ISA_RISCV64)->flags, 4); /* what its loader wants */
}

static void aarch64_functions_answer(void **state)
{
	(void)state;
	check(ISA_AARCH64, 0, arm_step);
}

static void an_unknown_kind_has_none(void **state)
{
	(void)state;
	assert_null(bundle_code_of((enum isa)0));
	assert_non_null(bundle_code_of(ISA_X86_64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(riscv64_functions_answer),
		cmocka_unit_test(aarch64_functions_answer),
		cmocka_unit_test(an_unknown_kind_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
