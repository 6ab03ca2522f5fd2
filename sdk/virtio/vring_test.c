/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Split rings against a driver written out by hand: what is refused, what comes of a chain, and the
 * arithmetic of notifications (2.7 of the specification).
 */
#include "sdk/virtio/vring.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- guest memory: two pieces that adjoin, then a hole, then one that cannot be written ---- */

#define PIECE 0x10000u
#define A     0x10000u
#define B     0x20000u
#define HOLE  0x30000u
#define ROM   0x40000u

/* Of which nothing is ever read: one as large as can be, one that comes in pieces of a byte. */
#define HUGE_PIECE 0x100000000ull
#define CRUMBS     0x900000000ull

#define DESC   A
#define AVAIL  (A + 0x8000u)
#define USED   (A + 0xc000u)
#define BUFFER B
#define TABLE  (B + 0x8000u)

#define NEXT     1u
#define WRITE    2u
#define INDIRECT 4u

static uint8_t piece_a[PIECE], piece_b[PIECE], rom[PIECE];

struct mark {
	const uint8_t *at;
	uint64_t size;
};

static struct mark marks[64];
static unsigned n_marks;
static unsigned fail_calloc; /* the how-manieth call from now on fails; 0 = none */

/* The linker names them: NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (fail_calloc > 0 && --fail_calloc == 0)
		return NULL;
	return __real_calloc(n, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void *map(void *opaque, uint64_t gpa, uint64_t *size, bool write)
{
	static const struct {
		uint64_t gpa;
		uint8_t *host;
		bool writable;
	} pieces[] = { { A, piece_a, true }, { B, piece_b, true }, { ROM, rom, false } };

	(void)opaque;
	if (gpa >= HUGE_PIECE && gpa < UINT64_MAX / 2) {
		if (gpa >= CRUMBS)
			*size = 1;
		return rom;
	}
	for (size_t i = 0; i < 3; i++) {
		uint64_t offset = gpa - pieces[i].gpa;

		if (gpa < pieces[i].gpa || offset >= PIECE || (write && !pieces[i].writable))
			continue;
		if (*size > PIECE - offset)
			*size = PIECE - offset;
		return pieces[i].host + offset;
	}
	return NULL;
}

static void mark_dirty(void *opaque, const void *host, uint64_t size)
{
	(void)opaque;
	assert_true(n_marks < 64);
	marks[n_marks++] = (struct mark){ host, size };
}

static const struct vring_memory memory = { .map = map };
static const struct vring_memory logged = { .map = map, .mark_dirty = mark_dirty };

static uint8_t *at(uint64_t gpa)
{
	uint64_t size = 1;
	uint8_t *p = map(NULL, gpa, &size, false);

	assert_non_null(p);
	return p;
}

static void put16(uint64_t gpa, uint16_t v)
{
	at(gpa)[0] = (uint8_t)v;
	at(gpa)[1] = (uint8_t)(v >> 8);
}

static uint16_t get16(uint64_t gpa)
{
	return (uint16_t)(at(gpa)[0] | at(gpa)[1] << 8);
}

static uint32_t get32(uint64_t gpa)
{
	return get16(gpa) | (uint32_t)get16(gpa + 2) << 16;
}

static void desc_at(
	uint64_t table, unsigned i, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
	uint64_t d = table + i * UINT64_C(16);

	for (unsigned b = 0; b < 4; b++)
		put16(d + b * UINT64_C(2), (uint16_t)(gpa >> (16 * b)));
	put16(d + 8, (uint16_t)len);
	put16(d + 10, (uint16_t)(len >> 16));
	put16(d + 12, flags);
	put16(d + 14, next);
}

static void desc(unsigned i, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
	desc_at(DESC, i, gpa, len, flags, next);
}

/* ---- a ring ---- */

static struct vring ring;
static uint16_t avail;

static void offer(uint16_t head)
{
	put16(AVAIL + 4 + (uint64_t)(avail % ring.setup.size) * 2, head);
	put16(AVAIL + 2, ++avail);
}

static uint16_t used_idx(void)
{
	return get16(USED + 2);
}

static uint32_t used_id(unsigned i)
{
	return get32(USED + 4 + i * 8u);
}

static uint32_t used_len(unsigned i)
{
	return get32(USED + 8 + i * 8u);
}

static uint16_t avail_event(void)
{
	return get16(USED + 4 + ring.setup.size * 8u);
}

