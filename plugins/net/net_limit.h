/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rate limits: token buckets.  A bucket that has a token lets one frame pass, however long it is,
 * and goes into debt for it, so that a frame longer than the burst is late and not stuck.
 */
#ifndef TENON_NET_LIMIT_H
#define TENON_NET_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct net_limit {
	uint64_t rate;  /* tokens a second; 0 = no limit */
	uint64_t burst; /* tokens that a full bucket holds */
	int64_t tokens;
	uint64_t filled_ns;
};

/* One direction: bytes and frames. */
struct net_throttle {
	struct net_limit bytes, frames;
	struct tenon_timer *timer;
	bool waiting;
};

/* @burst 0: one second's worth. */
void net_limit_init(struct net_limit *l, uint64_t rate, uint64_t burst, uint64_t now_ns);
/* Nanoseconds until a frame may pass; 0 = now. */
uint64_t net_throttle_wait(struct net_throttle *t, uint64_t now_ns);
void net_throttle_take(struct net_throttle *t, uint64_t bytes);
void net_throttle_give_back(struct net_throttle *t, uint64_t bytes);

static inline bool net_throttle_is_set(const struct net_throttle *t)
{
	return t->bytes.rate || t->frames.rate;
}

#endif
