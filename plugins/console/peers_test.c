/* SPDX-License-Identifier: Apache-2.0 */
/* console with `ports`: peers that come, go and are slow, on sockets, ptys, pipes and descriptors.
 */
#include "ports_bed.h"

/* ---- sockets ---- */

TK_TEST(a_socket_carries_both_directions)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen\"", 1);
	struct tk_buf *b = give(d, 0, 64);
	CLOSED peer = dial("s");

	put(peer, "question");
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 1");
	TK_EQ(tk_used_len(b), 8);
	TK_MEM_EQ(tk_in_data(b), "question", 8);
	(void)say(d, 0, "answer");
	TK_STR(get(peer), "answer");
	hang_up(&peer);
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 0");
	tk_destroy(d);
	TK_EQ(access(in_folder("s"), F_OK), -1);
}

TK_TEST(output_without_a_peer_is_dropped)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen\"", 1);
	CLOSED peer = -1;

	TK_EQ(tk_used_len(say(d, 0, "lost")), 0);
	peer = dial("s");
	tk_run_until_idle(d);
	(void)say(d, 0, "found");
	TK_STR(get(peer), "found");
}

TK_TEST(a_second_peer_waits_for_the_first_to_go)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen\"", 1);
	CLOSED one = dial("s");
	CLOSED two = -1;

	tk_run_until_idle(d);
	two = dial("s");
	tk_run_until_idle(d);
	(void)say(d, 0, "first");
	TK_STR(get(two), "");
	TK_STR(get(one), "first");
	hang_up(&one);
	tk_run_until_idle(d);
	(void)say(d, 0, "second");
	TK_STR(get(two), "second");
	TK_STR(message(), "0 6 1");
	TK_STR(message(), "0 6 0");
	TK_STR(message(), "0 6 1");
}

TK_TEST(coming_back_before_the_guest_heard_is_told_as_both)
{
	struct tk_dev *d = create("\"name=a,socket=s,listen\"");
	CLOSED peer = dial("s");

	give_control(d, 3);
	tell(d, 0, READY, 1);
	tell(d, 0, PORT_READY, 1);
	tk_run_until_idle(d);
	TK_STR(message(), "0 1 1");
	TK_STR(message(), "0 7 1 a");
	TK_STR(message(), "0 6 1");
	hang_up(&peer);
	tk_run_until_idle(d);
	peer = dial("s");
	tk_run_until_idle(d);
	give_control(d, 4);
	TK_STR(message(), "0 6 0");
	TK_STR(message(), "0 6 1");
	TK_STR(message(), "");
}

TK_TEST(the_peer_sees_the_guest_close_after_its_last_words)
{
	static const uint8_t close_it[8] = { 0, 0, 0, 0, OPEN, 0, 0, 0 };
	struct tk_dev *d = opened("\"name=a,socket=s,listen\"", 1);
	CLOSED peer = dial("s");

	tk_run_until_idle(d);
	/* The device hears of both at once. */
	(void)tk_out(d, tx(0), "bye", 3);
	(void)tk_out(d, CONTROL_TX, close_it, sizeof(close_it));
	tk_kick(d, CONTROL_TX);
	tk_run_until_idle(d);
	TK_STR(get(peer), "bye");
	TK_STR(get(peer), "(end)");
	TK_STR(message(), "0 6 1");
	TK_STR(message(), "0 6 0");
	/* And it can come again. */
	hang_up(&peer);
	peer = dial("s");
	tk_run_until_idle(d);
	tell(d, 0, OPEN, 1);
	(void)say(d, 0, "again");
	TK_STR(get(peer), "again");
}

TK_TEST(a_driver_that_goes_closes_plain_ports_and_no_consoles)
{
	struct tk_dev *d =
		opened("\"name=a,socket=s,listen\", \"name=b,socket=t,listen,console\"", 2);
	CLOSED plain = dial("s");
	CLOSED console = dial("t");

	tk_run_until_idle(d);
	tk_driver_reset(d);
	tk_run_until_idle(d);
	TK_STR(get(plain), "(end)");
	TK_STR(get(console), "");
}

TK_TEST(input_waits_for_the_guest)
{
	struct tk_dev *d = create("\"name=a,socket=s,listen\"");
	struct tk_buf *a, *b;
	CLOSED peer = dial("s");

	put(peer, "0123456789");
	a = give(d, 0, 4);
	TK_EQ(tk_used_len(a), -1);
	tell(d, 0, OPEN, 1);
	TK_EQ(tk_used_len(a), 4);
	b = give(d, 0, 64);
	TK_EQ(tk_used_len(b), 6);
	TK_MEM_EQ(tk_in_data(b), "456789", 6);
}

