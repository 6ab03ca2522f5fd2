/* SPDX-License-Identifier: Apache-2.0 */
/* gpu: what a driver draws with virglrenderer, on whatever EGL the host has. */
#include <dlfcn.h>
#include <link.h>

#include "bed_3d.h"

#define SIZE    64u
#define BYTES   16384u
#define VIRGL   "renderer = \"virgl\"; window = \"1M\"; "
#define WRONG   VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER
#define NO_ID   VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID
#define NO_CTX  VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID
#define RED     0xffff0000u
#define GREEN   0xff00ff00u
#define TEXTURE 3u

/* Mesa's driver stays loaded, so that a leak is told by its name and not as one of nobody's. */
static int keep_driver(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (strstr(info->dlpi_name, "_dri.so"))
		(void)dlopen(info->dlpi_name, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
	return 0;
}

/* With a context of its own and a texture in it, whose pixels come back to *ret_at. */
static struct tk_dev *with_texture(uint64_t *ret_at)
{
	struct tk_dev *d = tk_device("gpu", VIRGL);
	struct virtio_gpu_resource_create_3d texture = bed_texture(TEXTURE, SIZE, SIZE);

	(void)dl_iterate_phdr(keep_driver, NULL);
	*ret_at = tk_alloc(BYTES, 4096);
	TK_EQ(bed_context(d, 1, 0), OK);
	TK_EQ(BED_DO(d, texture), OK);
	TK_EQ(bed_attach_one(d, TEXTURE, *ret_at, BYTES), OK);
	TK_EQ(bed_in_context(d, 1, TEXTURE, 1), OK);
	return d;
}

static uint32_t pixel_at(uint64_t at, uint32_t x, uint32_t y)
{
	return *(const uint32_t *)tk_mem(at + (y * SIZE + x) * 4ull, 4);
}

static void read_back(struct tk_dev *d)
{
	const struct virtio_gpu_transfer_host_3d in = bed_transfer_3d(0, TEXTURE, SIZE, SIZE);

	TK_EQ(BED_DO(d, in), OK);
}

/* ---- what it is ---- */

TK_TEST(has_capsets)
{
	struct tk_dev *d = tk_device("gpu", VIRGL);
	struct virtio_gpu_get_capset_info in = { { .type = VIRTIO_GPU_CMD_GET_CAPSET_INFO }, 0, 0 };
	struct virtio_gpu_get_capset get = { { .type = VIRTIO_GPU_CMD_GET_CAPSET }, 2, 1 };
	struct virtio_gpu_resp_capset_info info;
	static uint8_t caps[4096], none[4096];

	TK_EQ(tk_features(d) & 0x1f, 0x1f);
	TK_EQ(tk_config(d, 12, 4), 2);
	for (uint32_t i = 0; i < 2; i++) {
		in.capset_index = i;
		TK_EQ(bed_ask(d, &in, sizeof(in), &info, sizeof(info)),
			VIRTIO_GPU_RESP_OK_CAPSET_INFO);
		TK_EQ(info.capset_id, i + 1);
		TK_TRUE(info.capset_max_size > 300 && info.capset_max_size < 4000);
	}
	in.capset_index = 2;
	TK_EQ(bed_ask(d, &in, sizeof(in), &info, sizeof(info)), WRONG);
	TK_EQ(bed_ask(d, &get, sizeof(get), caps, sizeof(caps)), VIRTIO_GPU_RESP_OK_CAPSET);
	TK_TRUE(memcmp(caps + 24, none, 1000) != 0);
	TK_EQ(bed_ask(d, &get, sizeof(get), caps, 1000), WRONG);
	get.capset_version = 77;
	TK_EQ(bed_ask(d, &get, sizeof(get), caps, sizeof(caps)), WRONG);
	get.capset_id = 7;
	TK_EQ(bed_ask(d, &get, sizeof(get), caps, sizeof(caps)), WRONG);
}

TK_TEST(is_one_for_each_process)
{
	struct tk_dev *d = tk_device("gpu", VIRGL), *second;

	second = tk_create("gpu", VIRGL);
	TK_TRUE(second != NULL);
	TK_EQ(tk_attach(second), -EBUSY);
	TK_HAS_TEXT(tk_error(), "another card of this process has it");
	tk_destroy(second);
	second = tk_device("gpu", "renderer = \"auto\";");
	TK_EQ(tk_features(second) & 1, 0);
	TK_TRUE(tk_log_has("without 3D: another card of this process has it"));
	tk_destroy(d);
}

/* ---- drawing ---- */

TK_TEST(clears)
{
	struct bed_stream s = { .n = 0 };
	uint64_t at;
	struct tk_dev *d = with_texture(&at);

	bed_clear(&s, TEXTURE, 1.0f, 0.0f, 0.0f);
	TK_EQ(bed_submit(d, &s, 1), OK);
	read_back(d);
	for (uint32_t i = 0; i < SIZE * SIZE; i++)
		TK_EQ(pixel_at(at, i % SIZE, i / SIZE), RED);
}

static void shader(struct bed_stream *s, uint32_t handle, uint32_t type, const char *text)
{
	const uint32_t bytes = (uint32_t)strlen(text) + 1, words = (bytes + 3) / 4;
	uint32_t padded[128] = { 0 };

	memcpy(padded, text, bytes);
	bed_command(s, 1, 4, 5 + words);
	bed_word(s, handle);
	bed_word(s, type);
	bed_word(s, bytes);
	bed_word(s, 300);
	bed_word(s, 0);
	bed_words(s, words, padded);
	BED_COMMAND(s, 31, 0, handle, type);
}

/* One corner of the frame buffer, in green, from vertices in buffer @id. */
static void triangle(struct bed_stream *s, uint32_t id)
{
	static const float corners[12] = { -1, -1, 0, 1, 1, -1, 0, 1, -1, 1, 0, 1 };
	uint32_t words[12];

	memcpy(words, corners, sizeof(words));
	bed_command(s, 9, 0, 11 + 12);
	bed_words(s, 11, (const uint32_t[]){ id, 0, 0, 0, 0, 0, 0, 0, 48, 1, 1 });
	bed_words(s, 12, words);
	BED_COMMAND(s, 1, 1, 20, 0, 0, 0xfu << 27, 0, 0, 0, 0, 0, 0, 0); /* blend: write all */
	BED_COMMAND(s, 2, 1, 20);
	BED_COMMAND(s, 1, 2, 21, 1u << 1 | 1u << 29, 0x3f800000, 0, 0, 0x3f800000, 0, 0, 0);
	BED_COMMAND(s, 2, 2, 21);
	BED_COMMAND(s, 1, 3, 22, 0, 0, 0, 0); /* no depth, no stencil */
	BED_COMMAND(s, 2, 3, 22);
	BED_COMMAND(s, 1, 5, 23, 0, 0, 0, 31); /* vertices of four floats */
	BED_COMMAND(s, 2, 5, 23);
	BED_COMMAND(s, 6, 0, 16, 0, id);
	shader(s, 24, 0,
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\n"
		"  0: MOV OUT[0], IN[0]\n  1: END\n");
	shader(s, 25, 1,
		"FRAG\nDCL OUT[0], COLOR\nIMM[0] FLT32 {0.0, 1.0, 0.0, 1.0}\n"
		"  0: MOV OUT[0], IMM[0]\n  1: END\n");
	bed_command(s, 4, 0, 7);
	bed_word(s, 0);
	for (int i = 0; i < 6; i++)
		bed_float(s, i == 2 || i == 5 ? 0.5f : 32.0f);
	BED_COMMAND(s, 8, 0, 0, 3, 4, 0, 1, 0, 0, 0, 0, 0, 2, 0);
}

TK_TEST(draws_a_triangle)
{
	struct bed_stream s = { .n = 0 };
	const struct virtio_gpu_resource_create_3d vertices = bed_buffer(4, 256);
	uint64_t at;
	struct tk_dev *d = with_texture(&at);

	TK_EQ(BED_DO(d, vertices), OK);
	TK_EQ(bed_in_context(d, 1, 4, 1), OK);
	bed_clear(&s, TEXTURE, 1.0f, 0.0f, 0.0f);
	triangle(&s, 4);
	TK_EQ(bed_submit(d, &s, 1), OK);
	read_back(d);
	for (uint32_t y = 0; y < SIZE; y++)
		for (uint32_t x = 0; x < SIZE; x++)
			if (x + y != SIZE - 1) /* the edge is the renderer's */
				TK_EQ(pixel_at(at, x, y), x + y < SIZE ? GREEN : RED);
}

TK_TEST(shows_what_is_drawn)
{
	struct bed_stream s = { .n = 0 };
	struct tenon_rect rect;
	uint64_t at;
	struct tk_dev *d = with_texture(&at);

	TK_EQ(bed_scanout(d, 0, TEXTURE, bed_rect(8, 8, 40, 30)), OK);
	bed_clear(&s, TEXTURE, 0.0f, 1.0f, 0.0f);
	TK_EQ(bed_submit(d, &s, 1), OK);
	TK_EQ(bed_pixel(d, 0, 39, 29), 0);
	TK_EQ(bed_flush(d, TEXTURE, bed_rect(10, 10, SIZE - 10, SIZE - 10)), OK);
	TK_EQ(tk_screen_damage(d, 0, &rect), 1);
	TK_TRUE(rect.x == 2 && rect.y == 2 && rect.width == 38 && rect.height == 28);
	for (uint32_t y = 0; y < 30; y++)
		for (uint32_t x = 0; x < 40; x++)
			TK_EQ(bed_pixel(d, 0, x, y), x < 2 || y < 2 ? 0 : GREEN);
	TK_EQ(bed_unref(d, TEXTURE), OK);
}

TK_TEST(transfers_both_ways)
{
	const struct virtio_gpu_transfer_host_3d in = bed_transfer_3d(1, TEXTURE, SIZE, SIZE);
	uint64_t at;
	struct tk_dev *d = with_texture(&at);

	for (uint32_t i = 0; i < SIZE * SIZE; i++)
		tk_put(at + i * 4ull, &i, sizeof(i));
	TK_EQ(BED_DO(d, in), OK);
	tk_put(at, NULL, BYTES);
	read_back(d);
	for (uint32_t i = 0; i < SIZE * SIZE; i++)
		TK_EQ(pixel_at(at, i % SIZE, i / SIZE), i);
}

static void point(struct tk_dev *d, uint32_t type, uint32_t id)
{
	const struct virtio_gpu_update_cursor in = { { .type = type }, { 0, 30, 20, 0 }, id, 5, 5,
		0 };
	struct tk_buf *b = tk_out(d, 1, &in, sizeof(in));

	tk_kick(d, 1);
	tk_run_until_idle(d);
	for (int n = 0; n < 200 && tk_used_len(b) < 0; n++) {
		(void)tk_wait(100);
		tk_run_until_idle(d);
	}
	TK_EQ(tk_used_len(b), 0);
	tk_free(b);
}

/* A cursor that is drawn; the request comes while the renderer is busy with another one. */
TK_TEST(points_with_what_is_drawn)
{
	struct bed_stream s = { .n = 0 };
	uint64_t at;
	struct tk_dev *d = with_texture(&at);
	struct tk_buf *b;
	uint32_t argb;
	int32_t x, y;

	bed_clear(&s, TEXTURE, 0.0f, 1.0f, 0.0f);
	s.head = (struct virtio_gpu_cmd_submit){ { .type = VIRTIO_GPU_CMD_SUBMIT_3D, .ctx_id = 1 },
		s.n * 4, 0 };
	b = tk_request(d, 0, &s, sizeof(s.head) + s.n * 4ull, 24);
	tk_kick(d, 0);
	point(d, VIRTIO_GPU_CMD_UPDATE_CURSOR, TEXTURE);
	point(d, VIRTIO_GPU_CMD_MOVE_CURSOR, 0);
	TK_EQ(tk_used_len(b), 24);
	TK_EQ(tk_screen_cursor(d, 0, &x, &y, &argb), 1);
	TK_EQ(argb, GREEN);
	TK_EQ(x, 30);
	TK_EQ(y, 20);
	TK_EQ(bed_unref(d, TEXTURE), OK);
	point(d, VIRTIO_GPU_CMD_UPDATE_CURSOR, TEXTURE);
	TK_EQ(tk_screen_cursor(d, 0, &x, &y, &argb), 1);
}

/* ---- fences ---- */

TK_TEST(answers_in_the_order_of_fences)
{
	struct bed_stream s = { .n = 0 };
	const struct virtio_gpu_ctrl_hdr nop = {
		.type = VIRTIO_GPU_CMD_RESOURCE_UNREF, .flags = VIRTIO_GPU_FLAG_FENCE, .fence_id = 0
	};
	struct tk_buf *bufs[20];
	struct virtio_gpu_ctrl_hdr out;
	uint8_t in2d[32] = { 0 };
	uint64_t at;
	struct tk_dev *d = with_texture(&at);

	bed_clear(&s, TEXTURE, 1.0f, 0.0f, 0.0f);
	for (unsigned i = 0; i < 20; i++) {
		s.head = (struct virtio_gpu_cmd_submit){ { .type = VIRTIO_GPU_CMD_SUBMIT_3D,
								 .flags = VIRTIO_GPU_FLAG_FENCE,
								 .fence_id = 100 + i,
								 .ctx_id = 1 },
			s.n * 4, 0 };
		memcpy(in2d, &nop, sizeof(nop));
		in2d[8] = (uint8_t)(100 + i);
		/* Every other one needs no renderer, and still has to wait its turn. */
		bufs[i] = i % 2 ? tk_request(d, 0, in2d, sizeof(in2d), sizeof(out))
				: tk_request(d, 0, &s, sizeof(s.head) + s.n * 4ull, sizeof(out));
	}
	tk_kick(d, 0);
	for (unsigned i = 0; i < 20; i++) {
		for (int n = 0; n < 200 && tk_used_len(bufs[i]) < 0; n++) {
			tk_run_until_idle(d);
			for (unsigned k = i + 1; k < 20 && tk_used_len(bufs[i]) < 0; k++)
				TK_TRUE(tk_used_len(bufs[k]) < 0);
			(void)tk_wait(100);
		}
		TK_EQ(tk_in_bytes(bufs[i], &out, sizeof(out)), sizeof(out));
		TK_EQ(out.type, i % 2 ? NO_ID : OK);
		TK_EQ(out.flags, VIRTIO_GPU_FLAG_FENCE);
		TK_EQ(out.fence_id, 100 + i);
		tk_free(bufs[i]);
	}
}

/* ---- wrong ---- */

TK_TEST(refuses_rubbish)
{
	struct bed_stream s = { .n = 0 }, good = { .n = 0 };
	uint64_t at;
	struct tk_dev *d = with_texture(&at);
	uint32_t random = 12345;

	for (int i = 0; i < 500; i++) {
		random = random * 1664525u + 1013904223u;
		bed_word(&s, random);
	}
	TK_EQ(bed_submit(d, &s, 1), WRONG);
	TK_EQ(bed_submit(d, &s, 2), NO_CTX);
	TK_EQ(bed_submit(d, &s, 0), NO_CTX);
	TK_EQ(bed_stream_do(d, &s, 1, 3), WRONG);
	TK_EQ(bed_stream_do(d, &s, 1, s.n * 4 + 4), WRONG);
	TK_EQ(bed_stream_do(d, &s, 1, 0xfffffffcu), WRONG);
	/* Another context is none the worse for it. */
	TK_EQ(bed_context(d, 2, VIRTIO_GPU_CAPSET_VIRGL2), OK);
	TK_EQ(bed_in_context(d, 2, TEXTURE, 1), OK);
	bed_clear(&good, TEXTURE, 0.0f, 1.0f, 0.0f);
	TK_EQ(bed_submit(d, &good, 2), OK);
	read_back(d);
	TK_EQ(pixel_at(at, 9, 9), GREEN);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
}

TK_TEST(refuses_wrong_contexts)
{
	uint64_t at;
	struct tk_dev *d = with_texture(&at);

	TK_EQ(bed_context(d, 0, 0), NO_CTX);
	TK_EQ(bed_context(d, 1, 0), NO_CTX);
	TK_EQ(bed_context(d, 2, 3), WRONG);
	TK_EQ(bed_context(d, 2, 0x100), WRONG);
	TK_EQ(bed_in_context(d, 2, TEXTURE, 1), NO_CTX);
	TK_EQ(bed_in_context(d, 1, 99, 1), NO_ID);
	TK_EQ(bed_in_context(d, 1, TEXTURE, 0), OK);
	TK_EQ(bed_context_gone(d, 2), NO_CTX);
	TK_EQ(bed_context_gone(d, 1), OK);
	TK_EQ(bed_context_gone(d, 1), NO_CTX);
}

TK_TEST(refuses_wrong_resources)
{
	struct virtio_gpu_resource_create_3d in;
	struct virtio_gpu_transfer_host_3d t = bed_transfer_3d(0, TEXTURE, SIZE, SIZE);
	uint64_t at;
	struct tk_dev *d = with_texture(&at);

#define REFUSED(member_, value_, answer_)                                                          \
	do {                                                                                       \
		in = bed_texture(9, 16, 16);                                                       \
		in.member_ = value_;                                                               \
		TK_EQ(BED_DO(d, in), answer_);                                                     \
	} while (0)
	REFUSED(resource_id, 0, NO_ID);
	REFUSED(resource_id, TEXTURE, NO_ID);
	REFUSED(target, 9, WRONG);
	REFUSED(target, 0xffffffffu, WRONG);
	REFUSED(format, 0xffff, WRONG);
	REFUSED(width, 0, WRONG);
	REFUSED(width, 0xffffffffu, WRONG);
	REFUSED(height, 20000, WRONG);
	REFUSED(depth, 0, WRONG);
	REFUSED(array_size, 0xffffffffu, WRONG);
	REFUSED(last_level, 16, WRONG);
	REFUSED(nr_samples, 64, WRONG);
	in = bed_texture(9, 16384, 16384);
	TK_EQ(BED_DO(d, in), VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	TK_EQ(bed_unref(d, 9), NO_ID);
	t.hdr.ctx_id = 7;
	TK_EQ(BED_DO(d, t), NO_CTX);
	t.hdr.ctx_id = 0;
	t.box.w = SIZE + 1;
	TK_EQ(BED_DO(d, t), WRONG);
	t = bed_transfer_3d(0, TEXTURE, SIZE, SIZE);
	t.offset = 4;
	TK_EQ(BED_DO(d, t), WRONG);
	t.offset = 0;
	t.resource_id = 8;
	TK_EQ(BED_DO(d, t), NO_ID);
	TK_EQ(bed_detach(d, TEXTURE), OK);
	t.resource_id = TEXTURE;
	TK_EQ(BED_DO(d, t), WRONG);
}

/* ---- memory of the host in the guest's window ---- */

static uint32_t host_blob(struct tk_dev *d, uint32_t id, uint64_t blob_id, uint64_t size)
{
	const struct virtio_gpu_resource_create_blob in = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB, .ctx_id = 1 }, id,
		VIRTIO_GPU_BLOB_MEM_HOST3D, VIRTIO_GPU_BLOB_FLAG_USE_MAPPABLE, 0, blob_id, size
	};

	return BED_DO(d, in);
}

