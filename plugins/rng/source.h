/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes come from, and the wait when there are none: an empty pipe is watched, the end of
 * a file or an error is tried again after a pause.  Inline, so that the device stays one file.
 */
#ifndef PLUGINS_RNG_SOURCE_H
#define PLUGINS_RNG_SOURCE_H

#include <errno.h>
#include <stdbool.h>

#include <tenon/tenon.h>

#define SOURCE_MOST     65536u     /* bytes of one request; drivers ask again */
#define SOURCE_TURN     131072     /* bytes before others get their turn ... */
#define SOURCE_PRICE    2048       /* ... and what a request counts beside its own */
#define SOURCE_PAUSE_NS 100000000u /* till an end or an error is tried again */

struct source {
	const char *path; /* NULL = the host's generator */
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events);
	int fd;
	int why;                   /* the last read gave nothing: 0 = the end, else an errno */
	int64_t left;              /* of this turn */
	bool dry;                  /* and that was said */
	struct tenon_watch *watch; /* NULL = it is not waited for */
	struct tenon_timer *timer; /* for the bucket, the next turn, the end of a pause */
};

/* @ready is called when a wait is over, @go_on when the timer fires. */
static inline int source_open(struct source *s, const struct tenon_host *host,
	const struct tenon_event *event, struct tenon_dev *dev,
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events),
	void (*go_on)(struct tenon_dev *dev, void *arg))
{
	s->ready = ready;
	s->fd = -1;
	if (s->path)
		s->fd = tenon_open(host, dev, "the source", s->path, O_RDONLY | O_NONBLOCK);
	if (s->path && s->fd < 0)
		return s->fd;
	return event->timer_add(dev, go_on, NULL, &s->timer);
}

/* Nothing happens by itself any more; a turn may begin. */
static inline void source_rest(struct source *s, const struct tenon_event *event)
{
	event->fd_remove(s->watch);
	s->watch = NULL;
	event->timer_set(s->timer, 0);
	s->left = SOURCE_TURN;
}

static inline void source_close(struct source *s, const struct tenon_event *event)
{
	event->fd_remove(s->watch);
	event->timer_remove(s->timer);
	tenon_close(s->fd);
}

/* Up to @size bytes into the chain, without waiting; how many. */
static inline size_t source_read(struct source *s, struct tenon_chain *c, uint64_t size)
{
	size_t most = size < SOURCE_MOST ? (size_t)size : SOURCE_MOST, done;

	errno = 0;
	done = s->path ? tenon_iov_read(s->fd, c->in, c->n_in, most)
		       : tenon_iov_random(c->in, c->n_in, most);
	s->why = errno;
	s->left -= SOURCE_PRICE + (int64_t)done;
	s->dry &= done == 0;
	return done;
}

/* After a read that gave nothing; returns when to read again, 0 = when ready() is called. */
static inline uint64_t source_wait(struct source *s, struct tenon_dev *dev,
	const struct tenon_host *host, const struct tenon_event *event, uint64_t now_ns)
{
	if (s->why == EAGAIN &&
		event->fd_add(dev, s->fd, TENON_FD_READ, s->ready, NULL, &s->watch) == 0)
		return 0;
	if (!s->dry)
		tenon_logf(host, dev, TENON_LOG_WARN,
			"the source gives nothing (%s): the guest waits",
			s->why ? strerror(s->why) : "it is at its end");
	s->dry = true;
	return now_ns + SOURCE_PAUSE_NS;
}

#endif
