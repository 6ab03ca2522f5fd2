/* SPDX-License-Identifier: Apache-2.0 */
/* The GICv3's CPU interfaces: priorities, preemption, ending, groups, SGIs. */
#include "arch/aarch64/gicv3_bench.h"

static void raise(struct bench *b, uint32_t intid, uint8_t value)
{
	set_priority(b, intid, value);
	enable(b, intid);
	put_dist(b, ISPENDR + intid / 32 * 4ull, 1u << intid % 32);
}

static void the_highest_priority_comes_first(void **state)
{
	struct bench b;

	begin(&b);
	raise(&b, 50, 0x80);
	raise(&b, 60, 0x40);
	raise(&b, 70, 0x40);
	raise(&b, 80, 0xa0);
	set_own_priority(&b, 0, 3, 0x60);
	put_own(&b, 0, ISPENDR, 1 << 3);
	assert_int_equal(mrs(&b, 0, HPPIR1), 60);
	assert_int_equal(mrs(&b, 0, IAR1), 60);
	msr(&b, 0, EOIR1, 60);
	assert_int_equal(mrs(&b, 0, IAR1), 70);
	msr(&b, 0, EOIR1, 70);
	assert_int_equal(mrs(&b, 0, IAR1), 3);
	msr(&b, 0, EOIR1, 3);
	assert_int_equal(mrs(&b, 0, IAR1), 50);
	msr(&b, 0, EOIR1, 50);
	assert_int_equal(mrs(&b, 0, IAR1), 80);
	msr(&b, 0, EOIR1, 80);
	assert_int_equal(mrs(&b, 0, IAR1), NONE);
	end(&b);
}

static void the_mask_holds_back_its_own_and_lower(void **state)
{
	struct bench b;

	begin(&b);
	raise(&b, 50, 0x80);
	msr(&b, 0, PMR, 0x80);
	assert_false(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), NONE);
	/* What is pending is seen all the same. */
	assert_int_equal(mrs(&b, 0, HPPIR1), 50);
	msr(&b, 0, PMR, 0x88);
	assert_true(b.irq[0]);
	msr(&b, 0, PMR, 0xff);
	assert_int_equal(mrs(&b, 0, PMR), 0xf8);
	msr(&b, 0, PMR, 0x08);
	assert_int_equal(mrs(&b, 0, PMR), 0x08);
	end(&b);
}

static void the_lowest_priority_is_never_delivered(void **state)
{
	struct bench b;

	begin(&b);
	msr(&b, 0, PMR, 0xff);
	raise(&b, 50, 0xff);
	assert_false(b.irq[0]);
	set_priority(&b, 50, 0xf0);
	assert_true(b.irq[0]);
	end(&b);
}

static void higher_priorities_preempt(void **state)
{
	struct bench b;

	begin(&b);
	raise(&b, 50, 0x80);
	assert_int_equal(mrs(&b, 0, RPR), 0xff);
	assert_int_equal(mrs(&b, 0, IAR1), 50);
	assert_int_equal(mrs(&b, 0, RPR), 0x80);
	assert_int_equal(mrs(&b, 0, AP1R(0)), 1 << 16);
	raise(&b, 51, 0x80);
	assert_false(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), NONE);
	raise(&b, 52, 0x78);
	assert_true(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), 52);
	assert_int_equal(mrs(&b, 0, RPR), 0x78);
	assert_int_equal(mrs(&b, 0, AP1R(0)), 3 << 15);
	msr(&b, 0, EOIR1, 52);
	assert_int_equal(mrs(&b, 0, RPR), 0x80);
	assert_false(b.irq[0]);
	msr(&b, 0, EOIR1, 50);
	assert_true(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), 51);
	end(&b);
}

static void the_binary_point_makes_groups_of_priorities(void **state)
{
	struct bench b;

	begin(&b);
	assert_int_equal(mrs(&b, 0, BPR0), 2);
	assert_int_equal(mrs(&b, 0, BPR1), 3);
	msr(&b, 0, BPR0, 0);
	msr(&b, 0, BPR1, 0);
	assert_int_equal(mrs(&b, 0, BPR0), 2);
	assert_int_equal(mrs(&b, 0, BPR1), 3);
	/* With 5 the priorities 0x80 to 0xbf, by their bits 7 to 5, are of two groups. */
	msr(&b, 0, BPR1, 5);
	raise(&b, 50, 0xb0);
	assert_int_equal(mrs(&b, 0, IAR1), 50);
	assert_int_equal(mrs(&b, 0, RPR), 0xa0);
	raise(&b, 51, 0xa0);
	assert_false(b.irq[0]);
	raise(&b, 52, 0x98);
	assert_true(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), 52);
	assert_int_equal(mrs(&b, 0, RPR), 0x80);
	msr(&b, 0, EOIR1, 52);
	msr(&b, 0, EOIR1, 50);
	/* Within a group the order is by priority still. */
	raise(&b, 50, 0xb0);
	assert_int_equal(mrs(&b, 0, IAR1), 51);
	end(&b);
}

