/* SPDX-License-Identifier: Apache-2.0 */
/* Reading state, which anybody may have written. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sdk/state/state.h"
#include "sdk/state/write.h"

static uint64_t get_le(const uint8_t *from, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)from[i] << (8 * i);
	return value;
}

int state_read_fail(struct tenon_state_r *r, int error, const char *format, ...)
{
	va_list args;

	if (r->error)
		return r->error;
	r->error = error;
	va_start(args, format);
	(void)vsnprintf(r->why, sizeof(r->why), format, args);
	va_end(args);
	return error;
}

static const char *where(const struct tenon_state_r *r)
{
	return r->in[r->depth].name;
}

bool state_value_at(const uint8_t *bytes, size_t at, size_t end, struct state_value *ret_value)
{
	uint64_t length;

	if (at > end || end - at < STATE_VALUE)
		return false;
	length = get_le(bytes + at + 4, 4);
	if (length > end - at - STATE_VALUE)
		return false;
	*ret_value = (struct state_value){
		.at = at,
		.tag = (uint16_t)get_le(bytes + at, 2),
		.type = bytes[at + 2],
		.payload = at + STATE_VALUE,
		.end = at + STATE_VALUE + (size_t)length,
		.values = at + STATE_VALUE + (size_t)length,
	};
	if (ret_value->type == STATE_SECTION_TYPE) {
		if (length < STATE_SECTION ||
			length - STATE_SECTION < bytes[ret_value->payload + 4])
			return false;
		ret_value->values =
			ret_value->payload + STATE_SECTION + bytes[ret_value->payload + 4];
	}
	return true;
}

enum state_damage state_check(
	const uint8_t *bytes, size_t at, size_t end, struct state_value *ret_value)
{
	uint8_t seen[(UINT16_MAX + 1) / 8] = { 0 };

	while (at < end) {
		*ret_value = (struct state_value){ .at = at };
		if (!state_value_at(bytes, at, end, ret_value))
			return STATE_CUT;
		if (seen[ret_value->tag / 8] & 1u << ret_value->tag % 8)
			return STATE_TWICE;
		seen[ret_value->tag / 8] |= (uint8_t)(1u << ret_value->tag % 8);
		at = ret_value->end;
	}
	return STATE_FINE;
}

static int look_through(struct tenon_state_r *r)
{
	const struct state_span *in = &r->in[r->depth];
	struct state_value v;

	switch (state_check(r->bytes, in->at, in->end, &v)) {
	case STATE_CUT:
		return state_read_fail(r, -EPROTO,
			"%s: what stands at byte %zu is cut off or longer than what holds it",
			in->name, v.at);
	case STATE_TWICE:
		return state_read_fail(r, -EPROTO, "%s: tag %u comes twice", in->name, v.tag);
	default:
		return 0;
	}
}

int state_read_begin(struct tenon_state_r *r, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint32_t format;

	*r = (struct tenon_state_r){ .bytes = bytes };
	if (size > TENON_STATE_MAX_BYTES)
		return state_read_fail(
			r, -E2BIG, "it is longer than %u MiB", TENON_STATE_MAX_BYTES >> 20);
	if (size < STATE_HEADER || memcmp(at, STATE_MAGIC, 8) != 0)
		return state_read_fail(r, -EPROTO, "this is not the saved state of devices");
	format = (uint32_t)get_le(at + 8, 4);
	if (format != STATE_FORMAT)
		return state_read_fail(
			r, -ENOTSUP, "its format is version %u; wanted %u", format, STATE_FORMAT);
	if (get_le(at + 12, 4) != 0)
		return state_read_fail(r, -EPROTO, "its header has bits that are not known");
	r->in[0] = (struct state_span){ STATE_HEADER, size, "state" };
	return look_through(r);
}

/* 1, 0 when it is missing and need not be there, or the error. */
static int find(struct tenon_state_r *r, uint32_t tag, struct state_value *ret_value)
{
	const struct state_span *in = &r->in[r->depth];
	size_t at = in->at;

	*ret_value = (struct state_value){ 0 };
	if (r->error)
		return r->error;
	while (at < in->end && state_value_at(r->bytes, at, in->end, ret_value)) {
		if (ret_value->tag == (tag & ~TENON_STATE_NEED))
			return 1;
		at = ret_value->end;
	}
	if (tag & TENON_STATE_NEED)
		return state_read_fail(
			r, -ENODATA, "%s: tag %u is missing", in->name, tag & ~TENON_STATE_NEED);
	return 0;
}

static const char *type_name(unsigned type)
{
	static const char *const names[] = { "u8", "u16", "u32", "u64", "bytes", "string",
		"section" };

	return type >= STATE_U8 && type <= STATE_SECTION_TYPE ? names[type - STATE_U8]
							      : "something unknown";
}

/* The same, of the type. */
static int find_typed(
	struct tenon_state_r *r, uint32_t tag, enum state_type type, struct state_value *ret_value)
{
	int ret = find(r, tag, ret_value);

	if (ret > 0 && ret_value->type != type)
		return state_read_fail(r, -EPROTO, "%s: tag %u is %s; wanted %s", where(r),
			ret_value->tag, type_name(ret_value->type), type_name(type));
	return ret;
}

static int get_number(struct tenon_state_r *r, uint32_t tag, enum state_type type, unsigned bytes,
	uint64_t *ret_value)
{
	struct state_value v = { 0 };
	int ret = find_typed(r, tag, type, &v);

	if (ret <= 0)
		return ret;
	if (v.end - v.payload != bytes)
		return state_read_fail(r, -EPROTO, "%s: tag %u, %s, has %zu bytes; wanted %u",
			where(r), v.tag, type_name(type), v.end - v.payload, bytes);
	*ret_value = get_le(r->bytes + v.payload, bytes);
	return 1;
}

