/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running tests: each in a process of its own, so that a crash or a hang is one failed test.
 *
 * A failing test writes its sentence into a pipe and leaves at once; the parent reads it, waits and
 * judges.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/testkit/kit.h"

#define DEFAULT_LIMIT 60 /* seconds a test may take */
#define WHY_MAX       2048

static struct tk_test *tests;
static int why_fd = -1;

/* ---- in the test ---- */

void tk_fail_at(const char *file, int line, const char *format, ...)
{
	char text[WHY_MAX], whole[WHY_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (file)
		(void)snprintf(whole, sizeof(whole), "%s:%d: %.1900s", file, line, text);
	else
		(void)snprintf(whole, sizeof(whole), "%.1900s", text);
	(void)fflush(stdout);
	if (why_fd < 0)
		(void)fprintf(stderr, "failed: %s\n", whole);
	else
		(void)!write(why_fd, whole, strlen(whole));
	_exit(1);
}

void tk_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)printf("# ");
	(void)vprintf(format, args);
	(void)printf("\n");
	va_end(args);
}

void tk_check_eq(const char *file, int line, const char *what, long long a, long long b)
{
	if (a != b)
		tk_fail_at(file, line, "%s: %lld (0x%llx) is not %lld (0x%llx)", what, a,
			(unsigned long long)a, b, (unsigned long long)b);
}

void tk_check_str(const char *file, int line, const char *what, const char *a, const char *b)
{
	if (!a || !b ? a != b : strcmp(a, b) != 0)
		tk_fail_at(file, line, "%s is \"%s\", wanted \"%s\"", what, a ? a : "(null)",
			b ? b : "(null)");
}

void tk_check_has(const char *file, int line, const char *what, const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		tk_fail_at(file, line, "%s is \"%s\", which lacks \"%s\"", what,
			text ? text : "(null)", part);
}

void tk_check_mem(
	const char *file, int line, const char *what, const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			tk_fail_at(file, line, "%s: byte %zu of %zu is 0x%02x, not 0x%02x", what, i,
				n, x[i], y[i]);
}

void *kit_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		kit_fail("the test kit is out of memory");
	return p;
}

void kit_end(void)
{
	kit_destroy_all();
	kit_drivers_free();
	kit_states_free();
	kit_fini();
}

/* ---- in the parent ---- */

static unsigned limit_seconds(void)
{
	const char *text = getenv("TENON_TESTKIT_TIMEOUT");

	long seconds = text ? strtol(text, NULL, 10) : 0;

	return seconds > 0 && seconds < 86400 ? (unsigned)seconds : DEFAULT_LIMIT;
}

static void __attribute__((noreturn)) run_child(void (*fn)(void *arg), void *arg, int fd)
{
	why_fd = fd;
	(void)alarm(limit_seconds());
	kit.thread = pthread_self();
	fn(arg);
	kit_end();
	(void)fflush(stdout);
	exit(0); /* and whatever a sanitizer finds then */
}

static void judge(int status, char *why, size_t room)
{
	if (why[0])
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		(void)snprintf(why, room, "took longer than %u seconds", limit_seconds());
	else if (WIFSIGNALED(status))
		(void)snprintf(why, room, "killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		(void)snprintf(why, room, "exit status %d; see above", WEXITSTATUS(status));
}

int tk_isolated(void (*fn)(void *arg), void *arg, char *why, size_t room)
{
	int pipes[2], status = 0;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	why[0] = '\0';
	(void)fflush(stdout);
	if (pipe(pipes) < 0 || (pid = fork()) < 0) {
		(void)snprintf(why, room, "cannot start a process: %s", strerror(errno));
		return 1;
	}
	if (pid == 0) {
		(void)close(pipes[0]);
		run_child(fn, arg, pipes[1]);
	}
	(void)close(pipes[1]);
	while (n + 1 < room &&
		((got = read(pipes[0], why + n, room - 1 - n)) > 0 || (got < 0 && errno == EINTR)))
		n += got > 0 ? (size_t)got : 0;
	why[n] = '\0';
	(void)close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	judge(status, why, room);
	return why[0] != '\0';
}

void tk_register(struct tk_test *test)
{
	struct tk_test **at = &tests;

	while (*at && (strcmp((*at)->file, test->file) < 0 ||
			      (strcmp((*at)->file, test->file) == 0 && (*at)->line < test->line)))
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

static bool chosen(const struct tk_test *test, int n, char **parts)
{
	bool any = false;

	for (int i = 0; i < n; i++) {
		if (parts[i][0] == '-')
			continue;
		any = true;
		if (strstr(test->name, parts[i]))
			return true;
	}
	return !any;
}

static void run_test(void *arg)
{
	const struct tk_test *test = arg;

	test->run();
	if (test->must_fail) /* what the end finds counts as well */
		kit_end();
}

/* Turns the outcome of a test that must fail around. */
static void expect_failure(const struct tk_test *test, char *why, size_t room)
{
	char text[WHY_MAX];

	if (!test->must_fail)
		return;
	if (strstr(why, test->must_fail)) {
		why[0] = '\0';
		return;
	}
	(void)snprintf(text, sizeof(text), "should have failed with \"%.400s\" and %s%.1000s",
		test->must_fail, why[0] ? "failed with " : "did not", why);
	(void)snprintf(why, room, "%s", text);
}

static bool run_one(struct tk_test *test, unsigned number, bool here)
{
	char why[WHY_MAX] = "";
	bool passed;

	if (here) {
		test->run();
		kit_end();
	} else {
		(void)tk_isolated(run_test, test, why, sizeof(why));
		expect_failure(test, why, sizeof(why));
	}
	passed = !why[0];
	(void)printf("%sok %u - %s\n", passed ? "" : "not ", number, test->name);
	for (char *line = strtok(why, "\n"); line; line = strtok(NULL, "\n"))
		(void)printf("#   %s\n", line);
	(void)fflush(stdout);
	return passed;
}

int tk_main(int argc, char **argv, const char *plugin)
{
	bool here = argc > 1 && strcmp(argv[1], "-n") == 0;
	unsigned n = 0, failed = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	kit.thread = pthread_self();
	if (plugin)
		(void)setenv("TENON_TESTKIT_PLUGIN", plugin, 0);
	for (struct tk_test *t = tests; t; t = t->next) {
		if (chosen(t, argc - 1, argv + 1))
			failed += !run_one(t, ++n, here);
	}
	(void)printf("1..%u\n", n);
	if (failed)
		(void)printf("# %u of %u failed\n", failed, n);
	return failed || n == 0 ? 1 : 0;
}
