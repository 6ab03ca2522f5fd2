/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpu: a renderer that hangs or fails takes the card with it, until the driver resets it, and
 * nothing else; with a stand-in for virglrenderer, which is found first.
 */
#include <dlfcn.h>
#include <errno.h>

#include "bed_3d.h"
#include "virgl_stand_in.h"

#define UNSPEC VIRTIO_GPU_RESP_ERR_UNSPEC

static struct stand_in *does;

static void use_stand_in(void)
{
	void *library = dlopen(STAND_IN, RTLD_NOW | RTLD_LOCAL);

	TK_TRUE(library != NULL);
	does = dlsym(library, "stand_in_does");
	TK_TRUE(does != NULL);
}

static void hang(int yes)
{
	(void)pthread_mutex_lock(&does->lock);
	does->hang = yes;
	(void)pthread_cond_broadcast(&does->changed);
	(void)pthread_mutex_unlock(&does->lock);
}

static struct tk_dev *with_context(void)
{
	struct tk_dev *d;

	use_stand_in();
	d = tk_device("gpu", "renderer = \"virgl\"; timeout = 1;");
	TK_EQ(bed_context(d, 1, 0), OK);
	return d;
}

/* Without waiting for the answer. */
static struct tk_buf *submit(struct tk_dev *d, uint32_t flags)
{
	const struct virtio_gpu_cmd_submit in = {
		{ .type = VIRTIO_GPU_CMD_SUBMIT_3D, .flags = flags, .ctx_id = 1 }, 0, 0
	};
	struct tk_buf *b = tk_request(d, 0, &in, sizeof(in), 24);

	tk_kick(d, 0);
	tk_run_until_idle(d);
	return b;
}

static void wait_for(struct tk_dev *d, struct tk_buf *b)
{
	for (int n = 0; n < 100 && tk_used_len(b) < 0; n++) {
		(void)tk_wait(100);
		tk_run_until_idle(d);
	}
	TK_EQ(tk_used_len(b), 24);
	tk_free(b);
}

static int needs_reset(struct tk_dev *d)
{
	return (tk_status(d) & TK_S_NEEDS_RESET) != 0;
}

/* ---- hangs ---- */

TK_TEST(waits_as_long_as_it_may)
{
	struct tk_dev *d = with_context();
	struct tk_buf *b;

	hang(1);
	b = submit(d, 0);
	tk_advance_ms(900);
	TK_TRUE(!needs_reset(d) && tk_used_len(b) < 0);
	hang(0);
	wait_for(d, b);
	tk_advance_ms(5000);
	TK_TRUE(!needs_reset(d));
}

TK_TEST(resets_the_card_when_it_hangs)
{
	struct tk_dev *d = with_context();

	hang(1);
	(void)submit(d, 0);
	tk_advance_ms(1000);
	TK_TRUE(needs_reset(d));
	TK_TRUE(tk_log_has("longer than \"timeout\" says"));
	hang(0); /* before the driver resets it: all is well again */
	TK_EQ(tk_driver(d, ~0ull, 0), 0);
	TK_EQ(bed_context(d, 1, 0), OK);
	wait_for(d, submit(d, VIRTIO_GPU_FLAG_FENCE));
}

TK_TEST(goes_on_without_one_that_hangs_on)
{
	const struct virtio_gpu_resource_create_3d texture = bed_texture(3, 16, 16);
	struct tk_dev *d = with_context();

	TK_EQ(BED_DO(d, texture), OK);
	TK_EQ(bed_attach_one(d, 3, tk_alloc(1024, 4), 1024), OK);
	TK_EQ(bed_scanout(d, 0, 3, bed_rect(0, 0, 16, 16)), OK);
	hang(1);
	(void)submit(d, VIRTIO_GPU_FLAG_FENCE);
	tk_advance_ms(1000);
	TK_TRUE(needs_reset(d));
	TK_EQ(tk_driver(d, ~0ull, 0), 0);
	TK_EQ(bed_context(d, 1, 0), UNSPEC);
	TK_EQ(BED_DO(d, texture), UNSPEC);
	TK_EQ(bed_create_2d(d, 3, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 8, 8), OK);
	TK_EQ(bed_scanout(d, 0, 3, bed_rect(0, 0, 8, 8)), OK);
	TK_EQ(bed_flush(d, 3, bed_rect(0, 0, 8, 8)), OK);
	TK_EQ(tk_driver(d, ~0ull, 0), 0);
	hang(0);
}

