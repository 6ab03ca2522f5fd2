/* SPDX-License-Identifier: Apache-2.0 */
/* A picture in memory, and in a file. */
#ifndef PLUGINS_PICTURE_H
#define PLUGINS_PICTURE_H

#include <stdbool.h>

#include <tenon/tenon.h>

struct picture {
	uint32_t width, height;
	uint32_t *pixels; /* XRGB8888; NULL = none */
};

/* What the screen shows now.  -ENODATA when it is dark, -ENOMEM. */
int picture_take(const struct tenon_display *display, struct tenon_dev *dev, uint32_t screen,
	struct picture *ret_picture);
/* Puts it where @path says, as PNG, in the place of what was there, whole or not at all; 0 or
 * -errno.  The pixels are lost.  [work] */
int picture_write(struct picture *picture, const char *path);
void picture_free(struct picture *picture);

#endif
