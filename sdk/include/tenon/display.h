/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/display.h - screens: who draws them, who shows them, and what people type and point at.
 *
 * A graphics device creates screens, says where the pixels of each are, and which of them changed.
 * Viewers (a VNC server, a screenshot) look at the screens of one graphics device, and hand the
 * keys and the pointer of people on.  Input devices take those.  None of the three knows another:
 * each may come from a plugin of its own, and the order in which they are configured is free.
 *
 *	drawer                         viewer                          input device
 *	create, set_surface,           view, lock, unlock,             take_input
 *	damage, cursor   ── core ──▶   surface(), damage(), cursor()
 *	resize()         ◀── core ──   resize, input  ── core ──▶      input()
 *
 * What is told to a device is put together while it has not heard of it: of two surfaces it sees
 * the last, of many rectangles their union.
 */
#ifndef TENON_DISPLAY_H
#define TENON_DISPLAY_H

#include <tenon/abi.h>

#define TENON_SVC_DISPLAY "tenon.display/1"

#define TENON_DISPLAY_MAX_SCREENS 16u
#define TENON_DISPLAY_MAX_SIZE    16384u /* pixels, either way */
#define TENON_CURSOR_MAX_SIZE     256u
#define TENON_INPUT_MAX_PACKET    16u /* events that belong together */

/* Pixel formats: 32 bits each, by their DRM four-character codes, in little-endian words. */
#define TENON_FORMAT_XRGB8888 0x34325258u /* "XR24": blue is the lowest byte */
#define TENON_FORMAT_ARGB8888 0x34325241u /* "AR24" */
#define TENON_FORMAT_XBGR8888 0x34324258u /* "XB24": red is the lowest byte */
#define TENON_FORMAT_ABGR8888 0x34324241u /* "AB24" */
#define TENON_FORMAT_RGBX8888 0x34325852u /* "RX24": the lowest byte is not used */
#define TENON_FORMAT_RGBA8888 0x34324152u /* "RA24" */
#define TENON_FORMAT_BGRX8888 0x34325842u /* "BX24" */
#define TENON_FORMAT_BGRA8888 0x34324142u /* "BA24" */

/* The picture of one screen. */
struct tenon_surface {
	uint32_t struct_size;
	uint32_t width, height; /* pixels */
	uint32_t stride;        /* bytes from one line to the next, a multiple of 4 */
	uint32_t format;        /* TENON_FORMAT_* */
	int32_t fd;             /* where another process would find it; -1 = nowhere */
	uint64_t fd_offset;
	const void *pixels;
};

struct tenon_rect {
	uint32_t x, y, width, height;
};

/* Its pixels are ARGB8888, line after line without a gap. */
struct tenon_cursor {
	uint32_t struct_size;
	uint32_t width, height; /* up to TENON_CURSOR_MAX_SIZE */
	uint32_t hot_x, hot_y;
	const uint32_t *pixels;
};

/* Codes of Linux's evdev (linux/input-event-codes.h). */
struct tenon_input_event {
	uint16_t type, code; /* EV_KEY, EV_ABS, EV_REL; no EV_SYN */
	int32_t value;
};

/* What an input device takes.  Absolute positions run from 0 to 32767. */
#define TENON_INPUT_KEYBOARD (1u << 0)
#define TENON_INPUT_POINTER  (1u << 1) /* absolute */
#define TENON_INPUT_MOUSE    (1u << 2) /* relative */

/* What a drawer is told. */
struct tenon_drawer_ops {
	uint32_t struct_size;
	/* Somebody would like screen @screen to have that size, in pixels.  Optional.  [loop] */
	void (*resize)(struct tenon_dev *dev, uint32_t screen, uint32_t width, uint32_t height);
};

/* What a viewer is told.  All are optional. */
struct tenon_viewer_ops {
	uint32_t struct_size;
	/* Another surface; NULL = the screen is dark.  Its pixels are read between lock() and
	 * unlock(), which say what is there then.  [loop] */
	void (*surface)(
		struct tenon_dev *dev, uint32_t screen, const struct tenon_surface *surface);
	/* These parts have changed; they lie inside of the surface.  [loop] */
	void (*damage)(
		struct tenon_dev *dev, uint32_t screen, const struct tenon_rect *rects, uint32_t n);
	/* The cursor is at @x, @y (its hot spot), to be seen or not.  @image: it looks different
	 * now; borrowed for the call; NULL = as before.  [loop] */
	void (*cursor)(struct tenon_dev *dev, uint32_t screen, int32_t x, int32_t y,
		uint32_t visible, const struct tenon_cursor *image);
	/* Somebody wants a picture of what is there (SIGUSR1).  [loop] */
	void (*picture)(struct tenon_dev *dev);
};

