/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: what a program gets, what is told of its death, when it is started anew, and that
 * nothing is left.  The programs are this test itself, called with words of its own.
 */
#include "core/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT_MS 20000

/* ---- what the programs do ---- */

static int number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

static int program_main(int argc, char *argv[])
{
	const char *what = argv[1];

	if (strcmp(what, "exit") == 0)
		return number(argv[2]);
	if (strcmp(what, "crash") == 0)
		(void)kill(getpid(), SIGKILL);
	if (strcmp(what, "say") == 0) { /* FD TEXT: that it runs, then till it is ended */
		(void)!write(number(argv[2]), argv[3], strlen(argv[3]));
		(void)pause();
	}
	if (strcmp(what, "gate") == 0) { /* FD: till nobody holds the other end, then it dies */
		char byte;

		return read(number(argv[2]), &byte, 1) == 0 ? 1 : 2;
	}
	if (strcmp(what, "stubborn") == 0) {
		(void)signal(SIGTERM, SIG_IGN);
		(void)!write(number(argv[2]), "s", 1);
		for (;;)
			(void)pause();
	}
	if (strcmp(what, "fds") == 0) { /* which of the first 64 are open, and its session */
		char text[128];
		int n = snprintf(text, sizeof(text), "%d:", getsid(0) == getpid());

		for (int fd = 0; fd < 64; fd++)
			if (fcntl(fd, F_GETFD) >= 0)
				n += snprintf(text + n, sizeof(text) - (size_t)n, " %d", fd);
		(void)!write(1, text, (size_t)n);
		return 0;
	}
	return argc;
}

/* ---- the other end ---- */

struct fixture {
	struct keeper *keeper;
	int null, pipe[2];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(f->null >= 0);
	assert_int_equal(pipe2(f->pipe, O_CLOEXEC), 0);
	assert_int_equal(keeper_create(3, &f->keeper), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	keeper_destroy(f->keeper);
	(void)close(f->null);
	(void)close(f->pipe[0]);
	(void)close(f->pipe[1]);
	free(f);
	return 0;
}

/* The program's descriptor 3 is the pipe's writing end. */
static int start(struct fixture *f, uint32_t id, const char *const *argv)
{
	const struct keeper_program p = { .id = id,
		.argv = argv,
		.stdio = { f->null, f->pipe[1], STDERR_FILENO },
		.first_fd = 3,
		.fds = &f->pipe[1],
		.n_fds = 1 };

	return keeper_start(f->keeper, &p);
}

static struct keeper_news next_news(struct fixture *f)
{
	struct pollfd wait = { .fd = keeper_fd(f->keeper), .events = POLLIN };
	struct keeper_news news;

	assert_int_equal(poll(&wait, 1, LIMIT_MS), 1);
	assert_int_equal(keeper_next(f->keeper, &news), 1);
	return news;
}

static void expect_text(struct fixture *f, const char *text)
{
	struct pollfd wait = { .fd = f->pipe[0], .events = POLLIN };
	char got[128] = "";

	assert_int_equal(poll(&wait, 1, LIMIT_MS), 1);
	assert_true(read(f->pipe[0], got, sizeof(got) - 1) > 0);
	assert_string_equal(got, text);
}

static void tells_how_a_program_ended(void **state)
{
	static const char *const ends[] = { "tenon", "exit", "3", NULL };
	static const char *const crashes[] = { "tenon", "crash", NULL };
	struct fixture *f = *state;
	struct keeper_news news;

	assert_int_equal(start(f, 7, ends), 0);
	news = next_news(f);
	assert_int_equal(news.id, 7);
	assert_true(WIFEXITED(news.status) && WEXITSTATUS(news.status) == 3);
	assert_false(news.again); /* the VM is still being built: whoever builds it decides */
	assert_int_equal(start(f, 8, crashes), 0);
	news = next_news(f);
	assert_int_equal(news.id, 8);
	assert_true(WIFSIGNALED(news.status) && WTERMSIG(news.status) == SIGKILL);
	assert_int_equal(keeper_next(f->keeper, &news), 0);
}

static void starts_anew_later_and_later_and_gives_up(void **state)
{
	static const char *const argv[] = { "tenon", "gate", "3", NULL };
	struct fixture *f = *state;
	struct keeper_program p = { .id = 5,
		.argv = argv,
		.stdio = { f->null, f->null, STDERR_FILENO },
		.first_fd = 3,
		.n_fds = 1 };
	int gate[2];

	/* It does not die before the seal. */
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	p.fds = &gate[0];
	assert_int_equal(keeper_start(f->keeper, &p), 0);
	assert_int_equal(keeper_seal(f->keeper), 0);
	(void)close(gate[1]);
	for (uint32_t i = 0; i < 3; i++) {
		struct keeper_news news = next_news(f);

		assert_true(news.again);
		assert_int_equal(WEXITSTATUS(news.status), 1);
		assert_int_equal(news.delay_ms, KEEPER_DELAY_MIN_MS << i);
	}
	assert_false(next_news(f).again); /* three times were allowed */
	(void)close(gate[0]);
}

static void takes_no_program_after_the_seal(void **state)
{
	static const char *const argv[] = { "tenon", "say", "3", "x", NULL };
	struct fixture *f = *state;

	assert_int_equal(keeper_seal(f->keeper), 0);
	assert_int_equal(start(f, 1, argv), 0);
	assert_int_equal(WEXITSTATUS(next_news(f).status), 127);
}

static void hands_over_these_descriptors_and_no_others(void **state)
{
	static const char *const argv[] = { "tenon", "fds", NULL };
	struct fixture *f = *state;
	int kept = fcntl(f->null, F_DUPFD, 20), lost = fcntl(f->null, F_DUPFD, 24);
	struct keeper *keeper;
	const int fds[] = { f->null, f->null };

	/* Forked now, so that it has the two. */
	assert_int_equal(keeper_create(0, &keeper), 0);
	{
		const struct keeper_program p = { .id = 0,
			.argv = argv,
			.stdio = { f->null, f->pipe[1], f->null },
			.first_fd = kept + 10,
			.fds = fds,
			.n_fds = 2,
			.keep = &kept,
			.n_keep = 1 };
		char text[64];

		assert_int_equal(keeper_start(keeper, &p), 0);
		(void)snprintf(text, sizeof(text), "1: 0 1 2 %d %d %d", kept, kept + 10, kept + 11);
		expect_text(f, text);
	}
	keeper_destroy(keeper);
	(void)close(kept);
	(void)close(lost);
}

static bool all_ended(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&wait, 1, LIMIT_MS) == 1 && read(fd, &byte, 1) == 0;
}