TK_TEST(what_a_peer_left_is_read_after_it_has_gone)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen\"", 1);
	struct tk_buf *a = give(d, 0, 4), *b;
	CLOSED peer = dial("s");

	put(peer, "0123456789");
	hang_up(&peer);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), 4);
	TK_STR(message(), "0 6 1");
	TK_STR(message(), "");
	b = give(d, 0, 64);
	TK_EQ(tk_used_len(b), 6);
	TK_STR(message(), "0 6 0");
}

TK_TEST(what_a_peer_left_for_nobody_does_not_keep_the_next_out)
{
	struct tk_dev *d = create("\"name=a,socket=s,listen\"");
	CLOSED peer = dial("s");

	put(peer, "for nobody");
	hang_up(&peer);
	tk_run_until_idle(d);
	peer = dial("s");
	tell(d, 0, OPEN, 1);
	(void)say(d, 0, "hello");
	TK_STR(get(peer), "hello");
}

TK_TEST(a_peer_with_no_more_to_say_still_listens)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen\"", 1);
	struct tk_buf *b = give(d, 0, 64);
	CLOSED peer = dial("s");

	(void)give(d, 0, 64);
	put(peer, "go");
	(void)shutdown(peer, SHUT_WR);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 2);
	(void)say(d, 0, "done");
	TK_STR(get(peer), "done");
	TK_STR(message(), "0 6 1");
	hang_up(&peer);
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 0");
}

TK_TEST(a_socket_that_was_left_over_is_replaced)
{
	(void)close(serve("s"));
	(void)opened("\"name=a,socket=s,listen\"", 1);
	(void)close(dial("s"));
}

static void refuses_to_attach(const char *ports, const char *why)
{
	struct tk_dev *d = tk_create("console", settings(ports));

	TK_TRUE(d != NULL);
	TK_TRUE(tk_attach(d) < 0);
	TK_HAS_TEXT(tk_error(), why);
	tk_destroy(d);
}

TK_TEST(what_cannot_be_had_is_refused)
{
	int fd;

	make_folder();
	(void)serve("s");
	fd = open(in_folder("plain.in"), O_CREAT | O_WRONLY, 0600);
	(void)close(fd);
	refuses_to_attach("\"name=a,socket=s,listen\"", "port 0 (a): cannot listen on \"");
	refuses_to_attach("\"socket=plain.in,listen\"", "it is there already");
	refuses_to_attach("\"socket=no/s,listen\"", "No such file or directory");
	refuses_to_attach("\"file=no/log\"", "port 0: cannot open the file \"");
	refuses_to_attach("\"pipe=plain\"", "plain.in\": it is there and no pipe");
	refuses_to_attach("\"pipe=no/p\"", "no/p.in\": No such file or directory");
	refuses_to_attach("\"pty=plain.in\"", "cannot make the link \"");
	refuses_to_attach("\"fd=999\"", "descriptor 999 cannot be used: Bad file descriptor");
	TK_EQ(access(in_folder("plain.out"), F_OK), -1);
}

TK_TEST(connects_when_somebody_is_there_and_again)
{
	struct tk_dev *d = opened("\"name=a,socket=s\"", 1);
	CLOSED at = -1;
	CLOSED peer = -1;

	tk_advance_ms(5000);
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
	TK_TRUE(tk_log_has("it is tried every second"));
	TK_STR(message(), "");
	at = serve("s");
	tk_advance_ms(1000);
	TK_STR(message(), "0 6 1");
	peer = accept(at, NULL, NULL);
	(void)say(d, 0, "one");
	TK_STR(get(peer), "one");
	hang_up(&peer);
	tk_advance_ms(1000);
	peer = accept(at, NULL, NULL);
	TK_STR(message(), "0 6 0");
	TK_STR(message(), "0 6 1");
	(void)say(d, 0, "two");
	TK_STR(get(peer), "two");
}

/* ---- backpressure ---- */

static char pattern(size_t at)
{
	return (char)('a' + at % 23);
}

