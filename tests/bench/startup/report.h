/* SPDX-License-Identifier: Apache-2.0 */
/* What was measured, as tables for people or as lines for programs. */
#ifndef TENON_BENCH_REPORT_H
#define TENON_BENCH_REPORT_H

#include <stdbool.h>

#include "record.h"
#include "setup.h"
#include "smaps.h"

#define CPU_MOST_US       5000.0 /* tenon's above the bare program's, with six plugins */
#define RESIDENT_MOST_KIB 5120ul /* above guest memory, with six plugins */
#define LIST_MOST_US      50000.0

/* tenon with so many devices. */
struct variant {
	unsigned n_devices;
	char config[PATH_MAX];
	struct record record;
	struct smaps smaps; /* empty where there is no serial port that could say when to look */
};

struct result {
	struct setup setup;
	unsigned runs;
	struct record bare;
	struct smaps bare_smaps;
	struct variant *variants;
	unsigned n_variants;
	const struct variant *main; /* the one with six plugins, that is judged */
	struct record list;         /* `tenon plugins`, as "process" */
};

void report_people(const struct result *r);
/* "startup KEY=VALUE ..." */
void report_raw(const struct result *r);

/*
 * False after a sentence for each figure that is missed.  @slack is the factor by which times may
 * exceed theirs: a few runs on a busy machine say little.  Memory may not.
 */
bool report_check(const struct result *r, double slack);

#endif
