/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link, and what happens when the peer goes away.
 *
 * The guest's carrier follows the peer: up while there is one and the configuration wants it.  A
 * peer that goes is reported once; then it is tried again with growing pauses.  When it is back the
 * carrier returns and the guest is asked to announce its addresses.
 */
#include <errno.h>
#include <string.h>

#include "net.h"

#define FIRST_PAUSE_NS 100000000u  /* 100 ms */
#define LAST_PAUSE_NS  5000000000u /* 5 s */

bool net_link_is_up(const struct net *n)
{
	return n->want_link && !n->lost;
}

void net_link_init(struct net *n)
{
	net_put16(n->space.status, net_link_is_up(n) ? NET_S_LINK_UP : 0);
	n->backoff_ns = FIRST_PAUSE_NS;
}

static void set_status(struct net *n, uint32_t status)
{
	net_put16(n->space.status, status);
	(void)net_virtio->config_set(n->dev, offsetof(struct net_space, status), n->space.status,
		sizeof(n->space.status));
}

void net_link_update(struct net *n, bool announce)
{
	uint32_t status = net_link_is_up(n) ? NET_S_LINK_UP : 0;

	if (status && announce && n->active && (n->features & NET_F_GUEST_ANNOUNCE))
		status |= NET_S_ANNOUNCE;
	set_status(n, status);
}

void net_announced(struct net *n)
{
	set_status(n, net_get16(n->space.status) & ~NET_S_ANNOUNCE);
}

/* What the driver wrote is undone: all of it is ours (5.1.4). */
void net_space_restore(struct net *n)
{
	(void)net_virtio->config_set(n->dev, 0, &n->space, sizeof(n->space));
}

static void try_later(struct net *n)
{
	if (!n->running || !n->lost || !n->backend->reconnect || n->conf_fd >= 0)
		return;
	net_event->timer_set(n->retry, net_clock->monotonic_ns() + n->backoff_ns);
	n->backoff_ns *= 2;
	if (n->backoff_ns > LAST_PAUSE_NS)
		n->backoff_ns = LAST_PAUSE_NS;
}

void net_lost(struct net *n, int err, const char *what)
{
	bool again = n->backend->reconnect && n->conf_fd < 0;

	if (n->lost)
		return;
	n->lost = true;
	for (unsigned i = 0; i < n->n_pairs; i++) {
		net_pair_close_fd(&n->pairs[i]);
		n->pairs[i].tx_blocked = false;
	}
	tenon_logf(net_host, n->dev, TENON_LOG_WARN, "the peer is gone: %s: %s%s", what,
		err == -EPIPE ? "it closed the connection" : strerror(-err),
		again ? "; trying to reach it again" : "; the link stays down");
	net_link_update(n, false);
	try_later(n);
}

static void retry(struct net *n)
{
	if (!n->running || !n->lost)
		return;
	if (n->backend->reconnect(n) < 0) {
		try_later(n);
		return;
	}
	n->lost = false;
	n->backoff_ns = FIRST_PAUSE_NS;
	net_host->log(n->dev, TENON_LOG_WARN, "the peer is there again");
	net_link_update(n, true);
	for (unsigned i = 0; i < n->cur_pairs; i++) {
		net_rx_run(&n->pairs[i]);
		net_tx_run(&n->pairs[i]);
	}
}

void net_link_run(struct net *n)
{
	if (n->lost && n->backend->reconnect && n->conf_fd < 0)
		net_event->timer_set(n->retry, net_clock->monotonic_ns() + FIRST_PAUSE_NS);
}

void net_link_stop(struct net *n)
{
	net_event->timer_set(n->retry, 0);
}

void net_link_retry(struct tenon_dev *dev, void *arg)
{
	(void)dev;
	retry(arg);
}
