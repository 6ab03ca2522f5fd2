/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.work/1.  A job goes QUEUED -> RUNNING -> FINISHED -> idle; all under the pool's lock.  Its
 * links live in the job's own core[] words, and so does the post by which it comes back, so that
 * neither submitting nor finishing allocates or fails.
 */
#include "core/work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/config.h"
#include "core/device.h"
#include "core/event_loop.h"
#include "core/platform.h"
#include "core/sandbox.h"
#include "core/services.h"
#include "core/signals.h"

#define MAX_THREADS 16

enum job_state { IDLE, QUEUED, RUNNING, FINISHED };

/* What core[] holds.  A job that has run is in no queue: its post is where the link was. */
enum { DEV, STATE, NEXT, POST = NEXT };

_Static_assert(POST * sizeof(void *) + sizeof(struct device_post) <=
		       sizeof(((struct tenon_job *)NULL)->core),
	"the post fits");

struct work_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;    /* a job was queued, or the end */
	pthread_cond_t changed; /* a job changed its state */
	struct tenon_job *first, *last;
	pthread_t threads[MAX_THREADS];
	unsigned n_threads, max_threads, idle;
	struct tenon_dev *busy[MAX_THREADS]; /* whose job each thread runs */
	struct sandbox *sandbox;             /* of the first thread, till it is sealed */
	bool sealed; /* threads come from the pool's own, one before it is needed */
	bool end;
};

static bool wanted; /* the service was asked for */

void work_asked_for(void)
{
	wanted = true;
}

bool work_is_wanted(void)
{
	return wanted;
}

static enum job_state state_of(const struct tenon_job *job)
{
	return (enum job_state)(uintptr_t)job->core[STATE];
}

static void set_state(struct tenon_job *job, enum job_state state)
{
	job->core[STATE] = (void *)(uintptr_t)state;
}

struct work_pool *work_pool_create(unsigned max_threads)
{
	struct work_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->work, NULL);
	(void)pthread_cond_init(&pool->changed, NULL);
	pool->max_threads = max_threads < MAX_THREADS ? max_threads : MAX_THREADS;
	return pool;
}

