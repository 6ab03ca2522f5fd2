/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs on pool threads, and the posts by which they come back to the device's loop. */
#include "core/work.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/device.h"
#include "core/event_loop.h"
#include "core/services.h"

#include <cmocka.h> /* last: it has a macro named fail */

struct bed {
	struct event_loop *loop;
	struct device_env env;
	struct tenon_dev dev;
	unsigned ran, done;
	char order[8];
	size_t n_order;
	sem_t inside, leave;
};

static struct bed bed;

static const struct tenon_device_class serial = { .struct_size = sizeof(serial),
	.threads = TENON_SERIAL };

static int setup(void **state)
{
	memset(&bed, 0, sizeof(bed));
	if (event_loop_create(&bed.loop) < 0)
		return -1;
	bed.env.work = work_pool_create(2);
	bed.dev = (struct tenon_dev){ .env = &bed.env, .cls = &serial, .loop = bed.loop };
	(void)pthread_mutex_init(&bed.dev.lock, NULL);
	if (events_init(&bed.dev) < 0)
		return -1;
	return sem_init(&bed.inside, 0, 0) | sem_init(&bed.leave, 0, 0);
}

static int teardown(void **state)
{
	work_release(&bed.dev);
	work_pool_destroy(bed.env.work);
	events_finish(&bed.dev);
	event_loop_destroy(bed.loop);
	(void)pthread_mutex_destroy(&bed.dev.lock);
	return 0;
}

static int job_run(struct tenon_dev *dev, struct tenon_job *job)
{
	__atomic_fetch_add(&bed.ran, 1, __ATOMIC_RELAXED);
	return -EXDEV;
}

static void job_done(struct tenon_dev *dev, struct tenon_job *job)
{
	assert_int_equal(job->result, -EXDEV);
	bed.done++;
	event_loop_stop(bed.loop);
}

static int job_waits(struct tenon_dev *dev, struct tenon_job *job)
{
	(void)sem_post(&bed.inside);
	(void)sem_wait(&bed.leave);
	return job_run(dev, job);
}

/* ---- posts ---- */

static void append(struct tenon_dev *dev, void *arg)
{
	bed.order[bed.n_order++] = *(const char *)arg;
}

static char dropped[] = "c";

static void drop_c(struct tenon_dev *dev, void *arg)
{
	append(dev, arg);
	events_drop_post(dev, append, dropped);
}

static void posts_run_in_order(void **state)
{
	assert_int_equal(service_event.post(&bed.dev, append, "a"), 0);
	assert_int_equal(service_event.post(&bed.dev, append, "b"), 0);
	while (event_loop_poll(bed.loop) > 0)
		continue;
	assert_string_equal(bed.order, "ab");
}

static void a_post_may_drop_one_behind_it(void **state)
{
	assert_int_equal(service_event.post(&bed.dev, drop_c, "a"), 0);
	assert_int_equal(service_event.post(&bed.dev, append, dropped), 0);
	assert_int_equal(service_event.post(&bed.dev, append, "b"), 0);
	while (event_loop_poll(bed.loop) > 0)
		continue;
	assert_string_equal(bed.order, "ab");
}

static void post_again(struct tenon_dev *dev, void *arg)
{
	if (bed.n_order < 7)
		append(dev, arg);
	(void)service_event.post(dev, post_again, arg);
}

static void a_post_that_posts_itself_leaves_others_their_turn(void **state)
{
	assert_int_equal(service_event.post(&bed.dev, post_again, "a"), 0);
	(void)event_loop_poll(bed.loop);
	assert_true(bed.n_order > 0);
}

/* ---- jobs ---- */

static void a_job_comes_back_to_the_loop(void **state)
{
	struct tenon_job job = { .run = job_run, .done = job_done };

	assert_int_equal(service_work.submit(&bed.dev, &job), 0);
	assert_int_equal(event_loop_run(bed.loop), 0);
	assert_int_equal(bed.done, 1);
	assert_int_equal(service_work.submit(&bed.dev, &job), 0); /* idle again */
	assert_int_equal(event_loop_run(bed.loop), 0);
	assert_int_equal(bed.done, 2);
}

