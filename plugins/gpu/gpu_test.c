/* SPDX-License-Identifier: Apache-2.0 */
/* gpu: pictures that a driver draws and a viewer sees, without a renderer. */
#include "gpu_bed.h"

#define NO_3D "renderer = \"none\"; "

/* A picture whose pixels tell where they are, in pieces of guest memory that are out of order. */
#define WIDTH  40u
#define HEIGHT 30u
#define BYTES  4800u
#define PIECES 6u
#define PIECE  (BYTES / PIECES)

static uint64_t pieces_at[PIECES];

static uint32_t pixel_of(uint32_t x, uint32_t y)
{
	return 0x11000000u * (x % 7) + (y << 8) + x;
}

static void draw(void)
{
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
		const uint32_t pixel = pixel_of(i % WIDTH, i / WIDTH);

		tk_put(pieces_at[i * 4 / PIECE] + i * 4 % PIECE, &pixel, sizeof(pixel));
	}
}

static void list_pieces(struct virtio_gpu_mem_entry *pieces)
{
	for (unsigned i = 0; i < PIECES; i++) {
		const unsigned at = (i * 5 + 2) % PIECES;

		pieces_at[at] = tk_alloc(PIECE, 4);
		pieces[at] = (struct virtio_gpu_mem_entry){ pieces_at[at], PIECE, 0 };
	}
}

static void make_picture(struct tk_dev *d, uint32_t id)
{
	struct virtio_gpu_mem_entry pieces[PIECES];

	list_pieces(pieces);
	draw();
	TK_EQ(bed_create_2d(d, id, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, WIDTH, HEIGHT), OK);
	TK_EQ(bed_attach(d, id, pieces, PIECES, PIECES), OK);
}

/* ---- what it is ---- */

TK_TEST(is_a_graphics_card)
{
	struct tk_dev *d = tk_device("gpu", NO_3D "screens = 3;");

	TK_EQ(tk_device_id(d), 16);
	TK_EQ(tk_n_queues(d), 2);
	TK_EQ(tk_features(d) & 0x1f, 0xe);
	TK_EQ(tk_config(d, 0, 4), 0);
	TK_EQ(tk_config(d, 8, 4), 3);
	TK_EQ(tk_config(d, 12, 4), 0);
}

