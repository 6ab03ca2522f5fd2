/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of a qcow2 image and its extensions.
 *
 * Nothing of it is believed: an image may come from anywhere.  What is not understood is refused by
 * the name that the image itself gives it, where it does.
 */
#include <errno.h>
#include <string.h>

#include "qcow2.h"

#define V2_LENGTH  72u
#define V3_LENGTH  104u
#define MOST_L1    (32u << 20) /* bytes */
#define MOST_TABLE (8u << 20)
#define MOST_SIZE  (1ull << 62)

#define EXT_END            0u
#define EXT_BACKING_FORMAT 0xe2792acau
#define EXT_FEATURE_NAMES  0x6803f857u
#define FEATURE_SIZE       48u

#define refuse(...) why_set(why, -EINVAL, __VA_ARGS__)

/* Whether @size bytes at @offset are whole clusters' beginnings and inside of the file. */
static bool is_inside(const struct qcow2_header *h, uint64_t offset, uint64_t size, uint64_t file)
{
	uint64_t cluster = 1ull << h->cluster_bits, end;

	return offset != 0 && offset % cluster == 0 &&
	       !__builtin_add_overflow(offset, size, &end) && end <= file;
}

static int check_tables(
	const struct qcow2_header *h, const char *path, uint64_t file_size, struct why *why)
{
	uint64_t cluster = 1ull << h->cluster_bits;
	uint64_t covered = cluster * (cluster / 8), wanted = h->size / covered;

	if (h->size % covered)
		wanted++;
	if (h->l1_entries < wanted || h->l1_entries > MOST_L1 / 8)
		return refuse("\"%s\" is damaged: its L1 table has %u entries; wanted %llu", path,
			h->l1_entries, (unsigned long long)wanted);
	if (h->l1_entries && !is_inside(h, h->l1_offset, h->l1_entries * 8ull, file_size))
		return refuse("\"%s\" is damaged: its L1 table is outside of the file", path);
	if (h->refcount_clusters == 0 || h->refcount_clusters * cluster > MOST_TABLE)
		return refuse("\"%s\" is damaged: its refcount table has %u clusters", path,
			h->refcount_clusters);
	if (!is_inside(h, h->refcount_offset, 8, file_size))
		return refuse("\"%s\" is damaged: its refcount table is outside of the file", path);
	return 0;
}

/* ---- extensions ---- */

struct extensions {
	const uint8_t *at, *end;
	char name[48]; /* of a feature that is not known */
};

static void find_name(struct extensions *x, const uint8_t *at, uint32_t size, uint64_t unknown)
{
	for (; size >= FEATURE_SIZE; at += FEATURE_SIZE, size -= FEATURE_SIZE) {
		if (at[0] != 0 || at[1] > 63 || !(unknown & 1ull << at[1]))
			continue;
		memcpy(x->name, at + 2, 46);
		for (char *c = x->name; *c; c++)
			if (*c < ' ' || *c > '~')
				*c = '?';
		return;
	}
}

static int read_extensions(struct extensions *x, struct qcow2_header *h, uint64_t unknown,
	const char *path, struct why *why)
{
	while (x->end - x->at >= 8) {
		uint32_t type = qcow2_be32(x->at), size = qcow2_be32(x->at + 4);

		x->at += 8;
		if (type == EXT_END)
			return 0;
		if (size > (uint64_t)(x->end - x->at))
			return refuse("\"%s\" is damaged: an extension of its header is %u bytes "
				      "long",
				path, size);
		if (type == EXT_BACKING_FORMAT) {
			if (size == 0 || size >= sizeof(h->backing_format))
				return refuse("\"%s\" is damaged: the name of its backing file's "
					      "format is %u bytes long",
					path, size);
			memcpy(h->backing_format, x->at, size);
		}
		if (type == EXT_FEATURE_NAMES)
			find_name(x, x->at, size, unknown);
		size = (size + 7) & ~7u;
		x->at += size < (uint64_t)(x->end - x->at) ? size : (uint64_t)(x->end - x->at);
	}
	return 0;
}

/* ---- features ---- */

static int check_features(const struct qcow2_header *h, uint64_t unknown, const char *name,
	const char *path, struct why *why)
{
	if (h->incompatible & QCOW2_DATA_FILE)
		return refuse("\"%s\" has its data in another file, which is not supported: "
			      "qemu-img convert makes one image of the two",
			path);
	if (h->incompatible & QCOW2_EXTENDED_L2)
		return refuse("\"%s\" has extended L2 entries, which are not supported: qemu-img "
			      "convert -o extended_l2=off makes an image without",
			path);
	if (unknown && name[0])
		return refuse(
			"\"%s\" needs the feature \"%s\", which is not supported", path, name);
	if (unknown)
		return refuse("\"%s\" needs the incompatible feature %d, which is not known", path,
			__builtin_ctzll(unknown));
	if (((h->incompatible & QCOW2_COMPRESSION) != 0) != (h->compression != 0) ||
		h->compression > 1)
		return refuse("\"%s\" is compressed by method %u; supported are 0 (zlib) and 1 "
			      "(zstd)",
			path, h->compression);
	return 0;
}

/* ---- the header ---- */

