/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver may put into an indirect table that it must not (2.7.5.3). */
#include "sdk/testkit/hostile.h"

static void put_entry(
	uint64_t table, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	uint8_t raw[16];

	for (int b = 0; b < 8; b++)
		raw[b] = (uint8_t)(addr >> (8 * b));
	for (int b = 0; b < 4; b++)
		raw[8 + b] = (uint8_t)(len >> (8 * b));
	raw[12] = (uint8_t)flags;
	raw[13] = (uint8_t)(flags >> 8);
	raw[14] = (uint8_t)next;
	raw[15] = (uint8_t)(next >> 8);
	tk_put(table + i * 16ull, raw, sizeof(raw));
}

static void indirect_unasked(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, hostile_room(16), 16, DESC_WRITE, 0);
	hostile_one(h, table, 16, DESC_INDIRECT, 0);
}

/* Good entries, so that nothing but the length is wrong. */
static void indirect_of_length(struct hostile *h, uint32_t len)
{
	uint64_t table = tk_alloc(64, 16);

	put_entry(table, 0, hostile_room(16), 16, DESC_WRITE, 0);
	put_entry(table, 1, hostile_room(16), 16, DESC_WRITE, 0);
	hostile_one(h, table, len, DESC_INDIRECT, 0);
}

static void indirect_zero(struct hostile *h)
{
	indirect_of_length(h, 0);
}

static void indirect_odd(struct hostile *h)
{
	indirect_of_length(h, 24);
}

static void indirect_short(struct hostile *h)
{
	indirect_of_length(h, 8);
}

static void indirect_huge(struct hostile *h)
{
	hostile_one(h, TK_RAM_A, 0xfffffff0u, DESC_INDIRECT, 0);
}

static void indirect_of(struct hostile *h, uint32_t n)
{
	uint64_t table = tk_alloc(n * 16ull, 16), gpa = hostile_room(n);

	for (uint32_t i = 0; i < n; i++)
		put_entry(table, i, gpa + i, 1,
			(uint16_t)(DESC_WRITE | (i + 1 < n ? DESC_NEXT : 0)), (uint16_t)(i + 1));
	hostile_one(h, table, n * 16, DESC_INDIRECT, 0);
}

static void indirect_longer_than_queue(struct hostile *h)
{
	indirect_of(h, hostile_size(h) + 1);
}

static void indirect_of_8192(struct hostile *h)
{
	indirect_of(h, 8192);
}

static void indirect_in_hole(struct hostile *h)
{
	hostile_one(h, TK_HOLE, 32, DESC_INDIRECT, 0);
}

static void indirect_into_hole(struct hostile *h)
{
	hostile_one(h, TK_HOLE - 16, 32, DESC_INDIRECT, 0);
}

static void indirect_straddles(struct hostile *h)
{
	hostile_one(h, TK_RAM_B - 16, 32, DESC_INDIRECT, 0);
}

static void indirect_wraps(struct hostile *h)
{
	hostile_one(h, UINT64_MAX - 15, 32, DESC_INDIRECT, 0);
}

static void indirect_nested(struct hostile *h)
{
	uint64_t inner = tk_alloc(16, 16), outer = tk_alloc(16, 16);

	put_entry(inner, 0, hostile_room(16), 16, DESC_WRITE, 0);
	put_entry(outer, 0, inner, 16, DESC_INDIRECT, 0);
	hostile_one(h, outer, 16, DESC_INDIRECT, 0);
}

static void indirect_self(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, table, 16, DESC_INDIRECT, 0);
	hostile_one(h, table, 16, DESC_INDIRECT, 0);
}

static void indirect_and_next(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, hostile_room(16), 16, DESC_WRITE, 0);
	tk_set_desc(h->d, h->queue, 1, hostile_room(16), 16, DESC_WRITE, 0);
	hostile_one(h, table, 16, DESC_INDIRECT | DESC_NEXT, 1);
}

static void indirect_loop(struct hostile *h)
{
	uint64_t table = tk_alloc(32, 16);

	put_entry(table, 0, hostile_room(16), 16, DESC_WRITE | DESC_NEXT, 1);
	put_entry(table, 1, hostile_room(16), 16, DESC_WRITE | DESC_NEXT, 0);
	hostile_one(h, table, 32, DESC_INDIRECT, 0);
}

