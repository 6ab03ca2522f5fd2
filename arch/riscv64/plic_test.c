/* SPDX-License-Identifier: Apache-2.0 */
/* The PLIC as a guest and as devices find it, by its registers and lines. */
#include "arch/riscv64/plic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "arch/riscv64/riscv64.h"
#include "core/bus.h"
#include "core/error.h"

#define HARTS 2
#define LAST  RISCV_SOURCES

struct bench {
	struct bus *bus;
	struct arch_irqchip *chip;
	bool up[HARTS];
	unsigned changes;
};

static void vcpu_line(void *opaque, uint32_t vcpu, uint32_t line, bool level)
{
	struct bench *b = opaque;

	assert_true(vcpu < HARTS);
	assert_int_equal(line, RISCV_LINE_EXTERNAL);
	assert_int_not_equal(b->up[vcpu], level);
	b->up[vcpu] = level;
	b->changes++;
}

static uint32_t reg_read(struct bench *b, uint64_t offset)
{
	uint64_t value;

	assert_true(bus_read(b->bus, RISCV_PLIC_BASE + offset, 4, &value));
	return (uint32_t)value;
}

static void reg_write(struct bench *b, uint64_t offset, uint32_t value)
{
	assert_true(bus_write(b->bus, RISCV_PLIC_BASE + offset, 4, value));
}

static void priority(struct bench *b, uint32_t source, uint32_t value)
{
	reg_write(b, 4ull * source, value);
}

static void enable(struct bench *b, uint32_t hart, uint32_t source)
{
	uint64_t at = 0x2000 + 0x80ull * hart + source / 32 * 4ull;

	reg_write(b, at, reg_read(b, at) | 1u << source % 32);
}

static void threshold(struct bench *b, uint32_t hart, uint32_t value)
{
	reg_write(b, 0x200000 + 0x1000ull * hart, value);
}

static uint32_t claim(struct bench *b, uint32_t hart)
{
	return reg_read(b, 0x200004 + 0x1000ull * hart);
}

static void complete(struct bench *b, uint32_t hart, uint32_t source)
{
	reg_write(b, 0x200004 + 0x1000ull * hart, source);
}

static bool pending(struct bench *b, uint32_t source)
{
	return reg_read(b, 0x1000 + source / 32 * 4) >> source % 32 & 1;
}

static void line(struct bench *b, uint32_t source, bool level)
{
	assert_int_equal(plic_ops.line(b->chip, source, level), 0);
}

static void pulse(struct bench *b, uint32_t source)
{
	assert_int_equal(plic_ops.pulse(b->chip, source), 0);
}

/* Source 5 is enabled on hart 0. */
static void begin(struct bench *b)
{
	const struct arch_irqchip_sink sink = { vcpu_line, b };
	struct error err;

	*b = (struct bench){ .bus = bus_create() };
	assert_non_null(b->bus);
	assert_int_equal(plic_ops.create(b->bus, HARTS, &sink, &b->chip, &err), 0);
	priority(b, 5, 1);
	enable(b, 0, 5);
}

static void end(struct bench *b)
{
	uint64_t value;

	plic_ops.destroy(b->chip);
	assert_false(bus_read(b->bus, RISCV_PLIC_BASE, 4, &value));
	bus_destroy(b->bus);
}

static void a_level_is_delivered_until_it_is_down(void **state)
{
	struct bench b;

	begin(&b);
	line(&b, 5, true);
	assert_true(b.up[0] && !b.up[1]);
	assert_true(pending(&b, 5));
	assert_int_equal(claim(&b, 0), 5);
	assert_false(b.up[0]);
	assert_int_equal(claim(&b, 0), 0);
	complete(&b, 0, 5);
	assert_true(b.up[0]);
	assert_int_equal(claim(&b, 0), 5);
	line(&b, 5, false);
	complete(&b, 0, 5);
	assert_false(b.up[0]);
	end(&b);
}

static void a_level_that_goes_away_is_not_pending(void **state)
{
	struct bench b;

	begin(&b);
	line(&b, 5, true);
	line(&b, 5, false);
	assert_false(b.up[0]);
	assert_int_equal(claim(&b, 0), 0);
	end(&b);
}

