/* SPDX-License-Identifier: Apache-2.0 */
/* Reading along on a split ring (2.7). */
#include "track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint16_t get16(const uint8_t *at)
{
	uint16_t v = __atomic_load_n((const uint16_t *)(const void *)at, __ATOMIC_ACQUIRE);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	return v;
}

static void put16(uint8_t *at, uint16_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	__atomic_store_n((uint16_t *)(void *)at, v, __ATOMIC_RELEASE);
}

uint16_t track_index(const uint8_t *ring)
{
	return get16(ring + 2);
}

static uint8_t *avail_entry(const struct track *t, uint16_t at)
{
	return t->avail + 4 + (size_t)(at & (t->size - 1)) * 2;
}

static uint16_t used_id(const struct track *t, uint16_t at)
{
	return get16(t->used + 4 + (size_t)(at & (t->size - 1)) * 8);
}

int track_init(struct track *t, uint32_t size, void *avail, void *used)
{
	*t = (struct track){ .size = size, .avail = avail, .used = used };
	t->out = calloc(size, 1);
	return t->out ? 0 : -ENOMEM;
}

void track_finish(struct track *t)
{
	free(t->out);
	*t = (struct track){ .size = 0 };
}

void track_begin(struct track *t, uint16_t base)
{
	memset(t->out, 0, t->size);
	t->seen_avail = t->seen_used = base;
	t->known = track_index(t->used) == base;
}

/* Counts the heads of one ring; false when one cannot be. */
static bool count_heads(struct track *t, uint16_t from, uint16_t to, bool used)
{
	for (uint16_t at = from; at != to; at++) {
		uint16_t head = used ? used_id(t, at) : get16(avail_entry(t, at));

		if (head >= t->size)
			return false;
		t->out[head] = (uint8_t)(t->out[head] + (used ? -1 : 1));
	}
	return true;
}

static bool is_behind(const struct track *t, uint16_t avail, uint16_t used)
{
	return (uint16_t)(avail - t->seen_avail) > t->size ||
	       (uint16_t)(used - t->seen_used) > t->size;
}

void track_scan(struct track *t)
{
	/* In this order: what was used was available before. */
	uint16_t used = track_index(t->used), avail = track_index(t->avail);

	if (!t->known && used != avail)
		return;
	if (!t->known) {
		track_begin(t, used);
		return;
	}
	t->known = !is_behind(t, avail, used) && count_heads(t, t->seen_avail, avail, false) &&
		   count_heads(t, t->seen_used, used, true) &&
		   /* Whether an entry was written over while it was read. */
		   !is_behind(t, track_index(t->avail), track_index(t->used));
	t->seen_avail = avail;
	t->seen_used = used;
}

bool track_recover(struct track *t, uint16_t *ret_base)
{
	uint16_t avail, used, place;
	uint32_t n = 0;

	track_scan(t);
	avail = t->seen_avail;
	used = t->seen_used;
	for (uint32_t i = 0; i < t->size; i++) {
		if (t->out[i] > 1)
			return false;
		n += t->out[i];
	}
	if (!t->known || n != (uint16_t)(avail - used))
		return false;
	/* From the newest on, each head that is in flight keeps its place once ... */
	for (uint16_t at = avail; at != used;) {
		uint16_t head = get16(avail_entry(t, --at));

		if (head < t->size && t->out[head] == 1)
			t->out[head] = 2;
		else
			put16(avail_entry(t, at), UINT16_MAX);
	}
	/* ... and those that are older get the places of what was used. */
	place = used;
	for (uint32_t i = 0; i < t->size; i++) {
		if (t->out[i] != 1)
			continue;
		while (place != avail && get16(avail_entry(t, place)) != UINT16_MAX)
			place++;
		if (place == avail)
			return false; /* the driver writes where it may not */
		put16(avail_entry(t, place), (uint16_t)i);
	}
	*ret_base = used;
	return true;
}
