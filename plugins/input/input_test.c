/* SPDX-License-Identifier: Apache-2.0 */
/* input: what the driver finds, what viewers hand on, what happens when nobody takes it. */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <linux/virtio_input.h>
#include <stdio.h>
#include <stdlib.h>

#include <tenon/display.h>
#include <tenon/testkit.h>

/* ---- the driver ---- */

static unsigned ask(struct tk_dev *d, unsigned select, unsigned subsel, uint8_t *to)
{
	unsigned size;

	tk_set_config(d, 0, 1, select);
	tk_set_config(d, 1, 1, subsel);
	size = (unsigned)tk_config(d, 2, 1);
	for (unsigned i = 0; i < 128; i++)
		to[i] = (uint8_t)tk_config(d, 8 + i, 1);
	return size;
}

static int has_code(struct tk_dev *d, unsigned type, unsigned code)
{
	uint8_t bits[128];
	unsigned size = ask(d, VIRTIO_INPUT_CFG_EV_BITS, type, bits);

	return code / 8 < size && (bits[code / 8] >> (code % 8) & 1);
}

#define MAX_BUFS 64

static struct tk_buf *bufs[MAX_BUFS];
static unsigned n_bufs, at_buf;

static void offer(struct tk_dev *d, unsigned n)
{
	while (n-- > 0) {
		bufs[n_bufs % MAX_BUFS] = tk_in(d, 0, 8);
		n_bufs++;
	}
	tk_kick(d, 0);
	tk_run_until_idle(d);
}

/* The next event as "TYPE CODE VALUE"; "" = none has come. */
static const char *next(void)
{
	static char text[48];
	struct virtio_input_event e;

	text[0] = '\0';
	if (at_buf == n_bufs || tk_used_len(bufs[at_buf % MAX_BUFS]) < 0)
		return text;
	TK_EQ(tk_used_len(bufs[at_buf % MAX_BUFS]), 8);
	TK_EQ(tk_in_bytes(bufs[at_buf % MAX_BUFS], &e, sizeof(e)), 8);
	tk_free(bufs[at_buf++ % MAX_BUFS]);
	(void)snprintf(text, sizeof(text), "%u %u %d", e.type, e.code, (int)e.value);
	return text;
}

/* A driver takes everything that there is; the last event of each code is kept. */
static unsigned drain(struct tk_dev *d, struct tenon_input_event *last, unsigned room)
{
	uint16_t type, code;
	const char *text;
	unsigned n = 0;
	int32_t value;
	char *end;

	for (;;) {
		if (at_buf == n_bufs)
			offer(d, 32);
		text = next();
		if (!text[0])
			return n;
		type = (uint16_t)strtoul(text, &end, 10);
		code = (uint16_t)strtoul(end, &end, 10);
		value = (int32_t)strtol(end, &end, 10);
		TK_EQ(*end, 0);
		if (n < room)
			last[n] = (struct tenon_input_event){ type, code, value };
		n++;
	}
}

static void press(uint16_t code, int32_t value)
{
	const struct tenon_input_event e = { EV_KEY, code, value };

	TK_EQ(tk_input(TENON_INPUT_KEYBOARD, &e, 1), 0);
}

/* ---- what it is ---- */

TK_TEST(is_a_keyboard)
{
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\"; serial = \"K-1\";");
	uint8_t bytes[128];

	TK_EQ(tk_device_id(d), 18);
	TK_EQ(tk_n_queues(d), 2);
	TK_EQ(ask(d, VIRTIO_INPUT_CFG_ID_NAME, 0, bytes), 14);
	TK_MEM_EQ(bytes, "Tenon keyboard", 15);
	TK_EQ(ask(d, VIRTIO_INPUT_CFG_ID_SERIAL, 0, bytes), 3);
	TK_MEM_EQ(bytes, "K-1", 4);
	TK_EQ(ask(d, VIRTIO_INPUT_CFG_ID_DEVIDS, 0, bytes), 8);
	TK_MEM_EQ(bytes, "\6\0\0\0\1\0\1\0", 8);
	TK_EQ(ask(d, VIRTIO_INPUT_CFG_PROP_BITS, 0, bytes), 0);
	TK_TRUE(has_code(d, EV_KEY, KEY_A) && has_code(d, EV_KEY, KEY_COMPOSE));
	TK_TRUE(!has_code(d, EV_KEY, BTN_LEFT) && !has_code(d, EV_KEY, 0));
	TK_TRUE(has_code(d, EV_LED, LED_CAPSL) && has_code(d, EV_REP, REP_DELAY));
	TK_TRUE(!has_code(d, EV_ABS, ABS_X) && !has_code(d, EV_REL, REL_X));
}

