/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device of the host, handed on to the guest.
 *
 * Fingers of touch screens (ABS_MT_*) are left out: they have a protocol of their own, which does
 * not bear that events are put together.  Such a device is one with a single pointer then.
 */
#include <endian.h>
#include <errno.h>
#include <linux/input.h>
#include <string.h>
#include <sys/ioctl.h>

#include "input.h"

#define BATCH 32 /* events of one read */

/* ---- what it can do ---- */

static int refuse(const struct input *in, int err, const char *what)
{
	return tenon_failf(input_host, in->dev, err, "\"%s\": %s: %s", in->path, what,
		err == -ENOTTY || err == -EINVAL ? "it is no evdev device" : strerror(-err));
}

/* The kernel's are words of the host, the wire's are bytes. */
static int ask_bits(const struct input *in, unsigned long request, struct input_bits *ret_bits)
{
	unsigned long words[INPUT_BYTES / sizeof(unsigned long)] = { 0 };

	if (ioctl(in->fd, request, words) < 0)
		return -errno;
	memset(ret_bits, 0, sizeof(*ret_bits));
	for (unsigned i = 0; i < INPUT_BYTES * 8; i++) {
		const unsigned per = 8 * sizeof(words[0]);

		bit_put(ret_bits, i, words[i / per] >> (i % per) & 1);
	}
	return 0;
}

static int ask_axes(struct input *in)
{
	for (unsigned code = 0; code < ABS_CNT; code++) {
		struct input_absinfo info = { 0 };

		if (code >= ABS_MT_SLOT)
			bit_put(&in->can.codes[EV_ABS], code, false);
		if (!input_can(&in->can, EV_ABS, code))
			continue;
		if (ioctl(in->fd, EVIOCGABS(code), &info) < 0)
			return -errno;
		in->can.axes[code] = (struct input_axis){ info.minimum, info.maximum, info.fuzz,
			info.flat, info.resolution };
	}
	return 0;
}

static int ask_codes(struct input *in)
{
	static const uint8_t types[] = { EV_KEY, EV_REL, EV_ABS, EV_MSC, EV_SW, EV_LED, EV_SND };
	struct input_bits has;
	int ret = ask_bits(in, EVIOCGBIT(0, INPUT_BYTES), &has);

	for (unsigned i = 0; i < sizeof(types) && ret == 0; i++) {
		if (!bit_is_set(&has, types[i]))
			continue;
		bit_put(&in->can.types, types[i], true);
		ret = ask_bits(in, EVIOCGBIT(types[i], INPUT_BYTES), &in->can.codes[types[i]]);
	}
	/* What the host repeats is not handed on: the guest repeats by itself. */
	if (ret == 0 && bit_is_set(&has, EV_REP)) {
		bit_put(&in->can.types, EV_REP, true);
		bit_put(&in->can.codes[EV_REP], REP_DELAY, true);
		bit_put(&in->can.codes[EV_REP], REP_PERIOD, true);
	}
	return ret == 0 ? ask_axes(in) : ret;
}

static int ask(struct input *in)
{
	struct input_id id;
	int ret;

	if (ioctl(in->fd, EVIOCGID, &id) < 0)
		return refuse(in, -errno, "EVIOCGID");
	in->can.bus = id.bustype;
	in->can.vendor = id.vendor;
	in->can.product = id.product;
	in->can.version = id.version;
	/* Not every device has a name or a serial number. */
	(void)ioctl(in->fd, EVIOCGNAME(INPUT_BYTES), in->can.name);
	if (!in->can.serial[0])
		(void)ioctl(in->fd, EVIOCGUNIQ(INPUT_BYTES), in->can.serial);
	in->can.name[INPUT_BYTES] = in->can.serial[INPUT_BYTES] = '\0';
	ret = ask_bits(in, EVIOCGPROP(INPUT_BYTES), &in->can.properties);
	if (ret < 0)
		return refuse(in, ret, "EVIOCGPROP");
	ret = ask_codes(in);
	return ret < 0 ? refuse(in, ret, "EVIOCGBIT") : 0;
}

/* ---- its events ---- */

