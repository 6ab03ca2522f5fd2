/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed clusters.  They are read only: what the guest writes goes to a cluster of its own.
 * Reading in small steps asks for the same one again and again, so the last is kept.
 */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "qcow2.h"

#define ZLIB_WINDOW (-15) /* without a header */

static bool inflate_all(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	z_stream z = { .next_in = NULL };
	bool whole;

	if (inflateInit2(&z, ZLIB_WINDOW) != Z_OK)
		return false;
	memcpy(&z.next_in, &from, sizeof(from)); /* zlib does not change it */
	z.avail_in = (uInt)size;
	z.next_out = to;
	z.avail_out = (uInt)room;
	/* The data may end with the last byte of room, before the mark of their end. */
	(void)inflate(&z, Z_FINISH);
	whole = z.avail_out == 0;
	(void)inflateEnd(&z);
	return whole;
}

static bool unzstd_all(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer in = { from, size, 0 };
	ZSTD_outBuffer out = { to, room, 0 };
	size_t left = 1;

	/* What follows the frame in its last sector is somebody else's. */
	while (z && left != 0 && !ZSTD_isError(left) && in.pos < in.size && out.pos < out.size)
		left = ZSTD_decompressStream(z, &out, &in);
	(void)ZSTD_freeDCtx(z);
	return !ZSTD_isError(left) && out.pos == room;
}

/* The file may end within the last sector. */
static int read_packed(struct qcow2 *q, uint64_t at, uint8_t *to, uint64_t *size)
{
	uint64_t end;
	int ret = host_file_size(&q->image.file, &end);

	if (ret < 0)
		return ret;
	if (at >= end)
		return -ENODATA;
	if (*size > end - at)
		*size = end - at;
	return host_file_read(&q->image.file, at, to, (size_t)*size);
}

static int unpack(struct qcow2 *q, uint64_t entry, uint8_t *to)
{
	uint64_t at, size;
	uint8_t *packed;
	bool whole = false;
	int ret;

	qcow2_packed_range(q, entry, &at, &size);
	packed = malloc((size_t)size);
	ret = packed ? read_packed(q, at, packed, &size) : -ENOMEM;
	if (ret == 0 && q->h.compression == 0)
		whole = inflate_all(packed, (size_t)size, to, q->cluster_size);
	else if (ret == 0)
		whole = unzstd_all(packed, (size_t)size, to, q->cluster_size);
	free(packed);
	if (ret < 0 || whole)
		return ret;
	(void)pthread_mutex_lock(&q->lock);
	ret = qcow2_damage(
		q, "the compressed cluster at %llu cannot be unpacked", (unsigned long long)at);
	(void)pthread_mutex_unlock(&q->lock);
	return ret;
}

int qcow2_unpack(struct qcow2 *q, uint64_t entry, uint8_t *to)
{
	int ret = 0;

	(void)pthread_mutex_lock(&q->unpacked_lock);
	if (q->unpacked_entry != entry) {
		q->unpacked_entry = 0;
		if (!q->unpacked)
			q->unpacked = malloc(q->cluster_size);
		ret = q->unpacked ? unpack(q, entry, q->unpacked) : -ENOMEM;
		if (ret == 0)
			q->unpacked_entry = entry;
	}
	if (ret == 0)
		memcpy(to, q->unpacked, q->cluster_size);
	(void)pthread_mutex_unlock(&q->unpacked_lock);
	return ret;
}
