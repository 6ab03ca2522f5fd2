/* SPDX-License-Identifier: Apache-2.0 */
/* screenshot: the file against the pixels, in every format; dark screens, full disks, the end. */
#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tenon/display.h>
#include <tenon/testkit.h>

#define WIDTH  37u
#define HEIGHT 11u
#define STRIDE (WIDTH * 4 + 12) /* lines have a gap */

static char folder[] = "/tmp/tenon-screenshot-XXXXXX", path[64], settings[128];
static unsigned char pixels[STRIDE * HEIGHT];

static void remove_folder(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

static void begin(void)
{
	TK_TRUE(mkdtemp(folder) != NULL);
	(void)atexit(remove_folder);
	(void)snprintf(path, sizeof(path), "%s/screen.png", folder);
	(void)snprintf(settings, sizeof(settings), "path = \"%s\";", path);
}

/* Red, green and blue of a pixel: no two are the same. */
static void colour(uint32_t x, uint32_t y, unsigned char rgb[3])
{
	rgb[0] = (unsigned char)(x * 6);
	rgb[1] = (unsigned char)(y * 20 + 3);
	rgb[2] = (unsigned char)(x + y + 130);
}

/* @at: where red, green and blue are in a pixel's four bytes. */
static struct tenon_surface draw(uint32_t format, const char *at)
{
	const struct tenon_surface s = { .struct_size = sizeof(s),
		.width = WIDTH,
		.height = HEIGHT,
		.stride = STRIDE,
		.format = format,
		.fd = -1,
		.pixels = pixels };

	memset(pixels, 0xee, sizeof(pixels));
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			unsigned char rgb[3];

			colour(x, y, rgb);
			for (unsigned i = 0; i < 3; i++)
				pixels[y * STRIDE + x * 4 + (unsigned)(at[i] - '0')] = rgb[i];
		}
	return s;
}

/* The file is that picture; 0 = there is none. */
static int shows_it(void)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	unsigned char got[WIDTH * HEIGHT * 3], rgb[3];

	if (access(path, F_OK) < 0)
		return 0;
	TK_TRUE(png_image_begin_read_from_file(&image, path) != 0);
	TK_EQ(image.width, WIDTH);
	TK_EQ(image.height, HEIGHT);
	TK_TRUE((image.format & PNG_FORMAT_FLAG_ALPHA) == 0);
	image.format = PNG_FORMAT_RGB;
	TK_TRUE(png_image_finish_read(&image, NULL, got, 0, NULL) != 0);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
		colour(i % WIDTH, i / WIDTH, rgb);
		TK_MEM_EQ(got + (size_t)i * 3, rgb, 3);
	}
	return 1;
}

static void take(struct tk_dev *d)
{
	tk_want_picture();
	tk_run_until_idle(d);
}

TK_TEST(takes_a_picture_of_every_format)
{
	static const struct {
		uint32_t format;
		const char *at;
	} formats[] = {
		{ TENON_FORMAT_XRGB8888, "210" },
		{ TENON_FORMAT_ARGB8888, "210" },
		{ TENON_FORMAT_XBGR8888, "012" },
		{ TENON_FORMAT_ABGR8888, "012" },
		{ TENON_FORMAT_RGBX8888, "321" },
		{ TENON_FORMAT_RGBA8888, "321" },
		{ TENON_FORMAT_BGRX8888, "123" },
		{ TENON_FORMAT_BGRA8888, "123" },
	};
	struct tk_dev *d;

	begin();
	d = tk_started("screenshot", settings);
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct tenon_surface s = draw(formats[i].format, formats[i].at);

		(void)unlink(path);
		tk_show(&s);
		take(d);
		TK_TRUE(shows_it());
	}
	TK_TRUE(tk_log_has("is written"));
}

TK_TEST(a_dark_screen_leaves_the_file_as_it_was)
{
	const struct tenon_surface s = draw(TENON_FORMAT_XRGB8888, "210");
	struct tk_dev *d;

	begin();
	d = tk_started("screenshot", settings);
	take(d);
	TK_TRUE(tk_log_has("screen 0 is dark: there is no picture"));
	TK_EQ(shows_it(), 0);
	tk_show(&s);
	take(d);
	tk_show(NULL);
	take(d);
	TK_TRUE(shows_it());
}

