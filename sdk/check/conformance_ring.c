/* SPDX-License-Identifier: Apache-2.0 */
/* Split virtqueues: sizes, framing, descriptors, indirect tables, the used ring (2.7). */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "sdk/check/conformance.h"

#define MOST_PARTS 8u

const char *every_queue_size_works(struct tk_dev *d)
{
	struct willing w;
	uint32_t most;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	tk_set_reg(d, REG_QUEUE_SEL, w.queue);
	most = tk_reg(d, REG_QUEUE_NUM_MAX);
	TK_TRUE(most > 0 && most <= 32768 && (most & (most - 1)) == 0);
	for (uint32_t size = 2; size <= most && size <= 1024; size *= 2) {
		TK_EQ(tk_driver(d, UINT64_MAX, size), 0);
		for (uint32_t i = 0; i < 2 * size && i < 40; i++)
			(void)ask_willing(d, &w);
	}
	return NULL;
}

/* ---- framing ---- */

/* Cuts @size bytes into uneven parts; returns how many. */
static unsigned cut(struct tk_part *parts, uint32_t size, uint32_t in, unsigned most)
{
	static const uint8_t zeroes[64];
	unsigned n = 0;

	for (uint32_t done = 0; done < size; n++) {
		uint32_t part = n + 1 == most ? size - done : 1 + n * 2;

		if (part > size - done)
			part = size - done;
		parts[n] = (struct tk_part){ 0, in ? NULL : zeroes, part, in };
		done += part;
	}
	return n;
}

const char *framing_does_not_matter(struct tk_dev *d)
{
	struct tk_part parts[2 * MOST_PARTS];
	struct willing w;
	struct tk_buf *b;
	long long whole;
	unsigned n;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	whole = ask_willing(d, &w);
	n = cut(parts, w.out, 0, MOST_PARTS);
	n += cut(parts + n, w.in, 1, MOST_PARTS);
	for (int indirect = 0; indirect < 2; indirect++) {
		tk_use_indirect(d, indirect && (tk_features(d) & TK_F_INDIRECT));
		b = tk_chain(d, w.queue, parts, n);
		tk_kick(d, w.queue);
		tk_run_until_idle(d);
		if (tk_used_len(b) != whole)
			CHECK_FAIL(
				"a request in one piece was answered with %lld bytes, in %u pieces "
				"with %lld (-1: not at all)",
				whole, n, tk_used_len(b));
		tk_free(b);
	}
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
	return NULL;
}

/* ---- what the device may write ---- */

/* The watch is over all of memory: the out parts, the descriptor table and the available ring are
 * not among what the kit allows.  A request of both kinds of parts goes along, answered or not. */
const char *readable_memory_is_left_alone(struct tk_dev *d)
{
	struct willing w;
	struct tk_ring r;
	struct tk_buf *b;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	for (int indirect = 0; indirect < 2; indirect++) {
		tk_mem_watch();
		r = tk_ring(d, w.queue);
		tk_mem_allow(r.used, 6 + (uint64_t)r.size * 8);
		tk_use_indirect(d, indirect && (tk_features(d) & TK_F_INDIRECT));
		b = add_willing(d, &w);
		(void)tk_request(d, w.queue, "not to be written", 17, 64);
		tk_kick(d, w.queue);
		tk_run_until_idle(d);
		TK_TRUE(tk_used_len(b) >= 0);
		tk_mem_check();
	}
	return NULL;
}

/* ---- indirect tables ---- */

/* Descriptors of a table at @gpa, as write_willing() puts them into the queue's own. */
static unsigned write_table(
	const struct willing *w, uint64_t gpa, uint64_t out_gpa, uint64_t in_gpa)
{
	unsigned n = 0;

	for (unsigned in = 0; in < 2; in++) {
		uint32_t len = in ? w->in : w->out;
		uint64_t addr = in ? in_gpa : out_gpa;
		uint16_t flags = in ? DESC_WRITE : w->in ? DESC_NEXT : 0;
		uint8_t raw[16];

		if (len == 0)
			continue;
		for (unsigned i = 0; i < 8; i++)
			raw[i] = (uint8_t)(addr >> (8 * i));
		for (unsigned i = 0; i < 4; i++)
			raw[8 + i] = (uint8_t)(len >> (8 * i));
		raw[12] = (uint8_t)flags;
		raw[14] = (uint8_t)(n + 1);
		raw[13] = raw[15] = 0;
		tk_put(gpa + n++ * 16ull, raw, sizeof(raw));
	}
	return n;
}

