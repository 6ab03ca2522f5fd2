/* SPDX-License-Identifier: Apache-2.0 */
/* The order statistics, against values from a table of the binomial distribution. */
#include "stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* @n values, 1 to @n, in another order. */
static struct stats of_first(size_t n)
{
	double values[101];

	for (size_t i = 0; i < n; i++)
		values[i] = (double)((i * 37 + 5) % n + 1);
	return stats_of(values, n);
}

static void quartiles_are_between_values(void **state)
{
	struct stats s = of_first(4);

	(void)state;
	assert_float_equal(s.q1, 1.75, 1e-9);
	assert_float_equal(s.median, 2.5, 1e-9);
	assert_float_equal(s.q3, 3.25, 1e-9);
}

/* The ranks that the sign test gives for 95 %. */
static void the_interval_has_the_ranks_of_the_table(void **state)
{
	static const struct {
		size_t n;
		double low, high;
	} table[] = { { 1, 1, 1 }, { 5, 1, 5 }, { 6, 1, 6 }, { 9, 2, 8 }, { 20, 6, 15 },
		{ 31, 10, 22 }, { 100, 40, 61 } };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct stats s = of_first(table[i].n);

		assert_float_equal(s.low, table[i].low, 1e-9);
		assert_float_equal(s.high, table[i].high, 1e-9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quartiles_are_between_values),
		cmocka_unit_test(the_interval_has_the_ranks_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
