/* SPDX-License-Identifier: Apache-2.0 */
/* console with `ports`: the handshake, the terminal and files among the ports, life. */
#include "ports_bed.h"

/* ---- the handshake ---- */

TK_TEST(tells_what_the_ports_are)
{
	struct tk_dev *d =
		create("\"terminal\", \"name=log,file=log\", \"name=box,pty=tty,console\"");

	TK_EQ(tk_n_queues(d), 8);
	TK_EQ(tk_config(d, 4, 4), 3);
	TK_TRUE(tk_features(d) & F_MULTIPORT);
	TK_TRUE(tk_features(d) & F_SIZE);
	give_control(d, 20);
	TK_STR(message(), "");
	tell(d, UINT32_MAX, READY, 1);
	TK_STR(message(), "0 1 1");
	TK_STR(message(), "1 1 1");
	TK_STR(message(), "2 1 1");
	TK_STR(message(), "");
	tell(d, 0, PORT_READY, 1);
	TK_STR(message(), "0 4 1");
	TK_STR(message(), "0 5 0 80 25");
	TK_STR(message(), "0 6 1");
	TK_STR(message(), "");
	tell(d, 1, PORT_READY, 1);
	TK_STR(message(), "1 7 1 log");
	TK_STR(message(), "1 6 1");
	tell(d, 2, PORT_READY, 1);
	TK_STR(message(), "2 4 1");
	TK_STR(message(), "2 7 1 box");
	TK_STR(message(), ""); /* nobody is at the pty, and it has no size */
}

TK_TEST(messages_wait_for_buffers_and_for_ones_that_hold_them)
{
	struct tk_dev *d = create("\"terminal\", \"name=log,file=log\"");
	struct tk_buf *small;

	tell(d, 0, READY, 1);
	tell(d, 1, PORT_READY, 1);
	small = tk_in(d, CONTROL_RX, 7);
	give_control(d, 2);
	TK_EQ(tk_used_len(small), 0);
	TK_STR(message(), "0 1 1");
	TK_STR(message(), "1 1 1");
	give_control(d, 4);
	TK_STR(message(), "1 7 1 log");
	TK_STR(message(), "1 6 1");
	TK_STR(message(), "");
}

TK_TEST(nonsense_on_the_control_queue_is_passed_over)
{
	struct tk_dev *d = create("\"terminal\", \"name=log,file=log\"");

	give_control(d, MOST_MESSAGES);
	tell(d, 0, READY, 0);
	tell(d, 2, PORT_READY, 1);
	tell(d, UINT32_MAX, OPEN, 1);
	tell(d, 1, PORT_READY, 0);
	tell(d, 1, REMOVE, 1);
	tell(d, 1, 0xffff, 1);
	(void)tk_out(d, CONTROL_TX, "short", 5);
	(void)tk_in(d, CONTROL_TX, 64);
	(void)tk_out(d, CONTROL_RX, "x", 1);
	tk_kick(d, CONTROL_TX);
	tk_kick(d, CONTROL_RX);
	tk_run_until_idle(d);
	TK_STR(message(), "");
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
	for (int i = 0; i < 200; i++)
		tell(d, 0, READY, 1);
	skip_messages();
	TK_EQ(control.next, MOST_MESSAGES);
}

TK_TEST(a_driver_without_multiport_has_port_0)
{
	struct tk_dev *d = create("\"terminal\", \"name=log,file=log\"");
	struct tk_buf *b;

	TK_EQ(tk_driver(d, ~F_MULTIPORT, 0), 0);
	b = give(d, 0, 16);
	tk_type("hi");
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 2);
	(void)say(d, 0, "yes");
	TK_STR(tk_output(), "yes");
	(void)tk_out(d, CONTROL_TX, "\0\0\0\0\0\0\1\0", 8);
	tk_kick(d, CONTROL_TX);
	give_control(d, 4);
	TK_STR(message(), "");
}

TK_TEST(thirty_one_ports)
{
	char ports[2000] = "\"terminal\"";

	for (int i = 1; i < 31; i++)
		(void)snprintf(ports + strlen(ports), sizeof(ports) - strlen(ports),
			", \"name=p%d,file=f\"", i);
	TK_EQ(tk_n_queues(create(ports)), 64);
	(void)snprintf(
		ports + strlen(ports), sizeof(ports) - strlen(ports), ", \"name=more,file=f\"");
	TK_TRUE(tk_create("console", settings(ports)) == NULL);
	TK_HAS_TEXT(tk_error(), "\"ports\" has 32 elements; wanted at most 31");
}

TK_TEST(a_reset_begins_anew)
{
	struct tk_dev *d = opened("\"terminal\", \"name=log,file=log\"", 2);

	(void)say(d, 1, "one");
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	memset(&control, 0, sizeof(control));
	give_control(d, 20);
	TK_STR(message(), "");
	tell(d, 0, READY, 1);
	TK_STR(message(), "0 1 1");
	tk_reset(d);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	(void)say(d, 1, "two");
	TK_STR(contents("log"), "onetwo");
}

/* ---- the terminal ---- */

TK_TEST(the_terminal_waits_for_the_guest_to_open_it)
{
	struct tk_dev *d = create("\"name=log,file=log\", \"terminal\"");
	struct tk_buf *b;

	b = give(d, 1, 16);
	tk_type("abc");
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), -1);
	tell(d, 1, OPEN, 1);
	TK_EQ(tk_used_len(b), 3);
	(void)say(d, 1, "out");
	TK_STR(tk_output(), "out");
}

