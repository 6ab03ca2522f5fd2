/* SPDX-License-Identifier: Apache-2.0 */
/* The clock as drivers use it: ports 0x70 and 0x71. */
#include <tenon/testkit.h>

static uint8_t get(struct tk_dev *d, uint8_t cell)
{
	tk_write(d, 0, 0, 1, cell);
	return (uint8_t)tk_read(d, 0, 1, 1);
}

static void put(struct tk_dev *d, uint8_t cell, uint8_t value)
{
	tk_write(d, 0, 0, 1, cell);
	tk_write(d, 0, 1, 1, value);
}

static unsigned bcd(struct tk_dev *d, uint8_t cell)
{
	uint8_t v = get(d, cell);

	return (unsigned)(v >> 4) * 10 + (v & 0xf);
}

/* Sets it to the 5th of April 2031, 23:59:57, in BCD. */
static void set(struct tk_dev *d)
{
	put(d, 0x0b, 0x82);
	put(d, 0, 0x57);
	put(d, 2, 0x59);
	put(d, 4, 0x23);
	put(d, 7, 0x05);
	put(d, 8, 0x04);
	put(d, 9, 0x31);
	put(d, 0x32, 0x20);
	put(d, 0x0b, 0x02);
}

TK_TEST(it_begins_with_the_hosts_time)
{
	struct tk_dev *d = tk_started("rtc", "");
	uint32_t year = bcd(d, 0x32) * 100 + bcd(d, 9);

	TK_TRUE(year >= 1970 && year <= 2261);
	TK_TRUE(bcd(d, 8) >= 1 && bcd(d, 8) <= 12);
	TK_EQ(get(d, 0x0d), 0x80);
	TK_EQ(get(d, 0x0a) & 0x80, 0);
}

TK_TEST(it_runs_over_midnight)
{
	struct tk_dev *d = tk_started("rtc", "");

	set(d);
	TK_EQ(bcd(d, 0), 57);
	tk_advance_ms(3000);
	TK_EQ(bcd(d, 0), 0);
	TK_EQ(bcd(d, 2), 0);
	TK_EQ(bcd(d, 4), 0);
	TK_EQ(bcd(d, 7), 6);
	TK_EQ(bcd(d, 8), 4);
	TK_EQ(bcd(d, 9), 31);
	TK_EQ(get(d, 6), 1); /* a Sunday */
}

TK_TEST(binary_and_twelve_hours)
{
	struct tk_dev *d = tk_started("rtc", "");

	set(d);
	put(d, 0x0b, 0x04); /* binary, 12 hours */
	TK_EQ(get(d, 4), 0x80 | 11);
	TK_EQ(get(d, 2), 59);
	tk_advance_ms(3000);
	TK_EQ(get(d, 4), 12); /* midnight */
	put(d, 0x0b, 0x06);
	TK_EQ(get(d, 4), 0);
}

TK_TEST(held_registers_stand_still)
{
	struct tk_dev *d = tk_started("rtc", "");

	set(d);
	put(d, 0x0b, 0x82);
	tk_advance_ms(10000);
	TK_EQ(bcd(d, 0), 57);
	put(d, 0x0b, 0x02);
	TK_EQ(bcd(d, 0), 57);
}

TK_TEST(a_time_that_cannot_be_is_not_taken)
{
	struct tk_dev *d = tk_started("rtc", "");

	set(d);
	put(d, 0x32, 0xff);
	TK_EQ(bcd(d, 0x32), 20);
	put(d, 0x32, 0x00);
	TK_EQ(bcd(d, 0x32), 20);
}

