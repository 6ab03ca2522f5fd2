/* SPDX-License-Identifier: Apache-2.0 */
/* Writing device trees, read back through libfdt. */
#include "arch/dt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

static const uint8_t *property(const struct dt *dt, const char *path, const char *name, int *len)
{
	int node = fdt_path_offset(dt->blob, path);

	assert_true(node >= 0);
	return fdt_getprop(dt->blob, node, name, len);
}

static void every_kind_of_property_reads_back(void **state)
{
	const uint32_t cells[] = { 1, 0x80000002u, 3 };
	const uint64_t reg[] = { 0x1122334455667788u, 0x1000 };
	struct dt dt;
	size_t size;
	int len;

	assert_int_equal(dt_init(&dt), 0);
	dt_begin(&dt, "");
	dt_begin_at(&dt, "thing", 0xabc000);
	dt_empty(&dt, "flag");
	dt_u32(&dt, "one", 0x01020304);
	dt_u64(&dt, "long", 0x0102030405060708u);
	dt_cells(&dt, "cells", cells, 3);
	dt_u64s(&dt, "reg", reg, 2);
	dt_text(&dt, "text", "hello");
	dt_texts(&dt, "compatible", "a,b;c,d");
	dt_end(&dt);
	dt_end(&dt);
	assert_int_equal(dt_done(&dt, &size), 0);
	assert_int_equal(fdt_check_header(dt.blob), 0);
	assert_int_equal(size, fdt_totalsize(dt.blob));

	assert_non_null(property(&dt, "/thing@abc000", "flag", &len));
	assert_int_equal(len, 0);
	assert_memory_equal(property(&dt, "/thing@abc000", "one", &len), "\1\2\3\4", 4);
	assert_int_equal(len, 4);
	assert_memory_equal(property(&dt, "/thing@abc000", "long", &len), "\1\2\3\4\5\6\7\10", 8);
	assert_memory_equal(
		property(&dt, "/thing@abc000", "cells", &len), "\0\0\0\1\200\0\0\2\0\0\0\3", 12);
	assert_memory_equal(property(&dt, "/thing@abc000", "reg", &len),
		"\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\0\0\0\x10\0", 16);
	assert_int_equal(len, 16);
	assert_memory_equal(property(&dt, "/thing@abc000", "compatible", &len), "a,b\0c,d", 8);
	assert_int_equal(len, 8);
	dt_finish(&dt);
}

static void the_buffer_grows(void **state)
{
	char text[4000];
	struct dt dt;
	size_t size;
	int len;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(dt_init(&dt), 0);
	dt_begin(&dt, "");
	for (uint64_t i = 0; i < 100; i++) {
		dt_begin_at(&dt, "node", i);
		dt_text(&dt, "text", text);
		dt_end(&dt);
	}
	dt_end(&dt);
	assert_int_equal(dt_done(&dt, &size), 0);
	assert_true(size > 400000);
	for (uint64_t i = 0; i < 100; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/node@%llx", (unsigned long long)i);
		assert_string_equal((const char *)property(&dt, path, "text", &len), text);
	}
	dt_finish(&dt);
}

static void too_long_is_refused(void **state)
{
	static const char huge[DT_MAX];
	struct dt dt;
	size_t size = 7;

	assert_int_equal(dt_init(&dt), 0);
	dt_begin(&dt, "");
	dt_bytes(&dt, "huge", huge, sizeof(huge));
	dt_end(&dt);
	assert_int_equal(dt_done(&dt, &size), -E2BIG);
	dt_u32(&dt, "more", 1); /* dropped */
	assert_int_equal(dt.error, -E2BIG);
	assert_int_equal(size, 7);
	dt_finish(&dt);
	dt_finish(&dt);
}

static void a_mistake_of_the_writer_is_told(void **state)
{
	char name[200];
	struct dt dt;
	size_t size;

	assert_int_equal(dt_init(&dt), 0);
	dt_begin(&dt, "");
	dt_end(&dt);
	assert_int_equal(dt_done(&dt, &size), 0);
	dt_begin(&dt, "too-late");
	assert_int_equal(dt.error, -EINVAL);
	dt_finish(&dt);

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(dt_init(&dt), 0);
	dt_begin_at(&dt, name, 1);
	assert_int_equal(dt_done(&dt, &size), -EINVAL);
	dt_finish(&dt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_property_reads_back),
		cmocka_unit_test(the_buffer_grows),
		cmocka_unit_test(too_long_is_refused),
		cmocka_unit_test(a_mistake_of_the_writer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
