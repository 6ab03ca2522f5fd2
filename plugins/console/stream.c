/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host side that is a descriptor for both directions, or one for each.
 *
 * A peer that hung up may have left something to read.  The watch would tell of the hang-up for
 * ever, so it goes; what is left is read as the guest has room, and then the stream is closed.  A
 * peer that only has no more to say still hears the guest.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"

bool stream_is_open(const struct stream *s)
{
	return s->closed != NULL;
}

/* ---- what is waited for ---- */

static void modify(struct stream *s, struct tenon_watch *watch, uint32_t *now, uint32_t wanted)
{
	if (!watch || *now == wanted)
		return;
	if (console_event->fd_modify(watch, wanted) == 0)
		*now = wanted;
	else
		port_go_on_soon(s->port); /* and tries it again */
}

static void update(struct stream *s)
{
	uint32_t in = s->wants && !s->in_over ? TENON_FD_READ : 0;
	uint32_t out = s->starved ? TENON_FD_WRITE : 0;

	modify(s, s->in_watch, &s->in_events, s->in == s->out ? in | out : in);
	modify(s, s->out_watch, &s->out_events, out);
}

static void stop_watching(struct tenon_watch **watch)
{
	console_event->fd_remove(*watch);
	*watch = NULL;
}

/* ---- ends ---- */

/* Both directions are over. */
static void check_over(struct stream *s)
{
	if (s->closed && s->in_over && s->out_over)
		s->closed(s->port);
}

static bool is_empty(int fd)
{
	int left;

	return ioctl(fd, FIONREAD, &left) == 0 && left == 0;
}

static void fill(struct stream *s)
{
	switch (port_fill(s->port, s->in)) {
	case FILL_EMPTY:
		s->wants = true;
		if (s->hung)
			s->in_over = true; /* nobody is left to say more */
		break;
	case FILL_FULL:
		s->wants = false;
		if (s->hung && is_empty(s->in))
			s->in_over = true;
		break;
	case FILL_TURN:
		s->wants = true;
		if (!s->in_watch)
			port_go_on_soon(s->port);
		break;
	case FILL_END:
		s->in_over = true;
		break;
	}
}

/* The peer hung up, and nobody in the guest is waiting for what it left. */
static bool abandoned(const struct stream *s)
{
	return s->hung && !s->port->guest_open && !s->port->console->quiesced;
}

static void serve(struct stream *s)
{
	if (abandoned(s))
		s->in_over = true;
	else
		fill(s);
	/* A pipe or a file at its end would be ready for ever. */
	if (s->in_over && s->in != s->out)
		stop_watching(&s->in_watch);
	check_over(s);
	if (s->closed)
		update(s);
}

static void room(struct stream *s)
{
	s->starved = false;
	update(s);
	port_writable(s->port);
}

static void hang_up(struct stream *s)
{
	stop_watching(&s->in_watch);
	s->hung = true;
	if (s->in == s->out)
		s->out_over = true;
	if (s->in == s->out && s->starved)
		room(s); /* what waited for the peer waits no more */
	if (s->closed)
		serve(s);
}

static void in_ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct stream *s = arg;

	(void)dev;
	if ((events & TENON_FD_WRITE) && s->starved)
		room(s);
	if (s->closed && s->in_watch && (events & TENON_FD_READ) && s->wants && !s->in_over)
		serve(s);
	if (s->closed && s->in_watch && (events & TENON_FD_HUP))
		hang_up(s);
}

static void out_ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct stream *s = arg;

	(void)dev;
	if (events & TENON_FD_HUP) {
		stop_watching(&s->out_watch);
		s->out_over = true;
	}
	if (s->starved)
		room(s);
	if (s->closed)
		check_over(s);
}

/* ---- output ---- */

/* What a file cannot take is lost, and told once for each time that it begins. */
static void complain(struct stream *s, int error)
{
	char label[PORT_LABEL_MAX];

	if (!s->failing)
		tenon_logf(console_host, s->port->dev, TENON_LOG_WARN,
			"%s: cannot write, output is lost: %s", port_label(s->port, label),
			strerror(error));
	s->failing = true;
}

/* What a write says when nobody is at the other end. */
static bool is_gone(int error)
{
	return error == EPIPE || error == ECONNRESET || error == EIO || error == ENXIO;
}

/* As write(), but 0 when there is no room, and @size when what was written is lost. */
static size_t write_some(struct stream *s, const void *bytes, size_t size)
{
	ssize_t n;

	do
		n = write(s->out, bytes, size);
	while (n < 0 && errno == EINTR);
	if (n >= 0) {
		s->failing = false;
		return (size_t)n;
	}
	if (errno == EAGAIN)
		return 0;
	if (!s->out_plain && is_gone(errno))
		s->out_over = true; /* the watch tells of the end */
	else
		complain(s, errno);
	return size;
}

size_t stream_write(struct stream *s, const void *bytes, size_t size)
{
	size_t n;

	if (!s->closed || s->out_over)
		return size;
	n = write_some(s, bytes, size);
	if (n == size)
		return n;
	if (s->out_plain) {
		port_go_on_soon(s->port);
		return n;
	}
	s->starved = true;
	update(s);
	return n;
}

/* ---- input ---- */

void stream_want_input(struct stream *s, bool want)
{
	if (!s->closed)
		return;
	s->wants = want;
	if (!s->in_over && !s->in_watch && (want || s->hung))
		serve(s); /* nobody will say that there is something */
	else
		update(s);
}

/* ---- life ---- */

/* Without one for what cannot be waited for: a file, which is always ready. */
static int add_watch(struct stream *s, int fd,
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events), bool *ret_plain,
	struct tenon_watch **ret_watch)
{
	struct stat st;
	int ret = -EPERM;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		ret = console_event->fd_add(s->port->dev, fd, 0, ready, s, ret_watch);
	*ret_plain = ret == -EPERM;
	return ret == -EPERM ? 0 : ret;
}

int stream_open(
	struct stream *s, struct port *port, int in, int out, void (*closed)(struct port *port))
{
	int ret = 0;

	*s = (struct stream){ .port = port, .in = in, .out = out, .closed = closed };
	s->in_over = in < 0;
	s->out_over = out < 0;
	if (in >= 0)
		ret = add_watch(s, in, in_ready, &s->in_plain, &s->in_watch);
	if (ret == 0 && in == out)
		s->out_plain = s->in_plain;
	else if (ret == 0 && out >= 0)
		ret = add_watch(s, out, out_ready, &s->out_plain, &s->out_watch);
	if (ret < 0)
		stream_close(s);
	return ret;
}

void stream_close(struct stream *s)
{
	stop_watching(&s->in_watch);
	stop_watching(&s->out_watch);
	s->closed = NULL;
	s->wants = s->starved = false;
}