TK_TEST(tells_what_screens_there_are)
{
	struct tk_dev *d = tk_device("gpu", NO_3D "screens = 2; width = 640; height = 480;");
	const struct virtio_gpu_ctrl_hdr in = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	struct virtio_gpu_resp_display_info out;

	TK_EQ(bed_ask(d, &in, sizeof(in), &out, sizeof(out)), VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	for (unsigned i = 0; i < 16; i++) {
		TK_EQ(out.pmodes[i].enabled, i < 2);
		TK_EQ(out.pmodes[i].r.width, i < 2 ? 640 : 0);
		TK_EQ(out.pmodes[i].r.height, i < 2 ? 480 : 0);
		TK_EQ(out.pmodes[i].r.x, i == 1 ? 640 : 0);
	}
}

TK_TEST(has_monitors_that_say_what_they_are)
{
	struct tk_dev *d = tk_device("gpu", NO_3D "screens = 2; width = 1024; height = 768;");
	struct virtio_gpu_cmd_get_edid in = { { .type = VIRTIO_GPU_CMD_GET_EDID }, 1, 0 };
	struct virtio_gpu_resp_edid out;
	uint8_t sum = 0;

	TK_EQ(bed_ask(d, &in, sizeof(in), &out, sizeof(out)), VIRTIO_GPU_RESP_OK_EDID);
	TK_EQ(out.size, 128);
	TK_MEM_EQ(out.edid, "\0\377\377\377\377\377\377\0", 8);
	for (unsigned i = 0; i < 128; i++)
		sum = (uint8_t)(sum + out.edid[i]);
	TK_EQ(sum, 0);
	TK_EQ(out.edid[54 + 2] | out.edid[54 + 4] >> 4 << 8, 1024);
	TK_EQ(out.edid[54 + 5] | out.edid[54 + 7] >> 4 << 8, 768);
	in.scanout = 2;
	TK_EQ(bed_ask(d, &in, sizeof(in), &out, sizeof(out)),
		VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID);
}

TK_TEST(hears_of_another_size)
{
	struct tk_dev *d = tk_device("gpu", NO_3D "screens = 2;");
	const struct virtio_gpu_ctrl_hdr in = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	struct virtio_gpu_resp_display_info out;

	tk_irqs_clear(d);
	tk_screen_resize(d, 1, 1600, 900);
	tk_run_until_idle(d);
	TK_EQ(tk_config(d, 0, 4), VIRTIO_GPU_EVENT_DISPLAY);
	TK_TRUE(tk_irqs(d) > 0);
	tk_set_config(d, 4, 4, VIRTIO_GPU_EVENT_DISPLAY);
	tk_run_until_idle(d);
	TK_EQ(tk_config(d, 0, 4), 0);
	TK_EQ(tk_config(d, 4, 4), 0);
	TK_EQ(bed_ask(d, &in, sizeof(in), &out, sizeof(out)), VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	TK_EQ(out.pmodes[0].r.width, 1280);
	TK_EQ(out.pmodes[1].r.width, 1600);
	TK_EQ(out.pmodes[1].r.height, 900);
	/* The same again is no news, more than an EDID can say is less. */
	tk_screen_resize(d, 1, 1600, 900);
	tk_run_until_idle(d);
	TK_EQ(tk_config(d, 0, 4), 0);
	tk_screen_resize(d, 0, 5000, 900);
	tk_run_until_idle(d);
	TK_EQ(bed_ask(d, &in, sizeof(in), &out, sizeof(out)), VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	TK_EQ(out.pmodes[0].r.width, 4095);
}

/* ---- pictures ---- */

TK_TEST(shows_what_is_drawn)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	struct tenon_surface s;
	struct tenon_rect rect;

	make_picture(d, 7);
	TK_EQ(tk_screen(d, 0, &s), -ENODATA);
	TK_EQ(bed_scanout(d, 0, 7, bed_rect(0, 0, WIDTH, HEIGHT)), OK);
	TK_EQ(bed_transfer(d, 7, bed_rect(0, 0, WIDTH, HEIGHT), 0), OK);
	TK_EQ(bed_flush(d, 7, bed_rect(3, 4, 10, 20)), OK);
	TK_EQ(tk_screen(d, 0, &s), 0);
	TK_EQ(s.width, WIDTH);
	TK_EQ(s.height, HEIGHT);
	TK_EQ(s.format, TENON_FORMAT_XRGB8888);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			TK_EQ(bed_pixel(d, 0, x, y), pixel_of(x, y));
	TK_EQ(tk_screen_damage(d, 0, &rect), 1);
	TK_TRUE(rect.x == 3 && rect.y == 4 && rect.width == 10 && rect.height == 20);
}

TK_TEST(transfers_a_part)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);

	make_picture(d, 1);
	TK_EQ(bed_scanout(d, 0, 1, bed_rect(0, 0, WIDTH, HEIGHT)), OK);
	TK_EQ(bed_transfer(d, 1, bed_rect(5, 6, 7, 8), (6 * WIDTH + 5) * 4ull), OK);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			const int inside = x >= 5 && x < 12 && y >= 6 && y < 14;

			TK_EQ(bed_pixel(d, 0, x, y), inside ? pixel_of(x, y) : 0);
		}
}

TK_TEST(shows_a_part_on_each_screen)
{
	struct tk_dev *d = tk_device("gpu", NO_3D "screens = 2;");
	struct tenon_rect rect;
	struct tenon_surface s;

	make_picture(d, 1);
	TK_EQ(bed_transfer(d, 1, bed_rect(0, 0, WIDTH, HEIGHT), 0), OK);
	TK_EQ(bed_scanout(d, 0, 1, bed_rect(0, 0, 20, HEIGHT)), OK);
	TK_EQ(bed_scanout(d, 1, 1, bed_rect(20, 10, 20, 20)), OK);
	TK_EQ(bed_pixel(d, 0, 19, 29), pixel_of(19, 29));
	TK_EQ(bed_pixel(d, 1, 3, 4), pixel_of(23, 14));
	TK_EQ(bed_flush(d, 1, bed_rect(18, 5, 4, 10)), OK);
	TK_EQ(tk_screen_damage(d, 0, &rect), 1);
	TK_TRUE(rect.x == 18 && rect.y == 5 && rect.width == 2 && rect.height == 10);
	TK_EQ(tk_screen_damage(d, 1, &rect), 1);
	TK_TRUE(rect.x == 0 && rect.y == 0 && rect.width == 2 && rect.height == 5);
	TK_EQ(bed_scanout(d, 0, 0, bed_rect(0, 0, 0, 0)), OK);
	TK_EQ(tk_screen(d, 0, &s), -ENODATA);
	TK_EQ(bed_unref(d, 1), OK);
	TK_EQ(tk_screen(d, 1, &s), -ENODATA);
}

