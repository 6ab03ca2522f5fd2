/* SPDX-License-Identifier: Apache-2.0 */
/* Text from a port, to the terminal and to a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tenon/mmio.h>
#include <tenon/testkit.h>

static void say(struct tk_dev *d, const char *text)
{
	for (; *text; text++)
		tk_write(d, 0, 0, 1, (uint8_t)*text);
}

TK_TEST(what_is_written_reaches_the_terminal)
{
	struct tk_dev *d = tk_started("debugcon", "");
	uint32_t space;
	uint64_t address, size;

	TK_EQ(tk_window(d, 0, &space, &address, &size), 0);
	TK_EQ(space, TENON_SPACE_PIO);
	TK_EQ(address, 0x402);
	TK_EQ(size, 1);
	say(d, "SeaBIOS\n> "); /* a prompt does not wait for its line */
	TK_STR(tk_output(), "SeaBIOS\n> ");
}

TK_TEST(the_guest_sees_that_it_is_there)
{
	TK_EQ(tk_read(tk_started("debugcon", "port = \"0xe9\";"), 0, 0, 1), 0xe9);
}

TK_TEST(a_terminal_without_room_is_waited_for)
{
	struct tk_dev *d = tk_started("debugcon", "");

	tk_output_room(3);
	say(d, "abcdef");
	TK_STR(tk_output(), "abc");
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_STR(tk_output(), "abcdef");
	TK_EQ(tk_log_count(TENON_LOG_WARN), 0);
}

TK_TEST(what_there_is_no_room_for_is_lost_and_said_once)
{
	struct tk_dev *d = tk_started("debugcon", "");

	tk_output_room(0);
	for (int i = 0; i < 5000; i++)
		say(d, "x");
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
	TK_TRUE(tk_log_has("some is lost"));
	tk_output_room(SIZE_MAX);
	tk_run_until_idle(d);
	TK_EQ(tk_output_size(), 4096);
}

TK_TEST(a_file_gets_lines_and_at_the_end_the_rest)
{
	char path[] = "/tmp/debugcon-XXXXXX", settings[128], text[64] = "";
	int fd = mkstemp(path);
	struct tk_dev *d;

	TK_TRUE(fd >= 0);
	(void)snprintf(settings, sizeof(settings), "output = \"file\"; path = \"%s\";", path);
	d = tk_started("debugcon", settings);
	say(d, "one\ntw");
	TK_EQ(pread(fd, text, sizeof(text), 0), 4);
	tk_destroy(d);
	TK_EQ(pread(fd, text, sizeof(text), 0), 6);
	TK_MEM_EQ(text, "one\ntw", 6);
	(void)close(fd);
	(void)unlink(path);
}

TK_TEST(settings_that_do_not_fit_are_refused)
{
	struct tk_dev *d;

	TK_TRUE(!tk_create("debugcon", "output = \"file\";"));
	TK_HAS_TEXT(tk_error(), "needs `path`");
	TK_TRUE(!tk_create("debugcon", "path = \"x\";"));
	TK_HAS_TEXT(tk_error(), "`path` is for");
	d = tk_create("debugcon", "output = \"file\"; path = \"/nowhere/x\";");
	TK_EQ(tk_attach(d), -ENOENT);
	TK_HAS_TEXT(tk_error(), "cannot open \"/nowhere/x\"");
	tk_destroy(d);
	tk_no_ports(1);
	d = tk_create("debugcon", "");
	TK_EQ(tk_attach(d), -ENOTSUP);
	TK_HAS_TEXT(tk_error(), "this platform has none");
}

TK_TEST(a_disk_that_is_full_is_said)
{
	struct tk_dev *d = tk_started("debugcon", "output = \"file\"; path = \"/dev/full\";");

	say(d, "one\n");
	TK_TRUE(tk_log_has("cannot write to \"/dev/full\""));
}

TK_TEST(registers_bear_anything)
{
	TK_TRUE(tk_hostile_run(tk_started("debugcon", "")) > 0);
}

TK_TEST(every_call_may_fail)
{
	TK_TRUE(tk_fault_sweep("debugcon", "output = \"file\"; path = \"/dev/null\";") >= 3);
}

TK_MAIN()
