/* SPDX-License-Identifier: Apache-2.0 */
/* The backend's clock beside the stand-in: ticks are nanoseconds. */
#include <errno.h>
#include <time.h>

#include "backends/hvf/hvf_clock.h"

#define NS_PER_S 1000000000u

uint64_t hvf_clock_ticks(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t hvf_clock_ns(uint64_t ticks)
{
	return ticks;
}

void hvf_clock_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
}

int hvf_clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ns)
{
	uint64_t at = hvf_clock_ticks() + ns;
	const struct timespec until = { .tv_sec = (time_t)(at / NS_PER_S),
		.tv_nsec = (long)(at % NS_PER_S) };

	if (ns == HVF_FOREVER)
		return pthread_cond_wait(cond, lock);
	return pthread_cond_timedwait(cond, lock, &until);
}
