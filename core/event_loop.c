/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop.
 *
 * One mutex guards the lists; it is never held while a callback runs.  `current` names the object
 * whose callback is running, so that a removal from another thread can wait for it.  Objects that
 * were removed are freed by the running thread between two rounds, because a round's events may
 * still name them.
 */
#include "core/event_loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/poller.h"

#define ROUND 64

enum { WATCH, TIMER };

/* What both kinds share: membership in a list and death. */
struct item {
	struct item *next;
	struct event_loop *loop;
	int kind;
	bool dead;
};

struct loop_watch {
	struct item item;
	int fd;
	void (*ready)(void *arg, uint32_t events);
	void *arg;
};

struct loop_timer {
	struct item item;
	uint64_t deadline_ns; /* 0 = off */
	void (*expired)(void *arg);
	void *arg;
};

struct posted {
	struct posted *next;
	void (*fn)(void *arg);
	void *arg;
	const void *owner;
	bool borrowed; /* a caller's who waits: not ours to free */
};

struct event_loop {
	pthread_mutex_t lock;
	pthread_cond_t settled; /* `current` changed */
	struct poller *poller;
	struct item *watches, *timers;
	struct posted *first, **last;
	const void *current; /* the object or owner whose callback runs */
	pthread_t runner;    /* valid while running */
	bool running, stop;
};

uint64_t monotonic_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int event_loop_create(struct event_loop **ret_loop)
{
	struct event_loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	err = poller_create(&loop->poller);
	if (err < 0) {
		free(loop);
		return err;
	}
	(void)pthread_mutex_init(&loop->lock, NULL);
	(void)pthread_cond_init(&loop->settled, NULL);
	loop->last = &loop->first;
	*ret_loop = loop;
	return 0;
}

static void free_items(struct item *item)
{
	while (item) {
		struct item *next = item->next;

		free(item);
		item = next;
	}
}

void event_loop_destroy(struct event_loop *loop)
{
	if (!loop)
		return;
	free_items(loop->watches);
	free_items(loop->timers);
	while (loop->first) {
		struct posted *p = loop->first;

		loop->first = p->next;
		if (!p->borrowed)
			free(p);
	}
	poller_destroy(loop->poller);
	(void)pthread_cond_destroy(&loop->settled);
	(void)pthread_mutex_destroy(&loop->lock);
	free(loop);
}

void event_loop_stop(struct event_loop *loop)
{
	(void)pthread_mutex_lock(&loop->lock);
	loop->stop = true;
	(void)pthread_mutex_unlock(&loop->lock);
	poller_wake(loop->poller);
}

static bool on_loop(const struct event_loop *loop)
{
	return loop->running && pthread_equal(loop->runner, pthread_self());
}

/* Waits until @what's callback is not running; the lock is held. */
static void settle(struct event_loop *loop, const void *what)
{
	while (loop->current == what && !on_loop(loop))
		(void)pthread_cond_wait(&loop->settled, &loop->lock);
}

static void set_current(struct event_loop *loop, const void *what)
{
	(void)pthread_mutex_lock(&loop->lock);
	loop->current = what;
	(void)pthread_cond_broadcast(&loop->settled);
	(void)pthread_mutex_unlock(&loop->lock);
}

/* ---- descriptors ---- */

int loop_fd_add(struct event_loop *loop, int fd, uint32_t events,
	void (*ready)(void *arg, uint32_t events), void *arg, struct loop_watch **ret_watch)
{
	struct loop_watch *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	*w = (struct loop_watch){ { NULL, loop, WATCH, false }, fd, ready, arg };
	(void)pthread_mutex_lock(&loop->lock);
	/* Inside the lock, so that an event that comes at once finds *ret_watch set. */
	err = poller_add(loop->poller, fd, events, w);
	if (err == 0) {
		w->item.next = loop->watches;
		loop->watches = &w->item;
		*ret_watch = w;
	}
	(void)pthread_mutex_unlock(&loop->lock);
	if (err < 0)
		free(w);
	return err;
}

int loop_fd_modify(struct loop_watch *watch, uint32_t events)
{
	return poller_modify(watch->item.loop->poller, watch->fd, events, watch);
}

static void remove_item(struct item *item)
{
	struct event_loop *loop = item->loop;

	(void)pthread_mutex_lock(&loop->lock);
	item->dead = true;
	settle(loop, item);
	(void)pthread_mutex_unlock(&loop->lock);
	poller_wake(loop->poller); /* so that it is freed soon */
}

