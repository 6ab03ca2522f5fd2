/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver may put into a ring that it must not (2.7). */
#include "sdk/testkit/hostile.h"

/* ---- indices ---- */

static void head_past_table(struct hostile *h)
{
	tk_set_avail(h->d, h->queue, 0, (uint16_t)hostile_size(h));
	hostile_offer(h, 1);
}

static void head_ffff(struct hostile *h)
{
	tk_set_avail(h->d, h->queue, 0, 0xffff);
	hostile_offer(h, 1);
}

static void next_past_table(struct hostile *h)
{
	hostile_one(h, hostile_room(16), 16, DESC_NEXT | DESC_WRITE, (uint16_t)hostile_size(h));
}

static void next_ffff(struct hostile *h)
{
	hostile_one(h, hostile_room(16), 16, DESC_NEXT | DESC_WRITE, 0xffff);
}

static void avail_ahead(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 0, hostile_room(16), 16, DESC_WRITE, 0);
	hostile_offer(h, (uint16_t)(hostile_size(h) + 1));
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
	uint32_t n = hostile_size(h);

	tk_set_desc(h->d, h->queue, 0, hostile_room(16), 16, DESC_WRITE, 0);
	for (uint32_t i = 0; i < n; i++)
		tk_set_avail(h->d, h->queue, (uint16_t)i, 0);
	hostile_offer(h, (uint16_t)n);
}

static void shared_descs(struct hostile *h)
{
	uint64_t gpa = hostile_room(64);

	tk_set_desc(h->d, h->queue, 0, gpa, 16, DESC_NEXT | DESC_WRITE, 1);
	tk_set_desc(h->d, h->queue, 1, gpa + 16, 16, DESC_WRITE, 0);
	tk_set_avail(h->d, h->queue, 0, 0);
	tk_set_avail(h->d, h->queue, 1, 1);
	hostile_offer(h, 2);
}

/* ---- chains ---- */

static void loop_self(struct hostile *h)
{
	hostile_one(h, hostile_room(16), 16, DESC_NEXT | DESC_WRITE, 0);
}

static void loop_two(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 1, hostile_room(16), 16, DESC_NEXT | DESC_WRITE, 0);
	hostile_one(h, hostile_room(16), 16, DESC_NEXT | DESC_WRITE, 1);
}

static void loop_whole_table(struct hostile *h)
{
	uint32_t n = hostile_size(h);
	uint64_t gpa = hostile_room(16);

	for (uint32_t i = 0; i < n; i++)
		tk_set_desc(h->d, h->queue, i, gpa, 16, DESC_NEXT | DESC_WRITE,
			(uint16_t)((i + 1) % n));
	tk_set_avail(h->d, h->queue, 0, 0);
	hostile_offer(h, 1);
}

static void whole_table(struct hostile *h, uint16_t flags)
{
	uint32_t n = hostile_size(h);
	uint64_t gpa = flags ? hostile_room(n) : tk_alloc(n, 16);

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
	hostile_one(h, hostile_room(16), 16, DESC_NEXT | DESC_WRITE, 1);
}

static void sandwich(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 1, hostile_room(16), 16, DESC_NEXT | DESC_WRITE, 2);
	tk_set_desc(h->d, h->queue, 2, tk_alloc(16, 16), 16, 0, 0);
	hostile_one(h, tk_alloc(16, 16), 16, DESC_NEXT, 1);
}

static void only_readable(struct hostile *h)
{
	hostile_one(h, tk_alloc(64, 16), 64, 0, 0);
}

static void only_writable(struct hostile *h)
{
	hostile_one(h, hostile_room(64), 64, DESC_WRITE, 0);
}

static void one_byte(struct hostile *h)
{
	hostile_one(h, hostile_room(1), 1, DESC_WRITE, 0);
}

static void unknown_flags(struct hostile *h)
{
	hostile_one(h, hostile_room(16), 16, 0xfff8 | DESC_WRITE, 0);
}

/* ---- lengths and addresses ---- */

static void zero_in(struct hostile *h)
{
	hostile_one(h, hostile_room(16), 0, DESC_WRITE, 0);
}

static void zero_out(struct hostile *h)
{
	hostile_one(h, tk_alloc(16, 16), 0, 0, 0);
}

static void zero_in_chain(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 1, hostile_room(16), 0, DESC_WRITE, 0);
	hostile_one(h, tk_alloc(16, 16), 16, DESC_NEXT, 1);
}

static void wraps(struct hostile *h)
{
	hostile_one(h, UINT64_MAX - 15, 32, DESC_WRITE, 0);
}

static void ends_at_top(struct hostile *h)
{
	hostile_one(h, UINT64_MAX - 15, 16, DESC_WRITE, 0);
}

static void length_max(struct hostile *h)
{
	hostile_one(h, TK_RAM_A, UINT32_MAX, DESC_WRITE, 0);
}

static void length_max_out(struct hostile *h)
{
	hostile_one(h, TK_RAM_A, UINT32_MAX, 0, 0);
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
	hostile_one(h, 0, 16, DESC_WRITE, 0);
}

static void in_hole(struct hostile *h)
{
	hostile_one(h, TK_HOLE + 64, 16, DESC_WRITE, 0);
}

static void in_hole_out(struct hostile *h)
{
	hostile_one(h, TK_HOLE + 64, 16, 0, 0);
}

static void into_hole(struct hostile *h)
{
	hostile_one(h, TK_HOLE - 8, 16, DESC_WRITE, 0);
}

static void out_of_hole(struct hostile *h)
{
	hostile_one(h, TK_RAM_C - 8, 16, DESC_WRITE, 0);
}