TK_TEST(does_not_rest_while_it_hangs)
{
	struct tk_dev *d = with_context();

	hang(1);
	(void)submit(d, 0);
	TK_EQ(tk_quiesce(d), -ETIMEDOUT);
	TK_HAS_TEXT(tk_error(), "the renderer does not answer");
	hang(0);
}

/* ---- failures ---- */

TK_TEST(resets_the_card_when_fences_fail)
{
	struct tk_dev *d = with_context();

	does->fences_fail = 1;
	(void)submit(d, VIRTIO_GPU_FLAG_FENCE);
	for (int n = 0; n < 100 && !needs_reset(d); n++) {
		(void)tk_wait(100);
		tk_run_until_idle(d);
	}
	TK_TRUE(needs_reset(d));
	does->fences_fail = 0;
	TK_EQ(tk_driver(d, ~0ull, 0), 0);
	TK_EQ(bed_context(d, 1, 0), OK);
	wait_for(d, submit(d, VIRTIO_GPU_FLAG_FENCE));
}

TK_TEST(resets_the_card_when_fences_never_pass)
{
	struct tk_dev *d = with_context();
	struct tk_buf *b;

	does->no_fences = 1;
	b = submit(d, VIRTIO_GPU_FLAG_FENCE);
	for (int n = 0; n < 10; n++) {
		(void)tk_wait(20);
		tk_run_until_idle(d);
	}
	TK_TRUE(tk_used_len(b) < 0);
	tk_advance_ms(1000);
	TK_TRUE(needs_reset(d));
	TK_EQ(tk_driver(d, ~0ull, 0), 0);
}

TK_TEST(does_without_egl)
{
	struct tk_dev *d;

	use_stand_in();
	does->no_egl = 1;
	d = tk_device("gpu", "");
	TK_EQ(tk_features(d) & 1, 0);
	TK_TRUE(tk_log_has("without 3D: virglrenderer finds no EGL that works"));
	TK_EQ(bed_create_2d(d, 3, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 8, 8), OK);
	TK_EQ(bed_context(d, 1, 0), UNSPEC);
	tk_destroy(d);
	d = tk_create("gpu", "renderer = \"virgl\";");
	TK_EQ(tk_attach(d), -ENODEV);
	TK_HAS_TEXT(tk_error(), "there is no renderer \"virgl\": virglrenderer finds no EGL");
}

/* ---- what only others' renderers have ---- */

TK_TEST(maps_what_the_renderer_shares)
{
	struct tk_dev *d = with_context();
	const struct virtio_gpu_resource_create_blob in = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB, .ctx_id = 1 }, 5,
		VIRTIO_GPU_BLOB_MEM_HOST3D, VIRTIO_GPU_BLOB_FLAG_USE_MAPPABLE, 0, 77, 4096
	};
	const struct virtio_gpu_resource_map_blob map = {
		{ .type = VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB }, 5, 0, 4096
	};
	struct virtio_gpu_resp_map_info out;
	uint64_t size;

	TK_EQ(BED_DO(d, in), OK);
	TK_EQ(bed_ask(d, &map, sizeof(map), &out, sizeof(out)), VIRTIO_GPU_RESP_OK_MAP_INFO);
	TK_MEM_EQ((uint8_t *)tk_shm(d, 1, &size) + 4096, "blob", 4);
	TK_EQ(bed_unref(d, 5), OK);
	TK_EQ(*((uint8_t *)tk_shm(d, 1, &size) + 4096), 0);
}

TK_TEST(survives_a_hostile_driver)
{
	use_stand_in();
	TK_TRUE(tk_hostile_run(tk_started("gpu", "renderer = \"virgl\";")) > 100);
}

TK_TEST(survives_failures_of_the_host)
{
	use_stand_in();
	TK_TRUE(tk_fault_sweep("gpu", "renderer = \"virgl\";") > 0);
	TK_TRUE(tk_fault_sweep("gpu", "") > 0);
}

TK_MAIN()
