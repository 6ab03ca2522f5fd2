/* SPDX-License-Identifier: Apache-2.0 */
/* input: the virtio-input device, its settings, its two queues and its life. */
#include "input.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS, STATUS, N_QUEUES };

const struct tenon_host *input_host;
const struct tenon_virtio *input_virtio;
const struct tenon_event *input_event;
const struct tenon_display *input_display;

/* ---- the event queue ---- */

/* False = the driver gave something that no event fits into. */
static bool give(struct input *in, struct tenon_vq *vq, const struct tenon_chain *c,
	const struct tenon_input_event *event)
{
	const struct input_event_wire wire = { htole16(event->type), htole16(event->code),
		htole32((uint32_t)event->value) };

	if (c->in_bytes < sizeof(wire)) {
		in->running = false; /* until the next driver */
		input_virtio->fault(in->dev, "an event buffer has less than 8 bytes");
		return false;
	}
	(void)tenon_iov_from_buf(c->in, c->n_in, 0, &wire, sizeof(wire));
	input_virtio->push(vq, c, sizeof(wire));
	return true;
}

/* An event and room for it; 0 = one of the two is missing. */
static int next(struct input *in, struct tenon_vq *vq, struct tenon_chain *ret_chain,
	struct tenon_input_event *ret_event)
{
	if (!queue_take(&in->queue, ret_event))
		return 0;
	if (input_virtio->pop(vq, ret_chain) > 0)
		return 1;
	queue_untake(&in->queue);
	return 0;
}

void input_flush(struct input *in)
{
	struct tenon_vq *vq = input_virtio->queue(in->dev, EVENTS);
	struct tenon_input_event event;
	struct tenon_chain c;

	if (!in->running)
		return;
	while (next(in, vq, &c, &event))
		if (!give(in, vq, &c, &event))
			return;
	input_virtio->notify(vq);
}

/* ---- the status queue ---- */

static void input_status(struct input *in, struct tenon_vq *vq)
{
	unsigned left = 64; /* before others get their turn */
	struct input_event_wire wire;
	struct tenon_chain c;

	while (left-- > 0 && input_virtio->pop(vq, &c) > 0) {
		size_t got = tenon_iov_to_buf(c.out, c.n_out, 0, &wire, sizeof(wire));

		if (got == sizeof(wire))
			evdev_status(in, le16toh(wire.type), le16toh(wire.code),
				(int32_t)le32toh(wire.value));
		input_virtio->push(vq, &c, 0);
	}
	input_virtio->notify(vq);
}

static void input_queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct input *in = input_host->priv(dev);

	if (index == EVENTS)
		input_flush(in);
	else
		input_status(in, vq);
}

static int input_activate(struct tenon_dev *dev, uint64_t features)
{
	struct input *in = input_host->priv(dev);

	(void)features;
	in->running = true;
	evdev_activate(in);
	return 0;
}

/* What was pressed for one driver is no news for the next. */
static void input_forget(struct tenon_dev *dev)
{
	struct input *in = input_host->priv(dev);

	in->running = false;
	queue_clear(&in->queue);
}

static const struct tenon_virtio_ops input_ops = {
	.struct_size = sizeof(input_ops),
	.activate = input_activate,
	.queue_ready = input_queue_ready,
	.reset = input_forget,
};

/* ---- viewers ---- */

/* Never -EAGAIN: what there is no room for is put together here. */
static int input_take(struct tenon_dev *dev, const struct tenon_input_event *events, uint32_t n)
{
	struct input *in = input_host->priv(dev);

	if (!in->running)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		queue_put(&in->queue, &in->can, &events[i]);
	queue_end(&in->queue);
	input_flush(in);
	return 0;
}

static const struct tenon_input_ops take_ops = {
	.struct_size = sizeof(take_ops),
	.input = input_take,
};

/* ---- life ---- */