TK_TEST(is_a_tablet)
{
	struct tk_dev *d = tk_device("input", "kind = \"tablet\";");
	uint8_t bytes[128];

	TK_EQ(ask(d, VIRTIO_INPUT_CFG_ID_SERIAL, 0, bytes), 0);
	TK_EQ(ask(d, VIRTIO_INPUT_CFG_ABS_INFO, ABS_Y, bytes), 20);
	TK_MEM_EQ(bytes, "\0\0\0\0\xff\x7f\0\0\0\0\0\0", 12);
	TK_EQ(ask(d, VIRTIO_INPUT_CFG_ABS_INFO, ABS_Z, bytes), 0);
	TK_TRUE(has_code(d, EV_KEY, BTN_LEFT) && has_code(d, EV_KEY, BTN_EXTRA));
	TK_TRUE(has_code(d, EV_ABS, ABS_X) && has_code(d, EV_REL, REL_WHEEL));
	TK_TRUE(!has_code(d, EV_REL, REL_X) && !has_code(d, EV_KEY, KEY_A));
}

TK_TEST(is_a_mouse)
{
	struct tk_dev *d = tk_device("input", "kind = \"mouse\";");

	TK_TRUE(has_code(d, EV_REL, REL_X) && has_code(d, EV_REL, REL_Y));
	TK_TRUE(has_code(d, EV_REL, REL_HWHEEL) && has_code(d, EV_KEY, BTN_MIDDLE));
	TK_TRUE(!has_code(d, EV_ABS, ABS_X));
}

TK_TEST(what_it_has_not_got_is_empty)
{
	struct tk_dev *d = tk_device("input", "kind = \"tablet\";");
	uint8_t bytes[128];

	for (unsigned select = 0; select < 256; select++) {
		TK_EQ(ask(d, select, 77, bytes), 0);
		TK_EQ(bytes[0], 0);
	}
	tk_set_config(d, 2, 1, 9); /* cannot be written */
	TK_EQ(tk_config(d, 2, 1), 0);
	TK_EQ(tk_irqs(d), 0);
}

/* ---- events ---- */

TK_TEST(a_key_arrives_with_its_end)
{
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\";");

	offer(d, 8);
	press(KEY_A, 1);
	tk_run_until_idle(d);
	TK_STR(next(), "1 30 1");
	TK_STR(next(), "0 0 0");
	TK_STR(next(), "");
	TK_EQ(tk_irqs(d), 1);
	press(KEY_A, 0);
	tk_run_until_idle(d);
	TK_STR(next(), "1 30 0");
	TK_STR(next(), "0 0 0");
}

TK_TEST(a_packet_stays_together)
{
	const struct tenon_input_event move[] = { { EV_ABS, ABS_X, 100 }, { EV_ABS, ABS_Y, 32767 },
		{ EV_KEY, BTN_LEFT, 1 }, { EV_REL, REL_WHEEL, -1 } };
	struct tk_dev *d = tk_device("input", "kind = \"tablet\";");

	offer(d, 5);
	TK_EQ(tk_input(TENON_INPUT_POINTER, move, 4), 0);
	tk_run_until_idle(d);
	TK_STR(next(), "3 0 100");
	TK_STR(next(), "3 1 32767");
	TK_STR(next(), "1 272 1");
	TK_STR(next(), "2 8 -1");
	TK_STR(next(), "0 0 0");
}

