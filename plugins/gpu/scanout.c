/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the screens show.  Pixels of a resource are shown where the device keeps them.  A blob's lie
 * in pieces of guest memory, and what is drawn in the renderer, where nobody but the device looks:
 * what the driver flushes is copied to a shadow of the shown part.
 */
#include <stdlib.h>

#include "gpu.h"

static void drop_shadow(struct gpu *g, struct gpu_scanout *s)
{
	free(s->shadow);
	memory_give(g, s->shadow_bytes);
	s->shadow = NULL;
	s->shadow_bytes = 0;
}

/* @offset: of the first line, where the resource's bytes have a descriptor. */
static int show(struct gpu *g, uint32_t index, const uint8_t *pixels, uint32_t stride, int fd,
	uint64_t offset)
{
	const struct gpu_scanout *s = &g->scanouts[index];
	const struct tenon_surface surface = {
		.struct_size = sizeof(surface),
		.width = s->part.width,
		.height = s->part.height,
		.stride = stride,
		.format = s->format,
		.fd = fd,
		.fd_offset = offset,
		.pixels = pixels,
	};

	return gpu_display->set_surface(g->dev, index, &surface);
}

static uint32_t show_shadow(struct gpu *g, uint32_t index)
{
	struct gpu_scanout *s = &g->scanouts[index], old = *s;
	const uint64_t bytes = (uint64_t)s->part.width * s->part.height * 4;

	if (!memory_take(g, bytes))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	s->shadow = calloc(1, bytes);
	s->shadow_bytes = bytes;
	if (!s->shadow || show(g, index, s->shadow, s->part.width * 4, -1, 0) < 0) {
		drop_shadow(g, s);
		s->shadow = old.shadow;
		s->shadow_bytes = old.shadow_bytes;
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	drop_shadow(g, &old); /* nobody looks at it any more */
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* Where the resource's pixels are is where they are shown. */
static uint32_t show_itself(struct gpu *g, uint32_t index, const uint8_t *pixels, uint32_t stride,
	int fd, uint64_t offset)
{
	struct gpu_scanout *s = &g->scanouts[index];
	const uint64_t at = offset + (uint64_t)s->part.y * stride + s->part.x * 4ull;

	if (show(g, index, pixels + at, stride, fd, at) < 0)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	drop_shadow(g, s);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t scanout_show(struct gpu *g, uint32_t index)
{
	const struct gpu_scanout *s = &g->scanouts[index];
	const struct gpu_resource *r = s->resource;
	uint32_t answer;

	if (r->pixels)
		answer = show_itself(g, index, r->pixels, r->width * 4, -1, 0);
	else if (r->host)
		answer = show_itself(g, index, r->host, s->stride, r->fd, s->offset);
	else
		answer = show_shadow(g, index);
	if (answer != VIRTIO_GPU_RESP_OK_NODATA)
		scanout_darken(g, index);
	return answer;
}

void scanout_darken(struct gpu *g, uint32_t index)
{
	struct gpu_scanout *s = &g->scanouts[index];

	if (!s->resource)
		return;
	(void)gpu_display->set_surface(g->dev, index, NULL);
	s->resource = NULL;
	drop_shadow(g, s);
}

/* ---- flush ---- */

/* What both have; false = nothing. */
static bool intersect(
	const struct tenon_rect *a, const struct tenon_rect *b, struct tenon_rect *ret_both)
{
	const uint64_t right_a = (uint64_t)a->x + a->width, right_b = (uint64_t)b->x + b->width,
		       bottom_a = (uint64_t)a->y + a->height, bottom_b = (uint64_t)b->y + b->height,
		       right = right_a < right_b ? right_a : right_b,
		       bottom = bottom_a < bottom_b ? bottom_a : bottom_b;
	const uint32_t x = a->x > b->x ? a->x : b->x, y = a->y > b->y ? a->y : b->y;

	if (x >= right || y >= bottom)
		return false;
	*ret_both = (struct tenon_rect){ x, y, (uint32_t)(right - x), (uint32_t)(bottom - y) };
	return true;
}

/* @seen is a part of the shown part. */
static void copy_to_shadow(const struct gpu_scanout *s, const struct tenon_rect *seen)
{
	const size_t to_stride = (size_t)s->part.width * 4;
	uint8_t *to = s->shadow + (seen->y - s->part.y) * to_stride + (seen->x - s->part.x) * 4ull;

	(void)backing_read(&s->resource->backing,
		s->offset + (uint64_t)seen->y * s->stride + seen->x * 4ull, s->stride, to,
		to_stride, seen->width * 4ull, seen->height);
}

bool scanout_part(const struct gpu *g, uint32_t index, const struct gpu_resource *r,
	const struct tenon_rect *rect, struct tenon_rect *ret_seen)
{
	const struct gpu_scanout *s = &g->scanouts[index];

	return s->resource == r && intersect(&s->part, rect, ret_seen);
}

void scanout_flush(struct gpu *g, struct gpu_resource *r, const struct tenon_rect *rect)
{
	for (uint32_t i = 0; i < g->n_scanouts; i++) {
		const struct gpu_scanout *s = &g->scanouts[i];
		struct tenon_rect seen;

		if (!scanout_part(g, i, r, rect, &seen))
			continue;
		if (s->shadow)
			copy_to_shadow(s, &seen);
		seen.x -= s->part.x;
		seen.y -= s->part.y;
		gpu_display->damage(g->dev, i, &seen);
	}
}