static int input_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct input *in = input_host->priv(dev);
	int kind = (int)input_host->conf_int(config, "kind");
	const char *serial = input_host->conf_str(config, "serial", 0);

	in->dev = dev;
	in->fd = -1;
	in->path = input_host->conf_str(config, "path", 0);
	in->grab = input_host->conf_int(config, "grab");
	if (kind == INPUT_EVDEV && !in->path)
		return input_host->fail(dev, -EINVAL,
			"\"path\" is missing; kind \"evdev\" is a device of the host, as "
			"\"/dev/input/event0\"");
	if (kind != INPUT_EVDEV && (in->path || in->grab))
		return tenon_failf(input_host, dev, -EINVAL,
			"\"%s\" is for kind \"evdev\", this is a \"%s\"",
			in->path ? "path" : "grab", input_host->conf_str(config, "kind", 0));
	if (serial && strlen(serial) > INPUT_BYTES)
		return tenon_failf(input_host, dev, -EINVAL,
			"\"serial\" has %zu bytes; it can have %u", strlen(serial), INPUT_BYTES);
	in->takes = kind_describe((enum input_kind)kind, &in->can);
	if (serial)
		(void)snprintf(in->can.serial, sizeof(in->can.serial), "%s", serial);
	return 0;
}

static int add_device(struct input *in)
{
	static const uint16_t sizes[N_QUEUES] = { 64, 64 };
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = 18,
		.n_queues = N_QUEUES,
		.config_size = 2 + sizeof(struct input_page),
		.queue_sizes = sizes,
		.ops = &input_ops,
		.pages = in->pages.table,
		.n_pages = in->pages.n,
		.page_key = 2,
	};

	return input_virtio->add(in->dev, &desc);
}

static int input_attach(struct tenon_dev *dev)
{
	struct input *in = input_host->priv(dev);
	int ret = in->path ? evdev_attach(in) : 0;

	if (ret == 0 && in->takes)
		ret = input_display->take_input(dev, in->takes, &take_ops);
	if (ret < 0)
		return ret;
	pages_make(&in->pages, &in->can);
	return add_device(in);
}

static int input_start(struct tenon_dev *dev)
{
	return evdev_start(input_host->priv(dev));
}

static int input_quiesce(struct tenon_dev *dev)
{
	evdev_stop(input_host->priv(dev));
	return 0;
}

static void input_detach(struct tenon_dev *dev)
{
	evdev_detach(input_host->priv(dev));
}

static const struct tenon_key input_keys[] = {
	{ "kind", TENON_KEY_ENUM, TENON_KEY_REQUIRED, NULL, "keyboard|tablet|mouse|evdev",
		"what it is to the guest" },
	{ "path", TENON_KEY_PATH, TENON_KEY_ATTACHES, NULL, NULL,
		"kind \"evdev\": the host's device" },
	{ "grab", TENON_KEY_BOOL, 0, "false", NULL, "kind \"evdev\": nobody else gets its events" },
	{ "serial", TENON_KEY_STRING, 0, NULL, NULL, "serial number that the guest sees" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class input_class = {
	.struct_size = sizeof(input_class),
	.name = "input",
	.summary = "virtio keyboard, tablet, mouse or a device of the host",
	.keys = input_keys,
	.priv_size = sizeof(struct input),
	.create = input_create,
	.attach = input_attach,
	.start = input_start,
	.quiesce = input_quiesce,
	.resume = input_start,
	.reset = input_forget,
	.detach = input_detach,
	.needs = TENON_NEEDS_DEVICES, /* asks a device of the host what is pressed */
};

static int input_init(const struct tenon_host *h)
{
	input_host = h;
	return TENON_FIND(h, input_virtio, TENON_SVC_VIRTIO, fault) |
	       TENON_FIND(h, input_event, TENON_SVC_EVENT, fd_remove) |
	       TENON_FIND(h, input_display, TENON_SVC_DISPLAY, take_input);
}

TENON_PLUGIN_CLASS("org.tenon.input", "0.1.0", "Apache-2.0", input_init, input_class, "input");
