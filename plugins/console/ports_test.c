/* SPDX-License-Identifier: Apache-2.0 */
/* console with `ports`: the handshake, every kind of host side, both ends coming and going. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <tenon/testkit.h>

#define F_SIZE      (1ull << 0)
#define F_MULTIPORT (1ull << 1)

#define CONTROL_RX 2u
#define CONTROL_TX 3u

enum { READY, ADD, REMOVE, PORT_READY, CONSOLE, RESIZE, OPEN, NAME };

#define MOST_MESSAGES 48

/* One for the program, and in it one for each test. */
static char root[] = "/tmp/tenon-console-XXXXXX";
static char folder[64];

/* The driver's control queue: buffers and what came in them, in order. */
static struct {
	struct tk_buf *bufs[MOST_MESSAGES];
	unsigned n, next;
	char text[128];
} control;

/* ---- the driver ---- */

static unsigned rx(unsigned port)
{
	return port ? 2 * port + 2 : 0;
}

static unsigned tx(unsigned port)
{
	return port ? 2 * port + 3 : 1;
}

static void tell(struct tk_dev *d, uint32_t id, uint16_t event, uint16_t value)
{
	const uint8_t bytes[8] = { (uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16),
		(uint8_t)(id >> 24), (uint8_t)event, (uint8_t)(event >> 8), (uint8_t)value,
		(uint8_t)(value >> 8) };
	struct tk_buf *b;

	b = tk_out(d, CONTROL_TX, bytes, sizeof(bytes));
	tk_kick(d, CONTROL_TX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 0);
	tk_free(b);
}

static void give_control(struct tk_dev *d, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		control.bufs[control.n++] = tk_in(d, CONTROL_RX, 96);
	tk_kick(d, CONTROL_RX);
	tk_run_until_idle(d);
}

/* "ID EVENT VALUE PAYLOAD" of the next message; "" when there is none. */
static const char *message(void)
{
	uint8_t b[97] = { 0 };
	long long n = control.next < control.n ? tk_used_len(control.bufs[control.next]) : -1;

	control.text[0] = '\0';
	if (n < 0)
		return control.text;
	TK_TRUE(n >= 8 && n <= 96);
	(void)tk_in_bytes(control.bufs[control.next++], b, (size_t)n);
	if (b[4] == RESIZE)
		(void)snprintf(control.text, sizeof(control.text), "%u %u %u %u %u", b[0], b[4],
			b[6], b[8] | b[9] << 8, b[10] | b[11] << 8);
	else
		(void)snprintf(control.text, sizeof(control.text), "%u %u %u%s%s", b[0], b[4], b[6],
			n > 8 ? " " : "", (const char *)b + 8);
	return control.text;
}

static void make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "%s/%d", root, (int)getpid());
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		TK_FAIL("mkdir %s: %s", folder, strerror(errno));
}

static const char *in_folder(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *to = path[turn++ % 4];

	(void)snprintf(to, sizeof(path[0]), "%s/%s", folder, name);
	return to;
}

static const char *settings(const char *ports)
{
	static char text[2048];

	make_folder();
	(void)snprintf(text, sizeof(text), "folder = \"%s\"; ports = ( %s );", folder, ports);
	return text;
}

static struct tk_dev *create(const char *ports)
{
	memset(&control, 0, sizeof(control));
	return tk_device("console", settings(ports));
}

static void skip_messages(void)
{
	while (message()[0])
		continue;
}

/* A device whose driver knows and has opened the first @n ports. */
static struct tk_dev *opened(const char *ports, unsigned n)
{
	struct tk_dev *d = create(ports);

	give_control(d, MOST_MESSAGES);
	tell(d, UINT32_MAX, READY, 1);
	for (unsigned i = 0; i < n; i++) {
		tell(d, i, PORT_READY, 1);
		tell(d, i, OPEN, 1);
	}
	skip_messages();
	return d;
}

static struct tk_buf *give(struct tk_dev *d, unsigned port, size_t size)
{
	struct tk_buf *b = tk_in(d, rx(port), size);

	tk_kick(d, rx(port));
	tk_run_until_idle(d);
	return b;
}

static struct tk_buf *say(struct tk_dev *d, unsigned port, const char *text)
{
	struct tk_buf *b = tk_out(d, tx(port), text, strlen(text));

	tk_kick(d, tx(port));
	tk_run_until_idle(d);
	return b;
}

/* ---- the host ---- */

static void hang_up(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* The kit takes what a test leaves open for the device's. */
#define CLOSED __attribute__((cleanup(hang_up))) int

static int dial(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", folder, name);
	TK_EQ(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static int serve(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	make_folder();
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", folder, name);
	TK_EQ(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	TK_EQ(listen(fd, 1), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	TK_EQ(write(fd, text, strlen(text)), strlen(text));
}

/* What can be read at once; "(end)" at the end. */
static const char *get(int fd)
{
	static char text[256];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, 0) == 0)
		return "";
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return "(end)";
	text[n] = '\0';
	return text;
}

static const char *contents(const char *name)
{
	static char text[256];
	int fd = open(in_folder(name), O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	TK_TRUE(n >= 0);
	text[n] = '\0';
	(void)close(fd);
	return text;
}

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
	strcat(ports, ", \"name=more,file=f\"");
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
	d = opened("\"file=log\"", 1);
	TK_STR(contents("log"), "");
}

TK_TEST(a_machine_that_does_not_start_leaves_files_alone)
{
	struct tk_dev *d = tk_create("console", settings("\"file=log\", \"file=new\""));
	int fd = open(in_folder("log"), O_CREAT | O_WRONLY, 0600);

	put(fd, "old");
	(void)close(fd);
	TK_EQ(tk_attach(d), 0);
	tk_destroy(d);
	TK_STR(contents("log"), "old");
	TK_EQ(access(in_folder("new"), F_OK), -1);
}

TK_TEST(a_full_disk_loses_output_and_says_so_once)
{
	struct tk_dev *d = opened("\"file=/dev/full\"", 1);

	TK_EQ(tk_used_len(say(d, 0, "one")), 0);
	TK_EQ(tk_used_len(say(d, 0, "two")), 0);
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
	TK_TRUE(tk_log_has("port 0: cannot write, output is lost: No space left on device"));
}

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

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

int main(int argc, char **argv)
{
	int ret;

	if (!mkdtemp(root)) {
		perror("mkdtemp");
		return 1;
	}
	ret = tk_main(argc, argv, TK_PLUGIN_);
	(void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return ret;
}
