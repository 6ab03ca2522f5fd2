/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the network device; see net.c. */
#ifndef TENON_BENCH_NET_RUN_H
#define TENON_BENCH_NET_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "devices.h"
#include "wire.h"

struct served_by;

struct net_load {
	const char *name;
	enum wire_kind kind;
	bool to_guest;
	uint32_t size;
};

/* In a process of its own; fails as a test does.  @by: where the device lives, NULL = here. */
void net_run(const struct net_load *load, const struct served_by *by, unsigned ms,
	struct devices_result *ret);

#endif