TK_TEST(a_slow_reader_loses_nothing_and_holds_nobody_up)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen\", \"name=log,file=log\"", 2);
	static char text[4096], back[65536];
	struct tk_buf *bufs[100];
	CLOSED peer = dial("s");
	size_t got = 0;

	tk_run_until_idle(d);
	for (size_t i = 0; i < 100; i++) {
		for (size_t k = 0; k < sizeof(text); k++)
			text[k] = pattern(i * sizeof(text) + k);
		bufs[i] = tk_out(d, tx(0), text, sizeof(text));
	}
	tk_kick(d, tx(0));
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(bufs[99]), -1);
	(void)say(d, 1, "meanwhile");
	TK_STR(contents("log"), "meanwhile");
	tk_advance_ms(5000); /* it is no console: it waits */
	while (got < 100 * sizeof(text)) {
		ssize_t n = recv(peer, back, 10000, MSG_DONTWAIT);

		TK_TRUE(n > 0);
		for (ssize_t k = 0; k < n; k++)
			TK_EQ(back[k], pattern(got + (size_t)k));
		got += (size_t)n;
		tk_run_until_idle(d);
	}
	TK_EQ(tk_used_len(bufs[99]), 0);
}

TK_TEST(a_console_does_not_wait_for_ever)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen,console\"", 1);
	static char text[4096], back[65536];
	struct tk_buf *last = NULL;
	CLOSED peer = dial("s");

	tk_run_until_idle(d);
	for (int i = 0; i < 120; i++)
		last = tk_out(d, tx(0), text, sizeof(text));
	tk_kick(d, tx(0));
	tk_advance_ms(900);
	TK_EQ(tk_used_len(last), -1);
	tk_advance_ms(200);
	TK_EQ(tk_used_len(last), 0);
	TK_TRUE(tk_log_has("port 0 (a): its reader does not read"));
	while (recv(peer, back, sizeof(back), MSG_DONTWAIT) > 0)
		tk_run_until_idle(d);
	TK_EQ(tk_used_len(say(d, 0, "alive")), 0);
	TK_STR(get(peer), "alive");
}

TK_TEST(a_peer_that_goes_while_output_waits_lets_it_go)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen\"", 1);
	static char text[4096];
	struct tk_buf *last = NULL;
	CLOSED peer = dial("s");

	tk_run_until_idle(d);
	for (int i = 0; i < 100; i++)
		last = tk_out(d, tx(0), text, sizeof(text));
	tk_kick(d, tx(0));
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(last), -1);
	hang_up(&peer);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(last), 0);
}

TK_TEST(a_flood_of_input_gives_others_their_turn)
{
	struct tk_dev *d = opened("\"name=a,socket=s,listen\"", 1);
	CLOSED peer = dial("s");
	char text[100];

	memset(text, 'x', sizeof(text));
	TK_EQ(write(peer, text, sizeof(text)), sizeof(text));
	(void)tk_step();
	for (int i = 0; i < 100; i++)
		(void)tk_in(d, rx(0), 1);
	tk_kick(d, rx(0));
	(void)tk_step();
	TK_TRUE(tk_used_idx(d, rx(0)) < 100);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, rx(0)), 100);
}

/* ---- ptys ---- */

TK_TEST(a_pty_is_told_and_carries_both_directions)
{
	struct tk_dev *d = opened("\"name=a,pty=tty\"", 1);
	struct tk_buf *b = give(d, 0, 64);
	struct termios mode;
	CLOSED tty = -1;

	TK_TRUE(tk_log_has("port 0 (a) is on /dev/pts/"));
	TK_EQ(tk_used_len(say(d, 0, "lost")), 0);
	tty = open(in_folder("tty"), O_RDWR | O_NOCTTY);
	TK_TRUE(tty >= 0);
	TK_EQ(tcgetattr(tty, &mode), 0);
	TK_EQ(mode.c_lflag & (ICANON | ECHO), 0);
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 1");
	put(tty, "typed\r");
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 6);
	(void)say(d, 0, "shown\n");
	TK_STR(get(tty), "shown\n");
	hang_up(&tty);
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 0");
	tk_destroy(d);
	TK_EQ(access(in_folder("tty"), F_OK), -1);
}

TK_TEST(a_pty_can_be_left_and_come_back_to)
{
	struct tk_dev *d = opened("\"name=a,pty=tty\"", 1);

	for (int i = 0; i < 3; i++) {
		struct tk_buf *b = give(d, 0, 64);
		CLOSED tty = open(in_folder("tty"), O_RDWR | O_NOCTTY);

		put(tty, "here"); /* and gone before anybody looked */
		hang_up(&tty);
		tk_run_until_idle(d);
		TK_EQ(tk_used_len(b), 4);
		TK_STR(message(), "0 6 1");
		TK_STR(message(), "0 6 0");
	}
}

