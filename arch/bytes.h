/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Little-endian stores, and a growing buffer of bytes for tables whose size is known only once they
 * are built.  A failed buffer stays failed and drops what follows, so that builders check once, at
 * the end.
 */
#ifndef TENON_ARCH_BYTES_H
#define TENON_ARCH_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline void put_le16(void *at, uint16_t value)
{
	uint8_t *p = at;

	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static inline void put_le32(void *at, uint32_t value)
{
	put_le16(at, (uint16_t)value);
	put_le16((uint8_t *)at + 2, (uint16_t)(value >> 16));
}

static inline void put_le64(void *at, uint64_t value)
{
	put_le32(at, (uint32_t)value);
	put_le32((uint8_t *)at + 4, (uint32_t)(value >> 32));
}

static inline uint16_t get_le16(const void *at)
{
	const uint8_t *p = at;

	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_le32(const void *at)
{
	return get_le16(at) | (uint32_t)get_le16((const uint8_t *)at + 2) << 16;
}

static inline uint64_t get_le64(const void *at)
{
	return get_le32(at) | (uint64_t)get_le32((const uint8_t *)at + 4) << 32;
}

/* The byte that makes the sum of [@at, @at + @size) zero, once added to it. */
static inline uint8_t checksum_of(const void *at, size_t size)
{
	const uint8_t *p = at;
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + p[i]);
	return (uint8_t)(0u - sum);
}

#define BYTES_MAX (1u << 24) /* more is a mistake: nothing that the guest reads is that long */

/* All zero is an empty one. */
struct bytes {
	uint8_t *at; /* owned */
	size_t size, room;
	int error; /* 0, -ENOMEM, -E2BIG (longer than BYTES_MAX) or what bytes_fail() was given */
};

void bytes_free(struct bytes *b); /* empty afterwards */
void bytes_fail(struct bytes *b, int err_no);

void bytes_put(struct bytes *b, const void *from, size_t size);
void bytes_zero(struct bytes *b, size_t size);
void bytes_u8(struct bytes *b, uint8_t value);
void bytes_u16(struct bytes *b, uint16_t value);
void bytes_u32(struct bytes *b, uint32_t value);
void bytes_u64(struct bytes *b, uint64_t value);
void bytes_text(struct bytes *b, const char *text); /* with its zero */
/* Moves what lies from @offset on and puts @size bytes in between. */
void bytes_insert(struct bytes *b, size_t offset, const void *from, size_t size);

#endif
