/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Split rings.
 *
 * Layout (2.7.5, 2.7.6, 2.7.8): descriptors of 16 bytes {addr 8, len 4, flags 2, next 2}; the
 * available ring {flags 2, idx 2, ring[size] of 2, used_event 2}; the used ring {flags 2, idx 2,
 * ring[size] of {id 4, len 4}, avail_event 2}.  All little-endian.
 *
 * Orders: the available index is loaded with acquire, pairing with the driver's barrier before it
 * publishes; the used index is stored with release; a full fence stands between publishing an index
 * and reading the other side's wish for a notification, on both paths (2.7.13.4, 2.7.14).
 */
#include "sdk/virtio/vring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/virtio/vring_inflight.h"

#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u
#define DESC_SIZE     16u

#define AVAIL_NO_INTERRUPT 1u
#define USED_NO_NOTIFY     1u

#define MAX_IOV 4096u /* of one chain, pieces of memory included */

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/* ---- guest memory, little-endian ---- */

static uint16_t load16(const uint8_t *at)
{
	uint16_t v;

	__atomic_load((const uint16_t *)(const void *)at, &v, __ATOMIC_RELAXED);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	return v;
}

static void store16(uint8_t *at, uint16_t v, int order)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	if (order == __ATOMIC_RELEASE)
		__atomic_store_n((uint16_t *)(void *)at, v, __ATOMIC_RELEASE);
	else
		__atomic_store_n((uint16_t *)(void *)at, v, __ATOMIC_RELAXED);
}

static void store32(uint8_t *at, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	__atomic_store_n((uint32_t *)(void *)at, v, __ATOMIC_RELAXED);
}

/* One copy: what is checked is what is used. */
static struct desc load_desc(const uint8_t *at)
{
	uint8_t raw[DESC_SIZE];
	struct desc d;

	memcpy(raw, at, sizeof(raw));
	memcpy(&d.addr, raw, 8);
	memcpy(&d.len, raw + 8, 4);
	memcpy(&d.flags, raw + 12, 2);
	memcpy(&d.next, raw + 14, 2);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	d = (struct desc){ __builtin_bswap64(d.addr), __builtin_bswap32(d.len),
		__builtin_bswap16(d.flags), __builtin_bswap16(d.next) };
#endif
	return d;
}

static uint16_t avail_idx(const struct vring *r)
{
	uint16_t idx = load16(r->avail + 2);

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return idx;
}

static void dirty(const struct vring *r, const void *host, uint64_t size)
{
	if (r->memory->mark_dirty)
		r->memory->mark_dirty(r->memory->opaque, host, size);
}

/* ---- setting up ---- */

/* A table must lie in one piece. */
static void *map_table(
	const struct vring_memory *m, uint64_t gpa, uint64_t size, uint64_t align, bool write)
{
	uint64_t there = size;
	void *host;

	if (gpa % align != 0)
		return NULL;
	host = m->map(m->opaque, gpa, &there, write);
	return there == size ? host : NULL;
}

/* All but `dead`, which another thread may be setting. */
static void clear(struct vring *r)
{
	r->memory = NULL;
	r->setup = (struct vring_setup){ .size = 0 };
	r->desc = r->avail = NULL;
	r->used = NULL;
	r->slots = NULL;
	r->last_avail = r->next_used = r->signalled_used = 0;
	r->kicks = true;
	r->inflight = NULL;
	r->fault = NULL;
	r->pops = 0;
	r->again = NULL;
	r->n_again = r->next_again = 0;
}

int vring_start(struct vring *ring, const struct vring_setup *setup,
	const struct vring_memory *memory, const char **ret_why)
{
	uint64_t n = setup->size;
	void *used;

	*ret_why = "the queue's size is not a power of two up to 32768";
	if (n == 0 || n > 32768 || (n & (n - 1)) != 0)
		return -EINVAL;
	clear(ring);
	ring->memory = memory;
	*ret_why = "the descriptor table is not in memory";
	ring->desc = map_table(memory, setup->desc, n * DESC_SIZE, 16, false);
	if (!ring->desc)
		return -EINVAL;
	*ret_why = "the available ring is not in memory";
	ring->avail = map_table(memory, setup->avail, 6 + n * 2, 2, false);
	if (!ring->avail)
		return -EINVAL;
	*ret_why = "the used ring is not in memory";
	used = map_table(memory, setup->used, 6 + n * 8, 4, true);
	if (!used)
		return -EINVAL;
	ring->used = used;
	ring->slots = calloc(n, sizeof(*ring->slots));
	if (!ring->slots) {
		*ret_why = "out of memory";
		return -ENOMEM;
	}
	ring->setup = *setup;
	return 0;
}

