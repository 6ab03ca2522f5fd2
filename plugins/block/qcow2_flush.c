/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the tables in their order, and flushing; see qcow2.h. */
#include <errno.h>
#include <stdlib.h>

#include "qcow2.h"

#define MOST_UNUSED 4096u /* before they are freed though nobody asked */

static int sync_file(struct qcow2 *q)
{
	return q->sync ? host_file_sync(&q->image.file) : 0;
}

/* @n numbers of a table at @offset of the file. */
static int write_numbers(struct qcow2 *q, uint64_t offset, const uint64_t *from, uint64_t n)
{
	uint64_t per = q->cluster_size / 8;
	uint8_t *raw = malloc(q->cluster_size);
	int ret = 0;

	if (!raw)
		return -ENOMEM;
	for (uint64_t at = 0; at < n && ret == 0; at += per) {
		uint64_t part = n - at < per ? n - at : per;

		/* Whole clusters: the rest of the last one is the table's too. */
		memset(raw, 0, q->cluster_size);
		for (uint64_t i = 0; i < part; i++)
			qcow2_put_be(raw + i * 8, from[at + i], 8);
		ret = host_file_write(&q->image.file, offset + at * 8, raw, q->cluster_size);
	}
	free(raw);
	return ret;
}

static int write_blocks(struct qcow2 *q)
{
	int ret = 0;

	for (uint64_t i = 0; i < q->refcount_entries && ret == 0; i++) {
		if (!q->blocks_dirty[i])
			continue;
		ret = host_file_write(
			&q->image.file, q->refcount_table[i], q->blocks[i], q->cluster_size);
		if (ret == 0)
			q->blocks_dirty[i] = false;
	}
	return ret;
}

/* The header points to the new table once all of that is on the disk. */
static int move_refcount_table(struct qcow2 *q)
{
	uint8_t *cluster = malloc(q->cluster_size);
	int ret = cluster ? sync_file(q) : -ENOMEM;

	if (ret == 0)
		ret = host_file_read(&q->image.file, 0, cluster, q->cluster_size);
	if (ret == 0) {
		qcow2_put_be(cluster + 48, q->h.refcount_offset, 8);
		qcow2_put_be(cluster + 56, q->h.refcount_clusters, 4);
		ret = host_file_write(&q->image.file, 0, cluster, q->cluster_size);
	}
	if (ret == 0)
		q->refcount_table_moved = false;
	free(cluster);
	return ret;
}

static int write_refcounts(struct qcow2 *q)
{
	int ret = q->refcounts_dirty ? write_blocks(q) : 0;

	if (ret == 0 && q->refcount_table_dirty)
		ret = write_numbers(
			q, q->h.refcount_offset, q->refcount_table, q->refcount_entries);
	if (ret == 0 && q->refcount_table_moved)
		ret = move_refcount_table(q);
	if (ret == 0)
		q->refcounts_dirty = q->refcount_table_dirty = false;
	return ret;
}

static int write_l2(struct qcow2 *q)
{
	int ret = 0;

	for (struct qcow2_table *t = q->newest; t && ret == 0; t = t->older) {
		if (!t->dirty)
			continue;
		ret = host_file_write(&q->image.file, q->l1[t->index] & QCOW2_OFFSET_MASK,
			t->entries, q->cluster_size);
		if (ret == 0)
			t->dirty = false;
	}
	if (ret == 0)
		q->tables_dirty = false;
	return ret;
}

int qcow2_write_tables(struct qcow2 *q)
{
	int ret;

	if (atomic_load(&q->damaged))
		return -IMAGE_DAMAGED;
	if (!q->refcounts_dirty && !q->tables_dirty && !q->l1_dirty)
		return 0;
	ret = write_refcounts(q);
	if (ret < 0 || (!q->tables_dirty && !q->l1_dirty))
		return ret;
	ret = sync_file(q);
	if (ret == 0)
		ret = write_l2(q);
	if (ret < 0 || !q->l1_dirty)
		return ret;
	ret = sync_file(q);
	if (ret == 0)
		ret = write_numbers(q, q->h.l1_offset, q->l1, q->h.l1_entries);
	if (ret == 0)
		q->l1_dirty = false;
	return ret;
}

/* The tables on the disk point to none of these any more, and nobody works in them. */
static void free_unused(struct qcow2 *q)
{
	for (size_t i = 0; i < q->n_unused; i++) {
		uint64_t cluster = q->unused[i], count;

		if (qcow2_refcount(q, cluster, &count) < 0 || count == 0 ||
			qcow2_set_refcount(q, cluster, count - 1) < 0 || count > 1)
			continue;
		if (cluster < q->free_hint)
			q->free_hint = cluster;
		(void)host_file_discard(&q->image.file, cluster * q->cluster_size, q->cluster_size);
	}
	q->n_unused = 0;
}

/* With the gate closed or not, depending on whether there is something to free. */
static int flush_tables(struct qcow2 *q, bool gate_closed)
{
	int ret;

	(void)pthread_mutex_lock(&q->lock);
	ret = qcow2_write_tables(q);
	if (ret == 0 && gate_closed) {
		ret = sync_file(q);
		if (ret == 0)
			free_unused(q);
	}
	(void)pthread_mutex_unlock(&q->lock);
	return ret;
}

int qcow2_flush(struct image *im)
{
	struct qcow2 *q = qcow2_of(im);
	bool unused;
	int ret;

	if (!q->writable)
		return 0;
	(void)pthread_mutex_lock(&q->lock);
	unused = q->n_unused > 0;
	(void)pthread_mutex_unlock(&q->lock);
	if (unused)
		qcow2_gate_close(&q->gate);
	ret = flush_tables(q, unused);
	if (unused)
		qcow2_gate_open(&q->gate);
	return ret == 0 ? sync_file(q) : ret;
}

int qcow2_tidy(struct qcow2 *q)
{
	bool many;

	(void)pthread_mutex_lock(&q->lock);
	many = q->n_unused > MOST_UNUSED;
	(void)pthread_mutex_unlock(&q->lock);
	return many ? qcow2_flush(&q->image) : 0;
}