static void set_used_event(uint16_t v)
{
	put16(AVAIL + 4 + ring.setup.size * 2u, v);
}

static int start_with(const struct vring_memory *m, struct vring_setup setup, const char **why)
{
	memset(piece_a, 0, sizeof(piece_a));
	memset(piece_b, 0, sizeof(piece_b));
	avail = 0;
	n_marks = 0;
	return vring_start(&ring, &setup, m, why);
}

static struct vring_setup setup_of(uint32_t size)
{
	return (struct vring_setup){ size, DESC, AVAIL, USED, false, true };
}

static void start(uint32_t size)
{
	const char *why;

	assert_int_equal(start_with(&memory, setup_of(size), &why), 0);
}

static void start_event_idx(uint32_t size)
{
	struct vring_setup setup = setup_of(size);
	const char *why;

	setup.event_idx = true;
	assert_int_equal(start_with(&memory, setup, &why), 0);
}

static int stop(void **state)
{
	(void)state;
	fail_calloc = 0;
	vring_stop(&ring);
	vring_revive(&ring);
	return 0;
}

static struct tenon_chain pop(void)
{
	struct tenon_chain c;

	assert_int_equal(vring_pop(&ring, &c), 1);
	return c;
}

static void push_one(void)
{
	struct tenon_chain c;

	desc(0, BUFFER, 16, WRITE, 0);
	offer(0);
	c = pop();
	assert_int_equal(vring_push(&ring, &c, 1), 0);
}

/* ---- setting up ---- */

