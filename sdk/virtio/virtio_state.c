/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer's part of a virtio device's state: registers, configuration, rings.
 *
 * What is loaded may say anything, and what it says is held to what a driver could have brought
 * about: a status that cannot be reached, features that are not offered, a ring that does not lie
 * in memory, indices that do not fit are refused with a sentence.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/state/state.h"
#include "sdk/virtio/virtio_device.h"

#define VERSION 1u

/* Tags; a number that was in use is not given to something else. */
enum {
	TAG_DEVICE_ID = 1,
	TAG_STATUS,
	TAG_FEATURES,
	TAG_CONFIG,
	TAG_CONFIG_GENERATION,
	TAG_INTERRUPT,
	TAG_DEVICE_FEATURES_SEL,
	TAG_DRIVER_FEATURES_SEL,
	TAG_QUEUE_SEL,
	TAG_SHM_SEL,
	TAG_ACTIVATION,
	TAG_QUEUE = 0x100, /* and one for each */
};

/* of a queue */
enum {
	TAG_SIZE = 1,
	TAG_READY,
	TAG_DESC,
	TAG_AVAIL,
	TAG_USED,
	TAG_RING,
};

/* of its ring */
enum {
	TAG_LAST_AVAIL = 1,
	TAG_NEXT_USED,
	TAG_SIGNALLED,
	TAG_KICKS,
	TAG_FAULTED,
	TAG_IN_FLIGHT,
};

enum { IDLE, PENDING, ACTIVE };

static const struct tenon_state *const state = &state_service;

/* ---- saving ---- */

static int save_in_flight(struct tenon_state_w *w, const struct vring *ring)
{
	uint16_t *heads = calloc(ring->setup.size, sizeof(*heads));
	uint8_t *raw = calloc(ring->setup.size, 2);
	int n = heads && raw ? vring_in_flight(ring, heads) : -ENOMEM;

	for (ptrdiff_t i = 0; i < n; i++) {
		raw[2 * i] = (uint8_t)heads[i];
		raw[2 * i + 1] = (uint8_t)(heads[i] >> 8);
	}
	if (n < 0)
		(void)state_write_fail(w, n, "there is no memory for the chains in use");
	else
		(void)state->put_bytes(w, TAG_IN_FLIGHT, raw, 2 * (uint32_t)n);
	free(heads);
	free(raw);
	return w->error;
}

static void save_ring(struct tenon_state_w *w, const struct tenon_vq *vq)
{
	const struct vring *ring = &vq->ring;
	bool kicks = vq->vd->held ? vq->saved_kicks : ring->kicks;

	if (ring->setup.size == 0)
		return;
	(void)state->begin(w, TAG_RING, "ring", VERSION);
	(void)state->put_u16(w, TAG_LAST_AVAIL, ring->last_avail);
	/* Of an external ring nothing else is known here: whoever works on it has left it. */
	if (virtio_is_external(vq->vd)) {
		(void)state->end(w);
		return;
	}
	(void)state->put_u16(w, TAG_NEXT_USED, ring->next_used);
	(void)state->put_u16(w, TAG_SIGNALLED, ring->signalled_used);
	(void)state->put_u8(w, TAG_KICKS, kicks);
	(void)state->put_u8(w, TAG_FAULTED, ring->fault != NULL);
	(void)save_in_flight(w, ring);
	(void)state->end(w);
}

static void save_queue(struct tenon_state_w *w, const struct tenon_vq *vq)
{
	(void)state->begin(w, TAG_QUEUE + vq->index, "queue", VERSION);
	(void)state->put_u32(w, TAG_SIZE, vq->regs.size);
	(void)state->put_u8(w, TAG_READY, vq->regs_ready);
	(void)state->put_u64(w, TAG_DESC, vq->regs.desc);
	(void)state->put_u64(w, TAG_AVAIL, vq->regs.avail);
	(void)state->put_u64(w, TAG_USED, vq->regs.used);
	if (vq->vd->activated)
		save_ring(w, vq);
	(void)state->end(w);
}

