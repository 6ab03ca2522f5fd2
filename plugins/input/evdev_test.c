/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input: devices of the host.  One is played by a pseudo-terminal, through which events go both
 * ways, and by this program's ioctl(), which the plugin finds instead of the library's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <tenon/testkit.h>

/* ---- the host's device ---- */

static struct {
	int master;
	char path[64];
	struct stat st;
	uint8_t keys[KEY_CNT / 8];
	int x, grabbed;
	unsigned long fails; /* the request that does */
	int error;
} host;

static void put(uint8_t *bits, unsigned code)
{
	bits[code / 8] = (uint8_t)(bits[code / 8] | 1u << (code % 8));
}

static int answer_bits(unsigned nr, uint8_t *to, size_t size)
{
	memset(to, 0, size);
	if (nr == 0x20) {
		put(to, EV_KEY);
		put(to, EV_ABS);
		put(to, EV_LED);
		put(to, EV_REP);
		put(to, EV_FF);
	} else if (nr == 0x20 + EV_KEY) {
		put(to, KEY_A);
		put(to, KEY_MAX);
	} else if (nr == 0x20 + EV_ABS) {
		put(to, ABS_X);
		put(to, ABS_MT_POSITION_X);
	} else if (nr == 0x20 + EV_LED) {
		put(to, LED_NUML);
	} else {
		put(to, 1); /* the properties */
	}
	return (int)size;
}

static int answer(unsigned long request, void *to)
{
	const size_t size = _IOC_SIZE(request);

	if (request == EVIOCGID) {
		*(struct input_id *)to = (struct input_id){ BUS_USB, 0x1234, 0x5678, 0x0102 };
	} else if (request == EVIOCGRAB) {
		host.grabbed++;
	} else if (request == EVIOCGABS(ABS_X)) {
		*(struct input_absinfo *)to = (struct input_absinfo){ .value = host.x,
			.minimum = -5,
			.maximum = 70000,
			.fuzz = 1,
			.flat = 2,
			.resolution = 3 };
	} else if (_IOC_NR(request) == _IOC_NR(EVIOCGNAME(0))) {
		return snprintf(to, size, "A host's thing") + 1;
	} else if (_IOC_NR(request) == _IOC_NR(EVIOCGUNIQ(0))) {
		errno = ENOENT;
		return -1;
	} else if (_IOC_NR(request) == _IOC_NR(EVIOCGKEY(0))) {
		memset(to, 0, size);
		memcpy(to, host.keys, sizeof(host.keys) < size ? sizeof(host.keys) : size);
	} else {
		return answer_bits(_IOC_NR(request), to, size);
	}
	return 0;
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	struct stat st;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (_IOC_TYPE(request) != 'E' || fstat(fd, &st) < 0 || st.st_rdev != host.st.st_rdev)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	if (request != host.fails)
		return answer(request, arg);
	errno = host.error;
	return -1;
}

static void make_host(void)
{
	struct termios raw;
	int slave;

	host.master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	TK_TRUE(host.master >= 0 && grantpt(host.master) == 0 && unlockpt(host.master) == 0);
	TK_EQ(ptsname_r(host.master, host.path, sizeof(host.path)), 0);
	slave = open(host.path, O_RDWR | O_NOCTTY);
	TK_TRUE(slave >= 0 && tcgetattr(slave, &raw) == 0);
	cfmakeraw(&raw);
	TK_EQ(tcsetattr(slave, TCSANOW, &raw), 0);
	TK_EQ(fstat(slave, &host.st), 0);
	(void)close(slave);
}

static const char *settings(const char *more)
{
	static char text[160];

	if (!host.path[0])
		make_host();
	(void)snprintf(text, sizeof(text), "kind = \"evdev\"; path = \"%s\"; %s", host.path, more);
	return text;
}

static void happen(struct tk_dev *d, uint16_t type, uint16_t code, int32_t value)
{
	const struct input_event e = { .type = type, .code = code, .value = value };

	TK_EQ(write(host.master, &e, sizeof(e)), sizeof(e));
	tk_run_until_idle(d);
}

/* ---- the guest ---- */

static struct tk_buf *bufs[16];
static unsigned at_buf;

