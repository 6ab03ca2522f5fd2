/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.virtio/1: the one virtio layer behind a window and an interrupt of the kit's.
 *
 * What the registers ask of the device is deferred to the loop.  A reset alone is done at once when
 * it comes from the test's own thread: nobody else could step the loop that it waits for.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/config.h"
#include "core/notifier.h"
#include "sdk/testkit/kit.h"

#define WINDOW_SIZE 4096u

struct kit_virtio {
	struct tk_dev *dev;
	struct virtio_device vd;
	struct tenon_region *region;
	struct tenon_irq *irq;
	bool quiesced;
	atomic_bool kicked[VIRTIO_MAX_QUEUES];
	/* External rings only; see external.c. */
	struct tenon_notifier *kicks[VIRTIO_MAX_QUEUES], *calls[VIRTIO_MAX_QUEUES];
	struct kit_driver *driver;
};

struct kit_virtio *kit_virtio_of(struct tk_dev *d)
{
	if (!d->virtio)
		kit_fail("%s is not a virtio device", d->cd->name);
	return d->virtio;
}

struct virtio_device *kit_virtio_layer(struct tk_dev *d)
{
	return &kit_virtio_of(d)->vd;
}

struct tenon_region *kit_virtio_window(struct tk_dev *d)
{
	return kit_virtio_of(d)->region;
}

struct kit_driver **kit_driver_of(struct tk_dev *d)
{
	return &kit_virtio_of(d)->driver;
}

int tk_is_virtio(struct tk_dev *d)
{
	return d->virtio != NULL;
}

/* ---- what the layer needs ---- */

static void *env_map(void *opaque, uint64_t gpa, uint64_t *size, bool write)
{
	(void)opaque;
	return guest_memory_span(kit.gm, gpa, size, write);
}

static void env_mark_dirty(void *opaque, const void *host, uint64_t size)
{
	(void)opaque;
	for (size_t i = 0; i < guest_memory_count(kit.gm); i++) {
		const struct guest_region *r = guest_memory_region(kit.gm, i);
		const uint8_t *at = host;

		if (at >= r->host && at + size <= r->host + r->size && !r->read_only)
			return;
	}
	kit_fail("the layer marks memory dirty that is no guest memory");
}

static void env_interrupt(void *opaque)
{
	const struct kit_virtio *v = opaque;

	kit_irq_pulse(v->irq);
}

static void run_deferred(struct tenon_dev *dev, void *arg)
{
	struct kit_virtio *v = arg;

	(void)dev;
	virtio_device_run_deferred(&v->vd);
}

static void env_defer(void *opaque)
{
	struct kit_virtio *v = opaque;
	struct kit_here before;
	bool reset;

	(void)pthread_mutex_lock(&v->vd.lock);
	reset = v->vd.want_reset;
	(void)pthread_mutex_unlock(&v->vd.lock);
	if (!reset || !pthread_equal(pthread_self(), kit.thread)) {
		kit_post(v->dev, run_deferred, v);
		return;
	}
	kit_enter(v->dev, ROLE_LOOP, &before);
	virtio_device_run_deferred(&v->vd);
	kit_leave(v->dev, &before);
}

static void env_kick(void *opaque, uint32_t index)
{
	struct kit_virtio *v = opaque;

	if (v->kicks[index])
		notifier_signal(v->kicks[index]);
	else
		atomic_store(&v->kicked[index], true);
	kit_lock();
	v->dev->doorbells++;
	kit_unlock();
}

static void env_log(void *opaque, const char *text)
{
	const struct kit_virtio *v = opaque;

	kit_log(v->dev, TENON_LOG_WARN, text);
}

/* ---- the window ---- */

static uint64_t window_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	struct kit_virtio *v = opaque;

	(void)dev;
	return virtio_mmio_read(&v->vd, offset, size);
}

static void window_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct kit_virtio *v = opaque;

	(void)dev;
	virtio_mmio_write(&v->vd, offset, size, value);
}

static const struct tenon_region_ops window_ops = {
	.struct_size = sizeof(window_ops),
	.read = window_read,
	.write = window_write,
};

/* ---- life ---- */

static int open_window(struct kit_virtio *v)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_MMIO,
		.size = WINDOW_SIZE,
		.name = "virtio-mmio",
		.ops = &window_ops,
		.opaque = v,
	};
	int ret = kit_mmio.region_create(kit_handle(v->dev), &desc, &v->region);

	if (ret < 0)
		return ret;
	v->region->unlocked = true;
	ret = kit_mmio.map(v->region, TENON_ADDR_ANY);
	if (ret < 0)
		return ret;
	ret = kit_irq.alloc(
		kit_handle(v->dev), TENON_IRQ_EDGE | TENON_IRQ_SHARED, TENON_IRQ_ANY, &v->irq);
	return ret;
}

