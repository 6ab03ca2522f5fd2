/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the benchmark of devices share: options, measuring in turns, the table. */
#ifndef TENON_BENCH_DEVICES_H
#define TENON_BENCH_DEVICES_H

#include <time.h>

#define DEVICES_SKIPPED     77
#define DEVICES_MOST_ROUNDS 15

struct devices_options {
	unsigned ms, rounds; /* of each measurement, and how many of them */
	const char *folder;  /* for files; on the disk that is to be measured */
	unsigned n_rows, n_below;
};

struct devices_result {
	double per_second, cpu_us; /* operations, and CPU time of each */
};

struct devices_row {
	const char *part, *name;
	unsigned limit; /* per cent: what the ratio is not to fall below */
	/* Measures once for @ms and fills *@ret; 0 or -errno, and says why itself. */
	int (*plain)(const void *load, unsigned ms, struct devices_result *ret);
	int (*device)(const void *load, unsigned ms, struct devices_result *ret);
	const void *load;
};

void devices_head(const struct devices_options *o);
/* Measures both by turns and prints the line; 0 or -errno. */
int devices_row(struct devices_options *o, const struct devices_row *row);
/* A line that says why there is no row. */
void devices_skip(const char *part, const char *name, const char *why);

/* Runs @measure in a process of its own, which may fail as a test does. */
int devices_isolated(void (*measure)(const void *load, unsigned ms, struct devices_result *ret),
	const void *load, unsigned ms, struct devices_result *ret);

double devices_clock(clockid_t clock); /* seconds */

/* The parts: 0, 1 when something failed, DEVICES_SKIPPED. */
int block_part(struct devices_options *o);
int net_part(struct devices_options *o);
int vsock_part(struct devices_options *o);

#endif
