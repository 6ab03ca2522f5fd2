/* SPDX-License-Identifier: Apache-2.0 */
/* gpu: requests that are wrong are answered with errors, and memory has an end. */
#include "gpu_bed.h"

#define NO_3D        "renderer = \"none\"; "
#define WRONG_ID     VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID
#define WRONG_SCREEN VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID
#define WRONG        VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER
#define UNSPEC       VIRTIO_GPU_RESP_ERR_UNSPEC
#define NO_MEMORY    VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY
#define BGRA         VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM

/* 16 by 16 pixels, with memory behind them. */
static struct tk_dev *with_picture(uint64_t *ret_at)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);

	*ret_at = tk_alloc(1024, 4);
	TK_EQ(bed_create_2d(d, 1, BGRA, 16, 16), OK);
	TK_EQ(bed_attach_one(d, 1, *ret_at, 1024), OK);
	return d;
}

TK_TEST(refuses_wrong_resources)
{
	uint64_t at;
	struct tk_dev *d = with_picture(&at);

	TK_EQ(bed_create_2d(d, 0, BGRA, 16, 16), WRONG_ID);
	TK_EQ(bed_create_2d(d, 1, BGRA, 16, 16), WRONG_ID);
	TK_EQ(bed_create_2d(d, 2, 0, 16, 16), WRONG);
	TK_EQ(bed_create_2d(d, 2, 5, 16, 16), WRONG);
	TK_EQ(bed_create_2d(d, 2, BGRA, 0, 16), WRONG);
	TK_EQ(bed_create_2d(d, 2, BGRA, 16, 0), WRONG);
	TK_EQ(bed_create_2d(d, 2, BGRA, 16385, 1), WRONG);
	TK_EQ(bed_create_2d(d, 2, BGRA, 1, 0xffffffffu), WRONG);
	TK_EQ(bed_create_2d(d, 2, BGRA, 16384, 16384), NO_MEMORY);
	TK_EQ(bed_unref(d, 2), WRONG_ID);
	TK_EQ(bed_unref(d, 0), WRONG_ID);
}

TK_TEST(refuses_wrong_backing)
{
	uint64_t at;
	struct tk_dev *d = with_picture(&at);
	const struct virtio_gpu_mem_entry two[2] = { { at, 512, 0 }, { TK_HOLE, 512, 0 } };

	TK_EQ(bed_attach_one(d, 9, at, 1024), WRONG_ID);
	TK_EQ(bed_attach_one(d, 1, at, 1024), UNSPEC); /* it has some */
	TK_EQ(bed_detach(d, 9), WRONG_ID);
	TK_EQ(bed_detach(d, 1), OK);
	TK_EQ(bed_detach(d, 1), UNSPEC);
	TK_EQ(bed_attach(d, 1, two, 2, 2), WRONG);
	TK_EQ(bed_attach(d, 1, two, 2, 1), WRONG); /* fewer than it says */
	TK_EQ(bed_attach(d, 1, two, 0, 1), WRONG);
	TK_EQ(bed_attach(d, 1, two, 0xffffffffu, 1), WRONG);
	TK_EQ(bed_attach_one(d, 1, at, 0), WRONG);
	TK_EQ(bed_attach_one(d, 1, TK_ROM, 1024), WRONG);
	TK_EQ(bed_attach_one(d, 1, UINT64_MAX - 100, 1024), WRONG);
	TK_EQ(bed_attach_one(d, 1, TK_HOLE - 512, 1024), WRONG);
	TK_EQ(bed_attach_one(d, 1, at, 1024), OK);
}

TK_TEST(refuses_wrong_transfers)
{
	uint64_t at;
	struct tk_dev *d = with_picture(&at);

	TK_EQ(bed_transfer(d, 9, bed_rect(0, 0, 16, 16), 0), WRONG_ID);
	TK_EQ(bed_transfer(d, 1, bed_rect(0, 0, 16, 16), 1), WRONG);
	TK_EQ(bed_transfer(d, 1, bed_rect(0, 0, 16, 16), UINT64_MAX), WRONG);
	TK_EQ(bed_transfer(d, 1, bed_rect(0, 0, 17, 16), 0), WRONG);
	TK_EQ(bed_transfer(d, 1, bed_rect(0, 0, 16, 17), 0), WRONG);
	TK_EQ(bed_transfer(d, 1, bed_rect(1, 0, 16, 16), 0), WRONG);
	TK_EQ(bed_transfer(d, 1, bed_rect(0xffffffffu, 0, 2, 1), 0), WRONG);
	TK_EQ(bed_transfer(d, 1, bed_rect(0, 0, 0, 1), 0), WRONG);
	TK_EQ(bed_transfer(d, 1, bed_rect(0, 15, 16, 1), 960), OK);
	TK_EQ(bed_transfer(d, 1, bed_rect(0, 15, 16, 1), 964), WRONG);
	TK_EQ(bed_detach(d, 1), OK);
	TK_EQ(bed_transfer(d, 1, bed_rect(0, 0, 1, 1), 0), WRONG);
}