TK_TEST(what_it_cannot_do_is_left_out)
{
	const struct tenon_input_event odd[] = { { EV_KEY, BTN_LEFT, 1 }, { EV_ABS, ABS_X, 3 },
		{ EV_LED, LED_CAPSL, 1 }, { EV_SYN, 0, 0 }, { 0xffff, 0xffff, 1 },
		{ EV_KEY, 0x7fff, 1 }, { EV_KEY, KEY_B, 1 } };
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\";");

	offer(d, 8);
	TK_EQ(tk_input(TENON_INPUT_KEYBOARD, odd, 6), 0);
	tk_run_until_idle(d);
	TK_STR(next(), "");
	TK_EQ(tk_input(TENON_INPUT_KEYBOARD, odd, 7), 0);
	tk_run_until_idle(d);
	TK_STR(next(), "1 48 1");
	TK_STR(next(), "0 0 0");
	TK_STR(next(), "");
}

TK_TEST(takes_what_its_kind_takes)
{
	const struct tenon_input_event e = { EV_KEY, BTN_LEFT, 1 };
	struct tk_dev *d = tk_device("input", "kind = \"mouse\";");

	TK_EQ(tk_input(TENON_INPUT_KEYBOARD, &e, 1), -ENODEV);
	TK_EQ(tk_input(TENON_INPUT_POINTER, &e, 1), -ENODEV);
	TK_EQ(tk_input(TENON_INPUT_MOUSE, &e, 1), 0);
	tk_run_until_idle(d);
}

/* ---- overflow ---- */

TK_TEST(events_wait_for_room)
{
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\";");

	offer(d, 1);
	press(KEY_A, 1);
	press(KEY_A, 0);
	tk_run_until_idle(d);
	TK_STR(next(), "1 30 1");
	TK_STR(next(), "");
	offer(d, 2);
	TK_STR(next(), "0 0 0");
	TK_STR(next(), "1 30 0");
	TK_STR(next(), "");
	offer(d, 2);
	TK_STR(next(), "0 0 0");
	TK_STR(next(), "");
}

/* Far more than there is room for: what was pressed is released, and nothing else is down. */
TK_TEST(no_release_is_lost)
{
	static struct tenon_input_event seen[4096];
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\";");
	int down[256] = { 0 };
	unsigned n;

	press(KEY_LEFTSHIFT, 1);
	tk_run_until_idle(d);
	for (unsigned i = 0; i < 3000; i++) {
		press((uint16_t)(KEY_Q + i % 10), i / 10 % 2 == 0);
		tk_run_until_idle(d);
	}
	press(KEY_LEFTSHIFT, 0);
	press(KEY_F5, 1);
	tk_run_until_idle(d);
	n = drain(d, seen, 4096);
	TK_TRUE(n > 1000 && n < 1100);
	for (unsigned i = 0; i < n; i++)
		if (seen[i].type == EV_KEY)
			down[seen[i].code] = seen[i].value;
	for (int i = 0; i < 256; i++)
		TK_EQ(down[i], i == KEY_F5);
	TK_EQ(seen[n - 1].type, EV_SYN);
}

TK_TEST(positions_are_the_last_and_moves_add_up)
{
	static struct tenon_input_event seen[4096];
	struct tk_dev *t = tk_device("input", "kind = \"tablet\";");
	int x = -1, wheel = 0;
	unsigned n;

	for (int i = 0; i < 2000; i++) {
		const struct tenon_input_event e[] = { { EV_ABS, ABS_X, i },
			{ EV_REL, REL_WHEEL, 1 } };

		TK_EQ(tk_input(TENON_INPUT_POINTER, e, 2), 0);
		tk_run_until_idle(t);
	}
	n = drain(t, seen, 4096);
	TK_TRUE(n < 1100);
	for (unsigned i = 0; i < n; i++) {
		if (seen[i].type == EV_ABS)
			x = seen[i].value;
		if (seen[i].type == EV_REL)
			wheel += seen[i].value;
	}
	TK_EQ(x, 1999);
	TK_EQ(wheel, 2000);
}

