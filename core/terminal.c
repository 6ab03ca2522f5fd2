/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal.
 *
 * Output goes through one ring: what the descriptor does not take at once waits for its room.  The
 * descriptors are opened anew where that is possible, because O_NONBLOCK belongs to the open file
 * and would be seen by the shell; where it is not (a socket, somebody else's pipe), the descriptor
 * is asked before each write.  A regular file stays the same open file, because its place in it is
 * shared with the shell; it cannot be waited for and never blocks for long: it is read by posting.
 */
#include "core/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "core/device.h"
#include "core/event_loop.h"
#include "core/log.h"
#include "core/services.h"

#define OUTPUT_ROOM 65536u
#define INPUT_ROOM  4096u
#define DEAF_NS     500000000ull
#define ESCAPE      0x01 /* Ctrl-A */

struct terminal_client {
	struct terminal_client *next;
	struct tenon_dev *dev;
	const struct tenon_terminal_ops *ops;
	bool starved; /* a write was cut short */
};

struct terminal {
	struct terminal_config config;
	int in, out;     /* ours */
	bool out_blocks; /* shared with others: a write may block */
	bool in_is_file, raw, escaped, ended, told_end, wanted, posted;
	uint32_t in_events; /* what in_watch waits for */
	struct termios saved;
	struct loop_watch *in_watch, *out_watch;
	struct terminal_client *clients;
	struct terminal_client *reader; /* who wants, or wanted, input */
	uint8_t input[INPUT_ROOM];      /* read, escape sequences taken out, not yet taken */
	size_t n_input;
	bool deaf; /* the input is full, and nobody has taken any of it for long */
	struct loop_timer *deaf_timer;

	pthread_mutex_t lock; /* the output ring and `starved` */
	uint8_t *output;
	size_t out_at, out_n;
	uint8_t last; /* byte that went out */
	bool out_waiting;
};

/* ---- raw mode ---- */

/* For the handlers of fatal signals; one terminal per process has raw mode. */
static struct termios fatal_saved;
static volatile sig_atomic_t fatal_fd = -1;

/* All whose default is to end the process; those of signals.h are asked for, not suffered. */
static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP,
	SIGQUIT, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ };

void terminal_restore_fatal(void)
{
	if (fatal_fd >= 0)
		(void)tcsetattr(fatal_fd, TCSANOW, &fatal_saved);
	log_set_raw(false);
}

static void restore_and_die(int number)
{
	terminal_restore_fatal();
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void arm_fatal(const struct terminal *t, bool on)
{
	struct sigaction action = { .sa_handler = on ? restore_and_die : SIG_DFL };

	fatal_fd = -1;
	if (on) {
		fatal_saved = t->saved;
		fatal_fd = t->in;
	}
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++) {
		struct sigaction old;

		/* A sanitizer's own handler stays. */
		if (sigaction(fatal_signals[i], NULL, &old) == 0 &&
			(old.sa_handler == SIG_DFL || old.sa_handler == restore_and_die))
			(void)sigaction(fatal_signals[i], &action, NULL);
	}
}

static void go_raw(struct terminal *t)
{
	struct termios raw;

	if (t->raw || !isatty(t->in) || tcgetattr(t->in, &t->saved) < 0)
		return;
	arm_fatal(t, true);
	raw = t->saved;
	cfmakeraw(&raw); /* what the guest writes has its line ends already */
	if (tcsetattr(t->in, TCSANOW, &raw) < 0) {
		arm_fatal(t, false);
		return;
	}
	t->raw = true;
	log_set_raw(true);
}

static void leave_raw(struct terminal *t)
{
	if (!t->raw)
		return;
	/* What comes next begins at the left. */
	if (t->last && t->last != '\n')
		(void)!write(t->out, "\r\n", 2);
	(void)tcsetattr(t->in, TCSANOW, &t->saved);
	arm_fatal(t, false);
	t->raw = false;
	log_set_raw(false);
}

/* ---- output ---- */