static void an_edge_stays_till_it_is_claimed(void **state)
{
	struct bench b;

	begin(&b);
	pulse(&b, 5);
	assert_true(b.up[0]);
	assert_int_equal(claim(&b, 0), 5);
	complete(&b, 0, 5);
	assert_false(b.up[0]);
	assert_int_equal(claim(&b, 0), 0);
	end(&b);
}

static void edges_during_service_are_one_more(void **state)
{
	struct bench b;

	begin(&b);
	pulse(&b, 5);
	assert_int_equal(claim(&b, 0), 5);
	pulse(&b, 5);
	pulse(&b, 5);
	assert_false(b.up[0]);
	complete(&b, 0, 5);
	assert_true(b.up[0]);
	assert_int_equal(claim(&b, 0), 5);
	complete(&b, 0, 5);
	assert_false(b.up[0]);
	end(&b);
}

static void the_highest_priority_goes_first_then_the_lowest_number(void **state)
{
	struct bench b;

	begin(&b);
	for (uint32_t source = 40; source < 43; source++) {
		priority(&b, source, source == 41 ? 7 : 2);
		enable(&b, 0, source);
		line(&b, source, true);
	}
	line(&b, 5, true);
	assert_int_equal(claim(&b, 0), 41);
	assert_int_equal(claim(&b, 0), 40);
	assert_int_equal(claim(&b, 0), 42);
	assert_int_equal(claim(&b, 0), 5);
	assert_int_equal(claim(&b, 0), 0);
	end(&b);
}

static void a_threshold_masks_but_does_not_hide(void **state)
{
	struct bench b;

	begin(&b);
	threshold(&b, 0, 1);
	line(&b, 5, true);
	assert_false(b.up[0]);
	assert_int_equal(claim(&b, 0), 5);
	complete(&b, 0, 5);
	assert_false(b.up[0]);
	threshold(&b, 0, 0);
	assert_true(b.up[0]);
	priority(&b, 5, 0);
	assert_false(b.up[0]);
	assert_int_equal(claim(&b, 0), 0);
	end(&b);
}

static void harts_are_apart(void **state)
{
	struct bench b;

	begin(&b);
	enable(&b, 1, 5);
	line(&b, 5, true);
	assert_true(b.up[0] && b.up[1]);
	assert_int_equal(claim(&b, 1), 5);
	assert_false(b.up[0] || b.up[1]);
	assert_int_equal(claim(&b, 0), 0);
	/* Completed by another that has it enabled: so says the specification. */
	complete(&b, 0, 5);
	assert_true(b.up[0] && b.up[1]);
	end(&b);
}

static void a_wrong_completion_is_ignored(void **state)
{
	struct bench b;

	begin(&b);
	line(&b, 5, true);
	assert_int_equal(claim(&b, 0), 5);
	complete(&b, 1, 5); /* not enabled there */
	complete(&b, 0, 6);
	complete(&b, 0, 0);
	complete(&b, 0, LAST + 1);
	complete(&b, 0, UINT32_MAX);
	assert_false(b.up[0]);
	complete(&b, 0, 5);
	assert_true(b.up[0]);
	end(&b);
}

static void what_there_is_not_reads_as_zero(void **state)
{
	static const uint64_t offsets[] = { 0, 4ull * (LAST + 1), 0x1000 + 4 * 8, 0x2000 + 0x20,
		0x2000 + 0x80 * HARTS, 0x1ffffc, 0x200008, 0x200ffc, 0x201008 };
	struct bench b;
	uint64_t value;

	begin(&b);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		reg_write(&b, offsets[i], UINT32_MAX);
		assert_int_equal(reg_read(&b, offsets[i]), 0);
	}
	/* Source 0 is none, and has no enable. */
	reg_write(&b, 0x2000, UINT32_MAX);
	assert_int_equal(reg_read(&b, 0x2000), UINT32_MAX - 1);
	/* Past the last context there is no window. */
	assert_false(bus_read(b.bus, RISCV_PLIC_BASE + plic_size(HARTS), 4, &value));
	assert_int_equal(plic_size(HARTS), 0x202000);
	end(&b);
}

