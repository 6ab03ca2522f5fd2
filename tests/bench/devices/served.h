/* SPDX-License-Identifier: Apache-2.0 */
/* A device behind `tenon serve` and the vhost-user front end, for benchmarks. */
#ifndef TENON_BENCH_SERVED_H
#define TENON_BENCH_SERVED_H

#include <sys/types.h>

#include <tenon/testkit.h>

/* The programs that it takes; NULL where one is spoken of: the device lives in this process. */
struct served_by {
	const char *program;   /* tenon */
	const char *front_end; /* the plugin */
};

/* The device, and its process in *@ret_pid, which ends with this one.  @settings: "KEY=VALUE" each,
 * NULL at the end; descriptors keep their numbers.  Fails as a test does. */
struct tk_dev *served_open(
	const struct served_by *by, const char *type, const char *const *settings, pid_t *ret_pid);
/* Seconds of CPU time of this thread and of @pid; 0 = no other. */
double served_cpu(pid_t pid);
void served_end(pid_t pid);

#endif