static void setups_are_checked(void **state)
{
	static const struct {
		uint32_t size;
		uint64_t desc, avail, used;
		const char *why;
	} bad[] = {
		{ 0, DESC, AVAIL, USED, "power of two" },
		{ 3, DESC, AVAIL, USED, "power of two" },
		{ 65536, DESC, AVAIL, USED, "power of two" },
		{ 0x80000000u, DESC, AVAIL, USED, "power of two" },
		{ 8, DESC + 8, AVAIL, USED, "descriptor table" },
		{ 8, HOLE, AVAIL, USED, "descriptor table" },
		{ 8, HOLE - 64, AVAIL, USED, "descriptor table" },
		{ 8, B - 64, AVAIL, USED, "descriptor table" }, /* two pieces */
		{ 8, UINT64_MAX - 15, AVAIL, USED, "descriptor table" },
		{ 8, DESC, AVAIL + 1, USED, "available ring" },
		{ 8, DESC, HOLE - 2, USED, "available ring" },
		{ 8, DESC, AVAIL, USED + 2, "used ring" },
		{ 8, DESC, AVAIL, ROM, "used ring" },
		{ 8, DESC, AVAIL, HOLE - 64, "used ring" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct vring_setup setup = { bad[i].size, bad[i].desc, bad[i].avail,
			bad[i].used, false, false };
		struct tenon_chain c;
		const char *why = NULL;

		assert_int_equal(start_with(&memory, setup, &why), -EINVAL);
		assert_non_null(strstr(why, bad[i].why));
		assert_int_equal(vring_pop(&ring, &c), 0);
		vring_stop(&ring);
	}
}

static void tables_may_end_where_memory_ends(void **state)
{
	const struct vring_setup setup = { 8, HOLE - 128, AVAIL, USED, false, false };
	const char *why;

	assert_int_equal(start_with(&memory, setup, &why), 0);
	desc_at(HOLE - 128, 7, BUFFER, 4, WRITE, 0);
	offer(7);
	assert_int_equal(pop().in_bytes, 4);
}

static void want_of_memory_is_said(void **state)
{
	const char *why;

	fail_calloc = 1;
	assert_int_equal(start_with(&memory, setup_of(8), &why), -ENOMEM);
	assert_string_equal(why, "out of memory");
	vring_stop(&ring);
	assert_int_equal(start_with(&memory, setup_of(8), &why), 0);
}

/* ---- chains ---- */

static void an_empty_ring_has_nothing(void **state)
{
	struct tenon_chain c;

	start(8);
	assert_int_equal(vring_pop(&ring, &c), 0);
}

static void a_chain_is_in_order(void **state)
{
	struct tenon_chain c;

	start(8);
	desc(3, BUFFER, 10, NEXT, 5);
	desc(5, BUFFER + 100, 20, NEXT, 1);
	desc(1, BUFFER + 200, 30, NEXT | WRITE, 2);
	desc(2, BUFFER + 300, 40, WRITE, 7);
	offer(3);
	c = pop();
	assert_int_equal(c.head, 3);
	assert_int_equal(c.n_out, 2);
	assert_int_equal(c.n_in, 2);
	assert_int_equal(c.out_bytes, 30);
	assert_int_equal(c.in_bytes, 70);
	assert_ptr_equal(c.out[0].iov_base, at(BUFFER));
	assert_int_equal(c.out[1].iov_len, 20);
	assert_ptr_equal(c.in[0].iov_base, at(BUFFER + 200));
	assert_ptr_equal(c.in[1].iov_base, at(BUFFER + 300));
	assert_int_equal(c.in[1].iov_len, 40);
}

static void what_is_pushed_stands_in_the_used_ring(void **state)
{
	struct tenon_chain a, b;

	start(4);
	desc(2, BUFFER, 8, WRITE, 0);
	desc(3, BUFFER + 8, 8, WRITE, 0);
	offer(2);
	offer(3);
	a = pop();
	b = pop();
	assert_int_equal(used_idx(), 0);
	assert_int_equal(vring_push(&ring, &b, 5), 0); /* in another order */
	assert_int_equal(used_idx(), 1);
	assert_int_equal(used_id(0), 3);
	assert_int_equal(used_len(0), 5);
	assert_int_equal(vring_push(&ring, &a, 8), 0);
	assert_int_equal(used_idx(), 2);
	assert_int_equal(used_id(1), 2);
	assert_int_equal(used_len(1), 8);
}

static void indices_wrap(void **state)
{
	start(4);
	for (uint32_t i = 0; i < 70000; i++) {
		push_one();
		assert_int_equal(used_idx(), (uint16_t)(i + 1));
	}
}

static void a_buffer_across_two_pieces_is_two(void **state)
{
	struct tenon_chain c;

	start(8);
	desc(0, B - 6, 16, WRITE, 0);
	offer(0);
	c = pop();
	assert_int_equal(c.n_in, 2);
	assert_int_equal(c.in_bytes, 16);
	assert_ptr_equal(c.in[0].iov_base, piece_a + PIECE - 6);
	assert_int_equal(c.in[0].iov_len, 6);
	assert_ptr_equal(c.in[1].iov_base, piece_b);
	assert_int_equal(c.in[1].iov_len, 10);
}

static void long_chains_find_room(void **state)
{
	struct tenon_chain c;

	start(256);
	for (unsigned i = 0; i < 256; i++)
		desc(i, BUFFER + i, 1, (uint16_t)((i < 255 ? NEXT : 0) | (i >= 100 ? WRITE : 0)),
			(uint16_t)(i + 1));
	for (unsigned round = 0; round < 3; round++) {
		offer(0);
		c = pop();
		assert_int_equal(c.n_out, 100);
		assert_int_equal(c.n_in, 156);
		for (unsigned i = 0; i < 100; i++)
			assert_ptr_equal(c.out[i].iov_base, at(BUFFER + i));
		for (unsigned i = 0; i < 156; i++)
			assert_ptr_equal(c.in[i].iov_base, at(BUFFER + 100 + i));
		assert_int_equal(vring_push(&ring, &c, 0), 0);
	}
}

/* The queue is then empty until the device is reset, as for a driver's fault. */
static void a_chain_without_memory_ends_the_queue(void **state)
{
	struct tenon_chain c;

	start(16);
	for (unsigned i = 0; i < 10; i++)
		desc(i, BUFFER + i, 1, i < 9 ? NEXT : 0, (uint16_t)(i + 1));
	offer(0);
	fail_calloc = 1;
	assert_int_equal(vring_pop(&ring, &c), -ENOMEM);
	assert_non_null(ring.fault);
	assert_int_equal(vring_pop(&ring, &c), 0);
}

static void indirect_tables_are_followed(void **state)
{
	struct tenon_chain c;

	start(4);
	for (unsigned i = 0; i < 20; i++) /* longer than the queue */
		desc_at(TABLE, i, BUFFER + i * 4, 4, i < 19 ? NEXT : 0, (uint16_t)(i + 1));
	desc(1, TABLE, 20 * 16, INDIRECT, 0);
	offer(1);
	c = pop();
	assert_int_equal(c.head, 1);
	assert_int_equal(c.n_out, 20);
	assert_int_equal(c.out_bytes, 80);
	assert_int_equal(vring_push(&ring, &c, 0), 0);
	assert_int_equal(used_id(0), 1);
}

/* 2.7.5.3.2: any number of ordinary descriptors, then a single indirect one. */
static void an_indirect_table_may_follow_descriptors(void **state)
{
	struct tenon_chain c;

	start(4);
	desc(0, BUFFER, 10, NEXT, 1);
	desc(1, TABLE, 32, INDIRECT, 0);
	desc_at(TABLE, 0, BUFFER + 10, 20, NEXT, 1);
	desc_at(TABLE, 1, BUFFER + 30, 30, WRITE, 0);
	offer(0);
	c = pop();
	assert_int_equal(c.n_out, 2);
	assert_int_equal(c.out_bytes, 30);
	assert_int_equal(c.in_bytes, 30);
}

/* 2.7.5.3.2: the write-only flag of the descriptor that names the table means nothing. */
static void the_write_flag_of_an_indirect_descriptor_is_ignored(void **state)
{
	struct tenon_chain c;

	start(4);
	desc_at(TABLE, 0, BUFFER, 8, 0, 0);
	desc(0, TABLE, 16, INDIRECT | WRITE, 0);
	offer(0);
	c = pop();
	assert_int_equal(c.n_out, 1);
	assert_int_equal(c.n_in, 0);
}

struct bad_chain {
	const char *why;
	struct {
		uint64_t table, gpa;
		uint32_t len;
		uint16_t flags, next;
	} descs[3];
	bool no_indirect;
};

static void bad_chains_are_refused(void **state)
{
	static const struct bad_chain bad[] = {
		{ "zero length", { { DESC, BUFFER, 0, 0, 0 } }, false },
		{ "outside of memory", { { DESC, HOLE, 1, 0, 0 } }, false },
		{ "outside of memory", { { DESC, HOLE - 4, 5, WRITE, 0 } }, false },
		{ "outside of memory", { { DESC, ROM, 4, WRITE, 0 } }, false },
		{ "outside of memory", { { DESC, UINT64_MAX, 1, 0, 0 } }, false },
		{ "wraps around", { { DESC, UINT64_MAX, 2, 0, 0 } }, false },
		{ "loops", { { DESC, BUFFER, 1, NEXT, 0 } }, false },
		{ "past the table", { { DESC, BUFFER, 1, NEXT, 8 } }, false },
		{ "readable descriptor after",
			{ { DESC, BUFFER, 1, NEXT | WRITE, 1 }, { DESC, BUFFER, 1, 0, 0 } },
			false },
		{ "not negotiated", { { DESC, TABLE, 16, INDIRECT, 0 } }, true },
		{ "bad length", { { DESC, TABLE, 0, INDIRECT, 0 } }, false },
		{ "bad length", { { DESC, TABLE, 17, INDIRECT, 0 } }, false },
		{ "bad length", { { DESC, TABLE, 1025 * 16, INDIRECT, 0 } }, false },
		{ "table outside", { { DESC, HOLE - 16, 32, INDIRECT, 0 } }, false },
		{ "table outside", { { DESC, B - 16, 32, INDIRECT, 0 } }, false },
		{ "inside or before", { { DESC, TABLE, 16, INDIRECT | NEXT, 1 } }, false },
		{ "inside or before",
			{ { DESC, TABLE, 16, INDIRECT, 0 }, { TABLE, TABLE, 16, INDIRECT, 0 } },
			false },
		{ "loops", { { DESC, TABLE, 16, INDIRECT, 0 }, { TABLE, BUFFER, 1, NEXT, 0 } },
			false },
		{ "past the table",
			{ { DESC, TABLE, 16, INDIRECT, 0 }, { TABLE, BUFFER, 1, NEXT, 1 } },
			false },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct vring_setup setup = setup_of(8);
		struct tenon_chain c;
		const char *why;

		setup.indirect = !bad[i].no_indirect;
		assert_int_equal(start_with(&memory, setup, &why), 0);
		for (unsigned n = 0, in_table[2] = { 0 }; n < 3 && bad[i].descs[n].table; n++)
			desc_at(bad[i].descs[n].table, in_table[bad[i].descs[n].table == TABLE]++,
				bad[i].descs[n].gpa, bad[i].descs[n].len, bad[i].descs[n].flags,
				bad[i].descs[n].next);
		offer(0);
		assert_int_equal(vring_pop(&ring, &c), -EPROTO);
		if (!strstr(ring.fault, bad[i].why))
			fail_msg("case %zu: \"%s\" lacks \"%s\"", i, ring.fault, bad[i].why);
		assert_int_equal(vring_pop(&ring, &c), 0); /* until it is reset */
		assert_int_equal(used_idx(), 0);
		vring_stop(&ring);
	}
}

/* The used ring counts bytes in 32 bits. */
static void chains_of_4_gib_are_refused(void **state)
{
	struct tenon_chain c;

	start(8);
	desc(0, HUGE_PIECE, UINT32_MAX, WRITE, 0);
	desc(1, HUGE_PIECE, UINT32_MAX, WRITE | NEXT, 2);
	desc(2, HUGE_PIECE, 1, WRITE, 0);
	offer(0);
	offer(1);
	assert_int_equal(pop().in_bytes, UINT32_MAX);
	assert_int_equal(vring_pop(&ring, &c), -EPROTO);
	assert_non_null(strstr(ring.fault, "more than 4 GiB"));
}

static void chains_of_endless_pieces_are_refused(void **state)
{
	struct tenon_chain c;

	start(8);
	desc(0, CRUMBS, 4096, WRITE, 0);
	desc(1, CRUMBS, 4097, WRITE, 0);
	offer(0);
	offer(1);
	assert_int_equal(pop().n_in, 4096);
	assert_int_equal(vring_pop(&ring, &c), -EPROTO);
	assert_non_null(strstr(ring.fault, "too many pieces"));
}

static void heads_and_indices_are_checked(void **state)
{
	struct tenon_chain c;

	start(8);
	offer(8);
	assert_int_equal(vring_pop(&ring, &c), -EPROTO);
	assert_non_null(strstr(ring.fault, "head past"));
	vring_stop(&ring);

	start(8);
	put16(AVAIL + 2, 9);
	assert_int_equal(vring_pop(&ring, &c), -EPROTO);
	assert_non_null(strstr(ring.fault, "ahead"));
	vring_stop(&ring);

	start(8); /* as many as there are is fine */
	desc(0, BUFFER, 1, 0, 0);
	put16(AVAIL + 2, 8);
	assert_int_equal(vring_pop(&ring, &c), 1);
}

static void a_chain_that_is_out_cannot_come_again(void **state)
{
	struct tenon_chain c;

	start(8);
	desc(0, BUFFER, 1, 0, 0);
	offer(0);
	offer(0);
	c = pop();
	assert_int_equal(vring_pop(&ring, &c), -EPROTO);
	assert_non_null(strstr(ring.fault, "in use"));
}

static void what_is_not_out_cannot_be_pushed(void **state)
{
	struct tenon_chain c, wrong = { .head = 5 };

	start(8);
	assert_int_equal(vring_push(&ring, &wrong, 0), -EINVAL);
	wrong.head = 8;
	assert_int_equal(vring_push(&ring, &wrong, 0), -EINVAL);
	desc(0, BUFFER, 1, 0, 0);
	offer(0);
	c = pop();
	assert_int_equal(vring_push(&ring, &c, 0), 0);
	assert_int_equal(vring_push(&ring, &c, 0), -EINVAL);
	assert_int_equal(used_idx(), 1);
}

static void unpop_gives_it_back(void **state)
{
	struct tenon_chain a, b;

	start(8);
	desc(0, BUFFER, 4, WRITE, 0);
	desc(1, BUFFER + 4, 8, WRITE, 0);
	offer(0);
	offer(1);
	a = pop();
	vring_unpop(&ring, &a);
	b = pop();
	assert_int_equal(b.head, 0);
	assert_int_equal(b.in_bytes, 4);
	assert_int_equal(pop().head, 1);
	vring_unpop(&ring, &(struct tenon_chain){ .head = 7 }); /* is not out */
	assert_int_equal(vring_pop(&ring, &a), 0);
}

static void unpop_keeps_the_index_over_the_wrap(void **state)
{
	struct tenon_chain c;

	start(4);
	for (unsigned i = 0; i < 65535; i++)
		push_one();
	offer(0);
	c = pop(); /* the index is 0 now */
	vring_unpop(&ring, &c);
	c = pop();
	assert_int_equal(vring_push(&ring, &c, 0), 0);
	assert_int_equal(used_idx(), 0);
}

/* ---- notifications ---- */

static void the_driver_may_want_no_interrupts(void **state)
{
	start(8);
	assert_false(vring_must_notify(&ring));
	push_one();
	assert_true(vring_must_notify(&ring));
	assert_false(vring_must_notify(&ring));
	put16(AVAIL, 1);
	push_one();
	assert_false(vring_must_notify(&ring));
	put16(AVAIL, 0);
	push_one();
	assert_true(vring_must_notify(&ring));
}

/* 2.7.7.2, over the end of the numbers too. */
static void event_indices_are_compared_modulo_65536(void **state)
{
	static const struct {
		uint16_t old, new, event;
		bool wanted;
	} cases[] = {
		{ 0, 1, 0, true },
		{ 0, 1, 1, false },
		{ 0, 5, 4, true },
		{ 0, 5, 5, false },
		{ 3, 5, 2, false },
		{ 3, 5, 3, true },
		{ 0, 1, 0xffff, false },
		{ 0xffff, 0, 0xffff, true },
		{ 0xffff, 0, 0, false },
		{ 0xfffe, 2, 0xfffd, false },
		{ 0xfffe, 2, 0xffff, true },
		{ 0xfffe, 2, 0, true },
		{ 0xfffe, 2, 1, true },
		{ 0xfffe, 2, 2, false },
		{ 0x7fff, 0x8001, 0x8000, true },
		{ 0x7fff, 0x8001, 0x8001, false },
	};

	start_event_idx(8);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ring.signalled_used = cases[i].old;
		ring.next_used = cases[i].new;
		set_used_event(cases[i].event);
		if (vring_must_notify(&ring) != cases[i].wanted)
			fail_msg("case %zu", i);
		assert_false(vring_must_notify(&ring));
	}
}

