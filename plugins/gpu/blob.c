/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs: resources that are memory of a certain size and nothing else (5.7.6.8). */
#include "gpu.h"

uint32_t gpu_create_blob(struct gpu *g, struct gpu_request *rq)
{
	const struct virtio_gpu_resource_create_blob *in = &rq->in.create_blob;
	const uint64_t size = le64toh(in->size);
	struct gpu_resource *r;
	uint32_t answer;

	if (size == 0 || le32toh(in->blob_mem) != VIRTIO_GPU_BLOB_MEM_GUEST)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	answer = resource_add(g, le32toh(in->resource_id), 0, &r);
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
