/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: who has what part, and what is on its way. */
#ifndef TENON_DISPLAY_PRIVATE_H
#define TENON_DISPLAY_PRIVATE_H

#include <pthread.h>

#include "sdk/display/display_hub.h"

#define DISPLAY_MAX_RECTS   16u
#define DISPLAY_MAX_PACKETS 64u  /* of input on their way to one device */
#define DISPLAY_KEYS        768u /* evdev's KEY_CNT */

struct display_packet {
	uint32_t n;
	struct tenon_input_event events[TENON_INPUT_MAX_PACKET];
};

struct display_screen {
	pthread_mutex_t looked_at; /* a viewer reads the pixels; taken before the hub's lock */
	bool lit;
	struct tenon_surface surface;

	struct tenon_cursor cursor; /* its pixels are owned; NULL = none */
	int32_t x, y;
	bool visible;

	bool want_size; /* for the drawer */
	uint32_t width, height;
};

/* What a viewer has not heard of yet, of one screen. */
struct display_news {
	bool surface, image, moved;
	struct tenon_rect rects[DISPLAY_MAX_RECTS];
	uint32_t n_rects;
};

struct display_member {
	struct display_member *next; /* in the order of attaching */
	struct display_hub *hub;
	struct tenon_dev *dev;
	void *room;
	bool posted, paused;

	const struct tenon_drawer_ops *draws;
	struct display_screen *screens;
	uint32_t n_screens;

	const struct tenon_viewer_ops *views;
	char *wants; /* a drawer's name; NULL = any */
	struct display_member *drawer;
	struct display_news news[TENON_DISPLAY_MAX_SCREENS];
	bool picture;

	const struct tenon_input_ops *takes;
	uint32_t kinds;
	struct display_packet *packets;
	uint32_t at, n_packets;
	bool behind; /* it said -EAGAIN */
	/* Keys that were let go while there was no room for it; they get the next room. */
	bool late[DISPLAY_KEYS];
	uint32_t n_late;
};

struct display_hub {
	struct display_hub_env env;
	pthread_mutex_t lock;
	struct display_member *members;
};

void display_hub_lock(struct display_hub *hub);
void display_hub_unlock(struct display_hub *hub);

/* The device's part, made when it is needed first. */
int display_join(struct display_hub *hub, struct tenon_dev *dev, struct display_member **member);
/* There is something to tell.  The lock is held. */
void display_member_post(struct display_member *m);
/* NULL where there is none; also of NULL. */
struct display_screen *display_screen_of(struct display_member *m, uint32_t screen);

/* What each part hears.  [loop] */
void display_tell_sizes(struct display_member *m);
void display_tell_viewer(struct display_member *m);
void display_tell_input(struct display_member *m);

#endif
