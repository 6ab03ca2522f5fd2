/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which requests are in flight, for back ends that do not keep a record of it themselves.
 *
 * A ring alone does not tell: requests end in any order, and old entries are written over.  So the
 * front end reads along: each time the back end calls, what became available and what was used
 * since the last time is counted by head.  It may fall behind, when more than a ring's worth went
 * by without a call; then it knows that it does not know, until nothing is in flight.
 */
#ifndef VHOST_USER_TRACK_H
#define VHOST_USER_TRACK_H

#include <stdbool.h>
#include <stdint.h>

struct track {
	uint32_t size;
	uint8_t *avail, *used; /* the ring's parts, mapped; hostile */
	uint8_t *out;          /* by head: 1 = in flight; owned */
	uint16_t seen_avail, seen_used;
	bool known;
};

/* Memory for a ring of @size; -ENOMEM. */
int track_init(struct track *t, uint32_t size, void *avail, void *used);
void track_finish(struct track *t);
/* The back end begins at @base: what is before it was used. */
void track_begin(struct track *t, uint16_t base);
/* Reads on. */
void track_scan(struct track *t);
/*
 * The back end is gone: makes the available ring say, from the used index on, exactly what is in
 * flight, so that the next one takes that.  The driver never reads what it wrote there.  True with
 * the index to begin at; false when it is not known what is in flight.
 */
bool track_recover(struct track *t, uint16_t *ret_base);

/* The used index of a ring, and the available index. */
uint16_t track_index(const uint8_t *ring);

#endif
