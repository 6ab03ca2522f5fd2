/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: virtio-console (Virtio 1.2, 5.3) with one port, on the terminal.
 *
 * Nothing is lost in either direction.  Output that the terminal does not take stays in the guest's
 * buffer, which is returned when all of it is out.  Input is taken only as far as the guest has
 * buffers for it; the rest stays with the terminal, which asks for no more.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <tenon/tenon.h>

#define DEVICE_ID  3u
#define RX         0u
#define TX         1u
#define N_QUEUES   2u
#define QUEUE_SIZE 256u

#define F_SIZE        (1ull << 0)
#define F_EMERG_WRITE (1ull << 2)

#define MOST_CHAINS 64u /* before others get their turn */

/* 5.3.4, little-endian */
struct config {
	uint8_t columns[2], rows[2], max_ports[4], emergency[4];
};

#define CONFIG_EMERGENCY 8u

struct console {
	bool wants_input; /* as configured */
	bool closed;
	bool quiesced;
	bool has_size; /* columns and rows came while quiesced */
	uint32_t columns, rows;
	struct tenon_timer *turn; /* the queues are to be looked at again */
	bool sized;               /* the terminal has a size */
	bool spoke;               /* the guest wrote something since its driver started */
	bool listened;            /* it got some input since then */
	bool holds;               /* tx is a chain that is not yet all out */
	struct tenon_chain tx;
	uint64_t written; /* of it */
};

static const struct tenon_host *host;
static const struct tenon_virtio *virtio;
static const struct tenon_event *event;
static const struct tenon_terminal *terminal;
static const struct tenon_clock *clock_svc;

static void put16(uint8_t *to, uint32_t value)
{
	value = value > 0xffff ? 0xffff : value;
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

/* ---- size ---- */

static void resized(struct tenon_dev *dev, uint32_t columns, uint32_t rows)
{
	struct console *c = host->priv(dev);
	uint8_t size[4];

	if (c->quiesced) {
		c->has_size = true;
		c->columns = columns;
		c->rows = rows;
		return;
	}
	put16(size, columns);
	put16(size + 2, rows);
	(void)virtio->config_set(dev, 0, size, sizeof(size));
}

/*
 * Linux reads the size only when it is told of a change, and not before its port is there: so it is
 * told with its first words and, should that have been too early, with the first key that is typed.
 */
static void tell_size(struct tenon_dev *dev, bool *told)
{
	const struct console *c = host->priv(dev);
	uint32_t columns, rows;

	if (!*told && c->sized && terminal->size(dev, &columns, &rows) == 0) {
		resized(dev, 0, 0); /* only a change is told */
		resized(dev, columns, rows);
	}
	*told = true;
}

/* ---- output ---- */

/* Writes on with the chain that is held; true when all of it is out. */
static bool write_on(struct tenon_dev *dev, struct console *c)
{
	uint64_t skip = c->written;

	for (uint32_t i = 0; i < c->tx.n_out; i++) {
		const struct iovec *v = &c->tx.out[i];
		size_t part, n;

		if (skip >= v->iov_len) {
			skip -= v->iov_len;
			continue;
		}
		part = v->iov_len - (size_t)skip;
		n = terminal->write(dev, (const uint8_t *)v->iov_base + skip, part);
		c->written += n;
		if (n < part)
			return false;
		skip = 0;
	}
	return true;
}

/* As soon as the loop has gone round once; a timer, because that cannot fail. */
static void go_on_soon(const struct console *c)
{
	event->timer_set(c->turn, clock_svc->monotonic_ns());
}

static void transmit(struct tenon_dev *dev)
{
	struct console *c = host->priv(dev);
	struct tenon_vq *vq = virtio->queue(dev, TX);

	if (c->quiesced)
		return; /* resuming looks at the queue anew */
	for (unsigned n = 0; n < MOST_CHAINS; n++) {
		if (!c->holds) {
			if (virtio->pop(vq, &c->tx) <= 0) {
				virtio->notify(vq);
				return;
			}
			c->holds = true;
			c->written = 0;
			tell_size(dev, &c->spoke);
		}
		if (!write_on(dev, c)) {
			virtio->notify(vq);
			return; /* writable() goes on */
		}
		c->holds = false;
		virtio->push(vq, &c->tx, 0);
	}
	virtio->notify(vq);
	go_on_soon(c);
}

/* ---- input ---- */

static size_t input(struct tenon_dev *dev, const void *bytes, size_t size)
{
	struct console *c = host->priv(dev);
	struct tenon_vq *vq = virtio->queue(dev, RX);
	struct tenon_chain chain;
	unsigned turns = 0;
	size_t done = 0;

	while (!c->quiesced && done < size && turns < MOST_CHAINS && virtio->pop(vq, &chain) > 0) {
		size_t n = tenon_iov_from_buf(
			chain.in, chain.n_in, 0, (const uint8_t *)bytes + done, size - done);

		done += n;
		turns++;
		virtio->push(vq, &chain, (uint32_t)n);
	}
	virtio->notify(vq);
	if (done > 0)
		tell_size(dev, &c->listened);
	if (turns == MOST_CHAINS)
		go_on_soon(c);
	return done;
}

static void want_input(struct tenon_dev *dev)
{
	const struct console *c = host->priv(dev);

	if (c->wants_input && !c->closed && terminal->want_input(dev, 1) == -EBUSY)
		host->log(dev, TENON_LOG_DEBUG, "another device has the terminal's input");
}

static void go_on(struct tenon_dev *dev, void *arg)
{
	(void)arg;
	transmit(dev);
	want_input(dev);
}

static void closed(struct tenon_dev *dev)
{
	struct console *c = host->priv(dev);

	c->closed = true;
}

static const struct tenon_terminal_ops terminal_ops = {
	.struct_size = sizeof(terminal_ops),
	.input = input,
	.writable = transmit,
	.resized = resized,
	.closed = closed,
};

/* ---- virtio ---- */

static void queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	(void)vq;
	if (index == TX)
		transmit(dev);
	else
		want_input(dev); /* what waits is delivered now that there are buffers */
}

