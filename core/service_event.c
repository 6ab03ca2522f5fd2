/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.event/1: descriptors, timers and posted functions of a device, each under its lock.
 *
 * Posts wait in a list of the device; a timer that is set to now makes its loop look at them.  It
 * is made beforehand, so that posting needs no memory but the post's own, which may be lent.
 *
 * A timer's deadline is kept here too: a timer that was set anew while its expiry waited for the
 * lock must not fire early.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/device.h"
#include "core/event_loop.h"
#include "core/services.h"

struct tenon_watch {
	struct tenon_watch *next;
	struct tenon_dev *dev;
	struct loop_watch *watch;
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events);
	void *arg;
};

struct tenon_timer {
	struct tenon_timer *next;
	struct tenon_dev *dev;
	struct loop_timer *timer;
	_Atomic uint64_t deadline_ns;
	void (*expired)(struct tenon_dev *dev, void *arg);
	void *arg;
};

/* ---- descriptors ---- */

static void watch_ready(void *arg, uint32_t events)
{
	struct tenon_watch *w = arg;
	struct tenon_dev *dev = w->dev;

	device_lock(dev);
	w->ready(dev, w->arg, events); /* may remove itself */
	device_unlock(dev);
}

static int event_fd_add(struct tenon_dev *dev, int fd, uint32_t events,
	void (*ready)(struct tenon_dev *dev, void *arg, uint32_t events), void *arg,
	struct tenon_watch **ret_watch)
{
	struct tenon_watch *w = calloc(1, sizeof(*w));
	int ret;

	if (!w)
		return -ENOMEM;
	*w = (struct tenon_watch){ .dev = dev, .ready = ready, .arg = arg };
	*ret_watch = w; /* an event may come at once */
	w->next = dev->watches;
	dev->watches = w;
	ret = loop_fd_add(dev->loop, fd, events, watch_ready, w, &w->watch);
	if (ret < 0) {
		dev->watches = w->next;
		*ret_watch = NULL;
		free(w);
	}
	return ret;
}

static int event_fd_modify(struct tenon_watch *watch, uint32_t events)
{
	return loop_fd_modify(watch->watch, events);
}

static void event_fd_remove(struct tenon_watch *watch)
{
	if (!watch)
		return;
	for (struct tenon_watch **at = &watch->dev->watches; *at; at = &(*at)->next) {
		if (*at == watch) {
			*at = watch->next;
			break;
		}
	}
	loop_fd_remove(watch->watch);
	free(watch);
}

/* ---- timers ---- */

static void timer_expired(void *arg)
{
	struct tenon_timer *t = arg;
	struct tenon_dev *dev = t->dev;
	uint64_t deadline;

	device_lock(dev);
	deadline = atomic_load_explicit(&t->deadline_ns, memory_order_relaxed);
	if (deadline != 0 && deadline <= monotonic_ns() &&
		atomic_compare_exchange_strong(&t->deadline_ns, &deadline, 0))
		t->expired(dev, t->arg); /* may remove itself */
	device_unlock(dev);
}

static int event_timer_add(struct tenon_dev *dev, void (*expired)(struct tenon_dev *dev, void *arg),
	void *arg, struct tenon_timer **ret_timer)
{
	struct tenon_timer *t = calloc(1, sizeof(*t));
	int ret;

	if (!t)
		return -ENOMEM;
	t->dev = dev;
	t->expired = expired;
	t->arg = arg;
	ret = loop_timer_add(dev->loop, timer_expired, t, &t->timer);
	if (ret < 0) {
		free(t);
		return ret;
	}
	t->next = dev->timers;
	dev->timers = t;
	*ret_timer = t;
	return 0;
}

static void event_timer_set(struct tenon_timer *timer, uint64_t deadline_ns)
{
	atomic_store_explicit(&timer->deadline_ns, deadline_ns, memory_order_relaxed);
	loop_timer_set(timer->timer, deadline_ns);
}

static void event_timer_remove(struct tenon_timer *timer)
{
	if (!timer)
		return;
	for (struct tenon_timer **at = &timer->dev->timers; *at; at = &(*at)->next) {
		if (*at == timer) {
			*at = timer->next;
			break;
		}
	}
	loop_timer_remove(timer->timer);
	free(timer);
}

/* ---- posted functions ---- */

static void run_posts(void *arg);