static void a_new_binary_point_is_for_what_is_active_too(void **state)
{
	struct bench b;

	begin(&b);
	raise(&b, 50, 0xa8);
	assert_int_equal(mrs(&b, 0, IAR1), 50);
	raise(&b, 51, 0xa8);
	msr(&b, 0, BPR1, 6);
	assert_false(b.irq[0]);
	raise(&b, 52, 0x78);
	assert_true(b.irq[0]);
	end(&b);
}

static void one_binary_point_may_serve_both_groups(void **state)
{
	struct bench b;

	begin(&b);
	msr(&b, 0, BPR1, 6);
	msr(&b, 0, BPR0, 4);
	msr(&b, 0, ICC_CTL, 1);
	assert_int_equal(mrs(&b, 0, BPR1), 5);
	msr(&b, 0, BPR1, 3);
	assert_int_equal(mrs(&b, 0, BPR1), 5);
	msr(&b, 0, BPR0, 7);
	assert_int_equal(mrs(&b, 0, BPR1), 7);
	/* Nothing preempts. */
	raise(&b, 50, 0xa0);
	assert_int_equal(mrs(&b, 0, IAR1), 50);
	assert_int_equal(mrs(&b, 0, RPR), 0);
	raise(&b, 51, 0);
	assert_false(b.irq[0]);
	msr(&b, 0, ICC_CTL, 0);
	assert_int_equal(mrs(&b, 0, BPR1), 6);
	end(&b);
}

static void ending_may_be_split(void **state)
{
	struct bench b;

	begin(&b);
	msr(&b, 0, DIR, 50);
	raise(&b, 50, 0x80);
	assert_int_equal(mrs(&b, 0, IAR1), 50);
	msr(&b, 0, DIR, 50); /* not in this mode */
	assert_true(bit_of(&b, ISACTIVER, 50));
	msr(&b, 0, EOIR1, 50);
	assert_false(bit_of(&b, ISACTIVER, 50));

	msr(&b, 0, ICC_CTL, 2);
	spi(&b, 50, true);
	assert_int_equal(mrs(&b, 0, IAR1), 50);
	msr(&b, 0, EOIR1, 50);
	assert_int_equal(mrs(&b, 0, RPR), 0xff);
	assert_true(bit_of(&b, ISACTIVER, 50));
	/* It is active, so it does not come again; others do. */
	assert_false(b.irq[0]);
	raise(&b, 51, 0xa0);
	assert_int_equal(mrs(&b, 0, IAR1), 51);
	msr(&b, 0, EOIR1, 51);
	msr(&b, 0, DIR, 51);
	msr(&b, 0, DIR, 50);
	assert_false(bit_of(&b, ISACTIVER, 50));
	assert_true(b.irq[0]);
	end(&b);
}

static void wrong_ends_end_nothing(void **state)
{
	static const uint32_t wrong[] = { 1020, 1021, 1022, 1023, 992, 8192, 0xffffff };
	struct bench b;

	begin(&b);
	msr(&b, 0, EOIR1, 50);
	raise(&b, 50, 0x80);
	assert_int_equal(mrs(&b, 0, IAR1), 50);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		msr(&b, 0, EOIR1, wrong[i]);
		msr(&b, 0, EOIR0, wrong[i]);
	}
	msr(&b, 0, EOIR0, 50); /* of the other group */
	assert_int_equal(mrs(&b, 0, RPR), 0x80);
	assert_true(bit_of(&b, ISACTIVER, 50));
	msr(&b, 0, ICC_CTL, 2);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		msr(&b, 0, DIR, wrong[i]);
	assert_true(bit_of(&b, ISACTIVER, 50));
	end(&b);
}

