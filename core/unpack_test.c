/* SPDX-License-Identifier: Apache-2.0 */
/* What a wrapped kernel may cost: how much comes out, and how much memory the decoder takes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lzma.h>
#include <zlib.h>

#include "core/error.h"
#include "core/unpack.h"

#define MIB ((size_t)1024 * 1024)

static struct blob gzip(const void *bytes, size_t size)
{
	const size_t room = size + 4096;
	uint8_t *out = malloc(room);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes,
		.avail_in = (uInt)size,
		.next_out = out,
		.avail_out = (uInt)room };

	assert_non_null(out);
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	return (struct blob){ out, room - z.avail_out, "kernel.gz" };
}

static void output_ends_at_the_limit(void **state)
{
	uint8_t *zeroes = calloc(3, MIB);
	struct blob image = gzip(zeroes, 3 * MIB - 1), inner = { .bytes = NULL };
	struct error err = { 0 };
	void *memory = NULL;

	(void)state;
	assert_int_equal(unpack_bounded(&image, 3 * MIB, &memory, &inner, &err), 1);
	assert_int_equal(inner.size, 3 * MIB - 1);
	free(memory);
	memory = NULL;
	assert_int_equal(unpack_bounded(&image, 2 * MIB, &memory, &inner, &err), -EFBIG);
	assert_null(memory);
	assert_string_equal(
		err.text, "kernel.gz: cannot unpack the gzip data: more than 2 MiB would come out");
	free((void *)(uintptr_t)image.bytes);
	free(zeroes);
}

/* The first block's header: its size, flags, the two sizes of the block, the filter, its window. */
#define XZ_BLOCK  12
#define XZ_WINDOW (XZ_BLOCK + 6)

static size_t make_xz(uint8_t *out, size_t room, uint8_t window)
{
	size_t n = 0, header;
	uint32_t crc;

	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL,
				 (const uint8_t *)"kernel", 6, out, &n, room),
		LZMA_OK);
	assert_int_equal(out[XZ_WINDOW - 2], LZMA_FILTER_LZMA2);
	header = (out[XZ_BLOCK] + 1u) * 4u - 4u;
	out[XZ_WINDOW] = window;
	crc = lzma_crc32(out + XZ_BLOCK, header, 0);
	for (int i = 0; i < 4; i++)
		out[XZ_BLOCK + header + (size_t)i] = (uint8_t)(crc >> (8 * i));
	return n;
}

static void xz_asks_for_no_more_than_a_kernel_needs(void **state)
{
	uint8_t packed[256];
	struct blob image = { packed, 0, "kernel.xz" }, inner = { .bytes = NULL };
	struct error err = { 0 };
	void *memory = NULL;

	(void)state;
	image.size = make_xz(packed, sizeof(packed), 30); /* 128 MiB */
	assert_int_equal(unpack_kernel(&image, &memory, &inner, &err), 1);
	assert_int_equal(inner.size, 6);
	assert_memory_equal(inner.bytes, "kernel", 6);
	free(memory);
	image.size = make_xz(packed, sizeof(packed), 36); /* 1 GiB */
	assert_int_equal(unpack_kernel(&image, &memory, &inner, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "kernel.xz: cannot unpack the xz data"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_ends_at_the_limit),
		cmocka_unit_test(xz_asks_for_no_more_than_a_kernel_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
