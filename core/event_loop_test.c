/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: order, synchronous removal, timers. */
#include "core/event_loop.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct probe {
	struct event_loop *loop;
	struct loop_watch *watch;
	struct loop_timer *timer;
	int fd, other, calls; /* ends of one connection */
	uint32_t events;
	char order[8];
};

static int setup(void **state)
{
	static struct probe p;

	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	p = (struct probe){ .fd = ends[0], .other = ends[1] };
	assert_int_equal(event_loop_create(&p.loop), 0);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct probe *p = *state;

	event_loop_destroy(p->loop);
	(void)close(p->fd);
	(void)close(p->other);
	return 0;
}

static void signal_fd(const struct probe *p)
{
	assert_int_equal(write(p->other, "", 1), 1);
}

static void count(void *arg, uint32_t events)
{
	struct probe *p = arg;

	p->calls++;
	p->events = events;
}

static void watches_are_level_triggered(void **state)
{
	struct probe *p = *state;

	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_READ, count, p, &p->watch), 0);
	assert_int_equal(event_loop_poll(p->loop), 0);
	signal_fd(p);
	assert_int_equal(event_loop_poll(p->loop), 1);
	assert_int_equal(event_loop_poll(p->loop), 1);
	assert_int_equal(p->calls, 2);
	assert_int_equal(p->events, LOOP_READ);
}

static void removed_watches_are_silent(void **state)
{
	struct probe *p = *state;

	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_READ, count, p, &p->watch), 0);
	signal_fd(p);
	loop_fd_remove(p->watch);
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->calls, 0);
}

static void modify_changes_what_is_waited_for(void **state)
{
	struct probe *p = *state;

	assert_int_equal(loop_fd_add(p->loop, p->fd, 0, count, p, &p->watch), 0);
	signal_fd(p);
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->calls, 0);
	assert_int_equal(loop_fd_modify(p->watch, LOOP_READ | LOOP_WRITE), 0);
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->events, LOOP_READ | LOOP_WRITE);
}

static void remove_self(void *arg, uint32_t events)
{
	struct probe *p = arg;

	p->calls++;
	loop_fd_remove(p->watch);
}

static void a_callback_may_remove_itself(void **state)
{
	struct probe *p = *state;

	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_READ, remove_self, p, &p->watch), 0);
	signal_fd(p);
	(void)event_loop_poll(p->loop);
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->calls, 1);
}

static void expired(void *arg)
{
	struct probe *p = arg;

	p->calls++;
}

static void timers_fire_once_and_not_early(void **state)
{
	struct probe *p = *state;

	assert_int_equal(loop_timer_add(p->loop, expired, p, &p->timer), 0);
	(void)event_loop_poll(p->loop);
	loop_timer_set(p->timer, monotonic_ns() + 3600000000000u);
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->calls, 0);
	loop_timer_set(p->timer, 1);
	(void)event_loop_poll(p->loop);
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->calls, 1);
	loop_timer_set(p->timer, 1);
	loop_timer_set(p->timer, 0);
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->calls, 1);
	loop_timer_remove(p->timer);
}

static void stop_loop(void *arg)
{
	struct probe *p = arg;

	p->calls++;
	event_loop_stop(p->loop);
}

static void a_running_loop_waits_for_its_timer(void **state)
{
	struct probe *p = *state;
	uint64_t deadline = monotonic_ns() + 2000000;

	assert_int_equal(loop_timer_add(p->loop, stop_loop, p, &p->timer), 0);
	loop_timer_set(p->timer, deadline);
	assert_int_equal(event_loop_run(p->loop), 0);
	assert_true(monotonic_ns() >= deadline);
	assert_int_equal(p->calls, 1);
}

static void append_a(void *arg)
{
	struct probe *p = arg;

	p->order[p->calls++] = 'a';
}

static void append_b(void *arg)
{
	struct probe *p = arg;

	p->order[p->calls++] = 'b';
}

static void posts_run_in_order(void **state)
{
	struct probe *p = *state;

	assert_int_equal(loop_post(p->loop, append_a, p, p), 0);
	assert_int_equal(loop_post(p->loop, append_b, p, &p->order), 0);
	assert_int_equal(loop_post(p->loop, append_a, p, p), 0);
	(void)event_loop_poll(p->loop);
	assert_string_equal(p->order, "aba");
}

static void forgotten_posts_do_not_run(void **state)
{
	struct probe *p = *state;

	assert_int_equal(loop_post(p->loop, append_a, p, p), 0);
	assert_int_equal(loop_post(p->loop, append_b, p, &p->order), 0);
	loop_forget(p->loop, p);
	assert_int_equal(loop_post(p->loop, append_b, p, &p->order), 0);
	(void)event_loop_poll(p->loop);
	assert_string_equal(p->order, "bb");
}

static void again(void *arg)
{
	struct probe *p = arg;

	if (++p->calls < 1000)
		loop_timer_set(p->timer, 1);
}

static void a_timer_set_into_the_past_leaves_the_others_their_turn(void **state)
{
	struct probe *p = *state;

	assert_int_equal(loop_timer_add(p->loop, again, p, &p->timer), 0);
	loop_timer_set(p->timer, 1);
	(void)event_loop_poll(p->loop);
	assert_in_range(p->calls, 1, 10);
}

