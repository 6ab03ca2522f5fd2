/* SPDX-License-Identifier: Apache-2.0 */
/* The GICv3's registers in memory, its inputs, routing, reset. */
#include "arch/aarch64/gicv3_bench.h"

#include <errno.h>
#include <string.h>

static void it_says_what_it_is(void **state)
{
	struct bench b;

	begin_raw(&b);
	/* DS and ARE are one, and stay. */
	assert_int_equal(dist(&b, CTLR), 0x50);
	put_dist(&b, CTLR, ~0u);
	assert_int_equal(dist(&b, CTLR), 0x53);
	put_dist(&b, CTLR, 0);
	assert_int_equal(dist(&b, CTLR), 0x50);
	/* 32 * 31 interrupts, ids of 10 bits, affinity 3, no 1 of N. */
	assert_int_equal(dist(&b, 4), 30 | 9 << 19 | 1 << 24 | 1 << 25);
	assert_int_equal(dist(&b, 0xffe8) & 0xf0, 0x30);
	assert_int_equal(at_size(&b, redist_at(3, 0xffe8), 4) & 0xf0, 0x30);
	assert_int_equal(dist(&b, 0xfff0), 0x0d);
	assert_int_equal(dist(&b, 0xfff4), 0xf0);
	assert_int_equal(dist(&b, 0xfffc), 0xb1);
	end(&b);
}

static void redistributors_tell_whose_they_are(void **state)
{
	struct bench b;

	begin_raw(&b);
	assert_int_equal(at_size(&b, redist_at(0, 8), 8), 0);
	assert_int_equal(at_size(&b, redist_at(15, 8), 8), 15ull << 32 | 15 << 8);
	assert_int_equal(at_size(&b, redist_at(16, 8), 8), 0x100ull << 32 | 16 << 8);
	assert_int_equal(at_size(&b, redist_at(17, 8), 8), 0x101ull << 32 | 17 << 8 | 1 << 4);
	assert_int_equal(at_size(&b, redist_at(17, 12), 4), 0x101);
	end(&b);
}

static void what_is_not_there_reads_as_zero(void **state)
{
	static const uint32_t offsets[] = { 0xc, 0x10, 0x40, 0x800, 0x83c, 0xd00, 0xe00, 0xf00,
		0xf10, 0x400 + 992, 0xc00 + 248, 0x6000, 0x60f8, 0x6000 + 8 * 992, 0xc000, 0xffe0 };
	struct bench b;

	begin_raw(&b);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		put_dist(&b, offsets[i], ~0u);
		assert_int_equal(dist(&b, offsets[i]), 0);
	}
	/* The first 32 are in the redistributors; those behind the last are nowhere. */
	for (uint32_t at = IGROUPR; at < PRIORITY; at += 0x80) {
		put_dist(&b, at, ~0u);
		assert_int_equal(dist(&b, at), 0);
		put_dist(&b, at + 4 * 31, ~0u);
		assert_int_equal(dist(&b, at + 4 * 31), 0);
		put_own(&b, 0, at + 4, ~0u);
		assert_int_equal(own(&b, 0, at + 4), 0);
	}
	put_dist(&b, PRIORITY, ~0u);
	assert_int_equal(dist(&b, PRIORITY), 0);
	end(&b);
}

static void bitmaps_are_set_and_cleared_by_ones(void **state)
{
	struct bench b;

	begin_raw(&b);
	for (uint32_t at = ISENABLER; at < PRIORITY; at += 0x100) {
		put_dist(&b, at + 4, 0x80000011);
		put_dist(&b, at + 4, 0x2);
		assert_int_equal(dist(&b, at + 4), 0x80000013);
		assert_int_equal(dist(&b, at + 0x84), 0x80000013);
		put_dist(&b, at + 0x84, 0x11);
		assert_int_equal(dist(&b, at + 4), 0x80000002);
		put_dist(&b, at + 0x84, 0);
		assert_int_equal(dist(&b, at + 4), 0x80000002);
		put_own(&b, 1, at, 0x10001);
		assert_int_equal(own(&b, 1, at + 0x80), 0x10001);
		assert_int_equal(own(&b, 0, at), 0);
		put_own(&b, 1, at + 0x80, 1);
		assert_int_equal(own(&b, 1, at), 0x10000);
	}
	put_dist(&b, IGROUPR + 4, 5);
	put_dist(&b, IGROUPR + 4, 6);
	assert_int_equal(dist(&b, IGROUPR + 4), 6);
	end(&b);
}