static void group_0_goes_to_fiq(void **state)
{
	struct bench b;

	begin(&b);
	put_dist(&b, CTLR, 3);
	put_dist(&b, IGROUPR + 4, ~(1u << 18));
	raise(&b, 50, 0x80);
	assert_true(!b.fiq[0] && !b.irq[0]);
	msr(&b, 0, GRPEN0, 1);
	assert_true(b.fiq[0] && !b.irq[0]);
	assert_int_equal(mrs(&b, 0, HPPIR0), 50);
	assert_int_equal(mrs(&b, 0, HPPIR1), NONE);
	assert_int_equal(mrs(&b, 0, IAR1), NONE);
	raise(&b, 51, 0x40);
	assert_true(!b.fiq[0] && b.irq[0]);
	put_dist(&b, ICPENDR + 4, 1 << 19);
	assert_int_equal(mrs(&b, 0, IAR0), 50);
	assert_false(b.fiq[0]);
	assert_int_equal(mrs(&b, 0, AP0R(0)), 1 << 16);
	assert_int_equal(mrs(&b, 0, AP1R(0)), 0);
	/* The priorities of both are one. */
	raise(&b, 52, 0x80);
	assert_false(b.irq[0]);
	raise(&b, 52, 0x70);
	assert_int_equal(mrs(&b, 0, IAR1), 52);
	msr(&b, 0, EOIR0, 50); /* not yet */
	assert_int_equal(mrs(&b, 0, RPR), 0x70);
	msr(&b, 0, EOIR1, 52);
	msr(&b, 0, EOIR0, 50);
	assert_int_equal(mrs(&b, 0, RPR), 0xff);
	end(&b);
}

static void a_group_that_is_off_delivers_nothing(void **state)
{
	struct bench b;

	begin(&b);
	raise(&b, 50, 0x80);
	assert_true(b.irq[0]);
	msr(&b, 0, GRPEN1, 0);
	assert_false(b.irq[0]);
	assert_int_equal(mrs(&b, 0, IAR1), NONE);
	assert_int_equal(mrs(&b, 0, GRPEN1), 0);
	msr(&b, 0, GRPEN1, 0xff);
	assert_int_equal(mrs(&b, 0, GRPEN1), 1);
	assert_int_equal(mrs(&b, 0, IAR1), 50);
	end(&b);
}

/* ---- software generated interrupts ---- */

static uint32_t who_has(struct bench *b, uint32_t sgi)
{
	uint32_t cpus = 0;

	for (uint32_t i = 0; i < CPUS; i++)
		cpus |= (own(b, i, ISPENDR) >> sgi & 1) << i;
	return cpus;
}

static uint64_t sgi_to(uint32_t intid, uint64_t aff1, uint32_t targets)
{
	return (uint64_t)intid << 24 | aff1 << 16 | targets;
}

static void sgis_are_addressed_by_affinity(void **state)
{
	struct bench b;

	begin(&b);
	msr(&b, 0, SGI1R, sgi_to(5, 0, 0x8006));
	assert_int_equal(who_has(&b, 5), 0x8006);
	assert_true(b.irq[1] && b.irq[2] && b.irq[15] && !b.irq[0]);
	assert_int_equal(mrs(&b, 2, IAR1), 5);
	msr(&b, 2, EOIR1, 5);
	assert_int_equal(who_has(&b, 5), 0x8002);
	/* Of the next group there are two. */
	msr(&b, 2, SGI1R, sgi_to(6, 1, 0xffff));
	assert_int_equal(who_has(&b, 6), 3 << 16);
	/* To oneself, too. */
	msr(&b, 17, SGI1R, sgi_to(7, 1, 2));
	assert_int_equal(who_has(&b, 7), 1 << 17);
	end(&b);
}

static void sgis_go_to_all_but_oneself(void **state)
{
	struct bench b;

	begin(&b);
	msr(&b, 3, SGI1R, sgi_to(5, 0x55, 0) | 1ull << 40);
	assert_int_equal(who_has(&b, 5), ((1 << CPUS) - 1) & ~(1 << 3));
	end(&b);
}

static void sgis_to_nobody_go_nowhere(void **state)
{
	struct bench b;

	begin(&b);
	msr(&b, 0, SGI1R, sgi_to(5, 2, 0xffff));
	msr(&b, 0, SGI1R, sgi_to(5, 0, 0));
	msr(&b, 0, SGI1R, sgi_to(5, 0, 0xffff) | 1ull << 32);
	msr(&b, 0, SGI1R, sgi_to(5, 0, 0xffff) | 1ull << 44);
	msr(&b, 0, SGI1R, sgi_to(5, 0, 0xffff) | 1ull << 48);
	assert_int_equal(who_has(&b, 5), 0);
	end(&b);
}

static void sgis_of_group_1_come_by_its_register_alone(void **state)
{
	struct bench b;

	begin(&b);
	msr(&b, 0, SGI0R, sgi_to(5, 0, 2));
	msr(&b, 0, ASGI1R, sgi_to(5, 0, 2));
	assert_int_equal(who_has(&b, 5), 0);
	put_own(&b, 1, IGROUPR, ~(1u << 5));
	msr(&b, 0, SGI0R, sgi_to(5, 0, 6));
	assert_int_equal(who_has(&b, 5), 2);
	put_own(&b, 1, ICPENDR, 1 << 5);
	msr(&b, 0, ASGI1R, sgi_to(5, 0, 6));
	assert_int_equal(who_has(&b, 5), 2);
	put_own(&b, 1, ICPENDR, 1 << 5);
	msr(&b, 0, SGI1R, sgi_to(5, 0, 6));
	assert_int_equal(who_has(&b, 5), 6);
	end(&b);
}