TK_TEST(refuses_wrong_screens)
{
	uint64_t at;
	struct tk_dev *d = with_picture(&at);

	TK_EQ(bed_scanout(d, 1, 1, bed_rect(0, 0, 16, 16)), WRONG_SCREEN);
	TK_EQ(bed_scanout(d, 0xffffffffu, 0, bed_rect(0, 0, 0, 0)), WRONG_SCREEN);
	TK_EQ(bed_scanout(d, 0, 9, bed_rect(0, 0, 16, 16)), WRONG_ID);
	TK_EQ(bed_scanout(d, 0, 1, bed_rect(0, 0, 16, 17)), WRONG);
	TK_EQ(bed_scanout(d, 0, 1, bed_rect(0, 0, 0, 0)), WRONG);
	TK_EQ(bed_scanout(d, 0, 1, bed_rect(16, 0, 1, 1)), WRONG);
	TK_EQ(bed_flush(d, 9, bed_rect(0, 0, 1, 1)), WRONG_ID);
	TK_EQ(bed_flush(d, 1, bed_rect(0, 0, 17, 1)), WRONG);
	TK_EQ(bed_flush(d, 1, bed_rect(0, 16, 1, 1)), WRONG);
	TK_EQ(bed_flush(d, 1, bed_rect(0, 0, 16, 16)), OK);
}

/* Each type with every length from nothing on: what is too short is refused, and nothing breaks. */
TK_TEST(refuses_what_is_too_short)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	uint8_t in[128] = { 0 }, out[64];

	for (uint32_t type = 0xfe; type < 0x110; type++)
		for (uint32_t size = 1; size <= 100; size += 3) {
			const uint32_t got = (memcpy(in, &type, 4), bed_ask(d, in, size, out, 24));

			TK_TRUE(got >= UNSPEC || (got == OK && size > 24));
			TK_TRUE(size >= 24 || got == UNSPEC);
		}
	for (uint32_t type = 0x1ff; type < 0x302; type += type == 0x20a ? 0xf5 : 1)
		TK_EQ((memcpy(in, &type, 4), bed_ask(d, in, sizeof(in), out, 24)), UNSPEC);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
}

TK_TEST(refuses_an_answer_without_room)
{
	struct tk_dev *d = tk_device("gpu", NO_3D);
	const struct virtio_gpu_ctrl_hdr in = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	const struct virtio_gpu_resource_create_2d create = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D }, 1, BGRA, 4, 4
	};
	struct tk_buf *none = tk_out(d, 0, &create, sizeof(create));
	uint8_t out[24];

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(none), 0);
	TK_EQ(bed_ask(d, &create, sizeof(create), out, 8), WRONG);
	TK_EQ(bed_unref(d, 1), WRONG_ID); /* it was not made */
	TK_EQ(bed_ask(d, &in, sizeof(in), out, sizeof(out)), WRONG);
}

/* What was not negotiated is not there. */
TK_TEST(serves_what_was_negotiated)
{
	struct tk_dev *d = tk_started("gpu", NO_3D);
	const struct virtio_gpu_cmd_get_edid in = { { .type = VIRTIO_GPU_CMD_GET_EDID }, 0, 0 };
	struct virtio_gpu_resp_edid out;

	TK_EQ(tk_driver(d, TK_F_VERSION_1, 0), 0);
	TK_EQ(bed_ask(d, &in, sizeof(in), &out, sizeof(out)), UNSPEC);
	TK_EQ(tk_driver(d, TK_F_VERSION_1 | 1 << VIRTIO_GPU_F_EDID, 0), 0);
	TK_EQ(bed_ask(d, &in, sizeof(in), &out, sizeof(out)), VIRTIO_GPU_RESP_OK_EDID);
}

