/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes: what is read, what is refused, and that printing is the inverse. */
#include "core/size.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void reads_what_people_write(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "4096", 4096 },
		{ "64K", 65536 },
		{ "64k", 65536 },
		{ "512M", UINT64_C(512) << 20 },
		{ "512MiB", UINT64_C(512) << 20 },
		{ "512MB", UINT64_C(512) << 20 },
		{ "4G", UINT64_C(4) << 30 },
		{ "2T", UINT64_C(2) << 40 },
		{ "10B", 10 },
		{ "0x1000", 4096 },
		{ "0xD0000000", UINT64_C(0xd0000000) },
		{ "0x10K", 16384 },
		{ "18446744073709551615", UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t bytes = 1;

		assert_int_equal(size_parse(cases[i].text, &bytes), 0);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void refuses_what_is_no_size(void **state)
{
	static const char *const cases[] = { "", "M", "-1", "+1", " 1", "1 ", "1 M", "1.5G", "12Q",
		"0x", "0xg", "1MM", "1Mi", "1KiBs", "one", "1e3" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t bytes = 77;

		assert_int_equal(size_parse(cases[i], &bytes), -EINVAL);
		assert_int_equal(bytes, 77);
	}
}

static void sees_every_overflow(void **state)
{
	static const char *const cases[] = { "18446744073709551616", "0x10000000000000000",
		"16777216T", "18446744073709551615K", "99999999999999999999999999G" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t bytes = 77;

		assert_int_equal(size_parse(cases[i], &bytes), -ERANGE);
		assert_int_equal(bytes, 77);
	}
}

static void prints_what_it_reads(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1023, "1023" },
		{ 1024, "1K" },
		{ 4097, "4097" },
		{ 1536, "1536" },
		{ UINT64_C(1536) * 1024, "1536K" },
		{ UINT64_C(512) << 20, "512M" },
		{ UINT64_C(5) << 30, "5G" },
		{ UINT64_C(1) << 60, "1048576T" },
		{ UINT64_MAX, "18446744073709551615" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[SIZE_TEXT_MAX];
		uint64_t bytes;

		assert_string_equal(size_format(cases[i].bytes, text), cases[i].text);
		assert_int_equal(size_parse(text, &bytes), 0);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_people_write),
		cmocka_unit_test(refuses_what_is_no_size),
		cmocka_unit_test(sees_every_overflow),
		cmocka_unit_test(prints_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