static void config_written(struct tenon_dev *dev, uint32_t offset, uint32_t size)
{
	uint8_t c;

	/* The emergency write: one character, before any queue exists. */
	if (offset > CONFIG_EMERGENCY || offset + size <= CONFIG_EMERGENCY)
		return;
	if (virtio->config_get(dev, CONFIG_EMERGENCY, &c, 1) == 0)
		(void)terminal->write(dev, &c, 1);
}

static void reset(struct tenon_dev *dev)
{
	struct console *c = host->priv(dev);

	c->holds = c->spoke = c->listened = false;
	event->timer_set(c->turn, 0);
	(void)terminal->want_input(dev, 0);
}

static const struct tenon_virtio_ops virtio_ops = {
	.struct_size = sizeof(virtio_ops),
	.queue_ready = queue_ready,
	.config_written = config_written,
	.reset = reset,
};

/* ---- life ---- */

static int console_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct console *c = host->priv(dev);

	c->wants_input = host->conf_int(config, "input") != 0;
	return 0;
}

static int console_attach(struct tenon_dev *dev)
{
	static const uint16_t sizes[N_QUEUES] = { QUEUE_SIZE, QUEUE_SIZE };
	struct config config = { .max_ports = { 1 } };
	struct tenon_virtio_desc desc = {
		.struct_size = sizeof(desc),
		.device_id = DEVICE_ID,
		.features = F_EMERG_WRITE,
		.n_queues = N_QUEUES,
		.config_size = sizeof(config),
		.queue_sizes = sizes,
		.config = &config,
		.ops = &virtio_ops,
	};
	struct console *c = host->priv(dev);
	uint32_t columns, rows;
	int ret = terminal->open(dev, &terminal_ops);

	if (ret < 0)
		return tenon_failf(host, dev, ret, "the terminal cannot be had");
	if (terminal->size(dev, &columns, &rows) == 0) {
		c->sized = true;
		desc.features |= F_SIZE;
		put16(config.columns, columns);
		put16(config.rows, rows);
	}
	ret = event->timer_add(dev, go_on, NULL, &c->turn);
	return ret < 0 ? ret : virtio->add(dev, &desc);
}

/* Claimed before there is a driver, so that the escape key works from the beginning. */
static int console_start(struct tenon_dev *dev)
{
	want_input(dev);
	return 0;
}

static int console_quiesce(struct tenon_dev *dev)
{
	struct console *c = host->priv(dev);

	c->quiesced = true;
	event->timer_set(c->turn, 0);
	(void)terminal->want_input(dev, 0); /* another may have it */
	return 0;
}

static int console_resume(struct tenon_dev *dev)
{
	struct console *c = host->priv(dev);

	c->quiesced = false;
	if (c->has_size)
		resized(dev, c->columns, c->rows);
	c->has_size = false;
	want_input(dev);
	return 0;
}

static void console_detach(struct tenon_dev *dev)
{
	struct console *c = host->priv(dev);

	event->timer_remove(c->turn);
	c->turn = NULL;
}

static const struct tenon_key console_keys[] = {
	{ "input", TENON_KEY_BOOL, 0, "true", NULL, "whether what is typed goes to this console" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class console_class = {
	.struct_size = sizeof(console_class),
	.threads = TENON_SERIAL,
	.name = "console",
	.summary = "virtio console on the terminal",
	.keys = console_keys,
	.priv_size = sizeof(struct console),
	.create = console_create,
	.attach = console_attach,
	.start = console_start,
	.quiesce = console_quiesce,
	.resume = console_resume,
	.detach = console_detach,
};

static const struct tenon_device_class *const classes[] = { &console_class, NULL };

static int console_init(const struct tenon_host *h)
{
	host = h;
	virtio = h->service(TENON_SVC_VIRTIO);
	event = h->service(TENON_SVC_EVENT);
	terminal = h->service(TENON_SVC_TERMINAL);
	clock_svc = h->service(TENON_SVC_CLOCK);
	if (TENON_HAS(virtio, config_set) && TENON_HAS(event, timer_remove) &&
		TENON_HAS(terminal, size) && TENON_HAS(clock_svc, monotonic_ns))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "console: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.console", "0.1.0", "Apache-2.0", console_init, classes, "console");
