/* SPDX-License-Identifier: Apache-2.0 */
/* Marks, on ports and in memory. */
#include <tenon/mmio.h>
#include <tenon/testkit.h>

TK_TEST(a_byte_written_to_port_80_is_a_mark)
{
	struct tk_dev *d = tk_started("bootmark", "");
	uint32_t space;
	uint64_t address, size, last = 0;

	TK_EQ(tk_window(d, 0, &space, &address, &size), 0);
	TK_EQ(space, TENON_SPACE_PIO);
	TK_EQ(address, 0x80);
	tk_write(d, 0, 0, 1, 0x41);
	tk_write(d, 0, 0, 1, 0x42);
	TK_EQ(tk_power_marks(d, &last), 2);
	TK_EQ(last, 0x42);
}

TK_TEST(the_last_mark_can_be_read_until_a_reset)
{
	struct tk_dev *d = tk_started("bootmark", "");

	tk_write(d, 0, 0, 1, 0x41);
	TK_EQ(tk_read(d, 0, 0, 1), 0x41);
	tk_quiesce(d);
	tk_reset(d);
	tk_resume(d);
	TK_EQ(tk_read(d, 0, 0, 1), 0);
}

TK_TEST(the_port_can_be_another)
{
	struct tk_dev *d = tk_started("bootmark", "port = \"0xe9\";");
	uint32_t space;
	uint64_t address, size;

	TK_EQ(tk_window(d, 0, &space, &address, &size), 0);
	TK_EQ(address, 0xe9);
	TK_HAS_TEXT(tk_describe(d), "bootmark");
}

TK_TEST(without_ports_it_is_a_word_in_memory)
{
	struct tk_dev *d;
	uint32_t space;
	uint64_t address, size, last = 0;

	tk_no_ports(1);
	d = tk_started("bootmark", "");
	TK_EQ(tk_window(d, 0, &space, &address, &size), 0);
	TK_EQ(space, TENON_SPACE_MMIO);
	tk_write(d, 0, 0, 4, 0x12345678);
	TK_EQ(tk_power_marks(d, &last), 1);
	TK_EQ(last, 0x12345678);
	TK_HAS_TEXT(tk_describe(d), "tenon,bootmark");
}

TK_TEST(registers_bear_anything)
{
	TK_TRUE(tk_hostile_run(tk_started("bootmark", "")) > 0);
}

TK_TEST(every_failure_unwinds)
{
	TK_TRUE(tk_fault_sweep("bootmark", "") > 0);
}

TK_TEST(the_last_mark_is_saved)
{
	struct tk_dev *d = tk_started("bootmark", "");

	tk_write(d, 0, 0, 1, 0x42);
	d = tk_replace(d, "bootmark", "");
	TK_EQ(tk_read(d, 0, 0, 1), 0x42);
	TK_EQ(tk_power_marks(d, NULL), 0);
}

TK_MAIN()