TK_TEST(a_resize_is_told_to_the_port)
{
	struct tk_dev *d = opened("\"name=log,file=log\", \"terminal\"", 2);

	tk_resize(132, 43);
	tk_run_until_idle(d);
	TK_STR(message(), "1 5 0 132 43");
	TK_EQ(tk_config(d, 0, 4), 0); /* of port 0, which has no size */
}

TK_TEST(the_emergency_write_goes_to_the_first_console)
{
	struct tk_dev *d = create("\"name=log,file=log\", \"terminal\"");

	tk_set_config(d, 8, 4, '!');
	tk_run_until_idle(d);
	TK_STR(tk_output(), "!");
	TK_STR(contents("log"), "");
}

/* ---- files ---- */

TK_TEST(a_file_is_begun_anew_or_added_to)
{
	struct tk_dev *d = opened("\"file=log\"", 1);

	(void)say(d, 0, "one\n");
	tk_destroy(d);
	TK_STR(contents("log"), "one\n");
	d = opened("\"file=log,append\"", 1);
	(void)say(d, 0, "two\n");
	tk_destroy(d);
	TK_STR(contents("log"), "one\ntwo\n");
	(void)opened("\"file=log\"", 1);
	TK_STR(contents("log"), "");
}

TK_TEST(a_machine_that_does_not_start_leaves_files_alone)
{
	struct tk_dev *d =
		tk_create("console", settings("\"file=log\", \"file=new\", \"pty=tty\""));
	int fd = open(in_folder("log"), O_CREAT | O_WRONLY, 0600);
	char target[64];

	put(fd, "old");
	(void)close(fd);
	TK_EQ(symlink("/somebody", in_folder("tty")), 0);
	TK_EQ(tk_attach(d), 0);
	tk_destroy(d);
	TK_STR(contents("log"), "old");
	TK_EQ(access(in_folder("new"), F_OK), -1);
	TK_EQ(readlink(in_folder("tty"), target, sizeof(target)), 9);
}

TK_TEST(a_full_disk_loses_output_and_says_so_once)
{
	struct tk_dev *d = opened("\"file=/dev/full\"", 1);

	TK_EQ(tk_used_len(say(d, 0, "one")), 0);
	TK_EQ(tk_used_len(say(d, 0, "two")), 0);
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
	TK_TRUE(tk_log_has("port 0: cannot write, output is lost: No space left on device"));
}

/* ---- life ---- */

TK_TEST(nothing_moves_while_it_is_quiesced)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen\", \"name=b,pty=tty,console\"", 2);
	struct tk_buf *in = give(d, 0, 64), *out;
	const struct winsize size = { .ws_col = 100, .ws_row = 30 };
	CLOSED peer = dial("s");
	CLOSED tty = open(in_folder("tty"), O_RDWR | O_NOCTTY);

	tk_run_until_idle(d);
	skip_messages();
	TK_EQ(tk_quiesce(d), 0);
	tk_irqs_clear(d);
	put(peer, "later");
	(void)shutdown(peer, SHUT_WR);
	TK_EQ(ioctl(tty, TIOCSWINSZ, &size), 0);
	hang_up(&tty);
	out = tk_out(d, tx(0), "later", 5);
	tk_kick(d, tx(0));
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(in), -1);
	TK_EQ(tk_used_len(out), -1);
	TK_EQ(tk_irqs(d), 0);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(in), 5);
	TK_EQ(tk_used_len(out), 0);
	TK_STR(get(peer), "later");
	TK_STR(message(), "1 6 0");
	TK_STR(message(), "1 5 0 100 30");
}

TK_TEST(a_peer_that_left_while_it_was_quiesced_is_gone_afterwards)
{
	struct tk_dev *d = create("\"name=a,socket=s,listen\"");
	CLOSED peer = dial("s");

	tk_run_until_idle(d);
	TK_EQ(tk_quiesce(d), 0);
	put(peer, "unread");
	hang_up(&peer);
	tk_run_until_idle(d);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	peer = dial("s");
	tk_run_until_idle(d);
	(void)say(d, 0, "next");
	TK_STR(get(peer), "next");
}

#define EVERY_KIND                                                                                 \
	"\"terminal\", \"name=log,file=log\", \"name=a,socket=s,listen\", "                        \
	"\"name=b,socket=other,console\", \"name=c,pty=tty\", \"name=d,pipe=p\", \"name=e,fd=%d\""

static const char *every_kind(void)
{
	static char text[600];
	int ends[2];

	TK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	(void)snprintf(text, sizeof(text), EVERY_KIND, ends[0]);
	return text;
}

TK_TEST(every_fault_is_survived)
{
	TK_TRUE(tk_fault_sweep("console", settings(every_kind())) >= 25);
	/* Nothing is left of it but the file. */
	TK_EQ(access(in_folder("s"), F_OK), -1);
	TK_EQ(access(in_folder("tty"), F_OK), -1);
	TK_EQ(access(in_folder("p.in"), F_OK), -1);
}

TK_TEST(stands_the_hostile_driver)
{
	struct tk_dev *d = create("\"terminal\", \"name=a,socket=s,listen\"");
	CLOSED peer = dial("s");

	TK_TRUE(peer >= 0);
	TK_TRUE(tk_hostile_run(d) > 400);
}
