/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read; what is missing, wrong, damaged or nested too deeply is said so. */
#include "sdk/state/state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* last: it has a macro named fail */

static const struct tenon_state *const state = &state_service;

#define NEED(tag) (TENON_STATE_NEED | (tag))

static struct tenon_state_w w;
static struct tenon_state_r r;

static int begin(void **unused)
{
	(void)unused;
	return state_write_begin(&w);
}

static int finish(void **unused)
{
	(void)unused;
	state_write_free(&w);
	return 0;
}

static void read_it(void)
{
	assert_int_equal(state_write_end(&w), 0);
	assert_int_equal(state_read_begin(&r, w.bytes, w.size), 0);
}

static void numbers_bytes_and_texts(void **unused)
{
	uint8_t u8 = 0, bytes[4] = { 0 };
	uint16_t u16 = 0;
	uint32_t u32 = 0, size = 9;
	uint64_t u64 = 0;
	char text[8];

	(void)unused;
	(void)state->put_string(&w, 7, "tenon");
	(void)state->put_u64(&w, 4, 0x1122334455667788);
	(void)state->put_bytes(&w, 5, "abc", 3);
	(void)state->put_u8(&w, 1, 0xff);
	(void)state->put_u16(&w, 2, 0x1234);
	(void)state->put_bytes(&w, 6, NULL, 0);
	assert_int_equal(state->put_u32(&w, 0xffff, 0xdeadbeef), 0);
	read_it();
	/* In any order. */
	(void)state->get_u32(&r, NEED(0xffff), &u32);
	(void)state->get_u8(&r, NEED(1), &u8);
	(void)state->get_u16(&r, NEED(2), &u16);
	(void)state->get_u64(&r, NEED(4), &u64);
	(void)state->get_bytes(&r, NEED(6), bytes, 4, &size);
	assert_int_equal(size, 0);
	(void)state->get_bytes(&r, NEED(5), bytes, 3, NULL);
	assert_int_equal(state->get_string(&r, NEED(7), text, sizeof(text)), 0);
	assert_int_equal(u8, 0xff);
	assert_int_equal(u16, 0x1234);
	assert_int_equal(u32, 0xdeadbeef);
	assert_true(u64 == 0x1122334455667788);
	assert_memory_equal(bytes, "abc", 4);
	assert_string_equal(text, "tenon");
}

static void the_bytes_are_the_same_everywhere(void **unused)
{
	static const uint8_t expected[] = { 't', 'e', 'n', 'o', 'n', 's', 't', '\n', 1, 0, 0, 0, 0,
		0, 0, 0, 5, 0, 7, 0, 18, 0, 0, 0, 2, 1, 0, 0, 3, 'r', 'i', 'g', 3, 2, 2, 0, 2, 0, 0,
		0, 0xcd, 0xab };

	(void)unused;
	(void)state->begin(&w, 5, "rig", 0x102);
	(void)state->put_u16(&w, 0x203, 0xabcd);
	(void)state->end(&w);
	assert_int_equal(state_write_end(&w), 0);
	assert_int_equal(w.size, sizeof(expected));
	assert_memory_equal(w.bytes, expected, sizeof(expected));
}

