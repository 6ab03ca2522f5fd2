/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look: a viewer for tests.  Asked for a picture (SIGUSR1), it writes what is on the first screen
 * into a file, and then asks for another size.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tenon/tenon.h>

#include "picture.h"

struct look {
	const char *path;
	char part[4096]; /* the file until it is whole */
	uint32_t width, height;
	struct picture_head head;
};

static const struct tenon_host *host;
static const struct tenon_display *display;

static void look_cursor(struct tenon_dev *dev, uint32_t screen, int32_t x, int32_t y,
	uint32_t visible, const struct tenon_cursor *image)
{
	struct look *l = host->priv(dev);

	if (screen != 0)
		return;
	l->head.cursor_x = x;
	l->head.cursor_y = y;
	l->head.cursor_visible = visible;
	if (image)
		l->head.cursor_argb = image->pixels[0];
}

static int write_picture(const struct look *l, const struct tenon_surface *s)
{
	const int fd = open(l->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int good = fd >= 0 && write(fd, &l->head, sizeof(l->head)) == (ssize_t)sizeof(l->head);

	for (uint32_t y = 0; good && y < s->height; y++)
		good = write(fd, (const char *)s->pixels + (size_t)y * s->stride,
			       s->width * 4ull) == (ssize_t)(s->width * 4ull);
	return fd >= 0 && close(fd) == 0 && good && rename(l->part, l->path) == 0 ? 0 : -1;
}

static void look_picture(struct tenon_dev *dev)
{
	struct look *l = host->priv(dev);
	struct tenon_surface s = { .struct_size = sizeof(s) };

	if (display->lock(dev, 0, &s) < 0) {
		host->log(dev, TENON_LOG_ERR, "the screen is dark");
		return;
	}
	l->head.width = s.width;
	l->head.height = s.height;
	l->head.format = s.format;
	if (write_picture(l, &s) < 0)
		host->log(dev, TENON_LOG_ERR, "cannot write the picture");
	display->unlock(dev, 0);
	(void)display->resize(dev, 0, l->width, l->height);
}

static const struct tenon_viewer_ops viewer_ops = {
	.struct_size = sizeof(viewer_ops),
	.cursor = look_cursor,
	.picture = look_picture,
};

static int look_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct look *l = host->priv(dev);

	l->path = host->conf_str(config, "path", 0);
	l->width = (uint32_t)host->conf_int(config, "width");
	l->height = (uint32_t)host->conf_int(config, "height");
	(void)snprintf(l->part, sizeof(l->part), "%s.part", l->path);
	return 0;
}

static int look_attach(struct tenon_dev *dev)
{
	return display->view(dev, NULL, &viewer_ops);
}

static const char *look_path(struct tenon_dev *dev, uint32_t index, uint32_t *ret_access)
{
	struct look *l = host->priv(dev);

	*ret_access = TENON_PATH_WRITE | TENON_PATH_CREATE | TENON_PATH_REMOVE;
	return index == 0 ? l->part : NULL;
}

static const struct tenon_key look_keys[] = {
	{ "path", TENON_KEY_PATH, TENON_KEY_REQUIRED | TENON_KEY_CREATES, NULL, NULL, "the file" },
	{ "width", TENON_KEY_INT, 0, "800", "1..16384", "wished afterwards" },
	{ "height", TENON_KEY_INT, 0, "600", "1..16384", "wished afterwards" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class look_class = {
	.struct_size = sizeof(look_class),
	.name = "look",
	.summary = "writes what is on the screen into a file",
	.keys = look_keys,
	.priv_size = sizeof(struct look),
	.create = look_create,
	.attach = look_attach,
	.needs = TENON_NEEDS_FILES,
	.path = look_path,
};

static int look_init(const struct tenon_host *h)
{
	host = h;
	return TENON_FIND(h, display, TENON_SVC_DISPLAY, resize);
}

TENON_PLUGIN_CLASS("org.tenon.test.look", "0.1.0", "Apache-2.0", look_init, look_class, "look");
