/* SPDX-License-Identifier: Apache-2.0 */
/* serial: the 16550's registers, its interrupts, both directions, loopback, life. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tenon/testkit.h>

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define ROOM 64u /* of each FIFO */

static unsigned in(struct tk_dev *d, unsigned reg)
{
	return (unsigned)tk_read(d, 0, reg, 1);
}

static void out(struct tk_dev *d, unsigned reg, unsigned value)
{
	tk_write(d, 0, reg, 1, value);
}

static void puts_out(struct tk_dev *d, const char *text)
{
	for (; *text; text++)
		out(d, DATA, (unsigned char)*text);
}

/* ---- registers ---- */

TK_TEST(begins_as_after_power_on)
{
	struct tk_dev *d = tk_device("serial", "");

	TK_EQ(in(d, IER), 0);
	TK_EQ(in(d, IIR), 0x01);
	TK_EQ(in(d, LCR), 0);
	TK_EQ(in(d, MCR), 0x08);
	TK_EQ(in(d, LSR), 0x60);
	TK_EQ(in(d, MSR), 0xb0);
	TK_EQ(in(d, SCR), 0);
	TK_EQ(in(d, DATA), 0);
}

TK_TEST(the_scratch_register_keeps)
{
	struct tk_dev *d = tk_device("serial", "");

	out(d, SCR, 0xa5);
	TK_EQ(in(d, SCR), 0xa5);
}

TK_TEST(registers_mask_what_they_do_not_have)
{
	struct tk_dev *d = tk_device("serial", "");

	out(d, IER, 0xf0);
	TK_EQ(in(d, IER), 0);
	out(d, MCR, 0xff);
	TK_EQ(in(d, MCR), 0x1f);
	out(d, LSR, 0xff);
	TK_EQ(in(d, LSR), 0x60);
	out(d, MCR, 0);
	out(d, MSR, 0xff);
	TK_EQ(in(d, MSR), 0xb0);
}

TK_TEST(the_divisor_is_behind_dlab)
{
	struct tk_dev *d = tk_device("serial", "");

	out(d, LCR, 0x83);
	TK_EQ(in(d, DATA), 12);
	out(d, DATA, 1);
	out(d, IER, 2);
	TK_EQ(in(d, DATA), 1);
	TK_EQ(in(d, IER), 2);
	out(d, LCR, 0x03);
	TK_EQ(in(d, IER), 0);
	TK_EQ(in(d, DATA), 0);
	TK_EQ(tk_output_size(), 0);
}

TK_TEST(the_fifo_shows_in_iir)
{
	struct tk_dev *d = tk_device("serial", "");

	out(d, IIR, 0x07);
	TK_EQ(in(d, IIR), 0xc1);
	out(d, IIR, 0);
	TK_EQ(in(d, IIR), 0x01);
}

TK_TEST(wide_accesses_do_nothing)
{
	struct tk_dev *d = tk_device("serial", "");

	tk_write(d, 0, DATA, 2, 0x4141);
	tk_write(d, 0, DATA, 4, 0x41414141);
	TK_EQ(tk_read(d, 0, LCR, 2), 0);
	TK_EQ(tk_output_size(), 0);
	TK_EQ(in(d, IER), 0);
}

/* ---- output ---- */

TK_TEST(writes_what_the_guest_sends)
{
	struct tk_dev *d = tk_device("serial", "");

	puts_out(d, "boot\r\n");
	TK_STR(tk_output(), "boot\r\n");
	TK_EQ(in(d, LSR), 0x60);
}

TK_TEST(writes_raw_bytes)
{
	struct tk_dev *d = tk_device("serial", "");

	for (unsigned i = 0; i < 256; i++) {
		out(d, DATA, i);
		TK_EQ((unsigned char)tk_output()[i], i);
	}
}

TK_TEST(a_full_terminal_makes_the_transmitter_busy)
{
	struct tk_dev *d = tk_device("serial", "");

	tk_output_room(0);
	for (unsigned i = 0; i < ROOM; i++) {
		TK_EQ(in(d, LSR) & 0x20, 0x20);
		out(d, DATA, 'a');
	}
	TK_EQ(in(d, LSR) & 0x60, 0);
	tk_output_room(10);
	tk_run_until_idle(d);
	TK_EQ(in(d, LSR) & 0x60, 0x20);
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_EQ(in(d, LSR) & 0x60, 0x60);
	TK_EQ(tk_output_size(), ROOM);
}

