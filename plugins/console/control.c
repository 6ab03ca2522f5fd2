/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control queues (Virtio 1.2, 5.3.6.2).
 *
 * The driver says that it is there and is told of each port; it says for each that it knows it and
 * is told what the port is: a console, its name, its size, whether the host's end is open.  What is
 * to be sent is kept as bits of the port, so a driver that asks without end, or gives no buffers,
 * costs nothing; what has changed twice before it was sent is sent as it is then.
 */
#include <string.h>

#include "console.h"

enum {
	DEVICE_READY = 0,
	PORT_ADD = 1,
	PORT_READY = 3,
	CONSOLE_PORT = 4,
	PORT_RESIZE = 5,
	PORT_OPEN = 6,
	PORT_NAME = 7,
};

/* id 4, event 2, value 2, and for some what follows */
#define HEADER 8u

struct message {
	uint8_t bytes[HEADER + sizeof(((struct port_spec *)0)->name)];
	size_t size;
};

static uint32_t get_le16(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8;
}

/* ---- to the driver ---- */

static void begin(struct message *m, const struct port *p, uint32_t event, uint32_t value)
{
	put_le16(m->bytes, p->id);
	put_le16(m->bytes + 2, 0);
	put_le16(m->bytes + 4, event);
	put_le16(m->bytes + 6, value);
	m->size = HEADER;
}

/* Columns first, as the specification has it; Linux took them for each other for years. */
static void add_size(struct message *m, const struct port *p)
{
	put_le16(m->bytes + m->size, p->columns);
	put_le16(m->bytes + m->size + 2, p->rows);
	m->size += 4;
}

/* The message for the lowest of what is pending, which it returns; 0 when there is nothing. */
static uint8_t next_message(const struct port *p, struct message *m)
{
	uint8_t what = (uint8_t)(p->pending & -p->pending);
	size_t n = strlen(p->spec.name);

	m->size = 0;
	switch (what) {
	case TELL_ADD:
		begin(m, p, PORT_ADD, 1);
		break;
	case TELL_CONSOLE:
		begin(m, p, CONSOLE_PORT, 1);
		break;
	case TELL_NAME:
		begin(m, p, PORT_NAME, 1);
		memcpy(m->bytes + m->size, p->spec.name, n);
		m->size += n;
		break;
	case TELL_SIZE:
		begin(m, p, PORT_RESIZE, 0);
		add_size(m, p);
		break;
	case TELL_OPEN:
		begin(m, p, PORT_OPEN, p->host_open && !p->bounced);
		break;
	}
	return what;
}

static void was_told(struct port *p, uint8_t what)
{
	if (what == TELL_OPEN) {
		p->told_open = p->host_open && !p->bounced;
		if (p->bounced) {
			p->bounced = false;
			return; /* and now that it is open again */
		}
	}
	p->pending &= (uint8_t)~what;
}

/* False when the driver has no buffer. */
static bool put_message(struct tenon_vq *vq, const struct message *m, bool *ret_sent)
{
	struct tenon_chain chain;

	if (console_virtio->pop(vq, &chain) <= 0)
		return false;
	/* One that is too small holds no part of a message. */
	*ret_sent = chain.in_bytes >= m->size;
	if (*ret_sent)
		(void)tenon_iov_from_buf(chain.in, chain.n_in, 0, m->bytes, m->size);
	console_virtio->push(vq, &chain, *ret_sent ? (uint32_t)m->size : 0);
	return true;
}

static void go_on_soon(struct console *c)
{
	c->control_again = true;
	console_event->timer_set(c->turn, console_clock->monotonic_ns());
}

void control_flush(struct console *c)
{
	struct tenon_vq *vq = console_virtio->queue(c->dev, CONTROL_RX);
	unsigned turns = 0;
	bool room = true;

	if (c->quiesced || !c->multiport)
		return;
	for (uint32_t i = 0; i < c->n_ports && room; i++) {
		struct port *p = &c->ports[i];
		struct message m;
		uint8_t what;

		while (room && (what = next_message(p, &m)) != 0) {
			bool sent = false;

			if (turns++ == MOST_CHAINS) {
				go_on_soon(c);
				room = false;
				break;
			}
			room = put_message(vq, &m, &sent);
			if (sent)
				was_told(p, what);
		}
	}
	console_virtio->notify(vq);
}

void control_tell(struct port *p, uint8_t what)
{
	if (!p->ready || !p->console->multiport)
		return;
	if ((what & TELL_SIZE) && !(p->is_console && p->sized))
		what &= (uint8_t)~TELL_SIZE;
	if ((what & TELL_CONSOLE) && !p->is_console)
		what &= (uint8_t)~TELL_CONSOLE;
	if ((what & TELL_NAME) && !p->spec.name[0])
		what &= (uint8_t)~TELL_NAME;
	p->pending |= what;
	control_flush(p->console);
}

void control_tell_open(struct port *p)
{
	if (p->host_open && p->told_open && (p->pending & TELL_OPEN))
		p->bounced = true;
	control_tell(p, TELL_OPEN);
}

/* ---- from the driver ---- */

static void device_ready(struct console *c, bool well)
{
	if (!well)
		return;
	for (uint32_t i = 0; i < c->n_ports; i++)
		c->ports[i].pending |= TELL_ADD;
	control_flush(c);
}

static void port_ready(struct port *p, bool well)
{
	char label[PORT_LABEL_MAX];

	p->ready = well;
	if (!well) {
		tenon_logf(console_host, p->dev, TENON_LOG_DEBUG, "%s: the guest cannot use it",
			port_label(p, label));
		return;
	}
	control_tell(p, TELL_CONSOLE | TELL_NAME | TELL_SIZE | (p->host_open ? TELL_OPEN : 0));
}

static void serve(struct console *c, const uint8_t *bytes)
{
	uint32_t id = get_le16(bytes) | get_le16(bytes + 2) << 16;
	uint32_t event = get_le16(bytes + 4), value = get_le16(bytes + 6);

	if (event == DEVICE_READY)
		device_ready(c, value == 1);
	if (id >= c->n_ports)
		return;
	if (event == PORT_READY)
		port_ready(&c->ports[id], value == 1);
	else if (event == PORT_OPEN)
		port_guest_open(&c->ports[id], value != 0);
}

void control_receive(struct console *c)
{
	struct tenon_vq *vq = console_virtio->queue(c->dev, CONTROL_TX);
	struct tenon_chain chain;
	unsigned turns = 0;

	if (c->quiesced || !c->multiport)
		return;
	while (turns < MOST_CHAINS && console_virtio->pop(vq, &chain) > 0) {
		uint8_t bytes[HEADER];
		bool whole = tenon_iov_to_buf(chain.out, chain.n_out, 0, bytes, HEADER) == HEADER;

		turns++;
		console_virtio->push(vq, &chain, 0);
		if (whole)
			serve(c, bytes);
	}
	console_virtio->notify(vq);
	if (turns == MOST_CHAINS)
		go_on_soon(c);
}
