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

/* Pops one more buffer; false when there is none. */
static bool stage(struct net_pair *p)
{
	struct tenon_chain *c = staged(p, p->n_staged);

	if (p->n_staged == NET_QUEUE_SIZE || net_virtio->pop(p->rx, c) <= 0)
		return false;
	if (c->in_bytes < NET_HEADER) {
		net_virtio->fault(p->net->dev, "a receive buffer that is shorter than the header");
		return false;
	}
	p->n_staged++;
	p->staged_bytes += c->in_bytes;
	return true;
}

/* Stages buffers until there is room for @wanted bytes or the guest has no more. */
static uint64_t make_room(struct net_pair *p, size_t wanted)
{
	while (room_now(p) < wanted && may_stage(p))
		if (!stage(p))
			break;
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

/*
 * A tap may give 64K whenever it gives a packet, and dozens of vectors for the rare one cost more
 * than the packet: the frame is read into the buffers of a short one, and what of a longer one is
 * behind that, into memory of our own.  After a long one, all is for the guest's buffers again.
 */
static unsigned short_iov(struct net_pair *p, size_t size)
{
	unsigned n;

	if (!p->net->vnet_header || p->rx_long || size <= NET_SHORT)
		return 0;
	n = staged_iov(p, 0, NET_HEADER + NET_SHORT);
	if (n > 0)
		p->iov[n++] = (struct iovec){ p->kept, size - NET_SHORT };
	return n;
}

static void finish_short(struct net_pair *p, size_t size)
{
	p->rx_long = size > NET_SHORT;
	if (p->rx_long)
		write_staged(p, NET_HEADER + NET_SHORT, p->kept, size - NET_SHORT);
	finish_direct(p, size);
}

/* Reads one frame of at most @size bytes.  False when there is no more to do now. */
static bool read_one(struct net_pair *p, size_t size)
{
	size_t total = NET_HEADER + size, skip = p->net->vnet_header ? 0 : NET_HEADER;
	uint64_t room = make_room(p, total);
	bool direct, is_short;
	unsigned n = 0;
	ssize_t got;

	if (room == 0) {
		starve(p);
		return false;
	}
	if (room >= total)
		n = short_iov(p, size);
	is_short = n > 0;
	if (room >= total && !is_short)
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
	if (is_short) {
		finish_short(p, (size_t)got);
	} else if (direct) {
		p->rx_long = (size_t)got > NET_SHORT;
		finish_direct(p, (size_t)got);
	} else {
		p->kept_size = (size_t)got;
	}
	return true;
}

/* ---- several at once, each into a buffer of its own ---- */

/* Iovecs at @to over a buffer without the header; how many. */
static unsigned slice(const struct tenon_chain *c, struct iovec *to)
{
	size_t skip = NET_HEADER;
	unsigned n = 0;

	for (uint32_t i = 0; i < c->n_in; i++) {
		size_t off = skip < c->in[i].iov_len ? skip : c->in[i].iov_len;

		skip -= off;
		if (c->in[i].iov_len > off)
			to[n++] = (struct iovec){ (char *)c->in[i].iov_base + off,
				c->in[i].iov_len - off };
	}
	return n;
}

/* As many buffers as are expected to be needed, each of which holds a frame of @size bytes. */
static unsigned line_up(struct net_pair *p, size_t size, struct net_slice slices[NET_RX_BATCH])
{
	unsigned wanted = p->rx_expected < NET_RX_BATCH ? p->rx_expected : NET_RX_BATCH;
	unsigned n = 0, pieces = 0;

	while (n < wanted && (n < p->n_staged || stage(p))) {
		const struct tenon_chain *c = staged(p, n);

		if (c->in_bytes < NET_HEADER + size || pieces + c->n_in > NET_RX_PIECES)
			break;
		slices[n].iov = &p->iov[pieces];
		slices[n].n = slice(c, slices[n].iov);
		pieces += slices[n++].n;
	}
	return n;
}

/* Hands on what came into the first @n staged buffers; those of frames that are dropped stay. */
static void finish_batch(
	struct net_pair *p, const struct net_slice *slices, const ssize_t *sizes, unsigned n)
{
	static const uint8_t header[NET_HEADER] = { [10] = 1 };
	struct tenon_chain used[NET_RX_BATCH];
	uint32_t written[NET_RX_BATCH], n_used = 0, n_kept = 0;

	/* From the last one on, so that those that stay move up to the rest. */
	for (unsigned i = n; i-- > 0;) {
		struct tenon_chain c = *staged(p, i);
		uint8_t to[6] = { 0 };

		(void)tenon_iov_to_buf(slices[i].iov, slices[i].n, 0, to, sizeof(to));
		if (sizes[i] < 0)
			net_drop(p->net, DROP_RX_LONG);
		if (sizes[i] < 0 || !passes(p->net, to, (size_t)sizes[i])) {
			*staged(p, n - ++n_kept) = c;
			continue;
		}
		(void)tenon_iov_from_buf(c.in, c.n_in, 0, header, NET_HEADER);
		n_used++;
		used[NET_RX_BATCH - n_used] = c;
		written[NET_RX_BATCH - n_used] = NET_HEADER + (uint32_t)sizes[i];
		p->staged_bytes -= c.in_bytes;
		count_in(p->net, (size_t)sizes[i]);
	}
	p->first = (p->first + n_used) % NET_QUEUE_SIZE;
	p->n_staged -= n_used;
	if (n_used > 0)
		net_virtio->push_many(p->rx, used + NET_RX_BATCH - n_used,
			written + NET_RX_BATCH - n_used, n_used);
}

/* How many frames were read; -1 when it must be done one by one. */
static int read_batch(struct net_pair *p, size_t size)
{
	struct net_slice slices[NET_RX_BATCH];
	ssize_t sizes[NET_RX_BATCH];
	unsigned n;
	int got;

	if (!p->net->backend->read_many || net_throttle_is_set(&p->net->rx_limit))
		return -1;
	n = line_up(p, size, slices);
	if (n < 2)
		return -1;
	got = p->net->backend->read_many(p, slices, n, sizes);
	if (got < 0)
		net_lost(p->net, got, "reading from it");
	if (got <= 0)
		return 0;
	finish_batch(p, slices, sizes, (unsigned)got);
	p->rx_expected = 2 * (unsigned)got;
	return got;
}

/* ---- running ---- */

/* How many frames were dealt with; 0 when there is no more to do now. */
static unsigned step(struct net_pair *p)
{
	ssize_t size;
	int got;

	if (!p->net->running || p->fd < 0 || !allowed(p->net))
		return 0;
	if (p->kept_size > 0)
		return deliver_kept(p);
	size = p->net->backend->next(p);
	got = size > 0 ? read_batch(p, (size_t)size) : -1;
	if (got >= 0)
		return (unsigned)got;
	p->rx_expected = 2;
	if (size < 0)
		net_lost(p->net, (int)size, "reading from it");
	if (size > 0)
		return read_one(p, (size_t)size);
	return size == 0 && p->kept_size > 0;
}

void net_rx_run(struct net_pair *p)
{
	unsigned n = 0, done = 1;

	if (!p->net->running || p->index >= p->net->cur_pairs || !net_link_is_up(p->net))
		return;
	if (!p->net->backend->next) {
		p->net->backend->receive(p);
		return;
	}
	p->rx_again = false;
	while (!p->starved && n < MOST_FRAMES && done > 0) {
		done = step(p);
		n += done;
	}
	net_virtio->notify(p->rx);
	if (p->kept_size > 0 && !p->starved && !p->net->rx_limit.waiting) {
		p->rx_again = true;
		net_go_on(p->net);
	}
	net_pair_update(p);
}
