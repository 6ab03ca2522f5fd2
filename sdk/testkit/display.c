/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.display/1, with the kit in the parts that the device under test does not have: it looks at
 * what is drawn, draws for who looks, and takes what is typed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "sdk/display/display_hub.h"
#include "sdk/testkit/kit.h"

#define MAX_EVENTS 1024u

/* What the kit, as a viewer, has heard of one screen. */
struct seen {
	unsigned damages;
	struct tenon_rect damage;
	int32_t x, y;
	uint32_t visible, argb;
};

static struct {
	struct display_hub *hub;
	/* The kit's own parts, for which there are no devices. */
	struct tenon_dev *viewer_dev, *drawer_dev, *input_dev;
	struct display_member *viewer, *drawer, *taker;
	struct seen seen[TENON_DISPLAY_MAX_SCREENS];
	uint32_t width, height; /* that a viewer wants */
	struct tenon_input_event events[MAX_EVENTS];
	unsigned n_events;
} kd;

static struct tk_dev *drawing; /* whom the kit looks at */

/* ---- the hub ---- */

static bool is_own(const struct tenon_dev *dev)
{
	return dev == kd.viewer_dev || dev == kd.drawer_dev || dev == kd.input_dev;
}

static void tell(struct tenon_dev *dev, void *arg)
{
	(void)dev;
	display_member_tell(arg);
}

/* The kit's own parts hear at once, when they are asked about. */
static void env_post(struct tenon_dev *dev, void *room, struct display_member *member)
{
	(void)room;
	if (!is_own(dev))
		kit_post(&dev->d, tell, member);
}

static void env_drop(struct tenon_dev *dev, struct display_member *member)
{
	if (!is_own(dev))
		kit_drop_post(&dev->d, tell, member);
}

static const char *env_name(const struct tenon_dev *dev)
{
	return is_own(dev) ? "the test kit" : dev->d.cd->name;
}

static struct display_hub *hub(void)
{
	const struct display_hub_env env = {
		.post = env_post, .drop = env_drop, .post_size = 1, .name = env_name
	};

	if (!kd.hub) {
		kd.hub = display_hub_create(&env);
		kd.viewer_dev = kit_alloc(sizeof(struct tenon_dev));
		kd.drawer_dev = kit_alloc(sizeof(struct tenon_dev));
		kd.input_dev = kit_alloc(sizeof(struct tenon_dev));
	}
	if (!kd.hub)
		kit_fail("the test kit is out of memory");
	return kd.hub;
}

/* ---- the kit looks ---- */

static void saw_damage(
	struct tenon_dev *dev, uint32_t screen, const struct tenon_rect *rects, uint32_t n)
{
	struct seen *s = &kd.seen[screen];

	(void)dev;
	for (uint32_t i = 0; i < n; i++) {
		const struct tenon_rect *r = &rects[i];
		struct tenon_rect *d = &s->damage;
		uint32_t right = r->x + r->width, bottom = r->y + r->height;

		if (s->damages++ == 0) {
			*d = *r;
			continue;
		}
		right = d->x + d->width > right ? d->x + d->width : right;
		bottom = d->y + d->height > bottom ? d->y + d->height : bottom;
		d->x = d->x < r->x ? d->x : r->x;
		d->y = d->y < r->y ? d->y : r->y;
		d->width = right - d->x;
		d->height = bottom - d->y;
	}
}

static void saw_cursor(struct tenon_dev *dev, uint32_t screen, int32_t x, int32_t y,
	uint32_t visible, const struct tenon_cursor *image)
{
	struct seen *s = &kd.seen[screen];

	(void)dev;
	s->x = x;
	s->y = y;
	s->visible = visible;
	if (image)
		s->argb = image->pixels[image->hot_y % image->height * image->width +
					image->hot_x % image->width];
}

static const struct tenon_viewer_ops viewer_ops = {
	.struct_size = sizeof(viewer_ops),
	.damage = saw_damage,
	.cursor = saw_cursor,
};

static void look_at(struct tk_dev *d)
{
	struct tenon_dev *nobody;
	const char *wanted;

	if (drawing == d && kd.viewer) {
		display_member_tell(kd.viewer);
		return;
	}
	display_member_remove(kd.viewer);
	kd.viewer = NULL;
	memset(kd.seen, 0, sizeof(kd.seen));
	/* First the hub, which makes the kit's own devices. */
	if (!hub() ||
		display_view(kd.hub, kd.viewer_dev, &kd.viewer, d->cd->name, &viewer_ops) < 0 ||
		display_hub_connect(kd.hub, &nobody, &wanted) < 0)
		kit_fail("%s draws nothing", d->cd->name);
	drawing = d;
	display_member_pause(kd.viewer, false);
	display_member_tell(kd.viewer);
}

