/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory behind a resource: the pieces that the driver named, looked up once, when they are
 * attached.  Each lies in one region; what a piece says is checked then and never read again.
 */
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define ENTRY sizeof(struct virtio_gpu_mem_entry)
/* For as long as it is attached, and while it is read. */
#define COST (sizeof(struct gpu_piece) + ENTRY)

static bool map_piece(struct gpu *g, struct gpu_backing *b, const struct virtio_gpu_mem_entry *e)
{
	struct gpu_piece *p = &b->pieces[b->n];

	p->gpa = le64toh(e->addr);
	p->size = le32toh(e->length);
	if (p->size == 0 || __builtin_add_overflow(b->size, p->size, &b->size))
		return false;
	p->host = gpu_mem->map(g->dev, p->gpa, p->size, TENON_PROT_READ | TENON_PROT_WRITE);
	b->n += p->host != NULL;
	return p->host != NULL;
}

uint32_t backing_attach(
	struct gpu *g, struct gpu_backing *b, const struct gpu_request *rq, size_t skip, uint32_t n)
{
	uint32_t answer = VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	struct virtio_gpu_mem_entry *entries;

	if (n == 0 || n > GPU_MAX_PIECES || rq->chain.out_bytes < skip ||
		rq->chain.out_bytes - skip < n * ENTRY)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (!memory_take(g, n * COST))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	*b = (struct gpu_backing){ 0 };
	entries = malloc(n * ENTRY);
	b->pieces = calloc(n, sizeof(*b->pieces));
	if (!entries || !b->pieces)
		goto fail;
	answer = VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (tenon_iov_to_buf(rq->chain.out, rq->chain.n_out, skip, entries, n * ENTRY) != n * ENTRY)
		goto fail;
	while (b->n < n)
		if (!map_piece(g, b, &entries[b->n]))
			goto fail;
	free(entries);
	return VIRTIO_GPU_RESP_OK_NODATA;
fail:
	free(entries);
	memory_give(g, (n - b->n) * COST);
	backing_detach(g, b);
	return answer;
}

void backing_detach(struct gpu *g, struct gpu_backing *b)
{
	for (uint32_t i = 0; b->pieces && i < b->n; i++)
		gpu_mem->unmap(g->dev, b->pieces[i].host, b->pieces[i].size);
	memory_give(g, b->n * COST);
	free(b->pieces);
	*b = (struct gpu_backing){ 0 };
}

/* Whether so many rows lie in it. */
static bool holds(
	const struct gpu_backing *b, uint64_t offset, uint64_t stride, size_t row, uint32_t n_rows)
{
	uint64_t end;

	return n_rows > 0 && !__builtin_mul_overflow(stride, n_rows - 1, &end) &&
	       !__builtin_add_overflow(end, offset, &end) &&
	       !__builtin_add_overflow(end, row, &end) && end <= b->size;
}

bool backing_read(const struct gpu_backing *b, uint64_t offset, uint64_t stride, uint8_t *to,
	size_t to_stride, size_t row, uint32_t n_rows)
{
	const struct gpu_piece *p = b->pieces;
	uint64_t begin = 0; /* where *p begins */

	if (!holds(b, offset, stride, row, n_rows))
		return false;
	for (uint32_t y = 0; y < n_rows; y++, offset += stride, to += to_stride) {
		uint64_t at = offset;
		size_t left = row;
		uint8_t *out = to;

		/* Rows may lie behind one another, as a stride of 0 has them. */
		if (at < begin) {
			p = b->pieces;
			begin = 0;
		}
		while (left > 0) {
			size_t n;

			while (at - begin >= p->size)
				begin += p++->size;
			n = p->size - (size_t)(at - begin);
			n = n < left ? n : left;
			memcpy(out, p->host + (at - begin), n);
			out += n;
			at += n;
			left -= n;
		}
	}
	return true;
}
