/* SPDX-License-Identifier: Apache-2.0 */
/* pl031: the seconds, setting them, the alarm, the identity, and what a hostile guest writes. */
#include <string.h>

#include <tenon/testkit.h>

#define DATA    0x00u
#define MATCH   0x04u
#define LOAD    0x08u
#define CONTROL 0x0cu
#define MASK    0x10u
#define RAW     0x14u
#define MASKED  0x18u
#define CLEAR   0x1cu

static uint32_t get(struct tk_dev *d, uint64_t offset)
{
	return (uint32_t)tk_read(d, 0, offset, 4);
}

static void put(struct tk_dev *d, uint64_t offset, uint32_t value)
{
	tk_write(d, 0, offset, 4, value);
}

static void pass(struct tk_dev *d, unsigned ms)
{
	tk_advance_ms(ms);
	tk_run_until_idle(d);
}

TK_TEST(the_seconds_go_on)
{
	struct tk_dev *d = tk_started("pl031", "");
	uint32_t began = get(d, DATA);

	pass(d, 5000);
	TK_EQ(get(d, DATA) - began, 5);
	TK_EQ(get(d, CONTROL), 1);
	put(d, CONTROL, 0); /* it cannot be stopped */
	pass(d, 1000);
	TK_EQ(get(d, DATA) - began, 6);
}

TK_TEST(the_time_can_be_set_and_outlives_a_reset)
{
	struct tk_dev *d = tk_started("pl031", "");

	put(d, LOAD, 1234567890);
	TK_EQ(get(d, DATA), 1234567890);
	TK_EQ(get(d, LOAD), 1234567890);
	pass(d, 2000);
	tk_reset(d);
	TK_EQ(get(d, DATA), 1234567892);
	put(d, LOAD, 0xffffffff); /* and then the counter wraps */
	pass(d, 1000);
	TK_EQ(get(d, DATA), 0);
}

TK_TEST(the_alarm_comes_in_its_second)
{
	struct tk_dev *d = tk_started("pl031", "");

	put(d, LOAD, 1000);
	put(d, MASK, 1);
	put(d, MATCH, 1003);
	pass(d, 2999);
	TK_EQ(get(d, RAW), 0);
	TK_EQ(tk_irq_level(d, 0), 0);
	pass(d, 1);
	TK_EQ(get(d, RAW), 1);
	TK_EQ(get(d, MASKED), 1);
	TK_EQ(tk_irq_level(d, 0), 1);
	put(d, CLEAR, 1);
	TK_EQ(get(d, RAW), 0);
	TK_EQ(tk_irq_level(d, 0), 0);
	pass(d, 5000); /* once */
	TK_EQ(get(d, RAW), 0);
}

TK_TEST(a_masked_alarm_is_seen_and_not_heard)
{
	struct tk_dev *d = tk_started("pl031", "");

	put(d, LOAD, 1000);
	put(d, MATCH, 1001);
	pass(d, 1000);
	TK_EQ(get(d, RAW), 1);
	TK_EQ(get(d, MASKED), 0);
	TK_EQ(tk_irq_level(d, 0), 0);
	put(d, MASK, 1);
	TK_EQ(tk_irq_level(d, 0), 1);
	tk_reset(d);
	TK_EQ(tk_irq_level(d, 0), 0);
	TK_EQ(get(d, MASK), 0);
}

TK_TEST(the_second_that_is_matches_at_once)
{
	struct tk_dev *d = tk_started("pl031", "");

	put(d, MASK, 1);
	put(d, MATCH, get(d, DATA));
	TK_EQ(get(d, RAW), 1);
	put(d, CLEAR, 1);
	put(d, MATCH, get(d, DATA) - 1); /* in 136 years */
	pass(d, 10000);
	TK_EQ(get(d, RAW), 0);
	put(d, LOAD, get(d, MATCH)); /* or when the clock is set back */
	TK_EQ(get(d, RAW), 1);
}

TK_TEST(says_who_it_is)
{
	static const uint32_t bytes[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	struct tk_dev *d = tk_started("pl031", "");

	for (unsigned i = 0; i < 8; i++)
		TK_EQ(get(d, 0xfe0 + 4 * i), bytes[i]);
}

TK_TEST(is_described_with_both_names)
{
	struct tk_dev *d = tk_started("pl031", "");
	const char *text = tk_describe(d);

	TK_TRUE(text && strstr(text, "rtc: compatible=arm,pl031 compatible=arm,primecell mmio="));
	TK_TRUE(strstr(text, "irq="));
}

TK_TEST(goes_on_where_it_was_saved)
{
	struct tk_dev *d = tk_started("pl031", "");

	put(d, LOAD, 1000);
	put(d, MASK, 1);
	put(d, MATCH, 1010);
	pass(d, 4000);
	d = tk_replace(d, "pl031", "");
	TK_EQ(get(d, DATA), 1004);
	pass(d, 5999);
	TK_EQ(tk_irq_level(d, 0), 0);
	pass(d, 1);
	TK_EQ(tk_irq_level(d, 0), 1);
}

TK_TEST(a_pause_loses_no_alarm)
{
	struct tk_dev *d = tk_started("pl031", "");

	put(d, LOAD, 1000);
	put(d, MASK, 1);
	put(d, MATCH, 1002);
	TK_EQ(tk_quiesce(d), 0);
	tk_advance_ms(5000);
	TK_EQ(tk_irq_level(d, 0), 0);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_irq_level(d, 0), 1);
}

TK_TEST(other_sizes_do_nothing)
{
	struct tk_dev *d = tk_started("pl031", "");

	TK_EQ(tk_read(d, 0, DATA, 8), 0);
	tk_write(d, 0, MASK, 1, 1);
	TK_EQ(get(d, MASK), 0);
}

TK_TEST(registers_bear_anything)
{
	TK_TRUE(tk_hostile_run(tk_started("pl031", "")) > 0);
}

TK_TEST(every_failure_unwinds)
{
	TK_TRUE(tk_fault_sweep("pl031", "time = \"local\";") > 0);
}

TK_MAIN()
