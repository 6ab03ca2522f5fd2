/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fake_memory.h"

#include <stdlib.h>
#include <string.h>

struct fake_region {
	uint64_t gpa, size;
	bool read_only;
	uint8_t *host;
};

static struct fake_region regions[] = {
	{ FAKE_LOW_GPA, 0x2000, false, NULL },
	{ FAKE_NEXT_GPA, 0x1000, false, NULL },
	{ FAKE_ROM_GPA, 0x800, true, NULL },
	{ FAKE_END_GPA, 0xfff, false, NULL },
};

#define N_REGIONS (sizeof(regions) / sizeof(regions[0]))

void fake_memory_reset(void)
{
	for (size_t i = 0; i < N_REGIONS; i++) {
		struct fake_region *r = &regions[i];
		void *host = r->host;

		if (!host && posix_memalign(&host, 4096, r->size) != 0)
			abort();
		r->host = host;
		memset(host, 0, r->size);
	}
}

static struct fake_region *find(uint64_t gpa)
{
	for (size_t i = 0; i < N_REGIONS; i++)
		if (gpa >= regions[i].gpa && gpa - regions[i].gpa < regions[i].size)
			return &regions[i];
	return NULL;
}

static void *map(void *opaque, uint64_t gpa, uint64_t *size, bool write)
{
	struct fake_region *r = find(gpa);
	uint64_t there;

	(void)opaque;
	if (!r || (write && r->read_only))
		return NULL;
	there = r->size - (gpa - r->gpa);
	if (*size > there)
		*size = there;
	return r->host + (gpa - r->gpa);
}

static struct fake_region *holding(const void *host, uint64_t size)
{
	for (size_t i = 0; i < N_REGIONS; i++) {
		uintptr_t base = (uintptr_t)regions[i].host, at = (uintptr_t)host;

		if (at >= base && at - base <= regions[i].size &&
			size <= regions[i].size - (at - base))
			return &regions[i];
	}
	return NULL;
}

/* What is said to be dirty must have been writable memory. */
static void mark_dirty(void *opaque, const void *host, uint64_t size)
{
	const struct fake_region *r = holding(host, size);

	(void)opaque;
	if (!r || r->read_only)
		abort();
}

const struct vring_memory fake_memory = { .map = map, .mark_dirty = mark_dirty };

void fake_memory_store(uint64_t gpa, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		struct fake_region *r = find(gpa + i);

		if (r)
			r->host[gpa + i - r->gpa] = bytes[i];
	}
}

void fake_memory_take(struct input *in)
{
	uint64_t gpa = input_u16(in);
	const uint8_t *bytes;
	size_t n = input_u16(in);

	bytes = input_bytes(in, n, &n);
	fake_memory_store(gpa >= 0xf000 ? FAKE_END_GPA + (gpa - 0xf000) : gpa, bytes, n);
}

uint64_t fake_memory_sum(void)
{
	uint64_t sum = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < N_REGIONS; i++)
		for (uint64_t at = 0; at < regions[i].size; at += sizeof(uint64_t)) {
			uint64_t left = regions[i].size - at, word = 0;

			memcpy(&word, regions[i].host + at, left < 8 ? (size_t)left : 8);
			sum = (sum ^ word) * 0x100000001b3ull;
		}
	return sum;
}

static uint64_t check_pieces(const struct iovec *iov, uint32_t n, bool write)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct fake_region *r = holding(iov[i].iov_base, iov[i].iov_len);

		if (!r || iov[i].iov_len == 0 || (write && r->read_only))
			abort();
		bytes += iov[i].iov_len;
	}
	return bytes;
}

void fake_memory_check(const struct tenon_chain *chain)
{
	if (check_pieces(chain->out, chain->n_out, false) != chain->out_bytes ||
		check_pieces(chain->in, chain->n_in, true) != chain->in_bytes)
		abort();
	if (chain->n_out + chain->n_in == 0)
		abort();
}
