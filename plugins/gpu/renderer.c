/* SPDX-License-Identifier: Apache-2.0 */
/* The drawing thread; see renderer.h. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "renderer.h"

#define POLL_MS 2 /* between looks at fences, where nothing tells of them */

enum state { IDLE, FILLED, WAITING, RUNNING, ENDED };

struct renderer {
	const struct renderer_ops *ops;
	const struct tenon_notifier_svc *notifiers;
	struct tenon_notifier *to_thread, *to_loop;
	pthread_t thread;
	struct renderer_capset capsets[RENDERER_CAPSETS];
	uint32_t timeout_s;
	char *why; /* while it starts */
	size_t room;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	struct renderer_job job;
	enum state state;
	bool started, quit, gone;
	int start_result;
	uint32_t made, passed; /* the last fence of each kind */
};

/* Its library can be used once in a process. */
static struct renderer *_Atomic the_one;

static void fence_passed(uint32_t fence)
{
	struct renderer *r = atomic_load(&the_one);

	(void)pthread_mutex_lock(&r->lock);
	r->passed = fence;
	(void)pthread_mutex_unlock(&r->lock);
	r->notifiers->signal(r->to_loop);
}

/* ---- the thread ---- */

static bool fences_wait(struct renderer *r)
{
	bool wait;

	(void)pthread_mutex_lock(&r->lock);
	wait = r->made != r->passed;
	(void)pthread_mutex_unlock(&r->lock);
	return wait;
}

