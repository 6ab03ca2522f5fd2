/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the vnc plugin share: a device that shows a surface, and real clients. */
#ifndef PLUGINS_VNC_CLIENT_H
#define PLUGINS_VNC_CLIENT_H

#include <rfb/rfbclient.h>
#include <stdint.h>

#include <tenon/display.h>
#include <tenon/testkit.h>

#define WIDTH  64u
#define HEIGHT 48u

extern char vnc_folder[64], vnc_socket[80];
extern uint32_t vnc_pixels[200 * 200];

/* A folder of its own, and the settings for a socket in it with @more. */
const char *vnc_settings(const char *more);
/* The folder must be empty by now. */
void vnc_clean_up(void);

/* The colour of a pixel: all of them differ. */
uint32_t vnc_rgb(uint32_t x, uint32_t y);
/* Shows @width by @height of them. */
void vnc_show(uint32_t width, uint32_t height);
/* A device that shows the first surface and runs. */
struct tk_dev *vnc_device(const char *more);

struct vnc_wish {
	const char *host, *password, *encodings; /* NULL: the socket; none; raw */
	int port;
};

/* NULL = it did not get in. */
rfbClient *vnc_join(const struct vnc_wish *wish);
/* Waits until a picture has come that was asked for now: all that was sent before was heard. */
void vnc_settle(rfbClient *c);
/* Whether the connection has ended, after all that is on its way. */
int vnc_has_ended(rfbClient *c);
uint32_t vnc_pixel(const rfbClient *c, uint32_t x, uint32_t y);
/* The whole picture becomes vnc_rgb()'s. */
void vnc_check(rfbClient *c, uint32_t width, uint32_t height);
void vnc_leave(rfbClient *c);

#endif
