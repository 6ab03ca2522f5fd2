/* SPDX-License-Identifier: Apache-2.0 */
/* Filling and emptying the bucket. */
#include "limit.h"

#define SECOND_NS    1000000000ull
#define MOST_TOKENS  (1ll << 60)
#define MOST_PAST_NS (3600 * SECOND_NS)

void limit_init(struct limit *l, uint64_t rate, uint64_t burst, uint64_t now_ns)
{
	if (burst == 0)
		burst = rate;
	if (burst > MOST_TOKENS)
		burst = MOST_TOKENS;
	*l = (struct limit){
		.rate = rate, .burst = burst, .filled_ns = now_ns, .tokens = (int64_t)burst
	};
}

static void fill(struct limit *l, uint64_t now_ns)
{
	uint64_t past = now_ns - l->filled_ns, come;

	if (past > MOST_PAST_NS) { /* whatever the debt was */
		l->tokens = (int64_t)l->burst;
		l->filled_ns = now_ns;
		return;
	}
	if (__builtin_mul_overflow(past, l->rate, &come))
		come = UINT64_MAX;
	come /= SECOND_NS;
	if (come == 0)
		return;
	/* What is less than a token stays in the time that has not been counted. */
	l->filled_ns = come < MOST_TOKENS ? l->filled_ns + come * SECOND_NS / l->rate : now_ns;
	if (come >= MOST_TOKENS || l->tokens + (int64_t)come >= (int64_t)l->burst) {
		l->tokens = (int64_t)l->burst;
		l->filled_ns = now_ns;
	} else {
		l->tokens += (int64_t)come;
	}
}

uint64_t limit_wait_ns(struct limit *l, uint64_t now_ns)
{
	uint64_t missing, ns;

	if (l->rate == 0)
		return 0;
	fill(l, now_ns);
	if (l->tokens > 0)
		return 0;
	missing = (uint64_t)(1 - l->tokens);
	if (__builtin_mul_overflow(missing, SECOND_NS, &ns))
		return SECOND_NS;
	return ns / l->rate + 1;
}

void limit_take(struct limit *l, uint64_t tokens)
{
	if (l->rate == 0)
		return;
	if (tokens > MOST_TOKENS)
		tokens = MOST_TOKENS;
	l->tokens -= (int64_t)tokens;
	if (l->tokens < -MOST_TOKENS)
		l->tokens = -MOST_TOKENS;
}