static void wait_for_work(struct renderer *r)
{
	const int fd = r->ops->poll_fd();
	struct pollfd fds[2] = { { .fd = r->notifiers->fd(r->to_thread), .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	const bool fences = fences_wait(r);

	(void)poll(fds, 2, fences && fd < 0 ? POLL_MS : -1);
	(void)r->notifiers->drain(r->to_thread);
	if (fences || fds[1].revents)
		r->ops->poll();
}

/* False = it is to end. */
static bool run_job(struct renderer *r)
{
	int result;

	(void)pthread_mutex_lock(&r->lock);
	if (r->state != WAITING || r->quit) {
		const bool quit = r->quit;

		(void)pthread_mutex_unlock(&r->lock);
		return !quit;
	}
	r->state = RUNNING;
	if (r->job.fence)
		r->made = r->job.fence;
	(void)pthread_mutex_unlock(&r->lock);
	result = r->ops->run(&r->job);
	(void)pthread_mutex_lock(&r->lock);
	r->job.result = result;
	r->state = ENDED;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	r->notifiers->signal(r->to_loop);
	return true;
}

static void *draw(void *arg)
{
	struct renderer *r = arg;
	const int result = r->ops->start(fence_passed, r->capsets, r->why, r->room);

	(void)pthread_mutex_lock(&r->lock);
	r->start_result = result;
	r->started = true;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	if (result == 0) {
		while (run_job(r))
			wait_for_work(r);
		r->ops->stop();
	}
	(void)pthread_mutex_lock(&r->lock);
	r->gone = true;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* ---- everybody else ---- */

/* Under the lock: waits for a change, until @end; false = there was none. */
static bool wait_change(struct renderer *r, const struct timespec *end)
{
	return pthread_cond_timedwait(&r->changed, &r->lock, end) != ETIMEDOUT;
}

static struct timespec patience(const struct renderer *r)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += r->timeout_s;
	return end;
}

static void destroy(struct renderer *r)
{
	r->notifiers->destroy(r->to_thread);
	r->notifiers->destroy(r->to_loop);
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	atomic_store(&the_one, NULL);
	free(r);
}

static int start_thread(struct renderer *r)
{
	sigset_t all, before;
	int ret;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&r->thread, NULL, draw, r);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

static int init(struct renderer *r)
{
	pthread_condattr_t attr;
	int ret;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&r->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_mutex_init(&r->lock, NULL);
	ret = r->notifiers->create(&r->to_thread);
	return ret < 0 ? ret : r->notifiers->create(&r->to_loop);
}

int renderer_start(struct renderer **ret_renderer, const struct renderer_ops *ops,
	const struct tenon_notifier_svc *notifiers, uint32_t timeout_s, char *why, size_t room)
{
	struct renderer *r = calloc(1, sizeof(*r)), *none = NULL;
	int ret;

	(void)snprintf(why, room, "the host has no memory or threads for it");
	if (!r)
		return -ENOMEM;
	*r = (struct renderer){
		.ops = ops, .notifiers = notifiers, .timeout_s = timeout_s, .why = why, .room = room
	};
	if (!atomic_compare_exchange_strong(&the_one, &none, r)) {
		(void)snprintf(why, room, "another card of this process has it");
		free(r);
		return -EBUSY;
	}
	ret = init(r);
	if (ret == 0)
		ret = start_thread(r);
	if (ret < 0) {
		destroy(r);
		return ret;
	}
	(void)pthread_mutex_lock(&r->lock);
	while (!r->started)
		(void)pthread_cond_wait(&r->changed, &r->lock);
	ret = r->start_result;
	(void)pthread_mutex_unlock(&r->lock);
	if (ret < 0) {
		(void)pthread_join(r->thread, NULL);
		destroy(r);
		return ret;
	}
	*ret_renderer = r;
	return 0;
}

int renderer_fd(const struct renderer *r)
{
	return r->notifiers->fd(r->to_loop);
}

const struct renderer_capset *renderer_capsets(const struct renderer *r)
{
	return r->capsets;
}

struct renderer_job *renderer_job(struct renderer *r)
{
	struct renderer_job *job = NULL;

	(void)pthread_mutex_lock(&r->lock);
	if (r->state == IDLE || r->state == FILLED) {
		r->state = FILLED;
		r->job = (struct renderer_job){ .fd = -1 };
		job = &r->job;
	}
	(void)pthread_mutex_unlock(&r->lock);
	return job;
}

void renderer_fence(struct renderer *r, uint32_t fence)
{
	(void)pthread_mutex_lock(&r->lock);
	r->job.fence = fence;
	(void)pthread_mutex_unlock(&r->lock);
}

void renderer_submit(struct renderer *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->state = WAITING;
	(void)pthread_mutex_unlock(&r->lock);
	r->notifiers->signal(r->to_thread);
}

struct renderer_job *renderer_take(struct renderer *r, uint32_t *ret_fence)
{
	struct renderer_job *job = NULL;

	(void)r->notifiers->drain(r->to_loop);
	(void)pthread_mutex_lock(&r->lock);
	if (r->state == ENDED) {
		r->state = IDLE;
		job = &r->job;
	}
	*ret_fence = r->passed;
	(void)pthread_mutex_unlock(&r->lock);
	return job;
}

bool renderer_wait(struct renderer *r)
{
	const struct timespec end = patience(r);
	bool busy;

	(void)pthread_mutex_lock(&r->lock);
	do
		busy = r->state == WAITING || r->state == RUNNING;
	while (busy && wait_change(r, &end));
	(void)pthread_mutex_unlock(&r->lock);
	return !busy;
}

int renderer_call(struct renderer *r)
{
	uint32_t fence;

	renderer_submit(r);
	return renderer_wait(r) ? renderer_take(r, &fence)->result : -ETIMEDOUT;
}

bool renderer_stop(struct renderer *r)
{
	const struct timespec end = patience(r);
	bool gone;

	(void)pthread_mutex_lock(&r->lock);
	r->quit = true;
	(void)pthread_mutex_unlock(&r->lock);
	r->notifiers->signal(r->to_thread);
	(void)pthread_mutex_lock(&r->lock);
	while (!r->gone && wait_change(r, &end))
		;
	gone = r->gone;
	(void)pthread_mutex_unlock(&r->lock);
	if (!gone) {
		(void)pthread_detach(r->thread);
		return false;
	}
	(void)pthread_join(r->thread, NULL);
	destroy(r);
	return true;
}