TK_TEST(a_busy_transmitter_interrupts_when_there_is_room)
{
	struct tk_dev *d = tk_device("serial", "");

	tk_output_room(0);
	for (unsigned i = 0; i < ROOM; i++)
		out(d, DATA, 'a');
	out(d, IER, 0x02);
	(void)in(d, IIR);
	tk_irqs_clear(d);
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_EQ(tk_irqs(d), 1);
	TK_EQ(in(d, IIR), 0x02);
}

TK_TEST(output_can_go_nowhere)
{
	struct tk_dev *d = tk_device("serial", "output = \"none\";");

	for (unsigned i = 0; i < 300; i++)
		out(d, DATA, 'x');
	TK_EQ(in(d, LSR), 0x60);
	TK_EQ(tk_output_size(), 0);
}

static char path[] = "/tmp/serial-test-XXXXXX";

static const char *file_setting(void)
{
	static char setting[128];
	int fd = mkstemp(path);

	TK_TRUE(fd >= 0);
	(void)close(fd);
	(void)snprintf(setting, sizeof(setting), "output = \"file\"; path = \"%s\";", path);
	return setting;
}

static void check_file(const char *wanted)
{
	char text[256];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	(void)close(fd);
	(void)unlink(path);
	TK_TRUE(n >= 0);
	text[n] = '\0';
	TK_STR(text, wanted);
}

TK_TEST(output_can_go_to_a_file)
{
	struct tk_dev *d = tk_device("serial", file_setting());

	puts_out(d, "to the file");
	tk_destroy(d);
	TK_EQ(tk_output_size(), 0);
	check_file("to the file");
}

TK_TEST(a_file_is_appended_to)
{
	const char *setting = file_setting();
	struct tk_dev *d = tk_device("serial", setting);

	puts_out(d, "one ");
	tk_destroy(d);
	d = tk_device("serial", setting);
	puts_out(d, "two");
	tk_destroy(d);
	check_file("one two");
}

TK_TEST(a_write_that_fails_is_said)
{
	struct tk_dev *d = tk_device("serial", file_setting());

	tk_fail_nth(TK_FAIL_WRITE, 1);
	puts_out(d, "ab");
	TK_TRUE(tk_log_has("serial: cannot write to \"/tmp/serial-test-"));
	tk_destroy(d);
	check_file("b");
}

TK_TEST(a_write_that_is_interrupted_loses_nothing)
{
	struct tk_dev *d = tk_device("serial", file_setting());

	tk_fail_nth(TK_FAIL_WRITE, 1);
	tk_fail_as(EINTR);
	puts_out(d, "ab");
	TK_TRUE(tk_fail_fired());
	tk_destroy(d);
	check_file("ab");
}

TK_TEST(a_file_needs_a_path_and_a_path_a_file)
{
	TK_TRUE(tk_create("serial", "output = \"file\";") == NULL);
	TK_STR(tk_error(), "serial: output = \"file\" needs a path");
	TK_TRUE(tk_create("serial", "path = \"x\";") == NULL);
	TK_STR(tk_error(), "serial: a path is of use only with output = \"file\"");
}

TK_TEST(a_file_that_cannot_be_opened_is_said)
{
	struct tk_dev *d = tk_create("serial", "output = \"file\"; path = \"/nowhere/at/all\";");

	TK_EQ(tk_attach(d), -ENOENT);
	TK_HAS_TEXT(tk_error(), "serial: cannot open \"/nowhere/at/all\": No such file");
}

/* ---- input ---- */

TK_TEST(receives_what_is_typed)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	tk_type("hi");
	tk_run_until_idle(d);
	TK_EQ(in(d, LSR) & 0x03, 0x01);
	TK_EQ(in(d, DATA), 'h');
	TK_EQ(in(d, DATA), 'i');
	TK_EQ(in(d, LSR) & 0x01, 0);
}

TK_TEST(takes_no_input_unless_told_to)
{
	struct tk_dev *d = tk_device("serial", "");

	tk_type("hi");
	tk_run_until_idle(d);
	TK_EQ(in(d, LSR) & 0x01, 0);
	TK_EQ(in(d, DATA), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_input_left(), 2);
}