/* Makes descriptor 0 available and expects it to be used. */
static void offer_head_0(struct tk_dev *d, const struct willing *w, const char *what)
{
	uint16_t before = tk_used_idx(d, w->queue), avail = tk_avail_idx(d, w->queue);

	tk_set_avail(d, w->queue, avail, 0);
	tk_set_avail_idx(d, w->queue, (uint16_t)(avail + 1));
	tk_kick(d, w->queue);
	tk_run_until_idle(d);
	if (tk_status(d) & TK_S_NEEDS_RESET)
		CHECK_FAIL("%s: the device wants to be reset", what);
	if (tk_used_idx(d, w->queue) != (uint16_t)(before + 1))
		CHECK_FAIL("%s: the chain was not used", what);
}

#define NO_INDIRECT "indirect descriptors are not offered"

const char *indirect_ignores_the_write_flag(struct tk_dev *d)
{
	uint64_t table = tk_alloc(64, 16), out = tk_alloc(64, 1), in = tk_alloc(520, 1);
	struct willing w;
	unsigned n;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	if (!(tk_features(d) & TK_F_INDIRECT))
		return NO_INDIRECT;
	n = write_table(&w, table, out, in);
	tk_set_desc(d, w.queue, 0, table, n * 16, DESC_INDIRECT | DESC_WRITE, 0);
	offer_head_0(d, &w, "an indirect descriptor with the write flag");
	return NULL;
}

const char *indirect_after_direct(struct tk_dev *d)
{
	uint64_t table = tk_alloc(64, 16), out = tk_alloc(64, 1), in = tk_alloc(520, 1);
	struct willing w, rest;
	unsigned n;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	if (!(tk_features(d) & TK_F_INDIRECT))
		return NO_INDIRECT;
	rest = w; /* the first 8 bytes go into a descriptor of their own */
	if (w.out)
		rest.out -= 8;
	else
		rest.in -= 8;
	n = write_table(&rest, table, out + (w.out ? 8 : 0), in + (w.out ? 0 : 8));
	tk_set_desc(d, w.queue, 0, w.out ? out : in, 8,
		(uint16_t)(DESC_NEXT | (w.out ? 0 : DESC_WRITE)), 1);
	tk_set_desc(d, w.queue, 1, table, n * 16, DESC_INDIRECT, 0);
	offer_head_0(d, &w, "a descriptor followed by an indirect one");
	return NULL;
}

/* ---- the used ring ---- */

struct reader {
	const uint8_t *used; /* the ring, in the host's memory */
	uint32_t size;
	atomic_bool stop;
	atomic_uint early, seen;
};

/* Looks at the length as soon as the index says that there is one. */
static void *read_used(void *arg)
{
	struct reader *r = arg;
	uint16_t last = 0;

	while (!atomic_load(&r->stop)) {
		uint16_t idx = __atomic_load_n(
			(const uint16_t *)(const void *)(r->used + 2), __ATOMIC_ACQUIRE);

		for (; last != idx; last++) {
			const uint8_t *entry = r->used + 4 + (size_t)(last % r->size) * 8;
			uint32_t len = __atomic_load_n(
				(const uint32_t *)(const void *)(entry + 4), __ATOMIC_RELAXED);

			atomic_fetch_add(&r->early, len == UINT32_MAX);
			atomic_fetch_add(&r->seen, 1);
		}
	}
	return NULL;
}