static void registers_take_every_width(void **state)
{
	struct bench b;
	uint64_t at = ARM_GICD + ISENABLER + 8;

	begin_raw(&b);
	put_size(&b, at + 1, 1, 0x81);
	put_size(&b, at + 2, 2, 0x4002);
	assert_int_equal(at_size(&b, at, 4), 0x40028100);
	put_size(&b, at, 8, 0xf00000000000000full);
	assert_int_equal(at_size(&b, at, 8), 0xf00000004002810full);
	assert_int_equal(at_size(&b, at + 2, 2), 0x4002);
	put_size(&b, at - ISENABLER + ICENABLER + 3, 1, 0x40);
	assert_int_equal(at_size(&b, at, 4), 0x0002810f);
	put_size(&b, ARM_GICD + PRIORITY + 40, 8, 0x1122334455667788ull);
	assert_int_equal(at_size(&b, ARM_GICD + PRIORITY + 40, 4), 0x50607088);
	assert_int_equal(at_size(&b, ARM_GICD + PRIORITY + 46, 2), 0x1020);
	/* Where the access does not fit, nothing happens. */
	put_size(&b, at + 1, 2, 0xffff);
	put_size(&b, at + 4, 8, ~0ull);
	assert_int_equal(at_size(&b, at, 4), 0x0002810f);
	assert_int_equal(at_size(&b, at + 1, 4), 0);
	put_size(&b, redist_at(2, SGI_PAGE + ISENABLER + 1), 1, 0xff);
	assert_int_equal(own(&b, 2, ISENABLER), 0xff00);
	end(&b);
}

static void routers_have_two_halves(void **state)
{
	struct bench b;

	begin_raw(&b);
	put_size(&b, ARM_GICD + IROUTER + 8ull * 32, 8, ~0ull);
	assert_int_equal(at_size(&b, ARM_GICD + IROUTER + 8ull * 32, 8), 0xff00ffffffull);
	put_dist(&b, IROUTER + 8ull * 33, 0x102);
	put_dist(&b, IROUTER + 8ull * 33 + 4, 3);
	assert_int_equal(at_size(&b, ARM_GICD + IROUTER + 8ull * 33, 8), 0x300000102ull);
	end(&b);
}

static void triggers_are_configured(void **state)
{
	struct bench b;

	begin_raw(&b);
	put_dist(&b, ICFGR + 8, ~0u);
	assert_int_equal(dist(&b, ICFGR + 8), 0xaaaaaaaa);
	put_size(&b, ARM_GICD + ICFGR + 9, 1, 0);
	assert_int_equal(dist(&b, ICFGR + 8), 0xaaaa00aa);
	/* SGIs have edges, which is not to be changed; PPIs may have. */
	put_own(&b, 0, ICFGR, 0);
	assert_int_equal(own(&b, 0, ICFGR), 0xaaaaaaaa);
	assert_int_equal(own(&b, 0, ICFGR + 4), 0);
	put_own(&b, 0, ICFGR + 4, 0x80000000);
	assert_int_equal(own(&b, 0, ICFGR + 4), 0x80000000);
	end(&b);
}

static void a_level_is_delivered_until_it_is_down(void **state)
{
	struct bench b;

	begin(&b);
	enable(&b, 40);
	spi(&b, 40, true);
	assert_true(b.irq[0] && !b.fiq[0] && !b.irq[1]);
	assert_true(bit_of(&b, ISPENDR, 40));
	/* It cannot be cleared by writing. */
	put_dist(&b, ICPENDR + 4, 1 << 8);
	assert_true(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), 40);
	assert_false(b.irq[0]);
	assert_true(bit_of(&b, ISACTIVER, 40));
	assert_true(bit_of(&b, ISPENDR, 40));
	assert_int_equal(mrs(&b, 0, IAR1), NONE);
	msr(&b, 0, EOIR1, 40);
	assert_true(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), 40);
	spi(&b, 40, false);
	msr(&b, 0, EOIR1, 40);
	assert_false(b.irq[0]);
	assert_false(bit_of(&b, ISPENDR, 40));
	end(&b);
}

static void an_edge_is_delivered_once(void **state)
{
	struct bench b;

	begin(&b);
	set_edge(&b, 40);
	enable(&b, 40);
	pulse(&b, 40);
	assert_true(b.irq[0]);
	pulse(&b, 40);
	assert_int_equal(mrs(&b, 0, IAR1), 40);
	msr(&b, 0, EOIR1, 40);
	assert_false(b.irq[0]);
	/* One that comes while it is active is kept. */
	spi(&b, 40, true);
	assert_int_equal(mrs(&b, 0, IAR1), 40);
	spi(&b, 40, true);
	assert_false(bit_of(&b, ISPENDR, 40));
	spi(&b, 40, false);
	spi(&b, 40, true);
	assert_false(b.irq[0]);
	msr(&b, 0, EOIR1, 40);
	assert_true(b.irq[0]);
	put_dist(&b, ICPENDR + 4, 1 << 8);
	assert_false(b.irq[0]);
	end(&b);
}