static uint32_t map(struct tk_dev *d, uint32_t id, uint64_t offset)
{
	const struct virtio_gpu_resource_map_blob in = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB }, id, 0, offset
	};
	struct virtio_gpu_resp_map_info out;
	const uint32_t type = bed_ask(d, &in, sizeof(in), &out, sizeof(out));

	TK_TRUE(type != VIRTIO_GPU_RESP_OK_MAP_INFO || out.map_info == VIRTIO_GPU_MAP_CACHE_CACHED);
	return type;
}

static uint32_t unmap(struct tk_dev *d, uint32_t id)
{
	const struct virtio_gpu_resource_unmap_blob in = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_UNMAP_BLOB }, id, 0
	};

	return BED_DO(d, in);
}

/* What the renderer draws is written to the blob, and the guest finds it in its window. */
TK_TEST(maps_memory_that_the_host_writes)
{
	struct bed_stream s = { .n = 0 };
	uint64_t at, size, gpa;
	const uint32_t *window;
	struct tk_dev *d = with_texture(&at);

	window = tk_shm(d, VIRTIO_GPU_SHM_ID_HOST_VISIBLE, &size);
	TK_EQ(size, 1 << 20);
	gpa = tk_reg(d, 0xb8) | (uint64_t)tk_reg(d, 0xbc) << 32;
	TK_EQ(host_blob(d, 50, 0, BYTES), OK);
	TK_EQ(map(d, 50, 0x8000), VIRTIO_GPU_RESP_OK_MAP_INFO);
	TK_EQ(bed_detach(d, TEXTURE), OK);
	TK_EQ(bed_attach_one(d, TEXTURE, gpa + 0x8000, BYTES), OK);
	bed_clear(&s, TEXTURE, 1.0f, 0.0f, 0.0f);
	TK_EQ(bed_submit(d, &s, 1), OK);
	read_back(d);
	for (uint32_t i = 0; i < SIZE * SIZE; i++)
		TK_EQ(window[0x8000 / 4 + i], RED);
	TK_EQ(window[0x8000 / 4 - 1], 0);
	TK_EQ(unmap(d, 50), OK);
	TK_EQ(window[0x8000 / 4], 0);
	TK_EQ(map(d, 50, 0), VIRTIO_GPU_RESP_OK_MAP_INFO);
	TK_EQ(window[0], RED);
}