int events_init(struct tenon_dev *dev)
{
	(void)pthread_mutex_init(&dev->posts_lock, NULL);
	dev->last_post = &dev->first_post;
	return loop_timer_add(dev->loop, run_posts, dev, &dev->posts_timer);
}

static void enqueue_post(struct tenon_dev *dev, struct device_post *p)
{
	(void)pthread_mutex_lock(&dev->posts_lock);
	*dev->last_post = p;
	dev->last_post = &p->next;
	loop_timer_set(dev->posts_timer, 1);
	(void)pthread_mutex_unlock(&dev->posts_lock);
}

/* What is posted till now is to be run; what those post themselves has its turn later. */
static void begin_posts(struct tenon_dev *dev)
{
	struct device_post **at = &dev->running_posts;

	(void)pthread_mutex_lock(&dev->posts_lock);
	while (*at)
		at = &(*at)->next;
	*at = dev->first_post;
	dev->first_post = NULL;
	dev->last_post = &dev->first_post;
	(void)pthread_mutex_unlock(&dev->posts_lock);
}

/* One at a time: the one before may have dropped it. */
static struct device_post *next_post(struct tenon_dev *dev)
{
	struct device_post *p;

	(void)pthread_mutex_lock(&dev->posts_lock);
	p = dev->running_posts;
	if (p)
		dev->running_posts = p->next;
	(void)pthread_mutex_unlock(&dev->posts_lock);
	return p;
}

/* The lender may have it back as soon as the function is called. */
static void run_post(struct tenon_dev *dev, struct device_post *p)
{
	struct device_post *ours = p->lent ? NULL : p;

	p->fn(dev, p->arg);
	free(ours);
}

static void run_posts(void *arg)
{
	struct tenon_dev *dev = arg;
	struct device_post *p;

	begin_posts(dev);
	do {
		device_lock(dev);
		p = next_post(dev);
		if (p)
			run_post(dev, p);
		device_unlock(dev);
	} while (p);
}

void events_post_lent(struct tenon_dev *dev, struct device_post *post,
	void (*fn)(struct tenon_dev *dev, void *arg), void *arg)
{
	*post = (struct device_post){ NULL, fn, arg, true };
	enqueue_post(dev, post);
}

static int event_post(
	struct tenon_dev *dev, void (*fn)(struct tenon_dev *dev, void *arg), void *arg)
{
	struct device_post *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->fn = fn;
	p->arg = arg;
	enqueue_post(dev, p);
	return 0;
}

/* From within a control callback or the loop: the device's lock is held already. */
void events_run_posts(struct tenon_dev *dev)
{
	struct device_post *p;

	begin_posts(dev);
	while ((p = next_post(dev)))
		run_post(dev, p);
}

static void drop_from(
	struct device_post **at, void (*fn)(struct tenon_dev *dev, void *arg), const void *arg)
{
	while (*at) {
		struct device_post *p = *at;

		if (p->fn != fn || p->arg != arg) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		if (!p->lent)
			free(p);
	}
}

void events_drop_post(
	struct tenon_dev *dev, void (*fn)(struct tenon_dev *dev, void *arg), const void *arg)
{
	(void)pthread_mutex_lock(&dev->posts_lock);
	drop_from(&dev->running_posts, fn, arg);
	drop_from(&dev->first_post, fn, arg);
	dev->last_post = &dev->first_post;
	while (*dev->last_post)
		dev->last_post = &(*dev->last_post)->next;
	(void)pthread_mutex_unlock(&dev->posts_lock);
}

void events_release(struct tenon_dev *dev)
{
	struct device_post *p;

	/* What is removed is unlinked first. */
	while (dev->watches)
		event_fd_remove(dev->watches); /* NOLINT(clang-analyzer-unix.Malloc) */
	while (dev->timers)
		event_timer_remove(dev->timers); /* NOLINT(clang-analyzer-unix.Malloc) */
	begin_posts(dev);
	while ((p = next_post(dev)))
		if (!p->lent)
			free(p);
}

void events_finish(struct tenon_dev *dev)
{
	loop_timer_remove(dev->posts_timer);
	events_release(dev); /* of one that was never attached */
	(void)pthread_mutex_destroy(&dev->posts_lock);
}

const struct tenon_event service_event = {
	.struct_size = sizeof(struct tenon_event),
	.fd_add = event_fd_add,
	.fd_modify = event_fd_modify,
	.fd_remove = event_fd_remove,
	.timer_add = event_timer_add,
	.timer_set = event_timer_set,
	.timer_remove = event_timer_remove,
	.post = event_post,
};
