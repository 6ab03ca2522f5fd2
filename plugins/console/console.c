/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: virtio-console (Virtio 1.2, 5.3), with one port on the terminal or, where `ports` is
 * set, with many (console.h).
 */
#include "console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_ID    3u
#define QUEUE_SIZE   256u
#define OTHER_SIZE   128u
#define CONTROL_SIZE 64u

#define F_SIZE        (1ull << 0)
#define F_MULTIPORT   (1ull << 1)
#define F_EMERG_WRITE (1ull << 2)

/* 5.3.4, little-endian */
struct config {
	uint8_t columns[2], rows[2], max_ports[4], emergency[4];
};

#define CONFIG_EMERGENCY 8u

const struct tenon_host *console_host;
const struct tenon_virtio *console_virtio;
const struct tenon_event *console_event;
const struct tenon_clock *console_clock;
const struct tenon_terminal *console_terminal;

/* ---- virtio ---- */

static int activate(struct tenon_dev *dev, uint64_t features)
{
	struct console *c = console_host->priv(dev);

	c->multiport = features & F_MULTIPORT;
	if (!c->multiport)
		port_guest_open(&c->ports[0], true);
	return 0;
}

static void queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct console *c = console_host->priv(dev);

	(void)vq;
	if (index == CONTROL_TX)
		control_receive(c);
	else if (index == CONTROL_RX)
		control_flush(c);
	else if (index % 2 == 1)
		port_transmit(&c->ports[index < 2 ? 0 : (index - 2) / 2]);
	else
		port_want_input(&c->ports[index < 2 ? 0 : (index - 2) / 2]);
}

/* The emergency write: one character, before any queue exists; for the first console. */
static void config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	struct console *c = console_host->priv(dev);
	struct port *p = c->ports;
	uint8_t byte;

	if (offset > CONFIG_EMERGENCY || offset + size <= CONFIG_EMERGENCY)
		return;
	for (uint32_t i = 0; i < c->n_ports && !p->is_console; i++)
		p = &c->ports[i];
	if (console_virtio->config_get(dev, CONFIG_EMERGENCY, &byte, 1) == 0)
		(void)p->spec.backend->write(p, &byte, 1);
}

static void reset(struct tenon_dev *dev)
{
	struct console *c = console_host->priv(dev);

	console_event->timer_set(c->turn, 0);
	c->control_again = c->multiport = false;
	for (uint32_t i = 0; i < c->n_ports; i++)
		port_reset(&c->ports[i]);
}

static const struct tenon_virtio_ops virtio_ops = {
	.struct_size = sizeof(virtio_ops),
	.activate = activate,
	.queue_ready = queue_ready,
	.config_written = config_written,
	.reset = reset,
};

static void go_on(struct tenon_dev *dev, void *arg)
{
	struct console *c = console_host->priv(dev);

	(void)arg;
	if (c->quiesced)
		return;
	if (c->control_again) {
		c->control_again = false;
		control_receive(c);
		control_flush(c);
	}
	for (uint32_t i = 0; i < c->n_ports; i++)
		port_go_on(&c->ports[i]);
}

/* ---- settings ---- */

static int refuse(struct tenon_dev *dev, uint32_t index, const char *line, const char *why)
{
	return tenon_failf(console_host, dev, -EINVAL, "element %u of \"ports\" is \"%.120s\": %s",
		index + 1, line, why);
}

/* What one line says that another has said. */
static int check_others(const struct console *c, const struct port *p, char *why, size_t room)
{
	for (const struct port *other = c->ports; other < p; other++) {
		if (p->spec.name[0] && strcmp(other->spec.name, p->spec.name) == 0)
			return snprintf(why, room, "port %u has that name", other->id);
		if (p->spec.backend == &port_terminal && other->spec.backend == &port_terminal)
			return snprintf(why, room, "port %u is on the terminal", other->id);
	}
	return 0;
}

