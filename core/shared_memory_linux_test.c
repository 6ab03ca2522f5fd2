/* SPDX-License-Identifier: Apache-2.0 */
/* What only memfds do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/shared_memory.h"

#define SIZE 65536

static void what_is_cleared_is_given_back(void **state)
{
	struct stat st;
	void *at;
	int fd;

	assert_int_equal(shared_memory_create("test", SIZE, &fd), 0);
	at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(at != MAP_FAILED);
	memset(at, 'x', SIZE);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_blocks * 512, SIZE);
	shared_memory_clear(fd, 0, at, SIZE / 2);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_blocks * 512, SIZE / 2);
	(void)munmap(at, SIZE);
	(void)close(fd);
}

static void nobody_changes_its_size(void **state)
{
	int fd;

	assert_int_equal(shared_memory_create("test", SIZE, &fd), 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, (off_t)2 * SIZE), -1);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_cleared_is_given_back),
		cmocka_unit_test(nobody_changes_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
