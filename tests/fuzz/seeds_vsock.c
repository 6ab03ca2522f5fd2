/* SPDX-License-Identifier: Apache-2.0 */
/* What honest guests and programs do with vsock, as fuzz_vsock reads it: its operations by number.
 */
#include "tests/fuzz/seeds.h"

#define STREAM    (0 << 3)
#define SEQPACKET (1 << 3)
#define DGRAM     (2 << 3)
#define KICK      0x80

static void buffers(struct seed *s, uint8_t choice)
{
	seed_le(s, 2, 1);
	seed_le(s, choice, 1);
}

static void packet(struct seed *s, uint8_t kind, uint8_t src, uint8_t dst, const void *bytes,
	uint16_t n, uint16_t flags)
{
	seed_le(s, 0, 1);
	seed_le(s, kind | KICK, 1);
	seed_le(s, src, 1);
	seed_le(s, dst, 1);
	seed_le(s, 4096, 2); /* credit */
	seed_le(s, flags, 2);
	seed_le(s, n, 2);
	if (bytes)
		seed_put(s, bytes, n);
}

static void host(struct seed *s, uint8_t op, uint8_t choice)
{
	seed_le(s, op, 1);
	seed_le(s, choice, 1);
}

/* Ports by number: 16 + n is the n-th of the list, below 16 is 1022 + n. */
static void guest_connects(const char *name, uint8_t type, uint8_t port, uint8_t listener)
{
	struct seed s = { .n = 0 };

	buffers(&s, 0x4f);
	packet(&s, type | 1, 16, port, NULL, 0, 0);
	host(&s, 4, listener);
	packet(&s, type | 5, 16, port, "hello", 5, 1);
	host(&s, 5, 0);
	seed_put(&s, "\205world", 6); /* and much behind it */
	buffers(&s, 0x4f);
	host(&s, 6, 0);
	packet(&s, type | 6, 16, port, NULL, 0, 0);
	packet(&s, type | 4, 16, port, NULL, 0, 2);
	host(&s, 7, 8);
	packet(&s, type | 4, 16, port, NULL, 0, 3);
	host(&s, 8, 0);
	seed_save("fuzz_vsock", name, &s);
}

static void host_connects(void)
{
	struct seed s = { .n = 0 };

	buffers(&s, 0x4f);
	host(&s, 3, 10);
	packet(&s, STREAM | 2, 16, 20, NULL, 0, 0);
	packet(&s, STREAM | 5 | 0x40, 16, 20, NULL, 0x8000, 0);
	packet(&s, STREAM | 3, 16, 20, NULL, 0, 0);
	host(&s, 10, 0);
	seed_save("fuzz_vsock", "host_connects", &s);
}

static void tsi_stream(void)
{
	struct seed s = { .n = 0 };

	buffers(&s, 0x4f);
	packet(&s, DGRAM | 5, 16, 2, "\1\0\0\0\2\0\1\0", 8, 0);
	packet(&s, DGRAM | 5, 16, 3, "\1\0\0\0\2\0\0\11\177\0\0\1\0\0\0\0\0\0\0\0", 20, 0);
	packet(&s, DGRAM | 5, 16, 7, "\1\0\0\0\4\0\0\0\3\0\0\0\2\0\0\0\0\0\0\0", 20, 0);
	packet(&s, DGRAM | 5, 16, 8, "\1\0\0\0\0\0\0\0", 8, 0);
	packet(&s, DGRAM | 5, 16, 4, "\1\0\0\0\0\0\0\0\0\0\0\0", 12, 0);
	packet(&s, STREAM | 1, 16, 19, NULL, 0, 0);
	packet(&s, DGRAM | 5, 16, 9, "\1\0\0\0\0\0\0\0", 8, 0);
	seed_save("fuzz_vsock", "tsi_stream", &s);
}

static void tsi_datagrams(void)
{
	struct seed s = { .n = 0 };

	buffers(&s, 0x4f);
	packet(&s, DGRAM | 5, 16, 2, "\1\0\0\0\2\0\2\0", 8, 0);
	packet(&s, DGRAM | 5, 16, 5, "\1\0\0\0\2\0\0\11\177\0\0\1\0\0\0\0\0\0\0\0", 20, 0);
	packet(&s, DGRAM | 5, 16, 6, "query", 5, 0);
	packet(&s, DGRAM | 5, 16, 3, "\1\0\0\0\2\0\0\11\177\0\0\1\0\0\0\0\0\0\0\0", 20, 0);
	packet(&s, DGRAM | 5, 16, 19, "more", 4, 0);
	packet(&s, DGRAM | 5, 16, 2, "\2\0\0\0\2\0\2\0", 8, 0);
	packet(&s, DGRAM | 5, 16, 7, "\2\0\0\0\4\0\0\0\3\0\0\0\2\0\0\0\0\0\0\0", 20, 0);
	seed_save("fuzz_vsock", "tsi_datagrams", &s);
}

static void resets(void)
{
	struct seed s = { .n = 0 };

	packet(&s, STREAM | 1, 16, 16, NULL, 0, 0); /* no buffers for the answer */
	seed_le(&s, 10, 1);
	buffers(&s, 0x43);
	seed_le(&s, 11, 1);
	host(&s, 3, 10);
	seed_le(&s, 11, 1);
	seed_put(&s, "\1\4abcd", 6);
	seed_put(&s, "\11\0\10", 3); /* two seconds */
	seed_save("fuzz_vsock", "resets", &s);
}

void seeds_vsock(void)
{
	guest_connects("stream", STREAM, 16, 0);
	guest_connects("messages", SEQPACKET, 17, 1);
	host_connects();
	tsi_stream();
	tsi_datagrams();
	resets();
}
