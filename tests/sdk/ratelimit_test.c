/* SPDX-License-Identifier: Apache-2.0 */
#include <tenon/ratelimit.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

static void starts_full(void **state)
{
	struct tenon_bucket b;

	(void)state;
	tenon_bucket_init(&b, 1000, 0, 5 * S);
	assert_int_equal(tenon_bucket_level(&b, 5 * S), 1000);
	tenon_bucket_init(&b, 1000, 50, 5 * S);
	assert_int_equal(tenon_bucket_level(&b, 5 * S), 50);
	assert_int_equal(tenon_bucket_grant(&b, 80), 50);
	assert_int_equal(tenon_bucket_grant(&b, 8), 8);
}

static void fills_at_its_rate(void **state)
{
	struct tenon_bucket b;

	(void)state;
	tenon_bucket_init(&b, 1000, 0, 0);
	tenon_bucket_spend(&b, 1000);
	assert_int_equal(tenon_bucket_level(&b, 0), 0);
	assert_int_equal(tenon_bucket_level(&b, S / 2), 500);
	assert_int_equal(tenon_bucket_level(&b, 100 * S), 1000);
}

/* Looked at far more often than a token comes: nothing gets lost between two looks. */
static void loses_no_fractions(void **state)
{
	struct tenon_bucket b;

	(void)state;
	tenon_bucket_init(&b, 1700, 0, 0);
	tenon_bucket_spend(&b, 1700);
	for (uint64_t now = 0; now <= S; now += 10007)
		(void)tenon_bucket_level(&b, now);
	assert_int_equal(tenon_bucket_level(&b, S - 1), 1699);
	assert_int_equal(tenon_bucket_level(&b, S), 1700);
}

static void a_debt_is_paid_first(void **state)
{
	struct tenon_bucket b;

	(void)state;
	tenon_bucket_init(&b, 100, 0, 0);
	tenon_bucket_spend(&b, 1100);
	assert_int_equal(tenon_bucket_level(&b, 0), -1000);
	assert_int_equal(tenon_bucket_grant(&b, 1), 0);
	assert_int_equal(tenon_bucket_level(&b, 9 * S), -100);
	assert_int_equal(tenon_bucket_level(&b, 11 * S), 100);
}

/* At the deadline the tokens are there, a nanosecond before they are not. */
static void the_deadline_is_exact(void **state)
{
	static const uint64_t rates[] = { 1, 3, 7, 999, 1700, 1000003, TENON_BUCKET_MAX_RATE - 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct tenon_bucket b, early;
		uint64_t at;

		tenon_bucket_init(&b, rates[i], 0, 3 * S + 17);
		tenon_bucket_spend(&b, rates[i] + 5);
		at = tenon_bucket_deadline(&b, 1);
		early = b;
		assert_true(tenon_bucket_level(&b, at) >= 1);
		assert_true(tenon_bucket_level(&early, at - 1) < 1);
	}
}

static void nothing_overflows(void **state)
{
	struct tenon_bucket b;

	(void)state;
	tenon_bucket_init(&b, TENON_BUCKET_MAX_RATE - 1, 0, 0);
	tenon_bucket_spend(&b, UINT64_MAX);
	tenon_bucket_spend(&b, UINT64_MAX);
	assert_true(tenon_bucket_level(&b, 0) < 0);
	assert_true(tenon_bucket_deadline(&b, 1) > 0);
	assert_true(tenon_bucket_level(&b, UINT64_MAX) >= 0);
}

static void no_rate_is_no_limit(void **state)
{
	struct tenon_bucket b;

	(void)state;
	for (int i = 0; i < 2; i++) {
		tenon_bucket_init(&b, i ? TENON_BUCKET_MAX_RATE : 0, 0, 0);
		tenon_bucket_spend(&b, UINT64_MAX);
		assert_true(tenon_bucket_level(&b, 0) == INT64_MAX);
		assert_true(tenon_bucket_grant(&b, UINT64_MAX) == UINT64_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_full),
		cmocka_unit_test(fills_at_its_rate),
		cmocka_unit_test(loses_no_fractions),
		cmocka_unit_test(a_debt_is_paid_first),
		cmocka_unit_test(the_deadline_is_exact),
		cmocka_unit_test(nothing_overflows),
		cmocka_unit_test(no_rate_is_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
