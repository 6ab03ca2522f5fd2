/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/clock.h - clocks, in nanoseconds.
 *
 * Use these and not the host's: under the test kit time stands still until the test moves it.
 * None of them fails or blocks.
 */
#ifndef TENON_CLOCK_H
#define TENON_CLOCK_H

#include <tenon/abi.h>

#define TENON_SVC_CLOCK "tenon.clock/1"

struct tenon_clock {
	uint32_t struct_size;

	/* Never goes back; since some moment in the past.  What timers are set by.  [any] */
	uint64_t (*monotonic_ns)(void);
	/* As monotonic_ns(), but stands still while the VM is paused.  [any] */
	uint64_t (*guest_ns)(struct tenon_dev *dev);
	/* The time of day: since 1970-01-01 00:00 UTC.  May go back when it is set.  [any] */
	uint64_t (*realtime_ns)(void);
};

#endif
