/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refcounts: which clusters of the file are in use.
 *
 * A block of refcounts covers some clusters; the refcount table says where each block lies.  Blocks
 * and the table are clusters of the file themselves, and counted: what grows them counts what it
 * took when it is in place.
 */
#include <errno.h>
#include <stdlib.h>

#include "qcow2.h"

static uint64_t per_block(const struct qcow2 *q)
{
	return ((uint64_t)q->cluster_size * 8) >> q->h.refcount_order;
}

/* ---- one count in a block ---- */

static uint64_t get_count(const struct qcow2 *q, const uint8_t *block, uint64_t i)
{
	unsigned bits = 1u << q->h.refcount_order;
	uint64_t value = 0;

	if (bits < 8) {
		uint64_t bit = i * bits;

		return block[bit / 8] >> (bit % 8) & ((1u << bits) - 1);
	}
	for (unsigned b = 0; b < bits / 8; b++)
		value = value << 8 | block[i * (bits / 8) + b];
	return value;
}

static void put_count(const struct qcow2 *q, uint8_t *block, uint64_t i, uint64_t count)
{
	unsigned bits = 1u << q->h.refcount_order;

	if (bits < 8) {
		uint64_t bit = i * bits;
		uint8_t mask = (uint8_t)(((1u << bits) - 1) << (bit % 8));

		block[bit / 8] = (uint8_t)((block[bit / 8] & ~mask) | (count << (bit % 8) & mask));
		return;
	}
	qcow2_put_be(block + i * (bits / 8), count, bits / 8);
}

/* ---- blocks ---- */

/* *@ret_block is NULL where there is none. */
static int find_block(struct qcow2 *q, uint64_t index, uint8_t **ret_block)
{
	uint64_t offset;
	uint8_t *block;
	int ret;

	*ret_block = NULL;
	if (index >= q->refcount_entries)
		return 0;
	if (q->blocks[index]) {
		*ret_block = q->blocks[index];
		return 0;
	}
	offset = q->refcount_table[index];
	if (offset == 0)
		return 0;
	if (offset % q->cluster_size || offset / q->cluster_size >= q->end)
		return qcow2_damage(q, "entry %llu of the refcount table points to %llu",
			(unsigned long long)index, (unsigned long long)offset);
	block = malloc(q->cluster_size);
	if (!block)
		return -ENOMEM;
	ret = host_file_read(&q->image.file, offset, block, q->cluster_size);
	if (ret < 0) {
		free(block);
		return ret == -ENODATA ? qcow2_damage(q, "the refcounts at %llu are cut short",
						 (unsigned long long)offset)
				       : ret;
	}
	q->blocks[index] = *ret_block = block;
	return 0;
}

/* A table twice as large, at the end of the file; what it lies in is counted by the caller. */
static int enlarge_table(struct qcow2 *q, uint64_t index)
{
	uint64_t per_cluster = q->cluster_size / 8, entries = q->refcount_entries;
	uint64_t *table;
	uint8_t **blocks;
	bool *dirty;

	while (entries <= index + 1)
		entries *= 2;
	if (entries * 8 > 8u << 20)
		return -EFBIG;
	table = calloc(entries, sizeof(*table));
	blocks = calloc(entries, sizeof(*blocks));
	dirty = calloc(entries, sizeof(*dirty));
	if (!table || !blocks || !dirty) {
		free(table);
		free(blocks);
		free(dirty);
		return -ENOMEM;
	}
	memcpy(table, q->refcount_table, q->refcount_entries * sizeof(*table));
	memcpy(blocks, q->blocks, q->refcount_entries * sizeof(*blocks));
	memcpy(dirty, q->blocks_dirty, q->refcount_entries * sizeof(*dirty));
	free(q->refcount_table);
	free(q->blocks);
	free(q->blocks_dirty);
	q->refcount_table = table;
	q->blocks = blocks;
	q->blocks_dirty = dirty;
	q->refcount_entries = entries;
	q->h.refcount_clusters = (uint32_t)(entries / per_cluster);
	q->h.refcount_offset = q->end * q->cluster_size;
	q->end += q->h.refcount_clusters;
	q->refcount_table_dirty = q->refcount_table_moved = true;
	return 0;
}

static int grow_table(struct qcow2 *q, uint64_t index)
{
	uint64_t old = q->h.refcount_offset / q->cluster_size, n_old = q->h.refcount_clusters;
	uint64_t first;
	int ret = enlarge_table(q, index);

	if (ret < 0)
		return ret;
	first = q->h.refcount_offset / q->cluster_size;
	for (uint64_t i = 0; i < q->h.refcount_clusters && ret == 0; i++)
		ret = qcow2_set_refcount(q, first + i, 1);
	qcow2_drop_clusters(q, old, n_old);
	return ret;
}