/* ---- memory ---- */

TK_TEST(keeps_no_more_than_it_may)
{
	struct tk_dev *d = tk_device("gpu", NO_3D "max_memory = \"16M\";");
	uint32_t n = 0;

	TK_EQ(bed_create_2d(d, 1, BGRA, 2048, 2048), NO_MEMORY); /* 16M and its own */
	TK_EQ(bed_create_2d(d, 1, BGRA, 2048, 2000), OK);
	TK_EQ(bed_create_2d(d, 2, BGRA, 2048, 2000), NO_MEMORY);
	TK_EQ(bed_unref(d, 1), OK);
	while (bed_create_2d(d, n + 1, BGRA, 1, 1) == OK)
		n++;
	TK_TRUE(n > 4000 && n < 4096); /* the smallest have a cost, too */
	for (uint32_t i = 0; i < n; i++)
		TK_EQ(bed_unref(d, i + 1), OK);
	TK_EQ(bed_create_2d(d, 1, BGRA, 2048, 2000), OK);
}

TK_TEST(counts_lists_of_memory)
{
	struct tk_dev *d = tk_device("gpu", NO_3D "max_memory = \"16M\";");
	const struct virtio_gpu_resource_attach_backing head = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING }, 1, 30000
	};
	const uint32_t bytes = 30000 * 16;
	const struct tk_part parts[] = { { 0, &head, sizeof(head), 0 },
		{ TK_RAM_B, NULL, bytes, 0 }, { 0, NULL, 24, 1 } };
	struct virtio_gpu_mem_entry entry = { TK_RAM_A, 4, 0 };
	struct tk_buf *b;
	uint32_t type;

	for (uint32_t i = 0; i < 30000; i++)
		tk_put(TK_RAM_B + i * sizeof(entry), &entry, sizeof(entry));
	TK_EQ(bed_create_2d(d, 1, BGRA, 1, 1), OK);
	TK_EQ(bed_create_2d(d, 2, BGRA, 2048, 1920), OK); /* 1 MiB is left: 30000 want more */
	b = tk_chain(d, 0, parts, 3);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_in_bytes(b, &type, 4), 4);
	TK_EQ(type, NO_MEMORY);
	tk_free(b);
	TK_EQ(bed_unref(d, 2), OK);
	b = tk_chain(d, 0, parts, 3);
	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_in_bytes(b, &type, 4), 4);
	TK_EQ(type, OK);
	tk_free(b);
}

/* ---- failures of the host ---- */

TK_TEST(says_when_the_host_has_no_memory)
{
	uint64_t at;
	struct tk_dev *d = with_picture(&at);
	const uint32_t size = 16 * 16 * 4;

	for (unsigned nth = 1; nth <= 2; nth++) {
		tk_fail_nth(TK_FAIL_ALLOC, nth);
		TK_EQ(bed_create_2d(d, 2, BGRA, 16, 16), NO_MEMORY);
		TK_TRUE(tk_fail_fired());
		TK_EQ(bed_create_2d(d, 2, BGRA, 16, 16), OK);
		tk_fail_nth(TK_FAIL_ALLOC, nth);
		TK_EQ(bed_attach_one(d, 2, at, size), NO_MEMORY);
		TK_TRUE(tk_fail_fired());
		TK_EQ(bed_attach_one(d, 2, at, size), OK);
		TK_EQ(bed_unref(d, 2), OK);
	}
}

TK_TEST(survives_failures_of_the_host)
{
	TK_TRUE(tk_fault_sweep("gpu", NO_3D) > 0);
	TK_TRUE(tk_fault_sweep("gpu", NO_3D "screens = 16;") > 0);
}

TK_TEST(survives_a_hostile_driver)
{
	struct tk_dev *d = tk_started("gpu", NO_3D "max_memory = \"16M\";");

	TK_TRUE(tk_hostile_run(d) > 100);
}

TK_TEST(has_settings_with_bounds)
{
	TK_TRUE(!tk_create("gpu", "screens = 17;"));
	TK_HAS_TEXT(tk_error(), "screens");
	TK_TRUE(!tk_create("gpu", "width = 5000;"));
	TK_TRUE(!tk_create("gpu", "max_memory = \"1M\";"));
}

TK_MAIN()
