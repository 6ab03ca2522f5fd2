/* SPDX-License-Identifier: Apache-2.0 */
/* AML encodings.  A term's length is known when it is closed, and is put in front of it then. */
#include "arch/x86_64/aml.h"

#include <errno.h>
#include <string.h>

enum aml_op {
	OP_ZERO = 0x00,
	OP_ONE = 0x01,
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_STRING = 0x0d,
	OP_QWORD = 0x0e,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_METHOD = 0x14,
	OP_DUAL_NAME = 0x2e,
	OP_MULTI_NAME = 0x2f,
	OP_EXT = 0x5b,
	OP_ARG0 = 0x68,
	OP_EXT_DEVICE = 0x82,
	OP_NOTIFY = 0x86,
	OP_LEQUAL = 0x93,
	OP_IF = 0xa0,
};

enum resource_tag {
	TAG_IO = 0x47,
	TAG_END = 0x79,
	TAG_MEMORY32_FIXED = 0x86,
	TAG_INTERRUPT = 0x89,
	TAG_QWORD = 0x8a,
};

#define SEGMENT   4u
#define MAX_DEPTH 8u

/* ---- names ---- */

static bool is_lead(char c)
{
	return (c >= 'A' && c <= 'Z') || c == '_';
}

/* One segment, padded with '_'; returns what follows it, or NULL. */
static const char *segment(struct bytes *b, const char *path)
{
	char name[SEGMENT] = { '_', '_', '_', '_' };
	size_t n = 0;

	if (!is_lead(*path))
		return NULL;
	while (is_lead(*path) || (*path >= '0' && *path <= '9')) {
		if (n == SEGMENT)
			return NULL;
		name[n++] = *path++;
	}
	bytes_put(b, name, SEGMENT);
	return path;
}

void aml_path(struct bytes *b, const char *path)
{
	size_t n = 1;

	if (*path == '\\') {
		bytes_u8(b, '\\');
		path++;
	}
	for (const char *c = path; *c; c++)
		n += *c == '.';
	if (n > MAX_DEPTH) {
		bytes_fail(b, -EINVAL);
		return;
	}
	if (n == 2)
		bytes_u8(b, OP_DUAL_NAME);
	if (n > 2) {
		bytes_u8(b, OP_MULTI_NAME);
		bytes_u8(b, (uint8_t)n);
	}
	while (n-- > 0) {
		path = segment(b, path);
		if (!path || *path != (n > 0 ? '.' : '\0')) {
			bytes_fail(b, -EINVAL);
			return;
		}
		path++;
	}
}

void aml_name(struct bytes *b, const char *path)
{
	bytes_u8(b, OP_NAME);
	aml_path(b, path);
}

/* ---- values ---- */

void aml_int(struct bytes *b, uint64_t value)
{
	if (value <= 1) {
		bytes_u8(b, value ? OP_ONE : OP_ZERO);
	} else if (value <= UINT8_MAX) {
		bytes_u8(b, OP_BYTE);
		bytes_u8(b, (uint8_t)value);
	} else if (value <= UINT16_MAX) {
		bytes_u8(b, OP_WORD);
		bytes_u16(b, (uint16_t)value);
	} else if (value <= UINT32_MAX) {
		bytes_u8(b, OP_DWORD);
		bytes_u32(b, (uint32_t)value);
	} else {
		bytes_u8(b, OP_QWORD);
		bytes_u64(b, value);
	}
}

/* AML strings are ASCII. */
void aml_string(struct bytes *b, const char *text)
{
	bytes_u8(b, OP_STRING);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			bytes_fail(b, -EINVAL);
	bytes_text(b, text);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Three letters of five bits each, then four hexadecimal digits; big-endian. */
static bool eisa_id(const char *hid, uint8_t ret_id[4])
{
	uint32_t id = 0;

	if (strlen(hid) != 7)
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (hid[i] < 'A' || hid[i] > 'Z')
			return false;
		id = id << 5 | (uint32_t)(hid[i] - 'A' + 1);
	}
	for (size_t i = 3; i < 7; i++) {
		if (hex_digit(hid[i]) < 0)
			return false;
		id = id << 4 | (uint32_t)hex_digit(hid[i]);
	}
	for (size_t i = 0; i < 4; i++)
		ret_id[i] = (uint8_t)(id >> (24 - 8 * i));
	return true;
}

void aml_id(struct bytes *b, const char *hid)
{
	uint8_t id[4];

	if (eisa_id(hid, id))
		aml_int(b, get_le32(id));
	else
		aml_string(b, hid);
}

/* ---- terms that hold others ---- */

