/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's side of a graphics card, for the tests of this folder. */
#ifndef PLUGINS_GPU_BED_H
#define PLUGINS_GPU_BED_H

#include <linux/virtio_gpu.h>
#include <stdlib.h>

#include <tenon/display.h>
#include <tenon/testkit.h>

#define OK VIRTIO_GPU_RESP_OK_NODATA

/* Hands in a request and copies the answer to @out; returns the answer's type, 0 = there is none.
 */
static inline uint32_t bed_ask(
	struct tk_dev *d, const void *in, size_t in_size, void *out, size_t out_size)
{
	struct tk_buf *b = tk_request(d, 0, in, in_size, out_size);
	uint32_t type = 0;

	tk_kick(d, 0);
	tk_run_until_idle(d);
	for (int i = 0; i < 200 && tk_used_len(b) < 0; i++)
		if (tk_wait(100))
			tk_run_until_idle(d);
	TK_TRUE(tk_used_len(b) >= 0);
	memset(out, 0, out_size);
	(void)tk_in_bytes(b, out, out_size);
	if (tk_used_len(b) >= 4)
		memcpy(&type, out, sizeof(type));
	tk_free(b);
	return type;
}

/* A request that is answered without data. */
static inline uint32_t bed_do(struct tk_dev *d, const void *in, size_t in_size)
{
	struct virtio_gpu_ctrl_hdr out;

	return bed_ask(d, in, in_size, &out, sizeof(out));
}

#define BED_DO(d, request_) bed_do(d, &(request_), sizeof(request_))

static inline uint32_t bed_create_2d(
	struct tk_dev *d, uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
	const struct virtio_gpu_resource_create_2d in = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D }, id, format, width, height
	};

	return BED_DO(d, in);
}

static inline uint32_t bed_unref(struct tk_dev *d, uint32_t id)
{
	const struct virtio_gpu_resource_unref in = { { .type = VIRTIO_GPU_CMD_RESOURCE_UNREF }, id,
		0 };

	return BED_DO(d, in);
}

/* Puts @n pieces behind the resource, as far as @in_request of them are in the request. */
static inline uint32_t bed_attach(struct tk_dev *d, uint32_t id,
	const struct virtio_gpu_mem_entry *pieces, uint32_t n, uint32_t in_request)
{
	struct {
		struct virtio_gpu_resource_attach_backing head;
		struct virtio_gpu_mem_entry pieces[64];
	} in = { { { .type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING }, id, n }, { { 0 } } };

	if (in_request > 0)
		memcpy(in.pieces, pieces, in_request * sizeof(*pieces));
	return bed_do(d, &in, sizeof(in.head) + in_request * sizeof(*pieces));
}

/* The same in one piece. */
static inline uint32_t bed_attach_one(struct tk_dev *d, uint32_t id, uint64_t gpa, uint32_t size)
{
	const struct virtio_gpu_mem_entry piece = { gpa, size, 0 };

	return bed_attach(d, id, &piece, 1, 1);
}

static inline uint32_t bed_detach(struct tk_dev *d, uint32_t id)
{
	const struct virtio_gpu_resource_detach_backing in = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING }, id, 0
	};

	return BED_DO(d, in);
}

static inline uint32_t bed_transfer(
	struct tk_dev *d, uint32_t id, struct virtio_gpu_rect r, uint64_t offset)
{
	const struct virtio_gpu_transfer_to_host_2d in = {
		{ .type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D }, r, offset, id, 0
	};

	return BED_DO(d, in);
}

static inline uint32_t bed_scanout(
	struct tk_dev *d, uint32_t screen, uint32_t id, struct virtio_gpu_rect r)
{
	const struct virtio_gpu_set_scanout in = { { .type = VIRTIO_GPU_CMD_SET_SCANOUT }, r,
		screen, id };

	return BED_DO(d, in);
}

static inline uint32_t bed_flush(struct tk_dev *d, uint32_t id, struct virtio_gpu_rect r)
{
	const struct virtio_gpu_resource_flush in = { { .type = VIRTIO_GPU_CMD_RESOURCE_FLUSH }, r,
		id, 0 };

	return BED_DO(d, in);
}

static inline struct virtio_gpu_rect bed_rect(uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
	return (struct virtio_gpu_rect){ x, y, w, h };
}

/* Pixel of what a screen shows. */
static inline uint32_t bed_pixel(struct tk_dev *d, unsigned screen, uint32_t x, uint32_t y)
{
	struct tenon_surface s;
	uint32_t pixel;

	TK_EQ(tk_screen(d, screen, &s), 0);
	TK_TRUE(x < s.width && y < s.height);
	memcpy(&pixel, (const uint8_t *)s.pixels + (size_t)y * s.stride + x * 4ull, sizeof(pixel));
	return pixel;
}

#endif
