/* SPDX-License-Identifier: Apache-2.0 */
/* What is in flight is known exactly or not at all. */
#include <stdlib.h>
#include <string.h>

#include <tenon/testkit.h>

#include "track.h"

#define SIZE 8u

static uint8_t avail[6 + SIZE * 2] __attribute__((aligned(8)));
static uint8_t used[6 + SIZE * 8] __attribute__((aligned(8)));
static uint16_t n_avail, n_used;

static struct track begin(void)
{
	struct track t;

	memset(avail, 0, sizeof(avail));
	memset(used, 0, sizeof(used));
	n_avail = n_used = 0;
	TK_EQ(track_init(&t, SIZE, avail, used), 0);
	track_begin(&t, 0);
	return t;
}

static void add(uint16_t head)
{
	memcpy(avail + 4 + (size_t)(n_avail % SIZE) * 2, &head, 2);
	n_avail++;
	memcpy(avail + 2, &n_avail, 2);
}

static void use(uint16_t head)
{
	memcpy(used + 4 + (size_t)(n_used % SIZE) * 8, &head, 2);
	n_used++;
	memcpy(used + 2, &n_used, 2);
}

static uint16_t entry(uint16_t at)
{
	uint16_t head;

	memcpy(&head, avail + 4 + (size_t)(at % SIZE) * 2, 2);
	return head;
}

TK_TEST(nothing_in_flight)
{
	struct track t = begin();
	uint16_t base = 99;

	for (uint16_t i = 0; i < 5; i++)
		add(i), use(i);
	TK_TRUE(track_recover(&t, &base));
	TK_EQ(base, 5);
	track_finish(&t);
}

TK_TEST(in_order_is_left_as_it_is)
{
	struct track t = begin();
	uint16_t base = 99;

	for (uint16_t i = 0; i < 5; i++)
		add(i);
	use(0);
	use(1);
	TK_TRUE(track_recover(&t, &base));
	TK_EQ(base, 2);
	for (uint16_t i = 2; i < 5; i++)
		TK_EQ(entry(i), i);
	track_finish(&t);
}

/* 0 and 3 are in flight; the places from the used index on hold 3 and 4. */
TK_TEST(out_of_order_is_put_right)
{
	struct track t = begin();
	uint16_t base = 99;
	unsigned heads = 0;

	for (uint16_t i = 0; i < 5; i++)
		add(i);
	use(4);
	use(1);
	use(2);
	TK_TRUE(track_recover(&t, &base));
	TK_EQ(base, 3);
	for (uint16_t at = base; at != n_avail; at++)
		heads |= 1u << entry(at);
	TK_EQ(heads, 1u << 0 | 1u << 3);
	track_finish(&t);
}

/* Head 7 stays while others come and go, for many rounds of the ring and of the index. */
TK_TEST(an_old_request_is_not_forgotten)
{
	struct track t = begin();
	uint16_t base = 99;

	add(7);
	for (unsigned i = 0; i < 70000; i++) {
		add((uint16_t)(i % 3));
		track_scan(&t);
		use((uint16_t)(i % 3));
		if (i % 5 == 0)
			track_scan(&t);
	}
	TK_TRUE(track_recover(&t, &base));
	TK_EQ((uint16_t)(n_avail - base), 1);
	TK_EQ(entry(base), 7);
	track_finish(&t);
}

/* More than a ring's worth went by: it is not known, and that is known. */
TK_TEST(falling_behind_is_noticed)
{
	struct track t = begin();
	uint16_t base = 99;

	add(7);
	for (unsigned i = 0; i < 2 * SIZE; i++)
		add((uint16_t)(i % 3)), use((uint16_t)(i % 3));
	TK_TRUE(!track_recover(&t, &base));
	TK_EQ(base, 99);
	/* Until nothing is in flight. */
	use(7);
	track_scan(&t);
	add(5);
	TK_TRUE(track_recover(&t, &base));
	TK_EQ(entry(base), 5);
	track_finish(&t);
}

TK_TEST(a_ring_of_lies_is_not_believed)
{
	struct track t = begin();
	uint16_t base = 99;

	add(2);
	add(2); /* twice in flight */
	TK_TRUE(!track_recover(&t, &base));
	track_finish(&t);
	t = begin();
	add(SIZE); /* no such head */
	TK_TRUE(!track_recover(&t, &base));
	track_finish(&t);
	t = begin();
	add(1);
	use(3); /* never available */
	TK_TRUE(!track_recover(&t, &base));
	track_finish(&t);
}

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* Any order of use, any place of the scans: what comes out is what was not used. */
TK_TEST(at_random)
{
	uint32_t x = 1;

	for (unsigned round = 0; round < 2000; round++) {
		struct track t = begin();
		bool out[SIZE] = { false };
		uint16_t base = 0, left = 0;

		for (unsigned step = 0; step < 60; step++) {
			uint16_t head = (uint16_t)(next_random(&x) % SIZE);

			if (out[head])
				use(head);
			else
				add(head);
			out[head] = !out[head];
			if (next_random(&x) % 4)
				track_scan(&t);
		}
		if (!track_recover(&t, &base)) {
			track_finish(&t);
			continue;
		}
		for (unsigned i = 0; i < SIZE; i++)
			left = (uint16_t)(left + out[i]);
		TK_EQ((uint16_t)(n_avail - base), left);
		for (; base != n_avail; base++) {
			TK_TRUE(entry(base) < SIZE && out[entry(base)]);
			out[entry(base)] = false;
		}
		track_finish(&t);
	}
}

TK_MAIN()