/* As write(), but never blocks. */
static ssize_t write_some(const struct terminal *t, const uint8_t *bytes, size_t size)
{
	struct pollfd room = { .fd = t->out, .events = POLLOUT };

	if (!t->out_blocks)
		return write(t->out, bytes, size);
	if (poll(&room, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	/* Whoever says that there is room has room for this much. */
	return write(t->out, bytes, size < PIPE_BUF ? size : PIPE_BUF);
}

/* Writes what goes at once; the lock is held. */
static void flush_output(struct terminal *t)
{
	while (t->output && t->out_n > 0) {
		size_t part = OUTPUT_ROOM - t->out_at;
		ssize_t n;

		if (part > t->out_n)
			part = t->out_n;
		n = write_some(t, t->output + t->out_at, part);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			n = (ssize_t)part; /* nobody reads any more: the guest goes on */
		if (n < 0)
			break;
		if (n > 0)
			t->last = t->output[t->out_at + (size_t)n - 1];
		t->out_at = (t->out_at + (size_t)n) % OUTPUT_ROOM;
		t->out_n -= (size_t)n;
	}
}

static void wait_for_room(struct terminal *t)
{
	bool waiting = t->out_n > 0;

	if (waiting == t->out_waiting || !t->out_watch)
		return;
	t->out_waiting = waiting;
	(void)loop_fd_modify(t->out_watch, waiting ? LOOP_WRITE : 0);
}

static void out_ready(void *arg, uint32_t events)
{
	struct terminal *t = arg;

	(void)events;
	(void)pthread_mutex_lock(&t->lock);
	flush_output(t);
	wait_for_room(t);
	for (struct terminal_client *c = t->clients; c; c = c->next) {
		bool call = c->starved && t->out_n < OUTPUT_ROOM / 2;

		if (!call)
			continue;
		c->starved = false;
		(void)pthread_mutex_unlock(&t->lock);
		device_lock(c->dev);
		if (TENON_HAS(c->ops, writable))
			c->ops->writable(c->dev);
		device_unlock(c->dev);
		(void)pthread_mutex_lock(&t->lock);
	}
	(void)pthread_mutex_unlock(&t->lock);
}

/* The lock is held. */
static size_t put_output(struct terminal *t, const uint8_t *from, size_t size)
{
	size_t done = 0;

	while (done < size && t->out_n < OUTPUT_ROOM) {
		size_t at = (t->out_at + t->out_n) % OUTPUT_ROOM;
		size_t part = at >= t->out_at ? OUTPUT_ROOM - at : t->out_at - at;

		if (part > size - done)
			part = size - done;
		memcpy(t->output + at, from + done, part);
		t->out_n += part;
		done += part;
		if (t->out_n == OUTPUT_ROOM)
			flush_output(t);
	}
	/* A ring that is full stays so till out_ready(), or nobody would tell who starved. */
	if (done == size)
		flush_output(t);
	wait_for_room(t);
	return done;
}

size_t terminal_write(struct terminal *t, const void *bytes, size_t size)
{
	size_t done;

	(void)pthread_mutex_lock(&t->lock);
	done = put_output(t, bytes, size);
	(void)pthread_mutex_unlock(&t->lock);
	return done;
}

static size_t term_write(struct tenon_dev *dev, const void *bytes, size_t size)
{
	struct terminal *t = dev->env->terminal;
	size_t done;

	(void)pthread_mutex_lock(&t->lock);
	done = put_output(t, bytes, size);
	if (done < size && dev->terminal)
		dev->terminal->starved = true;
	(void)pthread_mutex_unlock(&t->lock);
	return done;
}

/* ---- input ---- */

static const char help_text[] = "\r\nCtrl-A x  leave tenon\r\nCtrl-A p  press the power button\r\n"
				"Ctrl-A Ctrl-A  send Ctrl-A\r\n";

static void show_help(struct terminal *t)
{
	(void)!write_some(t, (const uint8_t *)help_text, sizeof(help_text) - 1);
}

static bool has_keys(const struct terminal *t)
{
	return t->raw && t->config.key;
}

/* Takes escape sequences out, in place; returns what is left. */
static size_t filter(struct terminal *t, uint8_t *bytes, size_t n)
{
	size_t kept = 0;

	if (!has_keys(t))
		return n;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = bytes[i];

		if (!t->escaped && c == ESCAPE) {
			t->escaped = true;
			continue;
		}
		if (!t->escaped || c == ESCAPE)
			bytes[kept++] = c;
		else if (c == 'x' || c == 'X' || c == 'q')
			t->config.key(t->config.opaque, TERMINAL_QUIT);
		else if (c == 'p')
			t->config.key(t->config.opaque, TERMINAL_POWER);
		else if (c == 'h' || c == '?')
			show_help(t);
		t->escaped = false;
	}
	return kept;
}

static void tell_end(struct terminal *t)
{
	struct terminal_client *c = t->reader;

	if (!c || !t->ended || t->told_end || t->n_input > 0)
		return;
	t->told_end = true;
	if (!TENON_HAS(c->ops, closed))
		return;
	device_lock(c->dev);
	c->ops->closed(c->dev);
	device_unlock(c->dev);
}

static void wait_for_input(struct terminal *t);

/* ---- a guest that takes nothing ---- */

/*
 * When the input is full it is not read: who types or pastes waits, and nothing is lost.  But a
 * guest that has taken nothing for long will not, and then the escape key must be seen: from then
 * on what is typed besides is thrown away.
 */
static void watch_for_deafness(struct terminal *t)
{
	if (has_keys(t) && !t->deaf && t->n_input == INPUT_ROOM)
		loop_timer_set(t->deaf_timer, monotonic_ns() + DEAF_NS);
}

static void hears(struct terminal *t)
{
	t->deaf = false;
	loop_timer_set(t->deaf_timer, 0);
}

static void is_deaf(void *arg)
{
	struct terminal *t = arg;

	t->deaf = t->n_input == INPUT_ROOM;
	wait_for_input(t);
}

static void throw_away(struct terminal *t, uint8_t *bytes, size_t n)
{
	if (filter(t, bytes, n) > 0)
		(void)!write_some(t, (const uint8_t *)"\a", 1);
}

static void deliver(struct terminal *t)
{
	struct terminal_client *c = t->reader;
	size_t taken;

	if (!c || !t->wanted || t->n_input == 0 || !TENON_HAS(c->ops, input))
		return;
	device_lock(c->dev);
	taken = c->ops->input(c->dev, t->input, t->n_input);
	device_unlock(c->dev);
	if (taken > t->n_input)
		taken = t->n_input;
	memmove(t->input, t->input + taken, t->n_input - taken);
	t->n_input -= taken;
	if (taken > 0)
		hears(t);
	if (t->n_input > 0)
		t->wanted = false; /* the rest waits for want_input */
}

static void read_input(struct terminal *t)
{
	uint8_t lost[256];
	bool full = t->n_input == INPUT_ROOM;
	ssize_t n = full ? read(t->in, lost, sizeof(lost))
			 : read(t->in, t->input + t->n_input, INPUT_ROOM - t->n_input);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		t->ended = true;
		loop_fd_remove(t->in_watch);
		t->in_watch = NULL;
		return;
	}
	if (full) {
		throw_away(t, lost, (size_t)n);
		return;
	}
	t->n_input += filter(t, t->input + t->n_input, (size_t)n);
	deliver(t);
	watch_for_deafness(t);
}

