/* SPDX-License-Identifier: Apache-2.0 */
/* A growing buffer with a sticky error. */
#include "arch/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void bytes_free(struct bytes *b)
{
	free(b->at);
	*b = (struct bytes){ 0 };
}

void bytes_fail(struct bytes *b, int err_no)
{
	if (b->error == 0)
		b->error = err_no;
}

/* Makes room for @size more bytes and returns where they go, or NULL. */
static uint8_t *extend(struct bytes *b, size_t size)
{
	size_t need, room = b->room ? b->room : 256;
	uint8_t *at;

	if (b->error)
		return NULL;
	if (__builtin_add_overflow(b->size, size, &need) || need > BYTES_MAX) {
		bytes_fail(b, -E2BIG);
		return NULL;
	}
	while (room < need)
		room *= 2;
	if (room != b->room) {
		at = realloc(b->at, room);
		if (!at) {
			bytes_fail(b, -ENOMEM);
			return NULL;
		}
		b->at = at;
		b->room = room;
	}
	at = b->at + b->size;
	b->size = need;
	return at;
}

void bytes_put(struct bytes *b, const void *from, size_t size)
{
	uint8_t *to = extend(b, size);

	if (to && size > 0)
		memcpy(to, from, size);
}

void bytes_zero(struct bytes *b, size_t size)
{
	uint8_t *to = extend(b, size);

	if (to)
		memset(to, 0, size);
}

void bytes_u8(struct bytes *b, uint8_t value)
{
	bytes_put(b, &value, 1);
}

void bytes_u16(struct bytes *b, uint16_t value)
{
	uint8_t raw[2];

	put_le16(raw, value);
	bytes_put(b, raw, sizeof(raw));
}

void bytes_u32(struct bytes *b, uint32_t value)
{
	uint8_t raw[4];

	put_le32(raw, value);
	bytes_put(b, raw, sizeof(raw));
}

void bytes_u64(struct bytes *b, uint64_t value)
{
	uint8_t raw[8];

	put_le64(raw, value);
	bytes_put(b, raw, sizeof(raw));
}

void bytes_text(struct bytes *b, const char *text)
{
	bytes_put(b, text, strlen(text) + 1);
}

void bytes_insert(struct bytes *b, size_t offset, const void *from, size_t size)
{
	size_t tail;

	if (b->error)
		return;
	if (offset > b->size) {
		bytes_fail(b, -EINVAL);
		return;
	}
	tail = b->size - offset;
	if (!extend(b, size))
		return;
	memmove(b->at + offset + size, b->at + offset, tail);
	memcpy(b->at + offset, from, size);
}
