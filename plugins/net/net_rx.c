/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames towards the guest.
 *
 * The guest's buffers are popped ahead of the frames ("staged") until they hold the longest frame
 * that may come; then the frame is read straight into them.  With mergeable buffers what it did not
 * fill stays staged for the next.  Only when the guest has some room but not enough for the longest
 * frame is one read into memory of our own ("kept"); it goes to the guest as soon as it fits, and
 * meanwhile nothing more is read, so that the peer waits and nothing is lost.
 */
#include <errno.h>
#include <string.h>

#include "net.h"

#define MOST_FRAMES 128u /* before others get their turn */

/* ---- staged buffers ---- */

static struct tenon_chain *staged(const struct net_pair *p, uint32_t i)
{
	return &p->staged[(p->first + i) % NET_QUEUE_SIZE];
}

static bool mergeable(const struct net_pair *p)
{
	return p->net->features & NET_F_MRG_RXBUF;
}

/* What one frame, its header included, can be put into. */
static uint64_t room_now(const struct net_pair *p)
{
	if (mergeable(p))
		return p->staged_bytes;
	return p->n_staged ? staged(p, 0)->in_bytes : 0;
}

static bool may_stage(const struct net_pair *p)
{
	return mergeable(p) ? p->n_staged < NET_QUEUE_SIZE : p->n_staged == 0;
}

/* Stages buffers until there is room for @wanted bytes or the guest has no more. */
static uint64_t make_room(struct net_pair *p, size_t wanted)
{
	while (room_now(p) < wanted && may_stage(p)) {
		struct tenon_chain *c = staged(p, p->n_staged);

		if (net_virtio->pop(p->rx, c) <= 0)
			break;
		if (c->in_bytes < NET_HEADER) {
			net_virtio->fault(
				p->net->dev, "a receive buffer that is shorter than the header");
			return 0;
		}
		p->n_staged++;
		p->staged_bytes += c->in_bytes;
	}
	return room_now(p);
}

/* Whether the guest could ever give more than it has given. */
static bool can_grow(const struct net_pair *p)
{
	return mergeable(p) && p->n_staged < net_virtio->queue_size(p->rx);
}

void net_rx_forget(struct net_pair *p)
{
	p->n_staged = p->first = 0;
	p->staged_bytes = 0;
	p->kept_size = 0;
	p->starved = p->rx_again = false;
}

/* Iovecs over the first @size staged bytes from @skip on; 0 when they are in too many pieces. */
static unsigned staged_iov(struct net_pair *p, size_t skip, size_t size)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->n_staged && size > 0; i++) {
		const struct tenon_chain *c = staged(p, i);

		for (uint32_t k = 0; k < c->n_in && size > 0; k++) {
			struct iovec v = c->in[k];
			size_t off = skip < v.iov_len ? skip : v.iov_len;

			skip -= off;
			v.iov_base = (char *)v.iov_base + off;
			v.iov_len -= off;
			if (v.iov_len == 0)
				continue;
			if (v.iov_len > size)
				v.iov_len = size;
			if (n == NET_RX_PIECES)
				return 0;
			p->iov[n++] = v;
			size -= v.iov_len;
		}
	}
	return size ? 0 : n;
}

static void write_staged(struct net_pair *p, size_t at, const void *from, size_t size)
{
	size_t done = 0;

	for (uint32_t i = 0; i < p->n_staged && done < size; i++) {
		const struct tenon_chain *c = staged(p, i);

		if (at >= c->in_bytes) {
			at -= c->in_bytes;
			continue;
		}
		done += tenon_iov_from_buf(
			c->in, c->n_in, at, (const uint8_t *)from + done, size - done);
		at = 0;
	}
}

/* Returns the buffers that @total bytes fill, all at once. */
static void use_staged(struct net_pair *p, size_t total)
{
	struct tenon_chain *used = staged(p, 0);
	uint32_t written[NET_QUEUE_SIZE], n = 0, before_end = NET_QUEUE_SIZE - p->first;
	uint8_t count[2];

	for (size_t left = total; left > 0; n++) {
		const struct tenon_chain *c = staged(p, n);
		size_t part = left < c->in_bytes ? left : (size_t)c->in_bytes;

		written[n] = (uint32_t)part;
		p->staged_bytes -= c->in_bytes;
		left -= part;
	}
	net_put16(count, n);
	write_staged(p, 10, count, 2);
	if (n > before_end) {
		/* The ring of staged buffers ends in between; the driver must not notice. */
		struct tenon_chain all[NET_QUEUE_SIZE];

		for (uint32_t i = 0; i < n; i++)
			all[i] = *staged(p, i);
		net_virtio->push_many(p->rx, all, written, n);
	} else {
		net_virtio->push_many(p->rx, used, written, n);
	}
	p->first = (p->first + n) % NET_QUEUE_SIZE;
	p->n_staged -= n;
}

/* ---- one frame ---- */

/* Whether the guest is to see it; @to is its destination. */
static bool passes(struct net *n, const uint8_t *to, size_t size)
{
	if (size < NET_ETHERNET) {
		net_drop(n, DROP_RX_SHORT);
		return false;
	}
	return net_filter_passes(&n->filter, n->space.mac, to);
}