static int get_u8(struct tenon_state_r *r, uint32_t tag, uint8_t *ret_value)
{
	uint64_t value = 0;
	int ret = get_number(r, tag, STATE_U8, 1, &value);

	if (ret > 0)
		*ret_value = (uint8_t)value;
	return ret < 0 ? ret : 0;
}

static int get_u16(struct tenon_state_r *r, uint32_t tag, uint16_t *ret_value)
{
	uint64_t value = 0;
	int ret = get_number(r, tag, STATE_U16, 2, &value);

	if (ret > 0)
		*ret_value = (uint16_t)value;
	return ret < 0 ? ret : 0;
}

static int get_u32(struct tenon_state_r *r, uint32_t tag, uint32_t *ret_value)
{
	uint64_t value = 0;
	int ret = get_number(r, tag, STATE_U32, 4, &value);

	if (ret > 0)
		*ret_value = (uint32_t)value;
	return ret < 0 ? ret : 0;
}

static int get_u64(struct tenon_state_r *r, uint32_t tag, uint64_t *ret_value)
{
	uint64_t value = 0;
	int ret = get_number(r, tag, STATE_U64, 8, &value);

	if (ret > 0)
		*ret_value = value;
	return ret < 0 ? ret : 0;
}

static int get_bytes(
	struct tenon_state_r *r, uint32_t tag, void *to, uint32_t room, uint32_t *ret_size)
{
	struct state_value v = { 0 };
	int ret = find_typed(r, tag, STATE_BYTES, &v);
	size_t size;

	if (ret <= 0)
		return ret;
	size = v.end - v.payload;
	if (!ret_size && size != room)
		return state_read_fail(r, -EPROTO, "%s: tag %u has %zu bytes; wanted %u", where(r),
			v.tag, size, room);
	if (size > room)
		return state_read_fail(r, -EMSGSIZE, "%s: tag %u has %zu bytes; wanted at most %u",
			where(r), v.tag, size, room);
	if (size > 0)
		memcpy(to, r->bytes + v.payload, size);
	if (ret_size)
		*ret_size = (uint32_t)size;
	return 0;
}

static int get_string(struct tenon_state_r *r, uint32_t tag, char *to, uint32_t room)
{
	struct state_value v = { 0 };
	int ret = find_typed(r, tag, STATE_STRING, &v);
	size_t size;

	if (ret <= 0)
		return ret;
	size = v.end - v.payload;
	if (size >= room)
		return state_read_fail(r, -EMSGSIZE,
			"%s: tag %u is a text of %zu bytes; wanted less than %u", where(r), v.tag,
			size, room);
	if (memchr(r->bytes + v.payload, 0, size))
		return state_read_fail(
			r, -EPROTO, "%s: tag %u is a text with a NUL inside", where(r), v.tag);
	memcpy(to, r->bytes + v.payload, size);
	to[size] = '\0';
	return 0;
}

static int has(struct tenon_state_r *r, uint32_t tag)
{
	struct state_value v;

	return find(r, tag & ~TENON_STATE_NEED, &v);
}

/* A name as it can be shown. */
static void printable(char *to, const uint8_t *from, size_t n)
{
	if (n > TENON_STATE_MAX_NAME)
		n = TENON_STATE_MAX_NAME;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(from[i] >= ' ' && from[i] < 0x7f ? from[i] : '?');
	to[n] = '\0';
}

static int enter(struct tenon_state_r *r, uint32_t tag, const char *name, uint32_t newest,
	uint32_t *ret_version)
{
	struct state_value v;
	struct state_span in;
	uint32_t version;
	int ret = find_typed(r, tag, STATE_SECTION_TYPE, &v);

	if (ret <= 0)
		return ret;
	if (r->depth == STATE_DEPTH)
		return state_read_fail(r, -E2BIG, "%s: sections are nested too deeply", where(r));
	in = (struct state_span){ .at = v.values, .end = v.end };
	printable(in.name, r->bytes + v.payload + STATE_SECTION,
		v.values - v.payload - STATE_SECTION);
	if (strcmp(in.name, name) != 0)
		return state_read_fail(r, -EPROTO, "%s: tag %u is section \"%s\"; wanted \"%s\"",
			where(r), v.tag, in.name, name);
	version = (uint32_t)get_le(r->bytes + v.payload, 4);
	if (version > newest)
		return state_read_fail(r, -ENOTSUP,
			"section \"%s\" is of version %u, which is newer than %u, the newest that "
			"is known here",
			in.name, version, newest);
	r->in[++r->depth] = in;
	ret = look_through(r);
	if (ret < 0)
		return ret;
	*ret_version = version;
	return 1;
}

static int leave(struct tenon_state_r *r)
{
	if (r->error)
		return r->error;
	if (r->depth == 0)
		return state_read_fail(r, -EINVAL, "a section is left that was not entered");
	r->depth--;
	return 0;
}

const struct tenon_state state_service = {
	.struct_size = sizeof(struct tenon_state),
	.put_u8 = state_put_u8,
	.put_u16 = state_put_u16,
	.put_u32 = state_put_u32,
	.put_u64 = state_put_u64,
	.put_bytes = state_put_bytes,
	.put_string = state_put_string,
	.begin = state_begin,
	.end = state_end,
	.get_u8 = get_u8,
	.get_u16 = get_u16,
	.get_u32 = get_u32,
	.get_u64 = get_u64,
	.get_bytes = get_bytes,
	.get_string = get_string,
	.has = has,
	.enter = enter,
	.leave = leave,
};
