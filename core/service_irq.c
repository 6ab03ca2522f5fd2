/* SPDX-License-Identifier: Apache-2.0 */
/* tenon.irq/1, tenon.notifier/1 and tenon.clock/1: thin doors to the core's own. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "arch/arch.h"
#include "core/config.h"
#include "core/device.h"
#include "core/event_loop.h"
#include "core/notifier.h"
#include "core/services.h"

static int svc_irq_alloc(
	struct tenon_dev *dev, uint32_t flags, uint32_t number, struct tenon_irq **ret_irq)
{
	bool level = (flags & 0xff) == TENON_IRQ_LEVEL, shared = flags & TENON_IRQ_SHARED;
	struct tenon_irq *irq;
	int ret;

	if (!dev->env->irqs)
		return device_refuse(dev, -ENOTSUP,
			"there is no machine here whose interrupt it "
			"could have; only virtio devices are served");
	if (dev->config->has_irq) {
		number = dev->config->irq;
		if (!irq_is_usable(dev->env->irqs, number))
			return device_refuse(dev, -EINVAL,
				"interrupt line %u is not one that a device may have; the last is "
				"%u",
				number, dev->env->layout->irq_last);
	}
	ret = irq_alloc(dev->env->irqs, level, shared, number, &irq);
	if (ret == -EBUSY)
		return device_refuse(dev, ret, "interrupt line %u is taken", number);
	if (ret == -ENOSPC)
		return device_refuse(dev, ret, "no interrupt line is left");
	if (ret < 0)
		return device_fail(dev, ret, "cannot have an interrupt: %s", strerror(-ret));
	irq_set_owner(irq, dev);
	*ret_irq = irq;
	return 0;
}

static void svc_irq_set(struct tenon_irq *irq, uint32_t level)
{
	irq_set(irq, level != 0);
}

void irqs_release(struct tenon_dev *dev)
{
	if (dev->env->irqs)
		irq_free_owned(dev->env->irqs, dev);
}

const struct tenon_irq_svc service_irq = {
	.struct_size = sizeof(struct tenon_irq_svc),
	.alloc = svc_irq_alloc,
	.number = irq_number,
	.set = svc_irq_set,
	.pulse = irq_pulse,
	.notifier = irq_notifier,
	.free = irq_free,
};

static int svc_drain(struct tenon_notifier *notifier)
{
	return notifier_drain(notifier);
}

const struct tenon_notifier_svc service_notifier = {
	.struct_size = sizeof(struct tenon_notifier_svc),
	.create = notifier_create,
	.fd = notifier_fd,
	.signal = notifier_signal,
	.drain = svc_drain,
	.destroy = notifier_destroy,
};

static uint64_t svc_guest_ns(struct tenon_dev *dev)
{
	return dev->env->guest_ns ? dev->env->guest_ns(dev->env->opaque) : monotonic_ns();
}

static uint64_t svc_realtime_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

const struct tenon_clock service_clock = {
	.struct_size = sizeof(struct tenon_clock),
	.monotonic_ns = monotonic_ns,
	.guest_ns = svc_guest_ns,
	.realtime_ns = svc_realtime_ns,
};
