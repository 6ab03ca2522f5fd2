/* SPDX-License-Identifier: Apache-2.0 */
/* What honest back ends say, as fuzz_vhost_user reads it. */
#include "tests/fuzz/seeds.h"

#define REPLY 5u /* version 1, and it is an answer */

static void answer(struct seed *s, uint32_t request, uint64_t number, unsigned size)
{
	seed_le(s, request, 4);
	seed_le(s, REPLY, 4);
	seed_le(s, size, 4);
	seed_le(s, number, 8);
}

/* The handshake with every feature of the protocol, or with those that want no acknowledgement. */
static void handshake(const char *name, uint64_t protocol, unsigned n_fds)
{
	struct seed s = { .n = 0 };

	seed_le(&s, 0, 1);
	seed_le(&s, n_fds, 1);
	answer(&s, 1, 1ull << 32 | 1u << 30, 8);
	if (protocol) {
		answer(&s, 15, protocol, 8);
		answer(&s, 17, 2, 8);
		if (protocol >> 15 & 1)
			answer(&s, 36, 32, 8);
		if (protocol >> 5 & 1)
			answer(&s, 21, 0, 8);
	}
	seed_le(&s, 24, 4);
	seed_le(&s, REPLY, 4);
	seed_le(&s, 72, 4);
	seed_le(&s, 0, 4);
	seed_le(&s, 60, 4);
	for (int i = 0; i < 64; i++)
		seed_le(&s, (uint64_t)(i >= 4) * 7, 1);
	if (protocol >> 3 & 1)
		answer(&s, 8, 0, 8);
	answer(&s, 11, 0x500000000, 8);
	answer(&s, 31, 4096, 24);
	seed_le(&s, 0, 8);
	seed_le(&s, 0x1000002, 8);
	seed_save("fuzz_vhost_user", name, &s);
}

static void requests(void)
{
	struct seed s = { .n = 0 };

	seed_le(&s, 1, 1);
	seed_le(&s, 1, 1);
	for (unsigned i = 1; i < 6; i++) {
		seed_le(&s, i, 4);
		seed_le(&s, i & 1 ? 1 : 9, 4);
		seed_le(&s, i == 2 ? 0 : 8, 4);
		if (i != 2)
			seed_le(&s, 0, 8);
	}
	seed_save("fuzz_vhost_user", "requests", &s);
}

static void ring(void)
{
	struct seed s = { .n = 0 };

	seed_le(&s, 2, 1);
	for (unsigned i = 0; i < 8; i++) {
		seed_le(&s, (4 + i * 2) << 1 | 1, 1); /* a head that is available */
		seed_le(&s, i, 1);
		seed_le(&s, 2 << 1 | 1, 1);
		seed_le(&s, i + 1, 1);
		seed_le(&s, (4 + i * 8) << 1, 1); /* used */
		seed_le(&s, 7 - i, 1);
	}
	seed_le(&s, 2 << 1, 1);
	seed_le(&s, 3, 1);
	seed_save("fuzz_vhost_user", "ring", &s);
}

void seeds_vhost_user(void)
{
	handshake("all", 0x1962b, 1);
	handshake("no-acks", 0x201, 0);
	handshake("old", 0, 0);
	requests();
	ring();
}
