/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for descriptors with kqueue, where there is no epoll; a user event wakes the waiter.
 *
 * It is to look like epoll to those who wait.  A descriptor has up to two filters, for reading and
 * for writing, whose events become one.  The end of a file is EV_EOF in either; whether that is a
 * hang-up, or the other end has only said all that it has to, poll(2) knows.  Who waits for nothing
 * has both filters edge-triggered, with a mark in the tag: all that they say but hang-ups is
 * dropped.  Regular files are refused as epoll refuses them, who is always ready to read one.
 */
#include "core/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/event.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROOM   64
#define MARKED ((uintptr_t)1) /* in a tag, which points to something larger than a byte */

struct poller {
	int queue;
};

/* One change; 0 or -errno. */
static int change(const struct poller *p, uintptr_t ident, int16_t filter, uint16_t flags,
	uint32_t fflags, void *tag)
{
	struct kevent ev, receipt;

	EV_SET(&ev, ident, filter, flags | EV_RECEIPT, fflags, 0, tag);
	if (kevent(p->queue, &ev, 1, &receipt, 1, NULL) < 0)
		return -errno;
	return (receipt.flags & EV_ERROR) ? -(int)receipt.data : 0;
}

int poller_create(struct poller **ret_poller)
{
	struct poller *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->queue = kqueue();
	err = p->queue < 0 ? -errno : 0;
	if (err == 0 && fcntl(p->queue, F_SETFD, FD_CLOEXEC) < 0)
		err = -errno;
	if (err == 0)
		err = change(p, 0, EVFILT_USER, EV_ADD | EV_CLEAR, 0, NULL);
	if (err < 0) {
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
	if (poller->queue >= 0)
		(void)close(poller->queue);
	free(poller);
}

static int watch_for_end(struct poller *p, int fd, void *tag)
{
	void *marked = (void *)((uintptr_t)tag | MARKED);
	int r = change(p, (uintptr_t)fd, EVFILT_READ, EV_ADD | EV_CLEAR, 0, marked);
	int w = change(p, (uintptr_t)fd, EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, marked);

	if (r == 0 || w == 0) /* some descriptors know only one of them */
		return 0;
	return r == -EINVAL ? -EPERM : r;
}

static int watch(struct poller *p, int fd, uint32_t events, void *tag)
{
	int ret = 0;

	if (!(events & (POLLER_READ | POLLER_WRITE)))
		return watch_for_end(p, fd, tag);
	if (events & POLLER_READ)
		ret = change(p, (uintptr_t)fd, EVFILT_READ, EV_ADD, 0, tag);
	if (ret == 0 && (events & POLLER_WRITE))
		ret = change(p, (uintptr_t)fd, EVFILT_WRITE, EV_ADD, 0, tag);
	if (ret < 0)
		poller_remove(p, fd);
	/* A device that no filter knows is one that is always ready, such as /dev/null. */
	return ret == -EINVAL ? -EPERM : ret;
}

static bool is_watched(const struct poller *p, int fd)
{
	return change(p, (uintptr_t)fd, EVFILT_READ, EV_ENABLE, 0, NULL) == 0 ||
	       change(p, (uintptr_t)fd, EVFILT_WRITE, EV_ENABLE, 0, NULL) == 0;
}

int poller_add(struct poller *poller, int fd, uint32_t events, void *tag)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return -EPERM;
	return is_watched(poller, fd) ? -EEXIST : watch(poller, fd, events, tag);
}

int poller_modify(struct poller *poller, int fd, uint32_t events, void *tag)
{
	/* Adding what is there does not change how it is triggered. */
	poller_remove(poller, fd);
	return watch(poller, fd, events, tag);
}

void poller_remove(struct poller *poller, int fd)
{
	/* The descriptor may be gone already: then it is not in the queue either. */
	(void)change(poller, (uintptr_t)fd, EVFILT_READ, EV_DELETE, 0, NULL);
	(void)change(poller, (uintptr_t)fd, EVFILT_WRITE, EV_DELETE, 0, NULL);
}

void poller_wake(struct poller *poller)
{
	(void)change(poller, 0, EVFILT_USER, 0, NOTE_TRIGGER, NULL);
}

static bool is_hang_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static uint32_t events_of(const struct poller *p, const struct kevent *ev)
{
	const bool marked = (uintptr_t)ev->udata & MARKED;
	uint32_t events = ev->filter == EVFILT_READ ? POLLER_READ : POLLER_WRITE;

	if (marked)
		events = 0;
	if (!(ev->flags & EV_EOF) || !is_hang_up((int)ev->ident))
		return events;
	if (marked) { /* once */
		(void)change(p, ev->ident, EVFILT_READ, EV_DISABLE, 0, ev->udata);
		(void)change(p, ev->ident, EVFILT_WRITE, EV_DISABLE, 0, ev->udata);
	}
	return events | POLLER_HUP;
}

/* To the events of the same tag, or to the end; the new number of them. */
static int put(struct poller_event *out, int n, void *tag, uint32_t events)
{
	for (int i = 0; i < n; i++)
		if (out[i].tag == tag) {
			out[i].events |= events;
			return n;
		}
	out[n] = (struct poller_event){ tag, events };
	return n + 1;
}

int poller_wait(
	struct poller *poller, struct poller_event *events, size_t room, uint64_t timeout_ns)
{
	struct timespec ts = { (time_t)(timeout_ns / 1000000000u),
		(long)(timeout_ns % 1000000000u) };
	struct kevent ev[ROOM];
	int out = 0;
	int n = kevent(poller->queue, NULL, 0, ev, room < ROOM ? (int)room : ROOM,
		timeout_ns == UINT64_MAX ? NULL : &ts);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		void *tag = (void *)((uintptr_t)ev[i].udata & ~MARKED);
		uint32_t e;

		if (ev[i].filter == EVFILT_USER || (ev[i].flags & EV_ERROR))
			continue;
		e = events_of(poller, &ev[i]);
		if (e)
			out = put(events, out, tag, e);
	}
	return out;
}
