/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking.  Each format is one function that turns a piece of input into output in a growing
 * buffer; the libraries do the work.
 */
#include "core/unpack.h"

#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "core/error.h"

#define STEP ((size_t)4 * 1024 * 1024)

/* What a decoder may use for itself: kernels are packed with windows of up to 128 MiB. */
#define DECODER_MAX ((uint64_t)256 * 1024 * 1024)

struct buffer {
	uint8_t *bytes;
	size_t size, room;
	size_t most; /* that room may become */
};

/* Room for more; -EFBIG past the limit. */
static int grow(struct buffer *b)
{
	size_t room = b->room ? b->room * 2 : STEP;
	uint8_t *more;

	if (b->size < b->room)
		return 0;
	if (b->room >= b->most)
		return -EFBIG;
	room = room < b->most ? room : b->most;
	more = realloc(b->bytes, room);
	if (!more)
		return -ENOMEM;
	b->bytes = more;
	b->room = room;
	return 0;
}

static int unpack_gzip(const uint8_t *in, size_t size, struct buffer *out)
{
	z_stream z = { .next_in = (z_const Bytef *)(uintptr_t)in, .avail_in = (uInt)size };
	int ret, z_ret = Z_OK;

	if (size > UINT32_MAX || inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	do {
		ret = grow(out);
		if (ret < 0)
			break;
		z.next_out = out->bytes + out->size;
		z.avail_out = (uInt)(out->room - out->size);
		z_ret = inflate(&z, Z_NO_FLUSH);
		out->size = out->room - z.avail_out;
	} while (z_ret == Z_OK);
	(void)inflateEnd(&z);
	return ret < 0 ? ret : z_ret == Z_STREAM_END ? 0 : -EBADMSG;
}

static int unpack_xz(const uint8_t *in, size_t size, struct buffer *out)
{
	lzma_stream x = LZMA_STREAM_INIT;
	lzma_ret x_ret = LZMA_OK;
	int ret = 0;

	if (lzma_stream_decoder(&x, DECODER_MAX, 0) != LZMA_OK)
		return -ENOMEM;
	x.next_in = in;
	x.avail_in = size;
	while (x_ret == LZMA_OK) {
		ret = grow(out);
		if (ret < 0)
			break;
		x.next_out = out->bytes + out->size;
		x.avail_out = out->room - out->size;
		x_ret = lzma_code(&x, LZMA_FINISH);
		out->size = out->room - x.avail_out;
	}
	lzma_end(&x);
	if (x_ret == LZMA_MEMLIMIT_ERROR || x_ret == LZMA_MEM_ERROR)
		return -ENOMEM;
	return ret < 0 ? ret : x_ret == LZMA_STREAM_END ? 0 : -EBADMSG;
}

static int unpack_zstd(const uint8_t *in, size_t size, struct buffer *out)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer from = { in, size, 0 };
	size_t left = 1;
	int ret = 0;

	if (!z)
		return -ENOMEM;
	while (left != 0 && ret == 0) {
		ZSTD_outBuffer to;
		size_t before = from.pos;

		ret = grow(out);
		if (ret < 0)
			break;
		to = (ZSTD_outBuffer){ out->bytes, out->room, out->size };
		left = ZSTD_decompressStream(z, &to, &from);
		if (ZSTD_isError(left) || (left != 0 && from.pos == before && to.pos == out->size))
			ret = -EBADMSG;
		out->size = to.pos;
	}
	(void)ZSTD_freeDStream(z);
	return ret;
}

static int unpack_bzip2(const uint8_t *in, size_t size, struct buffer *out)
{
	bz_stream b = { .next_in = (char *)(uintptr_t)in, .avail_in = (unsigned)size };
	int ret, b_ret = BZ_OK;

	if (size > UINT32_MAX || BZ2_bzDecompressInit(&b, 0, 0) != BZ_OK)
		return -ENOMEM;
	do {
		unsigned before_in = b.avail_in;
		size_t before = out->size;

		ret = grow(out);
		if (ret < 0)
			break;
		b.next_out = (char *)out->bytes + out->size;
		b.avail_out = (unsigned)(out->room - out->size);
		b_ret = BZ2_bzDecompress(&b);
		out->size = out->room - b.avail_out;
		if (b_ret == BZ_OK && b.avail_in == before_in && out->size == before)
			b_ret = BZ_UNEXPECTED_EOF;
	} while (b_ret == BZ_OK);
	(void)BZ2_bzDecompressEnd(&b);
	return ret < 0 ? ret : b_ret == BZ_STREAM_END ? 0 : -EBADMSG;
}

static int unpack_lz4_frame(const uint8_t *in, size_t size, struct buffer *out)
{
	LZ4F_dctx *ctx;
	size_t at = 0, left = 1;
	int ret = 0;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)))
		return -ENOMEM;
	while (left != 0 && ret == 0) {
		size_t used = size - at, made;

		ret = grow(out);
		if (ret < 0)
			break;
		made = out->room - out->size;
		left = LZ4F_decompress(ctx, out->bytes + out->size, &made, in + at, &used, NULL);
		if (LZ4F_isError(left) || (left != 0 && used == 0 && made == 0))
			ret = -EBADMSG;
		at += used;
		out->size += made;
	}
	(void)LZ4F_freeDecompressionContext(ctx);
	return ret;
}

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The old format, which kernels use: blocks of up to 8 MiB with their packed size in front. */
#define LZ4_LEGACY_BLOCK ((size_t)8 * 1024 * 1024)