/* The same blob on a screen: nothing is copied. */
TK_TEST(shows_memory_of_the_host)
{
	const struct virtio_gpu_set_scanout_blob show = {
		.hdr = { .type = VIRTIO_GPU_CMD_SET_SCANOUT_BLOB },
		.r = { 1, 2, 8, 8 },
		.resource_id = 50,
		.width = 16,
		.height = 16,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.strides = { 256 },
	};
	struct tenon_surface surface;
	uint64_t at, size;
	uint32_t *window;
	struct tk_dev *d = with_texture(&at);

	window = tk_shm(d, VIRTIO_GPU_SHM_ID_HOST_VISIBLE, &size);
	TK_EQ(host_blob(d, 50, 0, 4096), OK);
	TK_EQ(map(d, 50, 0), VIRTIO_GPU_RESP_OK_MAP_INFO);
	TK_EQ(BED_DO(d, show), OK);
	window[2 * 64 + 1] = 0xabcdefu; /* as the guest writes */
	TK_EQ(bed_pixel(d, 0, 0, 0), 0xabcdefu);
	TK_EQ(tk_screen(d, 0, &surface), 0);
	TK_TRUE(surface.fd >= 0 && surface.fd_offset == 2 * 256 + 4);
	TK_EQ(bed_unref(d, 50), OK);
	TK_EQ(tk_screen(d, 0, &surface), -ENODATA);
	TK_EQ(window[2 * 64 + 1], 0);
}

