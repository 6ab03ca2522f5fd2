/* SPDX-License-Identifier: Apache-2.0 */
#include "net_limit.h"

#define SECOND_NS   1000000000u
#define MOST_TOKENS ((uint64_t)1 << 62)

static uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

void net_limit_init(struct net_limit *l, uint64_t rate, uint64_t burst, uint64_t now_ns)
{
	l->rate = at_most(rate, MOST_TOKENS);
	l->burst = at_most(burst ? burst : rate, MOST_TOKENS);
	l->tokens = (int64_t)l->burst;
	l->filled_ns = now_ns;
}

/* How many tokens came since the last look; the clock is kept at the last whole one. */
static void fill(struct net_limit *l, uint64_t now_ns)
{
	uint64_t past = now_ns - l->filled_ns, scaled, fresh, missing;

	missing = (uint64_t)((int64_t)l->burst - l->tokens);
	if (__builtin_mul_overflow(past, l->rate, &scaled))
		fresh = missing;
	else
		fresh = scaled / SECOND_NS;
	if (fresh >= missing) {
		l->tokens = (int64_t)l->burst;
		l->filled_ns = now_ns;
		return;
	}
	l->tokens += (int64_t)fresh;
	l->filled_ns = now_ns - (scaled % SECOND_NS) / l->rate;
}

static uint64_t limit_wait(struct net_limit *l, uint64_t now_ns)
{
	uint64_t missing, ns, past;

	if (l->rate == 0)
		return 0;
	fill(l, now_ns);
	if (l->tokens > 0)
		return 0;
	missing = (uint64_t)(1 - l->tokens);
	if (__builtin_mul_overflow(missing, SECOND_NS, &ns))
		return SECOND_NS; /* look again then */
	ns = ns / l->rate + (ns % l->rate != 0);
	past = now_ns - l->filled_ns;
	return ns > past ? ns - past : 1;
}

uint64_t net_throttle_wait(struct net_throttle *t, uint64_t now_ns)
{
	uint64_t bytes = limit_wait(&t->bytes, now_ns), frames = limit_wait(&t->frames, now_ns);

	return bytes > frames ? bytes : frames;
}

void net_throttle_take(struct net_throttle *t, uint64_t bytes)
{
	if (t->bytes.rate)
		t->bytes.tokens -= (int64_t)bytes;
	if (t->frames.rate)
		t->frames.tokens--;
}

void net_throttle_give_back(struct net_throttle *t, uint64_t bytes)
{
	if (t->bytes.rate)
		t->bytes.tokens += (int64_t)bytes;
	if (t->frames.rate)
		t->frames.tokens++;
}
