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

/* Sanitizers make everything slow: guests do a small part of their work. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LITTLE 1
#else
#define LITTLE 0
#endif

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

/* @argument: what the guest is told, a measure of how much to do; 0 = all. */
static void run_guest(struct emu_machine *m, const char *name, uint32_t harts, uint64_t argument)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s.elf", EMU_GUEST_DIR, name);
	machine_create(m, path, harts, false);
	m->argument = argument;
	assert_int_equal(machine_run(m), 0);
}

static void passes(const char *name, uint32_t harts)
{
	struct emu_machine m;

	run_guest(&m, name, harts, LITTLE);
	machine_destroy(&m);
}

/* The line at which two texts part. */
static void compare(const char *is, const char *wanted)
{
	int line = 1;

	for (; *is && *is == *wanted; is++, wanted++)
		line += *is == '\n';
	if (*is)
		fail_msg("line %d differs, at \"%.40s\" where \"%.40s\" is wanted", line, is,
			wanted);
}

/* With an @argument the guest says less: what it says is how the other begins. */
static void says_as_expected(const char *name, uint64_t argument)
{
	struct emu_machine m;
	char path[4096], *wanted;

	(void)snprintf(path, sizeof(path), "%s/%s.expected", EMU_SOURCE_DIR, name);
	wanted = read_file(path);
	run_guest(&m, name, 1, argument);
	assert_non_null(m.said);
	compare(m.said, wanted);
	if (!argument)
		assert_int_equal(strlen(m.said), strlen(wanted));
	machine_destroy(&m);
	free(wanted);
}

static void integer_instructions_compute_what_others_compute(void **state)
{
	says_as_expected("isa", 0);
}

static void floating_point_computes_what_others_compute(void **state)
{
	says_as_expected("fp", LITTLE);
}

static void pages_are_translated_and_refused(void **state)
{
	passes("pages", 1);
}

static void what_is_illegal_traps_and_code_may_change(void **state)
{
	passes("rules", 1);
}

static void interrupts_come_when_they_may(void **state)
{
	passes("interrupts", 1);
}

static void harts_share_memory_and_heed_each_other(void **state)
{
	passes("harts", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integer_instructions_compute_what_others_compute),
		cmocka_unit_test(floating_point_computes_what_others_compute),
		cmocka_unit_test(pages_are_translated_and_refused),
		cmocka_unit_test(what_is_illegal_traps_and_code_may_change),
		cmocka_unit_test(interrupts_come_when_they_may),
		cmocka_unit_test(harts_share_memory_and_heed_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
