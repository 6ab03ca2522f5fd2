/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of one device, by kqueue.  A queue tells of reading and of writing apart; a source
 * hears of both at once, as from epoll.  Whether an end is that of all, or the peer has only ended
 * its own direction, poll(2) knows.
 */
#include "poll.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/event.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

int poll_create(void)
{
	int fd = kqueue(), err;

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return fd;
	err = -errno;
	(void)close(fd);
	return err;
}

static int control(int poll, struct source *source, int16_t filter, uint16_t flags)
{
	struct kevent ev, receipt;

	EV_SET(&ev, source->fd, filter, flags | EV_RECEIPT, 0, 0, source);
	if (kevent(poll, &ev, 1, &receipt, 1, NULL) < 0)
		return -errno;
	return (receipt.flags & EV_ERROR) ? -(int)receipt.data : 0;
}

static void forget(int poll, struct source *source)
{
	(void)control(poll, source, EVFILT_READ, EV_DELETE);
	(void)control(poll, source, EVFILT_WRITE, EV_DELETE);
}

int poll_add(int poll, struct source *source)
{
	int ret = control(poll, source, EVFILT_READ, EV_ADD | EV_CLEAR);

	if (ret == 0)
		ret = control(poll, source, EVFILT_WRITE, EV_ADD | EV_CLEAR);
	if (ret < 0)
		forget(poll, source);
	return ret;
}

int poll_add_listener(int poll, struct source *source)
{
	int ret = control(poll, source, EVFILT_READ, EV_ADD);

	return ret < 0 ? ret : control(poll, source, EVFILT_READ, EV_DISABLE);
}

int poll_listen(int poll, struct source *source, bool on)
{
	return control(poll, source, EVFILT_READ, on ? EV_ENABLE : EV_DISABLE);
}

int poll_take(int poll, struct source *source)
{
	int fd = source->fd;

	forget(poll, source);
	source->fd = -1;
	return fd;
}

void poll_close(int poll, struct source *source)
{
	if (source->fd < 0)
		return;
	forget(poll, source);
	(void)close(source->fd);
	source->fd = -1;
}

static uint32_t translate(const struct kevent *ev)
{
	struct pollfd now = { .fd = (int)ev->ident };
	uint32_t events = ev->filter == EVFILT_READ ? POLL_READ : POLL_WRITE;

	if (!(ev->flags & EV_EOF))
		return events;
	events |= ev->filter == EVFILT_READ ? POLL_EOF : 0;
	if (poll(&now, 1, 0) > 0 && (now.revents & (POLLHUP | POLLERR)))
		events |= POLL_READ | POLL_WRITE | POLL_EOF | POLL_HUP;
	return events;
}

void poll_run(int queue, struct vsock *v)
{
	const struct timespec at_once = { 0, 0 };
	struct kevent ev[BATCH];
	int n = kevent(queue, NULL, 0, ev, BATCH, &at_once);

	for (int i = 0; i < n; i++) {
		struct source *source = ev[i].udata;
		uint32_t events = 0;

		/* What else there is of the same source goes with its first. */
		for (int k = i; k < n; k++)
			if (source && ev[k].udata == source && source->fd == (int)ev[k].ident) {
				events |= translate(&ev[k]);
				ev[k].udata = NULL;
			}
		if (events)
			source->ready(v, source, events);
	}
}
