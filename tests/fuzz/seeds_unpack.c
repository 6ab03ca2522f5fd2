/* SPDX-License-Identifier: Apache-2.0 */
/* The same text wrapped in each way, and each of those in an EFI zboot image. */
#include "tests/fuzz/seeds.h"

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define TEXT_SIZE 3000

static char text[TEXT_SIZE];

static void save(const char *name, const char *method, const uint8_t *packed, size_t n)
{
	static const char zboot[] = "_zboot";
	struct seed plain = { .n = 0 }, inside = { .n = 0 };
	char method_field[40] = "", zboot_name[64];

	seed_put(&plain, packed, n);
	seed_save("fuzz_unpack", name, &plain);

	memcpy(method_field, method, strlen(method));
	seed_put(&inside, "MZ\0\0zimg", 8);
	seed_le(&inside, 64, 4);
	seed_le(&inside, n, 4);
	seed_le(&inside, 0, 8);
	seed_put(&inside, method_field, sizeof(method_field));
	seed_put(&inside, packed, n);
	memcpy(zboot_name, name, strlen(name));
	memcpy(zboot_name + strlen(name), zboot, sizeof(zboot));
	seed_save("fuzz_unpack", zboot_name, &inside);
}

static void must(int fine)
{
	if (!fine)
		abort();
}

static void gzip(void)
{
	uint8_t out[4096];
	z_stream z = { .next_in = (Bytef *)text,
		.avail_in = TEXT_SIZE,
		.next_out = out,
		.avail_out = sizeof(out) };

	must(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	save("gzip", "gzip", out, sizeof(out) - z.avail_out);
	(void)deflateEnd(&z);
}

static void xz(void)
{
	uint8_t out[4096];
	size_t n = 0;

	must(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)text, TEXT_SIZE,
		     out, &n, sizeof(out)) == LZMA_OK);
	save("xz", "xzkern", out, n);
}

static void zstd(void)
{
	uint8_t out[8192];
	size_t n = ZSTD_compress(out, sizeof(out), text, TEXT_SIZE, 3);

	must(!ZSTD_isError(n));
	save("zstd", "zstd22", out, n);
}

static void bzip2(void)
{
	char out[8192];
	unsigned n = sizeof(out);

	must(BZ2_bzBuffToBuffCompress(out, &n, text, TEXT_SIZE, 1, 0, 0) == BZ_OK);
	save("bzip2", "bzip2", (const uint8_t *)out, n);
}

static void lz4(void)
{
	uint8_t out[8192];
	size_t n = LZ4F_compressFrame(out, sizeof(out), text, TEXT_SIZE, NULL);
	struct seed legacy = { .n = 0 };
	char block[8192];
	int m;

	must(!LZ4F_isError(n));
	save("lz4", "lz4", out, n);

	m = LZ4_compress_default(text, block, TEXT_SIZE, sizeof(block));
	must(m > 0);
	seed_le(&legacy, 0x184c2102, 4);
	for (int i = 0; i < 2; i++) {
		seed_le(&legacy, (uint32_t)m, 4);
		seed_put(&legacy, block, (size_t)m);
	}
	save("lz4_legacy", "lz4", legacy.at, legacy.n);
}

void seeds_unpack(void)
{
	for (size_t i = 0; i < TEXT_SIZE; i++)
		text[i] = "tenon and mortise"[(i * i / 7) % 17];
	gzip();
	xz();
	zstd();
	bzip2();
	lz4();
}
