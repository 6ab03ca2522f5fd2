/* SPDX-License-Identifier: Apache-2.0 */
/* Watching a file, whatever watches here. */
#include "watch.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char path[32];
	int file, watch;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .path = "watch-XXXXXX" };
	f.file = mkstemp(f.path);
	assert_true(f.file >= 0);
	assert_int_equal(ftruncate(f.file, 4096), 0);
	f.watch = watch_open(f.file);
	assert_true(f.watch >= 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)close(f->watch);
	(void)close(f->file);
	(void)unlink(f->path);
	return 0;
}

static int is_told(const struct fixture *f)
{
	struct pollfd p = { .fd = f->watch, .events = POLLIN };

	return poll(&p, 1, 0);
}

static void grow(const struct fixture *f, off_t size)
{
	int other = open(f->path, O_RDWR | O_CLOEXEC);

	assert_true(other >= 0);
	assert_int_equal(pwrite(other, "x", 1, size - 1), 1);
	(void)close(other);
}

static void a_file_that_grew_is_told_of_till_that_is_taken(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(is_told(f), 0);
	for (off_t size = 8192; size <= 65536; size *= 2) {
		grow(f, size);
		assert_int_equal(is_told(f), 1);
		watch_drain(f->watch);
		assert_int_equal(is_told(f), 0);
	}
}

static void what_the_guest_writes_is_not_told_of(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pwrite(f->file, "x", 1, 17), 1);
	watch_drain(f->watch);
	assert_int_equal(is_told(f), 0);
}

static void no_file_is_an_error(void **state)
{
	(void)state;
	assert_true(watch_open(-1) < 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_file_that_grew_is_told_of_till_that_is_taken),
		T(what_the_guest_writes_is_not_told_of),
		cmocka_unit_test(no_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
