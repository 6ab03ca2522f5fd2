/* SPDX-License-Identifier: Apache-2.0 */
/* C17 7.27 and the clocks of POSIX; no clock_nanosleep. */
#ifndef TENON_DARWIN_TIME_H
#define TENON_DARWIN_TIME_H

#include <sys/types.h>

typedef enum {
	CLOCK_REALTIME = 0,
	CLOCK_MONOTONIC = 6,
	CLOCK_PROCESS_CPUTIME_ID = 12,
	CLOCK_THREAD_CPUTIME_ID = 16,
} clockid_t;

#define CLOCK_REALTIME           CLOCK_REALTIME
#define CLOCK_MONOTONIC          CLOCK_MONOTONIC
#define CLOCK_PROCESS_CPUTIME_ID CLOCK_PROCESS_CPUTIME_ID
#define CLOCK_THREAD_CPUTIME_ID  CLOCK_THREAD_CPUTIME_ID

struct timespec {
	time_t tv_sec;
	long tv_nsec;
};

struct tm {
	int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
	long tm_gmtoff;
	char *tm_zone;
};

int clock_gettime(clockid_t clock, struct timespec *ret_time);
int clock_getres(clockid_t clock, struct timespec *ret_time);
int nanosleep(const struct timespec *span, struct timespec *ret_left);
time_t time(time_t *ret_time);
struct tm *gmtime_r(const time_t *at, struct tm *ret_tm);
struct tm *localtime_r(const time_t *at, struct tm *ret_tm);
void tzset(void);
time_t mktime(struct tm *tm);
time_t timegm(struct tm *tm);
size_t strftime(char *to, size_t room, const char *format, const struct tm *tm)
	__attribute__((format(strftime, 3, 0)));

#endif