static void over_hole(struct hostile *h)
{
	hostile_one(h, TK_HOLE - 8, TK_RAM_SIZE + 16, DESC_WRITE, 0);
}

static void own_window(struct hostile *h)
{
	uint32_t space;
	uint64_t address, size;

	if (tk_window(h->d, 0, &space, &address, &size) == 0)
		hostile_one(h, address, 16, DESC_WRITE, 0);
}

static void in_rom(struct hostile *h)
{
	hostile_one(h, TK_ROM, 64, DESC_WRITE, 0);
}

static void out_of_rom(struct hostile *h)
{
	hostile_one(h, TK_ROM, 64, 0, 0);
}

static void second_bad(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 1, TK_HOLE, 16, DESC_WRITE, 0);
	hostile_one(h, hostile_room(16), 16, DESC_NEXT | DESC_WRITE, 1);
}

static void good_then_bad(struct hostile *h)
{
	tk_set_desc(h->d, h->queue, 0, hostile_room(16), 16, DESC_WRITE, 0);
	tk_set_desc(h->d, h->queue, 1, TK_HOLE, 16, DESC_WRITE, 0);
	tk_set_avail(h->d, h->queue, 0, 0);
	tk_set_avail(h->d, h->queue, 1, 1);
	hostile_offer(h, 2);
}

static void straddles(struct hostile *h)
{
	tk_mem_allow(TK_RAM_B - 24, 48);
	hostile_one(h, TK_RAM_B - 24, 48, DESC_WRITE, 0);
}

static void last_bytes(struct hostile *h)
{
	tk_mem_allow(TK_RAM_C + TK_RAM_SIZE - 16, 16);
	hostile_one(h, TK_RAM_C + TK_RAM_SIZE - 16, 16, DESC_WRITE, 0);
}

static void one_past_last(struct hostile *h)
{
	hostile_one(h, TK_RAM_C + TK_RAM_SIZE - 16, 17, DESC_WRITE, 0);
}

static void whole_region(struct hostile *h)
{
	tk_mem_allow(TK_RAM_A, TK_RAM_SIZE);
	hostile_one(h, TK_RAM_A, TK_RAM_SIZE, DESC_WRITE, 0);
}

static void same_buffer_both_ways(struct hostile *h)
{
	uint64_t gpa = hostile_room(64);

	tk_set_desc(h->d, h->queue, 1, gpa, 64, DESC_WRITE, 0);
	hostile_one(h, gpa, 64, DESC_NEXT, 1);
}

/* The device writes over the very ring it reads from: it may break the ring, not the host. */
static void buffer_is_table(struct hostile *h)
{
	struct tk_ring r = tk_ring(h->d, h->queue);

	tk_mem_allow(r.desc, r.size * 16ull);
	hostile_one(h, r.desc, r.size * 16, DESC_WRITE, 0);
}

static void buffer_is_avail(struct hostile *h)
{
	struct tk_ring r = tk_ring(h->d, h->queue);

	tk_mem_allow(r.avail, 6 + r.size * 2ull);
	hostile_one(h, r.avail, 6 + r.size * 2, DESC_WRITE, 0);
}

static void buffer_is_used(struct hostile *h)
{
	struct tk_ring r = tk_ring(h->d, h->queue);

	hostile_one(h, r.used, 6 + r.size * 8, DESC_WRITE, 0);
}

/* ---- notifications and resets ---- */

static void event_idx_games(struct hostile *h)
{
	struct tk_ring r = tk_ring(h->d, h->queue);

	for (unsigned i = 0; i < 8; i++) {
		const uint8_t event[2] = { (uint8_t)(i * 37), (uint8_t)(0xff - i) };

		tk_put(r.avail + 4 + r.size * 2ull, event, 2);
		tk_set_desc(h->d, h->queue, i % r.size, hostile_room(4), 4, DESC_WRITE, 0);
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
	tk_set_desc(h->d, h->queue, 0, hostile_room(16), 16, DESC_WRITE, 0);
	tk_set_avail(h->d, h->queue, 0, 0);
	tk_set_avail_idx(h->d, h->queue, 1);
	tk_run_until_idle(h->d);
}

/* The driver takes its memory back while chains are out; nothing of it may be touched after. */
static void reset_in_flight(struct hostile *h)
{
	uint64_t gpa = hostile_room(64);

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
	hostile_one(h, hostile_room(16), 16, DESC_WRITE, 0);
	tk_set_reg(h->d, REG_QUEUE_READY, 1);
	hostile_offer(h, 1);
}

static void moved_while_running(struct hostile *h)
{
	hostile_write_queue(h, 4, TK_RAM_A, TK_HOLE, TK_ROM, true);
	hostile_one(h, hostile_room(16), 16, DESC_WRITE, 0);
}

static void flood(struct hostile *h)
{
	uint32_t n = hostile_size(h);
	uint64_t gpa = hostile_room(8);

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
	RING(event_idx_games, "event indices all over the place", HARMLESS | WITH_EVENT),
	RING(kick_nothing, "kicks with nothing in the queue", HARMLESS),
	RING(index_unkicked, "chains without a kick", HARMLESS),
	RING(reset_in_flight, "a reset while chains are out", HARMLESS),
	RING(ready_off_while_running, "QueueReady toggled while it runs", HARMLESS),
	RING(moved_while_running, "the ring moved while it runs", HARMLESS),
	RING(flood, "four times the queue's size in a row", HARMLESS),
	{ NULL, NULL, 0, NULL },
};