/* What the device is in, after events were lost and when it is looked at again. */
static void take_state(struct input *in)
{
	struct input_state *s;
	struct input_bits bits;

	if (in->fd < 0 || !in->running)
		return;
	s = queue_state(&in->queue);
	if (ask_bits(in, EVIOCGKEY(INPUT_BYTES), &bits) == 0)
		s->keys = bits;
	if (bit_is_set(&in->can.types, EV_SW) && ask_bits(in, EVIOCGSW(INPUT_BYTES), &bits) == 0)
		s->switches = bits;
	for (unsigned code = 0; code < ABS_CNT; code++) {
		struct input_absinfo info = { 0 };

		if (input_can(&in->can, EV_ABS, code) && ioctl(in->fd, EVIOCGABS(code), &info) == 0)
			s->axes[code] = info.value;
	}
}

/* Nobody holds a key of a device that has gone. */
static void gone(struct input *in, int err)
{
	tenon_logf(input_host, in->dev, TENON_LOG_WARN, "\"%s\" has gone: %s", in->path,
		strerror(err));
	input_event->fd_remove(in->watch);
	in->watch = NULL;
	if (in->running)
		memset(&queue_state(&in->queue)->keys, 0, sizeof(struct input_bits));
}

static void take(struct input *in, const struct input_event *raw)
{
	const struct tenon_input_event event = { raw->type, raw->code, raw->value };

	if (raw->type == EV_SYN && raw->code == SYN_DROPPED) {
		in->dropped = true;
	} else if (raw->type == EV_SYN && raw->code == SYN_REPORT && in->dropped) {
		in->dropped = false;
		take_state(in);
	} else if (raw->type == EV_SYN && raw->code == SYN_REPORT) {
		queue_end(&in->queue);
	} else if (!in->dropped && in->running && !(raw->type == EV_KEY && raw->value == 2)) {
		queue_put(&in->queue, &in->can, &event); /* which passes over other EV_SYN */
	}
}

static void readable(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct input *in = arg;
	struct input_event raw[BATCH];
	ssize_t got = read(in->fd, raw, sizeof(raw));

	(void)dev;
	(void)events;
	if (got < 0 && errno != EAGAIN && errno != EINTR)
		gone(in, errno);
	else if (got == 0)
		gone(in, ENODEV);
	for (ssize_t i = 0; i < got / (ssize_t)sizeof(raw[0]); i++)
		take(in, &raw[i]);
	input_flush(in);
}

void evdev_status(struct input *in, uint16_t type, uint16_t code, int32_t value)
{
	const struct input_event event = { .type = type, .code = code, .value = value };

	if (in->fd < 0 || (type != EV_LED && type != EV_SND) || !input_can(&in->can, type, code))
		return;
	if (write(in->fd, &event, sizeof(event)) != (ssize_t)sizeof(event))
		tenon_logf(input_host, in->dev, TENON_LOG_WARN,
			"\"%s\": cannot set a light or a sound: %s", in->path, strerror(errno));
}

/* ---- life ---- */

int evdev_attach(struct input *in)
{
	int ret = tenon_open(input_host, in->dev, "the device", in->path, O_RDWR | O_NONBLOCK);

	if (ret < 0)
		return ret;
	in->fd = ret;
	ret = ask(in);
	if (ret == 0 && in->grab && ioctl(in->fd, EVIOCGRAB, 1) < 0)
		ret = tenon_failf(input_host, in->dev, -errno, "\"%s\" cannot be grabbed: %s",
			in->path, errno == EBUSY ? "somebody else has it" : strerror(errno));
	return ret;
}

int evdev_start(struct input *in)
{
	if (in->fd < 0 || in->watch)
		return 0;
	return input_event->fd_add(in->dev, in->fd, TENON_FD_READ, readable, in, &in->watch);
}

void evdev_activate(struct input *in)
{
	take_state(in);
}

void evdev_stop(struct input *in)
{
	input_event->fd_remove(in->watch);
	in->watch = NULL;
}

void evdev_detach(struct input *in)
{
	evdev_stop(in);
	tenon_close(in->fd); /* which ends a grab */
	in->fd = -1;
}
