/* SPDX-License-Identifier: Apache-2.0 */
/* power: switching off, resetting, the button, with ports and without. */
#include <errno.h>

#include <tenon/testkit.h>

#define SLEEP_CONTROL 0u
#define SLEEP_STATUS  1u
#define RESET         2u
#define S5            (0x20u | 5u << 2)

TK_TEST(sleeping_s5_switches_off)
{
	struct tk_dev *d = tk_device("power", "");

	tk_write(d, 0, SLEEP_CONTROL, 1, S5);
	TK_EQ(tk_power_offs(d), 1);
	TK_EQ(tk_power_resets(d), 0);
}

TK_TEST(other_sleep_states_do_nothing)
{
	struct tk_dev *d = tk_device("power", "");

	for (unsigned v = 0; v < 256; v++)
		if ((v & 0x3c) != S5)
			tk_write(d, 0, SLEEP_CONTROL, 1, v);
	TK_EQ(tk_power_offs(d), 0);
	TK_EQ(tk_power_resets(d), 0);
}

TK_TEST(the_bits_beside_type_and_enable_do_not_matter)
{
	struct tk_dev *d = tk_device("power", "");

	tk_write(d, 0, SLEEP_CONTROL, 1, S5 | 0xc3);
	TK_EQ(tk_power_offs(d), 1);
}

TK_TEST(the_reset_value_resets)
{
	struct tk_dev *d = tk_device("power", "");

	for (unsigned v = 0; v < 256; v++)
		if (v != 1)
			tk_write(d, 0, RESET, 1, v);
	TK_EQ(tk_power_resets(d), 0);
	tk_write(d, 0, RESET, 1, 1);
	TK_EQ(tk_power_resets(d), 1);
	TK_EQ(tk_power_offs(d), 0);
}

TK_TEST(the_status_says_nothing)
{
	struct tk_dev *d = tk_device("power", "");

	for (unsigned at = 0; at < 4; at++)
		TK_EQ(tk_read(d, 0, at, 1), 0);
	tk_write(d, 0, SLEEP_STATUS, 1, 0xff);
	tk_write(d, 0, 3, 1, 1);
	TK_EQ(tk_power_offs(d) + tk_power_resets(d), 0);
	TK_EQ(tk_read(d, 0, SLEEP_STATUS, 1), 0);
}

TK_TEST(the_registers_are_ports)
{
	struct tk_dev *d = tk_device("power", "");
	uint32_t space;
	uint64_t address, size;

	TK_EQ(tk_window(d, 0, &space, &address, &size), 0);
	TK_EQ(space, 1);
	TK_EQ(address, 0x604);
	TK_EQ(size, 4);
	TK_EQ(tk_window(d, 1, &space, &address, &size), 0);
	TK_EQ(space, 1);
	TK_EQ(address, 0x64);
	TK_EQ(tk_window(d, 2, &space, &address, &size), -ENOENT);
}

TK_TEST(the_keyboard_controller_resets)
{
	struct tk_dev *d = tk_device("power", "");

	TK_EQ(tk_read(d, 1, 0, 1), 0);
	for (unsigned v = 0; v < 256; v++)
		if (v < 0xf0 || (v & 1))
			tk_write(d, 1, 0, 1, v);
	TK_EQ(tk_power_resets(d), 0);
	tk_write(d, 1, 0, 1, 0xfe);
	TK_EQ(tk_power_resets(d), 1);
	tk_write(d, 1, 0, 1, 0xf0);
	TK_EQ(tk_power_resets(d), 2);
}

TK_TEST(the_keyboard_controller_can_be_left_out)
{
	struct tk_dev *d = tk_device("power", "i8042 = false;");
	uint32_t space;
	uint64_t address, size;

	TK_EQ(tk_window(d, 1, &space, &address, &size), -ENOENT);
}

TK_TEST(without_ports_there_is_the_button_alone)
{
	struct tk_dev *d;
	uint32_t space;
	uint64_t address, size;

	tk_no_ports(1);
	d = tk_device("power", "irq = 9;");
	TK_EQ(tk_window(d, 0, &space, &address, &size), -ENOENT);
	TK_STR(tk_describe(d), "power-button: irq=9\n");
	tk_press_button(d);
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(the_button_is_an_edge)
{
	struct tk_dev *d = tk_device("power", "");

	TK_EQ(tk_irqs(d), 0);
	tk_press_button(d);
	TK_EQ(tk_irqs(d), 1);
	tk_press_button(d);
	TK_EQ(tk_irqs(d), 2);
}

TK_TEST(describes_itself)
{
	struct tk_dev *d = tk_device("power", "irq = 9;");

	TK_STR(tk_describe(d),
		"power-registers: pio=0x604 sleep-control=0 sleep-status=1 reset=2 reset-value=1\n"
		"power-button: irq=9\n");
}

TK_TEST(a_reset_changes_nothing)
{
	struct tk_dev *d = tk_device("power", "");

	tk_reset(d);
	tk_write(d, 0, SLEEP_CONTROL, 1, S5);
	TK_EQ(tk_power_offs(d), 1);
	TK_EQ(tk_quiesce(d), 0);
	TK_EQ(tk_resume(d), 0);
	tk_press_button(d);
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(ports_that_are_taken_are_refused)
{
	struct tk_dev *first = tk_device("power", ""), *second;

	second = tk_create("power", "name = \"second\";");
	TK_EQ(tk_attach(second), -EBUSY);
	TK_HAS_TEXT(tk_error(), "second: ");
	tk_write(first, 0, SLEEP_CONTROL, 1, S5);
	TK_EQ(tk_power_offs(first), 1);
}

TK_TEST(every_fault_is_survived)
{
	/* two windows, two places, the line, the button; the table's registers and button */
	TK_EQ(tk_fault_sweep("power", ""), 8);
	tk_no_ports(1);
	TK_TRUE(tk_fault_sweep("power", "") >= 3);
}

TK_TEST(needs_its_services)
{
	tk_lack_service("tenon.power/1");
	TK_TRUE(tk_plugin_try(NULL) == NULL);
	TK_TRUE(tk_log_has("power: this core lacks a service that is needed"));
}

TK_TEST(stands_random_accesses)
{
	TK_EQ(tk_hostile_run(tk_device("power", "")), 2);
}

TK_MAIN()
