/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory, whatever it is made of here. */
#include "core/shared_memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE 1048576u

static int setup(void **state)
{
	static int fd;

	assert_int_equal(shared_memory_create("test", SIZE, &fd), 0);
	*state = &fd;
	return 0;
}

static int teardown(void **state)
{
	(void)close(*(int *)*state);
	return 0;
}

static unsigned char *map(int fd)
{
	unsigned char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static void two_mappings_show_the_same(void **state)
{
	const int fd = *(int *)*state;
	unsigned char *a = map(fd), *b = map(fd);

	assert_int_equal(b[SIZE - 1], 0);
	a[SIZE - 1] = 42;
	assert_int_equal(b[SIZE - 1], 42);
	(void)munmap(a, SIZE);
	(void)munmap(b, SIZE);
}

static void it_has_its_size_and_no_name(void **state)
{
	const int fd = *(int *)*state;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	assert_int_equal(st.st_nlink, 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void what_is_cleared_is_zero_and_the_rest_stays(void **state)
{
	const int fd = *(int *)*state;
	unsigned char *a = map(fd);

	memset(a, 7, SIZE);
	shared_memory_hide(a, SIZE);
	shared_memory_clear(fd, 65536, a + 65536, 65536);
	assert_int_equal(a[65535], 7);
	assert_int_equal(a[65536], 0);
	assert_int_equal(a[131071], 0);
	assert_int_equal(a[131072], 7);
	(void)munmap(a, SIZE);
}

static void each_is_another(void **state)
{
	const int fd = *(int *)*state;
	unsigned char *a = map(fd), *b;
	int other;

	assert_int_equal(shared_memory_create("test", SIZE, &other), 0);
	b = map(other);
	a[0] = 1;
	assert_int_equal(b[0], 0);
	(void)munmap(a, SIZE);
	(void)munmap(b, SIZE);
	(void)close(other);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(two_mappings_show_the_same),
		T(it_has_its_size_and_no_name),
		T(what_is_cleared_is_zero_and_the_rest_stays),
		T(each_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