static void with_event_idx_the_flag_means_nothing(void **state)
{
	start_event_idx(8);
	put16(AVAIL, 1);
	set_used_event(0);
	push_one();
	assert_true(vring_must_notify(&ring));
}

static void an_empty_ring_asks_for_the_next_kick(void **state)
{
	struct tenon_chain c;

	start_event_idx(8);
	push_one();
	push_one();
	assert_int_equal(avail_event(), 0);
	assert_int_equal(vring_pop(&ring, &c), 0);
	assert_int_equal(avail_event(), 2);
}

static void kicks_can_be_refused_by_flag(void **state)
{
	start(8);
	assert_false(vring_want_kicks(&ring, false));
	assert_int_equal(get16(USED), 1);
	desc(0, BUFFER, 1, 0, 0);
	offer(0);
	assert_true(vring_want_kicks(&ring, true)); /* one came meanwhile */
	assert_int_equal(get16(USED), 0);
	(void)pop();
	assert_false(vring_want_kicks(&ring, true));
}

static void kicks_can_be_refused_by_index(void **state)
{
	struct tenon_chain c;

	start_event_idx(8);
	assert_false(vring_want_kicks(&ring, false));
	push_one();
	assert_int_equal(vring_pop(&ring, &c), 0);
	assert_int_equal(avail_event(), 0); /* not asked for */
	assert_int_equal(get16(USED), 0);
	assert_false(vring_want_kicks(&ring, true));
	assert_int_equal(avail_event(), 1);
}

