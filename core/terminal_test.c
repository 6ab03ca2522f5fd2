/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal: nothing is lost, nothing spins, and the terminal is put back on every way out. */
#include "core/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "core/device.h"
#include "core/event_loop.h"
#include "core/services.h"

#include <cmocka.h> /* last: it has a macro named fail */

#define ROUNDS 50

struct bed {
	struct event_loop *loop;
	struct terminal *terminal;
	struct device_env env;
	struct tenon_dev dev;
	int in[2], out[2]; /* pipes: ours to write, ours to read */
	char got[65536];
	size_t n_got, room; /* what the device takes */
	size_t awaited;     /* the loop stops when that much has come */
	unsigned closed, writable, keys[2];
};

static struct bed bed;

static const struct tenon_device_class parallel = { .struct_size = sizeof(parallel),
	.threads = TENON_PARALLEL };

static size_t take_input(struct tenon_dev *dev, const void *bytes, size_t size)
{
	size_t n = size < bed.room ? size : bed.room;

	memcpy(bed.got + bed.n_got, bytes, n);
	bed.n_got += n;
	bed.room -= n;
	if (bed.awaited && bed.n_got >= bed.awaited)
		event_loop_stop(bed.loop);
	return n;
}

static void take_room(struct tenon_dev *dev)
{
	bed.writable++;
}

static void take_end(struct tenon_dev *dev)
{
	bed.closed++;
}

static const struct tenon_terminal_ops ops = {
	.struct_size = sizeof(ops),
	.input = take_input,
	.writable = take_room,
	.closed = take_end,
};

static void key(void *opaque, enum terminal_key which)
{
	bed.keys[which]++;
	event_loop_stop(bed.loop);
}

static void open_on(int in, int out)
{
	const struct terminal_config config = {
		.loop = bed.loop, .in = in, .out = out, .key = key
	};

	assert_int_equal(terminal_create(&config, &bed.terminal), 0);
	bed.env.terminal = bed.terminal;
	bed.dev = (struct tenon_dev){ .env = &bed.env, .cls = &parallel, .loop = bed.loop };
	assert_int_equal(service_terminal.open(&bed.dev, &ops), 0);
}

