/* SPDX-License-Identifier: Apache-2.0 */
/* Drawers, viewers and input devices, with a loop that is stepped by hand. */
#include "sdk/display/display_hub.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A device of the test, and what it has heard. */
struct tenon_dev {
	const char *name;
	struct display_member *member, *posted;
	unsigned posts, surfaces, darks, pictures, moves, images;
	uint32_t width, height;
	struct tenon_rect rects[32];
	uint32_t n_rects;
	int32_t x, y;
	uint32_t visible, argb;
	struct tenon_input_event events[128];
	uint32_t n_events, packets;
	bool refuses;
};

static struct display_hub *hub;
static struct tenon_dev gpu, other_gpu, vnc, keyboard, tablet;

/* ---- the loop ---- */

static void env_post(struct tenon_dev *dev, void *room, struct display_member *member)
{
	assert_non_null(room);
	assert_null(dev->posted); /* once till it is told */
	dev->posted = member;
	dev->posts++;
}

static void env_drop(struct tenon_dev *dev, struct display_member *member)
{
	if (dev->posted == member)
		dev->posted = NULL;
}

static const char *env_name(const struct tenon_dev *dev)
{
	return dev->name;
}

static void step(struct tenon_dev *dev)
{
	struct display_member *m = dev->posted;

	dev->posted = NULL;
	if (m)
		display_member_tell(m);
}

/* ---- what devices hear ---- */

static void heard_size(struct tenon_dev *dev, uint32_t screen, uint32_t width, uint32_t height)
{
	assert_int_equal(screen, 1);
	dev->width = width;
	dev->height = height;
}

static void heard_surface(
	struct tenon_dev *dev, uint32_t screen, const struct tenon_surface *surface)
{
	assert_int_equal(screen, 0);
	dev->surfaces++;
	dev->darks += !surface;
	dev->width = surface ? surface->width : 0;
}

static void heard_damage(
	struct tenon_dev *dev, uint32_t screen, const struct tenon_rect *rects, uint32_t n)
{
	assert_int_equal(screen, 0);
	memcpy(dev->rects, rects, n * sizeof(*rects));
	dev->n_rects = n;
}

static void heard_cursor(struct tenon_dev *dev, uint32_t screen, int32_t x, int32_t y,
	uint32_t visible, const struct tenon_cursor *image)
{
	(void)screen;
	dev->moves++;
	dev->images += image != NULL;
	dev->x = x;
	dev->y = y;
	dev->visible = visible;
	if (image)
		dev->argb = image->pixels[0];
}

static void heard_picture(struct tenon_dev *dev)
{
	dev->pictures++;
}

static int heard_input(struct tenon_dev *dev, const struct tenon_input_event *events, uint32_t n)
{
	if (dev->refuses)
		return -EAGAIN;
	assert_true(dev->n_events + n <= 128);
	memcpy(dev->events + dev->n_events, events, n * sizeof(*events));
	dev->n_events += n;
	dev->packets++;
	return 0;
}

static const struct tenon_drawer_ops draws = { sizeof(draws), heard_size };
static const struct tenon_viewer_ops views = { sizeof(views), heard_surface, heard_damage,
	heard_cursor, heard_picture };
static const struct tenon_input_ops takes = { sizeof(takes), heard_input };

/* ---- the stage ---- */

static int set_up(void **state)
{
	const struct display_hub_env env = { env_post, env_drop, 8, env_name };

	(void)state;
	gpu = (struct tenon_dev){ .name = "gpu" };
	other_gpu = (struct tenon_dev){ .name = "gpu1" };
	vnc = (struct tenon_dev){ .name = "vnc" };
	keyboard = (struct tenon_dev){ .name = "keyboard" };
	tablet = (struct tenon_dev){ .name = "tablet" };
	hub = display_hub_create(&env);
	return hub ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	display_hub_destroy(hub);
	return 0;
}

