/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control queue (5.7.6.7): requests, one after the other.  A request is copied out of guest
 * memory once and must be as long as its type asks for; where the answer goes must have room for
 * it, before anything is done.  Whatever is wrong is answered with an error.
 */
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define BATCH 64u /* requests before others get their turn */

struct command {
	uint32_t (*serve)(struct gpu *g, struct gpu_request *rq);
	uint16_t in, out; /* bytes, at least */
	uint32_t needs;   /* feature bits */
};

#define N_2D 0x0e
#define N_3D 0x0a

#define COMMAND(type_, serve_, in_, out_, needs_)                                                  \
	[type_] = { serve_, sizeof(struct in_), sizeof(struct out_), needs_ }
#define BLOB  GPU_BIT(VIRTIO_GPU_F_RESOURCE_BLOB)
#define VIRGL GPU_BIT(VIRTIO_GPU_F_VIRGL)
#define UUID  GPU_BIT(VIRTIO_GPU_F_RESOURCE_UUID)
#define EDID  GPU_BIT(VIRTIO_GPU_F_EDID)

/* By type, from GET_DISPLAY_INFO on; then those for 3D, from CTX_CREATE on. */
static const struct command commands[] = {
	COMMAND(0x0, gpu_get_display_info, virtio_gpu_ctrl_hdr, virtio_gpu_resp_display_info, 0),
	COMMAND(0x1, gpu_create_2d, virtio_gpu_resource_create_2d, virtio_gpu_ctrl_hdr, 0),
	COMMAND(0x2, gpu_unref, virtio_gpu_resource_unref, virtio_gpu_ctrl_hdr, 0),
	COMMAND(0x3, gpu_set_scanout, virtio_gpu_set_scanout, virtio_gpu_ctrl_hdr, 0),
	COMMAND(0x4, gpu_flush, virtio_gpu_resource_flush, virtio_gpu_ctrl_hdr, 0),
	COMMAND(0x5, gpu_transfer_2d, virtio_gpu_transfer_to_host_2d, virtio_gpu_ctrl_hdr, 0),
	COMMAND(0x6, gpu_attach_backing, virtio_gpu_resource_attach_backing, virtio_gpu_ctrl_hdr,
		0),
	COMMAND(0x7, gpu_detach_backing, virtio_gpu_resource_detach_backing, virtio_gpu_ctrl_hdr,
		0),
	COMMAND(0x8, gpu_get_capset_info, virtio_gpu_get_capset_info, virtio_gpu_resp_capset_info,
		VIRGL),
	COMMAND(0x9, gpu_get_capset, virtio_gpu_get_capset, virtio_gpu_resp_capset, VIRGL),
	COMMAND(0xa, gpu_get_edid, virtio_gpu_cmd_get_edid, virtio_gpu_resp_edid, EDID),
	COMMAND(0xb, gpu_assign_uuid, virtio_gpu_resource_assign_uuid,
		virtio_gpu_resp_resource_uuid, UUID),
	COMMAND(0xc, gpu_create_blob, virtio_gpu_resource_create_blob, virtio_gpu_ctrl_hdr, BLOB),
	COMMAND(0xd, gpu_set_scanout_blob, virtio_gpu_set_scanout_blob, virtio_gpu_ctrl_hdr, BLOB),
	COMMAND(N_2D + 0, gpu_ctx_create, virtio_gpu_ctx_create, virtio_gpu_ctrl_hdr, VIRGL),
	COMMAND(N_2D + 1, gpu_ctx_destroy, virtio_gpu_ctx_destroy, virtio_gpu_ctrl_hdr, VIRGL),
	COMMAND(N_2D + 2, gpu_ctx_resource, virtio_gpu_ctx_resource, virtio_gpu_ctrl_hdr, VIRGL),
	COMMAND(N_2D + 3, gpu_ctx_resource, virtio_gpu_ctx_resource, virtio_gpu_ctrl_hdr, VIRGL),
	COMMAND(N_2D + 4, gpu_create_3d, virtio_gpu_resource_create_3d, virtio_gpu_ctrl_hdr, VIRGL),
	COMMAND(N_2D + 5, gpu_transfer_3d, virtio_gpu_transfer_host_3d, virtio_gpu_ctrl_hdr, VIRGL),
	COMMAND(N_2D + 6, gpu_transfer_3d, virtio_gpu_transfer_host_3d, virtio_gpu_ctrl_hdr, VIRGL),
	COMMAND(N_2D + 7, gpu_submit, virtio_gpu_cmd_submit, virtio_gpu_ctrl_hdr, VIRGL),
	COMMAND(N_2D + 8, gpu_map_blob, virtio_gpu_resource_map_blob, virtio_gpu_resp_map_info,
		VIRGL | BLOB),
	COMMAND(N_2D + 9, gpu_unmap_blob, virtio_gpu_resource_unmap_blob, virtio_gpu_ctrl_hdr,
		VIRGL | BLOB),
};