/* A block for counts that have none, at the end of the file. */
static int make_block(struct qcow2 *q, uint64_t index, uint8_t **ret_block)
{
	uint64_t cluster;
	int ret;

	if (index >= q->refcount_entries) {
		ret = grow_table(q, index);
		if (ret == 0)
			ret = find_block(q, index, ret_block);
		if (ret < 0 || *ret_block)
			return ret; /* the table's own clusters wanted it too */
	}
	q->blocks[index] = calloc(1, q->cluster_size);
	if (!q->blocks[index])
		return -ENOMEM;
	cluster = q->end++;
	q->refcount_table[index] = cluster * q->cluster_size;
	q->blocks_dirty[index] = q->refcount_table_dirty = q->refcounts_dirty = true;
	ret = qcow2_set_refcount(q, cluster, 1);
	*ret_block = q->blocks[index];
	return ret;
}

/* ---- counts ---- */

int qcow2_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *ret_count)
{
	uint8_t *block;
	int ret = find_block(q, cluster / per_block(q), &block);

	if (ret == 0)
		*ret_count = block ? get_count(q, block, cluster % per_block(q)) : 0;
	return ret;
}

int qcow2_set_refcount(struct qcow2 *q, uint64_t cluster, uint64_t count)
{
	uint64_t index = cluster / per_block(q);
	uint8_t *block;
	int ret = find_block(q, index, &block);

	if (ret == 0 && !block)
		ret = make_block(q, index, &block);
	if (ret < 0 || !block)
		return ret < 0 ? ret : -EIO;
	put_count(q, block, cluster % per_block(q), count);
	q->blocks_dirty[index] = q->refcounts_dirty = true;
	return 0;
}

/* ---- giving and taking clusters ---- */

static int is_free(struct qcow2 *q, uint64_t cluster, bool *ret_free)
{
	uint64_t count = 0;
	int ret = cluster < q->end ? qcow2_refcount(q, cluster, &count) : 0;

	*ret_free = count == 0;
	return ret;
}

/* The first free cluster; q->end where there is no gap. */
static int find_free(struct qcow2 *q, uint64_t *ret_cluster)
{
	bool is_it = false;
	int ret = 0;

	while (q->free_hint < q->end) {
		ret = is_free(q, q->free_hint, &is_it);
		if (ret < 0 || is_it)
			break;
		q->free_hint++;
	}
	*ret_cluster = q->free_hint;
	return ret;
}

int qcow2_allocate(
	struct qcow2 *q, uint64_t wanted, uint64_t *ret_first, uint64_t *ret_n, bool *ret_fresh)
{
	uint64_t first, n = 0, end = q->end;
	bool is_it = true;
	int ret;

	if (atomic_load(&q->damaged))
		return -IMAGE_DAMAGED;
	ret = find_free(q, &first);
	/* Where the counts of @first go may itself take clusters at the end. */
	while (ret == 0 && n < wanted && is_it) {
		if (first + n >= q->end)
			q->end = first + n + 1;
		ret = qcow2_set_refcount(q, first + n, 1);
		if (ret < 0)
			break;
		n++;
		if (first + n < q->end)
			ret = is_free(q, first + n, &is_it);
	}
	if (n == 0)
		return ret < 0 ? ret : -EIO;
	q->free_hint = first + n;
	*ret_first = first;
	*ret_n = n;
	*ret_fresh = first >= end;
	return 0;
}

void qcow2_take_back(struct qcow2 *q, uint64_t first, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		(void)qcow2_set_refcount(q, first + i, 0); /* else it is lost, not spoilt */
	if (first < q->free_hint)
		q->free_hint = first;
}

void qcow2_drop_clusters(struct qcow2 *q, uint64_t first, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		if (q->n_unused == q->unused_room) {
			size_t room = q->unused_room ? 2 * q->unused_room : 256;
			uint64_t *more = realloc(q->unused, room * sizeof(*more));

			if (!more)
				return; /* they stay counted: room is lost, nothing else */
			q->unused = more;
			q->unused_room = room;
		}
		q->unused[q->n_unused++] = first + i;
	}
}

void qcow2_drop(struct qcow2 *q, uint64_t entry)
{
	uint64_t at = entry & QCOW2_OFFSET_MASK, size = q->cluster_size;

	if (entry & QCOW2_COMPRESSED)
		qcow2_packed_range(q, entry, &at, &size);
	else if (at == 0)
		return;
	qcow2_drop_clusters(q, at / q->cluster_size,
		(at + size - 1) / q->cluster_size - at / q->cluster_size + 1);
}