int tk_screen(struct tk_dev *d, unsigned screen, struct tenon_surface *ret_surface)
{
	int ret;

	look_at(d);
	ret = display_lock(kd.viewer, screen, ret_surface);
	if (ret == 0)
		display_unlock(kd.viewer, screen);
	return ret;
}

unsigned tk_screen_damage(struct tk_dev *d, unsigned screen, struct tenon_rect *ret_rect)
{
	unsigned n;

	look_at(d);
	if (screen >= TENON_DISPLAY_MAX_SCREENS)
		kit_fail("tk_screen_damage: there is no screen %u", screen);
	n = kd.seen[screen].damages;
	if (n > 0 && ret_rect)
		*ret_rect = kd.seen[screen].damage;
	kd.seen[screen].damages = 0;
	return n;
}

int tk_screen_cursor(
	struct tk_dev *d, unsigned screen, int32_t *ret_x, int32_t *ret_y, uint32_t *ret_argb)
{
	look_at(d);
	if (screen >= TENON_DISPLAY_MAX_SCREENS)
		kit_fail("tk_screen_cursor: there is no screen %u", screen);
	*ret_x = kd.seen[screen].x;
	*ret_y = kd.seen[screen].y;
	*ret_argb = kd.seen[screen].argb;
	return (int)kd.seen[screen].visible;
}

void tk_screen_resize(struct tk_dev *d, unsigned screen, uint32_t width, uint32_t height)
{
	look_at(d);
	if (display_resize(kd.viewer, screen, width, height) < 0)
		kit_fail("tk_screen_resize: screen %u cannot be %u by %u", screen, width, height);
}

/* ---- the kit draws ---- */

static void want_size(struct tenon_dev *dev, uint32_t screen, uint32_t width, uint32_t height)
{
	(void)dev;
	(void)screen;
	kd.width = width;
	kd.height = height;
}

static const struct tenon_drawer_ops drawer_ops = {
	.struct_size = sizeof(drawer_ops),
	.resize = want_size,
};

static struct display_member *drawer(void)
{
	if (!kd.drawer && hub() &&
		display_create(kd.hub, kd.drawer_dev, &kd.drawer, 1, &drawer_ops) < 0)
		kit_fail("the test kit is out of memory");
	display_member_pause(kd.drawer, false);
	return kd.drawer;
}

void tk_show(const struct tenon_surface *surface)
{
	if (display_set_surface(drawer(), 0, surface) < 0)
		kit_fail("tk_show: there is no such surface");
}

void tk_show_damage(const struct tenon_rect *rect)
{
	display_damage(drawer(), 0, rect);
}

void tk_show_cursor(int32_t x, int32_t y, int visible, uint32_t size, uint32_t argb)
{
	const size_t n = (size_t)size * size;
	uint32_t *pixels = kit_alloc((n ? n : 1) * sizeof(*pixels));
	const struct tenon_cursor cursor = {
		.struct_size = sizeof(cursor), .width = size, .height = size, .pixels = pixels
	};

	for (size_t i = 0; i < n; i++)
		pixels[i] = argb;
	if (size > 0 && display_set_cursor(drawer(), 0, &cursor) < 0)
		kit_fail("tk_show_cursor: there is no such cursor");
	display_move_cursor(drawer(), 0, x, y, visible);
	free(pixels);
}

int tk_wanted_size(uint32_t *ret_width, uint32_t *ret_height)
{
	display_member_tell(drawer());
	if (kd.width == 0)
		return -ENOENT;
	*ret_width = kd.width;
	*ret_height = kd.height;
	return 0;
}

void tk_want_picture(void)
{
	display_hub_picture(hub());
}

/* ---- the kit takes input ---- */

static int took(struct tenon_dev *dev, const struct tenon_input_event *events, uint32_t n)
{
	(void)dev;
	for (uint32_t i = 0; i < n && kd.n_events < MAX_EVENTS; i++)
		kd.events[kd.n_events++] = events[i];
	return 0;
}

static const struct tenon_input_ops input_ops = {
	.struct_size = sizeof(input_ops),
	.input = took,
};

unsigned tk_input_events(struct tenon_input_event *events, unsigned room)
{
	unsigned n;

	if (kd.taker)
		display_member_tell(kd.taker);
	n = kd.n_events;
	if (n > 0 && room > 0)
		memcpy(events, kd.events, (n < room ? n : room) * sizeof(*events));
	kd.n_events = 0;
	return n;
}

