/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the vsock device; see vsock.c. */
#ifndef TENON_BENCH_VSOCK_RUN_H
#define TENON_BENCH_VSOCK_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "devices.h"

struct served_by;

struct vsock_load {
	const char *name;
	bool to_guest;
	uint32_t size; /* of a packet, or of a buffer; up to 64 KiB */
};

/* Around all runs: 0 or -errno, and says why itself. */
int vsock_open(void);
void vsock_close(void);
/* In a process of its own; fails as a test does.  @by: where the device lives, NULL = here. */
void vsock_run(const struct vsock_load *load, const struct served_by *by, unsigned ms,
	struct devices_result *ret);

#endif