static struct tk_dev *guest(const char *more)
{
	struct tk_dev *d = tk_device("input", settings(more));

	for (unsigned i = 0; i < 16; i++)
		bufs[i] = tk_in(d, 0, 8);
	at_buf = 0;
	tk_kick(d, 0);
	tk_run_until_idle(d);
	return d;
}

static const char *next(void)
{
	static char text[48];
	uint16_t type, code;
	uint8_t wire[8];
	int32_t value;

	text[0] = '\0';
	if (at_buf == 16 || tk_used_len(bufs[at_buf]) != 8)
		return text;
	(void)tk_in_bytes(bufs[at_buf++], wire, sizeof(wire));
	memcpy(&type, wire, 2);
	memcpy(&code, wire + 2, 2);
	memcpy(&value, wire + 4, 4);
	(void)snprintf(text, sizeof(text), "%u %u %d", type, code, (int)value);
	return text;
}

static unsigned ask(struct tk_dev *d, unsigned select, unsigned subsel, uint8_t *to, unsigned room)
{
	tk_set_config(d, 0, 1, select);
	tk_set_config(d, 1, 1, subsel);
	for (unsigned i = 0; i < room; i++)
		to[i] = (uint8_t)tk_config(d, 8 + i, 1);
	return (unsigned)tk_config(d, 2, 1);
}

TK_TEST(the_guest_finds_what_the_host_has)
{
	struct tk_dev *d = guest("");
	uint8_t bytes[128];

	TK_EQ(ask(d, 1, 0, bytes, 15), 14);
	TK_MEM_EQ(bytes, "A host's thing", 15);
	TK_EQ(ask(d, 2, 0, bytes, 1), 0);
	TK_EQ(ask(d, 3, 0, bytes, 8), 8);
	TK_MEM_EQ(bytes, "\3\0\x34\x12\x78\x56\2\1", 8);
	TK_EQ(ask(d, 0x10, 0, bytes, 1), 1);
	TK_EQ(bytes[0], 2);
	TK_EQ(ask(d, 0x11, EV_KEY, bytes, 128), KEY_CNT / 8);
	TK_EQ(bytes[KEY_A / 8], 1 << KEY_A % 8);
	TK_EQ(bytes[KEY_MAX / 8], 1 << KEY_MAX % 8);
	TK_EQ(ask(d, 0x11, EV_ABS, bytes, 8), 1); /* without fingers */
	TK_EQ(ask(d, 0x11, EV_FF, bytes, 8), 0);
	TK_EQ(ask(d, 0x12, ABS_X, bytes, 20), 20);
	TK_MEM_EQ(bytes, "\xfb\xff\xff\xff\x70\x11\1\0\1\0\0\0\2\0\0\0\3\0\0\0", 20);
}

TK_TEST(events_of_the_host_arrive)
{
	struct tk_dev *d = guest("");

	happen(d, EV_KEY, KEY_A, 1);
	TK_STR(next(), "1 30 1");
	TK_STR(next(), "");
	happen(d, EV_KEY, KEY_A, 2); /* the guest repeats by itself */
	happen(d, EV_LED, LED_NUML, 1);
	happen(d, EV_KEY, KEY_B, 1); /* which it did not say that it has */
	happen(d, EV_SYN, SYN_REPORT, 0);
	TK_STR(next(), "0 0 0");
	TK_STR(next(), "");
}

TK_TEST(what_is_pressed_is_told_to_a_driver_that_comes)
{
	struct tk_dev *d;

	put(host.keys, KEY_A);
	host.x = 77;
	d = guest("");
	TK_STR(next(), "3 0 77");
	TK_STR(next(), "1 30 1");
	TK_STR(next(), "0 0 0");
	happen(d, EV_KEY, KEY_A, 0);
	happen(d, EV_SYN, SYN_REPORT, 0);
	TK_STR(next(), "1 30 0");
}

