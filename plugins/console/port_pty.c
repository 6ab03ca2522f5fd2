/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host side that is a terminal of its own: a pty, at whose other end somebody attaches (screen,
 * picocom, socat) and leaves as they please.
 *
 * The master tells of the last that leaves, by a hang-up that lasts; of those who come, and of a
 * changed size (`stty rows 40 <PTY`), tells a watch on the file.  Its line discipline is raw before
 * anybody comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"
#include "pty_watch.h"

static void closed(struct port *p)
{
	stream_close(&p->stream);
	port_host_open(p, false);
}

static void look_at_size(struct port *p)
{
	struct winsize size;

	if (ioctl(p->fd, TIOCGWINSZ, &size) == 0 && (size.ws_col || size.ws_row))
		port_resized(p, size.ws_col, size.ws_row);
}

/* Whoever came may be gone already and have left something. */
static void look_at_users(struct port *p)
{
	struct pollfd look = { .fd = p->fd, .events = POLLIN };

	look_at_size(p);
	if (stream_is_open(&p->stream) || poll(&look, 1, 0) < 0 ||
		((look.revents & POLLHUP) && !(look.revents & POLLIN)))
		return;
	if (stream_open(&p->stream, p, p->fd, p->fd, closed) == 0)
		port_host_open(p, true);
}

static void came_or_went(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct port *p = arg;

	(void)dev;
	(void)events;
	/* What has happened is seen from how things are. */
	pty_watch_drain(p->other_fd);
	look_at_users(p);
}

/* ---- life ---- */

static int refuse(struct port *p, const char *what)
{
	char label[PORT_LABEL_MAX];
	int err = -errno;

	return tenon_failf(console_host, p->dev, err, "%s: cannot %s: %s", port_label(p, label),
		what, strerror(-err));
}

static int open_master(struct port *p, char *path, size_t room)
{
	struct termios mode;
	int err;

	p->fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (p->fd < 0 || grantpt(p->fd) < 0 || unlockpt(p->fd) < 0)
		return refuse(p, "get a pty");
	err = ptsname_r(p->fd, path, room);
	if (err) {
		errno = err;
		return refuse(p, "get the name of a pty");
	}
	if (tcgetattr(p->fd, &mode) == 0) {
		cfmakeraw(&mode);
		(void)tcsetattr(p->fd, TCSANOW, &mode);
	}
	return 0;
}

static int refuse_link(struct port *p, int err)
{
	char label[PORT_LABEL_MAX];

	return tenon_failf(console_host, p->dev, err, "%s: cannot make the link \"%s\": %s",
		port_label(p, label), p->spec.path, strerror(-err));
}

/* A link that was left by a run before is replaced, anything else is somebody's. */
static int check_link(struct port *p)
{
	struct stat st;

	if (p->spec.path && lstat(p->spec.path, &st) == 0 && !S_ISLNK(st.st_mode))
		return refuse_link(p, -EEXIST);
	return 0;
}

static int make_link(struct port *p, const char *path)
{
	int ret = check_link(p);

	if (ret < 0)
		return ret;
	(void)unlink(p->spec.path);
	if (symlink(path, p->spec.path) < 0)
		return refuse_link(p, -errno);
	p->made = true;
	return 0;
}

/* Not before: a machine that is only checked takes nobody's link.  Without one the name is told. */
static int start(struct port *p)
{
	char path[64], label[PORT_LABEL_MAX];
	int ret = -ptsname_r(p->fd, path, sizeof(path));

	if (ret == 0 && p->spec.path)
		ret = make_link(p, path);
	if (ret == 0)
		tenon_logf(console_host, p->dev, p->made ? TENON_LOG_INFO : TENON_LOG_WARN,
			"%s is on %s", port_label(p, label), path);
	return ret;
}

static int attach(struct port *p)
{
	char path[64];
	int ret = open_master(p, path, sizeof(path));

	if (ret < 0)
		return ret;
	p->other_fd = pty_watch(path);
	if (p->other_fd < 0)
		return refuse(p, "watch a pty");
	ret = console_event->fd_add(p->dev, p->other_fd, TENON_FD_READ, came_or_went, p, &p->watch);
	return ret < 0 ? ret : check_link(p);
}

static void detach(struct port *p)
{
	stream_close(&p->stream);
	console_event->fd_remove(p->watch);
	p->watch = NULL;
	if (p->other_fd >= 0)
		(void)close(p->other_fd);
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = p->other_fd = -1;
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

const struct port_backend port_pty = {
	.word = "pty",
	.is_sized = true,
	.attach = attach,
	.start = start,
	.detach = detach,
	.write = write_out,
	.want_input = want_input,
};