/* ---- dirty memory ---- */

static void start_logged(void)
{
	const char *why;

	assert_int_equal(start_with(&logged, setup_of(8), &why), 0);
	desc(0, BUFFER, 10, WRITE | NEXT, 1);
	desc(1, BUFFER + 100, 10, WRITE | NEXT, 2);
	desc(2, BUFFER + 200, 10, WRITE, 0);
	offer(0);
}

static void check_marks(void)
{
	assert_int_equal(n_marks, 3);
	assert_ptr_equal(marks[0].at, at(BUFFER));
	assert_int_equal(marks[0].size, 10);
	assert_ptr_equal(marks[1].at, at(BUFFER + 100));
	assert_int_equal(marks[1].size, 5);
	assert_ptr_equal(marks[2].at, at(USED));
	assert_int_equal(marks[2].size, 6 + 8 * 8);
}

static void what_was_written_is_marked(void **state)
{
	struct tenon_chain c;

	start_logged();
	c = pop();
	assert_int_equal(n_marks, 0);
	assert_int_equal(vring_push(&ring, &c, 15), 0);
	check_marks();
}

/* A device may consume the iovecs in place; what it wrote is what the driver gave. */
static void consumed_iovecs_are_marked_all_the_same(void **state)
{
	struct tenon_chain c;

	start_logged();
	c = pop();
	c.in[0].iov_base = at(BUFFER + 4);
	c.in[0].iov_len = 6;
	c.in++;
	c.n_in--;
	c.in[0].iov_base = at(BUFFER + 105);
	c.in[0].iov_len = 5;
	assert_int_equal(vring_push(&ring, &c, 15), 0);
	check_marks();
}