static int virtio_add(struct tenon_dev *dev, const struct tenon_virtio_desc *desc)
{
	struct kit_virtio *v;
	int ret;

	if (kit_fails("tenon.virtio add", ROLE_MAIN))
		return -ENOMEM;
	if (dev->d.virtio)
		return -EBUSY;
	v = kit_alloc(sizeof(*v));
	v->dev = &dev->d;
	dev->d.virtio = v;
	ret = virtio_device_init(&v->vd, dev, desc,
		&(struct virtio_env){
			.memory = { .map = env_map, .mark_dirty = env_mark_dirty, .opaque = v },
			.interrupt = env_interrupt,
			.defer = env_defer,
			.kick = env_kick,
			.log = env_log,
			.opaque = v,
		});
	if (ret == 0)
		ret = open_window(v);
	if (ret == 0 && virtio_is_external(&v->vd))
		ret = kit_external_open(&v->vd, v->kicks, v->calls);
	if (ret < 0)
		kit_virtio_destroy(&dev->d);
	return ret;
}

bool kit_virtio_external(
	struct tk_dev *d, struct virtio_device **ret_vd, struct tenon_notifier ***ret_calls)
{
	struct kit_virtio *v = d->virtio;

	if (!v || v->quiesced || !virtio_is_external(&v->vd))
		return false;
	*ret_vd = &v->vd;
	*ret_calls = v->calls;
	return true;
}

void kit_virtio_destroy(struct tk_dev *d)
{
	struct kit_virtio *v = d->virtio;

	if (!v)
		return;
	kit_drop_post(d, run_deferred, v);
	kit_region_free(v->region);
	kit_irq_release(v->irq);
	kit_external_close(v->kicks, v->calls);
	virtio_device_finish(&v->vd);
	d->virtio = NULL;
	free(v);
}

void kit_virtio_go(struct tk_dev *d)
{
	struct kit_here before;

	if (!d->virtio)
		return;
	kit_enter(d, ROLE_LOOP, &before);
	virtio_device_go(&d->virtio->vd);
	kit_leave(d, &before);
}

void kit_virtio_quiesce(struct tk_dev *d)
{
	if (d->virtio)
		d->virtio->quiesced = true;
}

void kit_virtio_resume(struct tk_dev *d)
{
	struct kit_here before;

	if (!d->virtio)
		return;
	d->virtio->quiesced = false;
	kit_enter(d, ROLE_LOOP, &before);
	virtio_device_all_ready(&d->virtio->vd);
	kit_leave(d, &before);
}

void kit_virtio_reset(struct tk_dev *d)
{
	struct kit_here before;

	if (!d->virtio)
		return;
	kit_enter(d, ROLE_LOOP, &before);
	virtio_device_machine_reset(&d->virtio->vd);
	kit_leave(d, &before);
}

bool kit_step_virtio(void)
{
	bool any = false;

	for (struct tk_dev *d = kit.devices; d; d = d->next) {
		struct kit_virtio *v = d->virtio;

		for (uint32_t i = 0; v && i < v->vd.desc.n_queues; i++) {
			struct kit_here before;

			/* Resuming looks at every queue. */
			if (!atomic_exchange(&v->kicked[i], false) || v->quiesced)
				continue;
			any = true;
			kit_enter(d, ROLE_LOOP, &before);
			virtio_device_queue_ready(&v->vd, i);
			kit_leave(d, &before);
		}
	}
	return any;
}

/* ---- the table ---- */

static struct tenon_vq *svc_queue(struct tenon_dev *dev, uint32_t index)
{
	kit_role("tenon.virtio queue", ROLE_ANY);
	return dev->d.virtio ? virtio_queue(&dev->d.virtio->vd, index) : NULL;
}

static uint32_t svc_queue_size(const struct tenon_vq *vq)
{
	kit_role("tenon.virtio queue_size", ROLE_LOOP);
	return vq_size(vq);
}

static int svc_pop(struct tenon_vq *vq, struct tenon_chain *ret_chain)
{
	kit_role("tenon.virtio pop", ROLE_LOOP);
	return vq_pop(vq, ret_chain);
}

static void svc_unpop(struct tenon_vq *vq, const struct tenon_chain *chain)
{
	kit_role("tenon.virtio unpop", ROLE_LOOP);
	vq_unpop(vq, chain);
}

