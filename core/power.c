/* SPDX-License-Identifier: Apache-2.0 */
/* tenon.power/1: from the platform's power device to whoever owns the VM. */
#include "core/device.h"
#include "core/services.h"

static void power_off(struct tenon_dev *dev)
{
	dev->env->off(dev->env->opaque);
}

static void power_reset(struct tenon_dev *dev)
{
	dev->env->reset(dev->env->opaque);
}

static int power_button(struct tenon_dev *dev, void (*pressed)(struct tenon_dev *dev))
{
	dev->pressed = pressed;
	return 0;
}

static void power_mark(struct tenon_dev *dev, uint64_t value)
{
	if (dev->env->mark)
		dev->env->mark(dev->env->opaque, value);
}

const struct tenon_power service_power = {
	.struct_size = sizeof(struct tenon_power),
	.off = power_off,
	.reset = power_reset,
	.button = power_button,
	.mark = power_mark,
};
