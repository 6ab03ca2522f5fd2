/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver may put into a ring that it must not (2.7). */
#include "sdk/testkit/hostile.h"

/* One direct descriptor as the only chain. */
static void one(const struct hostile *h, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	tk_set_desc(h->d, h->queue, 0, addr, len, flags, next);
	tk_set_avail(h->d, h->queue, 0, 0);
	hostile_offer(h, 1);
}

/* Memory that the device may write. */
static uint64_t room(uint32_t size)
{
	uint64_t gpa = tk_alloc(size, 16);

	tk_mem_allow(gpa, size);
	return gpa;
}

static uint32_t size_of(const struct hostile *h)
{
	return tk_ring(h->d, h->queue).size;
}

/* ---- indices ---- */

static void head_past_table(struct hostile *h)
{
	tk_set_avail(h->d, h->queue, 0, (uint16_t)size_of(h));
	hostile_offer(h, 1);
}

static void head_ffff(struct hostile *h)
{
	tk_set_avail(h->d, h->queue, 0, 0xffff);
	hostile_offer(h, 1);
}

static void next_past_table(struct hostile *h)
{
	one(h, room(16), 16, DESC_NEXT | DESC_WRITE, (uint16_t)size_of(h));
}

static void next_ffff(struct hostile *h)
{
	one(h, room(16), 16, DESC_NEXT | DESC_WRITE, 0xffff);
}

static void avail_ahead(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 0, room(16), 16, DESC_WRITE, 0);
	hostile_offer(h, (uint16_t)(size_of(h) + 1));
}

static void avail_back(struct hostile *h)
{
	hostile_offer(h, 0xffff);
}

static void avail_half(struct hostile *h)
{
	hostile_offer(h, 0x8000);
}

/* The same chain in every slot: the device may serve it again after it gave it back, but not hold
 * it twice. */
static void same_head(struct hostile *h)
{
	uint32_t n = size_of(h);

	tk_set_desc(h->d, h->queue, 0, room(16), 16, DESC_WRITE, 0);
	for (uint32_t i = 0; i < n; i++)
		tk_set_avail(h->d, h->queue, (uint16_t)i, 0);
	hostile_offer(h, (uint16_t)n);
}

static void shared_descs(struct hostile *h)
{
	uint64_t gpa = room(64);

	tk_set_desc(h->d, h->queue, 0, gpa, 16, DESC_NEXT | DESC_WRITE, 1);
	tk_set_desc(h->d, h->queue, 1, gpa + 16, 16, DESC_WRITE, 0);
	tk_set_avail(h->d, h->queue, 0, 0);
	tk_set_avail(h->d, h->queue, 1, 1);
	hostile_offer(h, 2);
}

/* ---- chains ---- */

static void loop_self(struct hostile *h)
{
	one(h, room(16), 16, DESC_NEXT | DESC_WRITE, 0);
}

static void loop_two(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 1, room(16), 16, DESC_NEXT | DESC_WRITE, 0);
	one(h, room(16), 16, DESC_NEXT | DESC_WRITE, 1);
}

static void loop_whole_table(struct hostile *h)
{
	uint32_t n = size_of(h);
	uint64_t gpa = room(16);

	for (uint32_t i = 0; i < n; i++)
		tk_set_desc(h->d, h->queue, i, gpa, 16, DESC_NEXT | DESC_WRITE,
			(uint16_t)((i + 1) % n));
	tk_set_avail(h->d, h->queue, 0, 0);
	hostile_offer(h, 1);
}

static void whole_table(struct hostile *h, uint16_t flags)
{
	uint32_t n = size_of(h);
	uint64_t gpa = flags ? room(n) : tk_alloc(n, 16);

	for (uint32_t i = 0; i < n; i++)
		tk_set_desc(h->d, h->queue, i, gpa + i, 1,
			(uint16_t)(flags | (i + 1 < n ? DESC_NEXT : 0)), (uint16_t)(i + 1));
	tk_set_avail(h->d, h->queue, 0, 0);
	hostile_offer(h, 1);
}

static void longest_in(struct hostile *h)
{
	whole_table(h, DESC_WRITE);
}

static void longest_out(struct hostile *h)
{
	whole_table(h, 0);
}

static void readable_after_writable(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 1, tk_alloc(16, 16), 16, 0, 0);
	one(h, room(16), 16, DESC_NEXT | DESC_WRITE, 1);
}

static void sandwich(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 1, room(16), 16, DESC_NEXT | DESC_WRITE, 2);
	tk_set_desc(h->d, h->queue, 2, tk_alloc(16, 16), 16, 0, 0);
	one(h, tk_alloc(16, 16), 16, DESC_NEXT, 1);
}

