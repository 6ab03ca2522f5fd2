/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zeroes and discards.  Whole clusters are taken out of the tables, or marked as zeroes where a
 * backing file would shine through; parts of clusters are written.
 */
#include <errno.h>
#include <stdlib.h>

#include "qcow2.h"

#define ZEROES_SIZE 65536u

static int write_zeroes(struct qcow2 *q, uint64_t offset, uint64_t size)
{
	uint8_t *zeroes = size ? calloc(1, ZEROES_SIZE) : NULL;
	int ret = size && !zeroes ? -ENOMEM : 0;

	while (size > 0 && ret == 0) {
		size_t part = size < ZEROES_SIZE ? (size_t)size : ZEROES_SIZE;
		const struct iovec one = { zeroes, part };
		struct iov_place p = { &one, 1, 0 };

		ret = qcow2_write_place(q, offset, &p, part);
		offset += part;
		size -= part;
	}
	free(zeroes);
	return ret;
}

/* What is there is kept for later writes. */
static int zero_in_place(struct qcow2 *q, uint64_t offset, uint64_t size)
{
	int ret = 0;

	while (size > 0 && ret == 0) {
		struct qcow2_extent e;

		(void)pthread_mutex_lock(&q->lock);
		ret = atomic_load(&q->damaged) ? -IMAGE_DAMAGED
					       : qcow2_map(q, offset, size, true, &e);
		(void)pthread_mutex_unlock(&q->lock);
		if (ret < 0)
			break;
		if (e.kind == QCOW2_DATA && e.in_place)
			ret = host_file_zero(&q->image.file, e.at, e.size, false);
		else
			ret = write_zeroes(q, offset, e.size);
		offset += e.size;
		size -= e.size;
	}
	return ret;
}

/* ---- whole clusters ---- */

/* The entry of a cluster that reads as zeroes; false: there is none in this version. */
static bool zero_entry(const struct qcow2 *q, uint64_t cluster, uint64_t *ret_entry)
{
	bool shines = q->backing && cluster * q->cluster_size < q->backing->size;

	*ret_entry = shines ? QCOW2_ZERO : 0;
	return !shines || q->h.version >= 3;
}

/* The lock is held. */
static int remove_one(struct qcow2 *q, uint64_t cluster, uint64_t entry)
{
	uint64_t per_table = q->cluster_size / 8, old;
	struct qcow2_table *t;
	uint64_t *at;
	int ret;

	while (qcow2_wait_claimed(q, cluster, 1))
		;
	ret = qcow2_table(q, (uint32_t)(cluster / per_table), entry != 0, &t);
	if (ret < 0 || !t)
		return ret;
	at = &t->entries[cluster % per_table];
	old = qcow2_be64(at);
	ret = qcow2_check_entry(q, old);
	if (ret < 0 || old == entry)
		return ret;
	qcow2_drop(q, old);
	qcow2_put_be(at, entry, 8);
	t->dirty = q->tables_dirty = true;
	return 0;
}

/* -ENOTSUP at the first cluster that cannot be marked. */
static int remove_clusters(struct qcow2 *q, uint64_t first, uint64_t n, bool must)
{
	int ret = 0;

	for (uint64_t i = 0; i < n && ret == 0; i++) {
		uint64_t entry;

		if (!zero_entry(q, first + i, &entry)) {
			if (must)
				ret = write_zeroes(
					q, (first + i) * q->cluster_size, q->cluster_size);
			continue;
		}
		(void)pthread_mutex_lock(&q->lock);
		ret = atomic_load(&q->damaged) ? -IMAGE_DAMAGED : remove_one(q, first + i, entry);
		(void)pthread_mutex_unlock(&q->lock);
	}
	return ret;
}

/* @must: parts of clusters at either end too. */
static int remove_range(struct qcow2 *q, uint64_t offset, uint64_t size, bool must)
{
	uint64_t end = offset + size, first = (offset + q->cluster_size - 1) / q->cluster_size;
	uint64_t last = end / q->cluster_size; /* the first one that is not whole */
	int ret = 0;

	/* The disk's end is a cluster's end, whatever its size is. */
	if (end == q->image.size && end % q->cluster_size)
		last++;
	if (first >= last)
		return must ? write_zeroes(q, offset, size) : 0;
	if (must)
		ret = write_zeroes(q, offset, first * q->cluster_size - offset);
	if (ret == 0)
		ret = remove_clusters(q, first, last - first, must);
	if (ret == 0 && must && end > last * q->cluster_size)
		ret = write_zeroes(q, last * q->cluster_size, end - last * q->cluster_size);
	return ret;
}

int qcow2_zero(struct image *im, uint64_t offset, uint64_t size, bool unmap)
{
	struct qcow2 *q = qcow2_of(im);
	int ret;

	qcow2_gate_enter(&q->gate);
	ret = unmap ? remove_range(q, offset, size, true) : zero_in_place(q, offset, size);
	qcow2_gate_leave(&q->gate);
	return ret == 0 ? qcow2_tidy(q) : ret;
}

int qcow2_discard(struct image *im, uint64_t offset, uint64_t size)
{
	struct qcow2 *q = qcow2_of(im);
	int ret;

	qcow2_gate_enter(&q->gate);
	ret = remove_range(q, offset, size, false);
	qcow2_gate_leave(&q->gate);
	return ret == 0 ? qcow2_tidy(q) : ret;
}
