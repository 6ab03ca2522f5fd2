/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.event/1 and tenon.clock/1 on a loop that is stepped and a clock that is moved by hand.
 *
 * What is removed stays in its list, marked, as long as the device lives: so removing it once more
 * is noticed, and callbacks may remove what they like.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "core/config.h"
#include "sdk/testkit/kit.h"

#define MOST_ROUNDS 20000u
#define MAX_POLLED  256u

struct tenon_watch {
	struct tenon_watch *next;
	struct tk_dev *dev;
	int fd;
	uint32_t events;
	bool gone;
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events);
	void *arg;
};

struct tenon_timer {
	struct tenon_timer *next;
	struct tk_dev *dev;
	_Atomic uint64_t deadline_ns;
	bool gone;
	void (*expired)(struct tenon_dev *dev, void *arg);
	void *arg;
};

struct post {
	struct post *next;
	struct tk_dev *dev;
	void (*fn)(struct tenon_dev *dev, void *arg);
	void *arg;
};

static struct post *first_post, **last_post = &first_post;

/* ---- descriptors ---- */

static int event_fd_add(struct tenon_dev *dev, int fd, uint32_t events,
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events), void *arg,
	struct tenon_watch **ret_watch)
{
	struct tenon_watch *w, **at = &dev->d.watches;

	if (kit_fails("tenon.event fd_add", ROLE_MAIN | ROLE_LOOP))
		return -ENOMEM;
	if (fd < 0 || !ready || (events & ~(TENON_FD_READ | TENON_FD_WRITE)))
		return -EINVAL;
	while (*at) {
		if ((*at)->fd == fd && !(*at)->gone)
			return -EEXIST;
		at = &(*at)->next;
	}
	w = kit_alloc(sizeof(*w));
	*w = (struct tenon_watch){
		.dev = &dev->d, .fd = fd, .events = events, .ready = ready, .arg = arg
	};
	*at = w;
	*ret_watch = w;
	return 0;
}

static int event_fd_modify(struct tenon_watch *watch, uint32_t events)
{
	if (kit_fails("tenon.event fd_modify", ROLE_MAIN | ROLE_LOOP))
		return -ENOMEM;
	watch->events = events;
	return 0;
}

static void event_fd_remove(struct tenon_watch *watch)
{
	kit_role("tenon.event fd_remove", ROLE_MAIN | ROLE_LOOP);
	if (!watch)
		return;
	if (watch->gone)
		kit_fail("tenon.event fd_remove: descriptor %d was removed before", watch->fd);
	watch->gone = true;
}

static short poll_events(uint32_t events)
{
	return (short)((events & TENON_FD_READ ? POLLIN : 0) |
		       (events & TENON_FD_WRITE ? POLLOUT : 0));
}

static uint32_t fd_events(short events)
{
	return (events & (POLLIN | POLLERR) ? TENON_FD_READ : 0) |
	       (events & (POLLOUT | POLLERR) ? TENON_FD_WRITE : 0) |
	       (events & (POLLHUP | POLLERR) ? TENON_FD_HUP : 0);
}

size_t kit_watched(const struct tk_dev *d, struct pollfd *to, size_t room)
{
	size_t n = 0;

	for (const struct tenon_watch *w = d->watches; w && n < room; w = w->next)
		if (!w->gone)
			to[n++] = (struct pollfd){ w->fd, poll_events(w->events), 0 };
	return n;
}

static bool step_fds(void)
{
	struct tenon_watch *watches[MAX_POLLED];
	struct pollfd polled[MAX_POLLED];
	unsigned n = 0;
	bool any = false;

	for (struct tk_dev *d = kit.devices; d; d = d->next)
		for (struct tenon_watch *w = d->watches; w && n < MAX_POLLED; w = w->next) {
			if (w->gone || d->state == KIT_DETACHED)
				continue;
			watches[n] = w;
			polled[n++] =
				(struct pollfd){ .fd = w->fd, .events = poll_events(w->events) };
		}
	if (n == 0 || poll(polled, n, 0) <= 0)
		return false;
	for (unsigned i = 0; i < n; i++) {
		struct tenon_watch *w = watches[i];
		struct kit_here before;

		if (!polled[i].revents || w->gone)
			continue;
		if (polled[i].revents & POLLNVAL)
			kit_fail("%s: descriptor %d was closed before it was removed",
				w->dev->cd->name, w->fd);
		any = true;
		kit_enter(w->dev, ROLE_LOOP, &before);
		w->ready(kit_handle(w->dev), w->arg, fd_events(polled[i].revents));
		kit_leave(w->dev, &before);
	}
	return any;
}