static void many_sgis_are_one(void **state)
{
	struct bench b;

	begin(&b);
	msr(&b, 0, SGI1R, sgi_to(5, 0, 2));
	msr(&b, 2, SGI1R, sgi_to(5, 0, 2));
	assert_int_equal(mrs(&b, 1, IAR1), 5);
	/* One that comes meanwhile is another one. */
	msr(&b, 0, SGI1R, sgi_to(5, 0, 2));
	msr(&b, 1, EOIR1, 5);
	assert_int_equal(mrs(&b, 1, IAR1), 5);
	msr(&b, 1, EOIR1, 5);
	assert_false(b.irq[1]);
	end(&b);
}

/* ---- the registers themselves ---- */

static void fixed_registers(void **state)
{
	struct bench b;

	begin_raw(&b);
	msr(&b, 0, SRE, 0);
	assert_int_equal(mrs(&b, 0, SRE), 7);
	msr(&b, 0, ICC_CTL, ~0ull);
	assert_int_equal(mrs(&b, 0, ICC_CTL), 0x8403);
	assert_int_equal(mrs(&b, 1, ICC_CTL), 0x8400);
	msr(&b, 0, AP1R(0), 0x80000001);
	assert_int_equal(mrs(&b, 0, AP1R(0)), 0x80000001);
	assert_int_equal(mrs(&b, 0, RPR), 0);
	msr(&b, 0, AP1R(0), 0x80000000);
	assert_int_equal(mrs(&b, 0, RPR), 0xf8);
	end(&b);
}

static void what_cannot_be_done_is_undefined(void **state)
{
	static const uint32_t not_read[] = { EOIR0, EOIR1, DIR, SGI1R, SGI0R, ASGI1R };
	static const uint32_t not_written[] = { IAR0, IAR1, HPPIR0, HPPIR1, RPR };
	struct bench b;

	begin(&b);
	for (size_t i = 0; i < sizeof(not_read) / sizeof(not_read[0]); i++)
		assert_false(access_sysreg(&b, 0, not_read[i], false, 0).sysreg.handled);
	for (size_t i = 0; i < sizeof(not_written) / sizeof(not_written[0]); i++)
		assert_false(access_sysreg(&b, 0, not_written[i], true, 0).sysreg.handled);
	/* With 32 levels there is one register of active priorities for each group. */
	for (uint32_t i = 1; i < 4; i++) {
		assert_false(access_sysreg(&b, 0, AP0R(i), false, 0).sysreg.handled);
		assert_false(access_sysreg(&b, 0, AP1R(i), true, 0).sysreg.handled);
	}
	end(&b);
}

static void other_registers_are_not_its(void **state)
{
	static const uint32_t others[] = { SYSREG(12, 0, 0), SYSREG(4, 6, 1), SYSREG(13, 0, 1),
		RISCV_CSR(0x15) };
	struct vcpu_exit exit = { .kind = VCPU_SYSREG };
	struct bench b;

	begin_raw(&b);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		exit.sysreg.id = others[i];
		assert_false(gicv3_ops.sysreg(b.chip, 0, &exit));
	}
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_priority_comes_first),
		cmocka_unit_test(the_mask_holds_back_its_own_and_lower),
		cmocka_unit_test(the_lowest_priority_is_never_delivered),
		cmocka_unit_test(higher_priorities_preempt),
		cmocka_unit_test(the_binary_point_makes_groups_of_priorities),
		cmocka_unit_test(a_new_binary_point_is_for_what_is_active_too),
		cmocka_unit_test(one_binary_point_may_serve_both_groups),
		cmocka_unit_test(ending_may_be_split),
		cmocka_unit_test(wrong_ends_end_nothing),
		cmocka_unit_test(group_0_goes_to_fiq),
		cmocka_unit_test(a_group_that_is_off_delivers_nothing),
		cmocka_unit_test(sgis_are_addressed_by_affinity),
		cmocka_unit_test(sgis_go_to_all_but_oneself),
		cmocka_unit_test(sgis_to_nobody_go_nowhere),
		cmocka_unit_test(sgis_of_group_1_come_by_its_register_alone),
		cmocka_unit_test(many_sgis_are_one),
		cmocka_unit_test(fixed_registers),
		cmocka_unit_test(what_cannot_be_done_is_undefined),
		cmocka_unit_test(other_registers_are_not_its),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
