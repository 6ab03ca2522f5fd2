/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames from the guest.
 *
 * A batch is popped, each header copied out of guest memory once and checked, and the back end
 * takes as many as it can; the rest goes back to the ring, in which the guest then waits.  A frame
 * that must be dropped ends its batch, so that what goes back is always what was popped last.
 */
#include <errno.h>
#include <string.h>

#include "net.h"

#define MOST_BATCHES 8u /* before others get their turn */

/* ---- the header ---- */

static bool gso_negotiated(uint64_t features, uint8_t type)
{
	if ((type & NET_GSO_ECN) && !(features & NET_F_HOST_ECN))
		return false;
	switch (type & ~NET_GSO_ECN) {
	case NET_GSO_TCPV4:
		return features & NET_F_HOST_TSO4;
	case NET_GSO_TCPV6:
		return features & NET_F_HOST_TSO6;
	case NET_GSO_UDP:
		return features & NET_F_HOST_UFO;
	default:
		return false;
	}
}

/* Only what was negotiated goes on to the back end (5.1.6.2.2). */
static bool header_is_fine(const struct net *n, uint8_t header[NET_HEADER])
{
	uint8_t type = header[1];

	header[0] &= NET_HDR_NEEDS_CSUM;
	net_put16(header + 10, 0);
	if (header[0] && !(n->features & NET_F_CSUM))
		return false;
	if (type == NET_GSO_NONE)
		return true;
	return header[0] && gso_negotiated(n->features, type);
}

/* Fills @f from its chain: 1, 0 for a frame to drop, -EPROTO when the driver broke the rules. */
static int examine(const struct net *n, struct net_frame *f)
{
	struct tenon_chain *c = &f->chain;

	if (tenon_iov_to_buf(c->out, c->n_out, 0, f->header, NET_HEADER) < NET_HEADER)
		return -EPROTO;
	f->iov = c->out;
	f->n = c->n_out;
	(void)tenon_iov_skip(&f->iov, &f->n, NET_HEADER);
	f->size = (size_t)c->out_bytes - NET_HEADER;
	if (f->n > 0 && f->iov->iov_len == 0) {
		f->iov++;
		f->n--;
	}
	if (f->size < NET_ETHERNET || f->size > NET_MAX_FRAME)
		return 0;
	return header_is_fine(n, f->header);
}

void net_tx_flatten(struct net_pair *p, struct net_frame *f)
{
	(void)tenon_iov_to_buf(f->iov, f->n, 0, p->flat, f->size);
	f->iov = f->chain.out; /* there is at least one */
	f->iov[0] = (struct iovec){ p->flat, f->size };
	f->n = 1;
}

/* ---- the batch ---- */

static bool allowed(struct net *n)
{
	uint64_t now, wait;

	if (!net_throttle_is_set(&n->tx_limit))
		return true;
	if (n->tx_limit.waiting)
		return false;
	now = net_clock->monotonic_ns();
	wait = net_throttle_wait(&n->tx_limit, now);
	if (wait == 0)
		return true;
	n->tx_limit.waiting = true;
	net_event->timer_set(n->tx_limit.timer, now + wait);
	return false;
}

static void drop_one(struct net_pair *p, const struct tenon_chain *c, enum net_drop why)
{
	net_virtio->push(p->tx, c, 0);
	net_drop(p->net, why);
}

/* Pops up to a batch; *ret_empty when that was all that the guest has, or may have now. */
static unsigned gather(struct net_pair *p, bool *ret_empty)
{
	struct net *n = p->net;
	unsigned count = 0;

	*ret_empty = false;
	while (count < NET_TX_BATCH) {
		struct net_frame *f = &p->frames[count];
		int fine;

		if (!allowed(n) || net_virtio->pop(p->tx, &f->chain) <= 0) {
			*ret_empty = true;
			break;
		}
		fine = examine(n, f);
		if (fine <= 0 && count > 0) {
			net_virtio->unpop(p->tx, &f->chain); /* first of the next batch */
			break;
		}
		if (fine < 0) {
			net_virtio->fault(n->dev, "a frame that is shorter than its header");
			*ret_empty = true;
			break;
		}
		if (!fine) {
			drop_one(p, &f->chain, DROP_TX_BAD);
			continue;
		}
		net_throttle_take(&n->tx_limit, f->size);
		if (f->n > NET_TX_PIECES && count > 0) {
			net_throttle_give_back(&n->tx_limit, f->size);
			net_virtio->unpop(p->tx, &f->chain); /* the copy is one frame's at a time */
			break;
		}
		count++;
		if (f->n > NET_TX_PIECES) {
			net_tx_flatten(p, f);
			break;
		}
	}
	return count;
}

static void give_back(struct net_pair *p, unsigned from, unsigned count)
{
	while (count > from) {
		struct net_frame *f = &p->frames[--count];

		net_throttle_give_back(&p->net->tx_limit, f->size);
		net_virtio->unpop(p->tx, &f->chain);
	}
}

/* Sends a batch; how many frames are done with. */
static unsigned send_batch(struct net_pair *p, unsigned count)
{
	struct net *n = p->net;
	int taken;

	if (!net_link_is_up(n)) {
		for (unsigned i = 0; i < count; i++)
			drop_one(p, &p->frames[i].chain, DROP_TX_LINK);
		return count;
	}
	taken = n->backend->send(p, p->frames, count);
	if (taken < 0) {
		net_lost(n, taken, "writing to it");
		taken = 0;
	}
	for (unsigned i = 0; i < (unsigned)taken; i++)
		net_virtio->push(p->tx, &p->frames[i].chain, 0);
	n->count.tx_frames += (unsigned)taken;
	give_back(p, (unsigned)taken, count);
	return (unsigned)taken;
}

/* True when there may be more to do. */
static bool step(struct net_pair *p)
{
	unsigned count, done;
	bool empty;

	count = gather(p, &empty);
	done = count ? send_batch(p, count) : 0;
	if (done < count)
		return !net_link_is_up(p->net); /* the peer went away: what is left is dropped */
	if (!empty)
		return true;
	return !p->net->tx_limit.waiting && net_virtio->want_kicks(p->tx, 1) > 0;
}

void net_tx_run(struct net_pair *p)
{
	unsigned n = 0;
	bool more = true;

	p->tx_again = false;
	if (!p->net->running || p->tx_blocked || p->net->tx_limit.waiting)
		return;
	(void)net_virtio->want_kicks(p->tx, 0);
	while (more && n++ < MOST_BATCHES)
		more = step(p);
	net_virtio->notify(p->tx);
	if (more) {
		p->tx_again = true;
		net_go_on(p->net);
	}
	net_pair_update(p);
}

void net_tx_writable(struct net_pair *p)
{
	int ret = p->net->backend->flush ? p->net->backend->flush(p) : 0;

	if (ret < 0)
		net_lost(p->net, ret, "writing to it");
	net_tx_run(p);
}
