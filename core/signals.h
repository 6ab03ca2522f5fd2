/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as events of the main loop; one file per host (signalfd on Linux). */
#ifndef TENON_CORE_SIGNALS_H
#define TENON_CORE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct event_loop;
struct signals;

struct signals_ops {
	void (*stop)(void *opaque);    /* SIGTERM, SIGINT, SIGHUP [loop] */
	void (*resized)(void *opaque); /* SIGWINCH [loop] */
	void (*picture)(void *opaque); /* SIGUSR1; may be NULL [loop] */
};

/* Blocks them in this thread and those made later: call it before the first.  [main] */
int signals_create(struct event_loop *loop, const struct signals_ops *ops, void *opaque,
	struct signals **ret_signals);
/* Without the loop, once it has ended: the descriptor that tells of signals, and whether one of
 * those that came since is to stop.  [main] */
int signals_fd(const struct signals *signals);
bool signals_take_stop(struct signals *signals);
/* Takes what is still pending and puts the mask back; NULL is fine.  [main] */
void signals_destroy(struct signals *signals);

/* For threads to be made: blocks everything in this one but the signals of a thread's own faults,
 * whose handlers must run where the fault is.  [any] */
void signals_block(sigset_t *ret_old);

#endif