static void other_sizes_do_nothing(void **state)
{
	struct bench b;
	uint64_t value;

	begin(&b);
	line(&b, 5, true);
	assert_true(bus_read(b.bus, RISCV_PLIC_BASE + 0x200004, 2, &value));
	assert_int_equal(value, 0);
	assert_true(bus_read(b.bus, RISCV_PLIC_BASE + 0x200002, 4, &value));
	assert_int_equal(value, 0);
	assert_true(bus_read(b.bus, RISCV_PLIC_BASE + 0x200000, 8, &value));
	assert_int_equal(value, 0);
	assert_true(bus_write(b.bus, RISCV_PLIC_BASE + 4ull * 5, 1, 7));
	assert_true(bus_write(b.bus, RISCV_PLIC_BASE + 4ull * 5 + 1, 4, 7));
	assert_int_equal(reg_read(&b, 4ull * 5), 1);
	assert_int_equal(claim(&b, 0), 5);
	end(&b);
}

static void priorities_and_thresholds_have_three_bits(void **state)
{
	struct bench b;

	begin(&b);
	priority(&b, LAST, UINT32_MAX);
	assert_int_equal(reg_read(&b, 4ull * LAST), 7);
	threshold(&b, 1, UINT32_MAX);
	assert_int_equal(reg_read(&b, 0x201000), 7);
	end(&b);
}

static void sources_are_checked(void **state)
{
	struct bench b;

	begin(&b);
	assert_int_equal(plic_ops.line(b.chip, 0, true), -EINVAL);
	assert_int_equal(plic_ops.line(b.chip, LAST + 1, true), -EINVAL);
	assert_int_equal(plic_ops.pulse(b.chip, 0), -EINVAL);
	assert_int_equal(plic_ops.pulse(b.chip, UINT32_MAX), -EINVAL);
	assert_int_equal(b.changes, 0);
	end(&b);
}

static void a_reset_forgets_all_but_the_lines(void **state)
{
	struct bench b;

	begin(&b);
	line(&b, 5, true);
	pulse(&b, 6);
	assert_true(b.up[0]);
	plic_ops.reset(b.chip);
	assert_false(b.up[0]);
	assert_int_equal(reg_read(&b, 4ull * 5), 0);
	assert_int_equal(reg_read(&b, 0x2000), 0);
	assert_false(pending(&b, 6));
	priority(&b, 5, 1);
	enable(&b, 0, 5);
	assert_true(b.up[0]);
	assert_int_equal(claim(&b, 0), 5);
	end(&b);
}

static void too_many_harts_are_refused(void **state)
{
	const struct arch_irqchip_sink sink = { vcpu_line, NULL };
	struct bus *bus = bus_create();
	struct arch_irqchip *chip = NULL;
	struct error err = { .text = "" };

	assert_int_equal(plic_ops.create(bus, RISCV_MAX_VCPUS + 1, &sink, &chip, &err), -E2BIG);
	assert_string_equal(err.text, "the interrupt controller serves 255 vcpus, 256 are wanted");
	assert_int_equal(plic_ops.create(bus, RISCV_MAX_VCPUS, &sink, &chip, &err), 0);
	plic_ops.destroy(chip);
	bus_destroy(bus);
}

static void a_taken_window_is_an_error(void **state)
{
	struct bench b;
	const struct arch_irqchip_sink sink = { vcpu_line, &b };
	struct arch_irqchip *chip = NULL;
	struct error err;

	begin(&b);
	assert_int_equal(plic_ops.create(b.bus, 1, &sink, &chip, &err), -EBUSY);
	assert_null(chip);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_is_delivered_until_it_is_down),
		cmocka_unit_test(a_level_that_goes_away_is_not_pending),
		cmocka_unit_test(an_edge_stays_till_it_is_claimed),
		cmocka_unit_test(edges_during_service_are_one_more),
		cmocka_unit_test(the_highest_priority_goes_first_then_the_lowest_number),
		cmocka_unit_test(a_threshold_masks_but_does_not_hide),
		cmocka_unit_test(harts_are_apart),
		cmocka_unit_test(a_wrong_completion_is_ignored),
		cmocka_unit_test(what_there_is_not_reads_as_zero),
		cmocka_unit_test(other_sizes_do_nothing),
		cmocka_unit_test(priorities_and_thresholds_have_three_bits),
		cmocka_unit_test(sources_are_checked),
		cmocka_unit_test(a_reset_forgets_all_but_the_lines),
		cmocka_unit_test(too_many_harts_are_refused),
		cmocka_unit_test(a_taken_window_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
