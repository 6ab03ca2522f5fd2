/* SPDX-License-Identifier: Apache-2.0 */
/* The keyboard, the tablet and the mouse that viewers feed. */
#include <linux/input.h>
#include <stdio.h>

#include "input.h"

static void can_do(struct input_abilities *can, unsigned type, unsigned first, unsigned last)
{
	bit_put(&can->types, type, true);
	for (unsigned code = first; code <= last; code++)
		bit_put(&can->codes[type], code, true);
}

static void can_axis(struct input_abilities *can, unsigned code)
{
	can_do(can, EV_ABS, code, code);
	can->axes[code] = (struct input_axis){ .max = 32767 }; /* tenon/display.h */
}

/* Left, right, middle and the two at the side; both wheels. */
static void can_click(struct input_abilities *can)
{
	can_do(can, EV_KEY, BTN_LEFT, BTN_EXTRA);
	can_do(can, EV_REL, REL_WHEEL, REL_WHEEL);
	can_do(can, EV_REL, REL_HWHEEL, REL_HWHEEL);
}

static void describe_keyboard(struct input_abilities *can)
{
	can_do(can, EV_KEY, KEY_ESC, KEY_MICMUTE);
	can_do(can, EV_LED, LED_NUML, LED_SCROLLL);
	can_do(can, EV_REP, REP_DELAY, REP_PERIOD); /* the guest repeats */
}

uint32_t kind_describe(enum input_kind kind, struct input_abilities *can)
{
	static const char *const words[] = { "keyboard", "tablet", "mouse" };

	if (kind == INPUT_EVDEV)
		return 0;
	(void)snprintf(can->name, sizeof(can->name), INPUT_NAME, words[kind]);
	can->bus = BUS_VIRTUAL;
	can->product = (uint16_t)(kind + 1);
	can->version = 1;
	if (kind == INPUT_KEYBOARD) {
		describe_keyboard(can);
		return TENON_INPUT_KEYBOARD;
	}
	can_click(can);
	if (kind == INPUT_MOUSE) {
		can_do(can, EV_REL, REL_X, REL_Y);
		return TENON_INPUT_MOUSE;
	}
	can_axis(can, ABS_X);
	can_axis(can, ABS_Y);
	return TENON_INPUT_POINTER;
}