static void indirect_next_out(struct hostile *h)
{
	uint64_t table = tk_alloc(32, 16);

	put_entry(table, 0, hostile_room(16), 16, DESC_WRITE | DESC_NEXT, 2);
	hostile_one(h, table, 32, DESC_INDIRECT, 0);
}

static void indirect_bad_buffer(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, TK_HOLE, 16, DESC_WRITE, 0);
	hostile_one(h, table, 16, DESC_INDIRECT, 0);
}

static void indirect_mixed(struct hostile *h)
{
	uint64_t table = tk_alloc(32, 16);

	put_entry(table, 0, hostile_room(16), 16, DESC_WRITE | DESC_NEXT, 1);
	put_entry(table, 1, tk_alloc(16, 16), 16, 0, 0);
	hostile_one(h, table, 32, DESC_INDIRECT, 0);
}

static void indirect_write_flag(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, hostile_room(16), 16, DESC_WRITE, 0);
	hostile_one(h, table, 16, DESC_INDIRECT | DESC_WRITE, 0);
}

static void indirect_after_direct(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, hostile_room(16), 16, DESC_WRITE, 0);
	tk_set_desc(h->d, h->queue, 1, table, 16, DESC_INDIRECT, 0);
	hostile_one(h, tk_alloc(16, 16), 16, DESC_NEXT, 1);
}

static void indirect_table_is_buffer(struct hostile *h)
{
	uint64_t table = hostile_room(32);

	put_entry(table, 0, table, 32, DESC_WRITE, 0);
	tk_mem_allow(table, 32);
	hostile_one(h, table, 32, DESC_INDIRECT, 0);
}

#define INDIRECT(name, what, flags)                                                                \
	{                                                                                          \
#name, what, IN_QUEUES | WITH_INDIRECT | (flags), name                             \
	}

const struct hostile_case hostile_indirect_cases[] = {
	{ "indirect_unasked", "an indirect table that was not negotiated",
		IN_QUEUES | MUST_FAULT | WITHOUT, indirect_unasked },
	INDIRECT(indirect_zero, "an indirect table of zero length", MUST_FAULT),
	INDIRECT(indirect_odd, "an indirect table of one and a half entries", MUST_FAULT),
	INDIRECT(indirect_short, "an indirect table of half an entry", MUST_FAULT),
	INDIRECT(indirect_huge, "an indirect table of 4 GiB", MUST_FAULT),
	INDIRECT(indirect_longer_than_queue, "an indirect table longer than the queue", HARMLESS),
	INDIRECT(indirect_of_8192, "an indirect table of 8192 entries", HARMLESS),
	INDIRECT(indirect_in_hole, "an indirect table in a hole", MUST_FAULT),
	INDIRECT(indirect_into_hole, "an indirect table that runs into a hole", MUST_FAULT),
	INDIRECT(indirect_straddles, "an indirect table across two regions", HARMLESS),
	INDIRECT(indirect_wraps, "an indirect table that wraps around", MUST_FAULT),
	INDIRECT(indirect_nested, "an indirect table in an indirect table", MUST_FAULT),
	INDIRECT(indirect_self, "an indirect table that names itself", MUST_FAULT),
	INDIRECT(indirect_and_next, "an indirect descriptor with a next", MUST_FAULT),
	INDIRECT(indirect_loop, "a circle in an indirect table", MUST_FAULT),
	INDIRECT(indirect_next_out, "a next past an indirect table", MUST_FAULT),
	INDIRECT(indirect_bad_buffer, "a bad buffer in an indirect table", MUST_FAULT),
	INDIRECT(indirect_mixed, "readable after writable in an indirect table", MUST_FAULT),
	INDIRECT(indirect_write_flag, "an indirect descriptor marked writable", HARMLESS),
	INDIRECT(indirect_after_direct, "an indirect descriptor after a direct one", HARMLESS),
	INDIRECT(indirect_table_is_buffer, "an indirect table as its own buffer", HARMLESS),
	{ NULL, NULL, 0, NULL },
};