static void a_pulse_on_a_level_leaves_nothing(void **state)
{
	struct bench b;

	begin(&b);
	enable(&b, 40);
	pulse(&b, 40);
	assert_false(b.irq[0]);
	assert_false(bit_of(&b, ISPENDR, 40));
	end(&b);
}

static void a_write_makes_pending(void **state)
{
	struct bench b;

	begin(&b);
	enable(&b, 40);
	put_dist(&b, ISPENDR + 4, 1 << 8);
	assert_true(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), 40);
	msr(&b, 0, EOIR1, 40);
	assert_false(b.irq[0]);
	/* What was made active is not delivered. */
	put_dist(&b, ISACTIVER + 4, 1 << 8);
	put_dist(&b, ISPENDR + 4, 1 << 8);
	assert_false(b.irq[0]);
	put_dist(&b, ICACTIVER + 4, 1 << 8);
	assert_true(b.irq[0]);
	end(&b);
}

static void what_is_not_enabled_stays_pending(void **state)
{
	struct bench b;

	begin(&b);
	spi(&b, 40, true);
	assert_false(b.irq[0]);
	assert_true(bit_of(&b, ISPENDR, 40));
	enable(&b, 40);
	assert_true(b.irq[0]);
	put_dist(&b, ICENABLER + 4, 1 << 8);
	assert_false(b.irq[0]);
	enable(&b, 40);
	put_dist(&b, CTLR, 1);
	assert_false(b.irq[0]);
	put_dist(&b, CTLR, 2);
	assert_true(b.irq[0]);
	end(&b);
}

static void interrupts_go_where_they_are_routed(void **state)
{
	static const uint64_t nobody[] = { 0x102, 0x10, 0xf0, 0x10000, 1ull << 32 };
	struct bench b;

	begin(&b);
	enable(&b, 991);
	spi(&b, 991, true);
	assert_true(b.irq[0]);
	put_size(&b, ARM_GICD + IROUTER + 8ull * 991, 8, 0x101);
	assert_true(!b.irq[0] && b.irq[17]);
	/* To vCPUs that there are not: the next, another group, other fields. */
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		put_size(&b, ARM_GICD + IROUTER + 8ull * 991, 8, nobody[i]);
		for (uint32_t cpu = 0; cpu < CPUS; cpu++)
			assert_false(b.irq[cpu]);
	}
	put_size(&b, ARM_GICD + IROUTER + 8ull * 991, 8, 5);
	assert_true(b.irq[5]);
	assert_int_equal(mrs(&b, 5, IAR1), 991);
	/* It may end elsewhere. */
	spi(&b, 991, false);
	put_size(&b, ARM_GICD + IROUTER + 8ull * 991, 8, 6);
	spi(&b, 991, true);
	assert_false(b.irq[6]);
	msr(&b, 5, EOIR1, 991);
	assert_true(b.irq[6]);
	end(&b);
}

static void a_vcpus_own_lines_are_its_own(void **state)
{
	struct bench b;

	begin(&b);
	put_own(&b, 1, ISENABLER, 1 << 27);
	put_own(&b, 2, ISENABLER, 1 << 27);
	ppi(&b, 1, 27, true);
	assert_true(b.irq[1] && !b.irq[2] && !b.irq[0]);
	assert_int_equal(own(&b, 1, ISPENDR), 1 << 27);
	assert_int_equal(own(&b, 2, ISPENDR), 0);
	assert_int_equal(mrs(&b, 1, IAR1), 27);
	ppi(&b, 1, 27, false);
	msr(&b, 1, EOIR1, 27);
	assert_false(b.irq[1]);
	assert_int_equal(gicv3_ops.own_line(b.chip, 0, 16, true), -EINVAL);
	assert_int_equal(gicv3_ops.own_line(b.chip, CPUS, 0, true), -EINVAL);
	end(&b);
}

static void lines_that_there_are_not_are_refused(void **state)
{
	struct bench b;

	begin_raw(&b);
	assert_int_equal(gicv3_ops.line(b.chip, 959, true), 0);
	assert_int_equal(gicv3_ops.line(b.chip, 960, true), -EINVAL);
	assert_int_equal(gicv3_ops.line(b.chip, UINT32_MAX - 31, true), -EINVAL);
	assert_int_equal(gicv3_ops.pulse(b.chip, 960), -EINVAL);
	end(&b);
}