const char *used_len_comes_before_idx(struct tk_dev *d)
{
	static const uint8_t unset[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct reader r = { .used = NULL };
	struct willing w;
	struct tk_ring ring;
	pthread_t thread;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	ring = tk_ring(d, w.queue);
	r.used = tk_mem(ring.used, 6 + (size_t)ring.size * 8);
	r.size = ring.size;
	for (uint32_t i = 0; i < ring.size; i++)
		tk_put(ring.used + 4 + i * 8ull, unset, sizeof(unset));
	TK_EQ(pthread_create(&thread, NULL, read_used, &r), 0);
	for (uint32_t i = 0; i < ring.size / 2; i++)
		(void)ask_willing(d, &w);
	while (atomic_load(&r.seen) < ring.size / 2)
		(void)sched_yield();
	atomic_store(&r.stop, true);
	(void)pthread_join(thread, NULL);
	if (atomic_load(&r.early))
		CHECK_FAIL("the used index moved before the length was there");
	return NULL;
}

/* A request whose in part is full of @byte. */
static struct tk_buf *add_filled(struct tk_dev *d, const struct willing *w, uint8_t byte)
{
	struct tk_part parts[2];
	uint8_t filling[520];
	unsigned n = 0;

	memset(filling, byte, sizeof(filling));
	if (w->out)
		parts[n++] = (struct tk_part){ tk_alloc(w->out, 1), NULL, w->out, 0 };
	parts[n++] = (struct tk_part){ tk_alloc(w->in, 1), NULL, w->in, 1 };
	tk_put(parts[n - 1].gpa, filling, w->in);
	return tk_chain(d, w->queue, parts, n);
}

/* A byte that keeps its filling three times, each time another one, was not written. */
const char *used_len_was_written(struct tk_dev *d)
{
	static const uint8_t fillings[] = { 0xa5, 0x5a, 0xc3 };
	uint8_t kept[520], got[520];
	long long shortest = sizeof(kept);
	struct willing w;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	if (w.in == 0)
		return "its answers have no bytes";
	memset(kept, 1, sizeof(kept));
	for (unsigned round = 0; round < 3; round++) {
		struct tk_buf *b = add_filled(d, &w, fillings[round]);
		long long len;

		tk_kick(d, w.queue);
		tk_run_until_idle(d);
		len = tk_used_len(b);
		TK_TRUE(len >= 0);
		shortest = len < shortest ? len : shortest;
		(void)tk_in_bytes(b, got, sizeof(got));
		for (uint32_t i = 0; i < w.in; i++)
			kept[i] &= got[i] == fillings[round];
	}
	for (long long i = 0; i < shortest; i++)
		if (kept[i])
			CHECK_FAIL("the used length is %lld, and byte %lld was never written",
				shortest, i);
	return NULL;
}

const char *used_len_fits(struct tk_dev *d)
{
	struct willing w;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	for (int i = 0; i < 20; i++) {
		long long len = ask_willing(d, &w);

		if (len > (long long)w.in)
			CHECK_FAIL("%lld bytes were written, there was room for %u", len, w.in);
	}
	return NULL;
}

/* The kit's driver fails the test for an entry that no chain is out for. */
const char *each_chain_is_used_once(struct tk_dev *d)
{
	struct tk_buf *bufs[40];
	struct willing w;
	unsigned n = 0, room;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	room = tk_ring(d, w.queue).size / 2;
	for (; n < 40 && n < room; n++)
		bufs[n] = add_willing(d, &w);
	tk_kick(d, w.queue);
	tk_run_until_idle(d);
	for (unsigned i = 0; i < n; i++)
		if (tk_used_len(bufs[i]) < 0)
			CHECK_FAIL("chain %u of %u was not used", i + 1, n);
	TK_EQ(tk_used_idx(d, w.queue), n);
	tk_kick(d, w.queue);
	tk_run_until_idle(d);
	TK_EQ(tk_used_idx(d, w.queue), n);
	return NULL;
}

/* One chain, over and over, until both indices have gone round; each time its entry is filled in.
 */
const char *indices_wrap(struct tk_dev *d)
{
	uint64_t out = tk_alloc(64, 1), in = tk_alloc(520, 1);
	struct willing w;
	uint16_t idx = 0;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	TK_EQ(tk_driver(d, TK_F_VERSION_1, 4), 0);
	(void)write_willing(d, &w, 0, out, in);
	for (unsigned i = 0; i < 65536 + 8; i++) {
		uint8_t *entry = tk_mem(tk_ring(d, w.queue).used + 4 + (idx % 4u) * 8ull, 8);

		memset(entry, 0xff, 8);
		tk_set_avail(d, w.queue, idx, 0);
		tk_set_avail_idx(d, w.queue, ++idx);
		tk_kick(d, w.queue);
		for (unsigned step = 0; tk_used_idx(d, w.queue) != idx && step < 100; step++)
			if (!tk_step())
				tk_run_until_idle(d); /* who works on it may be elsewhere */
		if (tk_used_idx(d, w.queue) != idx)
			CHECK_FAIL("chain %u was not used", i + 1);
		if (entry[0] != 0)
			CHECK_FAIL("the used entry of chain %u is not in its place", i + 1);
	}
	return NULL;
}
