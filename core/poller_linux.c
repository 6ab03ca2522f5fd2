/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for descriptors with epoll; an eventfd wakes the waiter. */
#include "core/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct poller {
	int epoll, wake;
};

int poller_create(struct poller **ret_poller)
{
	struct poller *p = calloc(1, sizeof(*p));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	int err;

	if (!p)
		return -ENOMEM;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->epoll < 0 || p->wake < 0 || epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->wake, &ev) < 0) {
		err = -errno;
		poller_destroy(p);
		return err;
	}
	*ret_poller = p;
	return 0;
}

void poller_destroy(struct poller *poller)
{
	if (!poller)
		return;
	if (poller->wake >= 0)
		(void)close(poller->wake);
	if (poller->epoll >= 0)
		(void)close(poller->epoll);
	free(poller);
}

static struct epoll_event make_event(uint32_t events, void *tag)
{
	struct epoll_event ev = { .data.ptr = tag };

	if (events & POLLER_READ)
		ev.events |= EPOLLIN;
	if (events & POLLER_WRITE)
		ev.events |= EPOLLOUT;
	/* Hang-ups and errors come unasked and would come for ever: who waits for nothing hears
	 * of them once. */
	if (ev.events == 0)
		ev.events = EPOLLONESHOT;
	return ev;
}

int poller_add(struct poller *poller, int fd, uint32_t events, void *tag)
{
	struct epoll_event ev = make_event(events, tag);

	return epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

int poller_modify(struct poller *poller, int fd, uint32_t events, void *tag)
{
	struct epoll_event ev = make_event(events, tag);

	return epoll_ctl(poller->epoll, EPOLL_CTL_MOD, fd, &ev) < 0 ? -errno : 0;
}

void poller_remove(struct poller *poller, int fd)
{
	/* The descriptor may be gone already: then it is not in the set either. */
	(void)epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void poller_wake(struct poller *poller)
{
	uint64_t one = 1;

	/* Only EAGAIN can happen (the counter is full), and then the waiter wakes anyway. */
	if (write(poller->wake, &one, sizeof(one)) < 0)
		return;
}

static int wait_some(struct poller *poller, struct epoll_event *ev, int room, uint64_t timeout_ns)
{
	struct timespec ts = { (time_t)(timeout_ns / 1000000000u),
		(long)(timeout_ns % 1000000000u) };
	int n = epoll_pwait2(poller->epoll, ev, room, timeout_ns == UINT64_MAX ? NULL : &ts, NULL);

	if (n < 0 && errno == ENOSYS) { /* before Linux 5.11: whole milliseconds, rounded up */
		uint64_t ms = timeout_ns / 1000000u + 1;

		n = epoll_wait(poller->epoll, ev, room,
			timeout_ns == UINT64_MAX ? -1 : (int)(ms > 1000000u ? 1000000u : ms));
	}
	return n < 0 ? -errno : n;
}

int poller_wait(
	struct poller *poller, struct poller_event *events, size_t room, uint64_t timeout_ns)
{
	struct epoll_event ev[64];
	int n = wait_some(poller, ev, room < 64 ? (int)room : 64, timeout_ns);
	int out = 0;

	if (n == -EINTR)
		return 0;
	for (int i = 0; i < n; i++) {
		uint32_t e = ev[i].events;
		uint64_t count;

		if (!ev[i].data.ptr) {
			if (read(poller->wake, &count, sizeof(count)) < 0)
				continue;
			continue;
		}
		events[out].tag = ev[i].data.ptr;
		events[out].events = (e & EPOLLIN ? POLLER_READ : 0) |
				     (e & EPOLLOUT ? POLLER_WRITE : 0) |
				     (e & (EPOLLHUP | EPOLLERR) ? POLLER_HUP : 0);
		out++;
	}
	return n < 0 ? n : out;
}
