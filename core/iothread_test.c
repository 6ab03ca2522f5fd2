/* SPDX-License-Identifier: Apache-2.0 */
/* I/O threads: they run their loop, and leave signals to the main thread but for their own faults.
 */
#include "core/iothread.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/event_loop.h"

struct seen {
	pthread_t thread;
	sigset_t mask;
};

static int look(void *arg)
{
	struct seen *seen = arg;

	seen->thread = pthread_self();
	return pthread_sigmask(SIG_BLOCK, NULL, &seen->mask);
}

static void its_loop_runs_on_a_thread_of_its_own(void **state)
{
	struct iothread *t;
	struct seen seen;

	assert_int_equal(iothread_create("fast", &t), 0);
	assert_string_equal(iothread_name(t), "fast");
	assert_int_equal(loop_call(iothread_loop(t), look, &seen), 0);
	assert_false(pthread_equal(seen.thread, pthread_self()));
	iothread_destroy(t);
	iothread_destroy(NULL);
}

/* A fault whose signal is blocked kills without asking the handler that restores the terminal. */
static void its_faults_are_heard_and_nothing_else(void **state)
{
	static const int open[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT };
	static const int blocked[] = { SIGTERM, SIGINT, SIGHUP, SIGWINCH, SIGQUIT, SIGALRM, SIGPIPE,
		SIGCHLD };
	struct iothread *t;
	struct seen seen;

	assert_int_equal(iothread_create("fast", &t), 0);
	assert_int_equal(loop_call(iothread_loop(t), look, &seen), 0);
	iothread_destroy(t);
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		assert_int_equal(sigismember(&seen.mask, open[i]), 0);
	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++)
		assert_int_equal(sigismember(&seen.mask, blocked[i]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_loop_runs_on_a_thread_of_its_own),
		cmocka_unit_test(its_faults_are_heard_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