static int read_port(
	struct console *c, struct port *p, const struct tenon_config *config, uint32_t index)
{
	const char *line = console_host->conf_str(config, "ports", index);
	char why[300];
	int ret = port_spec_parse(
		line, console_host->conf_str(config, "folder", 0), &p->spec, why, sizeof(why));

	if (ret == -EINVAL || (ret == 0 && check_others(c, p, why, sizeof(why)) != 0))
		return refuse(c->dev, index, line, why);
	p->is_console = ret == 0 && (p->spec.backend->is_console || p->spec.console);
	return ret;
}

static int read_ports(struct console *c, const struct tenon_config *config)
{
	uint32_t n = console_host->conf_count(config, "ports");
	int ret = 0;

	if (n > MAX_PORTS)
		return tenon_failf(console_host, c->dev, -EINVAL,
			"\"ports\" has %u elements; wanted at most %u", n, MAX_PORTS);
	c->multi = n > 0;
	c->ports = calloc(n ? n : 1, sizeof(*c->ports));
	if (!c->ports)
		return -ENOMEM;
	c->n_ports = n ? n : 1;
	for (uint32_t i = 0; i < c->n_ports && ret == 0; i++) {
		struct port *p = &c->ports[i];

		*p = (struct port){
			.console = c, .dev = c->dev, .id = i, .fd = -1, .other_fd = -1
		};
		if (c->multi) {
			ret = read_port(c, p, config, i);
		} else {
			p->spec.backend = &port_terminal;
			p->is_console = true;
		}
	}
	return ret;
}

static int console_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct console *c = console_host->priv(dev);

	c->dev = dev;
	c->wants_input = console_host->conf_int(config, "input") != 0;
	return read_ports(c, config);
}

/* ---- life ---- */

static void set_queue_sizes(const struct console *c, uint16_t *sizes)
{
	for (uint32_t i = 0; i < 2 * MAX_PORTS + 2; i++)
		sizes[i] = OTHER_SIZE;
	sizes[0] = sizes[1] = QUEUE_SIZE;
	if (c->multi)
		sizes[CONTROL_RX] = sizes[CONTROL_TX] = CONTROL_SIZE;
}

static uint64_t features(const struct console *c)
{
	uint64_t f = F_EMERG_WRITE | (c->multi ? F_MULTIPORT : 0);

	for (uint32_t i = 0; i < c->n_ports; i++) {
		const struct port *p = &c->ports[i];

		if (p->is_console && (p->sized || p->spec.backend->is_sized))
			f |= F_SIZE;
	}
	return f;
}

static int add_device(const struct console *c)
{
	uint16_t sizes[2 * MAX_PORTS + 2];
	struct config config = { .max_ports = { (uint8_t)c->n_ports } };
	const struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = DEVICE_ID,
		.features = features(c),
		.n_queues = c->multi ? 2 * c->n_ports + 2 : 2,
		.config_size = sizeof(config),
		.queue_sizes = sizes,
		.config = &config,
		.ops = &virtio_ops,
	};

	set_queue_sizes(c, sizes);
	if (c->ports[0].sized) {
		put_le16(config.columns, c->ports[0].columns);
		put_le16(config.rows, c->ports[0].rows);
	}
	return console_virtio->add(c->dev, &desc);
}

static int console_attach(struct tenon_dev *dev)
{
	struct console *c = console_host->priv(dev);
	int ret = console_event->timer_add(dev, go_on, NULL, &c->turn);

	for (uint32_t i = 0; i < c->n_ports && ret == 0; i++)
		ret = port_attach(&c->ports[i]);
	return ret < 0 ? ret : add_device(c);
}

static int console_start(struct tenon_dev *dev)
{
	struct console *c = console_host->priv(dev);
	int ret = 0;

	for (uint32_t i = 0; i < c->n_ports && ret == 0; i++)
		if (c->ports[i].spec.backend->start)
			ret = c->ports[i].spec.backend->start(&c->ports[i]);
	for (uint32_t i = 0; i < c->n_ports && ret == 0; i++)
		if (c->ports[i].moved)
			port_go_on_soon(&c->ports[i]); /* on the loop */
	return ret;
}

