/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings, byte by byte, as ACPI 6.4 chapter 20 and section 6.4 have them. */
#include "arch/x86_64/aml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define expect(b, raw)                                                                             \
	do {                                                                                       \
		assert_int_equal((b)->error, 0);                                                   \
		assert_int_equal((b)->size, sizeof(raw) - 1);                                      \
		assert_memory_equal((b)->at, raw, sizeof(raw) - 1);                                \
		bytes_free(b);                                                                     \
	} while (0)

static void paths_are_padded_and_prefixed(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	aml_path(&b, "_SB");
	expect(&b, "_SB_");
	aml_path(&b, "\\_SB.PWRB");
	expect(&b, "\\\x2e_SB_PWRB");
	aml_path(&b, "\\_SB.PC.A1");
	expect(&b, "\\\x2f\x03_SB_PC__A1__");
}

static void bad_paths_are_refused(void **state)
{
	static const char *const bad[] = { "", "\\", "abc", "1ABC", "ABCDE", "A.", ".A", "A..B",
		"A B", "A.B.C.D.E.F.G.H.I" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bytes b = { 0 };

		aml_path(&b, bad[i]);
		assert_int_equal(b.error, -EINVAL);
		bytes_free(&b);
	}
}

static void integers_are_as_short_as_can_be(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	aml_int(&b, 0);
	aml_int(&b, 1);
	aml_int(&b, 0xff);
	aml_int(&b, 0x100);
	aml_int(&b, 0x10000);
	aml_int(&b, 1ull << 32);
	expect(&b, "\x00\x01\x0a\xff\x0b\x00\x01\x0c\x00\x00\x01\x00\x0e\0\0\0\0\1\0\0\0");
}

static void ids_are_compressed_where_possible(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	aml_id(&b, "PNP0501");
	expect(&b, "\x0c\x41\xd0\x05\x01");
	aml_id(&b, "LNRO0005");
	expect(&b, "\x0dLNRO0005\0");
	aml_string(&b, "caf\xc3\xa9");
	assert_int_equal(b.error, -EINVAL);
	bytes_free(&b);
}

/* The length counts itself, in one to three bytes here. */
static void lengths_grow_with_what_they_hold(void **state)
{
	static const struct {
		size_t body, size;
		const char *raw;
	} cases[] = {
		{ 62, 1, "\x3f" },
		{ 63, 2, "\x41\x04" },
		{ 4093, 2, "\x4f\xff" },
		{ 4094, 3, "\x81\x00\x01" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = { 0 };

		bytes_zero(&b, cases[i].body);
		aml_close(&b, 0);
		assert_int_equal(b.size, cases[i].body + cases[i].size);
		assert_memory_equal(b.at, cases[i].raw, cases[i].size);
		bytes_free(&b);
	}
}

static void terms_nest(void **state)
{
	struct bytes b = { 0 };
	size_t device, package, method, test;

	(void)state;
	device = aml_device(&b, "DEV");
	package = aml_package(&b, 1);
	aml_int(&b, 5);
	aml_close(&b, package);
	aml_close(&b, device);
	expect(&b, "\x5b\x82\x0a"
		   "DEV_\x12\x04\x01\x0a\x05");
	method = aml_method(&b, "_EVT", 1, true);
	test = aml_if_arg0_is(&b, 9);
	aml_notify(&b, "PWRB", 0x80);
	aml_close(&b, test);
	aml_close(&b, method);
	expect(&b, "\x14\x13_EVT\x09\xa0\x0c\x93\x68\x0a\x09\x86PWRB\x0a\x80");
}

static void resources_are_a_buffer(void **state)
{
	struct bytes b = { 0 };
	size_t at;

	(void)state;
	at = aml_resources(&b);
	aml_memory(&b, 0xd0000000, 0x1000);
	aml_io(&b, 0x3f8, 8);
	aml_interrupt(&b, 5, false, false);
	aml_interrupt(&b, 6, true, true);
	aml_resources_close(&b, at);
	expect(&b, "\x11\x2b\x0a\x28"
		   "\x86\x09\x00\x01\x00\x00\x00\xd0\x00\x10\x00\x00"
		   "\x47\x01\xf8\x03\xf8\x03\x01\x08"
		   "\x89\x06\x00\x03\x01\x05\x00\x00\x00"
		   "\x89\x06\x00\x09\x01\x06\x00\x00\x00"
		   "\x79\x00");
}

static void memory_above_4_gib_takes_64_bits(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	aml_memory(&b, 1ull << 32, 0x1000);
	expect(&b, "\x8a\x2b\x00\x00\x0d\x01\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0"
		   "\xff\x0f\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0");
}

static void impossible_resources_are_refused(void **state)
{
	static const uint64_t ports[][2] = { { 0xffff, 2 }, { 0x10000, 1 }, { 0, 256 }, { 0, 0 },
		{ UINT64_MAX, 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		struct bytes b = { 0 };

		aml_io(&b, ports[i][0], ports[i][1]);
		assert_int_equal(b.error, -EINVAL);
		bytes_free(&b);
		aml_memory(&b, i, 0);
		assert_int_equal(b.error, -EINVAL);
		bytes_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_padded_and_prefixed),
		cmocka_unit_test(bad_paths_are_refused),
		cmocka_unit_test(integers_are_as_short_as_can_be),
		cmocka_unit_test(ids_are_compressed_where_possible),
		cmocka_unit_test(lengths_grow_with_what_they_hold),
		cmocka_unit_test(terms_nest),
		cmocka_unit_test(resources_are_a_buffer),
		cmocka_unit_test(memory_above_4_gib_takes_64_bits),
		cmocka_unit_test(impossible_resources_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
