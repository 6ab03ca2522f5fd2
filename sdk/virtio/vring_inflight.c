/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger of chains in use.
 *
 * A process may end between any two instructions, and what it has stored till then stands: so it is
 * the order of the stores that matters, which the compiler must not change.
 */
#include "sdk/virtio/vring_inflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1u
#define ALIGN   64u

static void in_order(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void store16(uint16_t *at, uint16_t value)
{
	in_order();
	__atomic_store_n(at, value, __ATOMIC_RELAXED);
}

static uint16_t load16(const uint16_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static void mark(struct vhost_user_inflight_desc *d, uint8_t inflight)
{
	in_order();
	__atomic_store_n(&d->inflight, inflight, __ATOMIC_RELAXED);
}

static bool is_marked(const struct vhost_user_inflight_desc *d)
{
	return __atomic_load_n(&d->inflight, __ATOMIC_RELAXED) != 0;
}

size_t vring_inflight_bytes(uint32_t size)
{
	const size_t n = sizeof(struct vhost_user_inflight_ring) +
			 size * sizeof(struct vhost_user_inflight_desc);

	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void vring_inflight_clear(struct vhost_user_inflight_ring *head, uint32_t size)
{
	memset(head, 0, vring_inflight_bytes(size));
	head->version = VERSION;
	head->desc_num = (uint16_t)size;
}

/* ---- taking up ---- */

struct found {
	uint64_t counter;
	uint16_t head;
};

static int by_counter(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->counter != y->counter)
		return x->counter < y->counter ? -1 : 1;
	return x->head < y->head ? -1 : x->head > y->head;
}

/* The last batch was published, and its end may not have been written down. */
static void end_last_batch(struct vring_inflight *in, uint16_t used_idx)
{
	uint16_t n = (uint16_t)(used_idx - load16(&in->head->used_idx));
	uint16_t at = load16(&in->head->last_batch_head);

	for (; n > 0 && n <= in->size && at < in->size; n--) {
		mark(&in->desc[at], 0);
		at = load16(&in->desc[at].next);
	}
	store16(&in->head->used_idx, used_idx);
}

static int find_marked(struct vring_inflight *in)
{
	struct found *found = calloc(in->size, sizeof(*found));

	in->again = calloc(in->size, sizeof(*in->again));
	if (!found || !in->again) {
		free(found);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < in->size; i++)
		if (is_marked(&in->desc[i]))
			found[in->n_again++] = (struct found){
				__atomic_load_n(&in->desc[i].counter, __ATOMIC_RELAXED),
				(uint16_t)i,
			};
	qsort(found, in->n_again, sizeof(*found), by_counter);
	for (uint32_t i = 0; i < in->n_again; i++) {
		in->again[i] = found[i].head;
		in->counter = found[i].counter + 1;
	}
	free(found);
	return 0;
}

int vring_inflight_start(struct vring_inflight *in, struct vhost_user_inflight_ring *head,
	uint32_t size, uint16_t used_idx, uint32_t *ret_in_use)
{
	int ret;

	*in = (struct vring_inflight){ .size = (uint16_t)size };
	/* A peer that made the memory itself has it zeroed. */
	if (head->version == 0 && head->desc_num == 0)
		vring_inflight_clear(head, size);
	if (head->version != VERSION || load16(&head->desc_num) < size)
		return -EPROTO;
	in->head = head;
	in->desc = (struct vhost_user_inflight_desc *)(head + 1);
	if (load16(&head->used_idx) != used_idx)
		end_last_batch(in, used_idx);
	ret = find_marked(in);
	if (ret < 0) {
		vring_inflight_stop(in);
		return ret;
	}
	*ret_in_use = in->n_again;
	return 0;
}

void vring_inflight_stop(struct vring_inflight *in)
{
	free(in->again);
	*in = (struct vring_inflight){ .head = NULL };
}

/* ---- the ring ---- */

bool vring_inflight_next(struct vring_inflight *in, uint16_t *ret_head)
{
	if (in->next_again == in->n_again)
		return false;
	*ret_head = in->again[in->next_again++];
	return true;
}

void vring_inflight_take(struct vring_inflight *in, uint16_t head)
{
	__atomic_store_n(&in->desc[head].counter, in->counter++, __ATOMIC_RELAXED);
	mark(&in->desc[head], 1);
}

void vring_inflight_untake(struct vring_inflight *in, uint16_t head, bool again)
{
	if (again)
		in->again[--in->next_again] = head; /* it stays marked */
	else
		mark(&in->desc[head], 0);
}

void vring_inflight_give(struct vring_inflight *in, uint16_t head)
{
	store16(&in->desc[head].next, load16(&in->head->last_batch_head));
	store16(&in->head->last_batch_head, head);
}

void vring_inflight_given(struct vring_inflight *in, uint16_t head)
{
	mark(&in->desc[head], 0);
}

void vring_inflight_done(struct vring_inflight *in, uint16_t used_idx)
{
	store16(&in->head->used_idx, used_idx);
}