/* PkgLength: counts itself; two bits of the first byte say how many follow. */
void aml_close(struct bytes *b, size_t at)
{
	size_t length = b->size - at;
	uint8_t raw[4] = { 0 };
	size_t n = 1;

	if (b->error)
		return;
	if (length + 1 < 1u << 6) {
		raw[0] = (uint8_t)(length + 1);
	} else {
		while (length + n >= (size_t)1 << (4 + 8 * (n - 1)))
			n++;
		length += n;
		raw[0] = (uint8_t)((n - 1) << 6 | (length & 0xf));
		for (size_t i = 1; i < n; i++)
			raw[i] = (uint8_t)(length >> (4 + 8 * (i - 1)));
	}
	bytes_insert(b, at, raw, n);
}

size_t aml_scope(struct bytes *b, const char *path)
{
	size_t at;

	bytes_u8(b, OP_SCOPE);
	at = b->size;
	aml_path(b, path);
	return at;
}

size_t aml_device(struct bytes *b, const char *path)
{
	size_t at;

	bytes_u8(b, OP_EXT);
	bytes_u8(b, OP_EXT_DEVICE);
	at = b->size;
	aml_path(b, path);
	return at;
}

size_t aml_method(struct bytes *b, const char *path, uint8_t n_args, bool serialized)
{
	size_t at;

	bytes_u8(b, OP_METHOD);
	at = b->size;
	aml_path(b, path);
	bytes_u8(b, (uint8_t)((n_args & 7) | (serialized ? 8 : 0)));
	return at;
}

size_t aml_package(struct bytes *b, uint8_t n_elements)
{
	size_t at;

	bytes_u8(b, OP_PACKAGE);
	at = b->size;
	bytes_u8(b, n_elements);
	return at;
}

size_t aml_if_arg0_is(struct bytes *b, uint64_t value)
{
	size_t at;

	bytes_u8(b, OP_IF);
	at = b->size;
	bytes_u8(b, OP_LEQUAL);
	bytes_u8(b, OP_ARG0);
	aml_int(b, value);
	return at;
}

void aml_notify(struct bytes *b, const char *path, uint8_t value)
{
	bytes_u8(b, OP_NOTIFY);
	aml_path(b, path);
	aml_int(b, value);
}

void aml_buffer(struct bytes *b, const void *from, size_t size)
{
	size_t at;

	bytes_u8(b, OP_BUFFER);
	at = b->size;
	aml_int(b, size);
	bytes_put(b, from, size);
	aml_close(b, at);
}

/* ---- resources ---- */

size_t aml_resources(struct bytes *b)
{
	bytes_u8(b, OP_BUFFER);
	return b->size;
}

void aml_resources_close(struct bytes *b, size_t at)
{
	struct bytes size = { 0 };

	bytes_u8(b, TAG_END);
	bytes_u8(b, 0); /* no checksum */
	aml_int(&size, b->size - at);
	if (size.error)
		bytes_fail(b, size.error);
	else if (b->error == 0)
		bytes_insert(b, at, size.at, size.size);
	bytes_free(&size);
	aml_close(b, at);
}

static void qword_memory(struct bytes *b, uint64_t base, uint64_t size)
{
	bytes_u8(b, TAG_QWORD);
	bytes_u16(b, 0x2b);
	bytes_u8(b, 0);    /* memory */
	bytes_u8(b, 0x0d); /* consumed here, both ends fixed */
	bytes_u8(b, 0x01); /* read and write, not cached */
	bytes_u64(b, 0);   /* granularity */
	bytes_u64(b, base);
	bytes_u64(b, base + size - 1);
	bytes_u64(b, 0); /* translation */
	bytes_u64(b, size);
}

void aml_memory(struct bytes *b, uint64_t base, uint64_t size)
{
	uint64_t last;

	if (size == 0 || __builtin_add_overflow(base, size - 1, &last)) {
		bytes_fail(b, -EINVAL);
		return;
	}
	if (last > UINT32_MAX) {
		qword_memory(b, base, size);
		return;
	}
	bytes_u8(b, TAG_MEMORY32_FIXED);
	bytes_u16(b, 9);
	bytes_u8(b, 1); /* writable */
	bytes_u32(b, (uint32_t)base);
	bytes_u32(b, (uint32_t)size);
}

void aml_io(struct bytes *b, uint64_t base, uint64_t size)
{
	if (size == 0 || size > UINT8_MAX || base > UINT16_MAX || base + size - 1 > UINT16_MAX) {
		bytes_fail(b, -EINVAL);
		return;
	}
	bytes_u8(b, TAG_IO);
	bytes_u8(b, 1); /* decodes 16 bits */
	bytes_u16(b, (uint16_t)base);
	bytes_u16(b, (uint16_t)base);
	bytes_u8(b, 1); /* alignment */
	bytes_u8(b, (uint8_t)size);
}

void aml_interrupt(struct bytes *b, uint32_t gsi, bool level, bool shared)
{
	bytes_u8(b, TAG_INTERRUPT);
	bytes_u16(b, 6);
	/* consumed here; edge or level; active high; exclusive or shared */
	bytes_u8(b, (uint8_t)(1 | (level ? 0 : 2) | (shared ? 8 : 0)));
	bytes_u8(b, 1);
	bytes_u32(b, gsi);
}
