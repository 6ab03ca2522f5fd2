/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that need nothing but memory (5.7.6.8): screens, pictures, what is behind them. */
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

/* ---- screens ---- */

/* They stand side by side. */
uint32_t gpu_get_display_info(struct gpu *g, struct gpu_request *rq)
{
	struct virtio_gpu_resp_display_info *out = &rq->out.display_info;
	uint32_t x = 0;

	for (uint32_t i = 0; i < g->n_scanouts; i++) {
		const struct gpu_scanout *s = &g->scanouts[i];

		out->pmodes[i].r.x = htole32(x);
		out->pmodes[i].r.width = htole32(s->width);
		out->pmodes[i].r.height = htole32(s->height);
		out->pmodes[i].enabled = htole32(1);
		x += s->width;
	}
	rq->out_size = sizeof(*out);
	return VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
}

uint32_t gpu_get_edid(struct gpu *g, struct gpu_request *rq)
{
	const uint32_t i = le32toh(rq->in.get_edid.scanout);

	if (i >= g->n_scanouts)
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	edid_make(rq->out.edid.edid, g->scanouts[i].width, g->scanouts[i].height, i);
	rq->out.edid.size = htole32(EDID_SIZE);
	rq->out_size = sizeof(rq->out.edid);
	return VIRTIO_GPU_RESP_OK_EDID;
}

static struct tenon_rect rect_of(const struct virtio_gpu_rect *r)
{
	return (struct tenon_rect){ le32toh(r->x), le32toh(r->y), le32toh(r->width),
		le32toh(r->height) };
}

static bool is_inside(const struct tenon_rect *r, uint32_t width, uint32_t height)
{
	return r->width > 0 && r->height > 0 && r->x < width && r->y < height &&
	       r->width <= width - r->x && r->height <= height - r->y;
}

/* Resource 0 is nothing (5.7.6.8). */
static uint32_t darken(struct gpu *g, uint32_t index)
{
	scanout_darken(g, index);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t gpu_set_scanout(struct gpu *g, struct gpu_request *rq)
{
	const struct virtio_gpu_set_scanout *in = &rq->in.set_scanout;
	const uint32_t index = le32toh(in->scanout_id);
	struct gpu_resource *r = resource_find(g, le32toh(in->resource_id));
	const struct tenon_rect part = rect_of(&in->r);
	struct gpu_scanout *s;

	if (index >= g->n_scanouts)
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	if (in->resource_id == 0)
		return darken(g, index);
	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (r->blob || !r->format || !is_inside(&part, r->width, r->height))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	s = &g->scanouts[index];
	s->resource = r;
	s->part = part;
	s->format = r->format;
	return scanout_show(g, index);
}

/* Whether the picture that the request describes lies in the blob (5.7.6.8). */
static bool blob_holds(const struct virtio_gpu_set_scanout_blob *in, const struct gpu_resource *r)
{
	const uint32_t width = le32toh(in->width), height = le32toh(in->height),
		       stride = le32toh(in->strides[0]);
	const uint64_t end =
		le32toh(in->offsets[0]) + (uint64_t)stride * (height - 1) + (uint64_t)width * 4;

	return width > 0 && height > 0 && width <= GPU_MAX_SIZE && height <= GPU_MAX_SIZE &&
	       stride >= width * 4 && stride % 4 == 0 && le32toh(in->offsets[0]) % 4 == 0 &&
	       end <= r->size && (r->host || end <= r->backing.size);
}

uint32_t gpu_set_scanout_blob(struct gpu *g, struct gpu_request *rq)
{
	const struct virtio_gpu_set_scanout_blob *in = &rq->in.set_scanout_blob;
	const uint32_t index = le32toh(in->scanout_id), format = format_of(le32toh(in->format));
	struct gpu_resource *r = resource_find(g, le32toh(in->resource_id));
	const struct tenon_rect part = rect_of(&in->r);
	struct gpu_scanout *s;

	if (index >= g->n_scanouts)
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	if (in->resource_id == 0)
		return darken(g, index);
	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!r->blob || !format || !blob_holds(in, r) ||
		!is_inside(&part, le32toh(in->width), le32toh(in->height)))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	s = &g->scanouts[index];
	s->resource = r;
	s->part = part;
	s->format = format;
	s->stride = le32toh(in->strides[0]);
	s->offset = le32toh(in->offsets[0]);
	return scanout_show(g, index);
}

