/* SPDX-License-Identifier: Apache-2.0 */
/* gpu: where there is no virglrenderer the card does without, and says what is missing. */
#include <errno.h>

#include "gpu_bed.h"

TK_TEST(does_without)
{
	struct tk_dev *d = tk_device("gpu", "");

	TK_EQ(tk_features(d) & 0x1f, 0xe);
	TK_EQ(tk_config(d, 12, 4), 0);
	TK_TRUE(tk_log_has("without 3D: ") && tk_log_has("libvirglrenderer.so.1"));
	TK_EQ(tk_log_count(TENON_LOG_WARN) + tk_log_count(TENON_LOG_ERR), 0);
	TK_EQ(bed_create_2d(d, 3, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 8, 8), OK);
	TK_EQ(bed_scanout(d, 0, 3, bed_rect(0, 0, 8, 8)), OK);
	TK_EQ(bed_pixel(d, 0, 7, 7), 0);
}

TK_TEST(says_so_where_it_must_be)
{
	struct tk_dev *d = tk_create("gpu", "renderer = \"virgl\";");

	TK_EQ(tk_attach(d), -ENOENT);
	TK_HAS_TEXT(tk_error(), "there is no renderer \"virgl\": ");
	TK_HAS_TEXT(tk_error(), "libvirglrenderer.so.1");
}

TK_MAIN()
