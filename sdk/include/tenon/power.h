/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/power.h - what a platform's power device tells the core, and hears from it.
 *
 * None of the calls waits for what it asks for: the machine stops or restarts after the register
 * access that asked for it.
 */
#ifndef TENON_POWER_H
#define TENON_POWER_H

#include <tenon/abi.h>

#define TENON_SVC_POWER "tenon.power/1"

struct tenon_power {
	uint32_t struct_size;

	/* The guest switched itself off: the machine ends.  [any] */
	void (*off)(struct tenon_dev *dev);
	/* The guest asked for a reset: every device is reset and the guest starts anew.  [any] */
	void (*reset)(struct tenon_dev *dev);
	/*
	 * @pressed is called when somebody asks for an orderly shutdown; the device makes the guest
	 * see its power button.  From attach; the last one given holds, and the core forgets it
	 * after detach.  Returns 0.  [main]; @pressed: [loop]
	 */
	int (*button)(struct tenon_dev *dev, void (*pressed)(struct tenon_dev *dev));
	/* The guest wrote a progress mark; `tenon run --timing` prints it with its time.  [any] */
	void (*mark)(struct tenon_dev *dev, uint64_t value);
};

#endif
