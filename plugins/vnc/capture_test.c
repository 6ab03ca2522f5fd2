/* SPDX-License-Identifier: Apache-2.0 */
/* vnc-capture against the plugin: the picture that it writes, what it types. */
#include <linux/input-event-codes.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"

static char picture[96], command[400];

static int capture(const char *environment, const char *text)
{
	(void)snprintf(picture, sizeof(picture), "%s.png", vnc_folder);
	(void)snprintf(command, sizeof(command), "%s %s %s %s %s >/dev/null 2>&1", environment,
		VNC_CAPTURE, vnc_socket, picture, text);
	return system(command); /* NOLINT(cert-env33-c): of nothing that comes from elsewhere */
}

TK_TEST(writes_the_picture)
{
	static unsigned char bytes[HEIGHT][WIDTH][3];
	png_image image = { .version = PNG_IMAGE_VERSION };
	struct tk_dev *d = vnc_device("password = \"sesame\";");

	TK_TRUE(capture("VNC_PASSWORD=simsim", "") != 0);
	TK_EQ(capture("VNC_PASSWORD=sesame", ""), 0);
	TK_TRUE(png_image_begin_read_from_file(&image, picture));
	TK_EQ(image.width, WIDTH);
	TK_EQ(image.height, HEIGHT);
	image.format = PNG_FORMAT_RGB;
	TK_TRUE(png_image_finish_read(&image, NULL, bytes, 0, NULL));
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			const unsigned char *p = bytes[y][x];

			TK_EQ((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], vnc_rgb(x, y));
		}
	TK_EQ(unlink(picture), 0);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(types_what_it_is_told)
{
	static const struct {
		unsigned code;
		int value;
	} wanted[] = { { KEY_A, 1 }, { KEY_A, 0 }, { KEY_LEFTSHIFT, 1 }, { KEY_B, 1 }, { KEY_B, 0 },
		{ KEY_LEFTSHIFT, 0 }, { KEY_ENTER, 1 }, { KEY_ENTER, 0 } };
	struct tenon_input_event events[16];
	struct tk_dev *d = vnc_device("");

	TK_EQ(capture("", "'aB\\n'"), 0);
	TK_EQ(tk_input_events(events, 16), 8);
	for (unsigned i = 0; i < 8; i++) {
		TK_EQ(events[i].code, wanted[i].code);
		TK_EQ(events[i].value, wanted[i].value);
	}
	TK_EQ(unlink(picture), 0);
	tk_destroy(d);
	vnc_clean_up();
}

TK_MAIN()