uint32_t gpu_flush(struct gpu *g, struct gpu_request *rq)
{
	const struct tenon_rect rect = rect_of(&rq->in.flush.r);
	struct gpu_resource *r = resource_find(g, le32toh(rq->in.flush.resource_id));

	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	/* A blob has no size of its own: what leaves the screen is cut off. */
	if (!r->blob && !is_inside(&rect, r->width, r->height))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (r->drawn)
		return gpu_flush_3d(g, rq);
	scanout_flush(g, r, &rect);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* ---- resources ---- */

uint32_t gpu_create_2d(struct gpu *g, struct gpu_request *rq)
{
	const struct virtio_gpu_resource_create_2d *in = &rq->in.create_2d;
	const uint32_t width = le32toh(in->width), height = le32toh(in->height),
		       format = format_of(le32toh(in->format));
	const uint64_t bytes = (uint64_t)width * height * 4;
	struct gpu_resource *r;
	uint32_t answer;

	if (!format || width == 0 || height == 0 || width > GPU_MAX_SIZE || height > GPU_MAX_SIZE)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	answer = resource_add(g, le32toh(in->resource_id), bytes, &r);
	if (answer != VIRTIO_GPU_RESP_OK_NODATA)
		return answer;
	r->format = format;
	r->width = width;
	r->height = height;
	r->size = bytes;
	r->pixels = calloc(1, bytes);
	if (r->pixels)
		return VIRTIO_GPU_RESP_OK_NODATA;
	resource_remove(g, r);
	return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
}

uint32_t gpu_unref(struct gpu *g, struct gpu_request *rq)
{
	struct gpu_resource *r = resource_find(g, le32toh(rq->in.unref.resource_id));

	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (r->drawn)
		return gpu_unref_3d(g, rq, r);
	resource_remove(g, r);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t gpu_transfer_2d(struct gpu *g, struct gpu_request *rq)
{
	const struct virtio_gpu_transfer_to_host_2d *in = &rq->in.transfer_2d;
	struct gpu_resource *r = resource_find(g, le32toh(in->resource_id));
	const struct tenon_rect rect = rect_of(&in->r);
	size_t stride;

	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (r->blob) /* there is no copy to bring up to date: Linux asks for it anyhow */
		return VIRTIO_GPU_RESP_OK_NODATA;
	if (r->drawn || !is_inside(&rect, r->width, r->height))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	stride = (size_t)r->width * 4;
	if (!backing_read(&r->backing, le64toh(in->offset), stride,
		    r->pixels + rect.y * stride + rect.x * 4ull, stride, rect.width * 4ull,
		    rect.height))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t gpu_attach_backing(struct gpu *g, struct gpu_request *rq)
{
	struct gpu_resource *r = resource_find(g, le32toh(rq->in.attach.resource_id));
	uint32_t answer;

	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (r->blob || r->backing.n > 0)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	answer = backing_attach(
		g, &r->backing, rq, sizeof(rq->in.attach), le32toh(rq->in.attach.nr_entries));
	return answer == VIRTIO_GPU_RESP_OK_NODATA && r->drawn ? gpu_attach_3d(g, rq, r) : answer;
}

uint32_t gpu_detach_backing(struct gpu *g, struct gpu_request *rq)
{
	struct gpu_resource *r = resource_find(g, le32toh(rq->in.detach.resource_id));

	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (r->blob || r->backing.n == 0)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (r->drawn)
		return gpu_detach_3d(g, rq, r);
	backing_detach(g, &r->backing);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* ---- universally unique ids (RFC 4122, version 4) ---- */

uint32_t gpu_assign_uuid(struct gpu *g, struct gpu_request *rq)
{
	struct gpu_resource *r = resource_find(g, le32toh(rq->in.assign_uuid.resource_id));

	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!r->has_uuid) {
		if (tenon_random(r->uuid, sizeof(r->uuid)) < 0)
			return VIRTIO_GPU_RESP_ERR_UNSPEC;
		r->uuid[6] = (uint8_t)((r->uuid[6] & 0x0f) | 0x40);
		r->uuid[8] = (uint8_t)((r->uuid[8] & 0x3f) | 0x80);
		r->has_uuid = true;
	}
	memcpy(rq->out.uuid.uuid, r->uuid, sizeof(r->uuid));
	rq->out_size = sizeof(rq->out.uuid);
	return VIRTIO_GPU_RESP_OK_RESOURCE_UUID;
}