static void only_readable(struct hostile *h)
{
	one(h, tk_alloc(64, 16), 64, 0, 0);
}

static void only_writable(struct hostile *h)
{
	one(h, room(64), 64, DESC_WRITE, 0);
}

static void one_byte(struct hostile *h)
{
	one(h, room(1), 1, DESC_WRITE, 0);
}

static void unknown_flags(struct hostile *h)
{
	one(h, room(16), 16, 0xfff8 | DESC_WRITE, 0);
}

/* ---- lengths and addresses ---- */

static void zero_in(struct hostile *h)
{
	one(h, room(16), 0, DESC_WRITE, 0);
}

static void zero_out(struct hostile *h)
{
	one(h, tk_alloc(16, 16), 0, 0, 0);
}

static void zero_in_chain(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 1, room(16), 0, DESC_WRITE, 0);
	one(h, tk_alloc(16, 16), 16, DESC_NEXT, 1);
}

static void wraps(struct hostile *h)
{
	one(h, UINT64_MAX - 15, 32, DESC_WRITE, 0);
}

static void ends_at_top(struct hostile *h)
{
	one(h, UINT64_MAX - 15, 16, DESC_WRITE, 0);
}

static void length_max(struct hostile *h)
{
	one(h, TK_RAM_A, UINT32_MAX, DESC_WRITE, 0);
}

static void length_max_out(struct hostile *h)
{
	one(h, TK_RAM_A, UINT32_MAX, 0, 0);
}

static void sum_over_4g(struct hostile *h)
{
	for (uint16_t i = 0; i < 4; i++)
		tk_set_desc(h->d, h->queue, i, TK_RAM_A, 0x80000000u, DESC_NEXT | DESC_WRITE,
			(uint16_t)(i + 1));
	tk_set_avail(h->d, h->queue, 0, 0);
	hostile_offer(h, 1);
}

static void at_zero(struct hostile *h)
{
	one(h, 0, 16, DESC_WRITE, 0);
}

static void in_hole(struct hostile *h)
{
	one(h, TK_HOLE + 64, 16, DESC_WRITE, 0);
}

static void in_hole_out(struct hostile *h)
{
	one(h, TK_HOLE + 64, 16, 0, 0);
}

static void into_hole(struct hostile *h)
{
	one(h, TK_HOLE - 8, 16, DESC_WRITE, 0);
}

static void out_of_hole(struct hostile *h)
{
	one(h, TK_RAM_C - 8, 16, DESC_WRITE, 0);
}

static void over_hole(struct hostile *h)
{
	one(h, TK_HOLE - 8, TK_RAM_SIZE + 16, DESC_WRITE, 0);
}

static void own_window(struct hostile *h)
{
	uint32_t space;
	uint64_t address, size;

	if (tk_window(h->d, 0, &space, &address, &size) == 0)
		one(h, address, 16, DESC_WRITE, 0);
}

static void in_rom(struct hostile *h)
{
	one(h, TK_ROM, 64, DESC_WRITE, 0);
}

static void out_of_rom(struct hostile *h)
{
	one(h, TK_ROM, 64, 0, 0);
}

static void second_bad(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 1, TK_HOLE, 16, DESC_WRITE, 0);
	one(h, room(16), 16, DESC_NEXT | DESC_WRITE, 1);
}

static void good_then_bad(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 0, room(16), 16, DESC_WRITE, 0);
	tk_set_desc(h->d, h->queue, 1, TK_HOLE, 16, DESC_WRITE, 0);
	tk_set_avail(h->d, h->queue, 0, 0);
	tk_set_avail(h->d, h->queue, 1, 1);
	hostile_offer(h, 2);
}

static void straddles(struct hostile *h)
{
	tk_mem_allow(TK_RAM_B - 24, 48);
	one(h, TK_RAM_B - 24, 48, DESC_WRITE, 0);
}

static void last_bytes(struct hostile *h)
{
	tk_mem_allow(TK_RAM_C + TK_RAM_SIZE - 16, 16);
	one(h, TK_RAM_C + TK_RAM_SIZE - 16, 16, DESC_WRITE, 0);
}

static void one_past_last(struct hostile *h)
{
	one(h, TK_RAM_C + TK_RAM_SIZE - 16, 17, DESC_WRITE, 0);
}

static void whole_region(struct hostile *h)
{
	tk_mem_allow(TK_RAM_A, TK_RAM_SIZE);
	one(h, TK_RAM_A, TK_RAM_SIZE, DESC_WRITE, 0);
}

