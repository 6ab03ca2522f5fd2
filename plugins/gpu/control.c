/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control queue (5.7.6.7): requests, one after the other.  A request is copied out of guest
 * memory once and must be as long as its type asks for; where the answer goes must have room for
 * it, before anything is done.  Whatever is wrong is answered with an error.
 */
#include <string.h>

#include "gpu.h"

#define BATCH 64u /* requests before others get their turn */

struct command {
	uint32_t (*serve)(struct gpu *g, struct gpu_request *rq);
	uint16_t in, out; /* bytes, at least */
	uint32_t needs;   /* feature bits */
};

#define COMMAND(type_, serve_, in_, out_, needs_)                                                  \
	[type_ - VIRTIO_GPU_CMD_GET_DISPLAY_INFO] = { serve_, sizeof(struct in_),                  \
		sizeof(struct out_), needs_ }

static const struct command commands[] = {
	COMMAND(VIRTIO_GPU_CMD_GET_DISPLAY_INFO, gpu_get_display_info, virtio_gpu_ctrl_hdr,
		virtio_gpu_resp_display_info, 0),
	COMMAND(VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, gpu_create_2d, virtio_gpu_resource_create_2d,
		virtio_gpu_ctrl_hdr, 0),
	COMMAND(VIRTIO_GPU_CMD_RESOURCE_UNREF, gpu_unref, virtio_gpu_resource_unref,
		virtio_gpu_ctrl_hdr, 0),
	COMMAND(VIRTIO_GPU_CMD_SET_SCANOUT, gpu_set_scanout, virtio_gpu_set_scanout,
		virtio_gpu_ctrl_hdr, 0),
	COMMAND(VIRTIO_GPU_CMD_RESOURCE_FLUSH, gpu_flush, virtio_gpu_resource_flush,
		virtio_gpu_ctrl_hdr, 0),
	COMMAND(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, gpu_transfer_2d, virtio_gpu_transfer_to_host_2d,
		virtio_gpu_ctrl_hdr, 0),
	COMMAND(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, gpu_attach_backing,
		virtio_gpu_resource_attach_backing, virtio_gpu_ctrl_hdr, 0),
	COMMAND(VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, gpu_detach_backing,
		virtio_gpu_resource_detach_backing, virtio_gpu_ctrl_hdr, 0),
	COMMAND(VIRTIO_GPU_CMD_GET_EDID, gpu_get_edid, virtio_gpu_cmd_get_edid,
		virtio_gpu_resp_edid, GPU_BIT(VIRTIO_GPU_F_EDID)),
	COMMAND(VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID, gpu_assign_uuid,
		virtio_gpu_resource_assign_uuid, virtio_gpu_resp_resource_uuid,
		GPU_BIT(VIRTIO_GPU_F_RESOURCE_UUID)),
	COMMAND(VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB, gpu_create_blob,
		virtio_gpu_resource_create_blob, virtio_gpu_ctrl_hdr,
		GPU_BIT(VIRTIO_GPU_F_RESOURCE_BLOB)),
	COMMAND(VIRTIO_GPU_CMD_SET_SCANOUT_BLOB, gpu_set_scanout_blob, virtio_gpu_set_scanout_blob,
		virtio_gpu_ctrl_hdr, GPU_BIT(VIRTIO_GPU_F_RESOURCE_BLOB)),
};

/* NULL = there is none, or not for this driver. */
static const struct command *command_of(const struct gpu *g, uint32_t type)
{
	const uint32_t at = type - VIRTIO_GPU_CMD_GET_DISPLAY_INFO;
	const struct command *c = &commands[at];

	if (at >= sizeof(commands) / sizeof(commands[0]) || !c->serve ||
		(g->features & c->needs) != c->needs)
		return NULL;
	return c;
}

/* What the answer is; it has the length that the request's out_size says. */
static uint32_t serve(struct gpu *g, struct gpu_request *rq)
{
	const size_t got =
		tenon_iov_to_buf(rq->chain.out, rq->chain.n_out, 0, &rq->in, sizeof(rq->in));
	const struct command *c;

	rq->out_size = sizeof(rq->out.hdr);
	if (got < sizeof(rq->hdr))
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	rq->hdr = rq->in.hdr;
	c = command_of(g, le32toh(rq->hdr.type));
	if (!c)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (got < c->in || rq->chain.in_bytes < c->out)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	return c->serve(g, rq);
}

/* A fence that was asked for is named in the answer (5.7.6.7). */
static void answer(struct gpu *g, struct gpu_request *rq, uint32_t type)
{
	struct tenon_vq *vq = gpu_virtio->queue(g->dev, GPU_CONTROL);
	const uint32_t flags = le32toh(rq->hdr.flags);
	size_t n;

	rq->out.hdr.type = htole32(type);
	if (flags & VIRTIO_GPU_FLAG_FENCE) {
		rq->out.hdr.flags =
			htole32(flags & (VIRTIO_GPU_FLAG_FENCE | VIRTIO_GPU_FLAG_INFO_RING_IDX));
		rq->out.hdr.fence_id = rq->hdr.fence_id;
		rq->out.hdr.ctx_id = rq->hdr.ctx_id;
		if (flags & VIRTIO_GPU_FLAG_INFO_RING_IDX)
			rq->out.hdr.ring_idx = rq->hdr.ring_idx;
	}
	n = tenon_iov_from_buf(rq->chain.in, rq->chain.n_in, 0, &rq->out, rq->out_size);
	gpu_virtio->push(vq, &rq->chain, (uint32_t)n);
}

static void begin(struct gpu_request *rq)
{
	memset(&rq->hdr, 0, sizeof(rq->hdr));
	memset(&rq->in, 0, sizeof(rq->in));
	memset(&rq->out, 0, sizeof(rq->out));
}

bool control_run(struct gpu *g)
{
	struct tenon_vq *vq = gpu_virtio->queue(g->dev, GPU_CONTROL);
	struct gpu_request *rq = &g->request;
	unsigned left = BATCH;

	while (left > 0 && gpu_virtio->pop(vq, &rq->chain) > 0) {
		begin(rq);
		answer(g, rq, serve(g, rq));
		left--;
	}
	gpu_virtio->notify(vq);
	return left == 0;
}
