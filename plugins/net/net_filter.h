/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which frames the guest wants to see (5.1.6.5.1, 5.1.6.5.2): receive modes and a table of
 * addresses.  Until the driver says something, all of them.
 */
#ifndef TENON_NET_FILTER_H
#define TENON_NET_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#define NET_FILTER_ENTRIES 64u /* of each table; more: every address of the kind is let through */

struct net_filter_table {
	uint32_t n;
	bool overflow;
	uint8_t macs[NET_FILTER_ENTRIES][6];
};

struct net_filter {
	/* in the order of the commands of class RX */
	uint8_t promiscuous, all_multi, all_uni, no_multi, no_uni, no_broadcast;
	struct net_filter_table uni, multi;
};

void net_filter_reset(struct net_filter *f);
/* @mac: the device's own address; @to: the frame's destination. */
bool net_filter_passes(const struct net_filter *f, const uint8_t mac[6], const uint8_t to[6]);

#endif
