/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look at an image before it is written for the first time.
 *
 * A table that points into another, or a cluster in use that is not counted, would have the next
 * write spoil what is still good.  All tables are gone through once; what is counted and not used
 * does no harm and is let be.
 */
#include <errno.h>
#include <stdlib.h>

#include "qcow2.h"

#define ONCE 0xffu /* one owner; less = parts of that many compressed clusters */

struct check {
	struct qcow2 *q;
	uint8_t *used; /* by cluster */
};

static int mark(struct check *c, uint64_t first, uint64_t n, bool once)
{
	for (uint64_t i = first; i < first + n; i++) {
		if (i >= c->q->end)
			return qcow2_damage(c->q, "cluster %llu is past the end of the file",
				(unsigned long long)i);
		if (c->used[i] == ONCE || (once && c->used[i] != 0))
			return qcow2_damage(c->q, "the cluster at %llu is used twice",
				(unsigned long long)i * c->q->cluster_size);
		if (once)
			c->used[i] = ONCE;
		else if (c->used[i] < ONCE - 1)
			c->used[i]++;
	}
	return 0;
}

static int mark_bytes(struct check *c, uint64_t at, uint64_t size, bool once)
{
	uint64_t first = at / c->q->cluster_size;

	if (size == 0)
		return 0;
	return mark(c, first, (at + size - 1) / c->q->cluster_size - first + 1, once);
}

static int mark_entry(struct check *c, uint64_t entry)
{
	uint64_t at, size;
	int ret = qcow2_check_entry(c->q, entry);

	if (ret < 0)
		return ret;
	if (!(entry & QCOW2_COMPRESSED)) {
		at = entry & QCOW2_OFFSET_MASK;
		return at ? mark_bytes(c, at, c->q->cluster_size, true) : 0;
	}
	qcow2_packed_range(c->q, entry, &at, &size);
	return mark_bytes(c, at, size, false);
}

/* Tables are read anew, so that those in memory are the ones that are in use. */
static int mark_table(struct check *c, uint64_t l1_entry, uint8_t *raw)
{
	struct qcow2 *q = c->q;
	uint64_t at = l1_entry & QCOW2_OFFSET_MASK;
	int ret;

	if (at == 0)
		return 0;
	if (at % q->cluster_size)
		return qcow2_damage(q, "an L2 table lies at %llu", (unsigned long long)at);
	ret = mark_bytes(c, at, q->cluster_size, true);
	if (ret == 0)
		ret = host_file_read(&q->image.file, at, raw, q->cluster_size);
	if (ret == -ENODATA)
		return qcow2_damage(q, "the L2 table at %llu is cut short", (unsigned long long)at);
	for (uint32_t i = 0; i < q->cluster_size / 8 && ret == 0; i++)
		ret = mark_entry(c, qcow2_be64(raw + i * 8ull));
	return ret;
}

static int mark_all(struct check *c, uint8_t *raw)
{
	struct qcow2 *q = c->q;
	int ret = mark(c, 0, 1, true);

	if (ret == 0)
		ret = mark_bytes(c, q->h.l1_offset, q->h.l1_entries * 8ull, true);
	if (ret == 0)
		ret = mark_bytes(c, q->h.refcount_offset,
			(uint64_t)q->h.refcount_clusters * q->cluster_size, true);
	for (uint64_t i = 0; i < q->refcount_entries && ret == 0; i++) {
		if (q->refcount_table[i] % q->cluster_size)
			ret = qcow2_damage(q, "a block of refcounts lies at %llu",
				(unsigned long long)q->refcount_table[i]);
		else if (q->refcount_table[i])
			ret = mark_bytes(c, q->refcount_table[i], q->cluster_size, true);
	}
	for (uint32_t i = 0; i < q->h.l1_entries && ret == 0; i++)
		ret = mark_table(c, q->l1[i], raw);
	return ret;
}

static int compare(struct check *c)
{
	int ret = 0;

	for (uint64_t i = 0; i < c->q->end && ret == 0; i++) {
		uint64_t count, least = c->used[i] == ONCE ? 1 : c->used[i];

		if (least == 0)
			continue;
		ret = qcow2_refcount(c->q, i, &count);
		if (ret == 0 && count < least)
			ret = qcow2_damage(c->q,
				"the cluster at %llu is in use and its refcount is %llu",
				(unsigned long long)i * c->q->cluster_size,
				(unsigned long long)count);
	}
	return ret;
}

/* Tables that are changed must be this image's alone. */
static int check_copied(struct qcow2 *q)
{
	for (uint32_t i = 0; i < q->h.l1_entries; i++) {
		uint64_t at = q->l1[i] & QCOW2_OFFSET_MASK, count = 1;
		int ret = at ? qcow2_refcount(q, at / q->cluster_size, &count) : 0;

		if (ret == 0 && count != 1)
			ret = qcow2_damage(q, "the L2 table at %llu is counted %llu times",
				(unsigned long long)at, (unsigned long long)count);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int qcow2_check(struct qcow2 *q, const char *path, struct why *why)
{
	struct check c = { .q = q, .used = calloc(1, q->end) };
	uint8_t *raw = malloc(q->cluster_size);
	int ret = c.used && raw ? mark_all(&c, raw) : -ENOMEM;

	if (ret == 0)
		ret = compare(&c);
	if (ret == 0)
		ret = check_copied(q);
	free(c.used);
	free(raw);
	if (ret == -IMAGE_DAMAGED)
		return why_set(why, ret,
			"\"%s\" is damaged: %s; it was not changed; qemu-img check -r all FILE may "
			"mend it",
			path, q->image.damage);
	if (ret < 0)
		return why_set(why, ret, "cannot check \"%s\": %s", path, strerror(-ret));
	return 0;
}
