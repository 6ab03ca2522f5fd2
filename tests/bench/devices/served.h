/* SPDX-License-Identifier: Apache-2.0 */
/* A device in a process of its own, as `tenon serve` gives it, behind the vhost-user front end. */
#ifndef TENON_BENCH_SERVED_H
#define TENON_BENCH_SERVED_H

#include <sys/types.h>

#include <tenon/testkit.h>

#define SERVED_MOST_KEYS 12

struct served {
	pid_t child; /* 0 = none: the device lives here */
};

/*
 * Starts @program (tenon) for a device of @type with @keys, each KEY=VALUE, up to a NULL, and opens
 * the front end of it, whose plugin must have been loaded.  Fails as a test does.
 */
struct tk_dev *served_open(
	struct served *s, const char *program, const char *type, const char *const *keys);
/* The CPU time that its process has used, in seconds; 0 when there is none. */
double served_cpu(const struct served *s);
void served_end(const struct served *s);

#endif
