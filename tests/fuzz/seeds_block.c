/* SPDX-License-Identifier: Apache-2.0 */
/* Small qcow2 images, and requests of a disk. */
#include "tests/fuzz/seeds.h"

#include <string.h>

#define CLUSTER 512ull

static void put_be(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

/* Clusters: 0 header, 1 refcount table, 2 refcounts, 3 L1, 4 L2, 5 data, 6 a compressed one. */
static void image(uint8_t at[7 * CLUSTER], uint32_t version)
{
	/* 512 times 'x', deflated. */
	static const uint8_t packed[] = { 0xab, 0xa8, 0x18, 0x05, 0x23, 0x19, 0, 0 };

	put_be(at, 0x514649fb, 4);
	put_be(at + 4, version, 4);
	put_be(at + 20, 9, 4);
	put_be(at + 24, 128 * CLUSTER, 8);
	put_be(at + 36, 2, 4);
	put_be(at + 40, 3 * CLUSTER, 8);
	put_be(at + 48, CLUSTER, 8);
	put_be(at + 56, 1, 4);
	if (version == 3) {
		put_be(at + 96, 4, 4);
		put_be(at + 100, 104, 4);
	}
	put_be(at + CLUSTER, 2 * CLUSTER, 8);
	for (unsigned i = 0; i < 7; i++)
		put_be(at + 2 * CLUSTER + i * 2ull, 1, 2);
	put_be(at + 3 * CLUSTER, 4 * CLUSTER | 1ull << 63, 8);
	put_be(at + 4 * CLUSTER, 5 * CLUSTER | 1ull << 63, 8);
	if (version == 3)
		put_be(at + 4 * CLUSTER + 16, 1, 8);
	put_be(at + 4 * CLUSTER + 24, 1ull << 62 | 6 * CLUSTER, 8);
	memcpy(at + 6 * CLUSTER, packed, sizeof(packed));
}

static void one_image(const char *name, uint32_t version, uint8_t how)
{
	static const uint8_t requests[] = { 1, 7, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 8, 1, 9, 9, 0, 0,
		0, 40, 5, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 20, 4, 0, 7, 0, 0, 0, 9, 2, 0, 0, 0,
		0, 0, 5, 5, 0, 0, 0, 0, 0, 0 };
	uint8_t bytes[7 * CLUSTER] = { 0 };
	struct seed s = { .n = 0 };

	image(bytes, version);
	seed_le(&s, how, 1);
	seed_le(&s, sizeof(requests), 1);
	seed_put(&s, requests, sizeof(requests));
	seed_put(&s, bytes, sizeof(bytes));
	seed_save("fuzz_qcow2", name, &s);
}

static void one_request(const char *name, uint32_t type, uint16_t out, uint16_t in)
{
	struct seed s = { .n = 0 };

	seed_le(&s, 4, 1);
	seed_le(&s, 4096, 4);
	seed_le(&s, out ? 2 : 1, 1);
	seed_le(&s, 16, 2);
	if (out)
		seed_le(&s, out, 2);
	seed_le(&s, in ? 2 : 1, 1);
	if (in)
		seed_le(&s, in, 2);
	seed_le(&s, 1, 2);
	seed_le(&s, type, 8);
	seed_le(&s, 8, 8);
	for (unsigned i = 0; i < out / 16u; i++) {
		seed_le(&s, 8ull * i, 8);
		seed_le(&s, 8, 8);
	}
	seed_save("fuzz_block_request", name, &s);
}

void seeds_block(void)
{
	one_image("version2", 2, 0);
	one_image("version3", 3, 0);
	one_image("read_only", 3, 1);
	one_request("read", 0, 0, 4096);
	one_request("write", 1, 4096, 0);
	one_request("flush", 4, 0, 0);
	one_request("id", 8, 0, 20);
	one_request("discard", 11, 48, 0);
	one_request("zeroes", 13, 32, 0);
}