TK_TEST(after_it_has_caught_up_all_is_as_before)
{
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\";");

	for (unsigned i = 0; i < 600; i++) {
		press(KEY_A, i % 2 == 0);
		tk_run_until_idle(d);
	}
	TK_TRUE(drain(d, NULL, 0) > 1000);
	press(KEY_B, 1);
	press(KEY_B, 0);
	tk_run_until_idle(d);
	TK_STR(next(), "1 48 1");
	TK_STR(next(), "0 0 0");
	TK_STR(next(), "1 48 0");
	TK_STR(next(), "0 0 0");
}

/* ---- life ---- */

TK_TEST(lights_are_taken)
{
	const struct virtio_input_event led = { EV_LED, LED_CAPSL, 1 };
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\";");
	struct tk_buf *a = tk_out(d, 1, &led, sizeof(led)), *b = tk_out(d, 1, "abc", 3);

	tk_kick(d, 1);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(a), 0);
	TK_EQ(tk_used_len(b), 0);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
}

TK_TEST(a_buffer_that_is_too_small_is_a_fault)
{
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\";");

	(void)tk_in(d, 0, 7);
	tk_kick(d, 0);
	press(KEY_A, 1);
	tk_run_until_idle(d);
	TK_TRUE(tk_status(d) & TK_S_NEEDS_RESET);
	TK_TRUE(tk_log_has("an event buffer has less than 8 bytes"));
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	n_bufs = at_buf = 0;
	offer(d, 2);
	press(KEY_B, 1);
	tk_run_until_idle(d);
	TK_STR(next(), "1 48 1");
}

TK_TEST(a_reset_forgets_what_waits)
{
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\";");

	press(KEY_A, 1);
	tk_run_until_idle(d);
	tk_driver_reset(d);
	press(KEY_B, 1); /* nobody is there */
	tk_run_until_idle(d);
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	offer(d, 4);
	TK_STR(next(), "");
	press(KEY_C, 1);
	tk_run_until_idle(d);
	TK_STR(next(), "1 46 1");
}

TK_TEST(nothing_moves_while_it_is_quiesced)
{
	struct tk_dev *d = tk_device("input", "kind = \"keyboard\";");

	offer(d, 4);
	TK_EQ(tk_quiesce(d), 0);
	press(KEY_A, 1);
	tk_run_until_idle(d);
	TK_STR(next(), "");
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_STR(next(), "1 30 1");
}

TK_TEST(settings_are_checked)
{
	TK_TRUE(tk_create("input", "") == NULL);
	TK_HAS_TEXT(tk_error(), "kind");
	TK_TRUE(tk_create("input", "kind = \"evdev\";") == NULL);
	TK_STR(tk_error(), "input: \"path\" is missing; kind \"evdev\" is a device of the host, as "
			   "\"/dev/input/event0\"");
	TK_TRUE(tk_create("input", "kind = \"mouse\"; path = \"/dev/null\";") == NULL);
	TK_STR(tk_error(), "input: \"path\" is for kind \"evdev\", this is a \"mouse\"");
	TK_TRUE(tk_create("input", "kind = \"tablet\"; grab = true;") == NULL);
	TK_STR(tk_error(), "input: \"grab\" is for kind \"evdev\", this is a \"tablet\"");
}

TK_TEST(a_long_serial_is_refused)
{
	char settings[256];

	(void)snprintf(settings, sizeof(settings), "kind = \"mouse\"; serial = \"%0129d\";", 1);
	TK_TRUE(tk_create("input", settings) == NULL);
	TK_STR(tk_error(), "input: \"serial\" has 129 bytes; it can have 128");
	(void)snprintf(settings, sizeof(settings), "kind = \"mouse\"; serial = \"%0128d\";", 1);
	TK_TRUE(tk_create("input", settings) != NULL);
}

TK_TEST(every_fault_is_survived)
{
	/* window, map, irq, add and input */
	TK_EQ(tk_fault_sweep("input", "kind = \"keyboard\";"), 5);
}

TK_TEST(stands_the_hostile_driver)
{
	TK_TRUE(tk_hostile_run(tk_device("input", "kind = \"tablet\";")) > 200);
}

TK_MAIN()
