/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/clock.h - clocks, in nanoseconds.
 */
#ifndef TENON_CLOCK_H
#define TENON_CLOCK_H

#include <tenon/abi.h>

#define TENON_SVC_CLOCK "tenon.clock/1"

struct tenon_clock {
	uint32_t struct_size;

	uint64_t (*monotonic_ns)(void);              /* never goes back [any] */
	uint64_t (*guest_ns)(struct tenon_dev *dev); /* stands still while the VM does [any] */
	uint64_t (*realtime_ns)(void);               /* since 1970-01-01 UTC [any] */
};

#endif