/* ---- timers ---- */

static int event_timer_add(struct tenon_dev *dev, void (*expired)(struct tenon_dev *dev, void *arg),
	void *arg, struct tenon_timer **ret_timer)
{
	struct tenon_timer *t, **at = &dev->d.timers;

	if (kit_fails("tenon.event timer_add", ROLE_MAIN | ROLE_LOOP))
		return -ENOMEM;
	if (!expired)
		return -EINVAL;
	t = kit_alloc(sizeof(*t));
	t->dev = &dev->d;
	t->expired = expired;
	t->arg = arg;
	while (*at)
		at = &(*at)->next;
	*at = t;
	*ret_timer = t;
	return 0;
}

static void event_timer_set(struct tenon_timer *timer, uint64_t deadline_ns)
{
	kit_role("tenon.event timer_set", ROLE_ANY);
	atomic_store(&timer->deadline_ns, deadline_ns);
}

static void event_timer_remove(struct tenon_timer *timer)
{
	kit_role("tenon.event timer_remove", ROLE_MAIN | ROLE_LOOP);
	if (!timer)
		return;
	if (timer->gone)
		kit_fail("tenon.event timer_remove: it was removed before");
	timer->gone = true;
}

/* Those whose deadline is at or before @until, each once. */
static bool run_timers(uint64_t until)
{
	bool any = false;

	for (struct tk_dev *d = kit.devices; d; d = d->next)
		for (struct tenon_timer *t = d->timers; t; t = t->next) {
			uint64_t deadline = atomic_load(&t->deadline_ns);
			struct kit_here before;

			if (t->gone || deadline == 0 || deadline > until)
				continue;
			atomic_store(&t->deadline_ns, 0);
			any = true;
			kit_enter(d, ROLE_LOOP, &before);
			t->expired(kit_handle(d), t->arg);
			kit_leave(d, &before);
		}
	return any;
}

/* A timer that sets itself to a time that is past runs again before anything else gets its turn, as
 * in the core; one that sets itself to the present does not. */
static bool step_timers(void)
{
	uint64_t now = tk_now_ns();
	bool any = run_timers(now);
	unsigned n = 0;

	while (run_timers(now - 1))
		if (++n == MOST_ROUNDS)
			kit_fail("a timer sets itself to the past again and again");
	return any;
}

static uint64_t next_deadline(void)
{
	uint64_t next = UINT64_MAX;

	for (const struct tk_dev *d = kit.devices; d; d = d->next)
		for (const struct tenon_timer *t = d->timers; t; t = t->next) {
			uint64_t deadline = atomic_load(&t->deadline_ns);

			if (!t->gone && deadline && deadline < next)
				next = deadline;
		}
	return next;
}

/* ---- posted functions ---- */

void kit_post_held(struct tk_dev *d, void (*fn)(struct tenon_dev *dev, void *arg), void *arg)
{
	struct post *p = kit_alloc(sizeof(*p));

	*p = (struct post){ .dev = d, .fn = fn, .arg = arg };
	*last_post = p;
	last_post = &p->next;
}

void kit_post(struct tk_dev *d, void (*fn)(struct tenon_dev *dev, void *arg), void *arg)
{
	kit_lock();
	kit_post_held(d, fn, arg);
	kit_unlock();
}

bool kit_has_posts_held(void)
{
	return first_post != NULL;
}

static int event_post(
	struct tenon_dev *dev, void (*fn)(struct tenon_dev *dev, void *arg), void *arg)
{
	if (kit_fails("tenon.event post", ROLE_ANY))
		return -ENOMEM;
	kit_post(&dev->d, fn, arg);
	return 0;
}

/* Takes the first post of @only (NULL: of anybody) out of the list. */
static struct post *take_post(const struct tk_dev *only)
{
	struct post *p = NULL;

	kit_lock();
	for (struct post **at = &first_post; *at; at = &(*at)->next) {
		if (only && (*at)->dev != only)
			continue;
		p = *at;
		*at = p->next;
		if (!p->next)
			last_post = at;
		break;
	}
	kit_unlock();
	return p;
}

