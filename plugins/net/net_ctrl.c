/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control queue (5.1.6.5): receive modes, addresses, announcements, how many queues, offloads.
 *
 * A command is answered with one byte.  What was not negotiated, is too short or out of range is
 * answered with an error and changes nothing.
 */
#include <errno.h>
#include <string.h>

#include "net.h"

#define MOST_COMMANDS 64u /* before others get their turn */

#define ACK_OK    0u
#define ACK_ERROR 1u

#define CLASS_RX       0u
#define CLASS_MAC      1u
#define CLASS_ANNOUNCE 3u
#define CLASS_MQ       4u
#define CLASS_OFFLOADS 5u

#define MAC_TABLE_SET 0u
#define MAC_ADDR_SET  1u

#define RX_EXTRA 2u /* the first command that needs CTRL_RX_EXTRA */
#define RX_LAST  5u

struct command {
	const struct tenon_chain *chain;
	uint8_t class, number;
};

/* @size bytes of what follows class and number, from @at on. */
static bool data(const struct command *c, uint64_t at, void *to, size_t size)
{
	return tenon_iov_to_buf(c->chain->out, c->chain->n_out, (size_t)at + 2, to, size) == size;
}

static uint32_t get32(const uint8_t *at)
{
	return net_get16(at) | net_get16(at + 2) << 16;
}

/* ---- class RX ---- */

static int set_mode(struct net *n, const struct command *c)
{
	uint8_t *const modes[] = { &n->filter.promiscuous, &n->filter.all_multi, &n->filter.all_uni,
		&n->filter.no_multi, &n->filter.no_uni, &n->filter.no_broadcast };
	uint8_t on;

	if (!(n->features & NET_F_CTRL_RX) || c->number > RX_LAST || !data(c, 0, &on, 1))
		return -EINVAL;
	if (c->number >= RX_EXTRA && !(n->features & NET_F_CTRL_RX_EXTRA))
		return -EINVAL;
	*modes[c->number] = on != 0;
	return 0;
}

/* ---- class MAC ---- */

/* Reads a table at *@at, and moves it past the table's end. */
static int read_table(const struct command *c, uint64_t *at, struct net_filter_table *table)
{
	uint8_t count[4];
	uint64_t n;

	if (!data(c, *at, count, sizeof(count)))
		return -EINVAL;
	n = get32(count);
	if (*at + 4 + n * 6 + 2 > c->chain->out_bytes)
		return -EINVAL;
	table->overflow = n > NET_FILTER_ENTRIES;
	table->n = table->overflow ? 0 : (uint32_t)n;
	if (table->n > 0 && !data(c, *at + 4, table->macs, (size_t)table->n * 6))
		return -EINVAL;
	*at += 4 + n * 6;
	return 0;
}

static int set_tables(struct net *n, const struct command *c)
{
	struct net_filter_table uni = { .n = 0 }, multi = { .n = 0 };
	uint64_t at = 0;

	if (!(n->features & NET_F_CTRL_RX) || read_table(c, &at, &uni) < 0 ||
		read_table(c, &at, &multi) < 0)
		return -EINVAL;
	n->filter.uni = uni;
	n->filter.multi = multi;
	return 0;
}

static int set_address(struct net *n, const struct command *c)
{
	uint8_t mac[6];

	if (!(n->features & NET_F_CTRL_MAC_ADDR) || !data(c, 0, mac, sizeof(mac)) || (mac[0] & 1))
		return -EINVAL;
	memcpy(n->space.mac, mac, sizeof(mac));
	return net_virtio->config_set(n->dev, 0, mac, sizeof(mac));
}

static int set_mac(struct net *n, const struct command *c)
{
	if (c->number == MAC_TABLE_SET)
		return set_tables(n, c);
	return c->number == MAC_ADDR_SET ? set_address(n, c) : -EINVAL;
}

/* ---- the others ---- */

static int announced(struct net *n, const struct command *c)
{
	if (!(n->features & NET_F_GUEST_ANNOUNCE) || c->number != 0)
		return -EINVAL;
	net_announced(n);
	return 0;
}

static int set_pairs(struct net *n, const struct command *c)
{
	uint8_t raw[2];
	unsigned pairs, before = n->cur_pairs;
	int ret = 0;

	if (!(n->features & NET_F_MQ) || c->number != 0 || !data(c, 0, raw, sizeof(raw)))
		return -EINVAL;
	pairs = net_get16(raw);
	if (pairs == 0 || pairs > n->n_pairs)
		return -EINVAL;
	if (n->backend->set_pairs)
		ret = n->backend->set_pairs(n, pairs);
	if (ret < 0)
		return ret;
	n->cur_pairs = pairs;
	for (unsigned i = 0; i < n->n_pairs; i++) {
		net_pair_update(&n->pairs[i]);
		if (i >= before && i < pairs)
			net_rx_run(&n->pairs[i]);
	}
	return 0;
}

static int set_offloads(struct net *n, const struct command *c)
{
	uint64_t offloads;
	uint8_t raw[8];
	int ret;

	if (!(n->features & NET_F_CTRL_GUEST_OFFLOADS) || c->number != 0 ||
		!data(c, 0, raw, sizeof(raw)))
		return -EINVAL;
	offloads = get32(raw) | (uint64_t)get32(raw + 4) << 32;
	if (offloads & ~(n->features & NET_GUEST_OFFLOADS))
		return -EINVAL;
	ret = n->backend->set_offloads ? n->backend->set_offloads(n, offloads) : -EINVAL;
	if (ret == 0)
		n->offloads = offloads;
	return ret;
}

static int obey(struct net *n, const struct command *c)
{
	switch (c->class) {
	case CLASS_RX:
		return set_mode(n, c);
	case CLASS_MAC:
		return set_mac(n, c);
	case CLASS_ANNOUNCE:
		return announced(n, c);
	case CLASS_MQ:
		return set_pairs(n, c);
	case CLASS_OFFLOADS:
		return set_offloads(n, c);
	default:
		return -EINVAL;
	}
}

static bool serve(struct net *n, struct tenon_vq *vq)
{
	struct tenon_chain chain;
	struct command c = { .chain = &chain };
	uint8_t head[2], ack = ACK_ERROR;

	if (net_virtio->pop(vq, &chain) <= 0)
		return false;
	if (chain.in_bytes < 1) {
		net_virtio->fault(n->dev, "a control command without room for its answer");
		return false;
	}
	if (tenon_iov_to_buf(chain.out, chain.n_out, 0, head, 2) == 2) {
		c.class = head[0];
		c.number = head[1];
		ack = obey(n, &c) < 0 ? ACK_ERROR : ACK_OK;
	}
	(void)tenon_iov_from_buf(chain.in, chain.n_in, 0, &ack, 1);
	net_virtio->push(vq, &chain, 1);
	return true;
}

void net_ctrl_run(struct net *n, struct tenon_vq *vq)
{
	unsigned count = 0;

	n->ctrl_again = false;
	while (count < MOST_COMMANDS && serve(n, vq))
		count++;
	net_virtio->notify(vq);
	if (count == MOST_COMMANDS) {
		n->ctrl_again = true;
		net_go_on(n);
	}
}
