/* SPDX-License-Identifier: Apache-2.0 */
/* Writing state: a buffer that grows, and sections whose lengths are filled in at their ends. */
#include "sdk/state/write.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/state/state.h"

static void put_le(uint8_t *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

int state_write_fail(struct tenon_state_w *w, int error, const char *format, ...)
{
	va_list args;

	if (w->error)
		return w->error;
	w->error = error;
	va_start(args, format);
	(void)vsnprintf(w->why, sizeof(w->why), format, args);
	va_end(args);
	return error;
}

/* Room for @n more bytes; NULL with the error recorded. */
static uint8_t *more(struct tenon_state_w *w, size_t n)
{
	size_t room = w->room ? w->room : 512;
	uint8_t *bytes, *at;

	if (w->error)
		return NULL;
	if (n > TENON_STATE_MAX_BYTES - w->size) {
		(void)state_write_fail(w, -E2BIG, "there is more to save than %u MiB",
			TENON_STATE_MAX_BYTES >> 20);
		return NULL;
	}
	while (room - w->size < n)
		room *= 2;
	if (room != w->room) {
		bytes = realloc(w->bytes, room);
		if (!bytes) {
			(void)state_write_fail(
				w, -ENOMEM, "there is no memory for what is to be saved");
			return NULL;
		}
		w->bytes = bytes;
		w->room = room;
	}
	at = w->bytes + w->size;
	w->size += n;
	return at;
}

static uint8_t *put(struct tenon_state_w *w, uint32_t tag, enum state_type type, size_t size)
{
	uint8_t *at;

	if (tag > UINT16_MAX)
		(void)state_write_fail(w, -EINVAL, "tag %u is above %u", tag, UINT16_MAX);
	at = size > TENON_STATE_MAX_BYTES ? more(w, size) : more(w, STATE_VALUE + size);
	if (!at)
		return NULL;
	put_le(at, tag, 2);
	at[2] = (uint8_t)type;
	at[3] = 0;
	put_le(at + 4, size, 4);
	return at + STATE_VALUE;
}

static int put_number(
	struct tenon_state_w *w, uint32_t tag, enum state_type type, uint64_t value, unsigned bytes)
{
	uint8_t *at = put(w, tag, type, bytes);

	if (!at)
		return w->error;
	put_le(at, value, bytes);
	return 0;
}

int state_put_u8(struct tenon_state_w *w, uint32_t tag, uint8_t value)
{
	return put_number(w, tag, STATE_U8, value, 1);
}

int state_put_u16(struct tenon_state_w *w, uint32_t tag, uint16_t value)
{
	return put_number(w, tag, STATE_U16, value, 2);
}

int state_put_u32(struct tenon_state_w *w, uint32_t tag, uint32_t value)
{
	return put_number(w, tag, STATE_U32, value, 4);
}

int state_put_u64(struct tenon_state_w *w, uint32_t tag, uint64_t value)
{
	return put_number(w, tag, STATE_U64, value, 8);
}

static int put_raw(
	struct tenon_state_w *w, uint32_t tag, enum state_type type, const void *bytes, size_t size)
{
	uint8_t *at = put(w, tag, type, size);

	if (!at)
		return w->error;
	if (size > 0)
		memcpy(at, bytes, size);
	return 0;
}

int state_put_bytes(struct tenon_state_w *w, uint32_t tag, const void *bytes, uint32_t size)
{
	return put_raw(w, tag, STATE_BYTES, bytes, size);
}

int state_put_string(struct tenon_state_w *w, uint32_t tag, const char *text)
{
	return put_raw(w, tag, STATE_STRING, text, strlen(text));
}

int state_begin(struct tenon_state_w *w, uint32_t tag, const char *name, uint32_t version)
{
	size_t n = strlen(name);
	uint8_t *at;

	if (n > TENON_STATE_MAX_NAME)
		return state_write_fail(w, -EINVAL,
			"the name of a section, \"%.20s...\", is longer than %u bytes", name,
			TENON_STATE_MAX_NAME);
	if (w->depth == STATE_DEPTH)
		return state_write_fail(w, -E2BIG, "section \"%s\" is nested too deeply", name);
	at = put(w, tag, STATE_SECTION_TYPE, STATE_SECTION + n);
	if (!at)
		return w->error;
	put_le(at, version, 4);
	at[4] = (uint8_t)n;
	memcpy(at + STATE_SECTION, name, n);
	w->open[w->depth++] = w->size - STATE_SECTION - n;
	return 0;
}

/* Whoever reads it would refuse it; whoever writes it is to know. */
static int check_tags(struct tenon_state_w *w, size_t values)
{
	struct state_value v;

	if (state_check(w->bytes, values, w->size, &v) == STATE_TWICE)
		return state_write_fail(w, -EINVAL, "tag %u is saved twice", v.tag);
	return 0;
}

int state_end(struct tenon_state_w *w)
{
	size_t begin;

	if (w->error)
		return w->error;
	if (w->depth == 0)
		return state_write_fail(w, -EINVAL, "a section is ended that was not begun");
	begin = w->open[--w->depth];
	put_le(w->bytes + begin - 4, w->size - begin, 4);
	return check_tags(w, begin + STATE_SECTION + w->bytes[begin + 4]);
}

int state_write_begin(struct tenon_state_w *w)
{
	uint8_t *at;

	*w = (struct tenon_state_w){ .bytes = NULL };
	at = more(w, STATE_HEADER);
	if (!at)
		return w->error;
	memcpy(at, STATE_MAGIC, 8);
	put_le(at + 8, STATE_FORMAT, 4);
	put_le(at + 12, 0, 4);
	return 0;
}

int state_write_end(struct tenon_state_w *w)
{
	if (w->depth > 0)
		return state_write_fail(w, -EINVAL, "a section is begun and not ended");
	return w->error ? w->error : check_tags(w, STATE_HEADER);
}

void state_write_free(struct tenon_state_w *w)
{
	free(w->bytes);
	*w = (struct tenon_state_w){ .bytes = NULL };
}