static int console_quiesce(struct tenon_dev *dev)
{
	struct console *c = console_host->priv(dev);

	c->quiesced = true;
	console_event->timer_set(c->turn, 0);
	for (uint32_t i = 0; i < c->n_ports; i++)
		c->ports[i].spec.backend->want_input(&c->ports[i], false); /* another may have it */
	return 0;
}

static int console_resume(struct tenon_dev *dev)
{
	struct console *c = console_host->priv(dev);

	c->quiesced = false;
	c->control_again = true;
	for (uint32_t i = 0; i < c->n_ports; i++)
		port_go_on_soon(&c->ports[i]); /* on the loop */
	return 0;
}

static void console_detach(struct tenon_dev *dev)
{
	struct console *c = console_host->priv(dev);

	for (uint32_t i = 0; i < c->n_ports; i++)
		port_detach(&c->ports[i]);
	console_event->timer_remove(c->turn);
	c->turn = NULL;
	c->terminal_port = NULL;
}

static void console_destroy(struct tenon_dev *dev)
{
	struct console *c = console_host->priv(dev);

	for (uint32_t i = 0; i < c->n_ports; i++)
		port_spec_finish(&c->ports[i].spec);
	free(c->ports);
	c->ports = NULL;
	c->n_ports = 0;
}

/* What a port has made at its path goes when the machine does: a right in the folder, whatever the
 * ending of the name. */
static const char *console_path(struct tenon_dev *dev, uint32_t index, uint32_t *ret_access)
{
	const struct console *c = console_host->priv(dev);

	for (uint32_t i = 0; i < c->n_ports; i++)
		if (c->ports[i].spec.path && index-- == 0) {
			/* The link to a pty is made when the machine starts. */
			*ret_access = TENON_PATH_REMOVE;
			if (c->ports[i].spec.backend == &port_pty)
				*ret_access |= TENON_PATH_CREATE;
			return c->ports[i].spec.path;
		}
	return NULL;
}

static const struct tenon_key console_keys[] = {
	{ "input", TENON_KEY_BOOL, 0, "true", NULL, "whether what is typed goes to this console" },
	{ "ports", TENON_KEY_STRING, TENON_KEY_LIST, NULL, NULL,
		"ports and where they lead: \"name=log,file=guest.log\"" },
	{ "folder", TENON_KEY_PATH, TENON_KEY_ATTACHES, ".", NULL,
		"where the paths of ports start from" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class console_class = {
	.struct_size = sizeof(console_class),
	.threads = TENON_SERIAL,
	.name = "console",
	.summary = "virtio console on the terminal, with ports to files, sockets, ptys and pipes",
	.keys = console_keys,
	.priv_size = sizeof(struct console),
	.create = console_create,
	.attach = console_attach,
	.start = console_start,
	.quiesce = console_quiesce,
	.resume = console_resume,
	.save = console_save,
	.load = console_load,
	.detach = console_detach,
	.destroy = console_destroy,
	.state_version = 1,
	.needs = TENON_NEEDS_FILES | TENON_NEEDS_SOCKETS,
	.path = console_path,
};

static const struct tenon_device_class *const classes[] = { &console_class, NULL };

static int console_init(const struct tenon_host *h)
{
	console_host = h;
	console_virtio = h->service(TENON_SVC_VIRTIO);
	console_event = h->service(TENON_SVC_EVENT);
	console_clock = h->service(TENON_SVC_CLOCK);
	console_terminal = h->service(TENON_SVC_TERMINAL);
	console_state = h->service(TENON_SVC_STATE);
	if (TENON_HAS(console_virtio, config_set) && TENON_HAS(console_event, timer_remove) &&
		TENON_HAS(console_clock, monotonic_ns) && TENON_HAS(console_terminal, size))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "console: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.console", "0.1.0", "Apache-2.0", console_init, classes, "console");