TK_TEST(knows_every_format)
{
	static const struct {
		uint32_t virtio, tenon;
	} formats[] = {
		{ VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, TENON_FORMAT_ARGB8888 },
		{ VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, TENON_FORMAT_XRGB8888 },
		{ VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM, TENON_FORMAT_BGRA8888 },
		{ VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM, TENON_FORMAT_BGRX8888 },
		{ VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM, TENON_FORMAT_ABGR8888 },
		{ VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM, TENON_FORMAT_RGBX8888 },
		{ VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM, TENON_FORMAT_RGBA8888 },
		{ VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM, TENON_FORMAT_XBGR8888 },
	};
	struct tk_dev *d = tk_device("gpu", NO_3D);
	struct tenon_surface s;

	for (uint32_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		TK_EQ(bed_create_2d(d, i + 1, formats[i].virtio, 8, 8), OK);
		TK_EQ(bed_scanout(d, 0, i + 1, bed_rect(0, 0, 8, 8)), OK);
		TK_EQ(tk_screen(d, 0, &s), 0);
		TK_EQ(s.format, formats[i].tenon);
	}
}

/* ---- blobs ---- */

static uint32_t create_blob(struct tk_dev *d, uint32_t id, uint32_t mem, uint64_t size,
	const struct virtio_gpu_mem_entry *pieces, uint32_t n)
{
	struct {
		struct virtio_gpu_resource_create_blob head;
		struct virtio_gpu_mem_entry pieces[PIECES];
	} in = { { { .type = VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB }, id, mem, 0, n, 0, size },
		{ { 0 } } };

	memcpy(in.pieces, pieces, n * sizeof(*pieces));
	return bed_do(d, &in, sizeof(in.head) + n * sizeof(*pieces));
}

static struct virtio_gpu_set_scanout_blob blob_scanout(uint32_t id)
{
	return (struct virtio_gpu_set_scanout_blob){
		.hdr = { .type = VIRTIO_GPU_CMD_SET_SCANOUT_BLOB },
		.r = { 0, 0, WIDTH, HEIGHT },
		.resource_id = id,
		.width = WIDTH,
		.height = HEIGHT,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.strides = { WIDTH * 4 },
	};
}

TK_TEST(shows_guest_memory)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	struct virtio_gpu_set_scanout_blob show = blob_scanout(9);
	struct virtio_gpu_mem_entry pieces[PIECES];
	struct tenon_rect rect;

	list_pieces(pieces);
	draw();
	TK_EQ(create_blob(d, 9, VIRTIO_GPU_BLOB_MEM_GUEST, BYTES, pieces, PIECES), OK);
	show.r = bed_rect(2, 3, 30, 20);
	TK_EQ(BED_DO(d, show), OK);
	TK_EQ(bed_pixel(d, 0, 0, 0), 0);
	TK_EQ(bed_flush(d, 9, bed_rect(0, 0, WIDTH, 10)), OK);
	TK_EQ(tk_screen_damage(d, 0, &rect), 1);
	TK_TRUE(rect.x == 0 && rect.y == 0 && rect.width == 30 && rect.height == 7);
	for (uint32_t y = 0; y < 20; y++)
		for (uint32_t x = 0; x < 30; x++)
			TK_EQ(bed_pixel(d, 0, x, y), y < 7 ? pixel_of(x + 2, y + 3) : 0);
	/* Linux asks for a transfer where there is nothing to be transferred to. */
	TK_EQ(bed_transfer(d, 9, bed_rect(0, 0, WIDTH, HEIGHT), 0), OK);
	TK_EQ(bed_unref(d, 9), OK);
}

