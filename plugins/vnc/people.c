/* SPDX-License-Identifier: Apache-2.0 */
/* What people type, point at and wish for, on its way to the guest. */
#include <linux/input-event-codes.h>

#include "vnc.h"

#define FULL 32767 /* where an absolute pointer's range ends */

/* ---- keys ---- */

static bool held_by_another(const struct vnc_client *c, uint16_t code)
{
	for (unsigned i = 0; i < VNC_CLIENTS; i++) {
		const struct vnc_client *other = &c->vnc->clients[i];

		if (other != c && other->rfb && other->held[code])
			return true;
	}
	return false;
}

static void press(struct vnc_client *c, uint16_t code, bool down)
{
	const struct tenon_input_event e = { EV_KEY, code, down };

	if (c->held[code] == down)
		return; /* the guest repeats by itself */
	c->held[code] = down;
	if (!held_by_another(c, code))
		(void)vnc_display->input(c->vnc->dev, TENON_INPUT_KEYBOARD, &e, 1);
}

void people_key(rfbBool down, rfbKeySym symbol, rfbClientPtr cl)
{
	const uint16_t code = keysym_code(symbol);

	if (code)
		press(cl->clientData, code, down);
}

/* ---- the pointer ---- */

/* What each bit of RFB's mask is; wheels are buttons to it. */
static const struct {
	uint16_t type, code;
	int32_t value;
} buttons_of[8] = {
	{ EV_KEY, BTN_LEFT, 1 },
	{ EV_KEY, BTN_MIDDLE, 1 },
	{ EV_KEY, BTN_RIGHT, 1 },
	{ EV_REL, REL_WHEEL, 1 },
	{ EV_REL, REL_WHEEL, -1 },
	{ EV_REL, REL_HWHEEL, -1 },
	{ EV_REL, REL_HWHEEL, 1 },
	{ EV_KEY, BTN_SIDE, 1 },
};

static uint32_t add_buttons(struct tenon_input_event *e, int before, int now)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < 8; i++) {
		const bool down = now >> i & 1;

		if (down == (before >> i & 1))
			continue;
		if (buttons_of[i].type == EV_KEY)
			e[n++] = (struct tenon_input_event){ EV_KEY, buttons_of[i].code, down };
		else if (down)
			e[n++] = (struct tenon_input_event){ EV_REL, buttons_of[i].code,
				buttons_of[i].value };
	}
	return n;
}

static int32_t scaled(int at, uint32_t size)
{
	return size > 1 ? (int32_t)((int64_t)at * FULL / (size - 1)) : 0;
}

static int within(int at, uint32_t size)
{
	if (at < 0)
		return 0;
	return (uint32_t)at < size ? at : (int)size - 1;
}

/* A guest with a tablet is told where the pointer is, one with a mouse how far it went. */
static void point(struct vnc_client *c, int buttons, int x, int y)
{
	const struct vnc *v = c->vnc;
	struct tenon_input_event e[2 + 8] = {
		{ EV_ABS, ABS_X, scaled(x, v->width) },
		{ EV_ABS, ABS_Y, scaled(y, v->height) },
	};
	const uint32_t n = 2 + add_buttons(e + 2, c->buttons, buttons);

	if (vnc_display->input(v->dev, TENON_INPUT_POINTER, e, n) != -ENODEV)
		return;
	e[0] = (struct tenon_input_event){ EV_REL, REL_X, x - c->x };
	e[1] = (struct tenon_input_event){ EV_REL, REL_Y, y - c->y };
	(void)vnc_display->input(v->dev, TENON_INPUT_MOUSE, e, n);
}

void people_pointer(int buttons, int x, int y, rfbClientPtr cl)
{
	struct vnc_client *c = cl->clientData;

	x = within(x, c->vnc->width);
	y = within(y, c->vnc->height);
	point(c, buttons, x, y);
	c->buttons = buttons;
	c->x = x;
	c->y = y;
}

/* ---- others ---- */

int people_resize(
	int width, int height, int n, struct rfbExtDesktopScreen *screens, rfbClientPtr cl)
{
	const struct vnc_client *c = cl->clientData;

	(void)screens;
	if (n > 1)
		return rfbExtDesktopSize_InvalidScreenLayout;
	if (vnc_display->resize(c->vnc->dev, c->vnc->screen, (uint32_t)width, (uint32_t)height) < 0)
		return rfbExtDesktopSize_ResizeProhibited;
	return rfbExtDesktopSize_Success;
}

void people_leave(struct vnc_client *c)
{
	for (uint16_t code = 0; code < VNC_KEYS; code++)
		press(c, code, false);
	if (c->buttons)
		point(c, 0, c->x, c->y);
	c->buttons = 0;
}
