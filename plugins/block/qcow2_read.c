/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: piece by piece, each from where the tables say that it lies. */
#include <errno.h>
#include <stdlib.h>

#include "qcow2.h"

/* The file may end within a cluster that was written in part: the rest is zeroes. */
static int read_to_end(struct qcow2 *q, uint64_t at, struct iov_place *p, size_t size)
{
	struct iovec iov[IOVECS_MOST];
	uint64_t end;
	uint32_t n;
	int ret = host_file_size(&q->image.file, &end);

	if (ret < 0)
		return ret;
	if (at < end) {
		size_t part = size < end - at ? size : (size_t)(end - at);

		(void)iov_take(p, part, iov, &n);
		ret = host_file_readv(&q->image.file, at, iov, n, part);
		size -= part;
	}
	if (ret == 0)
		iov_zero(p, size);
	return ret;
}

static int read_data(struct qcow2 *q, uint64_t at, struct iov_place *p, size_t size)
{
	struct iov_place before = *p;
	struct iovec iov[IOVECS_MOST];
	uint32_t n;
	size_t part = iov_take(p, size, iov, &n);
	int ret = host_file_readv(&q->image.file, at, iov, n, part);

	if (ret != -ENODATA)
		return ret;
	*p = before;
	return read_to_end(q, at, p, part);
}

static int read_backing(struct qcow2 *q, uint64_t offset, struct iov_place *p, size_t size)
{
	struct iovec iov[IOVECS_MOST];
	size_t part = 0;
	uint32_t n;
	int ret = 0;

	if (q->backing && offset < q->backing->size) {
		part = size;
		if (part > q->backing->size - offset)
			part = (size_t)(q->backing->size - offset);
		(void)iov_take(p, part, iov, &n);
		ret = q->backing->ops->read(q->backing, offset, iov, n, part);
	}
	if (ret == 0)
		iov_zero(p, size - part);
	return ret;
}

static int read_packed(
	struct qcow2 *q, uint64_t entry, uint64_t offset, struct iov_place *p, size_t size)
{
	uint8_t *cluster = malloc(q->cluster_size);
	int ret = cluster ? qcow2_unpack(q, entry, cluster) : -ENOMEM;

	if (ret == 0)
		iov_copy(p, cluster + offset % q->cluster_size, size, 1);
	free(cluster);
	return ret;
}

static int read_extent(struct qcow2 *q, const struct qcow2_extent *e, uint64_t offset,
	struct iov_place *p, size_t size)
{
	switch (e->kind) {
	case QCOW2_DATA:
		return read_data(q, e->at, p, size);
	case QCOW2_PACKED:
		return read_packed(q, e->entry, offset, p, size);
	case QCOW2_NOTHING:
		return read_backing(q, offset, p, size);
	default:
		iov_zero(p, size);
		return 0;
	}
}

/* How much of @size one call can take into its vectors. */
static size_t most_of(const struct iov_place *p, size_t size)
{
	struct iov_place copy = *p;
	struct iovec iov[IOVECS_MOST];
	uint32_t n;

	return p->n <= IOVECS_MOST ? size : iov_take(&copy, size, iov, &n);
}

static int read_place(struct qcow2 *q, uint64_t offset, struct iov_place *p, size_t size)
{
	int ret = 0;

	while (size > 0 && ret == 0) {
		struct qcow2_extent e;

		(void)pthread_mutex_lock(&q->lock);
		ret = qcow2_map(q, offset, most_of(p, size), true, &e);
		(void)pthread_mutex_unlock(&q->lock);
		if (ret < 0)
			break;
		ret = read_extent(q, &e, offset, p, (size_t)e.size);
		offset += e.size;
		size -= (size_t)e.size;
	}
	return ret;
}

int qcow2_read_buffer(struct qcow2 *q, uint64_t offset, void *to, size_t size)
{
	const struct iovec one = { to, size };
	struct iov_place p = { &one, 1, 0 };

	return read_place(q, offset, &p, size);
}

int qcow2_read(struct image *im, uint64_t offset, struct iovec *iov, uint32_t n, size_t size)
{
	struct qcow2 *q = qcow2_of(im);
	struct iov_place p = { iov, n, 0 };
	int ret;

	qcow2_gate_enter(&q->gate);
	ret = read_place(q, offset, &p, size);
	qcow2_gate_leave(&q->gate);
	return ret;
}