TK_TEST(refuses_a_picture_that_is_not_in_the_blob)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	struct virtio_gpu_set_scanout_blob show = blob_scanout(9);
	struct virtio_gpu_mem_entry pieces[PIECES];
	const uint32_t wrong = VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;

	list_pieces(pieces);
	TK_EQ(create_blob(d, 1, VIRTIO_GPU_BLOB_MEM_GUEST, BYTES + 1, pieces, PIECES), wrong);
	TK_EQ(create_blob(d, 1, VIRTIO_GPU_BLOB_MEM_GUEST, 0, pieces, PIECES), wrong);
	TK_EQ(create_blob(d, 1, VIRTIO_GPU_BLOB_MEM_GUEST, 64, pieces, 0), wrong);
	TK_EQ(create_blob(d, 1, VIRTIO_GPU_BLOB_MEM_HOST3D, BYTES, pieces, PIECES), wrong);
	TK_EQ(create_blob(d, 1, 77, BYTES, pieces, PIECES), wrong);
	TK_EQ(BED_DO(d, show), VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	TK_EQ(create_blob(d, 9, VIRTIO_GPU_BLOB_MEM_GUEST, BYTES, pieces, PIECES), OK);
#define WRONG(member_, value_)                                                                     \
	do {                                                                                       \
		show = blob_scanout(9);                                                            \
		show.member_ = value_;                                                             \
		TK_EQ(BED_DO(d, show), wrong);                                                     \
	} while (0)
	WRONG(width, 0);
	WRONG(height, 0);
	WRONG(width, WIDTH + 1);
	WRONG(height, HEIGHT + 1);
	WRONG(height, 0xffffffffu);
	WRONG(format, 5);
	WRONG(strides[0], WIDTH * 4 - 4);
	WRONG(strides[0], WIDTH * 4 + 2);
	WRONG(strides[0], WIDTH * 4 + 4);
	WRONG(offsets[0], 4);
	WRONG(offsets[0], 0xfffffffcu);
	WRONG(r.x, 1);
	WRONG(r.height, 0);
	WRONG(r.width, 0xffffffffu);
	show = blob_scanout(9);
	show.scanout_id = 1;
	TK_EQ(BED_DO(d, show), VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID);
	show.scanout_id = 0;
	TK_EQ(BED_DO(d, show), OK);
}

/* ---- the cursor ---- */

static void point(struct tk_dev *d, uint32_t type, uint32_t screen, uint32_t id, uint32_t hot)
{
	const struct virtio_gpu_update_cursor in = { { .type = type }, { screen, 30, 20, 0 }, id,
		hot, hot, 0 };
	struct tk_buf *b = tk_out(d, 1, &in, sizeof(in));

	tk_kick(d, 1);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 0);
	tk_free(b);
}

TK_TEST(has_a_cursor)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	const uint64_t at = tk_alloc(16384, 4);
	const uint32_t pixel = 0x44332211u; /* R, G, B, A in memory */
	uint32_t argb;
	int32_t x, y;

	tk_put(at + 1300, &pixel, sizeof(pixel));
	TK_EQ(bed_create_2d(d, 3, VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM, 64, 64), OK);
	TK_EQ(bed_attach_one(d, 3, at, 64 * 64 * 4), OK);
	TK_EQ(bed_transfer(d, 3, bed_rect(0, 0, 64, 64), 0), OK);
	point(d, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 3, 5);
	TK_EQ(tk_screen_cursor(d, 0, &x, &y, &argb), 1);
	TK_EQ(x, 30);
	TK_EQ(y, 20);
	TK_EQ(argb, 0x44112233u);
	/* What is none of its requests changes nothing. */
	point(d, VIRTIO_GPU_CMD_UPDATE_CURSOR, 1, 0, 0);
	point(d, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 99, 0);
	point(d, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, 0, 0, 0);
	TK_EQ(tk_screen_cursor(d, 0, &x, &y, &argb), 1);
	point(d, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 0, 0);
	TK_EQ(tk_screen_cursor(d, 0, &x, &y, &argb), 0);
	point(d, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 3, 0);
	TK_EQ(tk_screen_cursor(d, 0, &x, &y, &argb), 0);
}

TK_TEST(has_no_cursor_of_another_size)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	uint32_t argb;
	int32_t x, y;

	TK_EQ(bed_create_2d(d, 3, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 64, 63), OK);
	point(d, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 3, 0);
	TK_EQ(tk_screen_cursor(d, 0, &x, &y, &argb), 0);
}

/* ---- the rest ---- */

