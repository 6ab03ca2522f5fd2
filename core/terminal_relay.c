/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between our terminal and a device's process. */
#include "core/terminal_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/device.h"
#include "core/event_loop.h"
#include "core/services.h"

#define RELAY_ROOM 4096u

struct terminal_relay {
	struct tenon_dev *dev;
	int fd;
	struct loop_watch *watch;
	uint32_t events;            /* what it waits for */
	uint8_t output[RELAY_ROOM]; /* read there, not yet written here */
	size_t at, n;
};

/* ---- the two ends ---- */

static int open_pty(int *ret_ours, int *ret_theirs)
{
	char name[64];
	int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), theirs;

	if (ours < 0)
		return -errno;
	if (grantpt(ours) < 0 || unlockpt(ours) < 0 || ptsname_r(ours, name, sizeof(name)) != 0) {
		(void)close(ours);
		return -EIO;
	}
	theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (theirs < 0) {
		int err = -errno;

		(void)close(ours);
		return err;
	}
	*ret_ours = ours;
	*ret_theirs = theirs;
	return 0;
}

int terminal_relay_ends(int *ret_ours, int *ret_theirs)
{
	int ends[2], ret;

	if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO)) {
		ret = open_pty(ret_ours, ret_theirs);
	} else {
		ret = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
		if (ret == 0) {
			*ret_ours = ends[0];
			*ret_theirs = ends[1];
		}
	}
	if (ret == 0)
		(void)fcntl(*ret_ours, F_SETFL, O_NONBLOCK);
	return ret;
}

/* ---- from there to here ---- */

static void wait_for(struct terminal_relay *r, uint32_t events)
{
	if (events != r->events && loop_fd_modify(r->watch, events) == 0)
		r->events = events;
}

/* False when our terminal takes no more for now. */
static bool write_out(struct terminal_relay *r)
{
	size_t n = service_terminal.write(r->dev, r->output + r->at, r->n);

	r->at += n;
	r->n -= n;
	return r->n == 0;
}

static bool read_more(struct terminal_relay *r)
{
	ssize_t n = read(r->fd, r->output, sizeof(r->output));

	r->at = 0;
	r->n = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static void ready(void *arg, uint32_t events)
{
	struct terminal_relay *r = arg;

	if (events & LOOP_WRITE) {
		wait_for(r, r->events & ~LOOP_WRITE);
		(void)service_terminal.want_input(r->dev, 1);
	}
	if (!(events & (LOOP_READ | LOOP_HUP)))
		return;
	if (r->n == 0 && !read_more(r))
		return;
	if (!write_out(r))
		wait_for(r, r->events & ~LOOP_READ);
}

static void on_writable(struct tenon_dev *dev)
{
	struct terminal_relay *r = dev->relay;

	if (write_out(r))
		wait_for(r, r->events | LOOP_READ);
}

/* ---- from here to there ---- */

static size_t on_input(struct tenon_dev *dev, const void *bytes, size_t size)
{
	struct terminal_relay *r = dev->relay;
	ssize_t n = write(r->fd, bytes, size);

	if (n < 0)
		n = 0;
	if ((size_t)n < size)
		wait_for(r, r->events | LOOP_WRITE);
	return (size_t)n;
}

static void on_resized(struct tenon_dev *dev, uint32_t columns, uint32_t rows)
{
	const struct winsize size = { .ws_col = (unsigned short)columns,
		.ws_row = (unsigned short)rows };

	(void)ioctl(dev->relay->fd, TIOCSWINSZ, &size);
}

static void on_closed(struct tenon_dev *dev)
{
	(void)shutdown(dev->relay->fd, SHUT_WR);
}

static const struct tenon_terminal_ops relay_ops = {
	.struct_size = sizeof(relay_ops),
	.input = on_input,
	.writable = on_writable,
	.resized = on_resized,
	.closed = on_closed,
};

/* ---- life ---- */

static int connect_terminal(struct terminal_relay *r)
{
	uint32_t columns, rows;
	int ret = service_terminal.open(r->dev, &relay_ops);

	if (ret < 0)
		return ret;
	if (service_terminal.size(r->dev, &columns, &rows) == 0)
		on_resized(r->dev, columns, rows);
	/* Somebody else may have the input; output it has in any case. */
	(void)service_terminal.want_input(r->dev, 1);
	return 0;
}

int terminal_relay_create(struct tenon_dev *dev, int fd, struct terminal_relay **ret_relay)
{
	struct terminal_relay *r = calloc(1, sizeof(*r));
	int ret;

	if (!r) {
		(void)close(fd);
		return -ENOMEM;
	}
	r->dev = dev;
	r->fd = fd;
	r->events = LOOP_READ;
	dev->relay = r;
	ret = loop_fd_add(dev->loop, fd, LOOP_READ, ready, r, &r->watch);
	if (ret == 0)
		ret = connect_terminal(r);
	if (ret < 0) {
		loop_fd_remove(r->watch);
		(void)close(fd);
		dev->relay = NULL;
		free(r);
		return ret;
	}
	*ret_relay = r;
	return 0;
}

void terminal_relay_pump(struct terminal_relay *relay)
{
	while ((relay->n || read_more(relay)) && write_out(relay))
		continue;
}

void terminal_relay_destroy(struct terminal_relay *relay)
{
	if (!relay)
		return;
	loop_fd_remove(relay->watch);
	terminal_relay_pump(relay);
	relay->dev->relay = NULL;
	(void)close(relay->fd);
	free(relay);
}
