/* SPDX-License-Identifier: Apache-2.0 */
/* The device status machine and what devices call. */
#include "sdk/virtio/virtio_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/virtio/table.h"
#include "sdk/virtio/timed_wait.h"

/* How long a vCPU waits for a reset at most; see virtio_device.h. */
#define RESET_WAIT_NS 200000000

/* ---- life ---- */

static bool pages_are_valid(const struct tenon_virtio_desc *d)
{
	if (d->page_key > sizeof(d->pages->key) || d->page_key > d->config_size ||
		(d->n_pages > 0 && (d->page_key == 0 || !d->pages)))
		return false;
	for (uint32_t i = 0; i < d->n_pages; i++)
		if (d->pages[i].size > d->config_size - d->page_key)
			return false;
	return true;
}

static bool desc_is_valid(const struct tenon_virtio_desc *d)
{
	if (d->device_id == 0 || d->n_queues == 0 || d->n_queues > VIRTIO_MAX_QUEUES ||
		d->config_size > VIRTIO_MAX_CONFIG || !d->queue_sizes || !d->ops)
		return false;
	for (uint32_t i = 0; i < d->n_queues; i++) {
		uint32_t n = d->queue_sizes[i];

		if (n == 0 || n > 32768 || (n & (n - 1)) != 0)
			return false;
	}
	return pages_are_valid(d);
}

int virtio_device_init(struct virtio_device *vd, struct tenon_dev *dev,
	const struct tenon_virtio_desc *given, const struct virtio_env *env)
{
	struct tenon_virtio_desc own;
	const struct tenon_virtio_desc *desc = &own;

	table_copy(&own, sizeof(own), given);
	if (!desc_is_valid(desc))
		return -EINVAL;
	*vd = (struct virtio_device){ .dev = dev, .env = *env, .desc = own };
	vd->offered = virtio_offered(desc);
	vd->queues = calloc(desc->n_queues, sizeof(*vd->queues));
	vd->config = calloc(1, desc->config_size ? desc->config_size : 1);
	if (!vd->queues || !vd->config) {
		free(vd->queues);
		free(vd->config);
		*vd = (struct virtio_device){ .dev = NULL };
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < desc->n_queues; i++) {
		vd->queues[i].vd = vd;
		vd->queues[i].index = i;
		vd->queues[i].max_size = desc->queue_sizes[i];
	}
	if (desc->config && desc->config_size)
		memcpy(vd->config, desc->config, desc->config_size);
	vd->desc.config = NULL;
	vd->desc.queue_sizes = NULL;
	(void)pthread_mutex_init(&vd->lock, NULL);
	timed_wait_init(&vd->settled);
	return 0;
}

static void stop_queues(struct virtio_device *vd)
{
	for (uint32_t i = 0; i < vd->desc.n_queues; i++)
		vring_stop(&vd->queues[i].ring);
}

void virtio_device_finish(struct virtio_device *vd)
{
	if (!vd->queues)
		return;
	stop_queues(vd);
	free(vd->queues);
	free(vd->config);
	(void)pthread_cond_destroy(&vd->settled);
	(void)pthread_mutex_destroy(&vd->lock);
	*vd = (struct virtio_device){ .dev = NULL };
}

int virtio_device_set_shm(struct virtio_device *vd, uint32_t id, uint64_t gpa, uint64_t size)
{
	if (id >= VIRTIO_MAX_SHM)
		return -EINVAL;
	(void)pthread_mutex_lock(&vd->lock);
	vd->shm[id] = (struct virtio_shm){ true, gpa, size };
	(void)pthread_mutex_unlock(&vd->lock);
	return 0;
}

/* ---- interrupts and faults ---- */

void virtio_device_interrupt(struct virtio_device *vd, unsigned bits)
{
	/* The status is set before the edge: a handler that shares the line must see it. */
	(void)atomic_fetch_or_explicit(&vd->interrupt_status, bits, memory_order_seq_cst);
	vd->env.interrupt(vd->env.opaque);
}

