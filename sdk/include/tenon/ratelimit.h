/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/ratelimit.h - a token bucket.  Inline: nothing crosses the ABI.
 *
 * Tokens flow in at a rate and are spent afterwards, so that a request may cost more than the
 * bucket holds: the level then lies below zero, and the next one waits until it is paid.  The
 *caller brings the time (tenon_clock.monotonic_ns) and the lock.
 *
 *	while (tenon_bucket_pop(&b, now, virtio, vq, &chain, &again) > 0)
 *		tenon_bucket_spend(&b, serve(&chain));
 *	event->timer_set(timer, again);
 */
#ifndef TENON_RATELIMIT_H
#define TENON_RATELIMIT_H

#include <tenon/abi.h>
#include <tenon/virtio.h>

#define TENON_NS_PER_S 1000000000u

/* Rates from here on are no limit: the arithmetic has 64 bits. */
#define TENON_BUCKET_MAX_RATE ((uint64_t)1 << 33)

struct tenon_bucket {
	uint64_t rate;  /* tokens a second; 0 = no limit */
	uint64_t burst; /* the most that it holds */
	int64_t level;  /* below zero: what has been spent in advance */
	uint64_t part;  /* of the next token, in 1/TENON_NS_PER_S */
	uint64_t filled_ns;
};

/* Starts full.  @burst 0: one second's worth. */
static inline void tenon_bucket_init(
	struct tenon_bucket *b, uint64_t rate, uint64_t burst, uint64_t now_ns)
{
	b->rate = rate < TENON_BUCKET_MAX_RATE ? rate : 0;
	b->burst = burst && burst < INT64_MAX / 2 ? burst : b->rate;
	b->level = (int64_t)b->burst;
	b->part = 0;
	b->filled_ns = now_ns;
}

/* How many tokens there are at @now_ns, which never goes back; INT64_MAX without a limit. */
static inline int64_t tenon_bucket_level(struct tenon_bucket *b, uint64_t now_ns)
{
	uint64_t past = now_ns - b->filled_ns, seconds = past / TENON_NS_PER_S, room, parts;

	if (b->rate == 0)
		return INT64_MAX;
	room = (uint64_t)((int64_t)b->burst - b->level);
	parts = past % TENON_NS_PER_S * b->rate + b->part;
	b->filled_ns = now_ns;
	b->part = parts % TENON_NS_PER_S;
	if (seconds > room / b->rate || seconds * b->rate + parts / TENON_NS_PER_S >= room) {
		b->level = (int64_t)b->burst;
		b->part = 0;
	} else {
		b->level += (int64_t)(seconds * b->rate + parts / TENON_NS_PER_S);
	}
	return b->level;
}

static inline void tenon_bucket_spend(struct tenon_bucket *b, uint64_t tokens)
{
	if (b->rate == 0)
		return;
	/* Nobody waits for centuries: the debt has an end. */
	if (tokens > (uint64_t)INT64_MAX / 2 || b->level < INT64_MIN / 4)
		b->level = INT64_MIN / 4;
	else
		b->level -= (int64_t)tokens;
}

/* When there will be @tokens, at most the burst, if nobody spends any; in the past when there are.
 */
static inline uint64_t tenon_bucket_deadline(const struct tenon_bucket *b, uint64_t tokens)
{
	int64_t wanted = (int64_t)(tokens < b->burst ? tokens : b->burst);
	uint64_t lacking = wanted > b->level ? (uint64_t)(wanted - b->level) : 0, at, parts;

	if (b->rate == 0 || lacking == 0)
		return b->filled_ns;
	at = b->filled_ns + lacking / b->rate * TENON_NS_PER_S;
	parts = lacking % b->rate * TENON_NS_PER_S;
	if (parts < b->part)
		return at - (b->part - parts) / b->rate;
	return at + (parts - b->part + b->rate - 1) / b->rate;
}

/* How many of @tokens may be spent without a debt. */
static inline uint64_t tenon_bucket_grant(const struct tenon_bucket *b, uint64_t tokens)
{
	if (b->rate == 0)
		return tokens;
	if (b->level <= 0)
		return 0;
	return tokens < (uint64_t)b->level ? tokens : (uint64_t)b->level;
}

/*
 * tenon_virtio.pop() for a queue that is paced: a chain comes only when the level is above zero.
 * *@again is when to look again: 0 with an empty queue, else a time for a timer that has the queue
 * run; a millisecond's worth of tokens is there then.
 */
static inline int tenon_bucket_pop(struct tenon_bucket *b, uint64_t now_ns,
	const struct tenon_virtio *virtio, struct tenon_vq *vq, struct tenon_chain *ret_chain,
	uint64_t *again)
{
	int ret = virtio->pop(vq, ret_chain);

	*again = ret > 0 ? now_ns : 0;
	if (ret <= 0 || tenon_bucket_level(b, now_ns) > 0)
		return ret;
	virtio->unpop(vq, ret_chain);
	*again = tenon_bucket_deadline(b, b->rate / 1000 + 1);
	return 0;
}

#endif
