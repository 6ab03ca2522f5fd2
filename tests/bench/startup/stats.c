/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Medians and quartiles; and the interval that holds the median whatever the distribution is: how
 * many of n values lie below it is binomial with p = 1/2, so the interval goes from the k-th
 * smallest value to the k-th largest, with the largest k whose tails hold 2.5 % or less each.
 */
#include "stats.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t i = (size_t)at;

	if (i + 1 >= n)
		return sorted[n - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

/* How many values may be cut off at each end. */
static size_t cut_off(size_t n)
{
	double term = 1, tail = 0;
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		term /= 2;
	/* term = C(n, k) / 2^n: more than 1000 values are the same to a person as 1000 */
	for (; k < n / 2; k++) {
		tail += term;
		if (tail > 0.025)
			break;
		term *= (double)(n - k) / (double)(k + 1);
	}
	return k ? k - 1 : 0;
}

struct stats stats_of(double *values, size_t n)
{
	struct stats s = { .n = n };
	size_t k;

	if (n == 0)
		return s;
	qsort(values, n, sizeof(*values), compare);
	s.median = quantile(values, n, 0.5);
	s.q1 = quantile(values, n, 0.25);
	s.q3 = quantile(values, n, 0.75);
	k = cut_off(n);
	s.low = values[k];
	s.high = values[n - 1 - k];
	return s;
}