static void who_sleeps_is_asked_to_wake_up(void **state)
{
	struct bench b;

	begin(&b);
	enable(&b, 40);
	msr(&b, 0, GRPEN1, 0);
	put_size(&b, redist_at(0, WAKER), 4, 2);
	assert_int_equal(at_size(&b, redist_at(0, WAKER), 4), 6);
	spi(&b, 40, true);
	assert_true(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), NONE);
	assert_int_equal(mrs(&b, 0, HPPIR1), NONE);
	put_size(&b, redist_at(0, WAKER), 4, 0);
	assert_int_equal(at_size(&b, redist_at(0, WAKER), 4), 0);
	assert_false(b.irq[0]);
	msr(&b, 0, GRPEN1, 1);
	assert_int_equal(mrs(&b, 0, IAR1), 40);
	end(&b);
}

static void a_reset_leaves_the_devices_lines(void **state)
{
	struct bench b;

	begin(&b);
	enable(&b, 40);
	put_own(&b, 0, ISENABLER, 1 << 27);
	ppi(&b, 0, 27, true);
	spi(&b, 40, true);
	(void)mrs(&b, 0, IAR1);
	msr(&b, 0, BPR1, 5);
	msr(&b, 0, ICC_CTL, 3);
	gicv3_ops.reset(b.chip);
	assert_false(b.irq[0]);
	assert_int_equal(dist(&b, CTLR), 0x50);
	assert_int_equal(dist(&b, ISENABLER + 4), 0);
	assert_int_equal(dist(&b, ISACTIVER + 4), 0);
	assert_int_equal(dist(&b, PRIORITY + 40), 0);
	assert_int_equal(dist(&b, IGROUPR + 4), 0);
	assert_int_equal(own(&b, 0, ISPENDR), 0);
	assert_int_equal(own(&b, 0, ICFGR), 0xaaaaaaaa);
	assert_int_equal(at_size(&b, redist_at(0, WAKER), 4), 6);
	assert_int_equal(mrs(&b, 0, PMR), 0);
	assert_int_equal(mrs(&b, 0, BPR1), 3);
	assert_int_equal(mrs(&b, 0, GRPEN1), 0);
	assert_int_equal(mrs(&b, 0, AP1R(0)), 0);
	assert_true(bit_of(&b, ISPENDR, 40));
	bring_up(&b);
	assert_false(b.irq[0]);
	enable(&b, 40);
	assert_true(b.irq[0]);
	end(&b);
}

static void too_many_vcpus_are_refused(void **state)
{
	const struct arch_irqchip_sink sink = { bench_line, NULL };
	struct bus *bus = bus_create();
	struct arch_irqchip *chip;
	struct error err = { .text = "" };
	const struct bus_range taken = { ARM_GICR, 4096, NULL, NULL, "taken" };

	assert_int_equal(gicv3_ops.create(bus, 0, &sink, &chip, &err), -E2BIG);
	assert_int_equal(gicv3_ops.create(bus, 513, &sink, &chip, &err), -E2BIG);
	assert_non_null(strstr(err.text, "512 vcpus"));
	assert_int_equal(gicv3_ops.create(bus, 512, &sink, &chip, &err), 0);
	gicv3_ops.destroy(chip);
	gicv3_ops.destroy(NULL);
	err.text[0] = '\0';
	assert_int_equal(bus_add(bus, &taken), 0);
	assert_int_equal(gicv3_ops.create(bus, 1, &sink, &chip, &err), -EBUSY);
	assert_non_null(strstr(err.text, "window is taken"));
	/* The other window was given back. */
	bus_remove(bus, ARM_GICR);
	assert_int_equal(gicv3_ops.create(bus, 1, &sink, &chip, &err), 0);
	gicv3_ops.destroy(chip);
	bus_destroy(bus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_it_is),
		cmocka_unit_test(redistributors_tell_whose_they_are),
		cmocka_unit_test(what_is_not_there_reads_as_zero),
		cmocka_unit_test(bitmaps_are_set_and_cleared_by_ones),
		cmocka_unit_test(registers_take_every_width),
		cmocka_unit_test(routers_have_two_halves),
		cmocka_unit_test(triggers_are_configured),
		cmocka_unit_test(a_level_is_delivered_until_it_is_down),
		cmocka_unit_test(an_edge_is_delivered_once),
		cmocka_unit_test(a_pulse_on_a_level_leaves_nothing),
		cmocka_unit_test(a_write_makes_pending),
		cmocka_unit_test(what_is_not_enabled_stays_pending),
		cmocka_unit_test(interrupts_go_where_they_are_routed),
		cmocka_unit_test(a_vcpus_own_lines_are_its_own),
		cmocka_unit_test(lines_that_there_are_not_are_refused),
		cmocka_unit_test(who_sleeps_is_asked_to_wake_up),
		cmocka_unit_test(a_reset_leaves_the_devices_lines),
		cmocka_unit_test(too_many_vcpus_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
