/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cursor queue (5.7.6.10): which picture the pointer has on each screen, and where it is.
 * Nothing is answered; a request that says something impossible changes nothing.
 */
#include <string.h>

#include "gpu.h"

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
	const uint32_t n = GPU_CURSOR_SIZE * GPU_CURSOR_SIZE;

	if (r->blob) { /* that has no format: as Linux's drivers have it */
		if (r->size < n * 4)
			return false;
		if (r->host)
			memcpy(to, r->host, n * 4ull);
		else if (!backing_read(&r->backing, 0, 0, (uint8_t *)to, 0, n * 4, 1))
			return false;
		for (uint32_t i = 0; i < n; i++)
			to[i] = le32toh(to[i]);
		return true;
	}
	if (!r->pixels || r->width != GPU_CURSOR_SIZE || r->height != GPU_CURSOR_SIZE)
		return false;
	for (uint32_t i = 0; i < n; i++)
		to[i] = argb(r->pixels + 4ull * i, r->format);
	return true;
}

/* False = there is no such picture. */
static bool set_picture(struct gpu *g, uint32_t screen, const struct virtio_gpu_update_cursor *in)
{
	uint32_t pixels[GPU_CURSOR_SIZE * GPU_CURSOR_SIZE];
	const struct gpu_resource *r = resource_find(g, le32toh(in->resource_id));
	const struct tenon_cursor cursor = {
		.struct_size = sizeof(cursor),
		.width = GPU_CURSOR_SIZE,
		.height = GPU_CURSOR_SIZE,
		.hot_x = le32toh(in->hot_x) % GPU_CURSOR_SIZE,
		.hot_y = le32toh(in->hot_y) % GPU_CURSOR_SIZE,
		.pixels = pixels,
	};

	if (in->resource_id == 0)
		return gpu_display->set_cursor(g->dev, screen, NULL) == 0;
	return r && read_pixels(r, pixels) && gpu_display->set_cursor(g->dev, screen, &cursor) == 0;
}

static void serve(struct gpu *g, const struct virtio_gpu_update_cursor *in)
{
	const uint32_t screen = le32toh(in->pos.scanout_id), type = le32toh(in->hdr.type);
	bool *visible;

	if (screen >= g->n_scanouts)
		return;
	visible = &g->scanouts[screen].cursor;
	if (type == VIRTIO_GPU_CMD_UPDATE_CURSOR) {
		if (!set_picture(g, screen, in))
			return;
		*visible = in->resource_id != 0;
	} else if (type != VIRTIO_GPU_CMD_MOVE_CURSOR) {
		return;
	}
	gpu_display->move_cursor(
		g->dev, screen, (int32_t)le32toh(in->pos.x), (int32_t)le32toh(in->pos.y), *visible);
}

bool cursor_run(struct gpu *g)
{
	struct tenon_vq *vq = gpu_virtio->queue(g->dev, GPU_CURSOR);
	struct virtio_gpu_update_cursor in;
	unsigned left = BATCH;
	struct tenon_chain c;

	while (left > 0 && gpu_virtio->pop(vq, &c) > 0) {
		if (tenon_iov_to_buf(c.out, c.n_out, 0, &in, sizeof(in)) == sizeof(in))
			serve(g, &in);
		gpu_virtio->push(vq, &c, 0);
		left--;
	}
	gpu_virtio->notify(vq);
	return left == 0;
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
