/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a key means to where it is: clients say keysyms, guests want to hear of keys.
 *
 * The keys are those of a US keyboard.  Shift is a key of its own and comes by itself, so that both
 * meanings of a key lead to it.
 */
#include <linux/input-event-codes.h>
#include <rfb/keysym.h>

#include "vnc.h"

/* Keys that lie, and are numbered, side by side. */
static const struct row {
	const char *plain, *shifted;
	uint16_t first;
} rows[] = {
	{ "1234567890-=", "!@#$%^&*()_+", KEY_1 },
	{ "qwertyuiop[]", "QWERTYUIOP{}", KEY_Q },
	{ "asdfghjkl;'`", "ASDFGHJKL:\"~", KEY_A },
	{ "\\zxcvbnm,./", "|ZXCVBNM<>?", KEY_BACKSLASH },
	{ " ", " ", KEY_SPACE },
};

static const struct {
	uint32_t symbol;
	uint16_t code;
} others[] = {
	{ XK_BackSpace, KEY_BACKSPACE },
	{ XK_Tab, KEY_TAB },
	{ XK_ISO_Left_Tab, KEY_TAB },
	{ XK_Linefeed, KEY_ENTER },
	{ XK_Return, KEY_ENTER },
	{ XK_Pause, KEY_PAUSE },
	{ XK_Break, KEY_PAUSE },
	{ XK_Scroll_Lock, KEY_SCROLLLOCK },
	{ XK_Sys_Req, KEY_SYSRQ },
	{ XK_Print, KEY_SYSRQ },
	{ XK_Escape, KEY_ESC },
	{ XK_Home, KEY_HOME },
	{ XK_Left, KEY_LEFT },
	{ XK_Up, KEY_UP },
	{ XK_Right, KEY_RIGHT },
	{ XK_Down, KEY_DOWN },
	{ XK_Page_Up, KEY_PAGEUP },
	{ XK_Page_Down, KEY_PAGEDOWN },
	{ XK_End, KEY_END },
	{ XK_Insert, KEY_INSERT },
	{ XK_Delete, KEY_DELETE },
	{ XK_Menu, KEY_COMPOSE },
	{ XK_Num_Lock, KEY_NUMLOCK },
	{ XK_KP_Enter, KEY_KPENTER },
	{ XK_KP_Home, KEY_KP7 },
	{ XK_KP_Left, KEY_KP4 },
	{ XK_KP_Up, KEY_KP8 },
	{ XK_KP_Right, KEY_KP6 },
	{ XK_KP_Down, KEY_KP2 },
	{ XK_KP_Page_Up, KEY_KP9 },
	{ XK_KP_Page_Down, KEY_KP3 },
	{ XK_KP_End, KEY_KP1 },
	{ XK_KP_Begin, KEY_KP5 },
	{ XK_KP_Insert, KEY_KP0 },
	{ XK_KP_Delete, KEY_KPDOT },
	{ XK_KP_Equal, KEY_KPEQUAL },
	{ XK_KP_Multiply, KEY_KPASTERISK },
	{ XK_KP_Add, KEY_KPPLUS },
	{ XK_KP_Separator, KEY_KPCOMMA },
	{ XK_KP_Subtract, KEY_KPMINUS },
	{ XK_KP_Decimal, KEY_KPDOT },
	{ XK_KP_Divide, KEY_KPSLASH },
	{ XK_KP_0, KEY_KP0 },
	{ XK_KP_1, KEY_KP1 },
	{ XK_KP_2, KEY_KP2 },
	{ XK_KP_3, KEY_KP3 },
	{ XK_KP_4, KEY_KP4 },
	{ XK_KP_5, KEY_KP5 },
	{ XK_KP_6, KEY_KP6 },
	{ XK_KP_7, KEY_KP7 },
	{ XK_KP_8, KEY_KP8 },
	{ XK_KP_9, KEY_KP9 },
	{ XK_F11, KEY_F11 },
	{ XK_F12, KEY_F12 },
	{ XK_Shift_L, KEY_LEFTSHIFT },
	{ XK_Shift_R, KEY_RIGHTSHIFT },
	{ XK_Control_L, KEY_LEFTCTRL },
	{ XK_Control_R, KEY_RIGHTCTRL },
	{ XK_Caps_Lock, KEY_CAPSLOCK },
	{ XK_Meta_L, KEY_LEFTALT },
	{ XK_Meta_R, KEY_RIGHTALT },
	{ XK_Alt_L, KEY_LEFTALT },
	{ XK_Alt_R, KEY_RIGHTALT },
	{ XK_ISO_Level3_Shift, KEY_RIGHTALT },
	{ XK_Mode_switch, KEY_RIGHTALT },
	{ XK_Super_L, KEY_LEFTMETA },
	{ XK_Super_R, KEY_RIGHTMETA },
};

static uint16_t in_row(const struct row *row, uint32_t symbol)
{
	for (uint16_t i = 0; row->plain[i]; i++)
		if ((unsigned char)row->plain[i] == symbol ||
			(unsigned char)row->shifted[i] == symbol)
			return (uint16_t)(row->first + i);
	return 0;
}

uint16_t keysym_code(uint32_t symbol)
{
	uint16_t code;

	if (symbol >= XK_F1 && symbol <= XK_F10)
		return (uint16_t)(KEY_F1 + (symbol - XK_F1));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		code = in_row(&rows[i], symbol);
		if (code)
			return code;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].symbol == symbol)
			return others[i].code;
	return 0;
}