static void save_registers(struct tenon_state_w *w, const struct virtio_device *vd)
{
	(void)state->put_u32(w, TAG_DEVICE_ID, vd->desc.device_id);
	(void)state->put_u8(w, TAG_STATUS, (uint8_t)vd->status);
	(void)state->put_u64(w, TAG_FEATURES, vd->acked);
	(void)state->put_bytes(w, TAG_CONFIG, vd->config, vd->desc.config_size);
	(void)state->put_u32(w, TAG_CONFIG_GENERATION, vd->config_generation);
	(void)state->put_u8(w, TAG_INTERRUPT, (uint8_t)atomic_load(&vd->interrupt_status));
	(void)state->put_u32(w, TAG_DEVICE_FEATURES_SEL, vd->device_features_sel);
	(void)state->put_u32(w, TAG_DRIVER_FEATURES_SEL, vd->driver_features_sel);
	(void)state->put_u32(w, TAG_QUEUE_SEL, vd->queue_sel);
	(void)state->put_u32(w, TAG_SHM_SEL, vd->shm_sel);
	(void)state->put_u8(w, TAG_ACTIVATION,
		vd->activated       ? ACTIVE
		: vd->want_activate ? PENDING
				    : IDLE);
}

int virtio_device_save(struct virtio_device *vd, struct tenon_state_w *w)
{
	virtio_device_settle(vd);
	(void)pthread_mutex_lock(&vd->lock);
	save_registers(w, vd);
	for (uint32_t i = 0; i < vd->desc.n_queues; i++)
		save_queue(w, &vd->queues[i]);
	(void)pthread_mutex_unlock(&vd->lock);
	return w->error;
}

/* ---- loading ---- */

#define NEED(tag) (TENON_STATE_NEED | (tag))

static int get_flag(struct tenon_state_r *r, uint32_t tag, const char *what, bool *ret_flag)
{
	uint8_t value = 0;
	int ret = state->get_u8(r, NEED(tag), &value);

	if (ret < 0)
		return ret;
	if (value > 1)
		return state_read_fail(r, -EPROTO, "%s is %u; wanted 0 or 1", what, value);
	*ret_flag = value;
	return 0;
}

static int check_registers(struct tenon_state_r *r, const struct virtio_device *vd, uint8_t status,
	uint8_t interrupts, uint8_t activation)
{
	if ((status & VIRTIO_STATUS_DRIVER_OK) && !(status & VIRTIO_STATUS_FEATURES_OK))
		return state_read_fail(r, -EPROTO,
			"the device status is 0x%x: DRIVER_OK without FEATURES_OK", status);
	if ((status & VIRTIO_STATUS_FEATURES_OK) && !virtio_device_features_are_fine(vd))
		return state_read_fail(r, -EPROTO,
			"the driver uses features 0x%llx; this device offers 0x%llx",
			(unsigned long long)vd->acked, (unsigned long long)vd->offered);
	if (interrupts & ~(VIRTIO_INT_QUEUE | VIRTIO_INT_CONFIG))
		return state_read_fail(r, -EPROTO,
			"the interrupt status is 0x%x; only two bits are known", interrupts);
	if (activation > ACTIVE || (activation != IDLE && !(status & VIRTIO_STATUS_DRIVER_OK)))
		return state_read_fail(r, -EPROTO,
			"it is said to be active (%u) with a device status of 0x%x", activation,
			status);
	return 0;
}

static int load_registers(
	struct tenon_state_r *r, struct virtio_device *vd, uint8_t *ret_activation)
{
	uint32_t id = 0, config_size = 0;
	uint8_t status = 0, interrupts = 0;
	int ret;