TK_TEST(what_the_host_lost_is_asked_for)
{
	struct tk_dev *d = guest("");

	happen(d, EV_KEY, KEY_A, 1);
	happen(d, EV_SYN, SYN_REPORT, 0);
	TK_STR(next(), "1 30 1");
	TK_STR(next(), "0 0 0");
	happen(d, EV_SYN, SYN_DROPPED, 0);
	happen(d, EV_KEY, KEY_MAX, 1); /* of no use */
	TK_STR(next(), "");
	host.x = 5;
	happen(d, EV_SYN, SYN_REPORT, 0);
	TK_STR(next(), "1 30 0"); /* it is not down any more */
	TK_STR(next(), "3 0 5");
	TK_STR(next(), "0 0 0");
	TK_STR(next(), "");
}

TK_TEST(lights_reach_the_host)
{
	static const uint8_t wire[8] = { EV_LED, 0, LED_NUML, 0, 1 };
	static const uint8_t other[8] = { EV_LED, 0, LED_MAIL, 0, 1 };
	static const uint8_t key[8] = { EV_KEY, 0, KEY_A, 0, 1 };
	struct tk_dev *d = guest("");
	struct input_event e[4];

	(void)tk_out(d, 1, other, 8);
	(void)tk_out(d, 1, key, 8);
	(void)tk_out(d, 1, wire, 8);
	tk_kick(d, 1);
	tk_run_until_idle(d);
	TK_EQ(read(host.master, e, sizeof(e)), sizeof(e[0]));
	TK_EQ(e[0].type, EV_LED);
	TK_EQ(e[0].code, LED_NUML);
	TK_EQ(e[0].value, 1);
	(void)tk_out(d, 1, wire, 8);
	tk_fail_nth(TK_FAIL_WRITE, 1);
	tk_kick(d, 1);
	tk_run_until_idle(d);
	TK_TRUE(tk_log_has("cannot set a light or a sound"));
}

TK_TEST(a_device_that_goes_lets_go_of_its_keys)
{
	struct tk_dev *d = guest("");

	happen(d, EV_KEY, KEY_A, 1);
	happen(d, EV_SYN, SYN_REPORT, 0);
	(void)next();
	(void)next();
	(void)close(host.master);
	tk_run_until_idle(d);
	TK_STR(next(), "1 30 0");
	TK_STR(next(), "0 0 0");
	TK_TRUE(tk_log_has("has gone"));
}

TK_TEST(nothing_is_read_while_it_is_quiesced)
{
	struct tk_dev *d = guest("");

	TK_EQ(tk_quiesce(d), 0);
	happen(d, EV_KEY, KEY_A, 1);
	TK_STR(next(), "");
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	TK_STR(next(), "1 30 1");
}

TK_TEST(is_grabbed_where_that_is_wanted)
{
	(void)guest("");
	TK_EQ(host.grabbed, 0);
	(void)guest("name = \"b\"; grab = true;");
	TK_EQ(host.grabbed, 1);
}

TK_TEST(one_that_is_taken_is_said)
{
	struct tk_dev *d = tk_create("input", settings("grab = true;"));
	char text[200];

	host.fails = EVIOCGRAB;
	host.error = EBUSY;
	TK_EQ(tk_attach(d), -EBUSY);
	(void)snprintf(text, sizeof(text), "input: \"%s\" cannot be grabbed: somebody else has it",
		host.path);
	TK_STR(tk_error(), text);
}

TK_TEST(what_is_no_device_is_said)
{
	struct tk_dev *d = tk_create("input", "kind = \"evdev\"; path = \"/dev/null\";");

	TK_EQ(tk_attach(d), -ENOTTY);
	TK_STR(tk_error(), "input: \"/dev/null\": EVIOCGID: it is no evdev device");
	d = tk_create("input", "name = \"b\"; kind = \"evdev\"; path = \"/nowhere\";");
	TK_EQ(tk_attach(d), -ENOENT);
	TK_STR(tk_error(), "b: cannot open the device \"/nowhere\": No such file or directory");
}

TK_TEST(every_fault_is_survived)
{
	/* open, window, map, irq, add and the watch */
	TK_EQ(tk_fault_sweep("input", settings("")), 6);
}

TK_TEST(stands_the_hostile_driver)
{
	TK_TRUE(tk_hostile_run(tk_device("input", settings(""))) > 200);
}

TK_MAIN()
