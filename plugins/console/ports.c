/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port's data path.
 *
 * Nothing is lost while there is a peer: output that it does not take stays in the guest's buffer,
 * which is returned when all of it is out.  The other ports go on meanwhile.
 *
 * A console is different.  Linux waits for its buffer with a spinning CPU and its interrupts off,
 * so that a peer that has stopped reading would stop the guest with it.  Beside the terminal, which
 * belongs to whoever started the machine, a console's peer has a second; after that, output is
 * dropped until the peer reads again.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "console.h"

#define PATIENCE_NS SECOND_NS

const char *port_label(const struct port *p, char text[PORT_LABEL_MAX])
{
	(void)snprintf(text, PORT_LABEL_MAX, p->spec.name[0] ? "port %u (%s)" : "port %u", p->id,
		p->spec.name);
	return text;
}

/* 5.3.2: those of port 0, two for control, those of the others. */
static struct tenon_vq *rx(const struct port *p)
{
	return console_virtio->queue(p->dev, p->id == 0 ? 0 : 2 * p->id + 2);
}

static struct tenon_vq *tx(const struct port *p)
{
	return console_virtio->queue(p->dev, p->id == 0 ? 1 : 2 * p->id + 3);
}

/* As soon as the loop has gone round once; a timer, because that cannot fail. */
void port_go_on_soon(struct port *p)
{
	p->again = true;
	if (!p->console->quiesced)
		console_event->timer_set(p->console->turn, console_clock->monotonic_ns());
}

/* ---- size ---- */

void port_tell_size(struct port *p)
{
	uint8_t size[4];

	if (p->console->quiesced) {
		p->resize_due = true;
		return;
	}
	p->resize_due = false;
	put_le16(size, p->columns);
	put_le16(size + 2, p->rows);
	if (p->id == 0)
		(void)console_virtio->config_set(p->dev, 0, size, sizeof(size));
	control_tell(p, TELL_SIZE);
}

void port_resized(struct port *p, uint32_t columns, uint32_t rows)
{
	if (p->sized && p->columns == columns && p->rows == rows)
		return;
	p->sized = true;
	p->columns = columns;
	p->rows = rows;
	port_tell_size(p);
}

/*
 * Without MULTIPORT Linux reads the size only when it is told of a change, and not before its port
 * is there: so it is told with its first words and, should that have been too early, with the first
 * key that is typed.
 */
static void repeat_size(struct port *p, bool *told)
{
	static const uint8_t other[4];

	if (!*told && p->sized && !p->console->multiport) {
		(void)console_virtio->config_set(p->dev, 0, other, sizeof(other));
		port_tell_size(p);
	}
	*told = true;
}

/* ---- output ---- */

/* Writes on with the chain that is held; true when all of it is out. */
static bool write_on(struct port *p)
{
	uint64_t skip = p->written;

	for (uint32_t i = 0; i < p->tx.n_out; i++) {
		const struct iovec *v = &p->tx.out[i];
		size_t part, n;

		if (skip >= v->iov_len) {
			skip -= v->iov_len;
			continue;
		}
		part = v->iov_len - (size_t)skip;
		n = p->spec.backend->write(p, (const uint8_t *)v->iov_base + skip, part);
		p->written += n;
		if (n < part)
			return false;
		skip = 0;
	}
	return true;
}

static void stop_waiting(struct port *p)
{
	p->waiting = false;
	if (p->patience)
		console_event->timer_set(p->patience, 0);
}

static void wait_for_peer(struct port *p)
{
	if (p->waiting)
		return;
	p->waiting = true;
	if (p->patience)
		console_event->timer_set(p->patience, console_clock->monotonic_ns() + PATIENCE_NS);
}

/* What is to become of the chain that is held: true = it is done with. */
static bool finish_chain(struct port *p)
{
	if (write_on(p)) {
		p->stalled = false;
		return true;
	}
	return p->stalled;
}

/* The guest closed its end, and all that it wrote before is out. */
static void finish_closing(struct port *p)
{
	if (!p->closing)
		return;
	p->closing = false;
	if (p->spec.backend->guest_closed)
		p->spec.backend->guest_closed(p);
}

void port_transmit(struct port *p)
{
	struct tenon_vq *vq = tx(p);

	if (p->console->quiesced)
		return; /* resuming looks at the queue anew */
	for (unsigned n = 0; n < MOST_CHAINS; n++) {
		if (!p->holds) {
			if (console_virtio->pop(vq, &p->tx) <= 0) {
				console_virtio->notify(vq);
				finish_closing(p);
				return;
			}
			p->holds = true;
			p->written = p->skip;
			p->skip = 0;
			repeat_size(p, &p->spoke);
		}
		if (!finish_chain(p)) {
			wait_for_peer(p);
			console_virtio->notify(vq);
			return; /* port_writable() goes on */
		}
		stop_waiting(p);
		p->holds = false;
		console_virtio->push(vq, &p->tx, 0);
	}
	console_virtio->notify(vq);
	port_go_on_soon(p);
}

