/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who draws, who looks and who takes input, and what is on its way between them: what stands behind
 * tenon.display/1, in the core and in the test kit.
 *
 * A device is told things on its own loop, by a function that is posted once however much there is
 * to tell.  One lock guards everything; a lock for each screen is held by viewers while they copy.
 */
#ifndef TENON_DISPLAY_HUB_H
#define TENON_DISPLAY_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tenon/display.h>

struct display_hub;
struct display_member; /* a device's part in it; NULL where it has none */

struct display_hub_env {
	/* Have display_member_tell() called on the device's loop, under its lock; not posted twice
	 * before that.  @room: post_size bytes that are the member's and last.  [any] */
	void (*post)(struct tenon_dev *dev, void *room, struct display_member *member);
	/* One that is posted shall not be called.  [main] */
	void (*drop)(struct tenon_dev *dev, struct display_member *member);
	size_t post_size;
	const char *(*name)(const struct tenon_dev *dev);
};

struct display_hub *display_hub_create(const struct display_hub_env *env); /* NULL: no memory */
void display_hub_destroy(struct display_hub *hub);                         /* NULL is fine */

/*
 * All devices are attached: viewers find whom they look at.  -ENOENT, with the viewer in *@ret_dev
 * and the name that it wants in *@ret_wanted (NULL: anyone), when one finds nobody.  [main]
 */
int display_hub_connect(
	struct display_hub *hub, struct tenon_dev **ret_dev, const char **ret_wanted);
/* Somebody wants pictures.  [any] */
void display_hub_picture(struct display_hub *hub);

/* Tells the device what there is.  [loop] */
void display_member_tell(struct display_member *member);
/* Nothing is told while it is paused.  NULL is fine.  [main] */
void display_member_pause(struct display_member *member, bool paused);
/* The device has no part any more; NULL is fine.  [main] */
void display_member_remove(struct display_member *member);

/* What struct tenon_display promises; *@member is where the device's part is kept. */
int display_create(struct display_hub *hub, struct tenon_dev *dev, struct display_member **member,
	uint32_t n_screens, const struct tenon_drawer_ops *ops);
int display_set_surface(
	struct display_member *m, uint32_t screen, const struct tenon_surface *surface);
void display_damage(struct display_member *m, uint32_t screen, const struct tenon_rect *rect);
int display_set_cursor(
	struct display_member *m, uint32_t screen, const struct tenon_cursor *cursor);
void display_move_cursor(
	struct display_member *m, uint32_t screen, int32_t x, int32_t y, bool visible);
int display_view(struct display_hub *hub, struct tenon_dev *dev, struct display_member **member,
	const char *drawer, const struct tenon_viewer_ops *ops);
uint32_t display_screens(struct display_member *m);
int display_lock(struct display_member *m, uint32_t screen, struct tenon_surface *ret_surface);
void display_unlock(struct display_member *m, uint32_t screen);
int display_resize(struct display_member *m, uint32_t screen, uint32_t width, uint32_t height);
int display_input(struct display_member *m, uint32_t kind, const struct tenon_input_event *events,
	uint32_t n);
int display_take_input(struct display_hub *hub, struct tenon_dev *dev,
	struct display_member **member, uint32_t kinds, const struct tenon_input_ops *ops);
void display_ready(struct display_member *m);

#endif
