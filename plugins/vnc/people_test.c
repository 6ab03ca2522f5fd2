/* SPDX-License-Identifier: Apache-2.0 */
/* vnc: what people type and point at reaches the guest. */
#include <linux/input-event-codes.h>
#include <rfb/keysym.h>

#include "client.h"

static const struct vnc_wish plain;

static struct tenon_input_event events[64];

/* What has come, once that many have, and a little later. */
static unsigned heard(rfbClient *c, unsigned wanted)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 50 && (i < 2 || n < wanted); i++) {
		vnc_settle(c);
		n += tk_input_events(events + n, 64 - n);
	}
	return n;
}

static void check_event(unsigned i, unsigned type, unsigned code, int value)
{
	TK_EQ(events[i].type, type);
	TK_EQ(events[i].code, code);
	TK_EQ(events[i].value, value);
}

static void check_key(rfbClient *c, uint32_t symbol, unsigned code)
{
	TK_TRUE(SendKeyEvent(c, symbol, TRUE));
	TK_TRUE(SendKeyEvent(c, symbol, FALSE));
	TK_EQ(heard(c, 2), 2);
	check_event(0, EV_KEY, code, 1);
	check_event(1, EV_KEY, code, 0);
}

TK_TEST(keys_arrive)
{
	static const struct {
		uint32_t symbol;
		unsigned code;
	} keys[] = {
		{ 'a', KEY_A },
		{ 'A', KEY_A },
		{ 'z', KEY_Z },
		{ '1', KEY_1 },
		{ '!', KEY_1 },
		{ '0', KEY_0 },
		{ '=', KEY_EQUAL },
		{ '~', KEY_GRAVE },
		{ '"', KEY_APOSTROPHE },
		{ '|', KEY_BACKSLASH },
		{ '?', KEY_SLASH },
		{ '}', KEY_RIGHTBRACE },
		{ ' ', KEY_SPACE },
		{ XK_Return, KEY_ENTER },
		{ XK_F1, KEY_F1 },
		{ XK_F10, KEY_F10 },
		{ XK_F12, KEY_F12 },
		{ XK_Shift_L, KEY_LEFTSHIFT },
		{ XK_Delete, KEY_DELETE },
		{ XK_KP_5, KEY_KP5 },
		{ XK_ISO_Level3_Shift, KEY_RIGHTALT },
	};
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		check_key(c, keys[i].symbol, keys[i].code);
	TK_TRUE(SendKeyEvent(c, 0x06c1, TRUE)); /* a letter that is on no key */
	TK_EQ(heard(c, 0), 0);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(a_key_that_is_held_is_pressed_once)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *a = vnc_join(&plain), *b = vnc_join(&plain);

	TK_TRUE(a && b);
	TK_TRUE(SendKeyEvent(a, 'x', TRUE));
	TK_TRUE(SendKeyEvent(a, 'x', TRUE));
	TK_EQ(heard(a, 1), 1);
	TK_TRUE(SendKeyEvent(b, 'x', TRUE));
	TK_EQ(heard(b, 0), 0);
	TK_TRUE(SendKeyEvent(b, 'x', FALSE));
	TK_EQ(heard(b, 0), 0); /* one still holds it */
	TK_TRUE(SendKeyEvent(a, 'x', FALSE));
	TK_EQ(heard(a, 1), 1);
	check_event(0, EV_KEY, KEY_X, 0);
	vnc_leave(a);
	vnc_leave(b);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(who_leaves_lets_go)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	TK_TRUE(SendKeyEvent(c, XK_Control_L, TRUE));
	TK_TRUE(SendPointerEvent(c, 0, 0, rfbButton1Mask));
	TK_EQ(heard(c, 1 + 3), 1 + 3);
	vnc_leave(c);
	tk_destroy(d); /* at the latest */
	TK_EQ(tk_input_events(events, 64), 1 + 3);
	check_event(0, EV_KEY, KEY_LEFTCTRL, 0);
	check_event(3, EV_KEY, BTN_LEFT, 0);
	vnc_clean_up();
}

TK_TEST(the_pointer_arrives)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	TK_TRUE(SendPointerEvent(c, (int)WIDTH - 1, 0, 0));
	TK_EQ(heard(c, 2), 2);
	check_event(0, EV_ABS, ABS_X, 32767);
	check_event(1, EV_ABS, ABS_Y, 0);
	TK_TRUE(SendPointerEvent(c, 9999, 9999, rfbButton1Mask | rfbButton3Mask));
	TK_EQ(heard(c, 4), 4);
	check_event(0, EV_ABS, ABS_X, 32767); /* and no further */
	check_event(1, EV_ABS, ABS_Y, 32767);
	check_event(2, EV_KEY, BTN_LEFT, 1);
	check_event(3, EV_KEY, BTN_RIGHT, 1);
	TK_TRUE(SendPointerEvent(c, 0, 0, rfbButton3Mask));
	TK_EQ(heard(c, 3), 3);
	check_event(2, EV_KEY, BTN_LEFT, 0);
	TK_TRUE(SendPointerEvent(c, 0, 0, 0));
	TK_EQ(heard(c, 3), 3);
	check_event(2, EV_KEY, BTN_RIGHT, 0);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_TEST(wheels_turn)
{
	struct tk_dev *d = vnc_device("");
	rfbClient *c = vnc_join(&plain);

	TK_TRUE(c);
	TK_TRUE(SendPointerEvent(c, 0, 0, rfbButton4Mask));
	TK_TRUE(SendPointerEvent(c, 0, 0, 0));
	TK_EQ(heard(c, 3 + 2), 3 + 2);
	check_event(2, EV_REL, REL_WHEEL, 1);
	TK_TRUE(SendPointerEvent(c, 0, 0, rfbButton5Mask));
	TK_TRUE(SendPointerEvent(c, 0, 0, 0));
	TK_EQ(heard(c, 3 + 2), 3 + 2);
	check_event(2, EV_REL, REL_WHEEL, -1);
	vnc_leave(c);
	tk_destroy(d);
	vnc_clean_up();
}

TK_MAIN()
