/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of one device, by epoll. */
#include "poll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 64

int poll_create(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int control(int poll, int op, struct source *source, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = source };

	return epoll_ctl(poll, op, source->fd, &e) < 0 ? -errno : 0;
}

int poll_add(int poll, struct source *source)
{
	return control(poll, EPOLL_CTL_ADD, source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

int poll_add_listener(int poll, struct source *source)
{
	return control(poll, EPOLL_CTL_ADD, source, 0);
}

int poll_listen(int poll, struct source *source, bool on)
{
	return control(poll, EPOLL_CTL_MOD, source, on ? EPOLLIN : 0);
}

int poll_take(int poll, struct source *source)
{
	int fd = source->fd;

	(void)control(poll, EPOLL_CTL_DEL, source, 0);
	source->fd = -1;
	return fd;
}

void poll_close(int poll, struct source *source)
{
	if (source->fd < 0)
		return;
	(void)control(poll, EPOLL_CTL_DEL, source, 0);
	(void)close(source->fd);
	source->fd = -1;
}

static uint32_t translate(uint32_t events)
{
	return (events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP) ? POLL_READ : 0) |
	       (events & (EPOLLOUT | EPOLLERR | EPOLLHUP) ? POLL_WRITE : 0) |
	       (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? POLL_EOF : 0) |
	       (events & (EPOLLHUP | EPOLLERR) ? POLL_HUP : 0);
}

void poll_run(int poll, struct vsock *v)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(poll, events, BATCH, 0);

	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;

		if (source->fd >= 0)
			source->ready(v, source, translate(events[i].events));
	}
}
