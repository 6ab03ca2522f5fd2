/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/power.h - what a platform's power device tells the core, and hears from it.
 */
#ifndef TENON_POWER_H
#define TENON_POWER_H

#include <tenon/abi.h>

#define TENON_SVC_POWER "tenon.power/1"

struct tenon_power {
	uint32_t struct_size;

	void (*off)(struct tenon_dev *dev);   /* the guest switched itself off [any] */
	void (*reset)(struct tenon_dev *dev); /* the guest asked for a reset [any] */
	/*
	 * @pressed is called when somebody asks for an orderly shutdown; the device makes the guest
	 * see its power button.  Released by the core after detach.  [main]; @pressed: [loop]
	 */
	int (*button)(struct tenon_dev *dev, void (*pressed)(struct tenon_dev *dev));
	/* A progress mark of the guest (`tenon run --timing` prints them).  [any] */
	void (*mark)(struct tenon_dev *dev, uint64_t value);
};

#endif
