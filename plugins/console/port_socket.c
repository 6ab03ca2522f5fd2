/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host side that is a unix stream socket.
 *
 * One that listens has one peer at a time; the next waits until that one has gone.  One that
 * connects tries again every second, when nobody is there and when its peer has gone.  When the
 * guest closes its end, the connection is closed after its last words, so that the peer sees it; a
 * console is never closed by the guest.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <tenon/socket.h>

#include "console.h"

static int new_socket(void)
{
	int fd = tenon_socket(AF_UNIX, SOCK_STREAM, 0);

	return fd < 0 ? -errno : fd;
}

static struct sockaddr_un address(const struct port *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", p->spec.path);
	return a;
}

static int refuse(struct port *p, int err, const char *why)
{
	char label[PORT_LABEL_MAX];

	return tenon_failf(console_host, p->dev, err, "%s: cannot listen on \"%s\": %s",
		port_label(p, label), p->spec.path, why);
}

/* ---- the connection ---- */

static void try_soon(struct port *p)
{
	console_event->timer_set(p->retry, console_clock->monotonic_ns() + SECOND_NS);
}

static void hang_up(struct port *p)
{
	stream_close(&p->stream);
	if (p->other_fd >= 0)
		(void)close(p->other_fd);
	p->other_fd = -1;
}

/* Whoever is next may come. */
static void closed(struct port *p)
{
	hang_up(p);
	port_host_open(p, false);
	if (!p->spec.listen || console_event->fd_modify(p->watch, TENON_FD_READ) < 0)
		try_soon(p);
}

static bool use(struct port *p, int fd)
{
	if (stream_open(&p->stream, p, fd, fd, closed) < 0) {
		(void)close(fd);
		return false;
	}
	p->other_fd = fd;
	p->complained = false;
	port_host_open(p, true);
	return true;
}

static void guest_closed(struct port *p)
{
	if (!p->is_console && p->other_fd >= 0)
		closed(p);
}

/* ---- connecting ---- */

static void wait_for_peer(struct port *p, int err)
{
	char label[PORT_LABEL_MAX];

	if (!p->complained)
		tenon_logf(console_host, p->dev, TENON_LOG_WARN,
			"%s: cannot connect to \"%s\" yet: %s; it is tried every second",
			port_label(p, label), p->spec.path, strerror(-err));
	p->complained = true;
	try_soon(p);
}

static void connect_now(struct port *p)
{
	const struct sockaddr_un to = address(p);
	int fd = new_socket();

	if (fd < 0) {
		wait_for_peer(p, fd);
		return;
	}
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		int err = -errno;

		(void)close(fd);
		wait_for_peer(p, err);
		return;
	}
	if (!use(p, fd))
		try_soon(p);
}

/* ---- listening ---- */

static void somebody_came(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct port *p = arg;
	int fd;

	(void)dev;
	(void)events;
	if (p->other_fd >= 0)
		return;
	fd = tenon_accept(p->fd);
	if (fd < 0 || !use(p, fd)) {
		if (fd < 0 && errno == EAGAIN)
			return;
		try_soon(p); /* out of descriptors or of memory: not at once again */
	}
	if (console_event->fd_modify(p->watch, 0) < 0)
		port_go_on_soon(p);
}

static void retry(struct tenon_dev *dev, void *arg)
{
	struct port *p = arg;

	(void)dev;
	if (p->other_fd >= 0)
		return;
	if (!p->spec.listen)
		connect_now(p);
	else if (console_event->fd_modify(p->watch, TENON_FD_READ) < 0)
		try_soon(p);
}

/* A socket whose listener has died is in the way and of no use to anybody. */
static bool is_left_over(const struct sockaddr_un *at)
{
	struct stat st;
	bool dead;
	int fd;

	if (lstat(at->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = new_socket();
	if (fd < 0)
		return false;
	dead = connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 && errno == ECONNREFUSED;
	(void)close(fd);
	return dead;
}

static int listen_now(struct port *p)
{
	const struct sockaddr_un at = address(p);
	int ret = new_socket();

	if (ret < 0)
		return refuse(p, ret, strerror(-ret));
	p->fd = ret;
	ret = bind(p->fd, (const struct sockaddr *)&at, sizeof(at));
	if (ret < 0 && errno == EADDRINUSE && is_left_over(&at) && unlink(at.sun_path) == 0)
		ret = bind(p->fd, (const struct sockaddr *)&at, sizeof(at));
	if (ret < 0) {
		ret = -errno;
		return refuse(p, ret, ret == -EADDRINUSE ? "it is there already" : strerror(-ret));
	}
	p->made = true;
	if (listen(p->fd, 8) < 0) {
		ret = -errno;
		return refuse(p, ret, strerror(-ret));
	}
	return console_event->fd_add(p->dev, p->fd, TENON_FD_READ, somebody_came, p, &p->watch);
}

/* ---- life ---- */

static int attach(struct port *p)
{
	int ret = console_event->timer_add(p->dev, retry, p, &p->retry);

	if (ret < 0)
		return ret;
	return p->spec.listen ? listen_now(p) : 0;
}

static int start(struct port *p)
{
	if (!p->spec.listen)
		connect_now(p);
	return 0;
}

static void detach(struct port *p)
{
	hang_up(p);
	console_event->fd_remove(p->watch);
	console_event->timer_remove(p->retry);
	p->watch = NULL;
	p->retry = NULL;
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
	if (p->made)
		(void)unlink(p->spec.path);
	p->made = false;
}

static size_t write_out(struct port *p, const void *bytes, size_t size)
{
	return stream_write(&p->stream, bytes, size);
}

static void want_input(struct port *p, bool want)
{
	stream_want_input(&p->stream, want);
}

const struct port_backend port_socket = {
	.word = "socket",
	.attach = attach,
	.start = start,
	.detach = detach,
	.write = write_out,
	.want_input = want_input,
	.guest_closed = guest_closed,
};
