/* SPDX-License-Identifier: Apache-2.0 */
/* From a screen into a file. */
#include "picture.h"

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int picture_take(const struct tenon_display *display, struct tenon_dev *dev, uint32_t screen,
	struct picture *ret_picture)
{
	struct tenon_surface s;
	struct tenon_rect all;
	uint32_t *pixels;
	int ret = display->lock(dev, screen, &s);

	if (ret < 0)
		return ret;
	all = (struct tenon_rect){ 0, 0, s.width, s.height };
	pixels = calloc((size_t)s.width * s.height, sizeof(*pixels));
	if (pixels)
		tenon_surface_copy(&s, &all, pixels, s.width);
	display->unlock(dev, screen);
	if (!pixels)
		return -ENOMEM;
	*ret_picture = (struct picture){ s.width, s.height, pixels };
	return 0;
}

/* Three bytes a pixel, in the same memory. */
static void pack(struct picture *p)
{
	unsigned char *to = (unsigned char *)p->pixels;
	const size_t n = (size_t)p->width * p->height;

	for (size_t i = 0; i < n; i++) {
		uint32_t rgb = p->pixels[i];

		*to++ = (unsigned char)(rgb >> 16);
		*to++ = (unsigned char)(rgb >> 8);
		*to++ = (unsigned char)rgb;
	}
}

static int encode(struct picture *p, FILE *file)
{
	png_image image = { .version = PNG_IMAGE_VERSION,
		.width = p->width,
		.height = p->height,
		.format = PNG_FORMAT_RGB };

	pack(p);
	errno = 0;
	if (!png_image_write_to_stdio(&image, file, 0, p->pixels, 0, NULL))
		return errno ? -errno : -EIO;
	return 0;
}

/* What is left of an earlier one, after a crash, is in the way. */
static FILE *create(const char *path)
{
	FILE *file = NULL;
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd >= 0)
		file = fdopen(fd, "wb");
	if (fd >= 0 && !file)
		(void)close(fd);
	return file;
}

int picture_write(struct picture *p, const char *path)
{
	char *part;
	FILE *file;
	int ret;

	if (asprintf(&part, "%s.part", path) < 0)
		return -ENOMEM;
	file = create(part);
	if (!file) {
		ret = -errno;
		free(part);
		return ret;
	}
	ret = encode(p, file);
	if (fclose(file) != 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(part, path) < 0)
		ret = -errno;
	if (ret < 0)
		(void)unlink(part);
	free(part);
	return ret;
}

void picture_free(struct picture *p)
{
	free(p->pixels);
	*p = (struct picture){ 0 };
}
