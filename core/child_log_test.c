/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a device's process: put together, cut, cleaned, and limited in rate. */
#include "core/child_log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct child_log log;
	int theirs;
	char path[32];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int ends[2];

	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/child-log-XXXXXX");
	assert_true(close(mkstemp(f->path)) == 0);
	assert_int_equal(log_open(f->path), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	f->log.fd = ends[0];
	f->theirs = ends[1];
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(log_open(NULL), 0);
	(void)unlink(f->path);
	(void)close(f->log.fd);
	(void)close(f->theirs);
	free(f);
	return 0;
}

static void say(struct fixture *f, const char *text)
{
	assert_int_equal(write(f->theirs, text, strlen(text)), (ssize_t)strlen(text));
	child_log_read(&f->log);
}

static void expect_logged(struct fixture *f, const char *wanted)
{
	char text[4096];
	FILE *in = fopen(f->path, "re");
	size_t n;

	assert_non_null(in);
	n = fread(text, 1, sizeof(text) - 1, in);
	text[n] = '\0';
	(void)fclose(in);
	assert_string_equal(text, wanted);
}

static void a_line_is_logged_when_it_ends(void **state)
{
	struct fixture *f = *state;

	say(f, "tenon: disk0: the im");
	expect_logged(f, "");
	say(f, "age shrank\nanother");
	expect_logged(f, "tenon: disk0: the image shrank\n");
	assert_string_equal(f->log.last, "disk0: the image shrank");
	say(f, "\n\n");
	expect_logged(f, "tenon: disk0: the image shrank\ntenon: another\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	struct fixture *f = *state;

	say(f, "a\033[2Jb\x7f\r\n");
	expect_logged(f, "tenon: a?[2Jb?\n");
}

static void a_long_line_is_cut(void **state)
{
	struct fixture *f = *state;
	char text[2 * CHILD_LOG_LINE];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	say(f, text);
	say(f, "\n");
	assert_int_equal(strlen(f->log.last), CHILD_LOG_LINE - 1);
	say(f, "next\n");
	assert_string_equal(f->log.last, "next");
}

static void what_comes_before_it_is_ready_is_kept(void **state)
{
	struct fixture *f = *state;

	f->log.quiet = true;
	say(f, "tenon: cannot open it\n");
	assert_string_equal(f->log.last, "cannot open it");
	expect_logged(f, "");
}

static void a_flood_is_limited(void **state)
{
	struct fixture *f = *state;
	char text[4096];
	unsigned int lines = 0;
	FILE *in;

	for (int i = 0; i < 100; i++)
		say(f, "again and again\n");
	in = fopen(f->path, "re");
	assert_non_null(in);
	while (fgets(text, sizeof(text), in))
		lines++;
	(void)fclose(in);
	assert_in_range(lines, 1, 2 * LOG_LIMIT_BURST);
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		LOG_TEST(a_line_is_logged_when_it_ends),
		LOG_TEST(control_characters_do_not_reach_the_terminal),
		LOG_TEST(a_long_line_is_cut),
		LOG_TEST(what_comes_before_it_is_ready_is_kept),
		LOG_TEST(a_flood_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
