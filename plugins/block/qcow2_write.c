/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing.  What has a cluster of its own is written in place.  Anything else gets new clusters,
 * which the tables point to once they hold the data and, around them, what the guest saw there
 * before.  While that goes on the guest's clusters are claimed, and whoever writes there too waits.
 */
#include <errno.h>
#include <stdlib.h>

#include "qcow2.h"

#define MOST_AT_ONCE (4u << 20) /* bytes that get a place in one go */

/* What is being given a place. */
struct placing {
	struct qcow2_claim claim;
	uint64_t offset, size; /* of the data, in the disk */
	uint64_t host;         /* the first new cluster */
	bool fresh;
};

bool qcow2_wait_claimed(struct qcow2 *q, uint64_t first, uint64_t n)
{
	for (const struct qcow2_claim *c = q->claims; c; c = c->next) {
		if (first >= c->first + c->n || c->first >= first + n)
			continue;
		(void)pthread_cond_wait(&q->claim_ended, &q->lock);
		return true;
	}
	return false;
}

static void end_claim(struct qcow2 *q, struct qcow2_claim *claim)
{
	struct qcow2_claim **at = &q->claims;

	while (*at != claim)
		at = &(*at)->next;
	*at = claim->next;
	(void)pthread_cond_broadcast(&q->claim_ended);
}

/* ---- data into new clusters; without the lock ---- */

static int write_iov(struct qcow2 *q, uint64_t at, struct iov_place *p, size_t size)
{
	struct iovec iov[IOVECS_MOST];
	int ret = 0;

	while (size > 0 && ret == 0) {
		uint32_t n;
		size_t part = iov_take(p, size, iov, &n);

		ret = host_file_writev(&q->image.file, at, iov, n, part);
		at += part;
		size -= part;
	}
	return ret;
}

/* A cluster of which only a part is new: the rest is what the guest sees there now. */
static int write_part(struct qcow2 *q, const struct placing *pl, uint64_t offset,
	struct iov_place *p, size_t size)
{
	uint64_t in = offset % q->cluster_size, guest = offset - in;
	uint64_t at = pl->host * q->cluster_size + (guest - pl->claim.first * q->cluster_size);
	uint8_t *cluster;
	int ret;

	if (posix_memalign((void **)&cluster, 4096, q->cluster_size))
		return -ENOMEM;
	ret = qcow2_read_buffer(q, guest, cluster, q->cluster_size);
	if (ret == 0) {
		iov_copy(p, cluster + in, size, 0);
		ret = host_file_write(&q->image.file, at, cluster, q->cluster_size);
	}
	free(cluster);
	return ret;
}

/* Nothing shines through and the new clusters read as zeroes: the rest needs no writing. */
static bool needs_no_rest(const struct qcow2 *q, const struct placing *pl, enum qcow2_kind kind)
{
	return pl->fresh && (kind == QCOW2_ZEROES || (kind == QCOW2_NOTHING && !q->backing));
}

static int write_placed(
	struct qcow2 *q, const struct placing *pl, enum qcow2_kind kind, struct iov_place *p)
{
	uint64_t offset = pl->offset, size = pl->size;
	uint64_t base = pl->host * q->cluster_size - pl->claim.first * q->cluster_size;
	int ret = 0;

	if (needs_no_rest(q, pl, kind))
		return write_iov(q, base + offset, p, (size_t)size);
	while (size > 0 && ret == 0) {
		uint64_t in = offset % q->cluster_size, part = q->cluster_size - in;

		if (in == 0 && size >= q->cluster_size) {
			part = size - size % q->cluster_size;
			ret = write_iov(q, base + offset, p, (size_t)part);
		} else {
			part = part < size ? part : size;
			ret = write_part(q, pl, offset, p, (size_t)part);
		}
		offset += part;
		size -= part;
	}
	return ret;
}

/* ---- with the lock ---- */

/* The tables point to the new clusters. */
static int settle(struct qcow2 *q, const struct placing *pl)
{
	uint64_t per_table = q->cluster_size / 8;
	struct qcow2_table *t;
	int ret = qcow2_table(q, (uint32_t)(pl->claim.first / per_table), true, &t);

	for (uint64_t i = 0; i < pl->claim.n && ret == 0; i++) {
		uint64_t *entry = &t->entries[(pl->claim.first + i) % per_table];

		qcow2_drop(q, qcow2_be64(entry));
		qcow2_put_be(entry, ((pl->host + i) * q->cluster_size) | QCOW2_COPIED, 8);
		t->dirty = q->tables_dirty = true;
	}
	return ret;
}

/* How many clusters of @e, from @offset on, are to get a place, within one table. */
static uint64_t count_clusters(const struct qcow2 *q, uint64_t offset, const struct qcow2_extent *e)
{
	uint64_t size = e->size < MOST_AT_ONCE ? e->size : MOST_AT_ONCE;

	return (offset % q->cluster_size + size + q->cluster_size - 1) / q->cluster_size;
}

/* The lock is held, and again on return; *@ret_done bytes were written, 0 = look again. */
static int write_new(struct qcow2 *q, uint64_t offset, struct iov_place *p,
	const struct qcow2_extent *e, uint64_t *ret_done)
{
	struct placing pl = { .offset = offset, .size = e->size };
	uint64_t first = offset / q->cluster_size, n = count_clusters(q, offset, e), room;
	int ret;

	*ret_done = 0;
	if (qcow2_wait_claimed(q, first, n))
		return 0;
	ret = qcow2_allocate(q, n, &pl.host, &n, &pl.fresh);
	if (ret < 0)
		return ret;
	pl.claim = (struct qcow2_claim){ .next = q->claims, .first = first, .n = n };
	/* cppcheck-suppress autoVariables ; taken out again before this returns */
	q->claims = &pl.claim;
	room = (first + n) * q->cluster_size - offset;
	if (pl.size > room)
		pl.size = room;
	(void)pthread_mutex_unlock(&q->lock);
	ret = write_placed(q, &pl, e->kind, p);
	(void)pthread_mutex_lock(&q->lock);
	if (ret == 0)
		ret = settle(q, &pl);
	if (ret < 0)
		qcow2_take_back(q, pl.host, n);
	end_claim(q, &pl.claim);
	*ret_done = pl.size;
	return ret;
}

int qcow2_write_place(struct qcow2 *q, uint64_t offset, struct iov_place *p, size_t size)
{
	int ret = 0;

	while (size > 0 && ret == 0) {
		struct qcow2_extent e;
		uint64_t done = 0;

		(void)pthread_mutex_lock(&q->lock);
		ret = atomic_load(&q->damaged) ? -IMAGE_DAMAGED
					       : qcow2_map(q, offset, size, true, &e);
		if (ret == 0 && !(e.kind == QCOW2_DATA && e.in_place))
			ret = write_new(q, offset, p, &e, &done);
		(void)pthread_mutex_unlock(&q->lock);
		if (ret == 0 && e.kind == QCOW2_DATA && e.in_place) {
			ret = write_iov(q, e.at, p, (size_t)e.size);
			done = e.size;
		}
		offset += done;
		size -= (size_t)done;
	}
	return ret;
}

int qcow2_write(struct image *im, uint64_t offset, struct iovec *iov, uint32_t n, size_t size)
{
	struct qcow2 *q = qcow2_of(im);
	struct iov_place p = { iov, n, 0 };
	int ret;

	qcow2_gate_enter(&q->gate);
	ret = qcow2_write_place(q, offset, &p, size);
	qcow2_gate_leave(&q->gate);
	return ret == 0 ? qcow2_tidy(q) : ret;
}