/* Nothing is lost: what does not fit stays with the terminal. */
TK_TEST(a_full_fifo_makes_input_wait)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	for (unsigned i = 0; i < 200; i++)
		tk_type_bytes(&i, 1);
	tk_run_until_idle(d);
	TK_EQ(tk_input_left(), 200 - ROOM);
	TK_EQ(in(d, LSR) & 0x02, 0);
	for (unsigned i = 0; i < 200; i++) {
		TK_EQ(in(d, LSR) & 0x01, 1);
		TK_EQ(in(d, DATA), i);
		tk_run_until_idle(d);
	}
	TK_EQ(in(d, LSR) & 0x01, 0);
}

TK_TEST(clearing_the_fifo_lets_input_in)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	for (unsigned i = 0; i < ROOM + 5; i++)
		tk_type("x");
	tk_run_until_idle(d);
	out(d, IIR, 0x03);
	TK_EQ(in(d, LSR) & 0x01, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_input_left(), 0);
	TK_EQ(in(d, LSR) & 0x01, 1);
}

TK_TEST(a_terminal_that_another_has_is_said)
{
	struct tk_dev *a = tk_device("serial", "name = \"a\"; input = true;");
	struct tk_dev *b =
		tk_device("serial", "name = \"b\"; input = true; port = \"0x2f8\"; irq = 3;");

	TK_TRUE(tk_log_has("b: another device has the terminal's input"));
	tk_type("x");
	tk_run_until_idle(a);
	TK_EQ(in(a, DATA), 'x');
	TK_EQ(in(b, LSR) & 0x01, 0);
	TK_EQ(tk_quiesce(b), 0);
	TK_EQ(tk_resume(b), 0);
}

/* ---- interrupts ---- */

TK_TEST(received_data_interrupts)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	out(d, IER, 0x01);
	TK_EQ(tk_irqs(d), 0);
	tk_type("ab");
	tk_run_until_idle(d);
	TK_EQ(tk_irqs(d), 1);
	TK_EQ(in(d, IIR), 0x04);
	(void)in(d, DATA);
	TK_EQ(in(d, IIR), 0x04);
	TK_EQ(tk_irqs(d), 2); /* one is served, the other stands */
	(void)in(d, DATA);
	TK_EQ(in(d, IIR), 0x01);
	TK_EQ(tk_irqs(d), 2);
}

TK_TEST(enabling_the_interrupt_finds_what_waits)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	tk_type("a");
	tk_run_until_idle(d);
	TK_EQ(tk_irqs(d), 0);
	out(d, IER, 0x01);
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(an_empty_transmitter_interrupts_once)
{
	struct tk_dev *d = tk_device("serial", "");

	out(d, IER, 0x02);
	TK_EQ(tk_irqs(d), 1);
	TK_EQ(in(d, IIR), 0x02);
	TK_EQ(in(d, IIR), 0x01); /* reading it was the answer */
	out(d, DATA, 'a');
	TK_EQ(tk_irqs(d), 2);
	TK_EQ(in(d, IIR), 0x02);
}

TK_TEST(data_goes_before_the_transmitter)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	out(d, IER, 0x03);
	tk_type("a");
	tk_run_until_idle(d);
	TK_EQ(in(d, IIR), 0x04);
	(void)in(d, DATA);
	TK_EQ(in(d, IIR), 0x02);
	TK_EQ(in(d, IIR), 0x01);
}

TK_TEST(no_interrupt_that_is_not_enabled)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	tk_type("abc");
	tk_run_until_idle(d);
	out(d, DATA, 'x');
	TK_EQ(tk_irqs(d), 0);
	TK_EQ(in(d, IIR), 0x01);
}

/* ---- loopback ---- */

TK_TEST(loopback_gives_back_what_is_sent)
{
	struct tk_dev *d = tk_device("serial", "");

	out(d, MCR, 0x10);
	out(d, DATA, 'x');
	TK_EQ(in(d, LSR) & 0x61, 0x61);
	TK_EQ(in(d, DATA), 'x');
	TK_EQ(tk_output_size(), 0);
}

