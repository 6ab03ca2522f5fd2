/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnc-capture SOCKET PNG [TEXT]: a real VNC client.  Connects to a unix socket, types TEXT if there
 * is one (\n is Return), waits until the screen has stayed the same for a second, and writes it as
 * PNG.  The password is in the environment variable VNC_PASSWORD.
 */
#include <ctype.h>
#include <errno.h>
#include <png.h>
#include <rfb/keysym.h>
#include <rfb/rfbclient.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUIET_US    1000000u
#define MAX_UPDATES 2000u /* of a screen that never stands still */

static char *give_password(rfbClient *c)
{
	const char *password = getenv("VNC_PASSWORD");

	(void)c;
	return strdup(password ? password : "");
}

static rfbClient *join(const char *path)
{
	rfbClient *c = rfbGetClient(8, 3, 4);

	if (!c)
		return NULL;
	c->format.redShift = 0; /* as PNG has it */
	c->format.greenShift = 8;
	c->format.blueShift = 16;
	c->canHandleNewFBSize = TRUE;
	c->appData.encodingsString = "raw";
	c->appData.useRemoteCursor = TRUE;
	c->GetPassword = give_password;
	free(c->serverHost);
	c->serverHost = strdup(path);
	c->serverPort = 0;
	return rfbInitClient(c, NULL, NULL) ? c : NULL;
}

static bool press(rfbClient *c, uint32_t symbol)
{
	return SendKeyEvent(c, symbol, TRUE) && SendKeyEvent(c, symbol, FALSE);
}

static bool type_one(rfbClient *c, char character)
{
	const bool shift = isupper((unsigned char)character) ||
			   (character && strchr("~!@#$%^&*()_+{}|:\"<>?", character));
	bool sent;

	if (character == '\n')
		return press(c, XK_Return);
	if (shift && !SendKeyEvent(c, XK_Shift_L, TRUE))
		return false;
	sent = press(c, (unsigned char)character);
	return sent && (!shift || SendKeyEvent(c, XK_Shift_L, FALSE));
}

static bool type(rfbClient *c, const char *text)
{
	for (; *text; text++) {
		const bool is_newline = text[0] == '\\' && text[1] == 'n';

		if (!type_one(c, (char)(is_newline ? '\n' : *text)))
			return false;
		text += is_newline;
	}
	return true;
}

/* False when the connection has ended. */
static bool watch(rfbClient *c)
{
	for (unsigned i = 0; i < MAX_UPDATES; i++) {
		/* libvncclient does not look at what it has read already. */
		const int n = c->buffered > 0 ? 1 : WaitForMessage(c, QUIET_US);

		if (n == 0)
			return true;
		if (n < 0 || !HandleRFBServerMessage(c))
			return false;
	}
	return true;
}

static bool write_png(const rfbClient *c, const char *path)
{
	png_image image = { .version = PNG_IMAGE_VERSION,
		.width = (png_uint_32)c->width,
		.height = (png_uint_32)c->height,
		.format = PNG_FORMAT_RGBA };
	const size_t n = (size_t)c->width * (size_t)c->height;

	for (size_t i = 0; i < n; i++)
		c->frameBuffer[i * 4 + 3] = (unsigned char)0xff;
	return png_image_write_to_file(&image, path, 0, c->frameBuffer, 0, NULL);
}

static int fail(const char *what)
{
	(void)fprintf(stderr, "vnc-capture: %s\n", what);
	return 1;
}

int main(int argc, char **argv)
{
	rfbClient *c;
	int ret = 0;

	if (argc < 3 || argc > 4)
		return fail("usage: vnc-capture SOCKET PNG [TEXT]");
	rfbEnableClientLogging = FALSE;
	c = join(argv[1]);
	if (!c)
		return fail("cannot connect, or was not let in");
	if (!watch(c) || (argc == 4 && (!type(c, argv[3]) || !watch(c))))
		ret = fail("the server has ended the connection");
	else if (!write_png(c, argv[2]))
		ret = fail("cannot write the picture");
	else
		(void)printf("%d by %d\n", c->width, c->height);
	free(c->frameBuffer);
	c->frameBuffer = NULL;
	rfbClientCleanup(c);
	return ret;
}