void loop_fd_remove(struct loop_watch *watch)
{
	if (!watch)
		return;
	poller_remove(watch->item.loop->poller, watch->fd);
	remove_item(&watch->item);
}

static bool run_watch(struct event_loop *loop, struct loop_watch *w, uint32_t events)
{
	bool run;

	(void)pthread_mutex_lock(&loop->lock);
	run = !w->item.dead;
	if (run)
		loop->current = w;
	(void)pthread_mutex_unlock(&loop->lock);
	if (!run)
		return false;
	w->ready(w->arg, events);
	set_current(loop, NULL);
	return true;
}

/* ---- timers ---- */

int loop_timer_add(struct event_loop *loop, void (*expired)(void *arg), void *arg,
	struct loop_timer **ret_timer)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*t = (struct loop_timer){ { NULL, loop, TIMER, false }, 0, expired, arg };
	(void)pthread_mutex_lock(&loop->lock);
	t->item.next = loop->timers;
	loop->timers = &t->item;
	(void)pthread_mutex_unlock(&loop->lock);
	*ret_timer = t;
	return 0;
}

void loop_timer_set(struct loop_timer *timer, uint64_t deadline_ns)
{
	struct event_loop *loop = timer->item.loop;
	uint64_t now = monotonic_ns();
	bool wake;

	/* The past is now: a timer that sets itself anew is due in the next round, not in this. */
	if (deadline_ns && deadline_ns < now)
		deadline_ns = now;

	(void)pthread_mutex_lock(&loop->lock);
	timer->deadline_ns = deadline_ns;
	wake = !on_loop(loop);
	(void)pthread_mutex_unlock(&loop->lock);
	if (wake)
		poller_wake(loop->poller);
}

void loop_timer_remove(struct loop_timer *timer)
{
	if (timer)
		remove_item(&timer->item);
}

/* The next deadline, or UINT64_MAX; the lock is held. */
static uint64_t next_deadline(const struct event_loop *loop)
{
	uint64_t next = UINT64_MAX;

	for (struct item *i = loop->timers; i; i = i->next) {
		const struct loop_timer *t = (const struct loop_timer *)i;

		if (!i->dead && t->deadline_ns && t->deadline_ns < next)
			next = t->deadline_ns;
	}
	return next;
}

static struct loop_timer *take_expired(struct event_loop *loop, uint64_t now)
{
	struct loop_timer *found = NULL;

	(void)pthread_mutex_lock(&loop->lock);
	for (struct item *i = loop->timers; i; i = i->next) {
		struct loop_timer *t = (struct loop_timer *)i;

		if (i->dead || !t->deadline_ns || t->deadline_ns > now)
			continue;
		if (!found || t->deadline_ns < found->deadline_ns)
			found = t;
	}
	if (found) {
		found->deadline_ns = 0;
		loop->current = found;
	}
	(void)pthread_mutex_unlock(&loop->lock);
	return found;
}

static bool run_timers(struct event_loop *loop)
{
	uint64_t now = monotonic_ns();
	struct loop_timer *t;
	bool any = false;

	while ((t = take_expired(loop, now))) {
		t->expired(t->arg);
		set_current(loop, NULL);
		any = true;
	}
	return any;
}

/* ---- posted functions ---- */

static void enqueue(struct event_loop *loop, struct posted *p)
{
	(void)pthread_mutex_lock(&loop->lock);
	*loop->last = p;
	loop->last = &p->next;
	(void)pthread_mutex_unlock(&loop->lock);
	poller_wake(loop->poller);
}

int loop_post(struct event_loop *loop, void (*fn)(void *arg), void *arg, const void *owner)
{
	struct posted *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct posted){ NULL, fn, arg, owner, false };
	enqueue(loop, p);
	return 0;
}

void loop_forget(struct event_loop *loop, const void *owner)
{
	(void)pthread_mutex_lock(&loop->lock);
	for (struct posted **at = &loop->first; *at;) {
		struct posted *p = *at;

		if (p->owner != owner) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
	}
	loop->last = &loop->first;
	while (*loop->last)
		loop->last = &(*loop->last)->next;
	settle(loop, owner);
	(void)pthread_mutex_unlock(&loop->lock);
}

