/* SPDX-License-Identifier: Apache-2.0 */
/* What --timing prints: that its lines hold what tenon(1) says, and that phases add up. */
#include "core/timing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static char *text;

/* The number behind @key in the line that names @name. */
static unsigned long long number(const char *name, const char *key)
{
	char want[64];
	const char *line, *at, *end;

	(void)snprintf(want, sizeof(want), "timing: name=%s ", name);
	line = strstr(text, want);
	assert_non_null(line);
	end = strchr(line, '\n');
	assert_non_null(end);
	(void)snprintf(want, sizeof(want), " %s=", key);
	at = strstr(line, want);
	if (!at || at > end) {
		fail_msg("the line of \"%s\" has no %s", name, key);
		return 0;
	}
	return strtoull(at + strlen(want), NULL, 0);
}

static void print(struct timing *t)
{
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	timing_print(t, out);
	assert_int_equal(fclose(out), 0);
	timing_destroy(t);
}

static void the_start_is_the_programs(void **state)
{
	struct timing_moment start = timing_now();

	(void)state;
	start.cpu_ns = 4321000;
	start.wall_ns -= 5000000;
	print(timing_create(&start));
	assert_int_equal(number("exec", "cpu_us"), 4321);
	assert_int_equal(number("exec", "monotonic_us"), start.wall_ns / 1000);
	assert_true(number("total", "at_us") >= 5000);
	free(text);
}

static void phases_follow_each_other(void **state)
{
	struct timing_moment start = timing_now();
	struct timing *t;
	unsigned long long first, both;

	(void)state;
	start.wall_ns -= 7000000;
	t = timing_create(&start);
	timing_phase(t, "one");
	timing_part(t, "half", 1234567);
	timing_phase(t, "two");
	print(t);
	first = number("one", "took_us");
	both = number("two", "at_us");
	assert_true(first >= 7000);
	assert_in_range(first + number("two", "took_us"), both - 1, both);
	assert_true(number("two", "cpu_us") >= number("one", "cpu_us"));
	assert_true(number("two", "took_cpu_us") <= number("two", "cpu_us"));
	assert_int_equal(number("half", "took_us"), 1234);
	free(text);
}

static void marks_have_a_value_or_none(void **state)
{
	struct timing_moment start = timing_now();
	struct timing *t = timing_create(&start);

	(void)state;
	timing_mark(t, "with", 0x64);
	timing_mark(t, "without", -1);
	print(t);
	assert_int_equal(number("with", "value"), 0x64);
	assert_non_null(strstr(text, "name=without kind=mark at_us="));
	assert_null(strstr(strstr(text, "name=without"), "value="));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_start_is_the_programs),
		cmocka_unit_test(phases_follow_each_other),
		cmocka_unit_test(marks_have_a_value_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
