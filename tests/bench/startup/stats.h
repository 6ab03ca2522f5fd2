/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics: no mean is taken of what now and then takes ten times as long. */
#ifndef TENON_BENCH_STATS_H
#define TENON_BENCH_STATS_H

#include <stddef.h>

struct stats {
	size_t n;
	double median, q1, q3;
	double low,
		high; /* of the median, with a confidence of 95 %; of five values or less: all */
};

/* Sorts @values. */
struct stats stats_of(double *values, size_t n);

#endif