void vring_stop(struct vring *ring)
{
	for (uint32_t i = 0; ring->slots && i < ring->setup.size; i++)
		free(ring->slots[i].far);
	free(ring->slots);
	free(ring->again);
	clear(ring);
}

void vring_kill(struct vring *ring)
{
	atomic_store_explicit(&ring->dead, true, memory_order_seq_cst);
}

void vring_revive(struct vring *ring)
{
	atomic_store_explicit(&ring->dead, false, memory_order_seq_cst);
}

static bool live(const struct vring *r)
{
	return r->setup.size != 0 && !r->fault &&
	       !atomic_load_explicit(&r->dead, memory_order_acquire);
}

/* ---- chains ---- */

struct walk {
	struct vring *ring;
	struct vring_slot *slot;
	uint32_t n_out, n_in;
	uint64_t out_bytes, in_bytes;
};

static int fault(struct vring *r, const char *why)
{
	r->fault = why;
	return -EPROTO;
}

static struct iovec *iov_of(struct vring_slot *slot)
{
	return slot->far ? slot->far : slot->near;
}

static int make_room(struct vring_slot *slot, uint32_t n)
{
	uint32_t room = slot->far ? slot->far_room : VRING_INLINE_IOV, more = room;
	struct iovec *far;

	if (n <= room)
		return 0;
	assert(room > 0);
	while (more < n)
		more *= 4;
	far = calloc(more, sizeof(*far));
	if (!far)
		return -ENOMEM;
	memcpy(far, iov_of(slot), room * sizeof(*far));
	free(slot->far);
	slot->far = far;
	slot->far_room = more;
	return 0;
}

/* One buffer; it may lie in several pieces of memory that adjoin in the guest's addresses. */
static int add_buffer(struct walk *w, uint64_t gpa, uint32_t len, bool write)
{
	const struct vring_memory *m = w->ring->memory;
	uint64_t end, left = len;

	if (len == 0)
		return fault(w->ring, "a descriptor of zero length");
	if (__builtin_add_overflow(gpa, left - 1, &end))
		return fault(w->ring, "a descriptor that wraps around the address space");
	while (left > 0) {
		uint32_t n = w->n_out + w->n_in;
		uint64_t part = left;
		void *host = m->map(m->opaque, gpa, &part, write);

		if (!host || part == 0)
			return fault(w->ring, "a descriptor that points outside of memory");
		if (n == MAX_IOV)
			return fault(w->ring, "a chain of too many pieces");
		if (make_room(w->slot, n + 1) < 0)
			return -ENOMEM;
		iov_of(w->slot)[n] = (struct iovec){ host, (size_t)part };
		if (write)
			w->n_in++;
		else
			w->n_out++;
		gpa += part;
		left -= part;
	}
	return 0;
}

static int add_desc(struct walk *w, const struct desc *d)
{
	bool write = d->flags & DESC_WRITE;
	int ret;

	if (!write && w->n_in > 0)
		return fault(w->ring, "a readable descriptor after a writable one");
	ret = add_buffer(w, d->addr, d->len, write);
	if (ret < 0)
		return ret;
	if (write)
		w->in_bytes += d->len;
	else
		w->out_bytes += d->len;
	if (w->in_bytes + w->out_bytes > UINT32_MAX)
		return fault(w->ring, "a chain of more than 4 GiB");
	return 0;
}

struct table {
	const uint8_t *at;
	uint32_t n;
	bool indirect;
};

static int enter_indirect(struct walk *w, const struct desc *d, struct table *table)
{
	uint32_t most =
		w->ring->setup.size > VRING_MAX_INDIRECT ? w->ring->setup.size : VRING_MAX_INDIRECT;

	if (!w->ring->setup.indirect)
		return fault(w->ring, "an indirect descriptor that was not negotiated");
	if (table->indirect || (d->flags & DESC_NEXT))
		return fault(w->ring, "an indirect descriptor inside or before another");
	if (d->len == 0 || d->len % DESC_SIZE != 0 || d->len / DESC_SIZE > most)
		return fault(w->ring, "an indirect table of a bad length");
	table->at = map_table(w->ring->memory, d->addr, d->len, 1, false);
	if (!table->at)
		return fault(w->ring, "an indirect table outside of memory");
	table->n = d->len / DESC_SIZE;
	table->indirect = true;
	return 0;
}

