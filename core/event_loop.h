/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event loop: descriptors, timers and posted functions, run by one thread at a time.
 *
 * Functions marked [any] may be called from every thread.  Removal is synchronous: when a remove
 * function returns, the callback is not running and never will, except when it is called from
 * within that callback.
 */
#ifndef TENON_CORE_EVENT_LOOP_H
#define TENON_CORE_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_READ  1u
#define LOOP_WRITE 2u
#define LOOP_HUP   4u

struct event_loop;
struct loop_watch;
struct loop_timer;

int event_loop_create(struct event_loop **ret_loop);
void event_loop_destroy(struct event_loop *loop); /* nobody runs it any more; NULL is fine */

/* Runs until event_loop_stop(); 0 or the -errno of waiting. */
int event_loop_run(struct event_loop *loop);
void event_loop_stop(struct event_loop *loop); /* [any] */
/* Runs what is ready without waiting; for tests and for draining.  1 when something ran. */
int event_loop_poll(struct event_loop *loop);

/* @fd is borrowed until removal.  LOOP_HUP comes unasked: again and again while something is waited
 * for, once where @events is 0.  [any] */
int loop_fd_add(struct event_loop *loop, int fd, uint32_t events,
	void (*ready)(void *arg, uint32_t events), void *arg, struct loop_watch **ret_watch);
int loop_fd_modify(struct loop_watch *watch, uint32_t events); /* [any] */
void loop_fd_remove(struct loop_watch *watch);                 /* NULL is fine [any] */

int loop_timer_add(struct event_loop *loop, void (*expired)(void *arg), void *arg,
	struct loop_timer **ret_timer); /* idle [any] */
/* Monotonic; 0 = off; the past = in the next round.  Allocates nothing.  [any] */
void loop_timer_set(struct loop_timer *timer, uint64_t deadline_ns);
void loop_timer_remove(struct loop_timer *timer); /* NULL is fine [any] */

/* Runs @fn(@arg) on the loop, in order.  @owner lets loop_forget() drop it.  [any] */
int loop_post(struct event_loop *loop, void (*fn)(void *arg), void *arg, const void *owner);
/* Drops what @owner posted; waits for one that is running.  [any] */
void loop_forget(struct event_loop *loop, const void *owner);

/* Runs @fn(@arg) on the loop's thread and waits for it; at once where the loop does not run or this
 * is its thread.  Allocates nothing.  Must not be called from another loop that it might wait for.
 * [any] */
int loop_call(struct event_loop *loop, int (*fn)(void *arg), void *arg);

uint64_t monotonic_ns(void); /* [any] */

#endif
