/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings over shared memory: what is seen, what is refused, and that nothing else can be covered.
 */
#include "core/guest_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/guest_memory.h"

#define PAGE 4096ull

struct fixture {
	struct guest_memory *gm;
	struct guest_region shm;
	int file;
};

static int set_up(void **state)
{
	char name[] = "overlay-XXXXXX";
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->gm = guest_memory_create();
	assert_non_null(f->gm);
	assert_int_equal(guest_memory_add(f->gm, 0, 8 * PAGE, GUEST_RAM, false, NULL), 0);
	assert_int_equal(guest_memory_add(f->gm, 64 * PAGE, 8 * PAGE, GUEST_SHM, false, NULL), 0);
	f->shm = *guest_memory_region(f->gm, 1);
	f->file = mkstemp(name);
	assert_true(f->file >= 0);
	(void)unlink(name);
	assert_int_equal(ftruncate(f->file, 2 * PAGE), 0);
	assert_int_equal(pwrite(f->file, "one", 4, 0), 4);
	assert_int_equal(pwrite(f->file, "two", 4, PAGE), 4);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	guest_memory_destroy(f->gm);
	(void)close(f->file);
	free(f);
	return 0;
}

static void a_file_is_seen_through_guest_addresses(void **state)
{
	struct fixture *f = *state;
	char text[4] = "";

	assert_int_equal(guest_overlay_map(&f->shm, 3 * PAGE, f->file, PAGE, PAGE, true), 0);
	assert_int_equal(guest_memory_read(f->gm, 67 * PAGE, text, 4), 0);
	assert_string_equal(text, "two");
	assert_int_equal(guest_memory_write(f->gm, 67 * PAGE, "new", 4), 0);
	assert_int_equal(pread(f->file, text, 4, PAGE), 4);
	assert_string_equal(text, "new");
	assert_int_equal(f->shm.host[4 * PAGE], 0);
}

static void a_copy_does_not_reach_the_file(void **state)
{
	struct fixture *f = *state;
	char text[4] = "";

	assert_int_equal(guest_overlay_map(&f->shm, 0, f->file, 0, 2 * PAGE, false), 0);
	memcpy(f->shm.host, "new", 4);
	assert_int_equal(pread(f->file, text, 4, 0), 4);
	assert_string_equal(text, "one");
}

static void what_was_there_before_is_gone(void **state)
{
	struct fixture *f = *state;

	memset(f->shm.host, 'x', 8 * PAGE);
	assert_int_equal(guest_overlay_map(&f->shm, PAGE, f->file, 0, PAGE, true), 0);
	assert_int_equal(guest_overlay_unmap(&f->shm, 0, 8 * PAGE), 0);
	for (size_t i = 0; i < 8 * PAGE; i++)
		assert_int_equal(f->shm.host[i], 0);
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
	static const struct {
		uint64_t offset, fd_offset, size;
		int ret;
	} cases[] = {
		{ 0, 0, 0, -EINVAL },
		{ 1, 0, PAGE, -EINVAL },
		{ 0, 1, PAGE, -EINVAL },
		{ 0, 0, PAGE + 1, -EINVAL },
		{ 8 * PAGE, 0, PAGE, -EINVAL },
		{ 7 * PAGE, 0, 2 * PAGE, -EINVAL },
		{ PAGE, 0, UINT64_MAX - PAGE + 1, -EINVAL },
		{ UINT64_MAX - PAGE + 1, 0, PAGE, -EINVAL },
		{ 0, UINT64_MAX - PAGE + 1, PAGE, -EINVAL },
		{ 0, 0, 3 * PAGE, -ERANGE },
		{ 0, 2 * PAGE, PAGE, -ERANGE },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(guest_overlay_map(&f->shm, cases[i].offset, f->file,
					 cases[i].fd_offset, cases[i].size, true),
			cases[i].ret);
	assert_int_equal(guest_overlay_map(&f->shm, 0, -1, 0, PAGE, true), -EBADF);
	assert_int_equal(guest_overlay_unmap(&f->shm, 7 * PAGE, 2 * PAGE), -EINVAL);
	assert_int_equal(guest_overlay_unmap(&f->shm, 0, 1), -EINVAL);
	assert_int_equal(f->shm.host[0], 0);
}

static void ram_is_not_covered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		guest_overlay_map(guest_memory_region(f->gm, 0), 0, f->file, 0, PAGE, true),
		-EINVAL);
	assert_int_equal(guest_overlay_unmap(guest_memory_region(f->gm, 0), 0, PAGE), -EINVAL);
}

int main(void)
{
#define OVERLAY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		OVERLAY_TEST(a_file_is_seen_through_guest_addresses),
		OVERLAY_TEST(a_copy_does_not_reach_the_file),
		OVERLAY_TEST(what_was_there_before_is_gone),
		OVERLAY_TEST(numbers_that_do_not_fit_are_refused),
		OVERLAY_TEST(ram_is_not_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
