/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests of the emulator.  Each is a program that checks itself and leaves with 0, or says what
 * QEMU 7.2 said before (NAME.expected), with one line by hand: there, that QEMU takes the upper
 * word for zeros to count in CTZW.
 */
#include "tests/emu/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/guests/guest.h"

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text;
	long size;

	if (!f || fseek(f, 0, SEEK_END) < 0)
		fail_msg("cannot read %s", path);
	size = ftell(f);
	rewind(f);
	text = calloc(1, (size_t)size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)size, f), size);
	(void)fclose(f);
	return text;
}

static void run_guest(struct emu_machine *m, const char *name, uint32_t harts, bool deterministic)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s.elf", EMU_GUEST_DIR, name);
	machine_create(m, path, harts, deterministic);
	assert_int_equal(machine_run(m), 0);
}

static void passes(const char *name, uint32_t harts)
{
	struct emu_machine m;

	run_guest(&m, name, harts, false);
	machine_destroy(&m);
}

/* The line at which two texts part. */
static void compare(const char *is, const char *wanted)
{
	int line = 1;

	for (; *is && *is == *wanted; is++, wanted++)
		line += *is == '\n';
	if (*is != *wanted)
		fail_msg("line %d differs, at \"%.40s\" where \"%.40s\" is wanted", line, is,
			wanted);
}

static void says_as_expected(const char *name)
{
	struct emu_machine m;
	char path[4096], *wanted;

	(void)snprintf(path, sizeof(path), "%s/%s.expected", EMU_SOURCE_DIR, name);
	wanted = read_file(path);
	run_guest(&m, name, 1, false);
	compare(m.said ? m.said : "", wanted);
	machine_destroy(&m);
	free(wanted);
}

static void integer_instructions_compute_what_others_compute(void **state)
{
	says_as_expected("isa");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integer_instructions_compute_what_others_compute),
	};

	(void)passes;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