/* While keys are to be seen, a terminal is read even if the guest takes nothing. */
static bool reading(const struct terminal *t)
{
	return !t->ended &&
	       (t->n_input < INPUT_ROOM ? t->wanted || has_keys(t) : has_keys(t) && t->deaf);
}

/* After everything that may have changed what is waited for.  Waiting for the same once more would
 * bring a hang-up once more. */
static void wait_for_input(struct terminal *t)
{
	uint32_t events = reading(t) ? LOOP_READ : 0;

	if (!t->in_watch || events == t->in_events)
		return;
	t->in_events = events;
	(void)loop_fd_modify(t->in_watch, events);
}

static void in_ready(void *arg, uint32_t events)
{
	struct terminal *t = arg;

	(void)events;
	if (reading(t))
		read_input(t);
	tell_end(t);
	wait_for_input(t);
}

static void in_posted(void *arg);

static int post_input(struct terminal *t)
{
	int ret = t->posted ? 0 : loop_post(t->config.loop, in_posted, t, t);

	if (ret == 0)
		t->posted = true;
	return ret;
}

static void in_posted(void *arg)
{
	struct terminal *t = arg;

	t->posted = false;
	deliver(t);
	if (t->in_is_file && reading(t) && t->wanted) {
		read_input(t);
		(void)post_input(t);
	}
	tell_end(t);
	wait_for_input(t);
}

static int term_want_input(struct tenon_dev *dev, uint32_t want)
{
	struct terminal *t = dev->env->terminal;

	if (!dev->terminal)
		return -EINVAL;
	if (t->reader && t->reader != dev->terminal)
		return -EBUSY;
	if (!t->reader && !want)
		return 0;
	if (!t->reader) {
		t->reader = dev->terminal;
		go_raw(t);
	}
	if (t->wanted == (want != 0) && t->in_watch)
		return 0;
	t->wanted = want != 0;
	/* Not from within the device's own call. */
	return post_input(t);
}

/* ---- size ---- */

static int term_size(struct tenon_dev *dev, uint32_t *ret_columns, uint32_t *ret_rows)
{
	struct terminal *t = dev->env->terminal;
	struct winsize size;

	if (ioctl(t->out, TIOCGWINSZ, &size) < 0)
		return -ENOTTY;
	*ret_columns = size.ws_col;
	*ret_rows = size.ws_row;
	return 0;
}