/* NULL = there is none, or not for this driver. */
static const struct command *command_of(const struct gpu *g, uint32_t type)
{
	const struct command *c;

	if (type - VIRTIO_GPU_CMD_GET_DISPLAY_INFO < N_2D)
		c = &commands[type - VIRTIO_GPU_CMD_GET_DISPLAY_INFO];
	else if (type - VIRTIO_GPU_CMD_CTX_CREATE < N_3D)
		c = &commands[N_2D + type - VIRTIO_GPU_CMD_CTX_CREATE];
	else
		return NULL;
	return (g->features & c->needs) == c->needs ? c : NULL;
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

/* Answers wait for their fence, and for those that wait already. */
static void push(struct gpu *g, struct gpu_request *rq, uint32_t written)
{
	struct gpu_parked *p = &g->parked[g->n_parked];
	uint32_t fence = rq->fence;

	if (!(le32toh(rq->hdr.flags) & VIRTIO_GPU_FLAG_FENCE) || g->n_parked == GPU_QUEUE_SIZE)
		fence = 0;
	else if (!fence && g->n_parked > 0)
		fence = p[-1].fence;
	if (!fence || (int32_t)(fence - g->fence_passed) <= 0) {
		gpu_virtio->push(gpu_virtio->queue(g->dev, GPU_CONTROL), &rq->chain, written);
		return;
	}
	*p = (struct gpu_parked){ rq->chain, written, fence };
	g->n_parked++;
}

/* A fence that was asked for is named in the answer (5.7.6.7). */
static void answer(struct gpu *g, struct gpu_request *rq, uint32_t type)
{
	const uint32_t flags = le32toh(rq->hdr.flags);
	size_t n;

	if (type >= VIRTIO_GPU_RESP_ERR_UNSPEC) {
		rq->out_size = sizeof(rq->out.hdr);
		rq->tail_size = 0;
	}
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
	n += tenon_iov_from_buf(
		rq->chain.in, rq->chain.n_in, rq->out_size, rq->tail, rq->tail_size);
	push(g, rq, (uint32_t)n);
	free(rq->tail);
	rq->tail = NULL;
}

static void begin(struct gpu_request *rq)
{
	const struct tenon_chain chain = rq->chain;

	memset(rq, 0, sizeof(*rq));
	rq->tail = NULL;
	rq->chain = chain;
}

bool control_run(struct gpu *g)
{
	struct tenon_vq *vq = gpu_virtio->queue(g->dev, GPU_CONTROL);
	struct gpu_request *rq = &g->request;
	unsigned left = BATCH;
	uint32_t type;

	while (left > 0 && !g->busy && gpu_virtio->pop(vq, &rq->chain) > 0) {
		begin(rq);
		type = serve(g, rq);
		if (type != GPU_LATER)
			answer(g, rq, type);
		left--;
	}
	gpu_virtio->notify(vq);
	return left == 0 && !g->busy;
}

void control_ended(struct gpu *g, struct renderer_job *job)
{
	struct gpu_request *rq = &g->request;
	uint32_t type;

	g->busy = false;
	type = rq->done(g, rq, job);
	if (type != GPU_LATER)
		answer(g, rq, type);
}

void control_release(struct gpu *g)
{
	struct tenon_vq *vq = gpu_virtio->queue(g->dev, GPU_CONTROL);
	uint32_t n = 0;

	while (n < g->n_parked && (int32_t)(g->parked[n].fence - g->fence_passed) <= 0) {
		gpu_virtio->push(vq, &g->parked[n].chain, g->parked[n].written);
		n++;
	}
	if (n == 0)
		return;
	g->n_parked -= n;
	memmove(g->parked, g->parked + n, g->n_parked * sizeof(g->parked[0]));
	gpu_virtio->notify(vq);
}
