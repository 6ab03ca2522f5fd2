/* SPDX-License-Identifier: Apache-2.0 */
/* tenon.display/1: each device's door to the VM's screens. */
#include <errno.h>

#include "core/config.h"
#include "core/device.h"
#include "core/error.h"
#include "core/services.h"
#include "sdk/display/display_hub.h"

static void tell(struct tenon_dev *dev, void *arg)
{
	(void)dev;
	display_member_tell(arg);
}

static void env_post(struct tenon_dev *dev, void *room, struct display_member *member)
{
	events_post_lent(dev, room, tell, member);
}

static void env_drop(struct tenon_dev *dev, struct display_member *member)
{
	events_drop_post(dev, tell, member);
}

static const char *env_name(const struct tenon_dev *dev)
{
	return dev->config->name;
}

struct display_hub *displays_create(void)
{
	const struct display_hub_env env = { .post = env_post,
		.drop = env_drop,
		.post_size = sizeof(struct device_post),
		.name = env_name };

	return display_hub_create(&env);
}

int displays_connect(struct display_hub *hub, struct error *err)
{
	char place[PLACE_TEXT_MAX];
	struct tenon_dev *dev;
	const char *wanted;

	if (display_hub_connect(hub, &dev, &wanted) == 0)
		return 0;
	(void)place_text(&dev->config->place, place);
	if (wanted)
		return error_set(err, EXIT_USAGE, -ENOENT,
			"%s: %s: there is no device called \"%s\" that draws a screen", place,
			dev->config->name, wanted);
	return error_set(err, EXIT_USAGE, -ENOENT,
		"%s: %s: no device draws a screen; a device of the type \"gpu\" does", place,
		dev->config->name);
}

void displays_pause(struct tenon_dev *dev, bool paused)
{
	display_member_pause(dev->display, paused);
}

void displays_release(struct tenon_dev *dev)
{
	display_member_remove(dev->display);
	dev->display = NULL;
}

/* ---- the table ---- */

/* Screens and keys do not go to other processes. */
static int refuse(struct tenon_dev *dev)
{
	return device_refuse(dev, -ENOTSUP,
		"there is no machine here whose screens it could draw, show or take input from; "
		"only in the machine's own process there is");
}

static int svc_create(struct tenon_dev *dev, uint32_t n_screens, const struct tenon_drawer_ops *ops)
{
	if (!dev->env->displays)
		return refuse(dev);
	return display_create(dev->env->displays, dev, &dev->display, n_screens, ops);
}

static int svc_set_surface(
	struct tenon_dev *dev, uint32_t screen, const struct tenon_surface *surface)
{
	return display_set_surface(dev->display, screen, surface);
}

static void svc_damage(struct tenon_dev *dev, uint32_t screen, const struct tenon_rect *rect)
{
	display_damage(dev->display, screen, rect);
}

static int svc_set_cursor(struct tenon_dev *dev, uint32_t screen, const struct tenon_cursor *cursor)
{
	return display_set_cursor(dev->display, screen, cursor);
}

static void svc_move_cursor(
	struct tenon_dev *dev, uint32_t screen, int32_t x, int32_t y, uint32_t visible)
{
	display_move_cursor(dev->display, screen, x, y, visible);
}

static int svc_view(struct tenon_dev *dev, const char *drawer, const struct tenon_viewer_ops *ops)
{
	if (!dev->env->displays)
		return refuse(dev);
	return display_view(dev->env->displays, dev, &dev->display, drawer, ops);
}

static uint32_t svc_screens(struct tenon_dev *dev)
{
	return display_screens(dev->display);
}

static int svc_lock(struct tenon_dev *dev, uint32_t screen, struct tenon_surface *ret_surface)
{
	return display_lock(dev->display, screen, ret_surface);
}

static void svc_unlock(struct tenon_dev *dev, uint32_t screen)
{
	display_unlock(dev->display, screen);
}

static int svc_resize(struct tenon_dev *dev, uint32_t screen, uint32_t width, uint32_t height)
{
	return display_resize(dev->display, screen, width, height);
}

static int svc_input(
	struct tenon_dev *dev, uint32_t kind, const struct tenon_input_event *events, uint32_t n)
{
	return display_input(dev->display, kind, events, n);
}

static int svc_take_input(struct tenon_dev *dev, uint32_t kinds, const struct tenon_input_ops *ops)
{
	if (!dev->env->displays)
		return refuse(dev);
	return display_take_input(dev->env->displays, dev, &dev->display, kinds, ops);
}

static void svc_ready(struct tenon_dev *dev)
{
	display_ready(dev->display);
}

const struct tenon_display service_display = {
	.struct_size = sizeof(struct tenon_display),
	.create = svc_create,
	.set_surface = svc_set_surface,
	.damage = svc_damage,
	.set_cursor = svc_set_cursor,
	.move_cursor = svc_move_cursor,
	.view = svc_view,
	.screens = svc_screens,
	.lock = svc_lock,
	.unlock = svc_unlock,
	.resize = svc_resize,
	.input = svc_input,
	.take_input = svc_take_input,
	.ready = svc_ready,
};