void port_writable(struct port *p)
{
	p->stalled = false;
	port_transmit(p);
}

static void lose_patience(struct tenon_dev *dev, void *arg)
{
	struct port *p = arg;
	char label[PORT_LABEL_MAX];

	if (!p->waiting || p->console->quiesced)
		return;
	tenon_logf(console_host, dev, TENON_LOG_WARN,
		"%s: its reader does not read, and the console's output is dropped",
		port_label(p, label));
	p->stalled = true;
	port_transmit(p);
}

/* ---- input ---- */

static bool takes_input(const struct port *p)
{
	return p->guest_open && !p->console->quiesced;
}

static void was_filled(struct port *p, size_t done, unsigned turns)
{
	console_virtio->notify(rx(p));
	if (done > 0)
		repeat_size(p, &p->listened);
	if (turns == MOST_CHAINS)
		port_go_on_soon(p);
}

size_t port_input(struct port *p, const void *bytes, size_t size)
{
	struct tenon_chain chain;
	unsigned turns = 0;
	size_t done = 0;

	while (takes_input(p) && done < size && turns < MOST_CHAINS &&
		console_virtio->pop(rx(p), &chain) > 0) {
		size_t n = tenon_iov_from_buf(
			chain.in, chain.n_in, 0, (const uint8_t *)bytes + done, size - done);

		done += n;
		turns++;
		console_virtio->push(rx(p), &chain, (uint32_t)n);
	}
	was_filled(p, done, turns);
	return done;
}

/* What is read lies within the chain, whose size the layer limits to 32 bits. */
static ssize_t read_chain(int fd, const struct tenon_chain *chain)
{
	int n_in = chain->n_in > IOV_MAX ? IOV_MAX : (int)chain->n_in;
	ssize_t n;

	do
		n = readv(fd, chain->in, n_in);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

enum port_fill port_fill(struct port *p, int fd)
{
	enum port_fill result = FILL_TURN;
	struct tenon_chain chain;
	unsigned turns = 0;
	size_t done = 0;

	if (!takes_input(p))
		return FILL_FULL;
	for (; turns < MOST_CHAINS; turns++) {
		ssize_t n;

		if (console_virtio->pop(rx(p), &chain) <= 0) {
			result = FILL_FULL;
			break;
		}
		n = chain.in_bytes > 0 ? read_chain(fd, &chain) : 0;
		if (n <= 0 && chain.in_bytes > 0) {
			console_virtio->unpop(rx(p), &chain);
			result = n == -EAGAIN ? FILL_EMPTY : FILL_END;
			break;
		}
		done += (size_t)n;
		console_virtio->push(rx(p), &chain, (uint32_t)n);
	}
	was_filled(p, done, 0);
	return result;
}

void port_want_input(struct port *p)
{
	if (!p->console->quiesced)
		p->spec.backend->want_input(p, true);
}

/* ---- both ends ---- */

void port_host_open(struct port *p, bool open)
{
	if (p->host_open == open)
		return;
	p->host_open = open;
	p->stalled = false;
	control_tell_open(p);
	if (open)
		port_want_input(p);
	else
		port_go_on_soon(p); /* what waited for the peer waits no more */
}

void port_guest_open(struct port *p, bool open)
{
	if (p->guest_open == open)
		return;
	p->guest_open = open;
	p->closing = !open;
	if (open)
		port_want_input(p);
	else
		port_transmit(p); /* the last words, which may be in the queue still */
}

void port_go_on(struct port *p)
{
	if (!p->again)
		return;
	p->again = false;
	port_moved(p);
	if (p->resize_due)
		port_tell_size(p);
	port_transmit(p);
	port_want_input(p);
}

void port_reset(struct port *p)
{
	stop_waiting(p);
	p->holds = p->again = p->stalled = false;
	p->spoke = p->listened = false;
	p->ready = p->told_open = p->bounced = p->moved = false;
	p->skip = 0;
	p->pending = 0;
	p->closing = p->closing || p->guest_open;
	p->guest_open = false;
	finish_closing(p);
	p->spec.backend->want_input(p, false);
}

/* ---- life ---- */

int port_attach(struct port *p)
{
	int ret = 0;

	if (p->is_console && p->spec.backend != &port_terminal)
		ret = console_event->timer_add(p->dev, lose_patience, p, &p->patience);
	return ret < 0 ? ret : p->spec.backend->attach(p);
}

void port_detach(struct port *p)
{
	if (p->spec.backend)
		p->spec.backend->detach(p);
	console_event->timer_remove(p->patience);
	p->patience = NULL;
	p->host_open = p->guest_open = p->holds = p->sized = false;
}
