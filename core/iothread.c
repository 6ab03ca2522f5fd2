/* SPDX-License-Identifier: Apache-2.0 */
/* I/O threads. */
#include "core/iothread.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/event_loop.h"
#include "core/signals.h"

struct iothread {
	const char *name;
	struct event_loop *loop;
	pthread_t thread;
	sem_t runs;
};

static void running(void *arg)
{
	struct iothread *t = arg;

	(void)sem_post(&t->runs);
}

static void *iothread_main(void *arg)
{
	struct iothread *t = arg;
	char name[16];

	(void)snprintf(name, sizeof(name), "io %s", t->name);
	(void)pthread_setname_np(pthread_self(), name);
	(void)event_loop_run(t->loop);
	return NULL;
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
		while (sem_wait(&t->runs) < 0 && errno == EINTR)
			continue;
	return ret;
}

int iothread_create(const char *name, struct iothread **ret_thread)
{
	struct iothread *t = calloc(1, sizeof(*t));
	int ret;

	if (!t)
		return -ENOMEM;
	t->name = name;
	(void)sem_init(&t->runs, 0, 0);
	ret = event_loop_create(&t->loop);
	if (ret == 0)
		ret = start(t);
	if (ret < 0) {
		event_loop_destroy(t->loop);
		(void)sem_destroy(&t->runs);
		free(t);
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
	event_loop_destroy(thread->loop);
	(void)sem_destroy(&thread->runs);
	free(thread);
}

struct event_loop *iothread_loop(const struct iothread *thread)
{
	return thread->loop;
}

const char *iothread_name(const struct iothread *thread)
{
	return thread->name;
}
