/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time went: what `tenon run --timing` prints. */
#ifndef TENON_CORE_TIMING_H
#define TENON_CORE_TIMING_H

#include <stdint.h>
#include <stdio.h>

struct timing;

/* Takes the moment of its call as the start.  NULL when memory is short, and every function below
 * accepts that.  [main] */
struct timing *timing_create(void);
void timing_destroy(struct timing *timing);

/* A phase ended: it took the time since the one before it ended.  [main] */
void timing_phase(struct timing *timing, const char *name);
/* A part of the present phase.  [main] */
void timing_part(struct timing *timing, const char *name, uint64_t ns);
/* Something happened now; @value is printed unless it is negative.  [any] */
void timing_mark(struct timing *timing, const char *name, int64_t value);

/* One line each: "name=NAME at_us=... took_us=..." (machine-readable, stable).  [main] */
void timing_print(struct timing *timing, FILE *out);

#endif
