/* SPDX-License-Identifier: Apache-2.0 */
/* macOS: mach_absolute_time() counts what CNTPCT_EL0 counts. */
#include "backends/hvf/hvf_clock.h"

#include <time.h>

#include <mach/mach_time.h>

#define NS_PER_S 1000000000u

uint64_t hvf_clock_ticks(void)
{
	return mach_absolute_time();
}

uint64_t hvf_clock_ns(uint64_t ticks)
{
	mach_timebase_info_data_t base = { 1, 1 };

	(void)mach_timebase_info(&base);
	return ticks / base.denom * base.numer + ticks % base.denom * base.numer / base.denom;
}

void hvf_clock_init(pthread_cond_t *cond)
{
	(void)pthread_cond_init(cond, NULL);
}

int hvf_clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ns)
{
	const struct timespec wait = { .tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S) };

	if (ns == HVF_FOREVER)
		return pthread_cond_wait(cond, lock);
	return pthread_cond_timedwait_relative_np(cond, lock, &wait);
}