bool kit_run_posts(struct tk_dev *only)
{
	bool any = false;
	struct post *p;

	while ((p = take_post(only))) {
		struct kit_here before;

		any = true;
		kit_enter(p->dev, ROLE_LOOP, &before);
		p->fn(kit_handle(p->dev), p->arg);
		kit_leave(p->dev, &before);
		free(p);
		if (!only)
			break; /* others get their turn */
	}
	return any;
}

void kit_drop_post(struct tk_dev *d, void (*fn)(struct tenon_dev *dev, void *arg), const void *arg)
{
	kit_lock();
	for (struct post **at = &first_post; *at;) {
		struct post *p = *at;

		if (p->dev != d || (fn && (p->fn != fn || p->arg != arg))) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
	}
	last_post = &first_post;
	while (*last_post)
		last_post = &(*last_post)->next;
	kit_unlock();
}

void kit_forget_posts(struct tk_dev *d)
{
	kit_drop_post(d, NULL, NULL);
}

/* ---- stepping ---- */

int tk_step(void)
{
	bool any;

	if (kit_current())
		kit_fail("tk_step() was called from within a callback");
	any = kit_run_posts(NULL);
	any |= kit_step_work();
	any |= kit_step_virtio();
	any |= kit_step_external();
	any |= kit_step_irqs();
	any |= step_fds();
	any |= step_timers();
	any |= kit_step_terminal();
	return any;
}

void tk_run_until_idle(struct tk_dev *d)
{
	unsigned n = 0;

	(void)d;
	while (tk_step() || kit_wait_posts() || kit_wait_external())
		if (++n == MOST_ROUNDS)
			kit_fail("the loop does not come to rest: %u rounds", n);
}

void kit_events_left(const struct tk_dev *d)
{
	for (const struct tenon_watch *w = d->watches; w; w = w->next)
		if (!w->gone)
			kit_fail("%s left descriptor %d in the event loop", d->cd->name, w->fd);
	for (const struct tenon_timer *t = d->timers; t; t = t->next)
		if (!t->gone)
			kit_fail("%s left a timer in the event loop", d->cd->name);
}

void kit_events_free(struct tk_dev *d)
{
	while (d->watches) {
		struct tenon_watch *w = d->watches;

		d->watches = w->next;
		free(w);
	}
	while (d->timers) {
		struct tenon_timer *t = d->timers;

		d->timers = t->next;
		free(t);
	}
}

/* ---- the clock ---- */

uint64_t tk_now_ns(void)
{
	uint64_t now;

	kit_lock();
	now = kit.now_ns;
	kit_unlock();
	return now;
}

static bool all_stand_still(void)
{
	for (const struct tk_dev *d = kit.devices; d; d = d->next)
		if (d->state != KIT_QUIESCED)
			return false;
	return kit.devices != NULL;
}

static void move_to(uint64_t now)
{
	bool stopped = all_stand_still();

	kit_lock();
	if (stopped)
		kit.stopped_ns += now - kit.now_ns;
	kit.now_ns = now;
	kit_unlock();
}

void tk_advance_ns(uint64_t ns)
{
	uint64_t until = tk_now_ns() + ns, next;

	tk_run_until_idle(NULL);
	while ((next = next_deadline()) <= until) {
		if (next > tk_now_ns())
			move_to(next);
		tk_run_until_idle(NULL);
	}
	move_to(until);
	tk_run_until_idle(NULL);
}

void tk_advance_ms(uint64_t ms)
{
	tk_advance_ns(ms * 1000000);
}

static uint64_t clock_guest_ns(struct tenon_dev *dev)
{
	uint64_t ns;

	(void)dev;
	kit_lock();
	ns = kit.now_ns - kit.stopped_ns;
	kit_unlock();
	return ns;
}

/* 2024-01-01, moving with the rest. */
static uint64_t clock_realtime_ns(void)
{
	return 1704067200000000000 + tk_now_ns();
}

const struct tenon_clock kit_clock = {
	.struct_size = sizeof(struct tenon_clock),
	.monotonic_ns = tk_now_ns,
	.guest_ns = clock_guest_ns,
	.realtime_ns = clock_realtime_ns,
};

const struct tenon_event kit_event = {
	.struct_size = sizeof(struct tenon_event),
	.fd_add = event_fd_add,
	.fd_modify = event_fd_modify,
	.fd_remove = event_fd_remove,
	.timer_add = event_timer_add,
	.timer_set = event_timer_set,
	.timer_remove = event_timer_remove,
	.post = event_post,
};
