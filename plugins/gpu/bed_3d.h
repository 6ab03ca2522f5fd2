/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for 3D, and commands for virgl's contexts, written by hand. */
#ifndef PLUGINS_GPU_BED_3D_H
#define PLUGINS_GPU_BED_3D_H

#include "gpu_bed.h"

static inline uint32_t bed_context(struct tk_dev *d, uint32_t ctx, uint32_t init)
{
	const struct virtio_gpu_ctx_create in = {
		{ .type = VIRTIO_GPU_CMD_CTX_CREATE, .ctx_id = ctx }, 4, init, "test"
	};

	return BED_DO(d, in);
}

static inline uint32_t bed_context_gone(struct tk_dev *d, uint32_t ctx)
{
	const struct virtio_gpu_ctx_destroy in = { { .type = VIRTIO_GPU_CMD_CTX_DESTROY,
		.ctx_id = ctx } };

	return BED_DO(d, in);
}

static inline uint32_t bed_in_context(struct tk_dev *d, uint32_t ctx, uint32_t id, int in_it)
{
	const struct virtio_gpu_ctx_resource in = {
		{ .type = in_it ? VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE
				: VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE,
			.ctx_id = ctx },
		id, 0
	};

	return BED_DO(d, in);
}

/* A texture that can be drawn on (target 2), or a buffer (0). */
static inline struct virtio_gpu_resource_create_3d bed_texture(
	uint32_t id, uint32_t width, uint32_t height)
{
	return (struct virtio_gpu_resource_create_3d){
		.hdr = { .type = VIRTIO_GPU_CMD_RESOURCE_CREATE_3D },
		.resource_id = id,
		.target = 2,
		.format = VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM,
		.bind = 2,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1,
	};
}

static inline struct virtio_gpu_resource_create_3d bed_buffer(uint32_t id, uint32_t bytes)
{
	struct virtio_gpu_resource_create_3d in = bed_texture(id, bytes, 1);

	in.target = 0;
	in.format = 64; /* R8_UNORM */
	in.bind = 1 << 4;
	return in;
}

static inline struct virtio_gpu_transfer_host_3d bed_transfer_3d(
	int to_host, uint32_t id, uint32_t w, uint32_t h)
{
	return (struct virtio_gpu_transfer_host_3d){
		.hdr = { .type = to_host ? VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D
					 : VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D },
		.box = { 0, 0, 0, w, h, 1 },
		.resource_id = id,
		.stride = w * 4,
	};
}

/* ---- commands ---- */

struct bed_stream {
	struct virtio_gpu_cmd_submit head;
	uint32_t words[1024];
	uint32_t n;
};

static inline void bed_word(struct bed_stream *s, uint32_t word)
{
	TK_TRUE(s->n < 1024);
	s->words[s->n++] = word;
}

static inline void bed_float(struct bed_stream *s, float f)
{
	uint32_t word;

	memcpy(&word, &f, sizeof(word));
	bed_word(s, word);
}

static inline void bed_command(struct bed_stream *s, uint32_t command, uint32_t object, uint32_t n)
{
	bed_word(s, command | object << 8 | n << 16);
}

static inline void bed_words(struct bed_stream *s, unsigned n, const uint32_t *words)
{
	for (unsigned i = 0; i < n; i++)
		bed_word(s, words[i]);
}

#define BED_COMMAND(s_, command_, object_, ...)                                                    \
	do {                                                                                       \
		const uint32_t words_[] = { __VA_ARGS__ };                                         \
		bed_command(s_, command_, object_, sizeof(words_) / 4);                            \
		bed_words(s_, sizeof(words_) / 4, words_);                                         \
	} while (0)

/* The frame buffer is texture @id as surface 10; all of it becomes one colour. */
static inline void bed_clear(struct bed_stream *s, uint32_t id, float r, float g, float b)
{
	BED_COMMAND(s, 1, 8, 10, id, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 0, 0);
	BED_COMMAND(s, 5, 0, 1, 0, 10);
	bed_command(s, 7, 0, 8);
	bed_word(s, 4);
	bed_float(s, r);
	bed_float(s, g);
	bed_float(s, b);
	bed_float(s, 1.0f);
	bed_word(s, 0);
	bed_word(s, 0);
	bed_word(s, 0);
}

static inline uint32_t bed_stream_do(
	struct tk_dev *d, struct bed_stream *s, uint32_t ctx, uint32_t size)
{
	s->head =
		(struct virtio_gpu_cmd_submit){ { .type = VIRTIO_GPU_CMD_SUBMIT_3D, .ctx_id = ctx },
			size, 0 };
	return bed_do(d, s, sizeof(s->head) + s->n * 4ull);
}

static inline uint32_t bed_submit(struct tk_dev *d, struct bed_stream *s, uint32_t ctx)
{
	return bed_stream_do(d, s, ctx, s->n * 4);
}

#endif
