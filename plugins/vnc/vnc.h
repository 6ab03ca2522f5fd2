/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the vnc plugin share.
 *
 * libvncserver reads and writes with calls that block, so that all of it happens on one thread of
 * the device's own, which also has a copy of the screen.  The device's loop only notes what has
 * changed and wakes it; the drawer waits for no client, at most for a copy.
 */
#ifndef PLUGINS_VNC_H
#define PLUGINS_VNC_H

#include <pthread.h>
#include <rfb/rfb.h>
#include <stdbool.h>

#include <tenon/tenon.h>

#define VNC_CLIENTS  8u
#define VNC_RECTS    16u
#define VNC_KEYS     768u /* evdev's KEY_CNT */
#define VNC_PASSWORD 8u   /* bytes that the protocol has room for */

/* One who looks. */
struct vnc_client {
	struct vnc *vnc;
	rfbClientPtr rfb;     /* NULL = free; the thread's */
	uint64_t deadline_ns; /* until when it must have said who it is */
	bool held[VNC_KEYS];
	int buttons, x, y;
	int fd; /* -1 = none; a second descriptor, to wake the thread with; under the lock */
};

/* What the thread has not heard of yet. */
struct vnc_news {
	bool surface, image, moved;
	struct tenon_rect rects[VNC_RECTS];
	uint32_t n_rects;
	int32_t x, y;
	uint32_t visible;
};

struct vnc {
	struct tenon_dev *dev;
	const char *socket, *listen, *password, *display;
	uint32_t screen;

	int fd;    /* listens; -1 = not */
	bool made; /* the socket's file is ours */
	struct tenon_notifier *wake;
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock; /* of what follows */
	bool has_lock, stopping, paused;
	struct vnc_news news;
	struct tenon_cursor cursor; /* its pixels: room for the largest */
	uint32_t *cursor_pixels;
	pthread_mutex_t looking; /* held while the guest's pixels are read; before the other */

	/* The thread's. */
	rfbScreenInfoPtr rfb;
	char *passwords[2];
	uint32_t *pixels, width, height; /* the copy */
	bool warned;
	struct rfbCursor shape;
	uint32_t *shape_pixels;
	unsigned char *shape_mask;
	struct vnc_client clients[VNC_CLIENTS];
};

extern const struct tenon_host *vnc_host;
extern const struct tenon_display *vnc_display;
extern const struct tenon_notifier_svc *vnc_notifier;

/* ---- listen.c: where clients come in ---- */

/* Whether the settings are a place to listen at; 0, or -EINVAL and said.  [main] */
int listen_check(struct vnc *v);
int listen_open(struct vnc *v); /* said  [main] */
void listen_close(struct vnc *v);

/* ---- screen.c: what they see ---- */

extern const struct tenon_viewer_ops screen_ops;

int screen_open(struct vnc *v); /* -ENOMEM  [main] */
void screen_close(struct vnc *v);
/* Nobody reads the guest's pixels while it is paused; all are news after it.  [main] */
void screen_pause(struct vnc *v, bool paused);
/* Takes the news over.  [thread] */
void screen_update(struct vnc *v);

/* ---- server.c: the thread, and who comes and goes ---- */

int server_start(struct vnc *v); /* 0 or -errno  [main] */
void server_stop(struct vnc *v); /* also where it does not run  [main] */

/* ---- people.c: what they type and point at  [thread] ---- */

void people_key(rfbBool down, rfbKeySym symbol, rfbClientPtr cl);
void people_pointer(int buttons, int x, int y, rfbClientPtr cl);
int people_resize(
	int width, int height, int n, struct rfbExtDesktopScreen *screens, rfbClientPtr cl);
/* Lets everything go that it holds. */
void people_leave(struct vnc_client *c);

/* ---- keysyms.c ---- */

/* The evdev code of the key of a US keyboard that makes an X keysym; 0 = none. */
uint16_t keysym_code(uint32_t symbol);

#endif