void terminal_resized(struct terminal *terminal)
{
	for (struct terminal_client *c = terminal->clients; c; c = c->next) {
		uint32_t columns, rows;

		if (!TENON_HAS(c->ops, resized) || term_size(c->dev, &columns, &rows) < 0)
			continue;
		device_lock(c->dev);
		c->ops->resized(c->dev, columns, rows);
		device_unlock(c->dev);
	}
}

/* ---- clients ---- */

static int term_open(struct tenon_dev *dev, const struct tenon_terminal_ops *ops)
{
	struct terminal *t = dev->env->terminal;
	struct terminal_client *c;

	if (!t)
		return -ENOTSUP;
	if (dev->terminal)
		return -EBUSY;
	if (dev->loop != t->config.loop)
		return device_refuse(dev, -EINVAL,
			"the terminal belongs to the main loop: leave `iothread` out");
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct terminal_client){ .next = t->clients, .dev = dev, .ops = ops };
	t->clients = c;
	dev->terminal = c;
	return 0;
}

void terminal_release(struct tenon_dev *dev)
{
	struct terminal *t = dev->env->terminal;

	if (!dev->terminal)
		return;
	for (struct terminal_client **at = &t->clients; *at; at = &(*at)->next) {
		if (*at == dev->terminal) {
			*at = dev->terminal->next;
			break;
		}
	}
	if (t->reader == dev->terminal)
		t->reader = NULL;
	free(dev->terminal);
	dev->terminal = NULL;
}

/* ---- life ---- */

/* A descriptor of our own for the same file, not blocking where that leaves others alone. */
static int reopen(int fd, int flags, bool *ret_blocks)
{
	char path[32];
	struct stat st;
	int own = -1;

	*ret_blocks = false;
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		own = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		*ret_blocks = own < 0;
	}
	return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int watch(struct terminal *t)
{
	int ret = loop_timer_add(t->config.loop, is_deaf, t, &t->deaf_timer);

	if (ret < 0)
		return ret;
	ret = loop_fd_add(t->config.loop, t->in, 0, in_ready, t, &t->in_watch);

	if (ret == -EPERM) {
		t->in_is_file = true;
		ret = 0;
	}
	if (ret == 0)
		ret = loop_fd_add(t->config.loop, t->out, 0, out_ready, t, &t->out_watch);
	return ret == -EPERM ? 0 : ret;
}

int terminal_create(const struct terminal_config *config, struct terminal **ret_terminal)
{
	struct terminal *t = calloc(1, sizeof(*t));
	bool in_blocks; /* it is read only when something is there */
	int ret;

	if (!t)
		return -ENOMEM;
	(void)pthread_mutex_init(&t->lock, NULL);
	t->config = *config;
	t->output = malloc(OUTPUT_ROOM);
	t->in = reopen(config->in, O_RDONLY, &in_blocks);
	if (t->in < 0)
		t->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	t->out = reopen(config->out, O_WRONLY, &t->out_blocks);
	if (t->out < 0)
		t->out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (t->in < 0 || t->out < 0)
		ret = -errno;
	else
		ret = t->output ? watch(t) : -ENOMEM;
	if (ret < 0) {
		terminal_destroy(t);
		return ret;
	}
	*ret_terminal = t;
	return 0;
}

int terminal_unwritten(struct terminal *terminal)
{
	bool left;

	(void)pthread_mutex_lock(&terminal->lock);
	flush_output(terminal);
	left = terminal->out_n > 0;
	(void)pthread_mutex_unlock(&terminal->lock);
	return left ? terminal->out : -1;
}

bool terminal_is_raw(const struct terminal *terminal)
{
	return terminal->raw;
}

void terminal_destroy(struct terminal *terminal)
{
	struct terminal *t = terminal;

	if (!t)
		return;
	loop_fd_remove(t->in_watch);
	loop_fd_remove(t->out_watch);
	loop_timer_remove(t->deaf_timer);
	loop_forget(t->config.loop, t);
	if (t->out >= 0)
		flush_output(t);
	leave_raw(t);
	if (t->in >= 0)
		(void)close(t->in);
	if (t->out >= 0)
		(void)close(t->out);
	(void)pthread_mutex_destroy(&t->lock);
	free(t->output);
	free(t);
}

const struct tenon_terminal service_terminal = {
	.struct_size = sizeof(struct tenon_terminal),
	.open = term_open,
	.want_input = term_want_input,
	.write = term_write,
	.size = term_size,
};