TK_TEST(gives_resources_ids_for_good)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	struct virtio_gpu_resource_assign_uuid in = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID }, 4, 0
	};
	struct virtio_gpu_resp_resource_uuid first, second;

	TK_EQ(bed_create_2d(d, 4, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 8, 8), OK);
	TK_EQ(bed_create_2d(d, 5, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 8, 8), OK);
	TK_EQ(bed_ask(d, &in, sizeof(in), &first, sizeof(first)), VIRTIO_GPU_RESP_OK_RESOURCE_UUID);
	TK_EQ(first.uuid[6] >> 4, 4);
	TK_EQ(first.uuid[8] >> 6, 2);
	(void)bed_ask(d, &in, sizeof(in), &second, sizeof(second));
	TK_MEM_EQ(first.uuid, second.uuid, 16);
	in.resource_id = 5;
	TK_EQ(bed_ask(d, &in, sizeof(in), &second, sizeof(second)),
		VIRTIO_GPU_RESP_OK_RESOURCE_UUID);
	TK_TRUE(memcmp(first.uuid, second.uuid, 16) != 0);
	in.resource_id = 6;
	TK_EQ(bed_ask(d, &in, sizeof(in), &second, sizeof(second)),
		VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
}

TK_TEST(names_the_fence_in_the_answer)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	struct virtio_gpu_ctrl_hdr in = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
		.flags = VIRTIO_GPU_FLAG_FENCE | VIRTIO_GPU_FLAG_INFO_RING_IDX,
		.fence_id = 0x123456789aULL,
		.ctx_id = 5,
		.ring_idx = 3 };
	struct virtio_gpu_resp_display_info out;

	(void)bed_ask(d, &in, sizeof(in), &out, sizeof(out));
	TK_EQ(out.hdr.flags, 3);
	TK_EQ(out.hdr.fence_id, 0x123456789aLL);
	TK_EQ(out.hdr.ctx_id, 5);
	TK_EQ(out.hdr.ring_idx, 3);
	in.flags = 0;
	(void)bed_ask(d, &in, sizeof(in), &out, sizeof(out));
	TK_TRUE(out.hdr.flags == 0 && out.hdr.fence_id == 0 && out.hdr.ctx_id == 0);
}

TK_TEST(forgets_everything_with_a_reset)
{
	struct tk_dev *d = tk_device("gpu", NO_3D "max_memory = \"16M\";");
	struct tenon_surface s;

	for (int i = 0; i < 3; i++) {
		make_picture(d, 1);
		TK_EQ(bed_create_2d(d, 2, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 2000, 2000), OK);
		TK_EQ(bed_scanout(d, 0, 1, bed_rect(0, 0, WIDTH, HEIGHT)), OK);
		TK_EQ(tk_driver(d, ~0ull, 0), 0);
		TK_EQ(tk_screen(d, 0, &s), -ENODATA);
		TK_EQ(bed_unref(d, 1), VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	}
	tk_reset(d);
}

TK_TEST(is_saved_without_pictures)
{
	struct tk_dev *d = tk_device("gpu", NO_3D "screens = 2;");
	const struct virtio_gpu_ctrl_hdr in = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	struct virtio_gpu_resp_display_info out;

	tk_screen_resize(d, 1, 1600, 900);
	tk_run_until_idle(d);
	d = tk_replace(d, "gpu", NO_3D "screens = 2;");
	TK_EQ(bed_ask(d, &in, sizeof(in), &out, sizeof(out)), VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	TK_EQ(out.pmodes[0].r.width, 1280);
	TK_EQ(out.pmodes[1].r.width, 1600);
	TK_EQ(tk_config(d, 0, 4), VIRTIO_GPU_EVENT_DISPLAY);
	make_picture(d, 1);
	TK_EQ(tk_quiesce(d), 0);
	TK_TRUE(!tk_save(d));
	TK_HAS_TEXT(tk_error(), "the guest has pictures on the card, which cannot be saved");
}

TK_TEST(serves_many_requests_at_once)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	struct virtio_gpu_resource_create_2d in = { { .type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D },
		0, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 4, 4 };
	struct tk_buf *bufs[100];
	uint32_t type;

	for (unsigned i = 0; i < 100; i++) {
		in.resource_id = i + 1;
		bufs[i] = tk_request(d, 0, &in, sizeof(in), 24);
	}
	tk_kick(d, 0);
	tk_run_until_idle(d);
	for (unsigned i = 0; i < 100; i++) {
		TK_EQ(tk_used_len(bufs[i]), 24);
		TK_EQ(tk_in_bytes(bufs[i], &type, sizeof(type)), 4);
		TK_EQ(type, OK);
		tk_free(bufs[i]);
	}
}

TK_MAIN()
