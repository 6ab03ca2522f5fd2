/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog without a hypervisor: time moves when a test moves it. */
#include <tenon/testkit.h>

enum { ID = 0, CONTROL = 4, PET = 8, STATUS = 12, LEFT = 16 };

static uint32_t get(struct tk_dev *d, uint32_t offset)
{
	return (uint32_t)tk_read(d, 0, offset, 4);
}

static void put(struct tk_dev *d, uint32_t offset, uint32_t value)
{
	tk_write(d, 0, offset, 4, value);
	tk_run_until_idle(d);
}

static struct tk_dev *running(const char *settings)
{
	struct tk_dev *d = tk_started("watchdog", settings);

	put(d, CONTROL, 1);
	return d;
}

TK_TEST(sleeps_until_it_is_wanted)
{
	struct tk_dev *d = tk_started("watchdog", "");

	TK_EQ(get(d, ID), 0x676f6457);
	tk_advance_ms(3600000);
	TK_EQ(get(d, STATUS), 0);
	TK_EQ(tk_irqs(d), 0);
	TK_EQ(tk_power_resets(d), 0);
}

TK_TEST(barks_after_a_period)
{
	struct tk_dev *d = running("period = 100;");

	tk_advance_ms(99);
	TK_EQ(get(d, STATUS), 0);
	TK_EQ(get(d, LEFT), 1);
	tk_advance_ms(1);
	TK_EQ(get(d, STATUS), 1);
	TK_EQ(tk_irq_level(d, 0), 1);
	TK_EQ(tk_power_resets(d), 0);
}

TK_TEST(a_pet_ends_the_bark)
{
	struct tk_dev *d = running("period = 100;");

	tk_advance_ms(150);
	put(d, PET, 0);
	TK_EQ(get(d, STATUS), 0);
	TK_EQ(tk_irq_level(d, 0), 0);
	TK_EQ(get(d, LEFT), 100);
}

TK_TEST(a_guest_that_pets_hears_nothing)
{
	struct tk_dev *d = running("period = 100;");

	for (int i = 0; i < 50; i++) {
		tk_advance_ms(60);
		put(d, PET, 1);
	}
	TK_EQ(tk_irqs(d), 0);
}

TK_TEST(bites_after_two_periods)
{
	struct tk_dev *d = running("period = 100;");

	tk_advance_ms(199);
	TK_EQ(tk_power_resets(d), 0);
	tk_advance_ms(1);
	TK_EQ(tk_power_resets(d), 1);
	TK_TRUE(tk_log_has("nobody pets the watchdog"));
	tk_advance_ms(1000);
	TK_EQ(tk_power_resets(d), 1);
}

TK_TEST(bites_as_it_is_told)
{
	struct tk_dev *d = running("period = 100; action = \"off\";");

	tk_advance_ms(200);
	TK_EQ(tk_power_resets(d), 0);
	TK_EQ(tk_power_offs(d), 1);
}

TK_TEST(a_pause_is_no_hang)
{
	struct tk_dev *d = running("period = 100;");

	tk_advance_ms(60);
	TK_EQ(tk_quiesce(d), 0);
	tk_advance_ms(5000);
	TK_EQ(tk_resume(d), 0);
	TK_EQ(get(d, LEFT), 40);
	tk_advance_ms(40);
	TK_EQ(get(d, STATUS), 1);
}

TK_TEST(a_reset_puts_it_to_sleep)
{
	struct tk_dev *d = running("period = 100;");

	tk_advance_ms(150);
	tk_reset(d);
	TK_EQ(get(d, CONTROL), 0);
	TK_EQ(tk_irq_level(d, 0), 0);
	tk_advance_ms(1000);
	TK_EQ(tk_power_resets(d), 0);
}

TK_TEST(half_a_register_is_none)
{
	struct tk_dev *d = running("period = 100;");

	TK_EQ(tk_read(d, 0, ID, 2), 0);
	TK_EQ(tk_read(d, 0, ID + 2, 4), 0);
	tk_write(d, 0, CONTROL, 1, 0);
	TK_EQ(get(d, CONTROL), 1);
}

TK_TEST(tells_the_guest_where_it_is)
{
	TK_HAS_TEXT(tk_describe(tk_started("watchdog", "")), "compatible=example,watchdog");
}

TK_TEST(settings_are_checked)
{
	TK_TRUE(tk_create("watchdog", "period = 0;") == NULL);
	TK_HAS_TEXT(tk_error(), "wanted a number from 1 to 86400000");
}

TK_TEST(every_fault_is_survived)
{
	TK_TRUE(tk_fault_sweep("watchdog", "") >= 4);
}

TK_TEST(no_guest_breaks_it)
{
	TK_TRUE(tk_hostile_run(running("")) > 0);
}

TK_TEST(goes_on_in_another_process)
{
	struct tk_dev *d = running("period = 100;");

	tk_advance_ms(60);
	d = tk_replace(d, "watchdog", "period = 100;");
	TK_EQ(get(d, CONTROL), 1);
	TK_EQ(get(d, LEFT), 40);
	tk_advance_ms(40);
	TK_EQ(get(d, STATUS), 1);
	d = tk_replace(d, "watchdog", "period = 100;");
	TK_EQ(tk_irq_level(d, 0), 1);
	tk_advance_ms(100);
	TK_EQ(tk_power_resets(d), 1);
}

TK_TEST(no_saved_state_breaks_it)
{
	struct tk_dev *d = running("");
	struct tk_state *s;

	TK_EQ(tk_quiesce(d), 0);
	s = tk_save(d);
	tk_destroy(d);
	TK_TRUE(tk_state_sweep(s, "watchdog", "") > tk_state_size(s));
}

TK_MAIN()