static void same_buffer_both_ways(struct hostile *h)
{
	uint64_t gpa = room(64);

	tk_set_desc(h->d, h->queue, 1, gpa, 64, DESC_WRITE, 0);
	one(h, gpa, 64, DESC_NEXT, 1);
}

/* The device writes over the very ring it reads from: it may break the ring, not the host. */
static void buffer_is_table(struct hostile *h)
{
	struct tk_ring r = tk_ring(h->d, h->queue);

	tk_mem_allow(r.desc, r.size * 16ull);
	one(h, r.desc, r.size * 16, DESC_WRITE, 0);
}

static void buffer_is_avail(struct hostile *h)
{
	struct tk_ring r = tk_ring(h->d, h->queue);

	tk_mem_allow(r.avail, 6 + r.size * 2ull);
	one(h, r.avail, 6 + r.size * 2, DESC_WRITE, 0);
}

static void buffer_is_used(struct hostile *h)
{
	struct tk_ring r = tk_ring(h->d, h->queue);

	one(h, r.used, 6 + r.size * 8, DESC_WRITE, 0);
}

/* ---- indirect tables ---- */

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

	put_entry(table, 0, room(16), 16, DESC_WRITE, 0);
	one(h, table, 16, DESC_INDIRECT, 0);
}

/* Good entries, so that nothing but the length is wrong. */
static void indirect_of_length(struct hostile *h, uint32_t len)
{
	uint64_t table = tk_alloc(64, 16);

	put_entry(table, 0, room(16), 16, DESC_WRITE, 0);
	put_entry(table, 1, room(16), 16, DESC_WRITE, 0);
	one(h, table, len, DESC_INDIRECT, 0);
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
	one(h, TK_RAM_A, 0xfffffff0u, DESC_INDIRECT, 0);
}

static void indirect_of(struct hostile *h, uint32_t n)
{
	uint64_t table = tk_alloc(n * 16ull, 16), gpa = room(n);

	for (uint32_t i = 0; i < n; i++)
		put_entry(table, i, gpa + i, 1,
			(uint16_t)(DESC_WRITE | (i + 1 < n ? DESC_NEXT : 0)), (uint16_t)(i + 1));
	one(h, table, n * 16, DESC_INDIRECT, 0);
}

static void indirect_longer_than_queue(struct hostile *h)
{
	indirect_of(h, size_of(h) + 1);
}

static void indirect_of_8192(struct hostile *h)
{
	indirect_of(h, 8192);
}

static void indirect_in_hole(struct hostile *h)
{
	one(h, TK_HOLE, 32, DESC_INDIRECT, 0);
}

static void indirect_into_hole(struct hostile *h)
{
	one(h, TK_HOLE - 16, 32, DESC_INDIRECT, 0);
}

static void indirect_straddles(struct hostile *h)
{
	one(h, TK_RAM_B - 16, 32, DESC_INDIRECT, 0);
}

static void indirect_wraps(struct hostile *h)
{
	one(h, UINT64_MAX - 15, 32, DESC_INDIRECT, 0);
}

static void indirect_nested(struct hostile *h)
{
	uint64_t inner = tk_alloc(16, 16), outer = tk_alloc(16, 16);

	put_entry(inner, 0, room(16), 16, DESC_WRITE, 0);
	put_entry(outer, 0, inner, 16, DESC_INDIRECT, 0);
	one(h, outer, 16, DESC_INDIRECT, 0);
}

static void indirect_self(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, table, 16, DESC_INDIRECT, 0);
	one(h, table, 16, DESC_INDIRECT, 0);
}

static void indirect_and_next(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, room(16), 16, DESC_WRITE, 0);
	tk_set_desc(h->d, h->queue, 1, room(16), 16, DESC_WRITE, 0);
	one(h, table, 16, DESC_INDIRECT | DESC_NEXT, 1);
}

static void indirect_loop(struct hostile *h)
{
	uint64_t table = tk_alloc(32, 16);

	put_entry(table, 0, room(16), 16, DESC_WRITE | DESC_NEXT, 1);
	put_entry(table, 1, room(16), 16, DESC_WRITE | DESC_NEXT, 0);
	one(h, table, 32, DESC_INDIRECT, 0);
}

static void indirect_next_out(struct hostile *h)
{
	uint64_t table = tk_alloc(32, 16);

	put_entry(table, 0, room(16), 16, DESC_WRITE | DESC_NEXT, 2);
	one(h, table, 32, DESC_INDIRECT, 0);
}