	(void)state->get_u32(r, NEED(TAG_DEVICE_ID), &id);
	(void)state->get_u8(r, NEED(TAG_STATUS), &status);
	(void)state->get_u64(r, NEED(TAG_FEATURES), &vd->acked);
	(void)state->get_bytes(r, NEED(TAG_CONFIG), vd->config, vd->desc.config_size, &config_size);
	(void)state->get_u32(r, NEED(TAG_CONFIG_GENERATION), &vd->config_generation);
	(void)state->get_u8(r, NEED(TAG_INTERRUPT), &interrupts);
	(void)state->get_u32(r, TAG_DEVICE_FEATURES_SEL, &vd->device_features_sel);
	(void)state->get_u32(r, TAG_DRIVER_FEATURES_SEL, &vd->driver_features_sel);
	(void)state->get_u32(r, TAG_QUEUE_SEL, &vd->queue_sel);
	(void)state->get_u32(r, TAG_SHM_SEL, &vd->shm_sel);
	ret = state->get_u8(r, NEED(TAG_ACTIVATION), ret_activation);
	if (ret < 0)
		return ret;
	if (id != vd->desc.device_id)
		return state_read_fail(
			r, -EPROTO, "it is virtio device %u; wanted %u", id, vd->desc.device_id);
	ret = check_registers(r, vd, status, interrupts, *ret_activation);
	if (ret < 0)
		return ret;
	vd->status = status;
	atomic_store(&vd->interrupt_status, interrupts);
	return 0;
}

static int ring_fail(struct tenon_state_r *r, const struct tenon_vq *vq, int error, const char *why)
{
	return state_read_fail(r, error, "queue %u: %s", vq->index, why);
}

static int load_in_flight(
	struct tenon_state_r *r, const struct tenon_vq *vq, struct vring_state *s, uint16_t **heads)
{
	uint32_t most = vq->ring.setup.size * 2, n = 0;
	uint8_t *raw = calloc(1, most);
	int ret;

	*heads = calloc(vq->ring.setup.size, sizeof(**heads));
	if (!raw || !*heads)
		ret = ring_fail(r, vq, -ENOMEM, "out of memory");
	else
		ret = state->get_bytes(r, NEED(TAG_IN_FLIGHT), raw, most, &n);
	if (ret == 0 && n % 2)
		ret = ring_fail(r, vq, -EPROTO, "half a chain is in use");
	for (size_t i = 0; ret == 0 && i < n / 2; i++)
		(*heads)[i] = (uint16_t)(raw[2 * i] | raw[2 * i + 1] << 8);
	s->in_flight = *heads;
	s->n_in_flight = n / 2;
	free(raw);
	return ret;
}

static int load_ring(struct tenon_state_r *r, struct tenon_vq *vq)
{
	struct vring_state s = { .last_avail = 0 };
	uint16_t *heads = NULL;
	const char *why = "";
	uint32_t version;
	int ret = state->enter(r, NEED(TAG_RING), "ring", VERSION, &version);

	if (ret < 0)
		return ret;
	(void)state->get_u16(r, NEED(TAG_LAST_AVAIL), &s.last_avail);
	if (virtio_is_external(vq->vd)) {
		vq->ring.last_avail = s.last_avail;
		return state->leave(r);
	}
	(void)state->get_u16(r, NEED(TAG_NEXT_USED), &s.next_used);
	(void)state->get_u16(r, NEED(TAG_SIGNALLED), &s.signalled_used);
	(void)get_flag(r, TAG_KICKS, "whether kicks are wanted", &s.kicks);
	(void)get_flag(r, TAG_FAULTED, "whether the ring is broken", &s.faulted);
	ret = load_in_flight(r, vq, &s, &heads);
	if (ret == 0) {
		ret = vring_restore(&vq->ring, &s, &why);
		if (ret < 0)
			ret = ring_fail(r, vq, ret == -EINVAL ? -EPROTO : ret, why);
	}
	vq->saved_kicks = s.kicks;
	free(heads);
	return ret < 0 ? ret : state->leave(r);
}

/* What the driver had set up must still be there. */
static int start_ring(struct tenon_state_r *r, struct tenon_vq *vq)
{
	const uint64_t features = vq->vd->acked;
	struct vring_setup setup = vq->regs;
	const char *why;
	int ret;

	setup.event_idx = features & VIRTIO_F_EVENT_IDX;
	setup.indirect = features & VIRTIO_F_INDIRECT_DESC;
	if (virtio_is_external(vq->vd)) {
		ret = vring_adopt(&vq->ring, &setup, &vq->vd->env.memory, &why);
	} else {
		vring_revive(&vq->ring);
		ret = vring_start(&vq->ring, &setup, &vq->vd->env.memory, &why);
	}
	if (ret < 0)
		return ring_fail(r, vq, ret == -EINVAL ? -EPROTO : ret, why);
	return load_ring(r, vq);
}

