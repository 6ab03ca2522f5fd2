/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as events of the main loop; one file per host (signalfd on Linux). */
#ifndef TENON_CORE_SIGNALS_H
#define TENON_CORE_SIGNALS_H

struct event_loop;
struct signals;

struct signals_ops {
	void (*stop)(void *opaque);    /* SIGTERM, SIGINT, SIGHUP [loop] */
	void (*resized)(void *opaque); /* SIGWINCH [loop] */
};

/* Blocks them in this thread and those made later: call it before the first.  [main] */
int signals_create(struct event_loop *loop, const struct signals_ops *ops, void *opaque,
	struct signals **ret_signals);
/* Puts the mask back; NULL is fine.  [main] */
void signals_destroy(struct signals *signals);

#endif