/* What an input device is told. */
struct tenon_input_ops {
	uint32_t struct_size;
	/* Events that belong together, without the EV_SYN that ends them.  Returns 0, or -EAGAIN to
	 * get them again after ready().  [loop] */
	int (*input)(struct tenon_dev *dev, const struct tenon_input_event *events, uint32_t n);
};

struct tenon_display {
	uint32_t struct_size;

	/* ---- for who draws ---- */

	/*
	 * The device draws @n_screens screens, which are dark at first; once, from attach.  The
	 * core ends it after detach.  @ops live that long.  -EBUSY the second time, -EINVAL for a
	 * number past TENON_DISPLAY_MAX_SCREENS, -ENOMEM.  [main]
	 */
	int (*create)(
		struct tenon_dev *dev, uint32_t n_screens, const struct tenon_drawer_ops *ops);
	/*
	 * What is to be seen on the screen from now on; NULL = nothing.  On return nobody looks at
	 * the one before any more, for which it waits as long as a viewer takes to copy what it
	 * needs.  The structure is copied, the pixels are not: they stay the device's, which may
	 * change them at any time.  -EINVAL for a surface that cannot be.  [any, but not twice at
	 * once for one screen]
	 */
	int (*set_surface)(
		struct tenon_dev *dev, uint32_t screen, const struct tenon_surface *surface);
	/* Pixels have changed; what lies outside of the surface is cut off.  Cannot fail.  [any] */
	void (*damage)(struct tenon_dev *dev, uint32_t screen, const struct tenon_rect *rect);
	/*
	 * The cursor's picture, copied; NULL = none.  -EINVAL for one that is too large.  [any, as
	 * set_surface]
	 */
	int (*set_cursor)(
		struct tenon_dev *dev, uint32_t screen, const struct tenon_cursor *cursor);
	/* Where its hot spot is, and whether it is seen.  Cannot fail.  [any] */
	void (*move_cursor)(
		struct tenon_dev *dev, uint32_t screen, int32_t x, int32_t y, uint32_t visible);

	/* ---- for who shows ---- */

	/*
	 * The device looks at the screens of the device called @drawer, or, with NULL, of the first
	 * that draws; once, from attach.  Whether there is one is found out when all devices are
	 * attached; the core says so if not.  -EBUSY the second time, -ENOMEM.  [main]
	 */
	int (*view)(struct tenon_dev *dev, const char *drawer, const struct tenon_viewer_ops *ops);
	/* How many screens there are; 0 before all devices are attached.  [any] */
	uint32_t (*screens)(struct tenon_dev *dev);
	/*
	 * Says what is on the screen and keeps it there until unlock(), which must come soon: the
	 * drawer may be waiting.  -ENODATA when it is dark; there is no unlock() then.  [any]
	 */
	int (*lock)(struct tenon_dev *dev, uint32_t screen, struct tenon_surface *ret_surface);
	void (*unlock)(struct tenon_dev *dev, uint32_t screen);
	/* Asks the drawer for another size; it may not listen.  -EINVAL for one that cannot be.
	 * [any] */
	int (*resize)(struct tenon_dev *dev, uint32_t screen, uint32_t width, uint32_t height);
	/*
	 * Hands events that belong together to the first input device of that kind
	 * (TENON_INPUT_*).  -ENODEV when there is none, -EAGAIN when it is behind and these are
	 * lost, but for keys that were let go, of which it hears later; -EINVAL for none or more
	 * than TENON_INPUT_MAX_PACKET.  [any]
	 */
	int (*input)(struct tenon_dev *dev, uint32_t kind, const struct tenon_input_event *events,
		uint32_t n);

	/* ---- for input devices ---- */

	/* The device takes input of these kinds (TENON_INPUT_*, or-ed); once, from attach.  -EBUSY
	 * the second time, -EINVAL, -ENOMEM.  [main] */
	int (*take_input)(struct tenon_dev *dev, uint32_t kinds, const struct tenon_input_ops *ops);
	/* It has room again after an input() that answered -EAGAIN.  [any] */
	void (*ready)(struct tenon_dev *dev);
};

#endif
