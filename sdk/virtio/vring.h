/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's side of a split virtqueue (Virtual I/O Device specification 1.2, section 2.7).
 *
 * The driver is hostile: every index, address and length is checked, and each descriptor is read
 * from guest memory exactly once.  One thread at a time works on a ring (the device's loop);
 * vring_kill() alone may come from another.
 */
#ifndef TENON_VIRTIO_VRING_H
#define TENON_VIRTIO_VRING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <tenon/virtio.h>

/* The longest chain that an indirect table may hold, whatever the queue's size: drivers do exceed
 * the queue size there. */
#define VRING_MAX_INDIRECT 1024u

struct vring_memory {
	/*
	 * Host address of @gpa.  *@size is how much is wanted; it is reduced to what lies there in
	 * one piece.  NULL where there is no memory, or none that may be written if @write.  [any]
	 */
	void *(*map)(void *opaque, uint64_t gpa, uint64_t *size, bool write);
	/* Host memory that was got from map() was written.  NULL: nobody wants to know.  [loop] */
	void (*mark_dirty)(void *opaque, const void *host, uint64_t size);
	void *opaque;
};

/* As the driver set it up. */
struct vring_setup {
	uint32_t size; /* entries: a power of two */
	uint64_t desc, avail, used;
	bool event_idx, indirect;
};

#define VRING_INLINE_IOV 4

/* The buffers of one chain that is in use, found by its head. */
struct vring_slot {
	struct iovec near[VRING_INLINE_IOV];
	struct iovec *far; /* for longer chains; kept for the next */
	uint32_t far_room;
	uint32_t copied_in, n_in; /* of the writable buffers a copy, for marking dirty */
	bool in_use, again;       /* again: it is one of vring.again */
	bool ledger;              /* it was in use when the ring was started: vring_inflight.h */
	uint64_t order;           /* of the pops */
};

struct vring_inflight;

struct vring {
	const struct vring_memory *memory;
	struct vring_setup setup;    /* size 0 = not set up */
	const uint8_t *desc, *avail; /* mapped */
	uint8_t *used;
	struct vring_slot *slots;
	uint16_t last_avail;     /* the next one to pop */
	uint16_t next_used;      /* the next one to fill */
	uint16_t signalled_used; /* as of the last notify */
	bool kicks;              /* the device wants to be kicked */
	const char *fault;       /* what the driver did wrong; static text, NULL = nothing */
	atomic_bool dead;        /* the driver has taken its memory back: touch nothing */
	uint64_t pops;
	/* Heads that were in use when the ring was saved: they are popped first, in this order. */
	uint16_t *again; /* owned */
	uint32_t n_again, next_again;
	struct vring_inflight *inflight; /* borrowed; NULL: nobody keeps a ledger */
};

/* -EINVAL with a static sentence in *@ret_why when the driver's setup is refused, or -ENOMEM. */
int vring_start(struct vring *ring, const struct vring_setup *setup,
	const struct vring_memory *memory, const char **ret_why);
/* Forgets chains that are in use; zeroed is fine. */
void vring_stop(struct vring *ring);
/* From now on nothing of the ring's own is read or written, not even if it is being started.  [any]
 */
void vring_kill(struct vring *ring);
/* Before a start that follows a kill: what kills and what revives must exclude each other, so that
 * a kill that comes after the driver's setup was read is not forgotten.  [any] */
void vring_revive(struct vring *ring);

/* 1, 0 when empty, -EPROTO or -ENOMEM with ring->fault set. */
int vring_pop(struct vring *ring, struct tenon_chain *ret_chain);
void vring_unpop(struct vring *ring, const struct tenon_chain *chain);
/* -EINVAL when that chain is not in use. */
int vring_push(struct vring *ring, const struct tenon_chain *chain, uint32_t written);
/* All of them become visible to the driver at once; those that are not in use are left out. */
void vring_push_many(
	struct vring *ring, const struct tenon_chain *chains, const uint32_t *written, uint32_t n);
/* Whether the driver is to be interrupted for what was pushed since the last call. */
bool vring_must_notify(struct vring *ring);
/* True when kicks are wanted and chains came meanwhile. */
bool vring_want_kicks(struct vring *ring, bool want);

/* ---- saving and loading: vring_state.c ---- */

struct vring_state {
	uint16_t last_avail, next_used, signalled_used;
	bool kicks, faulted;
	const uint16_t *in_flight; /* heads of chains that are in use, in the order of the pops */
	uint32_t n_in_flight;
};

/* Fills @heads, of which there is room for the queue's size; returns how many are in use, or
 * -ENOMEM. */
int vring_in_flight(const struct vring *ring, uint16_t *heads);
/* Of a ring that was just started: goes on where the saved one was.  Chains that were in use come
 * out of vring_pop() once more.  -EINVAL with a sentence in *@ret_why, or -ENOMEM. */
int vring_restore(struct vring *ring, const struct vring_state *state, const char **ret_why);

#endif