static int setup(void **state)
{
	memset(&bed, 0, sizeof(bed));
	if (event_loop_create(&bed.loop) < 0 || pipe(bed.in) < 0 || pipe(bed.out) < 0)
		return -1;
	bed.room = sizeof(bed.got);
	return 0;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void close_terminal(void)
{
	if (!bed.terminal)
		return;
	terminal_release(&bed.dev);
	terminal_destroy(bed.terminal);
	bed.terminal = NULL;
}

static int teardown(void **state)
{
	close_terminal();
	event_loop_destroy(bed.loop);
	for (int i = 0; i < 2; i++) {
		shut(&bed.in[i]);
		shut(&bed.out[i]);
	}
	return 0;
}

/* How many rounds found something to do: a loop that never rests does in all of them. */
static int busy_rounds(void)
{
	int busy = 0;

	for (int i = 0; i < ROUNDS; i++)
		busy += event_loop_poll(bed.loop) > 0;
	return busy;
}

static void type(const char *text, size_t n)
{
	assert_int_equal(write(bed.in[1], text, n), n);
}

/* ---- input ---- */

static void input_waits_till_it_is_wanted(void **state)
{
	open_on(bed.in[0], bed.out[1]);
	type("hello", 5);
	assert_in_range(busy_rounds(), 0, 5);
	assert_int_equal(bed.n_got, 0);
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	(void)busy_rounds();
	assert_memory_equal(bed.got, "hello", 5);
}

static void an_end_that_comes_early_loses_nothing(void **state)
{
	static char text[20000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	open_on(bed.in[0], bed.out[1]);
	type(text, sizeof(text));
	shut(&bed.in[1]);
	bed.room = 0;
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	assert_in_range(busy_rounds(), 0, 20); /* nobody takes it: no reason to run */
	assert_int_equal(bed.closed, 0);
	for (int i = 0; i < 500 && bed.n_got < sizeof(text); i++) {
		bed.room = 100;
		assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
		(void)event_loop_poll(bed.loop);
		(void)event_loop_poll(bed.loop);
		assert_int_equal(bed.closed, bed.n_got == sizeof(text) ? bed.closed : 0);
	}
	assert_int_equal(bed.n_got, sizeof(text));
	assert_memory_equal(bed.got, text, sizeof(text));
	bed.room = 100;
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	(void)busy_rounds();
	assert_int_equal(bed.closed, 1);
	assert_in_range(busy_rounds(), 0, 5);
}

static void a_file_is_read_to_its_end(void **state)
{
	char path[] = "/tmp/tenon-terminal-XXXXXX", text[9000];
	int fd = mkstemp(path);

	memset(text, 'x', sizeof(text));
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	assert_int_equal(lseek(fd, 1000, SEEK_SET), 1000);
	open_on(fd, bed.out[1]);
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	(void)busy_rounds();
	/* From where it stands, as whoever opened it has read the rest. */
	assert_int_equal(bed.n_got, sizeof(text) - 1000);
	assert_int_equal(bed.closed, 1);
	assert_int_equal(busy_rounds(), 0);
	(void)close(fd);
	(void)unlink(path);
}

static void no_input_at_all_ends_at_once(void **state)
{
	int fd = open("/dev/null", O_RDONLY);

	open_on(fd, bed.out[1]);
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	(void)busy_rounds();
	assert_int_equal(bed.closed, 1);
	assert_int_equal(busy_rounds(), 0);
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	(void)busy_rounds();
	assert_int_equal(bed.closed, 1);
	(void)close(fd);
}

/* ---- output ---- */

static size_t put(const char *text, size_t n)
{
	return service_terminal.write(&bed.dev, text, n);
}

static void a_reader_that_is_gone_is_no_reason_to_spin(void **state)
{
	(void)signal(SIGPIPE, SIG_IGN);
	open_on(bed.in[0], bed.out[1]);
	shut(&bed.out[0]);
	assert_in_range(busy_rounds(), 0, 5);
	assert_int_equal(put("lost", 4), 4);
	assert_in_range(busy_rounds(), 0, 5);
}

static void output_waits_for_its_reader(void **state)
{
	static char text[200000], read_back[200000];
	size_t sent = 0, got = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	open_on(bed.in[0], bed.out[1]);
	while (got < sizeof(text)) {
		ssize_t n;

		sent += put(text + sent, sizeof(text) - sent);
		n = read(bed.out[0], read_back + got, 5000);
		assert_true(n > 0);
		got += (size_t)n;
		(void)event_loop_poll(bed.loop);
	}
	assert_memory_equal(text, read_back, sizeof(text));
	assert_true(bed.writable > 0);
}

static void a_file_keeps_what_others_write_to_it(void **state)
{
	char path[] = "/tmp/tenon-terminal-XXXXXX", text[32] = "";
	int fd = mkstemp(path);

	assert_int_equal(write(fd, "one ", 4), 4);
	open_on(bed.in[0], fd);
	assert_int_equal(put("two ", 4), 4);
	close_terminal();
	assert_int_equal(write(fd, "three", 5), 5);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 13);
	assert_string_equal(text, "one two three");
	(void)close(fd);
	(void)unlink(path);
}

static void what_is_left_in_the_end_can_be_waited_for(void **state)
{
	static char text[120000];
	size_t got = 0;

	open_on(bed.in[0], bed.out[1]);
	assert_int_equal(terminal_unwritten(bed.terminal), -1);
	assert_int_equal(put(text, sizeof(text)), sizeof(text));
	while (terminal_unwritten(bed.terminal) >= 0) {
		ssize_t n = read(bed.out[0], text, 1000);

		assert_true(n > 0);
		got += (size_t)n;
	}
	close_terminal();
	shut(&bed.out[1]);
	for (ssize_t n; (n = read(bed.out[0], text, sizeof(text))) > 0;)
		got += (size_t)n;
	assert_int_equal(got, sizeof(text));
}

/* A socket cannot be opened anew, and its blocking mode is shared with others. */
static void a_full_socket_does_not_block(void **state)
{
	static char text[60000];
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	memset(text, 'x', sizeof(text));
	open_on(bed.in[0], ends[0]);
	(void)alarm(10);
	for (int i = 0; i < 50; i++)
		(void)put(text, sizeof(text));
	assert_int_equal(put(text, sizeof(text)), 0);
	(void)alarm(0);
	assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
	while (recv(ends[1], text, sizeof(text), MSG_DONTWAIT) > 0)
		(void)event_loop_poll(bed.loop);
	assert_true(bed.writable > 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* ---- raw mode ---- */

static bool is_raw(int fd)
{
	struct termios t;

	assert_int_equal(tcgetattr(fd, &t), 0);
	return !(t.c_lflag & ICANON);
}

static void raw_mode_comes_with_a_reader_and_goes_in_the_end(void **state)
{
	int master, slave;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	open_on(slave, slave);
	assert_false(is_raw(slave));
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	assert_true(is_raw(slave));
	assert_int_equal(write(master, "a\001p\001\001\001x", 7), 7);
	(void)busy_rounds();
	assert_int_equal(bed.n_got, 2);
	assert_memory_equal(bed.got, "a\001", 2);
	assert_int_equal(bed.keys[TERMINAL_QUIT], 1);
	assert_int_equal(bed.keys[TERMINAL_POWER], 1);
	close_terminal();
	assert_false(is_raw(slave));
	(void)close(slave);
	(void)close(master);
}

static void give_up(void *arg)
{
	event_loop_stop(bed.loop);
}

/* Who pastes more than there is room for waits; who wants to leave does not. */
static void a_guest_that_takes_nothing_does_not_hide_the_escape_key(void **state)
{
	static char text[8192];
	struct loop_timer *limit;
	int master, slave;
	size_t kept;

	memset(text, 'x', sizeof(text));
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(loop_timer_add(bed.loop, give_up, NULL, &limit), 0);
	loop_timer_set(limit, monotonic_ns() + 20000000000);
	open_on(slave, slave);
	bed.room = 0;
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	for (int i = 0; i < 8; i++) {
		assert_true(write(master, text, 1024) > 0);
		(void)event_loop_poll(bed.loop);
	}
	assert_int_equal(write(master, "\001x", 2), 2);
	assert_int_equal(event_loop_run(bed.loop), 0);
	assert_int_equal(bed.keys[TERMINAL_QUIT], 1);
	/* What was typed first is there still. */
	bed.room = sizeof(bed.got);
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	(void)busy_rounds();
	kept = bed.n_got;
	assert_in_range(kept, 4096, sizeof(text));
	bed.awaited = kept + 1; /* the kernel carries it over when it likes */
	assert_int_equal(write(master, "y", 1), 1);
	assert_int_equal(event_loop_run(bed.loop), 0);
	assert_int_equal(bed.n_got, kept + 1);
	assert_int_equal(bed.got[kept], 'y');
	loop_timer_remove(limit);
	(void)close(slave);
	(void)close(master);
}

static void a_guest_that_is_only_slow_loses_nothing_that_is_pasted(void **state)
{
	static char text[20000];
	size_t sent = 0;
	int master, slave;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	open_on(slave, slave);
	assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
	(void)alarm(30);
	while (bed.n_got < sizeof(text)) {
		ssize_t n = write(master, text + sent, sizeof(text) - sent);

		sent += n > 0 ? (size_t)n : 0;
		bed.room = 50;
		assert_int_equal(service_terminal.want_input(&bed.dev, 1), 0);
		(void)event_loop_poll(bed.loop);
		(void)event_loop_poll(bed.loop);
	}
	(void)alarm(0);
	assert_memory_equal(bed.got, text, sizeof(text));
	(void)close(slave);
	(void)close(master);
}

/* A process with the terminal in raw mode that ends by @number. */
static void die_by(int slave, int number)
{
	const struct rlimit no_core = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (event_loop_create(&bed.loop) < 0)
		_exit(1);
	open_on(slave, slave);
	if (service_terminal.want_input(&bed.dev, 1) < 0 || !is_raw(slave))
		_exit(2);
	(void)raise(number);
	_exit(3);
}

static void fatal_signals_leave_the_terminal_as_it_was(void **state)
{
	static const int numbers[] = { SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGUSR1,
		SIGUSR2, SIGALRM, SIGXCPU, SIGSYS, SIGTRAP };
	int master, slave;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;
		pid_t pid;
		int status;

		/* A sanitizer's handler ends the process in its own way. */
		assert_int_equal(sigaction(numbers[i], NULL, &old), 0);
		if (old.sa_handler != SIG_DFL)
			continue;
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			die_by(slave, numbers[i]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), numbers[i]);
		assert_false(is_raw(slave));
	}
	(void)close(slave);
	(void)close(master);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(input_waits_till_it_is_wanted),
		T(an_end_that_comes_early_loses_nothing),
		T(a_file_is_read_to_its_end),
		T(no_input_at_all_ends_at_once),
		T(a_reader_that_is_gone_is_no_reason_to_spin),
		T(output_waits_for_its_reader),
		T(a_file_keeps_what_others_write_to_it),
		T(what_is_left_in_the_end_can_be_waited_for),
		T(a_full_socket_does_not_block),
		T(raw_mode_comes_with_a_reader_and_goes_in_the_end),
		T(a_guest_that_takes_nothing_does_not_hide_the_escape_key),
		T(a_guest_that_is_only_slow_loses_nothing_that_is_pasted),
		T(fatal_signals_leave_the_terminal_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