static int walk_table(struct walk *w, uint16_t head)
{
	struct table table = { w->ring->desc, w->ring->setup.size, false };
	uint32_t i = head, seen = 0;

	for (;;) {
		struct desc d;
		int ret;

		if (seen++ >= table.n)
			return fault(w->ring, "a chain that loops");
		d = load_desc(table.at + (size_t)i * DESC_SIZE);
		if (d.flags & DESC_INDIRECT) {
			ret = enter_indirect(w, &d, &table);
			if (ret < 0)
				return ret;
			i = seen = 0;
			continue;
		}
		ret = add_desc(w, &d);
		if (ret < 0)
			return ret;
		if (!(d.flags & DESC_NEXT))
			return 0;
		i = d.next;
		if (i >= table.n)
			return fault(w->ring, "a descriptor index past the table");
	}
}

/* Where somebody wants to know what was written, a second copy that the device does not see: it may
 * consume the first. */
static int keep_copy(struct walk *w)
{
	uint32_t n = w->n_out + w->n_in;

	w->slot->n_in = 0;
	if (!w->ring->memory->mark_dirty)
		return 0;
	if (make_room(w->slot, 2 * n) < 0)
		return -ENOMEM;
	memcpy(iov_of(w->slot) + n, iov_of(w->slot), n * sizeof(struct iovec));
	w->slot->copied_in = n + w->n_out;
	w->slot->n_in = w->n_in;
	return 0;
}

static int walk(struct walk *w, uint16_t head)
{
	int ret = walk_table(w, head);

	if (ret == 0)
		ret = keep_copy(w);
	if (ret == -ENOMEM)
		w->ring->fault = "a chain that there is no memory for";
	return ret;
}

/* ---- pop ---- */

static void publish_avail_event(struct vring *r)
{
	store16(r->used + 4 + (size_t)r->setup.size * 8, r->last_avail, __ATOMIC_RELAXED);
}

/* Whether there is something; an empty ring asks to be kicked and looks once more. */
static int available(struct vring *r)
{
	uint16_t n = (uint16_t)(avail_idx(r) - r->last_avail);

	if (n == 0 && r->kicks && r->setup.event_idx) {
		publish_avail_event(r);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		n = (uint16_t)(avail_idx(r) - r->last_avail);
	}
	if (n > r->setup.size)
		return fault(r, "an available index that is ahead by more than the queue's size");
	return n;
}

/* The head of the next chain: 1, 0 when there is none, or an error.  *@ret_ledger: it is one that a
 * ledger knows from before. */
static int next_head(struct vring *ring, uint16_t *ret_head, bool *ret_ledger)
{
	size_t slot = ring->last_avail & (ring->setup.size - 1);
	int ret;

	*ret_ledger = false;
	if (ring->next_again < ring->n_again) {
		*ret_head = ring->again[ring->next_again];
		return 1;
	}
	*ret_ledger = ring->inflight && vring_inflight_next(ring->inflight, ret_head);
	if (*ret_ledger)
		return 1;
	ret = available(ring);
	if (ret > 0)
		*ret_head = load16(ring->avail + 4 + slot * 2);
	return ret;
}

static void take(struct vring *ring, struct vring_slot *slot, uint16_t head, bool ledger)
{
	slot->in_use = true;
	slot->order = ring->pops++;
	slot->ledger = ledger;
	slot->again = !ledger && ring->next_again < ring->n_again;
	if (slot->again)
		ring->next_again++;
	else if (!ledger)
		ring->last_avail++;
	if (ring->inflight && !ledger)
		vring_inflight_take(ring->inflight, head);
}

int vring_pop(struct vring *ring, struct tenon_chain *ret_chain)
{
	struct walk w = { .ring = ring };
	bool ledger;
	uint16_t head;
	int ret;

	if (!live(ring))
		return 0;
	ret = next_head(ring, &head, &ledger);
	if (ret <= 0)
		return ret;
	if (head >= ring->setup.size)
		return fault(ring, "an available head past the descriptor table");
	w.slot = &ring->slots[head];
	if (w.slot->in_use)
		return fault(ring, "a chain that is in use already");
	ret = walk(&w, head);
	if (ret < 0)
		return ret;
	take(ring, w.slot, head, ledger);
	*ret_chain = (struct tenon_chain){
		.out = iov_of(w.slot),
		.in = iov_of(w.slot) + w.n_out,
		.n_out = w.n_out,
		.n_in = w.n_in,
		.out_bytes = w.out_bytes,
		.in_bytes = w.in_bytes,
		.head = head,
	};
	return 1;
}