int tk_input(uint32_t kind, const struct tenon_input_event *events, unsigned n)
{
	return display_input(drawer(), kind, events, n);
}

/* ---- the service ---- */

void kit_display_pause(struct tk_dev *d, bool paused)
{
	struct tenon_dev *nobody;
	const char *wanted;

	if (!d->display)
		return;
	if (!paused)
		(void)display_hub_connect(hub(), &nobody, &wanted);
	display_member_pause(d->display, paused);
}

void kit_display_release(struct tk_dev *d)
{
	if (drawing == d) {
		display_member_remove(kd.viewer);
		kd.viewer = NULL;
		drawing = NULL;
	}
	display_member_remove(d->display);
	d->display = NULL;
}

static int svc_create(struct tenon_dev *dev, uint32_t n_screens, const struct tenon_drawer_ops *ops)
{
	if (kit_fails("tenon.display create", ROLE_MAIN))
		return -ENOMEM;
	return display_create(hub(), dev, &dev->d.display, n_screens, ops);
}

static int svc_set_surface(
	struct tenon_dev *dev, uint32_t screen, const struct tenon_surface *surface)
{
	kit_role("tenon.display set_surface", ROLE_ANY);
	return display_set_surface(dev->d.display, screen, surface);
}

static void svc_damage(struct tenon_dev *dev, uint32_t screen, const struct tenon_rect *rect)
{
	kit_role("tenon.display damage", ROLE_ANY);
	display_damage(dev->d.display, screen, rect);
}

static int svc_set_cursor(struct tenon_dev *dev, uint32_t screen, const struct tenon_cursor *cursor)
{
	if (kit_fails("tenon.display set_cursor", ROLE_ANY))
		return -ENOMEM;
	return display_set_cursor(dev->d.display, screen, cursor);
}

static void svc_move_cursor(
	struct tenon_dev *dev, uint32_t screen, int32_t x, int32_t y, uint32_t visible)
{
	kit_role("tenon.display move_cursor", ROLE_ANY);
	display_move_cursor(dev->d.display, screen, x, y, visible);
}

/* Whoever looks finds the kit's screen, and hands input to the kit. */
static int svc_view(struct tenon_dev *dev, const char *name, const struct tenon_viewer_ops *ops)
{
	if (kit_fails("tenon.display view", ROLE_MAIN))
		return -ENOMEM;
	(void)drawer();
	if (!kd.taker && hub() &&
		display_take_input(kd.hub, kd.input_dev, &kd.taker, UINT32_MAX, &input_ops) < 0)
		return -ENOMEM;
	display_member_pause(kd.taker, false);
	(void)name;
	return display_view(hub(), dev, &dev->d.display, NULL, ops);
}

static uint32_t svc_screens(struct tenon_dev *dev)
{
	kit_role("tenon.display screens", ROLE_ANY);
	return display_screens(dev->d.display);
}

static int svc_lock(struct tenon_dev *dev, uint32_t screen, struct tenon_surface *ret_surface)
{
	kit_role("tenon.display lock", ROLE_ANY);
	return display_lock(dev->d.display, screen, ret_surface);
}

static void svc_unlock(struct tenon_dev *dev, uint32_t screen)
{
	kit_role("tenon.display unlock", ROLE_ANY);
	display_unlock(dev->d.display, screen);
}

static int svc_resize(struct tenon_dev *dev, uint32_t screen, uint32_t width, uint32_t height)
{
	if (kit_fails("tenon.display resize", ROLE_ANY))
		return -EINVAL;
	return display_resize(dev->d.display, screen, width, height);
}

static int svc_input(
	struct tenon_dev *dev, uint32_t kind, const struct tenon_input_event *events, uint32_t n)
{
	if (kit_fails("tenon.display input", ROLE_ANY))
		return -EAGAIN;
	return display_input(dev->d.display, kind, events, n);
}

static int svc_take_input(struct tenon_dev *dev, uint32_t kinds, const struct tenon_input_ops *ops)
{
	if (kit_fails("tenon.display take_input", ROLE_MAIN))
		return -ENOMEM;
	return display_take_input(hub(), dev, &dev->d.display, kinds, ops);
}

static void svc_ready(struct tenon_dev *dev)
{
	kit_role("tenon.display ready", ROLE_ANY);
	display_ready(dev->d.display);
}

const struct tenon_display kit_display = {
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
