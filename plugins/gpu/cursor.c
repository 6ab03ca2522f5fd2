/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cursor queue (5.7.6.10): which picture the pointer has on each screen, and where it is.
 * Nothing is answered; a request that says something impossible changes nothing.  A picture that
 * the renderer has is read by a job, meanwhile the queue rests.
 */
#include <stdlib.h>
#include <string.h>

#include "three_d.h"

#define BATCH 64u /* requests before others get their turn */

static uint32_t argb(const uint8_t *p, uint32_t format)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	word = le32toh(word);
	switch (format) {
	case TENON_FORMAT_ARGB8888:
		return word;
	case TENON_FORMAT_XRGB8888:
		return word | 0xff000000u;
	case TENON_FORMAT_BGRA8888:
	case TENON_FORMAT_BGRX8888:
		word = __builtin_bswap32(word);
		return format == TENON_FORMAT_BGRA8888 ? word : word | 0xff000000u;
	case TENON_FORMAT_ABGR8888:
	case TENON_FORMAT_XBGR8888:
		word = (word & 0xff00ff00u) | (word & 0xff) << 16 | (word >> 16 & 0xff);
		return format == TENON_FORMAT_ABGR8888 ? word : word | 0xff000000u;
	default: /* RGBA, RGBX */
		return word >> 8 | (format == TENON_FORMAT_RGBA8888 ? word << 24 : 0xff000000u);
	}
}

static bool read_pixels(const struct gpu_resource *r, uint32_t *to)
{
	const size_t n = (size_t)GPU_CURSOR_SIZE * GPU_CURSOR_SIZE;

	if (r->blob) { /* that has no format: as Linux's drivers have it */
		if (r->size < n * 4)
			return false;
		if (r->host)
			memcpy(to, r->host, n * 4);
		else if (!backing_read(&r->backing, 0, 0, (uint8_t *)to, 0, n * 4, 1))
			return false;
		for (size_t i = 0; i < n; i++)
			to[i] = le32toh(to[i]);
		return true;
	}
	if (!r->pixels || r->width != GPU_CURSOR_SIZE || r->height != GPU_CURSOR_SIZE)
		return false;
	for (size_t i = 0; i < n; i++)
		to[i] = argb(r->pixels + 4 * i, r->format);
	return true;
}

static bool set_picture(
	struct gpu *g, const struct virtio_gpu_update_cursor *in, const uint32_t *pixels)
{
	const struct tenon_cursor cursor = {
		.struct_size = sizeof(cursor),
		.width = GPU_CURSOR_SIZE,
		.height = GPU_CURSOR_SIZE,
		.hot_x = le32toh(in->hot_x) % GPU_CURSOR_SIZE,
		.hot_y = le32toh(in->hot_y) % GPU_CURSOR_SIZE,
		.pixels = pixels,
	};

	return gpu_display->set_cursor(
		       g->dev, le32toh(in->pos.scanout_id), pixels ? &cursor : NULL) == 0;
}

static void move(struct gpu *g, const struct virtio_gpu_update_cursor *in, bool visible)
{
	const uint32_t screen = le32toh(in->pos.scanout_id);

	g->scanouts[screen].cursor = visible;
	gpu_display->move_cursor(
		g->dev, screen, (int32_t)le32toh(in->pos.x), (int32_t)le32toh(in->pos.y), visible);
}

static void update(struct gpu *g, const struct virtio_gpu_update_cursor *in)
{
	uint32_t pixels[GPU_CURSOR_SIZE * GPU_CURSOR_SIZE];
	const struct gpu_resource *r = resource_find(g, le32toh(in->resource_id));

	if (in->resource_id == 0 ? set_picture(g, in, NULL)
				 : r && read_pixels(r, pixels) && set_picture(g, in, pixels))
		move(g, in, in->resource_id != 0);
}

