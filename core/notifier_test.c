/* SPDX-License-Identifier: Apache-2.0 */
/* Notifiers, whatever they are made of here. */
#include "core/notifier.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int setup(void **state)
{
	struct tenon_notifier *n;

	assert_int_equal(notifier_create(&n), 0);
	*state = n;
	return 0;
}

static int teardown(void **state)
{
	notifier_destroy(*state);
	return 0;
}

static int is_ready(const struct tenon_notifier *n, int timeout_ms)
{
	struct pollfd p = { .fd = notifier_fd(n), .events = POLLIN };

	return poll(&p, 1, timeout_ms);
}

static void a_signal_is_there_till_it_is_drained(void **state)
{
	assert_int_equal(is_ready(*state, 0), 0);
	assert_false(notifier_drain(*state));
	notifier_signal(*state);
	assert_int_equal(is_ready(*state, 0), 1);
	assert_true(notifier_drain(*state));
	assert_int_equal(is_ready(*state, 0), 0);
	assert_false(notifier_drain(*state));
}

static void many_signals_are_drained_at_once_and_never_block(void **state)
{
	for (int i = 0; i < 200000; i++) /* more than a pipe holds */
		notifier_signal(*state);
	assert_true(notifier_drain(*state));
	assert_int_equal(is_ready(*state, 0), 0);
	notifier_signal(*state);
	assert_true(notifier_drain(*state));
}

static void *signal_it(void *arg)
{
	notifier_signal(arg);
	return NULL;
}

static void a_signal_wakes_another_thread(void **state)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, signal_it, *state), 0);
	assert_int_equal(is_ready(*state, -1), 1);
	(void)pthread_join(thread, NULL);
}

static void no_program_that_is_run_inherits_it(void **state)
{
	const int fd = notifier_fd(*state);

	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void nothing_is_destroyed_too(void **state)
{
	notifier_destroy(NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_signal_is_there_till_it_is_drained),
		T(many_signals_are_drained_at_once_and_never_block),
		T(a_signal_wakes_another_thread),
		T(no_program_that_is_run_inherits_it),
		T(nothing_is_destroyed_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