static void connect(void)
{
	struct tenon_dev *dev;
	const char *wanted;

	assert_int_equal(display_hub_connect(hub, &dev, &wanted), 0);
	display_member_pause(gpu.member, false);
	display_member_pause(other_gpu.member, false);
	display_member_pause(vnc.member, false);
	display_member_pause(keyboard.member, false);
	display_member_pause(tablet.member, false);
	step(&gpu);
	step(&vnc);
}

/* A gpu of two screens that vnc looks at, and which comes later. */
static void watched_gpu(void)
{
	assert_int_equal(display_view(hub, &vnc, &vnc.member, NULL, &views), 0);
	assert_int_equal(display_create(hub, &gpu, &gpu.member, 2, &draws), 0);
	connect();
}

static uint32_t pixels[64 * 64];

static struct tenon_surface surface(uint32_t width, uint32_t height)
{
	return (struct tenon_surface){ .struct_size = sizeof(struct tenon_surface),
		.width = width,
		.height = height,
		.stride = width * 4,
		.format = TENON_FORMAT_XRGB8888,
		.fd = -1,
		.pixels = pixels };
}

static void show(uint32_t width, uint32_t height)
{
	const struct tenon_surface s = surface(width, height);

	assert_int_equal(display_set_surface(gpu.member, 0, &s), 0);
}

static void a_viewer_sees_what_is_drawn(void **state)
{
	struct tenon_surface s;

	(void)state;
	watched_gpu();
	assert_int_equal(display_screens(vnc.member), 2);
	assert_int_equal(display_lock(vnc.member, 0, &s), -ENODATA);
	show(64, 48);
	step(&vnc);
	assert_int_equal(vnc.surfaces, 1);
	assert_int_equal(vnc.width, 64);
	assert_int_equal(display_lock(vnc.member, 0, &s), 0);
	assert_ptr_equal(s.pixels, pixels);
	assert_int_equal(s.height, 48);
	display_unlock(vnc.member, 0);
	assert_int_equal(display_lock(vnc.member, 1, &s), -ENODATA);
	assert_int_equal(display_lock(vnc.member, 2, &s), -ENODATA);
	assert_int_equal(display_set_surface(gpu.member, 0, NULL), 0);
	step(&vnc);
	assert_int_equal(vnc.darks, 1);
}

static void what_was_drawn_before_is_told_at_the_start(void **state)
{
	(void)state;
	assert_int_equal(display_create(hub, &gpu, &gpu.member, 1, &draws), 0);
	show(32, 32);
	assert_int_equal(display_view(hub, &vnc, &vnc.member, "gpu", &views), 0);
	connect();
	assert_int_equal(vnc.surfaces, 1);
	assert_int_equal(vnc.width, 32);
}

static void of_many_changes_the_last_is_told(void **state)
{
	(void)state;
	watched_gpu();
	vnc.posts = 0;
	for (uint32_t i = 1; i <= 64; i++)
		show(i, i);
	assert_int_equal(vnc.posts, 1);
	step(&vnc);
	assert_int_equal(vnc.surfaces, 1);
	assert_int_equal(vnc.width, 64);
}

static void damage_is_cut_and_put_together(void **state)
{
	(void)state;
	watched_gpu();
	display_damage(gpu.member, 0, &(struct tenon_rect){ 0, 0, 8, 8 }); /* it is dark */
	show(64, 48);
	step(&vnc);
	assert_int_equal(vnc.n_rects, 0);
	display_damage(gpu.member, 0, &(struct tenon_rect){ 60, 40, UINT32_MAX, 100 });
	display_damage(gpu.member, 0, &(struct tenon_rect){ 64, 0, 1, 1 });
	display_damage(gpu.member, 0, &(struct tenon_rect){ 1, 1, 0, 5 });
	step(&vnc);
	assert_int_equal(vnc.n_rects, 1);
	assert_int_equal(vnc.rects[0].width, 4);
	assert_int_equal(vnc.rects[0].height, 8);
	for (uint32_t i = 0; i < 40; i++)
		display_damage(gpu.member, 0, &(struct tenon_rect){ i, i / 2, 1, 1 });
	step(&vnc);
	for (uint32_t x = 0; x < 40; x++) {
		bool covered = false;

		for (uint32_t i = 0; i < vnc.n_rects; i++)
			covered |= x >= vnc.rects[i].x && x - vnc.rects[i].x < vnc.rects[i].width &&
				   x / 2 >= vnc.rects[i].y &&
				   x / 2 - vnc.rects[i].y < vnc.rects[i].height;
		assert_true(covered);
	}
	display_damage(gpu.member, 0, &(struct tenon_rect){ 0, 0, 64, 48 });
	show(16, 16); /* what was damaged of another surface is nothing to this one */
	vnc.n_rects = 0;
	step(&vnc);
	assert_int_equal(vnc.n_rects, 0);
}

