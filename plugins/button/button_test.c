/* SPDX-License-Identifier: Apache-2.0 */
/* button: what a keyboard driver asks, the key, the interrupt, and bytes that nobody takes. */
#include <errno.h>

#include <tenon/testkit.h>

#define DATA    0u
#define CONTROL 4u

/* The next byte, or -1. */
static int next(struct tk_dev *d)
{
	uint64_t value = tk_read(d, 0, DATA, 4);

	return value & 0x8000 ? (int)(value & 0xff) : -1;
}

static void says(struct tk_dev *d, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		TK_EQ(next(d), (int)(uint8_t)bytes[i]);
	TK_EQ(next(d), -1);
}

TK_TEST(the_key_is_pressed_and_released)
{
	struct tk_dev *d = tk_device("button", "");

	tk_press_button(d);
	says(d, "\xe0\x37\xe0\xf0\x37", 5);
}

TK_TEST(it_says_how_many_bytes_wait)
{
	struct tk_dev *d = tk_device("button", "");

	TK_EQ(tk_read(d, 0, DATA, 4), 0);
	TK_EQ(tk_read(d, 0, CONTROL, 4), 0);
	tk_press_button(d);
	TK_EQ(tk_read(d, 0, CONTROL, 4), 0x100);
	TK_EQ(tk_read(d, 0, DATA, 4), 0x50000u | 0x80e0u);
	TK_EQ(tk_read(d, 0, DATA, 4), 0x40000u | 0x8037u);
}

TK_TEST(it_is_a_keyboard)
{
	struct tk_dev *d = tk_device("button", "");

	tk_write(d, 0, DATA, 4, 0xf2);
	says(d, "\xfa\xab\x83", 3);
	tk_write(d, 0, DATA, 4, 0xff);
	says(d, "\xfa\xaa", 2);
}

TK_TEST(every_other_byte_is_acknowledged)
{
	struct tk_dev *d = tk_device("button", "");

	for (unsigned byte = 0; byte < 256; byte++) {
		if (byte == 0xf2 || byte == 0xff)
			continue;
		tk_write(d, 0, DATA, 4, byte);
		says(d, "\xfa", 1);
	}
}

TK_TEST(the_interrupt_is_up_while_bytes_wait)
{
	struct tk_dev *d = tk_device("button", "");

	tk_press_button(d);
	TK_EQ(tk_irq_level(d, 0), 0);
	tk_write(d, 0, CONTROL, 4, 1);
	TK_EQ(tk_irq_level(d, 0), 1);
	TK_EQ(tk_read(d, 0, CONTROL, 4), 0x101);
	for (unsigned i = 0; i < 4; i++) {
		(void)next(d);
		TK_EQ(tk_irq_level(d, 0), 1);
	}
	(void)next(d);
	TK_EQ(tk_irq_level(d, 0), 0);
	tk_press_button(d);
	TK_EQ(tk_irq_level(d, 0), 1);
	tk_write(d, 0, CONTROL, 4, 0);
	TK_EQ(tk_irq_level(d, 0), 0);
}

TK_TEST(bytes_that_nobody_takes_are_dropped_whole)
{
	struct tk_dev *d = tk_device("button", "");
	unsigned n = 0;

	for (unsigned i = 0; i < 1000; i++)
		tk_press_button(d);
	while (next(d) >= 0)
		n++;
	TK_EQ(n, 30);
	for (unsigned i = 0; i < 1000; i++)
		tk_write(d, 0, DATA, 4, 0xf2);
	n = 0;
	while (next(d) >= 0)
		n++;
	TK_EQ(n, 30);
}

TK_TEST(other_sizes_and_places_do_nothing)
{
	struct tk_dev *d = tk_device("button", "");

	tk_press_button(d);
	TK_EQ(tk_read(d, 0, DATA, 1), 0);
	TK_EQ(tk_read(d, 0, DATA, 8), 0);
	TK_EQ(tk_read(d, 0, 2, 4), 0);
	tk_write(d, 0, CONTROL, 1, 1);
	TK_EQ(tk_irq_level(d, 0), 0);
	says(d, "\xe0\x37\xe0\xf0\x37", 5);
}

TK_TEST(a_reset_forgets)
{
	struct tk_dev *d = tk_device("button", "");

	tk_write(d, 0, CONTROL, 4, 1);
	tk_press_button(d);
	tk_reset(d);
	TK_EQ(tk_irq_level(d, 0), 0);
	TK_EQ(tk_read(d, 0, CONTROL, 4), 0);
	TK_EQ(next(d), -1);
}

TK_TEST(every_fault_is_survived)
{
	/* the window, its place, the line, the button; the table's node, name, window, line */
	TK_TRUE(tk_fault_sweep("button", "") >= 6);
}

TK_TEST(needs_its_services)
{
	tk_lack_service("tenon.power/1");
	TK_TRUE(tk_plugin_try(NULL) == NULL);
	TK_TRUE(tk_log_has("button: this core lacks a service that is needed"));
}

TK_TEST(stands_random_accesses)
{
	TK_EQ(tk_hostile_run(tk_device("button", "")), 1);
}

TK_MAIN()