TK_TEST(a_pty_has_a_size)
{
	struct tk_dev *d = opened("\"name=a,pty=tty,console\"", 1);
	const struct winsize size = { .ws_col = 100, .ws_row = 30 };
	CLOSED tty = open(in_folder("tty"), O_RDWR | O_NOCTTY);

	TK_EQ(ioctl(tty, TIOCSWINSZ, &size), 0);
	hang_up(&tty);
	tk_run_until_idle(d);
	TK_STR(message(), "0 5 0 100 30");
}

TK_TEST(a_link_that_was_left_over_is_replaced)
{
	CLOSED tty = -1;

	make_folder();
	TK_EQ(symlink("/nowhere", in_folder("tty")), 0);
	(void)opened("\"name=a,pty=tty\"", 1);
	tty = open(in_folder("tty"), O_RDWR | O_NOCTTY);
	TK_TRUE(tty >= 0);
}

TK_TEST(a_pty_without_a_link_is_told_aloud)
{
	(void)opened("\"name=a,pty\"", 1);
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
	TK_TRUE(tk_log_has("port 0 (a) is on /dev/pts/"));
}

/* ---- pipes and descriptors ---- */

TK_TEST(pipes_wait_for_both_sides)
{
	struct tk_dev *d = opened("\"name=a,pipe=p\"", 1);
	CLOSED in = -1;
	CLOSED out = -1;
	struct tk_buf *b;

	(void)say(d, 0, "early");
	in = open(in_folder("p.in"), O_WRONLY | O_NONBLOCK);
	out = open(in_folder("p.out"), O_RDONLY | O_NONBLOCK);
	TK_STR(get(out), "early");
	put(in, "one ");
	hang_up(&in);
	tk_run_until_idle(d);
	in = open(in_folder("p.in"), O_WRONLY | O_NONBLOCK);
	put(in, "two");
	b = give(d, 0, 64);
	TK_EQ(tk_used_len(b), 7);
	hang_up(&in);
	hang_up(&out);
	tk_destroy(d);
	TK_EQ(access(in_folder("p.in"), F_OK), -1);
	TK_EQ(access(in_folder("p.out"), F_OK), -1);
}

TK_TEST(a_pipe_that_was_there_stays)
{
	make_folder();
	TK_EQ(mkfifo(in_folder("p.in"), 0600), 0);
	tk_destroy(opened("\"pipe=p\"", 1));
	TK_EQ(access(in_folder("p.in"), F_OK), 0);
	TK_EQ(access(in_folder("p.out"), F_OK), -1);
}

TK_TEST(a_descriptor_carries_both_directions)
{
	char port[40];
	struct tk_dev *d;
	struct tk_buf *b;
	int ends[2];

	TK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	(void)snprintf(port, sizeof(port), "\"name=a,fd=%d\"", ends[0]);
	d = opened(port, 1);
	b = give(d, 0, 64);
	put(ends[1], "in");
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 2);
	(void)say(d, 0, "out");
	TK_STR(get(ends[1]), "out");
	(void)close(ends[0]);
	(void)close(ends[1]);
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 0");
}

TK_TEST(two_descriptors_end_one_by_one)
{
	char port[40];
	struct tk_dev *d;
	struct tk_buf *b;
	int in[2], out[2];

	TK_EQ(pipe(in), 0);
	TK_EQ(pipe(out), 0);
	(void)snprintf(port, sizeof(port), "\"name=a,fd=%d:%d\"", in[0], out[1]);
	d = opened(port, 1);
	b = give(d, 0, 64);
	put(in[1], "last");
	(void)close(in[1]);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 4);
	(void)give(d, 0, 64);
	(void)say(d, 0, "still");
	TK_STR(get(out[0]), "still");
	TK_STR(message(), "");
	(void)close(out[0]);
	tk_run_until_idle(d);
	TK_STR(message(), "0 6 0");
	TK_EQ(tk_used_len(say(d, 0, "nobody")), 0);
}

TK_TEST(a_descriptor_may_be_a_file)
{
	char port[40];
	struct tk_dev *d;
	struct tk_buf *b;
	int fd;

	make_folder();
	fd = open(in_folder("f"), O_RDWR | O_CREAT, 0600);
	put(fd, "contents");
	TK_EQ(lseek(fd, 0, SEEK_SET), 0);
	(void)snprintf(port, sizeof(port), "\"name=a,fd=%d:\"", fd);
	d = opened(port, 1);
	b = give(d, 0, 64);
	TK_EQ(tk_used_len(b), 8);
	(void)give(d, 0, 64);
	TK_STR(message(), "0 6 0");
}