static void long_chains_are_marked(void **state)
{
	const char *why;
	struct tenon_chain c;

	assert_int_equal(start_with(&logged, setup_of(64), &why), 0);
	for (unsigned i = 0; i < 40; i++)
		desc(i, BUFFER + i * 2, 1, (uint16_t)((i < 39 ? NEXT : 0) | WRITE),
			(uint16_t)(i + 1));
	offer(0);
	c = pop();
	for (unsigned i = 0; i < 40; i++)
		c.in[i].iov_len = 0;
	assert_int_equal(vring_push(&ring, &c, 40), 0);
	assert_int_equal(n_marks, 41);
	for (unsigned i = 0; i < 40; i++) {
		assert_ptr_equal(marks[i].at, at(BUFFER + i * 2));
		assert_int_equal(marks[i].size, 1);
	}
}

/* ---- the end ---- */

static void a_dead_ring_is_not_touched(void **state)
{
	struct tenon_chain c, d;

	start_event_idx(8);
	desc(0, BUFFER, 1, WRITE, 0);
	offer(0);
	c = pop();
	offer(1);
	vring_kill(&ring);
	memset(at(USED), 0x5a, 6 + 8 * 8);
	assert_int_equal(vring_pop(&ring, &d), 0);
	assert_int_equal(vring_push(&ring, &c, 1), 0);
	assert_false(vring_must_notify(&ring));
	assert_false(vring_want_kicks(&ring, true));
	for (unsigned i = 0; i < 6 + 8 * 8; i++)
		assert_int_equal(at(USED)[i], 0x5a);
}