static void indirect_bad_buffer(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, TK_HOLE, 16, DESC_WRITE, 0);
	one(h, table, 16, DESC_INDIRECT, 0);
}

static void indirect_mixed(struct hostile *h)
{
	uint64_t table = tk_alloc(32, 16);

	put_entry(table, 0, room(16), 16, DESC_WRITE | DESC_NEXT, 1);
	put_entry(table, 1, tk_alloc(16, 16), 16, 0, 0);
	one(h, table, 32, DESC_INDIRECT, 0);
}

static void indirect_write_flag(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, room(16), 16, DESC_WRITE, 0);
	one(h, table, 16, DESC_INDIRECT | DESC_WRITE, 0);
}

static void indirect_after_direct(struct hostile *h)
{
	uint64_t table = tk_alloc(16, 16);

	put_entry(table, 0, room(16), 16, DESC_WRITE, 0);
	tk_set_desc(h->d, h->queue, 1, table, 16, DESC_INDIRECT, 0);
	one(h, tk_alloc(16, 16), 16, DESC_NEXT, 1);
}

static void indirect_table_is_buffer(struct hostile *h)
{
	uint64_t table = room(32);

	put_entry(table, 0, table, 32, DESC_WRITE, 0);
	tk_mem_allow(table, 32);
	one(h, table, 32, DESC_INDIRECT, 0);
}

/* ---- notifications and resets ---- */

static void event_idx_games(struct hostile *h)
{
	struct tk_ring r = tk_ring(h->d, h->queue);

	for (unsigned i = 0; i < 8; i++) {
		const uint8_t event[2] = { (uint8_t)(i * 37), (uint8_t)(0xff - i) };

		tk_put(r.avail + 4 + r.size * 2ull, event, 2);
		tk_set_desc(h->d, h->queue, i % r.size, room(4), 4, DESC_WRITE, 0);
		tk_set_avail(h->d, h->queue, (uint16_t)i, (uint16_t)(i % r.size));
		hostile_offer(h, (uint16_t)(i + 1));
	}
}

static void kick_nothing(struct hostile *h)
{
	for (unsigned i = 0; i < 8; i++) {
		tk_set_reg(h->d, REG_QUEUE_NOTIFY, h->queue);
		tk_run_until_idle(h->d);
	}
}

static void index_unkicked(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 0, room(16), 16, DESC_WRITE, 0);
	tk_set_avail(h->d, h->queue, 0, 0);
	tk_set_avail_idx(h->d, h->queue, 1);
	tk_run_until_idle(h->d);
}

/* The driver takes its memory back while chains are out; nothing of it may be touched after. */
static void reset_in_flight(struct hostile *h)
{
	uint64_t gpa = room(64);

	tk_set_desc(h->d, h->queue, 0, gpa, 64, DESC_WRITE, 0);
	tk_set_avail(h->d, h->queue, 0, 0);
	hostile_offer(h, 1);
	tk_set_avail_idx(h->d, h->queue, 2);
	tk_set_reg(h->d, REG_QUEUE_NOTIFY, h->queue);
	tk_set_reg(h->d, REG_STATUS, 0);
	tk_mem_watch(); /* now nothing is allowed */
	tk_run_until_idle(h->d);
	tk_type("late");
	tk_advance_ms(2000);
}

static void ready_off_while_running(struct hostile *h)
{
	tk_set_reg(h->d, REG_QUEUE_SEL, h->queue);
	tk_set_reg(h->d, REG_QUEUE_READY, 0);
	one(h, room(16), 16, DESC_WRITE, 0);
	tk_set_reg(h->d, REG_QUEUE_READY, 1);
	hostile_offer(h, 1);
}

static void moved_while_running(struct hostile *h)
{
	hostile_write_queue(h, 4, TK_RAM_A, TK_HOLE, TK_ROM, true);
	one(h, room(16), 16, DESC_WRITE, 0);
}

static void flood(struct hostile *h)
{
	uint32_t n = size_of(h);
	uint64_t gpa = room(8);

	for (uint32_t i = 0; i < n; i++) {
		tk_set_desc(h->d, h->queue, i, gpa, 8, DESC_WRITE, 0);
		tk_set_avail(h->d, h->queue, (uint16_t)i, (uint16_t)i);
	}
	for (unsigned round = 1; round <= 4; round++)
		hostile_offer(h, (uint16_t)(round * n));
}

#define RING(name, what, flags)                                                                    \
	{                                                                                          \
#name, what, IN_QUEUES | (flags), name                                             \
	}
#define INDIRECT(name, what, flags) RING(name, what, (flags) | WITH_INDIRECT)