/* On the caller's stack: taking something down must not fail for want of memory. */
struct call {
	struct posted posted;
	struct event_loop *loop;
	int (*fn)(void *arg);
	void *arg;
	int ret;
	bool done;
};

static void run_call(void *arg)
{
	struct call *c = arg;
	int ret = c->fn(c->arg);

	(void)pthread_mutex_lock(&c->loop->lock);
	c->ret = ret;
	c->done = true;
	(void)pthread_cond_broadcast(&c->loop->settled);
	(void)pthread_mutex_unlock(&c->loop->lock);
}

int loop_call(struct event_loop *loop, int (*fn)(void *arg), void *arg)
{
	struct call c = { .loop = loop, .fn = fn, .arg = arg };
	bool here;

	(void)pthread_mutex_lock(&loop->lock);
	here = !loop->running || on_loop(loop);
	(void)pthread_mutex_unlock(&loop->lock);
	if (here)
		return fn(arg);
	c.posted = (struct posted){ NULL, run_call, &c, NULL, true };
	enqueue(loop, &c.posted);
	(void)pthread_mutex_lock(&loop->lock);
	while (!c.done)
		(void)pthread_cond_wait(&loop->settled, &loop->lock);
	(void)pthread_mutex_unlock(&loop->lock);
	return c.ret;
}

static struct posted *take_posted(struct event_loop *loop)
{
	struct posted *p;

	(void)pthread_mutex_lock(&loop->lock);
	p = loop->first;
	if (p) {
		loop->first = p->next;
		if (!loop->first)
			loop->last = &loop->first;
		loop->current = p->owner;
	}
	(void)pthread_mutex_unlock(&loop->lock);
	return p;
}

static bool run_posted(struct event_loop *loop)
{
	bool any = false;

	/* At most a round of them: a function that posts itself anew must not starve the rest. */
	for (int i = 0; i < ROUND; i++) {
		struct posted *p = take_posted(loop);
		struct posted *ours = p && !p->borrowed ? p : NULL;

		if (!p)
			break;
		p->fn(p->arg); /* what is borrowed is gone now */
		free(ours);
		set_current(loop, NULL);
		any = true;
	}
	return any;
}

/* ---- running ---- */

static void bury(struct item **at)
{
	while (*at) {
		struct item *i = *at;

		if (!i->dead) {
			at = &i->next;
			continue;
		}
		*at = i->next;
		free(i);
	}
}

/* How long the next wait may take; frees what was removed. */
static uint64_t prepare(struct event_loop *loop, bool *ret_stop)
{
	uint64_t timeout = UINT64_MAX, next, now = monotonic_ns();

	(void)pthread_mutex_lock(&loop->lock);
	bury(&loop->watches);
	bury(&loop->timers);
	next = next_deadline(loop);
	if (next != UINT64_MAX)
		timeout = next > now ? next - now : 0;
	if (loop->first)
		timeout = 0;
	*ret_stop = loop->stop;
	(void)pthread_mutex_unlock(&loop->lock);
	return timeout;
}

static int round_of(struct event_loop *loop, uint64_t timeout_ns)
{
	struct poller_event events[ROUND];
	int n = poller_wait(loop->poller, events, ROUND, timeout_ns);
	bool any = false;

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		any |= run_watch(loop, events[i].tag, events[i].events);
	any |= run_timers(loop);
	any |= run_posted(loop);
	return any;
}

static void set_runner(struct event_loop *loop, bool running)
{
	(void)pthread_mutex_lock(&loop->lock);
	loop->running = running;
	loop->runner = pthread_self();
	(void)pthread_mutex_unlock(&loop->lock);
}

int event_loop_run(struct event_loop *loop)
{
	int ret = 0;

	set_runner(loop, true);
	while (ret >= 0) {
		bool stop;
		uint64_t timeout = prepare(loop, &stop);

		if (stop)
			break;
		ret = round_of(loop, timeout);
	}
	(void)pthread_mutex_lock(&loop->lock);
	loop->stop = false;
	loop->running = false;
	(void)pthread_mutex_unlock(&loop->lock);
	return ret < 0 ? ret : 0;
}

int event_loop_poll(struct event_loop *loop)
{
	bool stop;
	int ret;

	set_runner(loop, true);
	(void)prepare(loop, &stop);
	ret = round_of(loop, 0);
	set_runner(loop, false);
	return ret;
}
