/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State: what the control queue has set, and the address.  Buffers that the device holds are the
 * virtio layer's to save; a frame that had no room in them yet is lost, as frames are.  The network
 * learns where the guest is now from the guest, which is asked to announce itself.
 */
#include <errno.h>
#include <string.h>

#include "net.h"

/* Tags. */
enum {
	TAG_MAC = 1,
	TAG_PAIRS,
	TAG_OFFLOADS,
	TAG_MODES,
	TAG_UNICAST,
	TAG_UNICAST_ALL,
	TAG_MULTICAST,
	TAG_MULTICAST_ALL,
};

#define N_MODES   6u
#define NEED(tag) (TENON_STATE_NEED | (tag))

const struct tenon_state *net_state;

int net_save(struct tenon_dev *dev, struct tenon_state_w *w)
{
	const struct net *n = net_host->priv(dev);
	const struct net_filter *f = &n->filter;
	const uint8_t modes[N_MODES] = { f->promiscuous, f->all_multi, f->all_uni, f->no_multi,
		f->no_uni, f->no_broadcast };

	if (!n->active)
		return net_state->put_bytes(w, TAG_MAC, n->mac, sizeof(n->mac));
	(void)net_state->put_u16(w, TAG_PAIRS, (uint16_t)n->cur_pairs);
	(void)net_state->put_u64(w, TAG_OFFLOADS, n->offloads);
	(void)net_state->put_bytes(w, TAG_MODES, modes, sizeof(modes));
	(void)net_state->put_bytes(w, TAG_UNICAST, f->uni.macs, 6 * f->uni.n);
	(void)net_state->put_u8(w, TAG_UNICAST_ALL, f->uni.overflow);
	(void)net_state->put_bytes(w, TAG_MULTICAST, f->multi.macs, 6 * f->multi.n);
	(void)net_state->put_u8(w, TAG_MULTICAST_ALL, f->multi.overflow);
	return net_state->put_bytes(w, TAG_MAC, n->mac, sizeof(n->mac));
}

static int load_table(struct net *n, struct tenon_state_r *r, uint32_t tag, uint32_t all_tag,
	struct net_filter_table *table)
{
	uint8_t all = 0;
	uint32_t size = 0;
	int ret;

	(void)net_state->get_bytes(r, NEED(tag), table->macs, sizeof(table->macs), &size);
	ret = net_state->get_u8(r, all_tag, &all);
	if (ret == 0 && size % 6)
		ret = tenon_failf(net_host, n->dev, -EPROTO,
			"a saved table of addresses has %u bytes; wanted six for each", size);
	table->n = all ? 0 : size / 6;
	table->overflow = all;
	return ret;
}

static int load_filter(struct net *n, struct tenon_state_r *r)
{
	struct net_filter *f = &n->filter;
	uint8_t *const modes[N_MODES] = { &f->promiscuous, &f->all_multi, &f->all_uni, &f->no_multi,
		&f->no_uni, &f->no_broadcast };
	uint8_t saved[N_MODES];
	int ret = net_state->get_bytes(r, NEED(TAG_MODES), saved, sizeof(saved), NULL);

	if (ret < 0)
		return ret;
	for (unsigned i = 0; i < N_MODES; i++)
		*modes[i] = saved[i] != 0;
	ret = load_table(n, r, TAG_UNICAST, TAG_UNICAST_ALL, &f->uni);
	return ret < 0 ? ret : load_table(n, r, TAG_MULTICAST, TAG_MULTICAST_ALL, &f->multi);
}

static int load_offloads(struct net *n, struct tenon_state_r *r)
{
	uint64_t offloads = n->offloads;
	int ret = net_state->get_u64(r, TAG_OFFLOADS, &offloads);

	if (ret < 0 || offloads == n->offloads)
		return ret;
	if ((offloads & ~(n->features & NET_GUEST_OFFLOADS)) || !n->backend->set_offloads)
		return tenon_failf(net_host, n->dev, -EPROTO,
			"the saved offloads are 0x%llx, of which not all were negotiated",
			(unsigned long long)offloads);
	ret = n->backend->set_offloads(n, offloads);
	if (ret < 0)
		return tenon_failf(net_host, n->dev, ret,
			"the back end cannot take the saved offloads: %s", strerror(-ret));
	n->offloads = offloads;
	return 0;
}

static int load_pairs(struct net *n, struct tenon_state_r *r)
{
	uint16_t pairs = 0;
	int ret = net_state->get_u16(r, NEED(TAG_PAIRS), &pairs);

	if (ret < 0)
		return ret;
	if (pairs == 0 || pairs > n->n_pairs || (pairs > 1 && !(n->features & NET_F_MQ)))
		return tenon_failf(net_host, n->dev, -EPROTO,
			"%u pairs of queues were in use; wanted 1 to %u", pairs, n->n_pairs);
	if (pairs != n->cur_pairs && n->backend->set_pairs)
		ret = n->backend->set_pairs(n, pairs);
	if (ret < 0)
		return tenon_failf(net_host, n->dev, ret,
			"the back end cannot use %u pairs of queues: %s", pairs, strerror(-ret));
	n->cur_pairs = pairs;
	return 0;
}

/* The guest's address is what it was, the rest is how it is here. */
static int load_space(struct net *n, struct tenon_state_r *r)
{
	struct net_space saved = { 0 };
	uint8_t mac[6] = { 0 };
	uint32_t status;
	int ret;

	memcpy(mac, n->mac, sizeof(mac));
	ret = net_state->get_bytes(r, NEED(TAG_MAC), mac, sizeof(mac), NULL);
	if (ret == 0)
		ret = net_virtio->config_get(n->dev, 0, &saved, sizeof(saved));
	if (ret < 0)
		return ret;
	if ((mac[0] & 1) || (saved.mac[0] & 1))
		return net_host->fail(n->dev, -EPROTO,
			"the saved mac is a multicast address; no interface has one");
	if (!n->has_mac)
		memcpy(n->mac, mac, sizeof(mac));
	memcpy(n->space.mac, n->active ? saved.mac : n->mac, sizeof(mac));
	status = net_get16(n->space.status);
	if (n->features & NET_F_GUEST_ANNOUNCE)
		status |= net_get16(saved.status) & NET_S_ANNOUNCE;
	net_put16(n->space.status, status);
	net_space_restore(n);
	return 0;
}

int net_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version)
{
	struct net *n = net_host->priv(dev);
	int ret = load_space(n, r);

	(void)version;
	if (ret < 0 || !n->active)
		return ret;
	ret = load_filter(n, r);
	if (ret == 0)
		ret = load_offloads(n, r);
	if (ret == 0)
		ret = load_pairs(n, r);
	n->moved = ret == 0;
	return ret;
}

int net_start(struct tenon_dev *dev)
{
	struct net *n = net_host->priv(dev);

	if (n->moved)
		net_link_update(n, true);
	n->moved = false;
	return 0;
}
