/* SPDX-License-Identifier: Apache-2.0 */
/* Rings that are started and stopped one by one. */
#include "sdk/virtio/virtio_served.h"

#include <errno.h>

bool virtio_served_features_ok(const struct virtio_device *vd, uint64_t features)
{
	return (features & ~vd->offered) == 0 && (features & VIRTIO_F_VERSION_1);
}

static uint16_t used_idx(const struct vring *ring)
{
	uint16_t v =
		__atomic_load_n((const uint16_t *)(const void *)(ring->used + 2), __ATOMIC_ACQUIRE);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	return v;
}

/* What a ledger holds was popped, and nothing that it does not hold. */
static int take_up(struct vring *ring, const struct virtio_served_ring *from, const char **ret_why)
{
	uint32_t in_use;
	int ret;

	ring->next_used = ring->signalled_used = used_idx(ring);
	ring->last_avail = from->base;
	if (!from->ledger)
		return 0;
	ret = vring_inflight_start(
		from->inflight, from->ledger, ring->setup.size, ring->next_used, &in_use);
	if (ret < 0) {
		*ret_why = ret == -ENOMEM ? "out of memory"
					  : "the memory for requests in flight is of another ring";
		return ret;
	}
	ring->inflight = from->inflight;
	ring->last_avail = (uint16_t)(ring->next_used + in_use);
	return 0;
}

int virtio_served_start(struct virtio_device *vd, uint32_t index,
	const struct virtio_served_ring *from, const char **ret_why)
{
	struct vring *ring = &vd->queues[index].ring;
	struct vring_setup setup = from->setup;
	int ret;

	setup.event_idx = from->features & VIRTIO_F_EVENT_IDX;
	setup.indirect = from->features & VIRTIO_F_INDIRECT_DESC;
	vring_stop(ring);
	vring_revive(ring);
	ret = vring_start(ring, &setup, &vd->env.memory, ret_why);
	if (ret == 0)
		ret = take_up(ring, from, ret_why);
	if (ret < 0) {
		vring_stop(ring);
		return ret;
	}
	/* Whoever had it before may have left the wish not to be kicked. */
	(void)vring_want_kicks(ring, true);
	return 0;
}

/* vring_start() knows how to map, and leaves alone what is not its own. */
int virtio_served_move(struct virtio_device *vd, uint32_t index, const struct vring_setup *setup,
	const char **ret_why)
{
	struct vring *ring = &vd->queues[index].ring, moved = { .setup.size = 0 };
	struct vring_setup wanted = *setup;
	int ret;

	wanted.event_idx = ring->setup.event_idx;
	wanted.indirect = ring->setup.indirect;
	ret = vring_start(&moved, &wanted, &vd->env.memory, ret_why);
	if (ret < 0) {
		vring_stop(ring);
		return ret;
	}
	ring->desc = moved.desc;
	ring->avail = moved.avail;
	ring->used = moved.used;
	ring->setup = wanted;
	vring_stop(&moved);
	return 0;
}

bool virtio_served_runs(const struct virtio_device *vd, uint32_t index)
{
	return vd->queues[index].ring.setup.size != 0;
}

uint32_t virtio_served_in_use(const struct virtio_device *vd, uint32_t index)
{
	const struct vring *ring = &vd->queues[index].ring;
	uint32_t n = 0;

	for (uint32_t i = 0; i < ring->setup.size; i++)
		n += ring->slots[i].in_use;
	return n;
}

int virtio_served_rewind(struct virtio_device *vd, uint32_t index)
{
	struct vring *ring = &vd->queues[index].ring;
	uint32_t n = 0, in_use = virtio_served_in_use(vd, index);

	/* The ledger knows better: what it holds is taken again. */
	if (ring->inflight)
		return 0;
	for (; n < in_use; n++) {
		const uint32_t at = (uint16_t)(ring->last_avail - 1 - n) & (ring->setup.size - 1);
		const uint8_t *entry = ring->avail + 4 + (size_t)at * 2;
		uint16_t head = (uint16_t)(entry[0] | entry[1] << 8);

		if (head >= ring->setup.size || !ring->slots[head].in_use)
			return -EBUSY;
	}
	ring->last_avail = (uint16_t)(ring->last_avail - n);
	return 0;
}

uint16_t virtio_served_stop(struct virtio_device *vd, uint32_t index)
{
	struct vring *ring = &vd->queues[index].ring;
	uint16_t base = ring->last_avail;

	if (ring->inflight)
		vring_inflight_stop(ring->inflight);
	vring_stop(ring);
	return base;
}

void virtio_served_let_go(struct virtio_device *vd)
{
	if (vd->activated && TENON_HAS(vd->desc.ops, reset))
		vd->desc.ops->reset(vd->dev);
	vd->activated = false;
}

int virtio_served_activate(struct virtio_device *vd, uint64_t features)
{
	int ret;

	(void)pthread_mutex_lock(&vd->lock);
	vd->acked = features;
	vd->status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK |
		     VIRTIO_STATUS_DRIVER_OK;
	vd->running = true;
	(void)pthread_mutex_unlock(&vd->lock);
	vd->generation++;
	ret = TENON_HAS(vd->desc.ops, activate) ? vd->desc.ops->activate(vd->dev, features) : 0;
	if (ret < 0) {
		virtio_fault(vd, "the device could not be activated");
		return ret;
	}
	vd->activated = true;
	return 0;
}

bool virtio_served_is_faulty(struct virtio_device *vd)
{
	bool faulty;

	(void)pthread_mutex_lock(&vd->lock);
	faulty = vd->status & VIRTIO_STATUS_NEEDS_RESET;
	(void)pthread_mutex_unlock(&vd->lock);
	return faulty;
}