void virtio_fault(struct virtio_device *vd, const char *why)
{
	bool tell;

	(void)pthread_mutex_lock(&vd->lock);
	tell = vd->running && !(vd->status & VIRTIO_STATUS_NEEDS_RESET);
	if (vd->running)
		vd->status |= VIRTIO_STATUS_NEEDS_RESET;
	(void)pthread_mutex_unlock(&vd->lock);
	if (!tell)
		return;
	if (vd->env.log)
		vd->env.log(vd->env.opaque, why);
	virtio_device_interrupt(vd, VIRTIO_INT_CONFIG);
}

static void queue_fault(struct tenon_vq *vq)
{
	char text[160];

	(void)snprintf(text, sizeof(text),
		"the driver put %s on queue %u; it must reset the device",
		vq->ring.fault ? vq->ring.fault : "something bad", vq->index);
	virtio_fault(vq->vd, text);
}

/* ---- status, from the registers; the lock is held ---- */

/* Back to what the driver finds first; the device itself follows on its loop. */
static void reset_registers(struct virtio_device *vd)
{
	vd->acked = 0;
	vd->device_features_sel = vd->driver_features_sel = vd->queue_sel = vd->shm_sel = 0;
	vd->status = 0;
	vd->want_activate = false;
	vd->n_writes = 0;
	for (uint32_t i = 0; i < vd->desc.n_queues; i++) {
		vd->queues[i].regs = (struct vring_setup){ .size = 0 };
		vd->queues[i].regs_ready = false;
		vd->queues[i].used_seen = vd->queues[i].used_acked = 0;
		vring_kill(&vd->queues[i].ring);
	}
	atomic_store_explicit(&vd->interrupt_status, 0, memory_order_seq_cst);
}

static void wait_for_reset(struct virtio_device *vd)
{
	const uint64_t until = timed_wait_now() + RESET_WAIT_NS;

	while (vd->want_reset)
		if (timed_wait(&vd->settled, &vd->lock, until) != 0)
			return;
}

static void call_defer(struct virtio_device *vd)
{
	(void)pthread_mutex_unlock(&vd->lock);
	vd->env.defer(vd->env.opaque);
	(void)pthread_mutex_lock(&vd->lock);
}

static void driver_resets(struct virtio_device *vd)
{
	bool running = vd->running;

	reset_registers(vd);
	vd->running = false;
	if (!running)
		return;
	vd->want_reset = true;
	call_defer(vd);
	wait_for_reset(vd);
}

bool virtio_device_features_are_fine(const struct virtio_device *vd)
{
	return (vd->acked & ~vd->offered) == 0 && (vd->acked & VIRTIO_F_VERSION_1);
}

void virtio_device_write_status(struct virtio_device *vd, uint32_t status)
{
	uint32_t added = status & ~vd->status;

	if (status == 0) {
		driver_resets(vd);
		return;
	}
	/* Bits are only ever added, and NEEDS_RESET is ours (2.1.1). */
	status |= vd->status;
	if ((added & VIRTIO_STATUS_FEATURES_OK) && !virtio_device_features_are_fine(vd))
		status &= ~VIRTIO_STATUS_FEATURES_OK;
	if ((added & VIRTIO_STATUS_DRIVER_OK) && !(status & VIRTIO_STATUS_FEATURES_OK))
		status &= ~VIRTIO_STATUS_DRIVER_OK;
	if (!(vd->status & VIRTIO_STATUS_NEEDS_RESET))
		status &= ~VIRTIO_STATUS_NEEDS_RESET;
	added = status & ~vd->status;
	vd->status = status;
	if (added & VIRTIO_STATUS_DRIVER_OK) {
		vd->running = vd->want_activate = true;
		call_defer(vd);
	}
}

/* ---- deferred work; on the loop ---- */

static void deactivate(struct virtio_device *vd)
{
	if (vd->activated && TENON_HAS(vd->desc.ops, reset))
		vd->desc.ops->reset(vd->dev);
	vd->activated = false;
	stop_queues(vd);
}

