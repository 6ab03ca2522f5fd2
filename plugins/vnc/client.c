/* SPDX-License-Identifier: Apache-2.0 */
/* Real clients, by libvncclient. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_US 10000000u
#define QUIET_US    5000
#define TRIES       50u /* pictures that are asked for until the right one is there */

char vnc_folder[64], vnc_socket[80];
uint32_t vnc_pixels[200 * 200];

/* ---- the device ---- */

const char *vnc_settings(const char *more)
{
	static char settings[200];

	(void)snprintf(vnc_folder, sizeof(vnc_folder), "/tmp/tenon-vnc-XXXXXX");
	TK_TRUE(mkdtemp(vnc_folder));
	(void)snprintf(vnc_socket, sizeof(vnc_socket), "%s/s", vnc_folder);
	(void)snprintf(settings, sizeof(settings), "socket = \"%s\"; %s", vnc_socket, more);
	return settings;
}

void vnc_clean_up(void)
{
	TK_EQ(rmdir(vnc_folder), 0);
}

uint32_t vnc_rgb(uint32_t x, uint32_t y)
{
	return (0xff - x) << 16 | (0x20 + y) << 8 | ((x * 7 + y * 13) & 0xff);
}

void vnc_show(uint32_t width, uint32_t height)
{
	const struct tenon_surface s = { .struct_size = sizeof(s),
		.width = width,
		.height = height,
		.stride = width * 4,
		.format = TENON_FORMAT_XRGB8888,
		.fd = -1,
		.pixels = vnc_pixels };

	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			vnc_pixels[y * width + x] = vnc_rgb(x, y);
	tk_show(&s);
}

struct tk_dev *vnc_device(const char *more)
{
	struct tk_dev *d;

	vnc_show(WIDTH, HEIGHT);
	d = tk_started("vnc", vnc_settings(more));
	tk_run_until_idle(d);
	return d;
}

/* ---- clients ---- */

static unsigned finished;

static void finish(rfbClient *c)
{
	(void)c;
	finished++;
}

static char *give_password(rfbClient *c)
{
	const struct vnc_wish *wish = rfbClientGetClientData(c, give_password);

	return strdup(wish->password ? wish->password : "");
}

rfbClient *vnc_join(const struct vnc_wish *wish)
{
	rfbClient *c = rfbGetClient(8, 3, 4);

	TK_TRUE(c);
	rfbEnableClientLogging = FALSE;
	c->format.redShift = 16;
	c->format.greenShift = 8;
	c->format.blueShift = 0;
	c->canHandleNewFBSize = TRUE;
	c->appData.encodingsString = wish->encodings ? wish->encodings : "raw";
	c->appData.useRemoteCursor = TRUE;
	c->FinishedFrameBufferUpdate = finish;
	c->GetPassword = give_password;
	rfbClientSetClientData(c, give_password, (void *)(uintptr_t)wish);
	free(c->serverHost);
	c->serverHost = strdup(wish->host ? wish->host : vnc_socket);
	c->serverPort = wish->port;
	return rfbInitClient(c, NULL, NULL) ? c : NULL; /* which frees it if not */
}

/* libvncclient does not look at what it has read already. */
static int await(rfbClient *c, unsigned us)
{
	return c->buffered > 0 ? 1 : WaitForMessage(c, us);
}

static int hear(rfbClient *c)
{
	return await(c, PATIENCE_US) > 0 && HandleRFBServerMessage(c);
}

/* Each question has two answers, a size and then a picture.  Whoever asks again after the first is
 * further and further ahead, until neither end can write and the server throws the client out. */
static void take_what_came(rfbClient *c)
{
	while (await(c, QUIET_US) > 0)
		TK_TRUE(HandleRFBServerMessage(c));
}

static void ask(rfbClient *c)
{
	unsigned before;

	take_what_came(c);
	before = finished;
	TK_TRUE(SendFramebufferUpdateRequest(c, 0, 0, c->width, c->height, FALSE));
	while (finished == before)
		TK_TRUE(hear(c));
}

/* A size and a picture that were asked for earlier may be on their way: the third one is new. */
void vnc_settle(rfbClient *c)
{
	for (unsigned i = 0; i < 3; i++)
		ask(c);
	while (await(c, 0) > 0)
		TK_TRUE(HandleRFBServerMessage(c));
}

int vnc_has_ended(rfbClient *c)
{
	for (unsigned i = 0; i < 100; i++) {
		if (await(c, PATIENCE_US) <= 0)
			return 0;
		if (!HandleRFBServerMessage(c))
			return 1;
	}
	return 0;
}

uint32_t vnc_pixel(const rfbClient *c, uint32_t x, uint32_t y)
{
	uint32_t pixel;

	memcpy(&pixel, c->frameBuffer + ((size_t)y * (size_t)c->width + x) * 4, 4);
	return pixel & 0xffffff;
}

static int is_picture(const rfbClient *c, uint32_t width, uint32_t height)
{
	if (c->width != (int)width || c->height != (int)height)
		return 0;
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			if (vnc_pixel(c, x, y) != vnc_rgb(x, y))
				return 0;
	return 1;
}

void vnc_check(rfbClient *c, uint32_t width, uint32_t height)
{
	for (unsigned i = 0; i < TRIES && !is_picture(c, width, height); i++)
		ask(c);
	TK_EQ(c->width, width);
	TK_EQ(c->height, height);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			TK_EQ(vnc_pixel(c, x, y), vnc_rgb(x, y));
}

void vnc_leave(rfbClient *c)
{
	free(c->frameBuffer);
	c->frameBuffer = NULL;
	rfbClientCleanup(c);
}
