/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains that are returned together: the driver sees none of them before all are written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sdk/virtio/vring.h"

#define SIZE  8u
#define DESC  0u
#define AVAIL 0x100u
#define USED  0x200u
#define DATA  0x400u

static uint8_t memory[0x1000] __attribute__((aligned(4096)));
static uint16_t seen; /* the largest used index while data were being marked */

static void put(uint32_t at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		memory[at + i] = (uint8_t)(value >> (8 * i));
}

static uint16_t get16(uint32_t at)
{
	return (uint16_t)(memory[at] | memory[at + 1] << 8);
}

static void *map(void *opaque, uint64_t gpa, uint64_t *size, bool write)
{
	(void)opaque;
	(void)write;
	return gpa + *size <= sizeof(memory) ? memory + gpa : NULL;
}

static void mark_dirty(void *opaque, const void *host, uint64_t size)
{
	(void)opaque;
	(void)size;
	if ((const uint8_t *)host >= memory + DATA && get16(USED + 2) > seen)
		seen = get16(USED + 2);
}

static const struct vring_memory vmem = { .map = map, .mark_dirty = mark_dirty };

/* A ring with three chains of 64 writable bytes, popped. */
static void begin(struct vring *ring, struct tenon_chain chains[3])
{
	const struct vring_setup setup = {
		.size = SIZE, .desc = DESC, .avail = AVAIL, .used = USED
	};
	const char *why;

	memset(memory, 0, sizeof(memory));
	memset(ring, 0, sizeof(*ring));
	seen = 0;
	for (uint32_t i = 0; i < 3; i++) {
		put(DESC + i * 16, DATA + i * 64, 8);
		put(DESC + i * 16 + 8, 64, 4);
		put(DESC + i * 16 + 12, 2, 2);
		put(AVAIL + 4 + i * 2, i, 2);
	}
	put(AVAIL + 2, 3, 2);
	assert_int_equal(vring_start(ring, &setup, &vmem, &why), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vring_pop(ring, &chains[i]), 1);
}

static void many_appear_at_once(void **state)
{
	const uint32_t written[] = { 64, 64, 10 };
	struct tenon_chain chains[3];
	struct vring ring;

	(void)state;
	begin(&ring, chains);
	vring_push_many(&ring, chains, written, 3);
	assert_int_equal(seen, 0);
	assert_int_equal(get16(USED + 2), 3);
	assert_int_equal(get16(USED + 4 + 2 * 8), 2);
	assert_int_equal(get16(USED + 4 + 2 * 8 + 4), 10);
	vring_stop(&ring);
}

static void one_that_is_not_in_use_is_left_out(void **state)
{
	const uint32_t written[] = { 64, 64, 10 };
	struct tenon_chain chains[3];
	struct vring ring;

	(void)state;
	begin(&ring, chains);
	assert_int_equal(vring_push(&ring, &chains[1], 1), 0);
	vring_push_many(&ring, chains, written, 3);
	assert_int_equal(get16(USED + 2), 3);
	vring_stop(&ring);
}

static void nothing_is_touched_after_a_reset(void **state)
{
	const uint32_t written[] = { 64, 64, 10 };
	struct tenon_chain chains[3];
	struct vring ring;

	(void)state;
	begin(&ring, chains);
	vring_kill(&ring);
	vring_push_many(&ring, chains, written, 3);
	assert_int_equal(get16(USED + 2), 0);
	vring_stop(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_appear_at_once),
		cmocka_unit_test(one_that_is_not_in_use_is_left_out),
		cmocka_unit_test(nothing_is_touched_after_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
