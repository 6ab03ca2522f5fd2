/* SPDX-License-Identifier: Apache-2.0 */
/* I/O threads. */
#include "core/iothread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/event_loop.h"
#include "core/platform.h"
#include "core/signals.h"

struct iothread {
	const char *name;
	struct event_loop *loop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool runs;
};

static void running(void *arg)
{
	struct iothread *t = arg;

	(void)pthread_mutex_lock(&t->lock);
	t->runs = true;
	(void)pthread_cond_signal(&t->changed);
	(void)pthread_mutex_unlock(&t->lock);
}

static void *iothread_main(void *arg)
{
	struct iothread *t = arg;
	char name[16];

	(void)snprintf(name, sizeof(name), "io %s", t->name);
	platform_name_thread(name);
	(void)event_loop_run(t->loop);
	return NULL;
}

static void wait_till_it_runs(struct iothread *t)
{
	(void)pthread_mutex_lock(&t->lock);
	while (!t->runs)
		(void)pthread_cond_wait(&t->changed, &t->lock);
	(void)pthread_mutex_unlock(&t->lock);
}

static int start(struct iothread *t)
{
	sigset_t old;
	int ret = loop_post(t->loop, running, t, t);

	if (ret < 0)
		return ret;
	signals_block(&old);
	ret = -pthread_create(&t->thread, NULL, iothread_main, t);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret == 0)
		wait_till_it_runs(t);
	return ret;
}

static void finish(struct iothread *t)
{
	event_loop_destroy(t->loop);
	(void)pthread_cond_destroy(&t->changed);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

int iothread_create(const char *name, struct iothread **ret_thread)
{
	struct iothread *t = calloc(1, sizeof(*t));
	int ret;

	if (!t)
		return -ENOMEM;
	t->name = name;
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->changed, NULL);
	ret = event_loop_create(&t->loop);
	if (ret == 0)
		ret = start(t);
	if (ret < 0) {
		finish(t);
		return ret;
	}
	*ret_thread = t;
	return 0;
}

void iothread_destroy(struct iothread *thread)
{
	if (!thread)
		return;
	event_loop_stop(thread->loop);
	(void)pthread_join(thread->thread, NULL);
	finish(thread);
}

struct event_loop *iothread_loop(const struct iothread *thread)
{
	return thread->loop;
}

const char *iothread_name(const struct iothread *thread)
{
	return thread->name;
}