const struct hostile_case hostile_ring_cases[] = {
	RING(head_past_table, "an available head equal to the queue's size", MUST_FAULT),
	RING(head_ffff, "an available head of 0xffff", MUST_FAULT),
	RING(next_past_table, "a next index equal to the queue's size", MUST_FAULT),
	RING(next_ffff, "a next index of 0xffff", MUST_FAULT),
	RING(avail_ahead, "an available index one more than the queue's size ahead", MUST_FAULT),
	RING(avail_back, "an available index that went back", MUST_FAULT),
	RING(avail_half, "an available index half the numbers away", MUST_FAULT),
	RING(same_head, "the same head in every slot", HARMLESS),
	RING(shared_descs, "two chains that share a descriptor", HARMLESS),
	RING(loop_self, "a descriptor that is its own next", MUST_FAULT),
	RING(loop_two, "two descriptors in a circle", MUST_FAULT),
	RING(loop_whole_table, "the whole table in a circle", MUST_FAULT),
	RING(longest_in, "a writable chain as long as the queue", HARMLESS),
	RING(longest_out, "a readable chain as long as the queue", HARMLESS),
	RING(readable_after_writable, "a readable descriptor after a writable one", MUST_FAULT),
	RING(sandwich, "readable, writable, readable", MUST_FAULT),
	RING(only_readable, "nothing to write to", HARMLESS),
	RING(only_writable, "nothing to read from", HARMLESS),
	RING(one_byte, "a chain of one byte", HARMLESS),
	RING(unknown_flags, "flags that the specification does not have", HARMLESS),
	RING(zero_in, "a writable descriptor of zero length", HARMLESS),
	RING(zero_out, "a readable descriptor of zero length", HARMLESS),
	RING(zero_in_chain, "a descriptor of zero length in a chain", HARMLESS),
	RING(wraps, "a buffer that wraps around the address space", MUST_FAULT),
	RING(ends_at_top, "a buffer at the top of the address space", MUST_FAULT),
	RING(length_max, "a writable buffer of 4 GiB less one", MUST_FAULT),
	RING(length_max_out, "a readable buffer of 4 GiB less one", MUST_FAULT),
	RING(sum_over_4g, "lengths whose sum does not fit in 32 bits", MUST_FAULT),
	RING(at_zero, "a buffer at address 0, where there is no memory", MUST_FAULT),
	RING(in_hole, "a writable buffer in a hole", MUST_FAULT),
	RING(in_hole_out, "a readable buffer in a hole", MUST_FAULT),
	RING(into_hole, "a buffer that runs into a hole", MUST_FAULT),
	RING(out_of_hole, "a buffer that comes out of a hole", MUST_FAULT),
	RING(over_hole, "a buffer that spans a hole", MUST_FAULT),
	RING(own_window, "a buffer in the device's own registers", MUST_FAULT),
	RING(in_rom, "a writable buffer in read-only memory", MUST_FAULT),
	RING(out_of_rom, "a readable buffer in read-only memory", HARMLESS),
	RING(second_bad, "a bad second descriptor", MUST_FAULT),
	RING(good_then_bad, "a good chain, then a bad one", HARMLESS),
	RING(straddles, "a buffer across two regions that adjoin", HARMLESS),
	RING(last_bytes, "a buffer in the last bytes of memory", HARMLESS),
	RING(one_past_last, "a buffer one byte too long for memory", MUST_FAULT),
	RING(whole_region, "a buffer of a whole region", HARMLESS),
	RING(same_buffer_both_ways, "one buffer to read and to write", HARMLESS),
	RING(buffer_is_table, "the descriptor table as a writable buffer", HARMLESS),
	RING(buffer_is_avail, "the available ring as a writable buffer", HARMLESS),
	RING(buffer_is_used, "the used ring as a writable buffer", HARMLESS),
	RING(indirect_unasked, "an indirect table that was not negotiated", MUST_FAULT | WITHOUT),
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
	RING(event_idx_games, "event indices all over the place", HARMLESS | WITH_EVENT),
	RING(kick_nothing, "kicks with nothing in the queue", HARMLESS),
	RING(index_unkicked, "chains without a kick", HARMLESS),
	RING(reset_in_flight, "a reset while chains are out", HARMLESS),
	RING(ready_off_while_running, "QueueReady toggled while it runs", HARMLESS),
	RING(moved_while_running, "the ring moved while it runs", HARMLESS),
	RING(flood, "four times the queue's size in a row", HARMLESS),
	{ NULL, NULL, 0, NULL },
};