TK_TEST(loopback_joins_the_modem_lines)
{
	struct tk_dev *d = tk_device("serial", "");
	static const unsigned lines[][2] = { { 0x01, 0x20 }, { 0x02, 0x10 }, { 0x04, 0x40 },
		{ 0x08, 0x80 }, { 0x0f, 0xf0 }, { 0, 0 } };

	for (unsigned i = 0; i < 6; i++) {
		out(d, MCR, 0x10 | lines[i][0]);
		TK_EQ(in(d, MSR) & 0xf0, lines[i][1]);
	}
	out(d, MCR, 0x08);
	TK_EQ(in(d, MSR), 0xb0);
}

TK_TEST(loopback_overruns)
{
	struct tk_dev *d = tk_device("serial", "");

	out(d, MCR, 0x10);
	out(d, IER, 0x04);
	for (unsigned i = 0; i < ROOM; i++)
		out(d, DATA, i);
	TK_EQ(tk_irqs(d), 0);
	out(d, DATA, 99);
	TK_EQ(tk_irqs(d), 1);
	TK_EQ(in(d, IIR), 0x06);
	TK_EQ(in(d, LSR) & 0x03, 0x03);
	TK_EQ(in(d, LSR) & 0x03, 0x01); /* reading clears the overrun */
	TK_EQ(in(d, IIR), 0x01);
	for (unsigned i = 0; i < ROOM; i++)
		TK_EQ(in(d, DATA), i);
}

/* The receiver is cut off from the line meanwhile. */
TK_TEST(loopback_keeps_typed_bytes_out)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	out(d, MCR, 0x18);
	tk_type("typed");
	tk_run_until_idle(d);
	TK_EQ(in(d, LSR) & 0x01, 0);
	out(d, DATA, 'x');
	TK_EQ(in(d, DATA), 'x');
	TK_EQ(tk_input_left(), 5);
	out(d, MCR, 0x08);
	tk_run_until_idle(d);
	TK_EQ(in(d, DATA), 't');
}

/* ---- where it is ---- */

TK_TEST(is_where_com1_is)
{
	struct tk_dev *d = tk_device("serial", "");

	TK_STR(tk_describe(d), "serial: compatible=ns16550a hid=PNP0501 pio=0x3f8+8 irq=4 "
			       "clock-frequency=1843200\n");
}

TK_TEST(can_be_elsewhere)
{
	struct tk_dev *d = tk_device("serial", "port = \"0x2e8\"; irq = 7;");

	TK_HAS_TEXT(tk_describe(d), " pio=0x2e8+8 irq=7 ");
}

TK_TEST(without_ports_there_is_a_window)
{
	struct tk_dev *d;

	tk_no_ports(1);
	d = tk_device("serial", "");
	TK_HAS_TEXT(tk_describe(d), " mmio=0x");
	puts_out(d, "mmio");
	TK_STR(tk_output(), "mmio");
	tk_write(d, 0, 8, 1, 'x');
	TK_EQ(tk_read(d, 0, 8, 1), 0);
	TK_STR(tk_output(), "mmio");
}

TK_TEST(a_port_that_is_taken_is_refused)
{
	struct tk_dev *d;

	(void)tk_device("serial", "");
	d = tk_create("serial", "name = \"second\";");
	TK_EQ(tk_attach(d), -EBUSY);
	TK_HAS_TEXT(tk_error(), "second: ");
}

/* ---- life ---- */

TK_TEST(a_reset_is_as_power_on)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	out(d, IER, 0x0f);
	out(d, IIR, 0x01);
	out(d, LCR, 0x03);
	out(d, SCR, 7);
	out(d, MCR, 0x0b);
	tk_type("x");
	tk_run_until_idle(d);
	tk_reset(d);
	TK_EQ(in(d, IER), 0);
	TK_EQ(in(d, IIR), 0x01);
	TK_EQ(in(d, LCR), 0);
	TK_EQ(in(d, SCR), 0);
	TK_EQ(in(d, MCR), 0x08);
	TK_EQ(in(d, LSR), 0x60);
}

TK_TEST(a_reset_lets_input_in_again)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	for (unsigned i = 0; i < ROOM + 3; i++)
		tk_type("x");
	tk_run_until_idle(d);
	TK_EQ(tk_input_left(), 3);
	tk_reset(d);
	tk_run_until_idle(d);
	TK_EQ(tk_input_left(), 0);
}