void work_pool_destroy(struct work_pool *pool)
{
	if (!pool)
		return;
	(void)pthread_mutex_lock(&pool->lock);
	pool->end = true;
	(void)pthread_cond_broadcast(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->n_threads; i++)
		(void)pthread_join(pool->threads[i], NULL);
	(void)pthread_cond_destroy(&pool->changed);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* On the device's loop: the job is over unless it was cancelled meanwhile. */
static void job_done(struct tenon_dev *dev, void *arg)
{
	struct work_pool *pool = dev->env->work;
	struct tenon_job *job = arg;
	bool call;

	(void)pthread_mutex_lock(&pool->lock);
	call = state_of(job) == FINISHED;
	set_state(job, IDLE);
	(void)pthread_cond_broadcast(&pool->changed);
	(void)pthread_mutex_unlock(&pool->lock);
	if (call && job->done)
		job->done(dev, job); /* may free it or submit it anew */
}

/* The lock is held. */
static struct tenon_job *take(struct work_pool *pool)
{
	struct tenon_job *job = pool->first;

	pool->first = job->core[NEXT];
	if (!pool->first)
		pool->last = NULL;
	set_state(job, RUNNING);
	return job;
}

/* The place of a thread that works for @dev (NULL: an idle one), or NULL; the lock is held. */
static struct tenon_dev **busy_slot(struct work_pool *pool, const struct tenon_dev *dev)
{
	for (unsigned i = 0; i < MAX_THREADS; i++)
		if (pool->busy[i] == dev)
			return &pool->busy[i];
	return NULL;
}

/* Where nothing is to be sealed any more, the thread is sealed by who started it. */
static void enter_sandbox(struct work_pool *pool)
{
	sandbox_report_thread(SANDBOX_WORK);
	(void)pthread_mutex_lock(&pool->lock);
	if (pool->sandbox) {
		sandbox_enter(pool->sandbox, SANDBOX_WORK, NULL);
		pool->sandbox = NULL;
		pool->sealed = true;
		(void)pthread_cond_broadcast(&pool->changed);
	}
	(void)pthread_mutex_unlock(&pool->lock);
}

static int add_thread(struct work_pool *pool);

static void *work_main(void *arg)
{
	struct work_pool *pool = arg;

	platform_name_thread("work");
	enter_sandbox(pool);
	(void)pthread_mutex_lock(&pool->lock);
	while (!pool->end || pool->first) {
		struct tenon_dev *dev, **slot;
		struct tenon_job *job;

		if (!pool->first) {
			pool->idle++;
			(void)pthread_cond_wait(&pool->work, &pool->lock);
			pool->idle--;
			continue;
		}
		job = take(pool);
		dev = job->core[DEV];
		slot = busy_slot(pool, NULL);
		*slot = dev;
		if (pool->sealed)
			(void)add_thread(pool); /* fewer threads are no failure */
		(void)pthread_mutex_unlock(&pool->lock);
		(void)sandbox_note_device(dev->config ? dev->config->name : NULL);
		job->result = job->run(dev, job);
		(void)sandbox_note_device(NULL);
		(void)pthread_mutex_lock(&pool->lock);
		*slot = NULL;
		set_state(job, FINISHED);
		(void)pthread_cond_broadcast(&pool->changed);
		/* Inside the lock: cancel() must not see FINISHED before the post is there. */
		events_post_lent(dev, (struct device_post *)&job->core[POST], job_done, job);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* The lock is held. */
static int add_thread(struct work_pool *pool)
{
	sigset_t old;
	int ret;

	if (pool->idle > 0 || pool->n_threads == pool->max_threads)
		return 0;
	signals_block(&old);
	ret = pthread_create(&pool->threads[pool->n_threads], NULL, work_main, pool);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret == 0)
		pool->n_threads++;
	return pool->n_threads > 0 ? 0 : -ret;
}

int work_pool_seal(struct work_pool *pool, struct sandbox *sandbox)
{
	int ret;

	(void)pthread_mutex_lock(&pool->lock);
	pool->sandbox = sandbox;
	ret = add_thread(pool);
	while (ret == 0 && !pool->sealed)
		(void)pthread_cond_wait(&pool->changed, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
	return ret;
}

static int work_submit(struct tenon_dev *dev, struct tenon_job *job)
{
	struct work_pool *pool = dev->env->work;
	int ret;

	(void)pthread_mutex_lock(&pool->lock);
	ret = state_of(job) == IDLE ? 0 : -EBUSY;
	if (ret == 0 && !pool->sealed)
		ret = add_thread(pool);
	if (ret == 0) {
		job->core[NEXT] = NULL;
		job->core[DEV] = dev;
		set_state(job, QUEUED);
		if (pool->last)
			pool->last->core[NEXT] = job;
		else
			pool->first = job;
		pool->last = job;
		(void)pthread_cond_signal(&pool->work);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return ret;
}

/* The lock is held. */
static void unlink_job(struct work_pool *pool, struct tenon_job *job)
{
	struct tenon_job *before = NULL;

	for (struct tenon_job *j = pool->first; j; before = j, j = j->core[NEXT]) {
		if (j != job)
			continue;
		if (before)
			before->core[NEXT] = job->core[NEXT];
		else
			pool->first = job->core[NEXT];
		if (pool->last == job)
			pool->last = before;
		return;
	}
}

static int work_cancel(struct tenon_dev *dev, struct tenon_job *job)
{
	struct work_pool *pool = dev->env->work;
	int taken = 0;

	(void)pthread_mutex_lock(&pool->lock);
	if (state_of(job) == QUEUED) {
		unlink_job(pool, job);
		set_state(job, IDLE);
		taken = 1;
	}
	while (state_of(job) == RUNNING)
		(void)pthread_cond_wait(&pool->changed, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
	/* Finished, but done() not yet called: it is dropped from the posts. */
	if (!taken)
		events_drop_post(dev, job_done, job);
	(void)pthread_mutex_lock(&pool->lock);
	set_state(job, IDLE);
	(void)pthread_mutex_unlock(&pool->lock);
	return taken;
}

/* The lock is held. */
static bool has_jobs(struct work_pool *pool, const struct tenon_dev *dev)
{
	for (const struct tenon_job *j = pool->first; j; j = j->core[NEXT])
		if (j->core[DEV] == dev)
			return true;
	return busy_slot(pool, dev) != NULL;
}

static void work_flush(struct tenon_dev *dev)
{
	struct work_pool *pool = dev->env->work;

	(void)pthread_mutex_lock(&pool->lock);
	while (has_jobs(pool, dev))
		(void)pthread_cond_wait(&pool->changed, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
	events_run_posts(dev);
}

void work_release(struct tenon_dev *dev)
{
	struct work_pool *pool = dev->env->work;

	if (!pool)
		return;
	(void)pthread_mutex_lock(&pool->lock);
	for (struct tenon_job *j = pool->first, *next; j; j = next) {
		next = j->core[NEXT];
		if (j->core[DEV] != dev)
			continue;
		unlink_job(pool, j);
		set_state(j, IDLE);
	}
	while (busy_slot(pool, dev))
		(void)pthread_cond_wait(&pool->changed, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
}

const struct tenon_work service_work = {
	.struct_size = sizeof(struct tenon_work),
	.submit = work_submit,
	.cancel = work_cancel,
	.flush = work_flush,
};
