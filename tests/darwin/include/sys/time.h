/* SPDX-License-Identifier: Apache-2.0 */
/* gettimeofday(2). */
#ifndef TENON_DARWIN_SYS_TIME_H
#define TENON_DARWIN_SYS_TIME_H

#include <sys/types.h>
#include <time.h>

struct timeval {
	time_t tv_sec;
	int tv_usec;
};

int gettimeofday(struct timeval *ret_now, void *zone);

#endif
