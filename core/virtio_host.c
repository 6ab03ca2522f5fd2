/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.virtio/1: puts the virtio layer behind a window, an interrupt and one doorbell per queue.
 *
 * A kick signals the queue's notifier, which the device's loop watches: it never runs the device on
 * a vCPU.  The window is not under the instance's lock, because a reset waits for the loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/device.h"
#include "core/event_loop.h"
#include "core/guest_memory.h"
#include "core/irq.h"
#include "core/notifier.h"
#include "core/services.h"
#include "sdk/virtio/virtio_device.h"

#define WINDOW_SIZE  4096u
#define QUEUE_NOTIFY 0x50u

struct queue_door {
	struct virtio_host *host;
	uint32_t index;
	struct tenon_notifier *notifier;
	struct loop_watch *watch;
};

struct virtio_host {
	struct tenon_dev *dev;
	struct virtio_device vd;
	struct tenon_region *region;
	struct tenon_irq *irq;
	bool quiesced; /* the loop's */
	/* A guest may ask for work as fast as it can write registers: one timer serves them all,
	 * where a post each would pile up. */
	struct loop_timer *deferred;
	struct queue_door *doors;
	uint32_t n_doors;
	/* External rings only: what whoever works on them signals, one for each queue and all of
	 * them on the device's line, so that the hypervisor hears of it and not our loop. */
	struct tenon_irq **calls;
	uint32_t n_calls;
};

/* ---- what the layer needs ---- */

static void *env_map(void *opaque, uint64_t gpa, uint64_t *size, bool write)
{
	const struct virtio_host *host = opaque;

	return guest_memory_span(host->dev->env->gm, gpa, size, write);
}

static void env_interrupt(void *opaque)
{
	const struct virtio_host *host = opaque;
	const struct virtio_home *home = host->dev->env->home;

	if (home)
		home->interrupt(home->opaque);
	else
		irq_pulse(host->irq);
}

static void env_call(void *opaque, uint32_t index)
{
	const struct virtio_host *host = opaque;
	const struct virtio_home *home = host->dev->env->home;

	home->call(home->opaque, index);
}

static void env_mark_dirty(void *opaque, const void *at, uint64_t size)
{
	const struct virtio_host *host = opaque;
	const struct virtio_home *home = host->dev->env->home;

	home->mark_dirty(home->opaque, at, size);
}

static void run_deferred(void *arg)
{
	struct virtio_host *host = arg;

	device_lock(host->dev);
	virtio_device_run_deferred(&host->vd);
	device_unlock(host->dev);
}

static void env_defer(void *opaque)
{
	struct virtio_host *host = opaque;

	loop_timer_set(host->deferred, 1);
}

static void env_kick(void *opaque, uint32_t index)
{
	const struct virtio_host *host = opaque;

	notifier_signal(host->doors[index].notifier);
}

static void env_log(void *opaque, const char *text)
{
	struct virtio_host *host = opaque;

	log_limited(&host->dev->log_limit, LOG_LEVEL_WARN, "%s: %s", host->dev->config->name, text);
}

/* ---- the window ---- */

static uint64_t window_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	struct virtio_host *host = opaque;

	(void)dev;
	return virtio_mmio_read(&host->vd, offset, size);
}

static void window_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct virtio_host *host = opaque;

	(void)dev;
	virtio_mmio_write(&host->vd, offset, size, value);
}

static const struct tenon_region_ops window_ops = {
	.struct_size = sizeof(window_ops),
	.read = window_read,
	.write = window_write,
};

static int open_window(struct virtio_host *host)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_MMIO,
		.size = WINDOW_SIZE,
		.name = "virtio-mmio",
		.ops = &window_ops,
		.opaque = host,
	};
	int ret = service_mmio.region_create(host->dev, &desc, &host->region);

	if (ret < 0)
		return ret;
	region_set_unlocked(host->region);
	ret = service_mmio.map(host->region, TENON_ADDR_ANY);
	if (ret < 0)
		return ret;
	return service_irq.alloc(
		host->dev, TENON_IRQ_EDGE | TENON_IRQ_SHARED, TENON_IRQ_ANY, &host->irq);
}