static void serve(struct gpu *g, const struct virtio_gpu_update_cursor *in)
{
	const uint32_t screen = le32toh(in->pos.scanout_id), type = le32toh(in->hdr.type);

	if (screen >= g->n_scanouts)
		return;
	if (type == VIRTIO_GPU_CMD_UPDATE_CURSOR)
		update(g, in);
	else if (type == VIRTIO_GPU_CMD_MOVE_CURSOR)
		move(g, in, g->scanouts[screen].cursor);
}

/* ---- what the renderer has drawn ---- */

/* NULL = the renderer has nothing to do with it. */
static const struct gpu_resource *drawn(struct gpu *g, const struct virtio_gpu_update_cursor *in)
{
	const struct gpu_resource *r = resource_find(g, le32toh(in->resource_id));

	if (le32toh(in->hdr.type) != VIRTIO_GPU_CMD_UPDATE_CURSOR ||
		le32toh(in->pos.scanout_id) >= g->n_scanouts || !r || !r->drawn || r->blob ||
		!r->format || r->width != GPU_CURSOR_SIZE || r->height != GPU_CURSOR_SIZE ||
		g->lost)
		return NULL;
	return r;
}

/* The pixels come behind what tells where they go. */
static void read_drawn(
	struct gpu *g, const struct gpu_resource *r, const struct virtio_gpu_update_cursor *in)
{
	const size_t bytes = (size_t)GPU_CURSOR_SIZE * GPU_CURSOR_SIZE * 4;
	struct renderer_job *job = three_d_job(g);
	struct iovec *iov = job ? calloc(1, sizeof(*iov) + bytes) : NULL;

	if (!iov)
		return;
	*iov = (struct iovec){ iov + 1, bytes };
	job->op = RENDERER_READ;
	job->id = r->id;
	job->flags = r->format;
	job->transfer = (struct virtio_gpu_transfer_host_3d){
		.box = { 0, 0, 0, GPU_CURSOR_SIZE, GPU_CURSOR_SIZE, 1 },
		.stride = GPU_CURSOR_SIZE * 4,
	};
	job->iov = iov;
	job->n_iov = 1;
	g->cursor_read = iov;
	g->cursor_update = *in;
	three_d_submit_alone(g);
}

void cursor_ended(struct gpu *g, struct renderer_job *job)
{
	uint32_t *pixels = (uint32_t *)(g->cursor_read + 1);

	for (uint32_t i = 0; i < GPU_CURSOR_SIZE * GPU_CURSOR_SIZE; i++)
		pixels[i] = argb((const uint8_t *)&pixels[i], job->flags);
	if (job->result == 0 && set_picture(g, &g->cursor_update, pixels))
		move(g, &g->cursor_update, true);
	free(g->cursor_read);
	g->cursor_read = NULL;
}

/* ---- the queue ---- */

bool cursor_run(struct gpu *g)
{
	struct tenon_vq *vq = gpu_virtio->queue(g->dev, GPU_CURSOR);
	struct virtio_gpu_update_cursor in;
	unsigned left = BATCH;
	struct tenon_chain c;

	while (left > 0 && !g->cursor_read && gpu_virtio->pop(vq, &c) > 0) {
		const struct gpu_resource *r = NULL;
		const bool whole =
			tenon_iov_to_buf(c.out, c.n_out, 0, &in, sizeof(in)) == sizeof(in);

		if (whole)
			r = drawn(g, &in);
		if (r && g->busy) { /* the end of that job has us go on */
			gpu_virtio->unpop(vq, &c);
			break;
		}
		if (r)
			read_drawn(g, r, &in);
		else if (whole)
			serve(g, &in);
		gpu_virtio->push(vq, &c, 0);
		left--;
	}
	gpu_virtio->notify(vq);
	return left == 0 && !g->cursor_read;
}

void cursor_forget(struct gpu *g)
{
	for (uint32_t i = 0; i < g->n_scanouts; i++) {
		if (!g->scanouts[i].cursor)
			continue;
		(void)gpu_display->set_cursor(g->dev, i, NULL);
		gpu_display->move_cursor(g->dev, i, 0, 0, false);
		g->scanouts[i].cursor = false;
	}
}