static void a_job_under_way_is_not_taken_twice(void **state)
{
	struct tenon_job job = { .run = job_waits, .done = job_done };

	assert_int_equal(service_work.submit(&bed.dev, &job), 0);
	(void)sem_wait(&bed.inside);
	assert_int_equal(service_work.submit(&bed.dev, &job), -EBUSY);
	(void)sem_post(&bed.leave);
	assert_int_equal(service_work.cancel(&bed.dev, &job), 0); /* it ran */
	assert_int_equal(bed.ran, 1);
	while (event_loop_poll(bed.loop) > 0)
		continue;
	assert_int_equal(bed.done, 0);
}

static void more_jobs_than_threads_wait_and_can_be_cancelled(void **state)
{
	struct tenon_job busy[2] = { { .run = job_waits }, { .run = job_waits } };
	struct tenon_job queued[3] = { { .run = job_run }, { .run = job_run }, { .run = job_run } };

	for (int i = 0; i < 2; i++)
		assert_int_equal(service_work.submit(&bed.dev, &busy[i]), 0);
	for (int i = 0; i < 2; i++)
		(void)sem_wait(&bed.inside);
	for (int i = 0; i < 3; i++)
		assert_int_equal(service_work.submit(&bed.dev, &queued[i]), 0);
	assert_int_equal(service_work.cancel(&bed.dev, &queued[2]), 1);
	assert_int_equal(service_work.cancel(&bed.dev, &queued[0]), 1);
	for (int i = 0; i < 2; i++)
		(void)sem_post(&bed.leave);
	service_work.flush(&bed.dev);
	assert_int_equal(bed.ran, 3);
}

struct pair {
	struct tenon_job first, *second;
};

static void cancel_and_free(struct tenon_dev *dev, struct tenon_job *job)
{
	struct pair *pair = (struct pair *)job;

	bed.done++;
	(void)service_work.cancel(dev, pair->second);
	free(pair->second);
	event_loop_stop(bed.loop);
}

/* Both have finished: the end of the second is on its way while the first cancels it. */
static void a_job_that_is_cancelled_may_be_freed_at_once(void **state)
{
	struct pair pair = { .first = { .run = job_run, .done = cancel_and_free } };

	pair.second = calloc(1, sizeof(*pair.second));
	*pair.second = (struct tenon_job){ .run = job_run, .done = job_done };
	device_lock(&bed.dev);
	assert_int_equal(service_work.submit(&bed.dev, &pair.first), 0);
	while (__atomic_load_n(&bed.ran, __ATOMIC_RELAXED) < 1)
		(void)sched_yield();
	assert_int_equal(service_work.submit(&bed.dev, pair.second), 0);
	while (__atomic_load_n(&bed.ran, __ATOMIC_RELAXED) < 2)
		(void)sched_yield();
	device_unlock(&bed.dev);
	assert_int_equal(event_loop_run(bed.loop), 0);
	while (event_loop_poll(bed.loop) > 0)
		continue;
	assert_int_equal(bed.done, 1);
}

static void release_waits_for_what_runs(void **state)
{
	struct tenon_job job = { .run = job_waits, .done = job_done };

	assert_int_equal(service_work.submit(&bed.dev, &job), 0);
	(void)sem_wait(&bed.inside);
	(void)sem_post(&bed.leave);
	work_release(&bed.dev);
	assert_int_equal(bed.ran, 1);
	events_release(&bed.dev);
	while (event_loop_poll(bed.loop) > 0)
		continue;
	assert_int_equal(bed.done, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(posts_run_in_order),
		T(a_post_may_drop_one_behind_it),
		T(a_post_that_posts_itself_leaves_others_their_turn),
		T(a_job_comes_back_to_the_loop),
		T(a_job_under_way_is_not_taken_twice),
		T(more_jobs_than_threads_wait_and_can_be_cancelled),
		T(a_job_that_is_cancelled_may_be_freed_at_once),
		T(release_waits_for_what_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