static void a_hang_up_nobody_waits_for_is_told_once(void **state)
{
	struct probe *p = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	assert_int_equal(loop_fd_add(p->loop, ends[1], 0, count, p, &p->watch), 0);
	for (int i = 0; i < 5; i++)
		(void)event_loop_poll(p->loop);
	assert_int_equal(p->calls, 1);
	assert_int_equal(p->events, LOOP_HUP);
	/* Whoever waits for something hears of it all the time. */
	assert_int_equal(loop_fd_modify(p->watch, LOOP_WRITE), 0);
	for (int i = 0; i < 5; i++)
		(void)event_loop_poll(p->loop);
	assert_int_equal(p->calls, 6);
	loop_fd_remove(p->watch);
	(void)close(ends[1]);
}

static void what_cannot_be_watched_is_refused(void **state)
{
	struct probe *p = *state;
	struct loop_watch *second;
	char name[] = "loop-XXXXXX";
	int file = mkstemp(name);

	assert_true(file >= 0);
	(void)unlink(name);
	assert_int_equal(loop_fd_add(p->loop, -1, LOOP_READ, count, p, &second), -EBADF);
	assert_int_equal(loop_fd_add(p->loop, file, LOOP_READ, count, p, &second), -EPERM);
	(void)close(file);
	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_READ, count, p, &p->watch), 0);
	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_WRITE, count, p, &second), -EEXIST);
	loop_fd_remove(p->watch);
	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_WRITE, count, p, &p->watch), 0);
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->events, LOOP_WRITE);
}

static void a_closed_descriptor_leaves_its_number_to_the_next(void **state)
{
	struct probe *p = *state;
	struct loop_watch *watch;
	int again;

	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_READ, count, p, &watch), 0);
	(void)close(p->fd);
	again = dup(p->other);
	assert_int_equal(again, p->fd);
	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_READ, count, p, &p->watch), 0);
	loop_fd_remove(p->watch);
}

static void a_peer_that_has_said_all_has_not_hung_up(void **state)
{
	struct probe *p = *state;

	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_READ, count, p, &p->watch), 0);
	assert_int_equal(shutdown(p->other, SHUT_WR), 0);
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->events, LOOP_READ);
	(void)close(p->other);
	p->other = -1;
	(void)event_loop_poll(p->loop);
	assert_int_equal(p->events, LOOP_READ | LOOP_HUP);
}

/* ---- from another thread ---- */

struct race {
	struct event_loop *loop;
	atomic_bool inside, leave, freed;
	int fd;
};

static void slow(void *arg, uint32_t events)
{
	struct race *r = arg;

	atomic_store(&r->inside, true);
	while (!atomic_load(&r->leave))
		(void)usleep(100);
	assert_false(atomic_load(&r->freed));
	atomic_store(&r->inside, false);
}

static void *run_loop(void *arg)
{
	(void)event_loop_run(arg);
	return NULL;
}

static void *let_go(void *arg)
{
	struct race *r = arg;

	(void)usleep(2000);
	atomic_store(&r->leave, true);
	return NULL;
}

static void removal_waits_for_a_running_callback(void **state)
{
	struct probe *p = *state;
	struct race r = { .loop = p->loop };
	struct loop_watch *watch;
	pthread_t runner, helper;

	assert_int_equal(loop_fd_add(p->loop, p->fd, LOOP_READ, slow, &r, &watch), 0);
	assert_int_equal(pthread_create(&runner, NULL, run_loop, p->loop), 0);
	signal_fd(p);
	while (!atomic_load(&r.inside))
		(void)usleep(100);
	assert_int_equal(pthread_create(&helper, NULL, let_go, &r), 0);
	loop_fd_remove(watch);
	assert_false(atomic_load(&r.inside));
	atomic_store(&r.freed, true);
	event_loop_stop(p->loop);
	(void)pthread_join(runner, NULL);
	(void)pthread_join(helper, NULL);
}

static int add_to(void *arg)
{
	struct probe *p = arg;

	p->calls++;
	return 7;
}

static void a_call_runs_on_the_loop_and_returns_its_result(void **state)
{
	struct probe *p = *state;
	pthread_t runner;

	assert_int_equal(loop_call(p->loop, add_to, p), 7);
	assert_int_equal(pthread_create(&runner, NULL, run_loop, p->loop), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(loop_call(p->loop, add_to, p), 7);
	event_loop_stop(p->loop);
	(void)pthread_join(runner, NULL);
	assert_int_equal(p->calls, 101);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(watches_are_level_triggered),
		T(removed_watches_are_silent),
		T(modify_changes_what_is_waited_for),
		T(a_callback_may_remove_itself),
		T(timers_fire_once_and_not_early),
		T(a_running_loop_waits_for_its_timer),
		T(posts_run_in_order),
		T(forgotten_posts_do_not_run),
		T(a_timer_set_into_the_past_leaves_the_others_their_turn),
		T(a_hang_up_nobody_waits_for_is_told_once),
		T(what_cannot_be_watched_is_refused),
		T(a_closed_descriptor_leaves_its_number_to_the_next),
		T(a_peer_that_has_said_all_has_not_hung_up),
		T(a_call_runs_on_the_loop_and_returns_its_result),
		T(removal_waits_for_a_running_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
