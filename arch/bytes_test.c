/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian stores and the growing buffer. */
#include "arch/bytes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void stores_are_little_endian(void **state)
{
	uint8_t raw[9] = { 0 };

	(void)state;
	put_le64(raw, 0x8877665544332211ull);
	assert_memory_equal(raw, "\x11\x22\x33\x44\x55\x66\x77\x88\0", 9);
	assert_int_equal(get_le64(raw), 0x8877665544332211ull);
	assert_int_equal(get_le32(raw + 1), 0x55443322u);
	assert_int_equal(get_le16(raw + 6), 0x8877u);
}

static void checksum_completes_to_zero(void **state)
{
	uint8_t raw[4] = { 200, 100, 7, 0 };

	(void)state;
	raw[3] = checksum_of(raw, sizeof(raw));
	assert_int_equal((uint8_t)(raw[0] + raw[1] + raw[2] + raw[3]), 0);
}

static void buffer_grows_and_keeps_what_it_has(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 10000; i++)
		bytes_u32(&b, i);
	assert_int_equal(b.error, 0);
	assert_int_equal(b.size, 40000);
	assert_int_equal(get_le32(b.at + 4L * 9999), 9999);
	bytes_insert(&b, 4, "abc", 3);
	assert_int_equal(b.size, 40003);
	assert_memory_equal(b.at, "\0\0\0\0abc\1\0\0\0", 11);
	assert_int_equal(get_le32(b.at + 3 + 4L * 9999), 9999);
	bytes_free(&b);
	assert_null(b.at);
}

static void errors_stick(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	bytes_u8(&b, 1);
	bytes_insert(&b, 2, "x", 1);
	assert_int_equal(b.error, -EINVAL);
	bytes_u8(&b, 2);
	bytes_fail(&b, -EIO);
	assert_int_equal(b.size, 1);
	assert_int_equal(b.error, -EINVAL);
	bytes_free(&b);
	bytes_zero(&b, SIZE_MAX);
	assert_int_equal(b.error, -E2BIG);
	bytes_free(&b);
	bytes_u8(&b, 1);
	bytes_zero(&b, SIZE_MAX);
	assert_int_equal(b.error, -E2BIG);
	bytes_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_are_little_endian),
		cmocka_unit_test(checksum_completes_to_zero),
		cmocka_unit_test(buffer_grows_and_keeps_what_it_has),
		cmocka_unit_test(errors_stick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