static void count_in(struct net *n, size_t size)
{
	n->count.rx_frames++;
	if (net_throttle_is_set(&n->rx_limit))
		net_throttle_take(&n->rx_limit, size);
}

static void starve(struct net_pair *p)
{
	p->starved = true;
	if (net_virtio->want_kicks(p->rx, 1) > 0) {
		p->starved = false;
		p->rx_again = true;
		net_go_on(p->net);
	}
}

/* The limit of this direction; sets the timer when it says no. */
static bool allowed(struct net *n)
{
	uint64_t now, wait;

	if (!net_throttle_is_set(&n->rx_limit))
		return true;
	if (n->rx_limit.waiting)
		return false;
	now = net_clock->monotonic_ns();
	wait = net_throttle_wait(&n->rx_limit, now);
	if (wait == 0)
		return true;
	n->rx_limit.waiting = true;
	net_event->timer_set(n->rx_limit.timer, now + wait);
	return false;
}

enum verdict { GONE, STAYS };

/* Copies a header and a frame to the guest; STAYS when it has no room now. */
static enum verdict copy_in(
	struct net_pair *p, const uint8_t *header, const void *frame, size_t size)
{
	size_t total = NET_HEADER + size;

	if (!passes(p->net, frame, size))
		return GONE;
	if (make_room(p, total) < total) {
		if (p->n_staged > 0 && !can_grow(p)) {
			net_drop(p->net, DROP_RX_LONG);
			return GONE;
		}
		starve(p);
		return STAYS;
	}
	write_staged(p, 0, header, NET_HEADER);
	write_staged(p, NET_HEADER, frame, size);
	use_staged(p, total);
	count_in(p->net, size);
	return GONE;
}

bool net_rx_frame(struct net_pair *p, const void *frame, size_t size)
{
	static const uint8_t none[NET_HEADER];

	if (!p->net->running || p->starved || !net_link_is_up(p->net) || !allowed(p->net))
		return false;
	return copy_in(p, none, frame, size) == GONE;
}

void net_rx_flush(struct net_pair *p)
{
	net_virtio->notify(p->rx);
}

/* ---- a source ---- */

/* The frame that is kept goes first. */
static bool deliver_kept(struct net_pair *p)
{
	if (copy_in(p, p->kept, p->kept + NET_HEADER, p->kept_size) == STAYS)
		return false;
	p->kept_size = 0;
	return true;
}

static ssize_t read_kept(struct net_pair *p, size_t size)
{
	bool header = p->net->vnet_header;

	memset(p->kept, 0, NET_HEADER);
	p->iov[0] = (struct iovec){ header ? p->kept : p->kept + NET_HEADER,
		header ? NET_HEADER + size : size };
	return p->net->backend->read(p, p->iov, 1);
}

/* The frame lies in the guest's buffers already. */
static void finish_direct(struct net_pair *p, size_t size)
{
	static const uint8_t none[NET_HEADER];
	uint8_t to[6] = { 0 };

	if (staged_iov(p, NET_HEADER, sizeof(to)) > 0)
		(void)tenon_iov_to_buf(p->iov, 6, 0, to, sizeof(to));
	if (!passes(p->net, to, size))
		return;
	if (!p->net->vnet_header)
		write_staged(p, 0, none, NET_HEADER);
	use_staged(p, NET_HEADER + size);
	count_in(p->net, size);
}

/* Reads one frame of at most @size bytes.  False when there is no more to do now. */
static bool read_one(struct net_pair *p, size_t size)
{
	size_t total = NET_HEADER + size, skip = p->net->vnet_header ? 0 : NET_HEADER;
	uint64_t room = make_room(p, total);
	bool direct = false;
	unsigned n = 0;
	ssize_t got;

	if (room == 0) {
		starve(p);
		return false;
	}
	if (room >= total)
		n = staged_iov(p, skip, total - skip);
	direct = n > 0;
	got = direct ? p->net->backend->read(p, p->iov, n) : read_kept(p, size);
	if (got == -EMSGSIZE) {
		net_drop(p->net, DROP_RX_LONG);
		return true;
	}
	if (got < 0)
		net_lost(p->net, (int)got, "reading from it");
	if (got <= 0)
		return false;
	if (direct) {
		finish_direct(p, (size_t)got);
		return true;
	}
	p->kept_size = (size_t)got;
	return true;
}

static bool step(struct net_pair *p)
{
	ssize_t size;

	if (!p->net->running || p->fd < 0 || !allowed(p->net))
		return false;
	if (p->kept_size > 0)
		return deliver_kept(p);
	size = p->net->backend->next(p);
	if (size < 0)
		net_lost(p->net, (int)size, "reading from it");
	if (size > 0)
		return read_one(p, (size_t)size);
	return size == 0 && p->kept_size > 0;
}

void net_rx_run(struct net_pair *p)
{
	unsigned n = 0;

	if (!p->net->running || p->index >= p->net->cur_pairs || !net_link_is_up(p->net))
		return;
	if (!p->net->backend->next) {
		p->net->backend->receive(p);
		return;
	}
	p->rx_again = false;
	while (!p->starved && n++ < MOST_FRAMES && step(p))
		;
	net_virtio->notify(p->rx);
	if (p->kept_size > 0 && !p->starved && !p->net->rx_limit.waiting) {
		p->rx_again = true;
		net_go_on(p->net);
	}
	net_pair_update(p);
}