/* ---- doors ---- */

static void kicked(void *arg, uint32_t events)
{
	struct queue_door *door = arg;
	struct virtio_host *host = door->host;

	(void)events;
	if (!notifier_drain(door->notifier) || host->quiesced)
		return; /* resuming looks at every queue */
	device_lock(host->dev);
	virtio_device_queue_ready(&host->vd, door->index);
	device_unlock(host->dev);
}

static int open_calls(struct virtio_host *host, uint32_t n)
{
	int ret = 0;

	if (!virtio_is_external(&host->vd))
		return 0;
	host->calls = calloc(n, sizeof(struct tenon_irq *));
	if (!host->calls)
		return -ENOMEM;
	while (ret == 0 && host->n_calls < n) {
		ret = irq_alloc(host->dev->env->irqs, false, true, irq_number(host->irq),
			&host->calls[host->n_calls]);
		host->n_calls += ret == 0;
	}
	return ret;
}

static int open_doors(struct virtio_host *host, uint32_t n)
{
	host->doors = calloc(n, sizeof(*host->doors));
	if (!host->doors)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct queue_door *door = &host->doors[i];
		const uint64_t match = i;
		int ret;

		door->host = host;
		door->index = i;
		host->n_doors++;
		ret = notifier_create(&door->notifier);
		if (ret == 0)
			ret = service_mmio.doorbell(
				host->region, QUEUE_NOTIFY, 4, &match, door->notifier);
		/* The kicks of external rings are read by whoever works on them. */
		if (ret == 0 && !virtio_is_external(&host->vd))
			ret = loop_fd_add(host->dev->loop, notifier_fd(door->notifier), LOOP_READ,
				kicked, door, &door->watch);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- life ---- */

static int virtio_add(struct tenon_dev *dev, const struct tenon_virtio_desc *desc)
{
	const bool home = dev->env->home;
	struct virtio_host *host;
	int ret;

	if (dev->virtio)
		return -EBUSY;
	host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;
	host->dev = dev;
	dev->virtio = host;
	ret = virtio_device_init(&host->vd, dev, desc,
		&(struct virtio_env){
			.memory = { .map = env_map,
				.mark_dirty = home ? env_mark_dirty : NULL,
				.opaque = host },
			.interrupt = env_interrupt,
			.call = home ? env_call : NULL,
			.defer = env_defer,
			.direct_calls = true,
			.kick = env_kick,
			.log = env_log,
			.opaque = host,
		});
	if (ret == 0)
		ret = loop_timer_add(dev->loop, run_deferred, host, &host->deferred);
	if (ret == 0 && !home)
		ret = open_window(host);
	if (ret == 0 && !home)
		ret = open_doors(host, desc->n_queues);
	if (ret == 0)
		ret = open_calls(host, desc->n_queues);
	if (ret < 0) {
		virtio_host_destroy(host);
		dev->virtio = NULL;
	}
	return ret;
}

void virtio_host_destroy(struct virtio_host *host)
{
	if (!host)
		return;
	/* The window first: it hands the doorbells back. */
	service_mmio.region_destroy(host->region);
	for (uint32_t i = 0; i < host->n_doors; i++) {
		loop_fd_remove(host->doors[i].watch);
		notifier_destroy(host->doors[i].notifier);
	}
	for (uint32_t i = 0; i < host->n_calls; i++)
		irq_free(host->calls[i]);
	loop_timer_remove(host->deferred);
	irq_free(host->irq);
	virtio_device_finish(&host->vd);
	free(host->doors);
	free(host->calls);
	free(host);
}

int virtio_host_describe(struct virtio_host *host, struct tenon_fw *fw)
{
	return firmware_add_virtio(fw, service_mmio.address(host->region), WINDOW_SIZE, host->irq);
}

struct virtio_device *virtio_host_device(struct virtio_host *host)
{
	return &host->vd;
}

uint32_t virtio_host_device_id(const struct virtio_host *host)
{
	return host->vd.desc.device_id;
}

_Static_assert(VIRTIO_HOST_MAX_SHM == VIRTIO_MAX_SHM, "what the layer has room for");

int virtio_host_set_shm(struct virtio_host *host, uint32_t id, uint64_t gpa, uint64_t size)
{
	return virtio_device_set_shm(&host->vd, id, gpa, size);
}

struct virtio_device *virtio_host_layer(struct virtio_host *host)
{
	return host ? &host->vd : NULL;
}

static int do_start(void *arg)
{
	struct virtio_host *host = arg;

	device_lock(host->dev);
	virtio_device_go(&host->vd);
	device_unlock(host->dev);
	return 0;
}

static int do_quiesce(void *arg)
{
	struct virtio_host *host = arg;

	host->quiesced = true;
	return 0;
}

static bool has_interrupts(struct virtio_host *host)
{
	bool any;

	(void)pthread_mutex_lock(&host->vd.lock);
	any = virtio_interrupts(&host->vd);
	(void)pthread_mutex_unlock(&host->vd.lock);
	return any;
}

static int do_resume(void *arg)
{
	struct virtio_host *host = arg;

	host->quiesced = false;
	device_lock(host->dev);
	virtio_device_all_ready(&host->vd);
	device_unlock(host->dev);
	if (host->n_calls && has_interrupts(host))
		irq_pulse(host->irq); /* one too many does no harm */
	return 0;
}

static int do_reset(void *arg)
{
	struct virtio_host *host = arg;

	device_lock(host->dev);
	virtio_device_machine_reset(&host->vd);
	device_unlock(host->dev);
	return 0;
}

void virtio_host_started(struct virtio_host *host)
{
	if (host->vd.held)
		(void)loop_call(host->dev->loop, do_start, host);
}

void virtio_host_quiesce(struct virtio_host *host)
{
	(void)loop_call(host->dev->loop, do_quiesce, host);
}

void virtio_host_resume(struct virtio_host *host)
{
	(void)loop_call(host->dev->loop, do_resume, host);
}

void virtio_host_reset(struct virtio_host *host)
{
	(void)loop_call(host->dev->loop, do_reset, host);
}

/* ---- the table ---- */

static struct tenon_vq *svc_queue(struct tenon_dev *dev, uint32_t index)
{
	return dev->virtio ? virtio_queue(&dev->virtio->vd, index) : NULL;
}

static void svc_fault(struct tenon_dev *dev, const char *why)
{
	if (dev->virtio)
		virtio_fault(&dev->virtio->vd, why);
}

static int svc_config_get(struct tenon_dev *dev, uint32_t offset, void *to, uint32_t size)
{
	return dev->virtio ? virtio_config_get(&dev->virtio->vd, offset, to, size) : -ENODEV;
}

static int svc_config_set(struct tenon_dev *dev, uint32_t offset, const void *from, uint32_t size)
{
	return dev->virtio ? virtio_config_set(&dev->virtio->vd, offset, from, size) : -ENODEV;
}

static struct tenon_notifier *svc_queue_kick(struct tenon_vq *vq)
{
	const struct virtio_host *host = vq->vd->env.opaque;

	return vq_is_external(vq) ? host->doors[vq->index].notifier : NULL;
}

static struct tenon_notifier *svc_queue_call(struct tenon_vq *vq)
{
	const struct virtio_host *host = vq->vd->env.opaque;

	return vq_is_external(vq) ? irq_notifier(host->calls[vq->index]) : NULL;
}

const struct tenon_virtio service_virtio = {
	.struct_size = sizeof(struct tenon_virtio),
	.add = virtio_add,
	.queue = svc_queue,
	.queue_size = vq_size,
	.pop = vq_pop,
	.unpop = vq_unpop,
	.push = vq_push,
	.notify = vq_notify,
	.want_kicks = vq_want_kicks,
	.fault = svc_fault,
	.config_get = svc_config_get,
	.config_set = svc_config_set,
	.push_many = vq_push_many,
	.queue_setup = vq_setup,
	.queue_kick = svc_queue_kick,
	.queue_call = svc_queue_call,
	.interrupt = vq_interrupt,
	.queue_base = vq_base,
	.queue_set_base = vq_set_base,
};
