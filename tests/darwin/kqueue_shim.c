/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kqueue(2) and kevent(2) on Linux, as far as this project uses them, so that what is written for a
 * kqueue runs here: on epoll, with an eventfd for a user event and inotify for a file that grows.
 *
 * What that shows: that the code which calls them keeps to the interface as it is documented, and
 * that what stands on it works with it.  What it does not show: that a Mac's kernel behaves as the
 * documents, and this file, say.
 *
 * Of a descriptor's filters some may be edge-triggered (EV_CLEAR) and others not, where epoll has
 * one way for all: a mixture is refused with EINVAL, as are room for one event and flags that
 * nobody uses.
 */
#include <sys/event.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define KNOWN (EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE | EV_CLEAR | EV_RECEIPT)

struct knote {
	struct knote *next;
	struct kevent ev;
	bool disabled;
	int fd;     /* what epoll waits for */
	off_t size; /* of the file when it was looked at last */
};

struct queue {
	struct queue *next;
	int fd;
	struct knote *notes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct queue *queues;

static void drop_notes(struct queue *q)
{
	while (q->notes) {
		struct knote *n = q->notes;

		q->notes = n->next;
		if (n->ev.filter == EVFILT_USER || n->ev.filter == EVFILT_VNODE)
			(void)close(n->fd);
		free(n);
	}
}

static struct queue *find_queue(int fd)
{
	for (struct queue *q = queues; q; q = q->next)
		if (q->fd == fd)
			return q;
	errno = EBADF;
	return NULL;
}

int kqueue(void)
{
	int fd = epoll_create1(0);
	struct queue *q;

	if (fd < 0)
		return -1;
	(void)pthread_mutex_lock(&lock);
	q = find_queue(fd);
	if (q) {
		drop_notes(q); /* of one that was closed */
	} else {
		q = calloc(1, sizeof(*q));
		if (q) {
			q->fd = fd;
			q->next = queues;
			queues = q;
		}
	}
	(void)pthread_mutex_unlock(&lock);
	if (!q) {
		(void)close(fd);
		errno = ENOMEM;
		return -1;
	}
	return fd;
}

static bool is_of_descriptor(int16_t filter)
{
	return filter == EVFILT_READ || filter == EVFILT_WRITE;
}

static struct knote **find_note(struct queue *q, uintptr_t ident, int16_t filter)
{
	struct knote **at = &q->notes;

	while (*at && ((*at)->ev.ident != ident || (*at)->ev.filter != filter))
		at = &(*at)->next;
	return at;
}

/* What epoll is to wait for on the descriptor of @n, which other notes may be of as well. */
static int mask_of(const struct queue *q, const struct knote *n, uint32_t *ret_mask)
{
	uint32_t mask = 0;
	int clear = -1;

	if (!is_of_descriptor(n->ev.filter)) {
		*ret_mask = n->disabled ? 0 : EPOLLIN;
		return 0;
	}
	for (const struct knote *o = q->notes; o; o = o->next) {
		if (o->ev.ident != n->ev.ident || !is_of_descriptor(o->ev.filter) || o->disabled)
			continue;
		if (clear >= 0 && clear != !!(o->ev.flags & EV_CLEAR))
			return EINVAL;
		clear = !!(o->ev.flags & EV_CLEAR);
		mask |= o->ev.filter == EVFILT_READ ? EPOLLIN | EPOLLRDHUP : EPOLLOUT;
	}
	*ret_mask = mask | (clear == 1 ? EPOLLET : 0);
	return 0;
}

/* Returns an errno. */
static int update(struct queue *q, const struct knote *n)
{
	struct epoll_event ev = { .data.fd = n->fd };
	struct stat st;
	uint32_t mask;
	int ret = mask_of(q, n, &mask);

	if (ret)
		return ret;
	ev.events = mask;
	if (mask == 0)
		return epoll_ctl(q->fd, EPOLL_CTL_DEL, n->fd, NULL) < 0 && errno == EBADF ? EBADF
											  : 0;
	if (epoll_ctl(q->fd, EPOLL_CTL_MOD, n->fd, &ev) == 0 ||
		(errno == ENOENT && epoll_ctl(q->fd, EPOLL_CTL_ADD, n->fd, &ev) == 0))
		return 0;
	if (errno != EPERM)
		return errno;
	/* A queue takes regular files, of which nothing is told here, and not every device. */
	return fstat(n->fd, &st) == 0 && S_ISREG(st.st_mode) ? 0 : EINVAL;
}

/* A descriptor that was closed took its notes along. */
static void forget_closed(struct queue *q, const struct kevent *c)
{
	struct epoll_event none = { .events = EPOLLET };
	struct knote **at = &q->notes;

	if (!is_of_descriptor(c->filter))
		return;
	while (*at) {
		struct knote *n = *at;

		if (n->ev.ident == c->ident && is_of_descriptor(n->ev.filter) && !n->disabled &&
			epoll_ctl(q->fd, EPOLL_CTL_MOD, n->fd, &none) < 0) {
			*at = n->next;
			free(n);
			continue;
		}
		if (n->ev.ident == c->ident && is_of_descriptor(n->ev.filter) && !n->disabled)
			(void)update(q, n);
		at = &n->next;
	}
}

static int open_vnode(struct knote *n)
{
	char path[64];
	struct stat st;

	n->fd = -1;
	if (fstat((int)n->ev.ident, &st) < 0)
		return errno;
	n->size = st.st_size;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", (int)n->ev.ident);
	n->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (n->fd < 0 || inotify_add_watch(n->fd, path, IN_MODIFY) < 0)
		return errno;
	return 0;
}

static int open_note(struct knote *n)
{
	switch (n->ev.filter) {
	case EVFILT_READ:
	case EVFILT_WRITE:
		n->fd = (int)n->ev.ident;
		return 0;
	case EVFILT_USER:
		n->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		return n->fd < 0 ? errno : 0;
	case EVFILT_VNODE:
		return open_vnode(n);
	default:
		n->fd = -1;
		return EINVAL;
	}
}

static int remove_note(struct queue *q, struct knote **at)
{
	struct knote *n = *at;
	int ret;

	*at = n->next;
	ret = update(q, n);
	if (!is_of_descriptor(n->ev.filter) && n->fd >= 0)
		(void)close(n->fd);
	free(n);
	return ret;
}

static int add_note(struct queue *q, const struct kevent *c)
{
	struct knote *n = calloc(1, sizeof(*n)), **at;
	int ret;

	if (!n)
		return ENOMEM;
	n->ev = *c;
	n->next = q->notes;
	q->notes = n;
	at = &q->notes;
	ret = open_note(n);
	if (ret == 0)
		ret = update(q, n);
	if (ret)
		(void)remove_note(q, at);
	return ret;
}

/* Returns an errno. */
static int apply(struct queue *q, const struct kevent *c)
{
	const uint64_t one = 1;
	struct knote **at, *n;
	int ret;

	if (c->flags & ~KNOWN)
		return EINVAL;
	forget_closed(q, c);
	at = find_note(q, c->ident, c->filter);
	n = *at;
	if (!n)
		return (c->flags & EV_ADD) ? add_note(q, c) : ENOENT;
	if (c->flags & EV_DELETE)
		return remove_note(q, at);
	if (c->flags & EV_ADD) /* what is there keeps its flags */
		n->ev.udata = c->udata;
	if (c->flags & EV_DISABLE)
		n->disabled = true;
	if (c->flags & (EV_ENABLE | EV_ADD))
		n->disabled = false;
	ret = update(q, n);
	if (ret == 0 && n->ev.filter == EVFILT_USER && (c->fflags & NOTE_TRIGGER))
		ret = write(n->fd, &one, sizeof(one)) < 0 && errno != EAGAIN ? errno : 0;
	return ret;
}

static int apply_all(
	struct queue *q, const struct kevent *changes, int n, struct kevent *out, int room)
{
	int done = 0;

