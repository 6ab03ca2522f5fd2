/* SPDX-License-Identifier: Apache-2.0 */
/* What was measured, by name: one value per run, in microseconds. */
#ifndef TENON_BENCH_RECORD_H
#define TENON_BENCH_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "process.h"
#include "stats.h"

#define RECORD_NAMES 48
#define RECORD_RUNS  512

struct record_series {
	char name[40];
	char kind; /* 'p'hase, p'a'rt, 'm'ark, or 't'otal */
	double wall[RECORD_RUNS], cpu[RECORD_RUNS];
	size_t n;
};

/* One program's runs. */
struct record {
	struct record_series series[RECORD_NAMES];
	size_t n;
};

/* These take a run that has ended from what it printed; false when it lacks something. */
bool record_bare(struct record *r, const struct process *p);
bool record_tenon(struct record *r, const struct process *p);

/* The time of the whole process alone, as "process". */
void record_process(struct record *r, const struct process *p);

/* NULL when there is none of that name. */
const struct record_series *record_find(const struct record *r, const char *name);

struct stats record_wall(const struct record_series *s);
struct stats record_cpu(const struct record_series *s);
/* Of each run's @a less that of @b: both must have the same runs. */
struct stats record_cpu_above(const struct record_series *a, const struct record_series *b);
struct stats record_wall_above(const struct record_series *a, const struct record_series *b);

#endif