TK_TEST(the_alarm_interrupts_once)
{
	struct tk_dev *d = tk_started("rtc", "");

	set(d);
	(void)get(d, 0x0c);
	put(d, 1, 0x01);
	put(d, 3, 0x00);
	put(d, 5, 0x00);
	put(d, 0x0b, 0x22);
	tk_advance_ms(3500);
	TK_EQ(tk_irqs(d), 0);
	tk_advance_ms(1000);
	TK_EQ(tk_irqs(d), 1);
	TK_EQ(get(d, 0x0c) & 0xe0, 0xa0);
	TK_EQ(get(d, 0x0c) & 0xe0, 0);
	tk_advance_ms(5000);
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(an_alarm_of_any_minute)
{
	struct tk_dev *d = tk_started("rtc", "");

	set(d);
	put(d, 1, 0x30);
	put(d, 3, 0xff);
	put(d, 5, 0xff);
	put(d, 0x0b, 0x22);
	for (unsigned i = 1; i <= 3; i++) {
		tk_advance_ms(60000);
		TK_EQ(tk_irqs(d), i);
		TK_EQ(get(d, 0x0c) & 0x20, 0x20);
	}
}

TK_TEST(each_second_interrupts)
{
	struct tk_dev *d = tk_started("rtc", "");

	(void)get(d, 0x0c);
	put(d, 0x0b, 0x12);
	for (unsigned i = 1; i <= 3; i++) {
		tk_advance_ms(1000);
		TK_EQ(tk_irqs(d), i);
		TK_EQ(get(d, 0x0c) & 0x90, 0x90);
	}
}

TK_TEST(the_periodic_rate)
{
	struct tk_dev *d = tk_started("rtc", "");

	put(d, 0x0a, 0x2a); /* 64 a second */
	put(d, 0x0b, 0x42);
	for (unsigned i = 0; i < 64; i++) {
		tk_advance_ns(15625000);
		TK_EQ(get(d, 0x0c) & 0x40, 0x40);
	}
	TK_EQ(tk_irqs(d), 64);
	put(d, 0x0b, 0x02);
	tk_advance_ms(1000);
	TK_EQ(tk_irqs(d), 64);
}

TK_TEST(a_reset_keeps_time_and_stops_interrupts)
{
	struct tk_dev *d = tk_started("rtc", "");

	set(d);
	put(d, 0x40, 0x5a);
	put(d, 0x0b, 0x12);
	tk_quiesce(d);
	tk_reset(d);
	tk_resume(d);
	TK_EQ(get(d, 0x40), 0x5a);
	TK_EQ(bcd(d, 0), 57);
	tk_irqs_clear(d);
	tk_advance_ms(2000);
	TK_EQ(tk_irqs(d), 0);
}

TK_TEST(no_interrupt_while_quiesced)
{
	struct tk_dev *d = tk_started("rtc", "");

	put(d, 0x0b, 0x12);
	tk_quiesce(d);
	tk_irqs_clear(d);
	tk_advance_ms(5000);
	TK_EQ(tk_irqs(d), 0);
	tk_resume(d);
	TK_EQ(get(d, 0x0c) & 0x90, 0x90);
}

TK_TEST(it_is_in_the_firmware_tables)
{
	struct tk_dev *d = tk_started("rtc", "");

	TK_HAS_TEXT(tk_describe(d), "hid=PNP0B00");
	TK_HAS_TEXT(tk_describe(d), "0x70+2");
	TK_EQ(tk_irq_number(d, 0), 8);
}

TK_TEST(a_platform_without_ports_has_no_such_clock)
{
	struct tk_dev *d;

	tk_no_ports(1);
	d = tk_create("rtc", "");
	TK_TRUE(tk_attach(d) < 0);
	TK_HAS_TEXT(tk_error(), "needs ports");
}

TK_TEST(registers_bear_anything)
{
	TK_TRUE(tk_hostile_run(tk_started("rtc", "")) > 0);
}

TK_TEST(every_failure_unwinds)
{
	TK_TRUE(tk_fault_sweep("rtc", "time = \"local\";") > 0);
}

TK_TEST(goes_on_in_another_process)
{
	struct tk_dev *d = tk_started("rtc", "");

	set(d);
	put(d, 0x20, 0x77); /* a cell of the guest's own */
	put(d, 0x0b, 0x12); /* interrupts each second */
	put(d, 0x0a, 0x26);
	tk_write(d, 0, 0, 1, 0x20);
	d = tk_replace(d, "rtc", "");
	TK_EQ(tk_read(d, 0, 0, 1), 0x20);
	TK_EQ(tk_read(d, 0, 1, 1), 0x77);
	TK_EQ(bcd(d, 9), 31);
	TK_EQ(bcd(d, 4), 23);
	TK_EQ(bcd(d, 0), 57);
	tk_irqs_clear(d);
	tk_advance_ms(3000);
	TK_EQ(tk_irqs(d), 1);
	TK_EQ(get(d, 0x0c), 0xb0); /* and midnight is the alarm as it was never set */
	TK_EQ(bcd(d, 7), 6);
	TK_EQ(bcd(d, 0), 0);
}

TK_TEST(its_rate_goes_on_in_another_process)
{
	struct tk_dev *d = tk_started("rtc", "");

	put(d, 0x0a, 0x2f); /* twice a second */
	put(d, 0x0b, 0x42);
	tk_advance_ms(300);
	d = tk_replace(d, "rtc", "");
	tk_advance_ms(199);
	TK_EQ(tk_irqs(d), 0);
	tk_advance_ms(1);
	TK_EQ(tk_irqs(d), 1);
}

TK_MAIN()