static int start_queues(struct virtio_device *vd, uint64_t features)
{
	__typeof__(vring_start) *start = virtio_is_external(vd) ? vring_adopt : vring_start;

	for (uint32_t i = 0; i < vd->desc.n_queues; i++) {
		struct tenon_vq *vq = &vd->queues[i];
		struct vring_setup setup;
		const char *why;
		bool ready;

		(void)pthread_mutex_lock(&vd->lock);
		setup = vq->regs;
		/* After a reset that came meanwhile they are for the activation after it; one that
		 * comes from here on kills the ring again. */
		ready = vq->regs_ready && !vd->want_reset;
		if (ready && !virtio_is_external(vd))
			vring_revive(&vq->ring);
		(void)pthread_mutex_unlock(&vd->lock);
		if (!ready)
			continue;
		setup.event_idx = features & VIRTIO_F_EVENT_IDX;
		setup.indirect = features & VIRTIO_F_INDIRECT_DESC;
		if (start(&vq->ring, &setup, &vd->env.memory, &why) < 0) {
			char text[160];

			(void)snprintf(text, sizeof(text), "queue %u cannot be used: %s", i, why);
			virtio_fault(vd, text);
			return -EPROTO;
		}
	}
	return 0;
}

static void activate(struct virtio_device *vd, uint64_t features)
{
	int ret;

	stop_queues(vd);
	vd->generation++;
	if (start_queues(vd, features) < 0) {
		stop_queues(vd);
		return;
	}
	ret = TENON_HAS(vd->desc.ops, activate) ? vd->desc.ops->activate(vd->dev, features) : 0;
	if (ret < 0) {
		stop_queues(vd);
		virtio_fault(vd, "the device could not be activated");
		return;
	}
	vd->activated = true;
	virtio_device_all_ready(vd);
}

static void set_told(struct virtio_device *vd, const struct virtio_write *write)
{
	(void)pthread_mutex_lock(&vd->lock);
	vd->told = write;
	(void)pthread_mutex_unlock(&vd->lock);
}

/* One by one: a register that is written again and again is a stream of values. */
static void tell_writes(struct virtio_device *vd)
{
	struct virtio_write writes[VIRTIO_MAX_WRITES];
	uint32_t n;

	(void)pthread_mutex_lock(&vd->lock);
	n = vd->n_writes;
	memcpy(writes, vd->writes, n * sizeof(writes[0]));
	vd->n_writes = 0;
	(void)pthread_mutex_unlock(&vd->lock);
	for (uint32_t i = 0; i < n && TENON_HAS(vd->desc.ops, config_written); i++) {
		set_told(vd, &writes[i]);
		vd->desc.ops->config_written(vd->dev, writes[i].offset, writes[i].size);
	}
	if (n > 0)
		set_told(vd, NULL);
}

void virtio_device_run_deferred(struct virtio_device *vd)
{
	bool reset, start;
	uint64_t features;

	(void)pthread_mutex_lock(&vd->lock);
	reset = vd->want_reset;
	(void)pthread_mutex_unlock(&vd->lock);
	if (reset)
		deactivate(vd);

	(void)pthread_mutex_lock(&vd->lock);
	if (reset)
		vd->want_reset = false;
	(void)pthread_cond_broadcast(&vd->settled);
	/* A reset that came just now goes first, in the next run. */
	start = vd->want_activate && !vd->want_reset;
	if (start)
		vd->want_activate = false;
	features = vd->acked;
	(void)pthread_mutex_unlock(&vd->lock);

	if (start)
		activate(vd, features);
	tell_writes(vd);
}

void virtio_device_settle(struct virtio_device *vd)
{
	bool reset;

	(void)pthread_mutex_lock(&vd->lock);
	reset = vd->want_reset;
	(void)pthread_mutex_unlock(&vd->lock);
	if (reset) {
		deactivate(vd);
		(void)pthread_mutex_lock(&vd->lock);
		vd->want_reset = false;
		(void)pthread_cond_broadcast(&vd->settled);
		(void)pthread_mutex_unlock(&vd->lock);
	}
	tell_writes(vd);
}

void virtio_device_machine_reset(struct virtio_device *vd)
{
	vd->held = false;
	deactivate(vd);
	(void)pthread_mutex_lock(&vd->lock);
	reset_registers(vd);
	vd->running = vd->want_reset = false;
	(void)pthread_cond_broadcast(&vd->settled);
	(void)pthread_mutex_unlock(&vd->lock);
}