static int load_queue(struct tenon_state_r *r, struct tenon_vq *vq, bool active)
{
	uint32_t version;
	int ret = state->enter(r, NEED(TAG_QUEUE + vq->index), "queue", VERSION, &version);

	if (ret < 0)
		return ret;
	(void)state->get_u32(r, NEED(TAG_SIZE), &vq->regs.size);
	(void)get_flag(r, TAG_READY, "whether the queue is ready", &vq->regs_ready);
	(void)state->get_u64(r, NEED(TAG_DESC), &vq->regs.desc);
	(void)state->get_u64(r, NEED(TAG_AVAIL), &vq->regs.avail);
	ret = state->get_u64(r, NEED(TAG_USED), &vq->regs.used);
	if (ret < 0)
		return ret;
	if (vq->regs.size > vq->max_size)
		return state_read_fail(r, -EPROTO, "queue %u has %u entries; wanted at most %u",
			vq->index, vq->regs.size, vq->max_size);
	if (active && vq->regs_ready)
		ret = start_ring(r, vq);
	return ret < 0 ? ret : state->leave(r);
}

static int load_all(struct virtio_device *vd, struct tenon_state_r *r, uint8_t *ret_activation)
{
	int ret = load_registers(r, vd, ret_activation);

	for (uint32_t i = 0; i < vd->desc.n_queues && ret == 0; i++)
		ret = load_queue(r, &vd->queues[i], *ret_activation == ACTIVE);
	/* One too many is another device's. */
	if (ret == 0 && state->has(r, TAG_QUEUE + vd->desc.n_queues) > 0)
		ret = state_read_fail(r, -EPROTO, "it has more queues than %u", vd->desc.n_queues);
	return ret;
}

static int activate(struct virtio_device *vd, struct tenon_state_r *r)
{
	int ret = 0;

	vd->generation++;
	vd->running = true;
	if (TENON_HAS(vd->desc.ops, activate))
		ret = vd->desc.ops->activate(vd->dev, vd->acked);
	if (ret < 0)
		return state_read_fail(r, ret,
			"the device could not be activated with features 0x%llx",
			(unsigned long long)vd->acked);
	vd->activated = true;
	return 0;
}

int virtio_device_load(struct virtio_device *vd, struct tenon_state_r *r)
{
	uint8_t activation = IDLE;
	int ret;

	if (vd->running || vd->held)
		return state_read_fail(r, -EBUSY, "a driver has the device already");
	vd->held = true;
	(void)pthread_mutex_lock(&vd->lock);
	ret = load_all(vd, r, &activation);
	vd->running = ret == 0 && (vd->status & VIRTIO_STATUS_DRIVER_OK);
	vd->want_activate = ret == 0 && activation == PENDING;
	(void)pthread_mutex_unlock(&vd->lock);
	if (ret == 0 && activation == ACTIVE)
		ret = activate(vd, r);
	if (ret < 0)
		virtio_device_machine_reset(vd);
	return ret;
}

void virtio_device_loaded(struct virtio_device *vd)
{
	for (uint32_t i = 0; i < vd->desc.n_queues; i++)
		if (vd->queues[i].ring.setup.size)
			vd->queues[i].ring.kicks = vd->queues[i].saved_kicks;
}

void virtio_device_go(struct virtio_device *vd)
{
	bool pending, interrupts;

	if (!vd->held)
		return;
	vd->held = false;
	(void)pthread_mutex_lock(&vd->lock);
	pending = vd->want_activate;
	interrupts = virtio_interrupts(vd);
	(void)pthread_mutex_unlock(&vd->lock);
	/* An edge of before the pause may be lost; one too many does no harm. */
	if (interrupts)
		vd->env.interrupt(vd->env.opaque);
	if (pending)
		vd->env.defer(vd->env.opaque);
	virtio_device_all_ready(vd);
}
