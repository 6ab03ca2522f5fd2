/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of the null backend's scripts: what it understands, and what it says otherwise. */
#include "backends/null/null.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void steps_have_their_operands(void **state)
{
	struct null_script script = { 0 };
	struct backend_error err = { "" };
	const struct null_step *s;

	assert_int_equal(null_script_parse(&script, "x",
				 "# comment\n"
				 "mmio-read 0x1000 4 expect 0x55 # why\n"
				 "\n"
				 "vcpu 3\n"
				 "repeat 2\n"
				 "call 7 1 2 expect 9\n"
				 "end\n"
				 "fail it broke",
				 &err),
		0);
	assert_int_equal(script.vcpus[0].count, 1);
	s = script.vcpus[0].steps;
	assert_int_equal(s->kind, STEP_MMIO_READ);
	assert_int_equal(s->line, 2);
	assert_int_equal(s->address, 0x1000);
	assert_int_equal(s->size, 4);
	assert_true(s->expect);
	assert_int_equal(s->value, 0x55);
	assert_int_equal(script.vcpus[3].count, 4);
	s = script.vcpus[3].steps;
	assert_int_equal(s[0].address, 2);
	assert_int_equal(s[1].args[1], 2);
	assert_int_equal(s[1].value, 9);
	assert_int_equal(s[2].kind, STEP_END);
	assert_int_equal(s[2].address, 0);
	assert_string_equal(s[3].text, "it broke");
	null_script_finish(&script);
	assert_null(script.vcpus[0].steps);
}

static void mistakes_are_named_with_their_line(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "halt\nboo", "x:2: unknown step \"boo\"" },
		{ "mmio-write 0 4", "x:1: mmio-write lacks operands" },
		{ "mmio-write 0 4 1 2", "x:1: too many operands" },
		{ "mmio-read 0 3", "x:1: the size must be" },
		{ "mmio-read zero 4", "x:1: \"zero\" is not a number" },
		{ "mmio-read -1 4", "x:1: \"-1\" is not a number" },
		{ "mmio-read 0x1ffffffffffffffff 4", "is not a number" },
		{ "mmio-read 0 4 expect", "x:1: too many operands" },
		{ "load 0 4", "x:1: load lacks operands" },
		{ "exit", "x:1: exit lacks operands" },
		{ "wait-irq 256", "x:1: there are 256 interrupts" },
		{ "vcpu 64", "x:1: there are 64 vCPUs" },
		{ "repeat 0", "x:1: repeat needs a count" },
		{ "repeat 1\nvcpu 1\nend", "x:2: vcpu within repeat" },
		{ "repeat 2\nhalt", "x:2: repeat without end" },
		{ "end", "x:1: end without repeat" },
		{ "repeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\n"
		  "repeat 1",
			"x:9: repeat goes deeper than 8" },
		{ "halt 1 2 3 4 5 6 7 8 9 10 11 12 13", "x:1: too many words" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct null_script script = { 0 };
		struct backend_error err = { "" };

		assert_true(null_script_parse(&script, "x", cases[i].text, &err) < 0);
		if (!strstr(err.text, cases[i].want))
			fail_msg("\"%s\" instead of \"%s\"", err.text, cases[i].want);
		null_script_finish(&script);
	}
}

static void a_missing_file_is_named(void **state)
{
	struct null_script script = { 0 };
	struct backend_error err = { "" };

	assert_int_equal(null_script_load(&script, "/nonexistent/s", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/s"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_have_their_operands),
		cmocka_unit_test(mistakes_are_named_with_their_line),
		cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