static void what_is_missing_is_the_default(void **unused)
{
	uint32_t value = 7;

	(void)unused;
	read_it();
	assert_int_equal(state->get_u32(&r, 3, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(state->has(&r, 3), 0);
	assert_int_equal(state->get_u32(&r, NEED(3), &value), -ENODATA);
	assert_int_equal(value, 7);
	assert_string_equal(r.why, "state: tag 3 is missing");
}

static void the_first_error_stays(void **unused)
{
	uint8_t value = 5;

	(void)unused;
	(void)state->put_u8(&w, 1, 1);
	read_it();
	assert_int_equal(state->get_u8(&r, NEED(2), &value), -ENODATA);
	assert_int_equal(state->get_u8(&r, NEED(1), &value), -ENODATA);
	assert_int_equal(state->has(&r, 1), -ENODATA);
	assert_int_equal(value, 5);
	assert_string_equal(r.why, "state: tag 2 is missing");
}

static void what_is_not_known_is_passed_over(void **unused)
{
	uint8_t value = 0;
	uint32_t version = 9;

	(void)unused;
	(void)state->put_bytes(&w, 9, "from a later version", 20);
	(void)state->begin(&w, 8, "later", 77);
	(void)state->end(&w);
	(void)state->put_u8(&w, 1, 3);
	read_it();
	assert_int_equal(state->get_u8(&r, NEED(1), &value), 0);
	assert_int_equal(value, 3);
	assert_int_equal(state->enter(&r, 7, "none", 1, &version), 0);
	assert_int_equal(version, 9);
}

static void other_types_are_refused(void **unused)
{
	uint16_t value = 0;

	(void)unused;
	(void)state->put_u32(&w, 1, 1);
	read_it();
	assert_int_equal(state->get_u16(&r, 1, &value), -EPROTO);
	assert_string_equal(r.why, "state: tag 1 is u32; wanted u16");
}

static void other_lengths_are_refused(void **unused)
{
	char to[4];
	uint32_t n;

	(void)unused;
	(void)state->put_bytes(&w, 1, "12345", 5);
	(void)state->put_string(&w, 2, "1234");
	(void)state->put_string(&w, 3, "a");
	read_it();
	assert_int_equal(state->get_bytes(&r, 1, to, 4, &n), -EMSGSIZE);
	assert_string_equal(r.why, "state: tag 1 has 5 bytes; wanted at most 4");
	read_it();
	assert_int_equal(state->get_bytes(&r, 1, to, 4, NULL), -EPROTO);
	assert_string_equal(r.why, "state: tag 1 has 5 bytes; wanted 4");
	read_it();
	assert_int_equal(state->get_string(&r, 2, to, 4), -EMSGSIZE);
	assert_string_equal(r.why, "state: tag 2 is a text of 4 bytes; wanted less than 4");
	w.bytes[w.size - 1] = '\0';
	read_it();
	assert_int_equal(state->get_string(&r, 3, to, 4), -EPROTO);
	assert_string_equal(r.why, "state: tag 3 is a text with a NUL inside");
}

static void a_number_of_another_length_is_refused(void **unused)
{
	static const uint8_t bytes[] = "tenonst\n\1\0\0\0\0\0\0\0\1\0\3\0\2\0\0\0\1\1";
	uint32_t value;

	(void)unused;
	assert_int_equal(state_read_begin(&r, bytes, sizeof(bytes) - 1), 0);
	assert_int_equal(state->get_u32(&r, 1, &value), -EPROTO);
	assert_string_equal(r.why, "state: tag 1, u32, has 2 bytes; wanted 4");
}

static void sections_have_names_and_versions(void **unused)
{
	uint32_t version = 0;
	uint8_t value = 0;

	(void)unused;
	(void)state->begin(&w, 1, "outer", 3);
	(void)state->put_u8(&w, 1, 1);
	(void)state->begin(&w, 2, "inner", 0);
	(void)state->put_u8(&w, 1, 2);
	(void)state->end(&w);
	(void)state->put_u8(&w, 3, 4);
	(void)state->end(&w);
	read_it();
	assert_int_equal(state->enter(&r, 1, "outer", 3, &version), 1);
	assert_int_equal(version, 3);
	assert_int_equal(state->enter(&r, 2, "inner", 0, &version), 1);
	(void)state->get_u8(&r, NEED(1), &value);
	assert_int_equal(value, 2);
	assert_int_equal(state->has(&r, 3), 0);
	assert_int_equal(state->leave(&r), 0);
	assert_int_equal(state->get_u8(&r, NEED(3), &value), 0);
	assert_int_equal(value, 4);
	assert_int_equal(state->leave(&r), 0);
	assert_int_equal(state->enter(&r, 1, "other", 3, &version), -EPROTO);
	assert_string_equal(r.why, "state: tag 1 is section \"outer\"; wanted \"other\"");
	read_it();
	assert_int_equal(state->enter(&r, 1, "outer", 2, &version), -ENOTSUP);
	assert_string_equal(r.why, "section \"outer\" is of version 3, which is newer than 2, the "
				   "newest that is known here");
}

static void depth_is_bounded(void **unused)
{
	uint32_t version;

	(void)unused;
	for (unsigned i = 0; i < STATE_DEPTH; i++)
		assert_int_equal(state->begin(&w, 1, "s", 0), 0);
	assert_int_equal(state->begin(&w, 1, "s", 0), -E2BIG);
	finish(NULL);
	(void)begin(NULL);
	/* By hand, one within the other. */
	for (unsigned i = 0; i < STATE_DEPTH + 1; i++) {
		w.depth = 0;
		(void)state->begin(&w, 1, "s", 0);
	}
	for (unsigned i = 0; i < STATE_DEPTH + 1; i++) {
		size_t rest = w.size - STATE_HEADER - (size_t)i * 14 - STATE_VALUE;

		w.bytes[STATE_HEADER + i * 14 + 4] = (uint8_t)rest;
	}
	w.depth = 0;
	read_it();
	for (unsigned i = 0; i < STATE_DEPTH; i++)
		assert_int_equal(state->enter(&r, 1, "s", 0, &version), 1);
	assert_int_equal(state->enter(&r, 1, "s", 0, &version), -E2BIG);
	assert_string_equal(r.why, "s: sections are nested too deeply");
}

static void misuse_is_refused(void **unused)
{
	char name[TENON_STATE_MAX_NAME + 2];

	(void)unused;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(state->put_u8(&w, 0x10000, 0), -EINVAL);
	finish(NULL);
	(void)begin(NULL);
	assert_int_equal(state->end(&w), -EINVAL);
	finish(NULL);
	(void)begin(NULL);
	assert_int_equal(state->begin(&w, 1, name, 0), -EINVAL);
	finish(NULL);
	(void)begin(NULL);
	(void)state->begin(&w, 1, "open", 0);
	assert_int_equal(state_write_end(&w), -EINVAL);
	finish(NULL);
	(void)begin(NULL);
	(void)state->begin(&w, 1, "twice", 0);
	(void)state->put_u8(&w, 4, 0);
	(void)state->put_u8(&w, 4, 0);
	assert_int_equal(state->end(&w), -EINVAL);
	assert_string_equal(w.why, "tag 4 is saved twice");
	finish(NULL);
	(void)begin(NULL);
	read_it();
	assert_int_equal(state->leave(&r), -EINVAL);
}

static void too_much_is_refused(void **unused)
{
	static const uint8_t chunk[1 << 20];
	unsigned n = 0;

	(void)unused;
	while (state->put_bytes(&w, n + 1, chunk, sizeof(chunk)) == 0)
		n++;
	assert_int_equal(n, 63);
	assert_int_equal(w.error, -E2BIG);
	assert_string_equal(w.why, "there is more to save than 64 MiB");
}

static void refused(const char *bytes, size_t size, int error, const char *why)
{
	char *copy = malloc(size ? size : 1); /* of that size, for the sanitizer */

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	assert_int_equal(state_read_begin(&r, copy, size), error);
	assert_string_equal(r.why, why);
	free(copy);
}

#define HEADER "tenonst\n\1\0\0\0\0\0\0\0"

static void damage_is_refused(void **unused)
{
	(void)unused;
	refused("", 0, -EPROTO, "this is not the saved state of devices");
	refused("tenonst\r\1\0\0\0\0\0\0\0", 16, -EPROTO, "this is not the saved state of devices");
	refused("tenonst\n\2\0\0\0\0\0\0\0", 16, -ENOTSUP, "its format is version 2; wanted 1");
	refused("tenonst\n\1\0\0\0\1\0\0\0", 16, -EPROTO, "its header has bits that are not known");
	refused(HEADER "\1\0\1\0\1\0\0", 23, -EPROTO,
		"state: what stands at byte 16 is cut off or longer than what holds it");
	refused(HEADER "\1\0\1\0\2\0\0\0\7", 25, -EPROTO,
		"state: what stands at byte 16 is cut off or longer than what holds it");
	refused(HEADER "\1\0\1\0\377\377\377\377\7", 25, -EPROTO,
		"state: what stands at byte 16 is cut off or longer than what holds it");
	refused(HEADER "\1\0\1\0\1\0\0\0\7\1\0\1\0\1\0\0\0\7", 34, -EPROTO,
		"state: tag 1 comes twice");
	/* A section without room for its head, and one whose name is longer than it. */
	refused(HEADER "\1\0\7\0\4\0\0\0\0\0\0\0", 28, -EPROTO,
		"state: what stands at byte 16 is cut off or longer than what holds it");
	refused(HEADER "\1\0\7\0\6\0\0\0\0\0\0\0\2a", 30, -EPROTO,
		"state: what stands at byte 16 is cut off or longer than what holds it");
}

static void damage_within_a_section_is_found_on_entering(void **unused)
{
	static const char bytes[] = HEADER "\1\0\7\0\x0a\0\0\0\0\0\0\0\1a\1\0\1\0";
	uint32_t version;

	(void)unused;
	assert_int_equal(state_read_begin(&r, bytes, sizeof(bytes) - 1), 0);
	assert_int_equal(state->enter(&r, 1, "a", 0, &version), -EPROTO);
	assert_string_equal(
		r.why, "a: what stands at byte 30 is cut off or longer than what holds it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_bytes_and_texts, begin, finish),
		cmocka_unit_test_setup_teardown(the_bytes_are_the_same_everywhere, begin, finish),
		cmocka_unit_test_setup_teardown(what_is_missing_is_the_default, begin, finish),
		cmocka_unit_test_setup_teardown(the_first_error_stays, begin, finish),
		cmocka_unit_test_setup_teardown(what_is_not_known_is_passed_over, begin, finish),
		cmocka_unit_test_setup_teardown(other_types_are_refused, begin, finish),
		cmocka_unit_test_setup_teardown(other_lengths_are_refused, begin, finish),
		cmocka_unit_test(a_number_of_another_length_is_refused),
		cmocka_unit_test_setup_teardown(sections_have_names_and_versions, begin, finish),
		cmocka_unit_test_setup_teardown(depth_is_bounded, begin, finish),
		cmocka_unit_test_setup_teardown(misuse_is_refused, begin, finish),
		cmocka_unit_test_setup_teardown(too_much_is_refused, begin, finish),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(damage_within_a_section_is_found_on_entering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
