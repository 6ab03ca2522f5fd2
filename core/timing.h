/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time went: what `tenon run --timing` prints. */
#ifndef TENON_CORE_TIMING_H
#define TENON_CORE_TIMING_H

#include <stdint.h>
#include <stdio.h>

struct timing;

/* A moment on the monotonic clock, and the CPU time that the process had used by then. */
struct timing_moment {
	uint64_t wall_ns, cpu_ns;
};

struct timing_moment timing_now(void); /* [any] */

/* @start is when the program began: what its CPU clock showed by then, exec and the dynamic linker
 * took.  NULL when memory is short, and every function below accepts that.  [main] */
struct timing *timing_create(const struct timing_moment *start);
void timing_destroy(struct timing *timing);

/* A phase ended: it took the time since the one before it ended.  [main] */
void timing_phase(struct timing *timing, const char *name);
/* A part of the present phase.  [main] */
void timing_part(struct timing *timing, const char *name, uint64_t ns);
/* Something happened now; @value is printed unless it is negative.  [any] */
void timing_mark(struct timing *timing, const char *name, int64_t value);

/* One line each, machine-readable and stable; tenon(1) has them.  [main] */
void timing_print(struct timing *timing, FILE *out);

#endif
