/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L2 tables in memory, and what they say.
 *
 * A table that was changed stays until it is written; of the others the one that was not used for
 * the longest time makes room.  Entries are checked when they are used: what points outside of the
 * file, or where no cluster begins, is damage, and from then on nothing is written.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "qcow2.h"

/* Bits that have no meaning, of an entry that is not PACKED. */
#define RESERVED_BITS 0x3f000000000001feull

int qcow2_damage(struct qcow2 *q, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!atomic_load(&q->damaged))
		/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, a line above */
		(void)vsnprintf(q->image.damage, sizeof(q->image.damage), format, args);
	va_end(args);
	atomic_store(&q->damaged, true);
	return -IMAGE_DAMAGED;
}

/* ---- the list, newest first ---- */

static void unlink_table(struct qcow2 *q, struct qcow2_table *t)
{
	if (t->newer)
		t->newer->older = t->older;
	else
		q->newest = t->older;
	if (t->older)
		t->older->newer = t->newer;
	else
		q->oldest = t->newer;
}

static void link_newest(struct qcow2 *q, struct qcow2_table *t)
{
	t->newer = NULL;
	t->older = q->newest;
	if (q->newest)
		q->newest->newer = t;
	else
		q->oldest = t;
	q->newest = t;
}

static struct qcow2_table *oldest_clean(struct qcow2 *q)
{
	struct qcow2_table *t = q->oldest;

	while (t && t->dirty)
		t = t->newer;
	return t;
}

/* A table's memory, taken from another that makes room if need be. */
static int take_table(struct qcow2 *q, struct qcow2_table **ret_table)
{
	struct qcow2_table *t = NULL;

	if (q->n_tables >= q->most_tables) {
		t = oldest_clean(q);
		if (!t) {
			int ret = qcow2_write_tables(q);

			if (ret < 0)
				return ret;
			t = oldest_clean(q);
		}
	}
	if (t) {
		unlink_table(q, t);
		q->tables[t->index] = NULL;
		*ret_table = t;
		return 0;
	}
	t = calloc(1, sizeof(*t));
	if (t)
		t->entries = malloc(q->cluster_size);
	if (!t || !t->entries) {
		free(t);
		return -ENOMEM;
	}
	q->n_tables++;
	*ret_table = t;
	return 0;
}

static void drop_table(struct qcow2 *q, struct qcow2_table *t)
{
	q->n_tables--;
	free(t->entries);
	free(t);
}

void qcow2_free_tables(struct qcow2 *q)
{
	struct qcow2_table *older;

	for (struct qcow2_table *t = q->newest; t; t = older) {
		older = t->older;
		drop_table(q, t);
	}
	q->newest = q->oldest = NULL;
}

/* ---- finding a table ---- */

static int load(struct qcow2 *q, uint32_t index, struct qcow2_table **ret_table)
{
	uint64_t offset = q->l1[index] & QCOW2_OFFSET_MASK;
	struct qcow2_table *t;
	int ret;

	if (offset % q->cluster_size || offset / q->cluster_size >= q->end)
		return qcow2_damage(q, "L1 entry %u points to %llu, where no table can be", index,
			(unsigned long long)offset);
	ret = take_table(q, &t);
	if (ret < 0)
		return ret;
	ret = host_file_read(&q->image.file, offset, t->entries, q->cluster_size);
	if (ret < 0) {
		drop_table(q, t);
		return ret == -ENODATA ? qcow2_damage(q, "the L2 table at %llu is cut short",
						 (unsigned long long)offset)
				       : ret;
	}
	t->index = index;
	t->dirty = false;
	q->tables[index] = t;
	link_newest(q, t);
	*ret_table = t;
	return 0;
}

static int make(struct qcow2 *q, uint32_t index, struct qcow2_table **ret_table)
{
	struct qcow2_table *t;
	uint64_t cluster, n;
	bool fresh;
	int ret = take_table(q, &t);

	if (ret < 0)
		return ret;
	ret = qcow2_allocate(q, 1, &cluster, &n, &fresh);
	if (ret < 0) {
		drop_table(q, t);
		return ret;
	}
	memset(t->entries, 0, q->cluster_size);
	t->index = index;
	t->dirty = q->tables_dirty = q->l1_dirty = true;
	q->l1[index] = cluster * q->cluster_size | QCOW2_COPIED;
	q->tables[index] = t;
	link_newest(q, t);
	*ret_table = t;
	return 0;
}

int qcow2_table(struct qcow2 *q, uint32_t index, bool create, struct qcow2_table **ret_table)
{
	struct qcow2_table *t;

	*ret_table = NULL;
	if (index >= q->h.l1_entries)
		return qcow2_damage(q, "L1 has no entry %u", index);
	t = q->tables[index];
	if (t) {
		if (t != q->newest) {
			unlink_table(q, t);
			link_newest(q, t);
		}
		*ret_table = t;
		return 0;
	}
	if (q->l1[index] & QCOW2_OFFSET_MASK)
		return load(q, index, ret_table);
	return create ? make(q, index, ret_table) : 0;
}

