/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notes of Mach-O modules: of one that a compiler made for arm64, whose file is only told to be
 * a module (argument 1), and of that file with every kind of lie in it.
 */
#include "core/module.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MOST     65536u
#define FILETYPE 12u
#define COMMANDS 16u
#define FIRST    32u /* command: its segment, with all sections */

static const char *object;

struct fixture {
	char path[32];
	unsigned char bytes[MOST];
	size_t size;
};

static int setup(void **state)
{
	static struct fixture f;
	int fd = open(object, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, f.bytes, sizeof(f.bytes));
	assert_in_range(n, 256, MOST - 1);
	(void)close(fd);
	f.size = (size_t)n;
	f.bytes[FILETYPE] = 8; /* a bundle */
	memcpy(f.path, "note-XXXXXX", 12);
	fd = mkstemp(f.path);
	assert_true(fd >= 0);
	(void)close(fd);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	return 0;
}

static int note_of(const struct fixture *f, struct tenon_note *ret_note)
{
	FILE *out = fopen(f->path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(f->bytes, 1, f->size, out), f->size);
	assert_int_equal(fclose(out), 0);
	return module_read_note(f->path, ret_note);
}

static void put(struct fixture *f, size_t at, uint32_t value)
{
	memcpy(f->bytes + at, &value, sizeof(value));
}

static void a_compiled_note_is_read(void **state)
{
	struct tenon_note note;

	assert_int_equal(note_of(*state, &note), 0);
	assert_int_equal(note.abi_major, TENON_ABI_MAJOR);
	assert_string_equal(note.id, "org.example.note");
	assert_string_equal(note.version, "1.2");
	assert_string_equal(note.classes, "one two");
}

static void other_files_have_none(void **state)
{
	struct fixture *f = *state;
	struct tenon_note note;

	f->bytes[FILETYPE] = 1; /* an object */
	assert_int_equal(note_of(f, &note), -ENOENT);
	f->bytes[FILETYPE] = 8;
	f->bytes[0] ^= 1;
	assert_int_equal(note_of(f, &note), -ENOENT);
	f->bytes[0] ^= 1;
	f->bytes[4] = 7; /* another CPU */
	assert_int_equal(note_of(f, &note), -ESRCH);
	f->size = 20;
	assert_int_equal(note_of(f, &note), -ENOENT);
}

static void a_part_that_is_missing_is_seen(void **state)
{
	struct fixture *f = *state;
	struct tenon_note note;

	put(f, FIRST + 48 + 4, 1); /* the segment's bytes in the file */
	assert_int_equal(note_of(f, &note), -ENODATA);
	put(f, FIRST + 40, UINT32_MAX); /* where they are: the sum overflows */
	put(f, FIRST + 44, UINT32_MAX);
	assert_int_equal(note_of(f, &note), -ENODATA);
}

static void numbers_that_cannot_be_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
	} lies[] = {
		{ COMMANDS, UINT32_MAX },
		{ COMMANDS, 0 },
		{ FIRST + 4, 0 },
		{ FIRST + 4, 16 },
		{ FIRST + 4, UINT32_MAX },
		{ FIRST + 64, UINT32_MAX }, /* sections */
		{ FIRST + 64, 0 },
	};
	struct fixture *f = *state;
	struct tenon_note note;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint32_t was;

		memcpy(&was, f->bytes + lies[i].at, sizeof(was));
		put(f, lies[i].at, lies[i].value);
		assert_int_equal(note_of(f, &note), -ENOENT);
		put(f, lies[i].at, was);
	}
	assert_int_equal(note_of(f, &note), 0);
}

static void every_byte_may_be_anything(void **state)
{
	struct fixture *f = *state;
	struct tenon_note note;

	for (size_t at = 0; at < 512; at++) {
		const unsigned char was = f->bytes[at];

		f->bytes[at] = 0xff;
		assert_in_range(-note_of(f, &note), 0, ENODATA);
		f->bytes[at] = was;
	}
	for (; f->size > 0; f->size -= f->size < 16 ? f->size : 16)
		assert_in_range(-note_of(f, &note), 0, ENODATA);
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_compiled_note_is_read),
		T(other_files_have_none),
		T(a_part_that_is_missing_is_seen),
		T(numbers_that_cannot_be_are_refused),
		T(every_byte_may_be_anything),
	};

	if (argc != 2)
		return 2;
	object = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
