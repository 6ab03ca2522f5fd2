/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger of the chains of a ring that are in use, in memory that outlives the process: what takes
 * its place after a crash takes them again, in the order in which they were taken at first.
 *
 * The layout and the steps are those of vhost-user's "inflight I/O tracking" for split rings.  The
 * memory is shared with a peer that may write to it at any time: everything read is checked.
 */
#ifndef TENON_VIRTIO_VRING_INFLIGHT_H
#define TENON_VIRTIO_VRING_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tenon/vhost_user.h>

struct vring;

struct vring_inflight {
	struct vhost_user_inflight_ring *head; /* borrowed; NULL = nothing is kept */
	struct vhost_user_inflight_desc *desc;
	uint16_t size;
	uint64_t counter;
	uint16_t *again; /* heads that are to be taken again, in order; owned */
	uint32_t n_again, next_again;
};

/* Bytes for a ring of @size entries. */
size_t vring_inflight_bytes(uint32_t size);
/* For a ring of @size that nobody has used yet. */
void vring_inflight_clear(struct vhost_user_inflight_ring *head, uint32_t size);
/*
 * Takes up what a predecessor left in @head: *@ret_in_use chains are to be taken again.  @used_idx
 * is the used index that the driver sees.  -EPROTO where it is for another size, -ENOMEM.
 */
int vring_inflight_start(struct vring_inflight *in, struct vhost_user_inflight_ring *head,
	uint32_t size, uint16_t used_idx, uint32_t *ret_in_use);
void vring_inflight_stop(struct vring_inflight *in); /* zeroed is fine */

/* For vring.c.  The next that is to be taken again: true, and its head. */
bool vring_inflight_next(struct vring_inflight *in, uint16_t *ret_head);
/* One that was not: it is marked now. */
void vring_inflight_take(struct vring_inflight *in, uint16_t head);
/* It was not taken after all; @again: it comes from vring_inflight_next(). */
void vring_inflight_untake(struct vring_inflight *in, uint16_t head, bool again);
/* Each chain of a batch before the used index is published; each after it; and the batch is done.
 */
void vring_inflight_give(struct vring_inflight *in, uint16_t head);
void vring_inflight_given(struct vring_inflight *in, uint16_t head);
void vring_inflight_done(struct vring_inflight *in, uint16_t used_idx);

#endif