/* ---- queues; on the loop ---- */

void virtio_device_queue_ready(struct virtio_device *vd, uint32_t index)
{
	struct tenon_vq *vq = virtio_queue(vd, index);

	if (vd->activated && vq && vq->ring.setup.size && !virtio_is_external(vd) &&
		TENON_HAS(vd->desc.ops, queue_ready))
		vd->desc.ops->queue_ready(vd->dev, vq, index);
}

void virtio_device_all_ready(struct virtio_device *vd)
{
	for (uint32_t i = 0; i < vd->desc.n_queues; i++)
		virtio_device_queue_ready(vd, i);
}

struct tenon_vq *virtio_queue(struct virtio_device *vd, uint32_t index)
{
	return index < vd->desc.n_queues ? &vd->queues[index] : NULL;
}

uint32_t vq_size(const struct tenon_vq *vq)
{
	return vq->ring.setup.size;
}

int vq_pop(struct tenon_vq *vq, struct tenon_chain *ret_chain)
{
	int ret = vq->vd->held ? 0 : vring_pop(&vq->ring, ret_chain);

	if (ret > 0)
		ret_chain->generation = vq->vd->generation;
	else if (ret < 0)
		queue_fault(vq);
	return ret;
}

static bool is_current(const struct tenon_vq *vq, const struct tenon_chain *chain)
{
	return chain->generation == vq->vd->generation;
}

void vq_unpop(struct tenon_vq *vq, const struct tenon_chain *chain)
{
	if (is_current(vq, chain))
		vring_unpop(&vq->ring, chain);
}

void vq_push(struct tenon_vq *vq, const struct tenon_chain *chain, uint32_t written)
{
	if (is_current(vq, chain))
		(void)vring_push(&vq->ring, chain, written);
}

void vq_push_many(
	struct tenon_vq *vq, const struct tenon_chain *chains, const uint32_t *written, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!is_current(vq, &chains[i]))
			return; /* all of them were popped since the last reset, or none */
	vring_push_many(&vq->ring, chains, written, n);
}

void vq_notify(struct tenon_vq *vq)
{
	const struct virtio_env *env = &vq->vd->env;

	if (!vring_must_notify(&vq->ring))
		return;
	if (env->call)
		env->call(env->opaque, vq->index);
	else
		virtio_device_interrupt(vq->vd, VIRTIO_INT_QUEUE);
}

int vq_want_kicks(struct tenon_vq *vq, uint32_t want)
{
	return vring_want_kicks(&vq->ring, want != 0) && !vq->vd->held;
}

/* ---- configuration ---- */

static bool in_config(const struct virtio_device *vd, uint32_t offset, uint32_t size)
{
	return size <= vd->desc.config_size && offset <= vd->desc.config_size - size;
}

/* Puts the bytes of a write over what was read, where they meet. */
static void lay_over(const struct virtio_write *w, uint32_t offset, uint8_t *to, uint32_t size)
{
	if (!w || w->together)
		return;
	for (uint32_t i = 0; i < w->size; i++)
		if (w->offset + i >= offset && w->offset + i < offset + size)
			to[w->offset + i - offset] = w->bytes[i];
}

int virtio_config_get(struct virtio_device *vd, uint32_t offset, void *to, uint32_t size)
{
	if (!in_config(vd, offset, size))
		return -ERANGE;
	(void)pthread_mutex_lock(&vd->lock);
	memcpy(to, vd->config + offset, size);
	lay_over(vd->told, offset, to, size);
	(void)pthread_mutex_unlock(&vd->lock);
	return 0;
}

int virtio_config_set(struct virtio_device *vd, uint32_t offset, const void *from, uint32_t size)
{
	bool tell = false;

	if (!in_config(vd, offset, size))
		return -ERANGE;
	(void)pthread_mutex_lock(&vd->lock);
	if (memcmp(vd->config + offset, from, size) != 0) {
		memcpy(vd->config + offset, from, size);
		vd->config_generation++;
		tell = vd->running;
	}
	(void)pthread_mutex_unlock(&vd->lock);
	if (tell)
		virtio_device_interrupt(vd, VIRTIO_INT_CONFIG);
	return 0;
}