static void surfaces_that_cannot_be_are_refused(void **state)
{
	struct tenon_surface s = surface(64, 48);

	(void)state;
	watched_gpu();
	s.width = 0;
	assert_int_equal(display_set_surface(gpu.member, 0, &s), -EINVAL);
	s.width = TENON_DISPLAY_MAX_SIZE + 1;
	assert_int_equal(display_set_surface(gpu.member, 0, &s), -EINVAL);
	s = surface(64, 48);
	s.stride = 252;
	assert_int_equal(display_set_surface(gpu.member, 0, &s), -EINVAL);
	s.stride = 257;
	assert_int_equal(display_set_surface(gpu.member, 0, &s), -EINVAL);
	s = surface(64, 48);
	s.struct_size = 8;
	assert_int_equal(display_set_surface(gpu.member, 0, &s), -EINVAL);
	s = surface(64, 48);
	assert_int_equal(display_set_surface(gpu.member, 2, &s), -EINVAL);
	assert_int_equal(display_set_surface(NULL, 0, &s), -EINVAL);
	assert_int_equal(display_resize(vnc.member, 0, 0, 1), -EINVAL);
	assert_int_equal(display_resize(vnc.member, 2, 1, 1), -EINVAL);
	assert_int_equal(display_create(hub, &other_gpu, &other_gpu.member,
				 TENON_DISPLAY_MAX_SCREENS + 1, &draws),
		-EINVAL);
	assert_int_equal(display_create(hub, &gpu, &gpu.member, 1, &draws), -EBUSY);
	assert_int_equal(display_view(hub, &vnc, &vnc.member, NULL, &views), -EBUSY);
}

static void the_cursor_is_copied(void **state)
{
	uint32_t image[4] = { 0xff00ff00, 0, 0, 0 };
	struct tenon_cursor c = {
		.struct_size = sizeof(c), .width = 2, .height = 2, .pixels = image
	};

	(void)state;
	watched_gpu();
	assert_int_equal(display_set_cursor(gpu.member, 0, &c), 0);
	image[0] = 0;
	display_move_cursor(gpu.member, 0, -3, 7, true);
	step(&vnc);
	assert_int_equal(vnc.moves, 1);
	assert_int_equal(vnc.images, 1);
	assert_int_equal(vnc.argb, 0xff00ff00);
	assert_int_equal(vnc.x, -3);
	assert_int_equal(vnc.y, 7);
	assert_int_equal(vnc.visible, 1);
	display_move_cursor(gpu.member, 0, 1, 1, true);
	step(&vnc);
	assert_int_equal(vnc.images, 1); /* the same picture */
	assert_int_equal(display_set_cursor(gpu.member, 0, NULL), 0);
	step(&vnc);
	assert_int_equal(vnc.visible, 0);
	c.width = TENON_CURSOR_MAX_SIZE + 1;
	assert_int_equal(display_set_cursor(gpu.member, 0, &c), -EINVAL);
	c.width = 0;
	assert_int_equal(display_set_cursor(gpu.member, 0, &c), -EINVAL);
}

