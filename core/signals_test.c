/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as events of a loop, whatever brings them here. */
#include "core/signals.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/event_loop.h"

struct probe {
	struct event_loop *loop;
	struct signals *signals;
	int stops, resizes, pictures;
};

static void on_stop(void *opaque)
{
	struct probe *p = opaque;

	p->stops++;
	event_loop_stop(p->loop);
}

static void on_resized(void *opaque)
{
	struct probe *p = opaque;

	p->resizes++;
	event_loop_stop(p->loop);
}

static void on_picture(void *opaque)
{
	struct probe *p = opaque;

	p->pictures++;
	event_loop_stop(p->loop);
}

static const struct signals_ops ops = { on_stop, on_resized, on_picture };

static int setup(void **state)
{
	static struct probe p;

	p = (struct probe){ .stops = 0 };
	assert_int_equal(event_loop_create(&p.loop), 0);
	assert_int_equal(signals_create(p.loop, &ops, &p, &p.signals), 0);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct probe *p = *state;

	signals_destroy(p->signals);
	event_loop_destroy(p->loop);
	return 0;
}

static void each_signal_has_its_event(void **state)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGWINCH, SIGUSR1 };
	struct probe *p = *state;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_int_equal(kill(getpid(), numbers[i]), 0);
		assert_int_equal(event_loop_run(p->loop), 0);
	}
	assert_int_equal(p->stops, 3);
	assert_int_equal(p->resizes, 1);
	assert_int_equal(p->pictures, 1);
}

static bool is_told(const struct probe *p)
{
	struct pollfd fd = { .fd = signals_fd(p->signals), .events = POLLIN };

	return poll(&fd, 1, 10000) == 1;
}

static void without_the_loop_a_stop_is_told_from_the_rest(void **state)
{
	struct probe *p = *state;

	assert_int_equal(kill(getpid(), SIGWINCH), 0);
	assert_true(is_told(p));
	assert_false(signals_take_stop(p->signals));
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_true(is_told(p));
	assert_true(signals_take_stop(p->signals));
	assert_int_equal(p->stops + p->resizes, 0);
}

static void what_is_pending_at_the_end_harms_nobody(void **state)
{
	struct probe *p = *state;
	sigset_t before, after;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(sigismember(&before, SIGTERM), 1);
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_int_equal(kill(getpid(), SIGHUP), 0);
	signals_destroy(p->signals);
	p->signals = NULL;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&after, SIGTERM), 0);
	/* Had they stayed pending, the process would have ended with the mask. */
}

static void threads_to_be_made_hear_of_their_own_faults_alone(void **state)
{
	sigset_t old, now;

	signals_block(&old);
	(void)pthread_sigmask(SIG_SETMASK, &old, &now);
	assert_int_equal(sigismember(&now, SIGTERM), 1);
	assert_int_equal(sigismember(&now, SIGUSR2), 1);
	assert_int_equal(sigismember(&now, SIGSEGV), 0);
	assert_int_equal(sigismember(&now, SIGABRT), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_signal_has_its_event),
		T(without_the_loop_a_stop_is_told_from_the_rest),
		T(what_is_pending_at_the_end_harms_nobody),
		T(threads_to_be_made_hear_of_their_own_faults_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
