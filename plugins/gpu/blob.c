/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs: resources that are memory of a certain size and nothing else (5.7.6.8).
 *
 * The guest's are pieces of its memory.  Those of the host have an id that the driver's context
 * gave them by its commands; 0 is none, and such a blob is memory that this device makes.  What has
 * a descriptor can be mapped into the window (5.7.6.9).
 */
#include "three_d.h"

#define PAGE 4096u

static uint32_t create_guest(
	struct gpu *g, const struct gpu_request *rq, uint32_t id, uint64_t size)
{
	const struct virtio_gpu_resource_create_blob *in = &rq->in.create_blob;
	struct gpu_resource *r;
	uint32_t answer = resource_add(g, id, 0, &r);

	if (answer != VIRTIO_GPU_RESP_OK_NODATA)
		return answer;
	r->blob = true;
	r->size = size;
	answer = backing_attach(g, &r->backing, rq, sizeof(*in), le32toh(in->nr_entries));
	if (answer == VIRTIO_GPU_RESP_OK_NODATA && r->backing.size < size)
		answer = VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (answer != VIRTIO_GPU_RESP_OK_NODATA)
		resource_remove(g, r);
	return answer;
}

static uint32_t created(struct gpu *g, struct gpu_request *rq, struct renderer_job *job)
{
	struct gpu_resource *r = resource_find(g, le32toh(rq->in.create_blob.resource_id));

	r->fd = job->fd;
	if (job->op == RENDERER_MEMORY)
		r->host = job->data;
	r->drawn = job->op == RENDERER_CREATE_BLOB && job->result == 0;
	if (job->result < 0)
		resource_remove(g, r);
	return three_d_answer(job->result);
}

static uint32_t create_host(struct gpu *g, struct gpu_request *rq, uint32_t id, uint64_t size)
{
	const struct virtio_gpu_resource_create_blob *in = &rq->in.create_blob;
	struct renderer_job *job = three_d_job(g);
	struct gpu_resource *r;
	uint32_t answer;

	if (!job || size % PAGE || in->nr_entries)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	answer = resource_add(g, id, size, &r);
	if (answer != VIRTIO_GPU_RESP_OK_NODATA)
		return answer;
	r->blob = true;
	r->size = size;
	job->op = in->blob_id ? RENDERER_CREATE_BLOB : RENDERER_MEMORY;
	job->id = id;
	job->ctx = le32toh(rq->hdr.ctx_id);
	job->size = size;
	job->blob = (struct virtio_gpu_resource_create_blob){
		.blob_mem = VIRTIO_GPU_BLOB_MEM_HOST3D,
		.blob_flags = le32toh(in->blob_flags),
		.blob_id = le64toh(in->blob_id),
		.size = size,
	};
	return three_d_submit(g, rq, created);
}

uint32_t gpu_create_blob(struct gpu *g, struct gpu_request *rq)
{
	const struct virtio_gpu_resource_create_blob *in = &rq->in.create_blob;
	const uint32_t id = le32toh(in->resource_id), mem = le32toh(in->blob_mem);
	const uint64_t size = le64toh(in->size);

	if (size == 0)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (mem == VIRTIO_GPU_BLOB_MEM_GUEST)
		return create_guest(g, rq, id, size);
	if (mem == VIRTIO_GPU_BLOB_MEM_HOST3D && (g->features & GPU_BIT(VIRTIO_GPU_F_VIRGL)))
		return create_host(g, rq, id, size);
	return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
}

/* ---- the window ---- */

static bool is_free(const struct gpu *g, uint64_t at, uint64_t size)
{
	for (uint32_t i = 0; i < GPU_BUCKETS; i++)
		for (const struct gpu_resource *r = g->resources[i]; r; r = r->next)
			if (r->mapped && at < r->at + r->size && r->at < at + size)
				return false;
	return true;
}

uint32_t gpu_map_blob(struct gpu *g, struct gpu_request *rq)
{
	const struct virtio_gpu_resource_map_blob *in = &rq->in.map_blob;
	struct gpu_resource *r = resource_find(g, le32toh(in->resource_id));
	const uint64_t at = le64toh(in->offset);

	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (r->fd < 0 || r->mapped)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (at % PAGE || at > g->window_size || r->size > g->window_size - at ||
		!is_free(g, at, r->size))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (gpu_shm->map(g->window, at, r->fd, 0, r->size, TENON_PROT_READ | TENON_PROT_WRITE) < 0)
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	r->mapped = true;
	r->at = at;
	rq->out.map_info.map_info = htole32(VIRTIO_GPU_MAP_CACHE_CACHED);
	rq->out_size = sizeof(rq->out.map_info);
	return VIRTIO_GPU_RESP_OK_MAP_INFO;
}

uint32_t gpu_unmap_blob(struct gpu *g, struct gpu_request *rq)
{
	struct gpu_resource *r = resource_find(g, le32toh(rq->in.unmap_blob.resource_id));

	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!r->mapped)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	resource_unmap(g, r);
	return VIRTIO_GPU_RESP_OK_NODATA;
}