static void a_stopped_ring_begins_anew(void **state)
{
	struct tenon_chain old;

	start(8);
	desc(0, BUFFER, 1, WRITE, 0);
	offer(0);
	old = pop();
	vring_stop(&ring);
	assert_int_equal(vring_push(&ring, &old, 1), -EINVAL);
	start(8);
	assert_int_equal(vring_push(&ring, &old, 1), -EINVAL);
	push_one();
	assert_int_equal(used_idx(), 1);
	vring_stop(&ring);
	vring_stop(&ring);
}

#define RING_TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(setups_are_checked),
		RING_TEST(tables_may_end_where_memory_ends),
		RING_TEST(want_of_memory_is_said),
		RING_TEST(an_empty_ring_has_nothing),
		RING_TEST(a_chain_is_in_order),
		RING_TEST(what_is_pushed_stands_in_the_used_ring),
		RING_TEST(indices_wrap),
		RING_TEST(a_buffer_across_two_pieces_is_two),
		RING_TEST(long_chains_find_room),
		RING_TEST(a_chain_without_memory_ends_the_queue),
		RING_TEST(indirect_tables_are_followed),
		RING_TEST(an_indirect_table_may_follow_descriptors),
		RING_TEST(the_write_flag_of_an_indirect_descriptor_is_ignored),
		RING_TEST(bad_chains_are_refused),
		RING_TEST(chains_of_4_gib_are_refused),
		RING_TEST(chains_of_endless_pieces_are_refused),
		RING_TEST(heads_and_indices_are_checked),
		RING_TEST(a_chain_that_is_out_cannot_come_again),
		RING_TEST(what_is_not_out_cannot_be_pushed),
		RING_TEST(unpop_gives_it_back),
		RING_TEST(unpop_keeps_the_index_over_the_wrap),
		RING_TEST(the_driver_may_want_no_interrupts),
		RING_TEST(event_indices_are_compared_modulo_65536),
		RING_TEST(with_event_idx_the_flag_means_nothing),
		RING_TEST(an_empty_ring_asks_for_the_next_kick),
		RING_TEST(kicks_can_be_refused_by_flag),
		RING_TEST(kicks_can_be_refused_by_index),
		RING_TEST(what_was_written_is_marked),
		RING_TEST(consumed_iovecs_are_marked_all_the_same),
		RING_TEST(long_chains_are_marked),
		RING_TEST(a_dead_ring_is_not_touched),
		RING_TEST(a_stopped_ring_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
