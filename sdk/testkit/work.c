/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.work/1.  A job runs when the loop is stepped, or on a thread of its own; done() comes from
 * the loop either way.
 */
#include <errno.h>
#include <signal.h>

#include "core/config.h"
#include "sdk/testkit/kit.h"

enum job_state { IDLE, QUEUED, RUNNING, FINISHED };

/* What core[] holds. */
enum { NEXT, DEV, STATE };

static struct tenon_job *first; /* QUEUED; all of this is under the machine's lock */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned running;
static bool threaded;

static enum job_state state_of(const struct tenon_job *job)
{
	return (enum job_state)(uintptr_t)job->core[STATE];
}

static void set_state(struct tenon_job *job, enum job_state state)
{
	job->core[STATE] = (void *)(uintptr_t)state;
}

void tk_work_on_thread(int on)
{
	threaded = on != 0;
}

/* On the loop. */
static void job_done(struct tenon_dev *dev, void *arg)
{
	struct tenon_job *job = arg;

	kit_lock();
	set_state(job, IDLE);
	kit_unlock();
	if (job->done)
		job->done(dev, job); /* may free it or submit it anew */
}

static void run_job(struct tenon_job *job)
{
	struct tk_dev *d = job->core[DEV];
	struct kit_here before;
	int result;

	kit_enter(d, ROLE_WORK, &before);
	result = job->run(kit_handle(d), job);
	kit_leave(d, &before);
	job->result = result;
	/* At once: cancel() must not see the one without the other. */
	kit_lock();
	kit_post_held(d, job_done, job);
	set_state(job, FINISHED);
	running--;
	(void)pthread_cond_broadcast(&changed);
	kit_unlock();
}

static void *job_thread(void *arg)
{
	run_job(arg);
	return NULL;
}

/* QUEUED -> RUNNING; the lock is held. */
static struct tenon_job *take(void)
{
	struct tenon_job *job = first;

	if (!job)
		return NULL;
	first = job->core[NEXT];
	set_state(job, RUNNING);
	running++;
	return job;
}

static void start_thread(struct tenon_job *job)
{
	sigset_t every, old;
	pthread_t thread;

	(void)sigfillset(&every);
	(void)pthread_sigmask(SIG_SETMASK, &every, &old);
	if (pthread_create(&thread, NULL, job_thread, job) != 0)
		kit_fail("cannot start a thread for a job");
	(void)pthread_detach(thread);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static int work_submit(struct tenon_dev *dev, struct tenon_job *job)
{
	struct tenon_job **at = &first;
	struct tenon_job *now;

	if (kit_fails("tenon.work submit", ROLE_ANY))
		return -ENOMEM;
	kit_lock();
	if (state_of(job) != IDLE) {
		kit_unlock();
		return -EBUSY;
	}
	while (*at)
		at = (struct tenon_job **)(void *)&(*at)->core[NEXT];
	job->core[NEXT] = NULL;
	job->core[DEV] = &dev->d;
	set_state(job, QUEUED);
	*at = job;
	now = threaded ? take() : NULL;
	kit_unlock();
	if (now)
		start_thread(now);
	return 0;
}

/* The lock is held. */
static bool unlink_job(const struct tenon_job *job)
{
	for (struct tenon_job **at = &first; *at;
		at = (struct tenon_job **)(void *)&(*at)->core[NEXT]) {
		if (*at == job) {
			*at = job->core[NEXT];
			return true;
		}
	}
	return false;
}

static int work_cancel(struct tenon_dev *dev, struct tenon_job *job)
{
	bool taken;

	kit_role("tenon.work cancel", ROLE_MAIN | ROLE_LOOP);
	kit_lock();
	taken = unlink_job(job);
	while (!taken && state_of(job) == RUNNING)
		(void)pthread_cond_wait(&changed, &kit.lock);
	kit_unlock();
	if (!taken)
		kit_drop_post(&dev->d, job_done, job);
	kit_lock();
	set_state(job, IDLE);
	kit_unlock();
	return taken;
}

bool kit_step_work(void)
{
	struct tenon_job *job;

	kit_lock();
	job = take();
	kit_unlock();
	if (job)
		run_job(job);
	return job != NULL;
}

bool kit_wait_work(void)
{
	bool any;

	kit_lock();
	any = running > 0;
	if (any)
		(void)pthread_cond_wait(&changed, &kit.lock);
	kit_unlock();
	return any;
}

/* A job that ended since the loop looked has posted its done(): then there is nothing to wait for.
 */
bool kit_wait_posts(void)
{
	bool any;

	kit_lock();
	while (!kit_has_posts_held() && running > 0)
		(void)pthread_cond_wait(&changed, &kit.lock);
	any = kit_has_posts_held();
	kit_unlock();
	return any;
}

/* In a callback of the device: its own jobs' done() are called from here, the lock being held. */
static void work_flush(struct tenon_dev *dev)
{
	(void)dev;
	kit_role("tenon.work flush", ROLE_MAIN);
	while (kit_step_work() || kit_wait_work())
		;
	(void)kit_run_posts(&dev->d);
}

void kit_work_left(struct tk_dev *d)
{
	kit_lock();
	for (const struct tenon_job *job = first; job; job = job->core[NEXT])
		if (job->core[DEV] == d)
			kit_fail("%s left a job queued", d->cd->name);
	kit_unlock();
	while (kit_wait_work())
		;
}

const struct tenon_work kit_work = {
	.struct_size = sizeof(struct tenon_work),
	.submit = work_submit,
	.cancel = work_cancel,
	.flush = work_flush,
};
