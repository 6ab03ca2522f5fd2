/* SPDX-License-Identifier: Apache-2.0 */
/* goldfish: the time and its halves, setting it, the alarm, and what a hostile guest writes. */
#include <errno.h>

#include <tenon/testkit.h>

#define TIME_LOW     0x00u
#define TIME_HIGH    0x04u
#define ALARM_LOW    0x08u
#define ALARM_HIGH   0x0cu
#define IRQ_ENABLED  0x10u
#define CLEAR_ALARM  0x14u
#define ALARM_STATUS 0x18u
#define CLEAR_IRQ    0x1cu

#define MS 1000000ull

static uint64_t now(struct tk_dev *d)
{
	uint64_t low = tk_read(d, 0, TIME_LOW, 4);

	return tk_read(d, 0, TIME_HIGH, 4) << 32 | low;
}

static void set(struct tk_dev *d, uint64_t ns)
{
	tk_write(d, 0, TIME_HIGH, 4, ns >> 32);
	tk_write(d, 0, TIME_LOW, 4, ns & UINT32_MAX);
}

static void alarm_at(struct tk_dev *d, uint64_t ns)
{
	tk_write(d, 0, ALARM_HIGH, 4, ns >> 32);
	tk_write(d, 0, ALARM_LOW, 4, ns & UINT32_MAX);
	tk_write(d, 0, IRQ_ENABLED, 4, 1);
}

static void pass(struct tk_dev *d, unsigned ms)
{
	tk_advance_ms(ms);
	tk_run_until_idle(d);
}

TK_TEST(the_time_goes_on)
{
	struct tk_dev *d = tk_started("goldfish", "");
	uint64_t began = now(d);

	pass(d, 5000);
	TK_EQ(now(d) - began, 5000 * MS);
}

TK_TEST(the_time_can_be_set)
{
	struct tk_dev *d = tk_started("goldfish", "");

	set(d, 1234567890123456789ull);
	TK_EQ(now(d), 1234567890123456789ull);
	pass(d, 10);
	TK_EQ(now(d), 1234567890123456789ull + 10 * MS);
	tk_reset(d);
	TK_EQ(now(d), 1234567890123456789ull + 10 * MS);
}

TK_TEST(the_halves_belong_together)
{
	struct tk_dev *d = tk_started("goldfish", "");

	set(d, 0x1ffffffffull);
	TK_EQ(tk_read(d, 0, TIME_LOW, 4), 0xffffffff);
	pass(d, 1);
	TK_EQ(tk_read(d, 0, TIME_HIGH, 4), 1);
	TK_EQ(now(d) >> 32, 2);
}

TK_TEST(the_alarm_comes_when_it_is_due)
{
	struct tk_dev *d = tk_started("goldfish", "");

	alarm_at(d, now(d) + 100 * MS);
	TK_EQ(tk_read(d, 0, ALARM_STATUS, 4), 1);
	pass(d, 99);
	TK_EQ(tk_irq_level(d, 0), 0);
	pass(d, 2);
	TK_EQ(tk_irq_level(d, 0), 1);
	TK_EQ(tk_read(d, 0, ALARM_STATUS, 4), 0);
	tk_write(d, 0, CLEAR_IRQ, 4, 1);
	TK_EQ(tk_irq_level(d, 0), 0);
	pass(d, 1000);
	TK_EQ(tk_irq_level(d, 0), 0);
}

TK_TEST(an_alarm_in_the_past_comes_at_once)
{
	struct tk_dev *d = tk_started("goldfish", "");

	alarm_at(d, 1);
	TK_EQ(tk_irq_level(d, 0), 1);
}

TK_TEST(an_alarm_can_be_taken_back)
{
	struct tk_dev *d = tk_started("goldfish", "");

	alarm_at(d, now(d) + 100 * MS);
	tk_write(d, 0, CLEAR_ALARM, 4, 1);
	TK_EQ(tk_read(d, 0, ALARM_STATUS, 4), 0);
	pass(d, 200);
	TK_EQ(tk_irq_level(d, 0), 0);
}

TK_TEST(a_masked_alarm_waits)
{
	struct tk_dev *d = tk_started("goldfish", "");

	alarm_at(d, now(d) + 100 * MS);
	tk_write(d, 0, IRQ_ENABLED, 4, 0);
	pass(d, 200);
	TK_EQ(tk_irq_level(d, 0), 0);
	tk_write(d, 0, IRQ_ENABLED, 4, 1);
	TK_EQ(tk_irq_level(d, 0), 1);
}

TK_TEST(setting_the_time_moves_the_alarm)
{
	struct tk_dev *d = tk_started("goldfish", "");

	alarm_at(d, now(d) + 3600000 * MS);
	set(d, now(d) + 3601000 * MS);
	TK_EQ(tk_irq_level(d, 0), 1);
}

TK_TEST(an_alarm_at_the_end_of_time_is_no_harm)
{
	struct tk_dev *d = tk_started("goldfish", "");

	alarm_at(d, UINT64_MAX);
	pass(d, 1000);
	TK_EQ(tk_irq_level(d, 0), 0);
	TK_EQ(tk_read(d, 0, ALARM_HIGH, 4), UINT32_MAX);
	TK_EQ(tk_read(d, 0, ALARM_LOW, 4), UINT32_MAX);
}

TK_TEST(a_reset_takes_the_alarm_away)
{
	struct tk_dev *d = tk_started("goldfish", "");

	alarm_at(d, now(d) + 100 * MS);
	tk_reset(d);
	pass(d, 200);
	TK_EQ(tk_irq_level(d, 0), 0);
	TK_EQ(tk_read(d, 0, IRQ_ENABLED, 4), 0);
}

TK_TEST(a_pause_does_not_lose_the_alarm)
{
	struct tk_dev *d = tk_started("goldfish", "");

	alarm_at(d, now(d) + 100 * MS);
	TK_EQ(tk_quiesce(d), 0);
	pass(d, 200);
	TK_EQ(tk_irq_level(d, 0), 0);
	TK_EQ(tk_resume(d), 0);
	TK_EQ(tk_irq_level(d, 0), 1);
}

TK_TEST(other_sizes_do_nothing)
{
	struct tk_dev *d = tk_started("goldfish", "");

	TK_EQ(tk_read(d, 0, TIME_LOW, 8), 0);
	tk_write(d, 0, IRQ_ENABLED, 1, 1);
	TK_EQ(tk_read(d, 0, IRQ_ENABLED, 4), 0);
	TK_EQ(tk_read(d, 0, 0x20, 4), 0);
}

TK_TEST(it_is_in_the_device_tree)
{
	TK_HAS_TEXT(tk_describe(tk_started("goldfish", "")), "google,goldfish-rtc");
}

TK_TEST(registers_bear_anything)
{
	TK_TRUE(tk_hostile_run(tk_started("goldfish", "")) > 0);
}

TK_TEST(every_failure_unwinds)
{
	TK_TRUE(tk_fault_sweep("goldfish", "time = \"local\";") > 0);
}

TK_MAIN()