/* The last words before a reboot are the ones that are wanted. */
TK_TEST(a_reset_keeps_what_was_to_be_written)
{
	struct tk_dev *d = tk_device("serial", "");

	tk_output_room(2);
	puts_out(d, "panic");
	tk_reset(d);
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "panic");
}

TK_TEST(nothing_moves_while_it_is_quiesced)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	tk_output_room(0);
	for (unsigned i = 0; i < ROOM; i++)
		out(d, DATA, 'a');
	out(d, IER, 0x03);
	(void)in(d, IIR);
	tk_irqs_clear(d);
	TK_EQ(tk_quiesce(d), 0);
	tk_type("x");
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_EQ(tk_irqs(d), 0);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_TRUE(tk_irqs(d) > 0);
	TK_EQ(in(d, IIR), 0x04);
	TK_EQ(in(d, DATA), 'x');
	TK_EQ(tk_output_size(), ROOM);
}

TK_TEST(every_fault_is_survived)
{
	TK_TRUE(tk_fault_sweep("serial", "input = true;") >= 9);
	TK_TRUE(tk_fault_sweep("serial", file_setting()) >= 8);
	(void)unlink(path);
	tk_no_ports(1);
	TK_TRUE(tk_fault_sweep("serial", "output = \"none\";") >= 8);
}

TK_TEST(needs_its_services)
{
	tk_lack_service("tenon.irq/1");
	TK_TRUE(tk_plugin_try(NULL) == NULL);
	TK_TRUE(tk_log_has("serial: this core lacks a service that is needed"));
}

TK_TEST(stands_random_accesses)
{
	TK_EQ(tk_hostile_run(tk_device("serial", "input = true;")), 1);
}

/* ---- state ---- */

TK_TEST(goes_on_in_another_process)
{
	struct tk_dev *d = tk_device("serial", "input = true;");

	out(d, LCR, 0x1b);
	out(d, SCR, 0x5a);
	out(d, MCR, 0x0b);
	tk_type("abc");
	tk_run_until_idle(d);
	TK_EQ(in(d, DATA), 'a');
	tk_output_room(0);
	puts_out(d, "last words");
	out(d, IER, 0x01);
	d = tk_replace(d, "serial", "input = true;");
	TK_EQ(in(d, LCR), 0x1b);
	TK_EQ(in(d, SCR), 0x5a);
	TK_EQ(in(d, MCR), 0x0b);
	TK_EQ(in(d, IER), 0x01);
	TK_EQ(in(d, LSR), 0x21);
	TK_EQ(in(d, IIR), 0x04);
	TK_EQ(in(d, DATA), 'b');
	TK_EQ(in(d, DATA), 'c');
	tk_type("d");
	tk_run_until_idle(d);
	TK_EQ(in(d, DATA), 'd');
	TK_STR(tk_output(), "");
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "last words");
	TK_EQ(in(d, LSR), 0x60);
}

TK_TEST(a_state_that_cannot_be_is_refused)
{
	struct tk_dev *d = tk_device("serial", "");
	uint8_t bytes[4096];
	struct tk_state *s;
	const char *name;
	unsigned i = 0;

	TK_EQ(tk_quiesce(d), 0);
	s = tk_save(d);
	tk_destroy(d);
	while ((name = tk_state_name(s, i)) && strcmp(name, "device 1/serial 4/1 u8") != 0)
		i++;
	TK_TRUE(name != NULL);
	d = tk_create("serial", "");
	TK_EQ(tk_attach(d), 0);
	TK_EQ(tk_load(d, tk_state_without(s, i)), -ENODATA);
	TK_STR(tk_error(), "serial: its state cannot be loaded: serial: tag 1 is missing");
	tk_destroy(d);
	/* A later version of the class: its section's version is the byte before its name. */
	memcpy(bytes, tk_state_bytes(s), tk_state_size(s));
	for (size_t at = 0; at + 6 < tk_state_size(s); at++)
		if (memcmp(bytes + at, "\1\0\0\0\6serial", 11) == 0)
			bytes[at] = 2;
	d = tk_create("serial", "");
	TK_EQ(tk_attach(d), 0);
	TK_EQ(tk_load(d, tk_state_of(bytes, tk_state_size(s))), -ENOTSUP);
	TK_HAS_TEXT(tk_error(), "section \"serial\" is of version 2, which is newer than 1");
}

TK_MAIN()