static void the_drawer_hears_what_size_is_wanted(void **state)
{
	(void)state;
	watched_gpu();
	assert_int_equal(display_resize(vnc.member, 1, 800, 600), 0);
	assert_int_equal(display_resize(vnc.member, 1, 1024, 768), 0);
	step(&gpu);
	assert_int_equal(gpu.width, 1024);
	assert_int_equal(gpu.height, 768);
}

static void a_viewer_finds_the_one_it_names(void **state)
{
	struct tenon_dev *dev = NULL;
	const char *wanted = NULL;

	(void)state;
	assert_int_equal(display_view(hub, &vnc, &vnc.member, "gpu1", &views), 0);
	assert_int_equal(display_create(hub, &gpu, &gpu.member, 1, &draws), 0);
	assert_int_equal(display_hub_connect(hub, &dev, &wanted), -ENOENT);
	assert_ptr_equal(dev, &vnc);
	assert_string_equal(wanted, "gpu1");
	assert_int_equal(display_create(hub, &other_gpu, &other_gpu.member, 3, &draws), 0);
	connect();
	assert_int_equal(display_screens(vnc.member), 3);
}

static void who_is_paused_hears_it_later(void **state)
{
	(void)state;
	watched_gpu();
	display_member_pause(vnc.member, true);
	show(64, 48);
	display_hub_picture(hub);
	step(&vnc);
	assert_int_equal(vnc.surfaces, 0);
	display_member_pause(vnc.member, false);
	step(&vnc);
	assert_int_equal(vnc.surfaces, 1);
	assert_int_equal(vnc.pictures, 1);
}

static void a_drawer_that_goes_leaves_its_viewers_without(void **state)
{
	struct tenon_surface s;

	(void)state;
	watched_gpu();
	show(64, 48);
	display_member_remove(gpu.member);
	gpu.member = NULL;
	step(&vnc);
	assert_int_equal(display_lock(vnc.member, 0, &s), -ENODATA);
	assert_int_equal(display_resize(vnc.member, 0, 1, 1), -EINVAL);
	assert_int_equal(display_screens(vnc.member), 0);
}

static const struct tenon_input_event key = { 1, 30, 1 };

static void input_goes_to_the_first_of_its_kind(void **state)
{
	const struct tenon_input_event point[2] = { { 3, 0, 100 }, { 3, 1, 200 } };

	(void)state;
	watched_gpu();
	assert_int_equal(display_input(vnc.member, TENON_INPUT_KEYBOARD, &key, 1), -ENODEV);
	assert_int_equal(
		display_take_input(hub, &keyboard, &keyboard.member, TENON_INPUT_KEYBOARD, &takes),
		0);
	assert_int_equal(display_take_input(hub, &tablet, &tablet.member,
				 TENON_INPUT_POINTER | TENON_INPUT_KEYBOARD, &takes),
		0);
	connect();
	assert_int_equal(display_input(vnc.member, TENON_INPUT_KEYBOARD, &key, 1), 0);
	assert_int_equal(display_input(vnc.member, TENON_INPUT_POINTER, point, 2), 0);
	step(&keyboard);
	step(&tablet);
	assert_int_equal(keyboard.n_events, 1);
	assert_int_equal(keyboard.events[0].code, 30);
	assert_int_equal(tablet.n_events, 2);
	assert_int_equal(tablet.events[1].value, 200);
	assert_int_equal(display_input(vnc.member, TENON_INPUT_KEYBOARD, &key, 0), -EINVAL);
	assert_int_equal(display_input(vnc.member, TENON_INPUT_KEYBOARD, &key, 17), -EINVAL);
	assert_int_equal(
		display_take_input(hub, &tablet, &tablet.member, TENON_INPUT_MOUSE, &takes),
		-EBUSY);
}

