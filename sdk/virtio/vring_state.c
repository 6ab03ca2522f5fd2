/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring's own state: where both sides are, and which chains the device has.
 *
 * Chains that are in use when a ring is saved are not lost: the ring that goes on hands them to the
 * device once more, before anything else and in the order in which they were popped.  So a device
 * may keep buffers over a pause, and one whose process was replaced does its work again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/virtio/vring.h"

struct popped {
	uint64_t order;
	uint16_t head;
};

static int by_order(const void *a, const void *b)
{
	const struct popped *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

int vring_in_flight(const struct vring *ring, uint16_t *heads)
{
	struct popped *popped;
	uint32_t i;
	int n = 0;

	if (ring->setup.size == 0)
		return 0;
	popped = calloc(ring->setup.size, sizeof(*popped));
	if (!popped)
		return -ENOMEM;
	for (i = 0; i < ring->setup.size; i++)
		if (ring->slots[i].in_use)
			popped[n++] = (struct popped){ ring->slots[i].order, (uint16_t)i };
	qsort(popped, (size_t)n, sizeof(*popped), by_order);
	for (i = 0; i < (uint32_t)n; i++)
		heads[i] = popped[i].head;
	free(popped);
	/* What was in use and has not been popped anew came before everything that will be. */
	for (i = ring->next_again; i < ring->n_again; i++)
		heads[n++] = ring->again[i];
	return n;
}

static const char *check_heads(const struct vring *ring, const struct vring_state *state)
{
	const char *why = NULL;

	for (uint32_t i = 0; i < state->n_in_flight && !why; i++) {
		uint16_t head = state->in_flight[i];

		if (head >= ring->setup.size)
			why = "a chain in use lies past the descriptor table";
		else if (ring->slots[head].again)
			why = "a chain is in use twice";
		else
			ring->slots[head].again = true; /* a mark, taken back below */
	}
	for (uint32_t i = 0; i < ring->setup.size; i++)
		ring->slots[i].again = false;
	return why;
}

int vring_restore(struct vring *ring, const struct vring_state *state, const char **ret_why)
{
	uint16_t open = (uint16_t)(state->last_avail - state->next_used);

	if (state->n_in_flight > ring->setup.size) {
		*ret_why = "more chains are in use than the queue has";
		return -EINVAL;
	}
	*ret_why = check_heads(ring, state);
	if (*ret_why)
		return -EINVAL;
	/* Every chain was popped once and is returned once. */
	if (open != state->n_in_flight && !state->faulted) {
		*ret_why = "its indices do not agree with the chains in use";
		return -EINVAL;
	}
	if (state->n_in_flight > 0) {
		ring->again = calloc(state->n_in_flight, sizeof(*ring->again));
		if (!ring->again) {
			*ret_why = "out of memory";
			return -ENOMEM;
		}
		memcpy(ring->again, state->in_flight, state->n_in_flight * sizeof(*ring->again));
	}
	ring->n_again = state->n_in_flight;
	ring->next_again = 0;
	ring->last_avail = state->last_avail;
	ring->next_used = state->next_used;
	ring->signalled_used = state->signalled_used;
	ring->kicks = state->kicks;
	if (state->faulted)
		ring->fault = "something bad before it was saved";
	return 0;
}
