/* SPDX-License-Identifier: Apache-2.0 */
/* screenshot: what the PNG files have in them, when they are written and when not. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tenon/display.h>
#include <tenon/testkit.h>

#define WIDTH  5u
#define HEIGHT 3u
#define STRIDE 24u /* one pixel more than is seen */

static char folder[64], path[80], settings[160];

static void prepare(const char *more)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/tenon-screenshot-XXXXXX");
	TK_TRUE(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/screen.png", folder);
	(void)snprintf(settings, sizeof(settings), "path = \"%s\"; %s", path, more);
}

/* Nothing else was left in the folder. */
static void clean_up(void)
{
	(void)unlink(path);
	TK_EQ(rmdir(folder), 0);
}

/* ---- what is shown ---- */

static uint32_t lines[HEIGHT][STRIDE / 4];

/* Red, green and blue of every pixel differ, and so do the pixels. */
static uint32_t rgb_at(uint32_t x, uint32_t y)
{
	return (0x10 + x) << 16 | (0x40 + y) << 8 | (0x80 + 16 * y + x);
}

static void show(uint32_t format, unsigned red, unsigned green, unsigned blue, uint32_t rest)
{
	const struct tenon_surface s = { .struct_size = sizeof(s),
		.width = WIDTH,
		.height = HEIGHT,
		.stride = STRIDE,
		.format = format,
		.fd = -1,
		.pixels = lines };

	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			const uint32_t rgb = rgb_at(x, y);

			lines[y][x] = (rgb >> 16 & 0xff) << red | (rgb >> 8 & 0xff) << green |
				      (rgb & 0xff) << blue | rest;
		}
	tk_show(&s);
}

static void show_plain(void)
{
	show(TENON_FORMAT_XRGB8888, 16, 8, 0, 0x55000000);
}

/* ---- what is in the file ---- */

static int is_written(void)
{
	return access(path, F_OK) == 0;
}

static void check_file(void)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	unsigned char bytes[HEIGHT][WIDTH][3];

	TK_TRUE(png_image_begin_read_from_file(&image, path));
	TK_EQ(image.width, WIDTH);
	TK_EQ(image.height, HEIGHT);
	TK_EQ(image.format, PNG_FORMAT_RGB);
	TK_TRUE(png_image_finish_read(&image, NULL, bytes, 0, NULL));
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			const unsigned char *p = bytes[y][x];

			TK_EQ((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], rgb_at(x, y));
		}
}

static void take(struct tk_dev *d)
{
	tk_want_picture();
	tk_run_until_idle(d);
}

/* ---- tests ---- */

TK_TEST(writes_what_is_shown)
{
	struct tk_dev *d;

	prepare("");
	show_plain();
	d = tk_started("screenshot", settings);
	tk_run_until_idle(d);
	TK_TRUE(!is_written()); /* nobody has asked */
	take(d);
	check_file();
	TK_EQ(tk_log_count(TENON_LOG_WARN), 0);
	clean_up();
}

TK_TEST(knows_all_formats)
{
	static const struct {
		uint32_t format, rest;
		unsigned red, green, blue;
	} formats[] = {
		{ TENON_FORMAT_XRGB8888, 0xff000000, 16, 8, 0 },
		{ TENON_FORMAT_ARGB8888, 0x01000000, 16, 8, 0 },
		{ TENON_FORMAT_XBGR8888, 0xff000000, 0, 8, 16 },
		{ TENON_FORMAT_ABGR8888, 0x01000000, 0, 8, 16 },
		{ TENON_FORMAT_RGBX8888, 0x000000ff, 24, 16, 8 },
		{ TENON_FORMAT_RGBA8888, 0x00000001, 24, 16, 8 },
		{ TENON_FORMAT_BGRX8888, 0x000000ff, 8, 16, 24 },
		{ TENON_FORMAT_BGRA8888, 0x00000001, 8, 16, 24 },
	};
	struct tk_dev *d;

	prepare("");
	show_plain();
	d = tk_started("screenshot", settings);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		show(formats[i].format, formats[i].red, formats[i].green, formats[i].blue,
			formats[i].rest);
		(void)unlink(path);
		take(d);
		check_file();
	}
	clean_up();
}