static void ends_what_it_started(void **state)
{
	static const char *const willing[] = { "tenon", "say", "3", "x", NULL };
	static const char *const stubborn[] = { "tenon", "stubborn", "3", NULL };
	struct fixture *f = *state;

	assert_int_equal(start(f, 0, willing), 0);
	expect_text(f, "x");
	assert_int_equal(start(f, 1, stubborn), 0);
	expect_text(f, "s");
	(void)close(f->pipe[1]);
	f->pipe[1] = -1;
	keeper_destroy(f->keeper);
	f->keeper = NULL;
	assert_true(all_ended(f->pipe[0]));
}

/* Of the deaths of several one signal may tell: none is waited for that has come. */
static void ends_at_once_with_the_last_of_them(void **state)
{
	static const char *const willing[] = { "tenon", "say", "3", "x", NULL };
	struct fixture *f = *state;
	struct timespec began, ended;

	for (uint32_t round = 0; round < 5; round++) {
		for (uint32_t id = 0; id < 8; id++) {
			assert_int_equal(start(f, id, willing), 0);
			expect_text(f, "x");
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &began);
		keeper_destroy(f->keeper);
		f->keeper = NULL;
		(void)clock_gettime(CLOCK_MONOTONIC, &ended);
		assert_true((ended.tv_sec - began.tv_sec) * 1000 +
				    (ended.tv_nsec - began.tv_nsec) / 1000000 <
			    (long)KEEPER_END_MS);
		assert_int_equal(keeper_create(3, &f->keeper), 0);
	}
}

/* The VM's process is killed: neither the keeper nor what it started outlives it. */
static void nothing_outlives_the_vm(void **state)
{
	static const char *const argv[] = { "tenon", "say", "3", "x", NULL };
	struct fixture *f = *state;
	pid_t vm = fork();

	assert_true(vm >= 0);
	if (vm == 0) {
		struct fixture mine = *f;

		if (keeper_create(1, &mine.keeper) < 0 || start(&mine, 0, argv) < 0)
			_exit(1);
		for (;;)
			(void)pause();
	}
	expect_text(f, "x");
	assert_int_equal(kill(vm, SIGKILL), 0);
	assert_int_equal(waitpid(vm, NULL, 0), vm);
	keeper_destroy(f->keeper);
	f->keeper = NULL;
	(void)close(f->pipe[1]);
	f->pipe[1] = -1;
	assert_true(all_ended(f->pipe[0]));
}

static void refuses_what_does_not_fit(void **state)
{
	static char huge[KEEPER_MAX_MESSAGE];
	const char *const argv[] = { "tenon", huge, NULL };
	struct fixture *f = *state;
	const struct keeper_program p = { .id = KEEPER_MAX_PROGRAMS, .argv = argv };

	memset(huge, 'x', sizeof(huge) - 1);
	assert_int_equal(start(f, 0, argv), -E2BIG);
	assert_int_equal(keeper_start(f->keeper, &p), -EINVAL);
}

static void says_when_the_keeper_is_gone(void **state)
{
	struct fixture *f = *state;
	struct keeper_news news;
	struct pollfd wait = { .fd = keeper_fd(f->keeper), .events = POLLIN };
	char path[64], text[32];
	FILE *children;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	children = fopen(path, "re");
	assert_non_null(children);
	assert_non_null(fgets(text, sizeof(text), children));
	(void)fclose(children);
	assert_int_equal(kill(number(text), SIGKILL), 0);
	assert_int_equal(poll(&wait, 1, LIMIT_MS), 1);
	assert_int_equal(keeper_next(f->keeper, &news), -EPIPE);
}

int main(int argc, char *argv[])
{
#define KEEPER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		KEEPER_TEST(tells_how_a_program_ended),
		KEEPER_TEST(starts_anew_later_and_later_and_gives_up),
		KEEPER_TEST(takes_no_program_after_the_seal),
		KEEPER_TEST(hands_over_these_descriptors_and_no_others),
		KEEPER_TEST(ends_what_it_started),
		KEEPER_TEST(ends_at_once_with_the_last_of_them),
		KEEPER_TEST(nothing_outlives_the_vm),
		KEEPER_TEST(refuses_what_does_not_fit),
		KEEPER_TEST(says_when_the_keeper_is_gone),
	};

	if (argc > 1)
		return program_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