static void svc_push(struct tenon_vq *vq, const struct tenon_chain *chain, uint32_t written)
{
	kit_role("tenon.virtio push", ROLE_LOOP);
	if (written > chain->in_bytes)
		kit_fail("tenon.virtio push: %u bytes written, the chain has room for %llu",
			written, (unsigned long long)chain->in_bytes);
	vq_push(vq, chain, written);
}

static void svc_notify(struct tenon_vq *vq)
{
	kit_role("tenon.virtio notify", ROLE_LOOP);
	vq_notify(vq);
}

static int svc_want_kicks(struct tenon_vq *vq, uint32_t want)
{
	kit_role("tenon.virtio want_kicks", ROLE_LOOP);
	return vq_want_kicks(vq, want);
}

static void svc_fault(struct tenon_dev *dev, const char *why)
{
	kit_role("tenon.virtio fault", ROLE_LOOP);
	if (dev->d.virtio)
		virtio_fault(&dev->d.virtio->vd, why);
}

static int svc_config_get(struct tenon_dev *dev, uint32_t offset, void *to, uint32_t size)
{
	if (kit_fails("tenon.virtio config_get", ROLE_MAIN | ROLE_LOOP))
		return -ENOMEM;
	return dev->d.virtio ? virtio_config_get(&dev->d.virtio->vd, offset, to, size) : -ENODEV;
}

static int svc_config_set(struct tenon_dev *dev, uint32_t offset, const void *from, uint32_t size)
{
	if (kit_fails("tenon.virtio config_set", ROLE_MAIN | ROLE_LOOP))
		return -ENOMEM;
	return dev->d.virtio ? virtio_config_set(&dev->d.virtio->vd, offset, from, size) : -ENODEV;
}

static void svc_push_many(
	struct tenon_vq *vq, const struct tenon_chain *chains, const uint32_t *written, uint32_t n)
{
	kit_role("tenon.virtio push_many", ROLE_LOOP);
	for (uint32_t i = 0; i < n; i++)
		if (written[i] > chains[i].in_bytes)
			kit_fail("tenon.virtio push_many: %u bytes written, chain %u has room for "
				 "%llu",
				written[i], i, (unsigned long long)chains[i].in_bytes);
	vq_push_many(vq, chains, written, n);
}

static int svc_queue_setup(const struct tenon_vq *vq, struct tenon_vq_setup *ret_setup)
{
	kit_role("tenon.virtio queue_setup", ROLE_LOOP);
	return vq_setup(vq, ret_setup);
}

static struct tenon_notifier *svc_queue_kick(struct tenon_vq *vq)
{
	const struct kit_virtio *v = vq->vd->env.opaque;

	kit_role("tenon.virtio queue_kick", ROLE_MAIN | ROLE_LOOP);
	return v->kicks[vq->index];
}

static struct tenon_notifier *svc_queue_call(struct tenon_vq *vq)
{
	const struct kit_virtio *v = vq->vd->env.opaque;

	kit_role("tenon.virtio queue_call", ROLE_MAIN | ROLE_LOOP);
	return v->calls[vq->index];
}

static void svc_interrupt(struct tenon_vq *vq)
{
	kit_role("tenon.virtio interrupt", ROLE_ANY);
	vq_interrupt(vq);
}

static uint32_t svc_queue_base(const struct tenon_vq *vq)
{
	kit_role("tenon.virtio queue_base", ROLE_MAIN | ROLE_LOOP);
	return vq_base(vq);
}

static void svc_queue_set_base(struct tenon_vq *vq, uint32_t base)
{
	kit_role("tenon.virtio queue_set_base", ROLE_MAIN | ROLE_LOOP);
	vq_set_base(vq, base);
}

const struct tenon_virtio kit_virtio = {
	.struct_size = sizeof(struct tenon_virtio),
	.add = virtio_add,
	.queue = svc_queue,
	.queue_size = svc_queue_size,
	.pop = svc_pop,
	.unpop = svc_unpop,
	.push = svc_push,
	.notify = svc_notify,
	.want_kicks = svc_want_kicks,
	.fault = svc_fault,
	.config_get = svc_config_get,
	.config_set = svc_config_set,
	.push_many = svc_push_many,
	.queue_setup = svc_queue_setup,
	.queue_kick = svc_queue_kick,
	.queue_call = svc_queue_call,
	.interrupt = svc_interrupt,
	.queue_base = svc_queue_base,
	.queue_set_base = svc_queue_set_base,
};
