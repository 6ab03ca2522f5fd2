/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that know the wall clock, and how long a wait may last. */
#include "backends/emu/emu_timed_wait.h"

#include <errno.h>
#include <time.h>

#define NS_A_SECOND 1000000000u

uint64_t emu_timed_wait_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

void emu_timed_wait_init(pthread_cond_t *cond)
{
	(void)pthread_cond_init(cond, NULL);
}

int emu_timed_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ns)
{
	const uint64_t now = emu_timed_wait_now(), left = until_ns > now ? until_ns - now : 0;
	const struct timespec span = { (time_t)(left / NS_A_SECOND), (long)(left % NS_A_SECOND) };

	return left ? pthread_cond_timedwait_relative_np(cond, lock, &span) : ETIMEDOUT;
}