	for (int i = 0; i < n; i++) {
		int ret = apply(q, &changes[i]);

		if (ret == 0 && !(changes[i].flags & EV_RECEIPT))
			continue;
		if (done == room) {
			errno = ret ? ret : EINVAL;
			return -1;
		}
		out[done] = changes[i];
		out[done].flags = EV_ERROR;
		out[done++].data = ret;
	}
	return done;
}

static bool vnode_changed(struct knote *n, struct kevent *ev)
{
	char bytes[1024];
	struct stat st;

	while (read(n->fd, bytes, sizeof(bytes)) > 0)
		continue;
	if (fstat((int)n->ev.ident, &st) < 0)
		return false;
	ev->fflags = NOTE_WRITE | (st.st_size > n->size ? NOTE_EXTEND : 0);
	n->size = st.st_size;
	ev->fflags &= n->ev.fflags;
	return ev->fflags != 0;
}

/* Whether @n says something of what epoll said. */
static bool fires(struct knote *n, uint32_t e, struct kevent *ev)
{
	const uint32_t end = e & (EPOLLHUP | EPOLLERR);
	uint64_t count;
	int bytes = 0;

	*ev = n->ev;
	ev->flags = (uint16_t)(n->ev.flags & EV_CLEAR);
	switch (n->ev.filter) {
	case EVFILT_READ:
		if (ioctl(n->fd, FIONREAD, &bytes) == 0)
			ev->data = bytes;
		ev->flags |= (end || (e & EPOLLRDHUP)) ? EV_EOF : 0;
		return e & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR);
	case EVFILT_WRITE:
		ev->flags |= end ? EV_EOF : 0;
		return e & (EPOLLOUT | EPOLLHUP | EPOLLERR);
	case EVFILT_USER:
		return !(n->ev.flags & EV_CLEAR) || read(n->fd, &count, sizeof(count)) > 0;
	default:
		return vnode_changed(n, ev);
	}
}

static int deliver(struct queue *q, const struct epoll_event *from, int n, struct kevent *out)
{
	int done = 0;

	for (int i = 0; i < n; i++)
		for (struct knote *note = q->notes; note; note = note->next)
			if (note->fd == from[i].data.fd && !note->disabled &&
				fires(note, from[i].events, &out[done]))
				done++;
	return done;
}

int kevent(int queue, const struct kevent *changes, int n_changes, struct kevent *events,
	int n_events, const struct timespec *timeout)
{
	struct epoll_event from[32];
	struct queue *q;
	int n;

	(void)pthread_mutex_lock(&lock);
	q = find_queue(queue);
	n = q ? apply_all(q, changes, n_changes, events, n_events) : -1;
	(void)pthread_mutex_unlock(&lock);
	if (n != 0 || n_events == 0)
		return n;
	if (n_events == 1) {
		errno = EINVAL;
		return -1;
	}
	/* A descriptor may have two notes. */
	n = epoll_pwait2(queue, from, n_events / 2 < 32 ? n_events / 2 : 32, timeout, NULL);
	if (n <= 0)
		return n;
	(void)pthread_mutex_lock(&lock);
	n = deliver(q, from, n, events);
	(void)pthread_mutex_unlock(&lock);
	return n;
}