TK_TEST(replaces_the_file_as_a_whole)
{
	struct stat before, after;
	char part[96];
	FILE *f;

	prepare("");
	(void)snprintf(part, sizeof(part), "%s.part", path);
	TK_TRUE((f = fopen(part, "w")) && fclose(f) == 0); /* a crash has left it */
	TK_TRUE((f = fopen(path, "w")) && fclose(f) == 0);
	TK_EQ(stat(path, &before), 0);
	show_plain();
	take(tk_started("screenshot", settings));
	TK_EQ(stat(path, &after), 0);
	TK_TRUE(before.st_ino != after.st_ino);
	check_file();
	clean_up();
}

TK_TEST(says_that_a_screen_is_dark)
{
	struct tk_dev *d;

	prepare("");
	tk_show(NULL);
	d = tk_started("screenshot", settings);
	take(d);
	TK_TRUE(tk_log_has("screen 0 is dark: there is no picture"));
	TK_TRUE(!is_written());
	show_plain();
	take(d); /* and goes on */
	check_file();
	clean_up();
}

TK_TEST(says_that_there_is_no_such_screen)
{
	prepare("screen = 1;");
	show_plain();
	take(tk_started("screenshot", settings));
	TK_TRUE(tk_log_has("there is no screen 1, only 1:"));
	TK_TRUE(!is_written());
	clean_up();
}

TK_TEST(says_why_it_cannot_write)
{
	prepare("");
	show_plain();
	TK_EQ(mkdir(path, 0700), 0);
	take(tk_started("screenshot", settings));
	TK_TRUE(tk_log_has("cannot write the picture"));
	TK_TRUE(tk_log_has("directory"));
	TK_EQ(rmdir(path), 0);
	clean_up(); /* nothing half-done is left */
}

TK_TEST(takes_another_one_that_was_asked_for_meanwhile)
{
	struct tk_dev *d;

	prepare("");
	show_plain();
	d = tk_started("screenshot", settings);
	for (uint32_t y = 0; y < HEIGHT; y++)
		memset(lines[y], 0, STRIDE);
	tk_want_picture();
	TK_TRUE(tk_step()); /* copied, and on its way */
	tk_want_picture();
	show_plain();
	tk_run_until_idle(d);
	check_file();
	clean_up();
}

TK_TEST(takes_the_last_picture_when_the_machine_stands_still)
{
	struct tk_dev *d;

	prepare("at_exit = true;");
	show_plain();
	d = tk_started("screenshot", settings);
	TK_EQ(tk_quiesce(d), 0);
	tk_show(NULL);
	TK_TRUE(!is_written());
	tk_detach(d);
	check_file();
	clean_up();
}

TK_TEST(takes_none_when_the_machine_only_paused)
{
	struct tk_dev *d;

	prepare("at_exit = true;");
	show_plain();
	d = tk_started("screenshot", settings);
	TK_EQ(tk_quiesce(d), 0);
	TK_EQ(tk_resume(d), 0);
	tk_show(NULL);
	TK_EQ(tk_quiesce(d), 0);
	tk_detach(d);
	TK_TRUE(!is_written());
	TK_TRUE(tk_log_has("is dark"));
	clean_up();
}

TK_TEST(takes_none_at_the_end_without_being_told)
{
	struct tk_dev *d;

	prepare("");
	show_plain();
	d = tk_started("screenshot", settings);
	TK_EQ(tk_quiesce(d), 0);
	tk_detach(d);
	TK_TRUE(!is_written());
	clean_up();
}

TK_TEST(survives_every_failing_call)
{
	prepare("at_exit = true;");
	show_plain();
	TK_TRUE(tk_fault_sweep("screenshot", settings) > 3);
	clean_up();
}

TK_MAIN()