void vring_unpop(struct vring *ring, const struct tenon_chain *chain)
{
	if (!live(ring) || chain->head >= ring->setup.size || !ring->slots[chain->head].in_use)
		return;
	ring->slots[chain->head].in_use = false;
	if (ring->slots[chain->head].again)
		ring->next_again--;
	else if (!ring->slots[chain->head].ledger)
		ring->last_avail--;
	if (ring->inflight)
		vring_inflight_untake(ring->inflight, chain->head, ring->slots[chain->head].ledger);
}

/* ---- push ---- */

static void mark_written(const struct vring *r, struct vring_slot *slot, uint32_t written)
{
	const struct iovec *in = iov_of(slot) + slot->copied_in;

	for (uint32_t i = 0; i < slot->n_in && written > 0; i++) {
		uint32_t part = written < in[i].iov_len ? written : (uint32_t)in[i].iov_len;

		dirty(r, in[i].iov_base, part);
		written -= part;
	}
}

/* Gives a chain's place back; whether it had one. */
static bool end_use(struct vring *ring, const struct tenon_chain *chain)
{
	if (!ring->slots || chain->head >= ring->setup.size || !ring->slots[chain->head].in_use)
		return false;
	ring->slots[chain->head].in_use = false;
	return true;
}

/* Writes an entry that the driver does not see yet. */
static void fill_used(struct vring *ring, const struct tenon_chain *chain, uint32_t written)
{
	uint8_t *entry = ring->used + 4 + (size_t)(ring->next_used & (ring->setup.size - 1)) * 8;

	mark_written(ring, &ring->slots[chain->head], written);
	if (ring->inflight)
		vring_inflight_give(ring->inflight, chain->head);
	store32(entry, chain->head);
	store32(entry + 4, written);
	ring->next_used++;
}

static void publish_used(struct vring *ring)
{
	store16(ring->used + 2, ring->next_used, __ATOMIC_RELEASE);
	dirty(ring, ring->used, 6 + (uint64_t)ring->setup.size * 8);
}

/* What was published is the driver's again: the ledger forgets it. */
static void settle(struct vring *ring, const struct tenon_chain *chains, uint32_t n)
{
	if (!ring->inflight)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (chains[i].head < ring->setup.size && !ring->slots[chains[i].head].in_use)
			vring_inflight_given(ring->inflight, chains[i].head);
	vring_inflight_done(ring->inflight, ring->next_used);
}

int vring_push(struct vring *ring, const struct tenon_chain *chain, uint32_t written)
{
	if (!end_use(ring, chain))
		return -EINVAL;
	if (!live(ring))
		return 0;
	fill_used(ring, chain, written);
	publish_used(ring);
	settle(ring, chain, 1);
	return 0;
}

void vring_push_many(
	struct vring *ring, const struct tenon_chain *chains, const uint32_t *written, uint32_t n)
{
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		if (!end_use(ring, &chains[i]) || !live(ring))
			continue;
		fill_used(ring, &chains[i], written[i]);
		any = true;
	}
	if (any) {
		publish_used(ring);
		settle(ring, chains, n);
	}
}

bool vring_must_notify(struct vring *ring)
{
	uint16_t old = ring->signalled_used, new = ring->next_used, event;

	if (!live(ring) || old == new)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ring->signalled_used = new;
	if (!ring->setup.event_idx)
		return !(load16(ring->avail) & AVAIL_NO_INTERRUPT);
	event = load16(ring->avail + 4 + (size_t)ring->setup.size * 2);
	/* 2.7.7.2: whether the driver's index lies among those just passed. */
	return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

bool vring_want_kicks(struct vring *ring, bool want)
{
	if (!live(ring))
		return false;
	ring->kicks = want;
	if (!ring->setup.event_idx)
		store16(ring->used, want ? 0 : USED_NO_NOTIFY, __ATOMIC_RELAXED);
	else if (want)
		publish_avail_event(ring);
	if (!want)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring->next_again < ring->n_again || avail_idx(ring) != ring->last_avail;
}
