/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token bucket.  It fills at a rate, up to what a burst may take; what is done takes tokens out.
 * Something may begin while there is a token, and leaves a debt when it takes more than there were:
 * so a request larger than the bucket gets through, and the rate holds all the same.
 */
#ifndef BLOCK_LIMIT_H
#define BLOCK_LIMIT_H

#include <stdint.h>

struct limit {
	uint64_t rate;      /* tokens a second; 0 = no limit */
	uint64_t burst;     /* what the bucket holds */
	uint64_t filled_ns; /* up to when it was filled */
	int64_t tokens;
};

/* A full bucket.  @burst 0: what comes in a second. */
void limit_init(struct limit *l, uint64_t rate, uint64_t burst, uint64_t now_ns);
/* 0 when something may begin now, else in how many nanoseconds. */
uint64_t limit_wait_ns(struct limit *l, uint64_t now_ns);
void limit_take(struct limit *l, uint64_t tokens);

#endif
