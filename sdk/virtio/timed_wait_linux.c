/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that know the monotonic clock. */
#include "sdk/virtio/timed_wait.h"

#include <time.h>

#define NS_A_SECOND 1000000000u

uint64_t timed_wait_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

void timed_wait_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
}

int timed_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ns)
{
	const struct timespec at = { (time_t)(until_ns / NS_A_SECOND),
		(long)(until_ns % NS_A_SECOND) };

	return pthread_cond_timedwait(cond, lock, &at);
}