TK_TEST(refuses_wrong_mappings)
{
	const uint32_t unspec = VIRTIO_GPU_RESP_ERR_UNSPEC;
	uint64_t at;
	struct tk_dev *d = with_texture(&at);

	TK_EQ(host_blob(d, 50, 0, 4095), WRONG);
	TK_EQ(host_blob(d, 50, 0, 0), WRONG);
	TK_EQ(host_blob(d, 50, 99, 4096), WRONG); /* no such thing in the context */
	TK_EQ(host_blob(d, 50, 0, 1ull << 40), VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY);
	TK_EQ(host_blob(d, 50, 0, 8192), OK);
	TK_EQ(host_blob(d, 51, 0, 8192), OK);
	TK_EQ(map(d, 49, 0), NO_ID);
	TK_EQ(map(d, TEXTURE, 0), unspec);
	TK_EQ(map(d, 50, 1), WRONG);
	TK_EQ(map(d, 50, 0xff000), WRONG);
	TK_EQ(map(d, 50, 0x100000), WRONG);
	TK_EQ(map(d, 50, UINT64_MAX - 4095), WRONG);
	TK_EQ(unmap(d, 50), unspec);
	TK_EQ(map(d, 50, 0xfe000), VIRTIO_GPU_RESP_OK_MAP_INFO);
	TK_EQ(map(d, 50, 0), unspec);
	TK_EQ(map(d, 51, 0xfd000), WRONG);
	TK_EQ(map(d, 51, 0xfc000), VIRTIO_GPU_RESP_OK_MAP_INFO);
	TK_EQ(unmap(d, 52), NO_ID);
}