TK_TEST(asked_twice_it_takes_the_later_picture_too)
{
	struct tenon_surface s = draw(TENON_FORMAT_XRGB8888, "210");
	struct tk_dev *d;

	begin();
	d = tk_started("screenshot", settings);
	memset(pixels, 0, sizeof(pixels));
	tk_show(&s);
	tk_want_picture();
	(void)tk_step(); /* the first is under way */
	s = draw(TENON_FORMAT_XRGB8888, "210");
	tk_want_picture();
	tk_want_picture();
	tk_run_until_idle(d);
	TK_TRUE(shows_it());
}

TK_TEST(a_file_that_cannot_be_written_is_said)
{
	const struct tenon_surface s = draw(TENON_FORMAT_XRGB8888, "210");
	char nowhere[128];
	struct tk_dev *d;

	begin();
	(void)snprintf(nowhere, sizeof(nowhere), "path = \"%s/no/screen.png\";", folder);
	d = tk_started("screenshot", nowhere);
	tk_show(&s);
	take(d);
	TK_TRUE(tk_log_has("cannot write the picture"));
	TK_TRUE(tk_log_has("No such file or directory"));
}

TK_TEST(a_failed_write_leaves_the_old_picture_whole)
{
	const struct tenon_surface s = draw(TENON_FORMAT_XRGB8888, "210");
	char part[80];
	struct tk_dev *d;

	begin();
	d = tk_started("screenshot", settings);
	tk_show(&s);
	take(d);
	TK_TRUE(shows_it());
	(void)snprintf(part, sizeof(part), "%s.part", path);
	TK_EQ(mkdir(part, 0700), 0); /* where the new one would grow */
	memset(pixels, 0, sizeof(pixels));
	take(d);
	TK_TRUE(tk_log_has("cannot write the picture"));
	TK_EQ(rmdir(part), 0);
	TK_TRUE(shows_it());
	take(d); /* and then it works again */
	TK_EQ(access(part, F_OK), -1);
}

TK_TEST(what_a_crash_left_is_not_followed)
{
	const struct tenon_surface s = draw(TENON_FORMAT_XRGB8888, "210");
	char part[80], other[80];
	struct tk_dev *d;
	int fd;

	begin();
	(void)snprintf(part, sizeof(part), "%s.part", path);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	fd = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	TK_TRUE(fd >= 0 && write(fd, "x", 1) == 1);
	TK_EQ(symlink(other, part), 0);
	d = tk_started("screenshot", settings);
	tk_show(&s);
	take(d);
	TK_TRUE(shows_it());
	TK_EQ(lseek(fd, 0, SEEK_END), 1);
	(void)close(fd);
	TK_EQ(unlink(other), 0);
}

TK_TEST(takes_the_last_picture_at_the_end)
{
	const struct tenon_surface s = draw(TENON_FORMAT_XRGB8888, "210");
	char more[160];
	struct tk_dev *d;

	begin();
	(void)snprintf(more, sizeof(more), "%s at_exit = true;", settings);
	d = tk_started("screenshot", more);
	tk_show(&s);
	TK_EQ(tk_quiesce(d), 0);
	tk_show(NULL); /* who draws is gone before */
	tk_destroy(d);
	TK_TRUE(shows_it());
}

TK_TEST(takes_none_at_the_end_unasked)
{
	const struct tenon_surface s = draw(TENON_FORMAT_XRGB8888, "210");
	struct tk_dev *d;

	begin();
	d = tk_started("screenshot", settings);
	tk_show(&s);
	TK_EQ(tk_quiesce(d), 0);
	TK_EQ(tk_resume(d), 0);
	TK_EQ(tk_quiesce(d), 0);
	tk_destroy(d);
	TK_EQ(shows_it(), 0);
}

TK_TEST(a_screen_that_is_not_there_is_said)
{
	begin();
	(void)strncat(settings, " screen = 7;", sizeof(settings) - strlen(settings) - 1);
	(void)tk_started("screenshot", settings);
	TK_TRUE(tk_log_has("there is no screen 7"));
}

TK_TEST(every_failure_unwinds)
{
	begin();
	(void)strncat(settings, " at_exit = true;", sizeof(settings) - strlen(settings) - 1);
	TK_TRUE(tk_fault_sweep("screenshot", settings) > 0);
}

TK_MAIN()
