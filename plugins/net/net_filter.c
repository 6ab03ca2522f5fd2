/* SPDX-License-Identifier: Apache-2.0 */
#include "net_filter.h"

#include <string.h>

void net_filter_reset(struct net_filter *f)
{
	memset(f, 0, sizeof(*f));
	f->promiscuous = 1;
}

static bool in_table(const struct net_filter_table *t, const uint8_t to[6])
{
	if (t->overflow)
		return true;
	for (uint32_t i = 0; i < t->n; i++)
		if (memcmp(t->macs[i], to, 6) == 0)
			return true;
	return false;
}

bool net_filter_passes(const struct net_filter *f, const uint8_t mac[6], const uint8_t to[6])
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (f->promiscuous)
		return true;
	if (memcmp(to, broadcast, 6) == 0)
		return !f->no_broadcast;
	if (to[0] & 1)
		return !f->no_multi && (f->all_multi || in_table(&f->multi, to));
	return !f->no_uni && (f->all_uni || memcmp(to, mac, 6) == 0 || in_table(&f->uni, to));
}