/* ---- entries ---- */

void qcow2_packed_range(const struct qcow2 *q, uint64_t entry, uint64_t *ret_at, uint64_t *ret_size)
{
	unsigned bits = 62 - (q->h.cluster_bits - 8);
	uint64_t at = entry & ((1ull << bits) - 1);
	uint64_t sectors = (entry & (QCOW2_COMPRESSED - 1)) >> bits;

	*ret_at = at;
	*ret_size = (sectors + 1) * 512 - at % 512;
}

static int check_packed(struct qcow2 *q, uint64_t entry)
{
	uint64_t at, size;

	qcow2_packed_range(q, entry, &at, &size);
	if (at < q->cluster_size || at / q->cluster_size >= q->end ||
		(at + size - 1) / q->cluster_size >= q->end)
		return qcow2_damage(q,
			"a compressed cluster of %llu bytes at %llu is outside of the "
			"file",
			(unsigned long long)size, (unsigned long long)at);
	return 0;
}

int qcow2_check_entry(struct qcow2 *q, uint64_t entry)
{
	uint64_t offset = entry & QCOW2_OFFSET_MASK;

	if (entry & QCOW2_COMPRESSED)
		return check_packed(q, entry);
	if ((entry & RESERVED_BITS) || (q->h.version < 3 && (entry & QCOW2_ZERO)))
		return qcow2_damage(
			q, "an L2 entry is 0x%llx, which means nothing", (unsigned long long)entry);
	if (offset % q->cluster_size || offset / q->cluster_size >= q->end)
		return qcow2_damage(q, "an L2 entry points to %llu, where no cluster can be",
			(unsigned long long)offset);
	return 0;
}

/* ---- what a range is ---- */

static enum qcow2_kind kind_of(uint64_t entry)
{
	if (entry & QCOW2_COMPRESSED)
		return QCOW2_PACKED;
	if (entry & QCOW2_ZERO)
		return QCOW2_ZEROES;
	return entry & QCOW2_OFFSET_MASK ? QCOW2_DATA : QCOW2_NOTHING;
}

/* Whether the cluster of @entry goes on where the one of @before ends. */
static bool goes_on(const struct qcow2 *q, uint64_t before, uint64_t entry)
{
	enum qcow2_kind kind = kind_of(before);

	if (kind_of(entry) != kind || kind == QCOW2_PACKED)
		return false;
	if (kind != QCOW2_DATA)
		return true;
	return (entry & QCOW2_OFFSET_MASK) == (before & QCOW2_OFFSET_MASK) + q->cluster_size &&
	       (entry & QCOW2_COPIED) == (before & QCOW2_COPIED);
}

static int map_in_table(struct qcow2 *q, const struct qcow2_table *t, uint64_t offset,
	uint64_t size, struct qcow2_extent *e)
{
	uint32_t per_table = q->cluster_size / 8;
	uint32_t i = (uint32_t)(offset / q->cluster_size % per_table);
	uint64_t in = offset % q->cluster_size, entry = qcow2_be64(&t->entries[i]);
	uint64_t found = q->cluster_size - in, last = entry;
	int ret = qcow2_check_entry(q, entry);

	if (ret < 0)
		return ret;
	*e = (struct qcow2_extent){ .kind = kind_of(entry), .entry = entry };
	if (e->kind == QCOW2_DATA) {
		e->at = (entry & QCOW2_OFFSET_MASK) + in;
		e->in_place = entry & QCOW2_COPIED;
	}
	for (i++; i < per_table && found < size; i++) {
		entry = qcow2_be64(&t->entries[i]);
		if (!goes_on(q, last, entry))
			break;
		ret = qcow2_check_entry(q, entry);
		if (ret < 0)
			return ret;
		found += q->cluster_size;
		last = entry;
	}
	e->size = found < size ? found : size;
	return 0;
}

int qcow2_map(struct qcow2 *q, uint64_t offset, uint64_t size, bool load_table,
	struct qcow2_extent *ret_extent)
{
	uint64_t covered = (uint64_t)q->cluster_size << q->l2_bits;
	uint64_t left = covered - offset % covered;
	uint32_t index = (uint32_t)(offset / covered);
	struct qcow2_table *t;
	int ret;

	if (size > left)
		size = left;
	if (!load_table && (index >= q->h.l1_entries || !q->tables[index]))
		return -EAGAIN;
	ret = qcow2_table(q, index, false, &t);
	if (ret < 0)
		return ret;
	if (t)
		return map_in_table(q, t, offset, size, ret_extent);
	*ret_extent = (struct qcow2_extent){ .kind = QCOW2_NOTHING, .size = size };
	return 0;
}