static void a_device_that_is_behind_gets_them_again(void **state)
{
	unsigned given = 0;

	(void)state;
	watched_gpu();
	assert_int_equal(
		display_take_input(hub, &keyboard, &keyboard.member, TENON_INPUT_KEYBOARD, &takes),
		0);
	connect();
	step(&keyboard);
	keyboard.refuses = true;
	while (display_input(vnc.member, TENON_INPUT_KEYBOARD, &key, 1) == 0)
		given++;
	step(&keyboard);
	assert_int_equal(keyboard.packets, 0);
	assert_null(keyboard.posted); /* it is not asked again and again */
	keyboard.refuses = false;
	display_ready(keyboard.member);
	step(&keyboard);
	assert_int_equal(keyboard.packets, given);
	assert_int_equal(display_input(vnc.member, TENON_INPUT_KEYBOARD, &key, 1), 0);
}

static void a_key_let_go_is_never_lost(void **state)
{
	struct tenon_input_event up = { 1, 0, 0 };
	unsigned given = 0;

	(void)state;
	watched_gpu();
	assert_int_equal(
		display_take_input(hub, &keyboard, &keyboard.member, TENON_INPUT_KEYBOARD, &takes),
		0);
	connect();
	step(&keyboard);
	display_member_pause(keyboard.member, true);
	while (display_input(vnc.member, TENON_INPUT_KEYBOARD, &key, 1) == 0)
		given++;
	for (up.code = 30; up.code < 50; up.code++) { /* more than a packet has room for */
		assert_int_equal(display_input(vnc.member, TENON_INPUT_KEYBOARD, &up, 1), -EAGAIN);
		assert_int_equal(display_input(vnc.member, TENON_INPUT_KEYBOARD, &up, 1), -EAGAIN);
	}
	display_member_pause(keyboard.member, false);
	step(&keyboard);
	assert_int_equal(keyboard.packets, given + 2);
	assert_int_equal(keyboard.n_events, given + 20);
	for (uint16_t i = 0; i < 20; i++) {
		assert_int_equal(keyboard.events[given + i].code, 30 + i);
		assert_int_equal(keyboard.events[given + i].value, 0);
	}
	step(&keyboard);
	assert_int_equal(keyboard.packets, given + 2); /* once only */
}

/* ---- threads ---- */

static atomic_bool reading, replaced;

static void *replace(void *arg)
{
	(void)arg;
	while (!atomic_load(&reading))
		continue;
	show(16, 16);
	atomic_store(&replaced, true);
	return NULL;
}

static void a_surface_stays_while_it_is_read(void **state)
{
	struct tenon_surface s;
	pthread_t thread;

	(void)state;
	watched_gpu();
	show(64, 48);
	atomic_store(&reading, false);
	atomic_store(&replaced, false);
	assert_int_equal(pthread_create(&thread, NULL, replace, NULL), 0);
	assert_int_equal(display_lock(vnc.member, 0, &s), 0);
	atomic_store(&reading, true);
	for (int i = 0; i < 1000; i++) {
		assert_false(atomic_load(&replaced));
		sched_yield();
	}
	display_unlock(vnc.member, 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(display_lock(vnc.member, 0, &s), 0);
	assert_int_equal(s.width, 16);
	display_unlock(vnc.member, 0);
}

int main(void)
{
#define HUB_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		HUB_TEST(a_viewer_sees_what_is_drawn),
		HUB_TEST(what_was_drawn_before_is_told_at_the_start),
		HUB_TEST(of_many_changes_the_last_is_told),
		HUB_TEST(damage_is_cut_and_put_together),
		HUB_TEST(surfaces_that_cannot_be_are_refused),
		HUB_TEST(the_cursor_is_copied),
		HUB_TEST(the_drawer_hears_what_size_is_wanted),
		HUB_TEST(a_viewer_finds_the_one_it_names),
		HUB_TEST(who_is_paused_hears_it_later),
		HUB_TEST(a_drawer_that_goes_leaves_its_viewers_without),
		HUB_TEST(input_goes_to_the_first_of_its_kind),
		HUB_TEST(a_device_that_is_behind_gets_them_again),
		HUB_TEST(a_key_let_go_is_never_lost),
		HUB_TEST(a_surface_stays_while_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
