/* SPDX-License-Identifier: Apache-2.0 */
/* Back end "tap": Linux's. */
#include <errno.h>

#include "net.h"

static int tap_open(struct net *n)
{
	return tenon_failf(net_host, n->dev, -ENOTSUP,
		"this host has no tap devices: backend \"user\" needs nothing of the host, and "
		"\"dgram\" reaches gvproxy and vmnet helpers");
}

const struct net_backend net_tap = {
	.name = "tap",
	.open = tap_open,
};
