/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children: a supervisor that is the leader of a process group of its own, and below it the process
 * that the test kit starts for the check.  The tool waits for the supervisor for as long as the
 * check may take and somewhat longer, and then ends the whole group: also what a plugin left
 * behind.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "sdk/check/check.h"

#define GRACE 5 /* seconds that the supervisor has beyond the check's */

/* What the check tells the tool. */
struct shared {
	enum verdict verdict;
	bool done;   /* the check came to its end */
	bool judged; /* the supervisor came to its end */
	char why[MAX_TEXT];
	char text[MAX_TEXT];
	char details[MAX_DETAILS];
	struct survey survey;
};

static struct shared *shared;

/* What leaks is the business of one check, not of all: of a sanitizer, where there is one. */
static void leave_leaks_alone(void)
{
	void *symbol = dlsym(RTLD_DEFAULT, "__lsan_disable");
	void (*disable)(void);

	memcpy(&disable, &symbol, sizeof(disable));
	if (disable)
		disable();
}

/* ---- in the check ---- */

__attribute__((format(printf, 2, 0))) static void say(
	enum verdict verdict, const char *format, va_list args)
{
	shared->verdict = verdict;
	(void)vsnprintf(shared->text, sizeof(shared->text), format, args);
}

void check_passed(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(VERDICT_PASSED, format, args);
	va_end(args);
}

void check_skipped(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(VERDICT_SKIPPED, format, args);
	va_end(args);
}

void check_detail(const char *name, const char *verdict, const char *sentence)
{
	size_t n = strlen(shared->details);

	(void)snprintf(shared->details + n, sizeof(shared->details) - n, "%s\t%s\t%.300s\n", name,
		verdict, sentence);
}

/* ---- children ---- */

static bool wait_for(pid_t pid, unsigned seconds)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = 1;

	if (fd >= 0) {
		do
			n = poll(&p, 1, (int)seconds * 1000);
		while (n < 0 && errno == EINTR);
		(void)close(fd);
	}
	return n != 0;
}

static void __attribute__((noreturn)) supervise(void (*fn)(void *arg), void *arg, bool quiet)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setpgid(0, 0);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		if (quiet)
			(void)dup2(null, STDOUT_FILENO);
	}
	(void)tk_isolated(fn, arg, shared->why, sizeof(shared->why));
	shared->judged = true;
	_exit(0);
}

/* Runs @fn in a child; what came of it is in `shared`. */
static void run_child(const struct options *options, void (*fn)(void *arg), void *arg, bool quiet)
{
	pid_t pid;

	if (!shared)
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		(void)fprintf(stderr, "tenon-plugin-check: out of memory\n");
		exit(2);
	}
	memset(shared, 0, sizeof(*shared));
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		supervise(fn, arg, quiet);
	if (pid < 0) {
		(void)snprintf(shared->why, sizeof(shared->why), "cannot start a process: %s",
			strerror(errno));
		return;
	}
	(void)setpgid(pid, pid);
	if (!wait_for(pid, options->timeout + GRACE))
		(void)snprintf(shared->why, sizeof(shared->why),
			"took longer than %u seconds, or left a process behind", options->timeout);
	(void)kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (!shared->judged && !shared->why[0])
		(void)snprintf(
			shared->why, sizeof(shared->why), "the check was ended from outside");
	else if (!shared->done && !shared->why[0])
		(void)snprintf(shared->why, sizeof(shared->why),
			"the process ended in the middle of it: a plugin must not call exit()");
}

/* ---- checks ---- */

struct job {
	const struct check *check;
	const struct subject *subject;
};

static void run_job(void *arg)
{
	const struct job *job = arg;

	if (strcmp(job->check->name, "leaks") != 0)
		leave_leaks_alone();
	job->check->run(job->subject);
	shared->done = true;
}

void check_run(const struct check *check, const struct subject *s, struct result *ret_result)
{
	struct job job = { check, s };

	run_child(s->options, run_job, &job, true);
	*ret_result = (struct result){ .check = check->name, .verdict = shared->verdict };
	if (s->cls)
		(void)snprintf(
			ret_result->subject, sizeof(ret_result->subject), "%s", s->cls->type);
	if (shared->why[0])
		ret_result->verdict = VERDICT_FAILED;
	(void)snprintf(ret_result->text, sizeof(ret_result->text), "%s",
		shared->why[0] ? shared->why : shared->text);
	memcpy(ret_result->details, shared->details, sizeof(ret_result->details));
}

/* ---- the survey and the dump ---- */

static void run_survey(void *arg)
{
	const struct options *options = arg;
	const struct tenon_plugin *p = check_load(options);
	struct survey *s = &shared->survey;

	leave_leaks_alone();
	for (; TENON_HAS(p, devices) && p->devices[s->n] && s->n < MAX_CLASSES; s->n++)
		settings_make(options, p->devices[s->n], &s->classes[s->n]);
	shared->done = true;
}

void survey_run(const struct options *options, struct survey *ret_survey)
{
	struct options copy = *options;

	run_child(options, run_survey, &copy, true);
	*ret_survey = shared->survey;
	memcpy(ret_survey->failure, shared->why, sizeof(ret_survey->failure));
}

static void run_dump(void *arg)
{
	const struct options *options = arg;

	dump_plugin(options, check_load(options));
	shared->done = true;
}

bool dump_run(const struct options *options)
{
	struct options copy = *options;

	run_child(options, run_dump, &copy, false);
	if (shared->why[0])
		(void)fprintf(stderr, "tenon-plugin-check: %s: %s\n", options->path, shared->why);
	return !shared->why[0];
}