static int parse_fixed(
	const uint8_t *raw, size_t n, struct qcow2_header *h, const char *path, struct why *why)
{
	if (n < V2_LENGTH || qcow2_be32(raw) != QCOW2_MAGIC)
		return refuse(
			"\"%s\" is no qcow2 image; if it is a raw one, say format = \"raw\"", path);
	h->version = qcow2_be32(raw + 4);
	if (h->version != 2 && h->version != 3)
		return refuse("\"%s\" is a qcow2 image of version %u; supported are 2 and 3", path,
			h->version);
	h->cluster_bits = qcow2_be32(raw + 20);
	h->size = qcow2_be64(raw + 24);
	h->l1_entries = qcow2_be32(raw + 36);
	h->l1_offset = qcow2_be64(raw + 40);
	h->refcount_offset = qcow2_be64(raw + 48);
	h->refcount_clusters = qcow2_be32(raw + 56);
	h->n_snapshots = qcow2_be32(raw + 60);
	h->header_length = V2_LENGTH;
	h->refcount_order = 4;
	if (h->cluster_bits < 9 || h->cluster_bits > 21)
		return refuse("\"%s\" is damaged: its clusters are of 2^%u bytes; wanted 9 to 21",
			path, h->cluster_bits);
	if (h->size > MOST_SIZE || h->size % 512)
		return refuse("\"%s\" is damaged: its disk is of %llu bytes", path,
			(unsigned long long)h->size);
	if (qcow2_be32(raw + 32) != 0)
		return refuse("\"%s\" is encrypted, which is not supported", path);
	return 0;
}

static int parse_v3(
	const uint8_t *raw, size_t n, struct qcow2_header *h, const char *path, struct why *why)
{
	if (h->version < 3)
		return 0;
	if (n < V3_LENGTH)
		return refuse("\"%s\" is damaged: its header is cut short", path);
	h->incompatible = qcow2_be64(raw + 72);
	h->autoclear = qcow2_be64(raw + 88);
	h->refcount_order = qcow2_be32(raw + 96);
	h->header_length = qcow2_be32(raw + 100);
	if (h->header_length < V3_LENGTH || h->header_length % 8 || h->header_length > n ||
		h->header_length > 1u << h->cluster_bits)
		return refuse(
			"\"%s\" is damaged: its header is %u bytes long", path, h->header_length);
	if (h->header_length > V3_LENGTH)
		h->compression = raw[V3_LENGTH];
	if (h->refcount_order > 6)
		return refuse("\"%s\" is damaged: its refcounts are of 2^%u bits", path,
			h->refcount_order);
	return 0;
}

static int parse_backing(
	const uint8_t *raw, size_t n, struct qcow2_header *h, const char *path, struct why *why)
{
	uint64_t offset = qcow2_be64(raw + 8);
	uint32_t size = qcow2_be32(raw + 16);

	if (offset == 0)
		return 0;
	if (size == 0 || size >= sizeof(h->backing) || offset > n || size > n - offset)
		return refuse("\"%s\" is damaged: the name of its backing file is %u bytes long at "
			      "%llu",
			path, size, (unsigned long long)offset);
	memcpy(h->backing, raw + offset, size);
	if (strlen(h->backing) != size)
		return refuse(
			"\"%s\" is damaged: the name of its backing file has a zero in it", path);
	return 0;
}

static int parse(const uint8_t *raw, size_t n, uint64_t file_size, struct qcow2_header *h,
	const char *path, struct why *why)
{
	struct extensions x = { .name = "" };
	uint64_t unknown;
	int ret = parse_fixed(raw, n, h, path, why);

	if (ret == 0)
		ret = parse_v3(raw, n, h, path, why);
	if (ret == 0)
		ret = parse_backing(raw, n, h, path, why);
	if (ret < 0)
		return ret;
	/* Extensions end where the name of the backing file begins, and with the cluster. */
	x.at = raw + h->header_length;
	x.end = raw + (n < 1ull << h->cluster_bits ? n : (size_t)1 << h->cluster_bits);
	if (h->backing[0] && qcow2_be64(raw + 8) >= h->header_length &&
		raw + qcow2_be64(raw + 8) < x.end)
		x.end = raw + qcow2_be64(raw + 8);
	unknown = h->incompatible & ~(QCOW2_DIRTY | QCOW2_CORRUPT | QCOW2_DATA_FILE |
					    QCOW2_COMPRESSION | QCOW2_EXTENDED_L2);
	if (x.at < x.end)
		ret = read_extensions(&x, h, unknown, path, why);
	if (ret == 0)
		ret = check_features(h, unknown, x.name, path, why);
	return ret == 0 ? check_tables(h, path, file_size, why) : ret;
}

int qcow2_read_header(const struct host_file *f, const char *path, uint64_t file_size,
	struct qcow2_header *ret_h, struct why *why)
{
	static const size_t most = 65536;
	uint8_t raw[65536];
	size_t n = file_size < most ? (size_t)file_size : most;
	int ret = host_file_read(f, 0, raw, n);

	if (ret < 0)
		return why_set(why, ret, "cannot read \"%s\": %s", path, strerror(-ret));
	memset(ret_h, 0, sizeof(*ret_h));
	return parse(raw, n, file_size, ret_h, path, why);
}