static int unpack_lz4_legacy(const uint8_t *in, size_t size, struct buffer *out)
{
	size_t at = 4;

	while (size - at >= 4) {
		uint32_t packed = le32(in + at);
		int n;

		at += 4;
		if (packed == 0 || packed > size - at) /* a kernel appends its unpacked size */
			return out->size > 0 && size - at < 4 ? 0 : -EBADMSG;
		while (out->room - out->size < LZ4_LEGACY_BLOCK) {
			size_t full = out->size;
			int ret;

			out->size = out->room;
			ret = grow(out);
			out->size = full;
			if (ret < 0)
				return ret;
		}
		n = LZ4_decompress_safe((const char *)in + at, (char *)out->bytes + out->size,
			(int)packed, (int)LZ4_LEGACY_BLOCK);
		if (n < 0)
			return -EBADMSG;
		out->size += (size_t)n;
		at += packed;
	}
	return out->size > 0 ? 0 : -EBADMSG;
}

/* ---- formats ---- */

static const struct format {
	const char *name;
	uint8_t magic[6];
	size_t n;
	int (*unpack)(const uint8_t *in, size_t size, struct buffer *out);
} formats[] = {
	{ "gzip", { 0x1f, 0x8b, 0x08 }, 3, unpack_gzip },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, unpack_xz },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd },
	{ "bzip2", { 'B', 'Z', 'h' }, 3, unpack_bzip2 },
	{ "lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, unpack_lz4_frame },
	{ "lz4", { 0x02, 0x21, 0x4c, 0x18 }, 4, unpack_lz4_legacy },
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

static const struct format *format_of(const uint8_t *in, size_t size)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (size >= formats[i].n && memcmp(in, formats[i].magic, formats[i].n) == 0)
			return &formats[i];
	return NULL;
}

/*
 * EFI zboot: an EFI program that holds a packed kernel.  "MZ", then at 4 "zimg", at 8 the offset
 * and at 12 the size of what is packed, at 24 the name of the method.
 */
#define ZBOOT_SIZE 64u

static int find_zboot(
	const struct blob *image, const uint8_t **ret_in, size_t *ret_size, struct error *err)
{
	const uint8_t *h = image->bytes;
	uint64_t offset, size;

	if (image->size < ZBOOT_SIZE || memcmp(h, "MZ", 2) != 0 || memcmp(h + 4, "zimg", 4) != 0)
		return 0;
	offset = le32(h + 8);
	size = le32(h + 12);
	if (size == 0 || offset > image->size || size > image->size - offset)
		return error_set(err, EXIT_USAGE, -EBADMSG,
			"%s: the packed kernel of an EFI zboot image lies outside of the file",
			image->path);
	*ret_in = h + offset;
	*ret_size = (size_t)size;
	return 1;
}

/* Why it did not work, in the words that follow "cannot unpack". */
static int cannot_unpack(const struct blob *image, const struct format *f, size_t most, int err_no,
	struct error *err)
{
	if (err_no == -EFBIG)
		return error_set(err, EXIT_USAGE, err_no,
			"%s: cannot unpack the %s data: more than %zu MiB would come out",
			image->path, f->name, most >> 20);
	return error_set(err, EXIT_USAGE, err_no, "%s: cannot unpack the %s data: %s", image->path,
		f->name, err_no == -EBADMSG ? "it is damaged or cut short" : strerror(-err_no));
}

int unpack_bounded(const struct blob *image, size_t most, void **ret_memory, struct blob *ret_inner,
	struct error *err)
{
	struct buffer out = { .most = most };
	const uint8_t *in = image->bytes;
	const struct format *f;
	size_t size = image->size;
	int ret = find_zboot(image, &in, &size, err);

	if (ret < 0)
		return ret;
	f = format_of(in, size);
	if (!f && ret == 0)
		return 0;
	if (!f)
		return error_set(err, EXIT_USAGE, -ENOTSUP,
			"%s: an EFI zboot image packed by \"%.32s\", one of gzip, xz, zstd, lz4 "
			"and "
			"bzip2 is wanted",
			image->path, (const char *)image->bytes + 24);
	ret = f->unpack(in, size, &out);
	if (ret < 0) {
		free(out.bytes);
		return cannot_unpack(image, f, most, ret, err);
	}
	*ret_memory = out.bytes;
	*ret_inner = (struct blob){ out.bytes, out.size, image->path };
	return 1;
}

int unpack_kernel(
	const struct blob *image, void **ret_memory, struct blob *ret_inner, struct error *err)
{
	return unpack_bounded(image, UNPACK_MAX, ret_memory, ret_inner, err);
}
