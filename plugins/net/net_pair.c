/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of queues: its memory, all of it taken at attach, and its descriptor.
 *
 * The loop is level-triggered: it is asked only for what the pair can act on.  A hang-up is
 * reported whether asked for or not, so a descriptor from which nothing is wanted is taken out of
 * the loop when that happens, and put back when there is room again.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net.h"

static int open_one(struct net *n, struct net_pair *p, unsigned index)
{
	p->net = n;
	p->index = index;
	p->staged = calloc(NET_QUEUE_SIZE, sizeof(*p->staged));
	p->iov = calloc(NET_RX_PIECES + 1, sizeof(*p->iov));
	p->kept = calloc(1, NET_HEADER + NET_MAX_FRAME);
	p->flat = calloc(1, NET_HEADER + NET_MAX_FRAME);
	p->frames = calloc(NET_TX_BATCH, sizeof(*p->frames));
	return p->staged && p->iov && p->kept && p->flat && p->frames ? 0 : -ENOMEM;
}

int net_pairs_open(struct net *n)
{
	for (unsigned i = 0; i < n->n_pairs; i++)
		if (open_one(n, &n->pairs[i], i) < 0)
			return net_host->fail(n->dev, -ENOMEM, "no memory for the queues");
	return 0;
}

void net_pair_close_fd(struct net_pair *p)
{
	net_pair_unwatch(p);
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
}

void net_pairs_close(struct net *n)
{
	for (unsigned i = 0; i < n->n_pairs; i++) {
		struct net_pair *p = &n->pairs[i];

		net_pair_close_fd(p);
		free(p->staged);
		free(p->iov);
		free(p->kept);
		free(p->flat);
		free(p->frames);
		*p = (struct net_pair){ .fd = -1 };
	}
}

void net_pair_unwatch(struct net_pair *p)
{
	net_event->fd_remove(p->watch);
	p->watch = NULL;
	p->watched = 0;
}

static void ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct net_pair *p = arg;

	(void)dev;
	if ((events & TENON_FD_HUP) && !(p->watched & TENON_FD_READ)) {
		/* What it still has to say is read when there is room; tell the loop to be quiet.
		 */
		if (!p->tx_blocked) {
			net_pair_unwatch(p);
			return;
		}
		events |= TENON_FD_WRITE; /* sending finds out */
	}
	if ((events & TENON_FD_WRITE) && p->tx_blocked) {
		p->tx_blocked = false;
		net_tx_writable(p);
	}
	if (p->fd >= 0 && (events & (TENON_FD_READ | TENON_FD_HUP)))
		net_rx_run(p);
	net_pair_update(p);
}

void net_pair_update(struct net_pair *p)
{
	const struct net *n = p->net;
	uint32_t wanted = 0;
	int ret = 0;

	if (p->fd < 0)
		return;
	if (n->running && p->index < n->cur_pairs && net_link_is_up(n)) {
		if (!p->starved && !p->kept_size && !n->rx_limit.waiting)
			wanted |= TENON_FD_READ;
		if (p->tx_blocked)
			wanted |= TENON_FD_WRITE;
	}
	if (wanted == p->watched && (p->watch || !wanted))
		return;
	if (p->watch)
		ret = net_event->fd_modify(p->watch, wanted);
	else if (wanted)
		ret = net_event->fd_add(n->dev, p->fd, wanted, ready, p, &p->watch);
	if (ret == 0)
		p->watched = wanted;
	else
		tenon_logf(net_host, n->dev, TENON_LOG_ERR,
			"cannot watch the back end's descriptor: error %d", -ret);
}
