/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: their form, the levels, raw mode, whole lines from many threads, and the limit. */
#include "core/log.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Standard error goes into a file while a test runs. */
struct capture {
	FILE *file;
	int saved;
	char text[65536];
};

static struct capture capture;

static int begin(void **state)
{
	capture.file = tmpfile();
	assert_non_null(capture.file);
	capture.saved = dup(STDERR_FILENO);
	assert_true(dup2(fileno(capture.file), STDERR_FILENO) >= 0);
	return 0;
}

static const char *captured(void)
{
	ssize_t n = pread(fileno(capture.file), capture.text, sizeof(capture.text) - 1, 0);

	assert_true(n >= 0);
	capture.text[n] = '\0';
	return capture.text;
}

static int end(void **state)
{
	(void)dup2(capture.saved, STDERR_FILENO);
	(void)close(capture.saved);
	(void)fclose(capture.file);
	log_set_level(LOG_LEVEL_WARN);
	log_set_raw(false);
	return 0;
}

static void lines_have_one_form(void **state)
{
	errno = ENOENT;
	log_msg(LOG_LEVEL_ERR, "%s: %d", "disk0", 5);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(captured(), "tenon: disk0: 5\n");
}

static void levels_decide(void **state)
{
	log_msg(LOG_LEVEL_INFO, "quiet");
	log_set_level(LOG_LEVEL_INFO);
	log_msg(LOG_LEVEL_INFO, "said");
	log_msg(LOG_LEVEL_DEBUG, "quiet");
	assert_string_equal(captured(), "tenon: said\n");
}

static void raw_mode_returns_the_carriage(void **state)
{
	log_set_raw(true);
	log_msg(LOG_LEVEL_ERR, "a");
	log_set_raw(false);
	log_msg(LOG_LEVEL_ERR, "b");
	assert_string_equal(captured(), "tenon: a\r\ntenon: b\n");
}

static void controls_do_not_reach_the_terminal(void **state)
{
	log_msg(LOG_LEVEL_ERR, "a\x1b[2J\nb\x7f");
	assert_string_equal(captured(), "tenon: a?[2J?b?\n");
}

static void long_lines_are_cut(void **state)
{
	char longer[4000];
	size_t n;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	log_msg(LOG_LEVEL_ERR, "%s", longer);
	n = strlen(captured());
	assert_in_range(n, 1000, 1100);
	assert_string_equal(captured() + n - 5, "x...\n");
}

static void *write_lines(void *arg)
{
	for (int i = 0; i < 200; i++)
		log_msg(LOG_LEVEL_ERR, "%s", (const char *)arg);
	return NULL;
}

static void threads_write_whole_lines(void **state)
{
	static char aaaa[] = "aaaaaaaaaaaaaaaaaaaaaaaa", bbbb[] = "bbbbbbbbbbbbbbbbbbbbbbbb";
	pthread_t threads[2];
	char *line, *rest;
	int n = 0;

	assert_int_equal(pthread_create(&threads[0], NULL, write_lines, aaaa), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, write_lines, bbbb), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	(void)captured();
	rest = capture.text;
	while ((line = strsep(&rest, "\n")) && *line) {
		assert_true(strcmp(line, "tenon: aaaaaaaaaaaaaaaaaaaaaaaa") == 0 ||
			    strcmp(line, "tenon: bbbbbbbbbbbbbbbbbbbbbbbb") == 0);
		n++;
	}
	assert_int_equal(n, 400);
}

static void a_file_takes_the_lines(void **state)
{
	char path[] = "/tmp/tenon-log-XXXXXX", text[64] = "";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(log_open("/nowhere/log"), -ENOENT);
	assert_int_equal(log_open(path), 0);
	log_set_raw(true);
	log_msg(LOG_LEVEL_ERR, "kept");
	assert_int_equal(log_open(NULL), 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "tenon: kept\n");
	assert_string_equal(captured(), "");
	(void)close(fd);
	(void)unlink(path);
}

static void the_limit_counts_what_it_drops(void **state)
{
	struct log_limit limit = { 0 };
	uint32_t dropped = 99;

	for (unsigned int i = 0; i < LOG_LIMIT_BURST; i++) {
		assert_true(log_limit_allows(&limit, 100, &dropped));
		assert_int_equal(dropped, 0);
	}
	for (unsigned int i = 0; i < 7; i++)
		assert_false(log_limit_allows(&limit, 100 + LOG_LIMIT_SECONDS - 1, &dropped));
	assert_true(log_limit_allows(&limit, 100 + LOG_LIMIT_SECONDS, &dropped));
	assert_int_equal(dropped, 7);
	assert_true(log_limit_allows(&limit, 100 + LOG_LIMIT_SECONDS, &dropped));
	assert_int_equal(dropped, 0);
}

static void a_flood_is_a_handful_of_lines(void **state)
{
	static struct log_limit limit;
	int lines = 0;

	for (int i = 0; i < 10000; i++)
		log_limited(&limit, LOG_LEVEL_WARN, "bad ring");
	for (const char *at = captured(); (at = strchr(at, '\n')); at++)
		lines++;
	/* The clock may step into a next window while this runs. */
	assert_in_range(lines, LOG_LIMIT_BURST, 3 * LOG_LIMIT_BURST + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_have_one_form, begin, end),
		cmocka_unit_test_setup_teardown(levels_decide, begin, end),
		cmocka_unit_test_setup_teardown(raw_mode_returns_the_carriage, begin, end),
		cmocka_unit_test_setup_teardown(controls_do_not_reach_the_terminal, begin, end),
		cmocka_unit_test_setup_teardown(long_lines_are_cut, begin, end),
		cmocka_unit_test_setup_teardown(threads_write_whole_lines, begin, end),
		cmocka_unit_test_setup_teardown(a_file_takes_the_lines, begin, end),
		cmocka_unit_test_setup_teardown(the_limit_counts_what_it_drops, begin, end),
		cmocka_unit_test_setup_teardown(a_flood_is_a_handful_of_lines, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