/* ---- life ---- */

TK_TEST(forgets_everything_with_a_reset)
{
	struct bed_stream s = { .n = 0 };
	struct virtio_gpu_resource_create_3d texture = bed_texture(TEXTURE, SIZE, SIZE);
	uint64_t at;
	struct tk_dev *d = with_texture(&at);

	bed_clear(&s, TEXTURE, 1.0f, 0.0f, 0.0f);
	for (int i = 0; i < 3; i++) {
		TK_EQ(bed_submit(d, &s, 1), OK);
		TK_EQ(host_blob(d, 50, 0, 4096), OK);
		TK_EQ(map(d, 50, 0), VIRTIO_GPU_RESP_OK_MAP_INFO);
		TK_EQ(tk_driver(d, ~0ull, 0), 0);
		TK_EQ(bed_submit(d, &s, 1), NO_CTX);
		TK_EQ(bed_context(d, 1, 0), OK);
		TK_EQ(BED_DO(d, texture), OK);
		TK_EQ(bed_in_context(d, 1, TEXTURE, 1), OK);
	}
}

TK_TEST(rests_and_goes_on)
{
	struct bed_stream s = { .n = 0 };
	uint64_t at;
	struct tk_dev *d = with_texture(&at);
	struct tk_buf *b;

	bed_clear(&s, TEXTURE, 1.0f, 0.0f, 0.0f);
	s.head = (struct virtio_gpu_cmd_submit){
		{ .type = VIRTIO_GPU_CMD_SUBMIT_3D, .flags = VIRTIO_GPU_FLAG_FENCE, .ctx_id = 1 },
		s.n * 4, 0
	};
	b = tk_request(d, 0, &s, sizeof(s.head) + s.n * 4ull, 24);
	tk_kick(d, 0);
	TK_TRUE(tk_step());
	TK_EQ(tk_quiesce(d), 0);
	TK_EQ(tk_resume(d), 0);
	for (int n = 0; n < 200 && tk_used_len(b) < 0; n++) {
		tk_run_until_idle(d);
		(void)tk_wait(100);
	}
	TK_EQ(tk_used_len(b), 24);
	read_back(d);
	TK_EQ(pixel_at(at, 1, 1), RED);
}

TK_TEST(survives_failures_of_the_host)
{
	TK_TRUE(tk_fault_sweep("gpu", VIRGL) > 0);
}

TK_MAIN()
