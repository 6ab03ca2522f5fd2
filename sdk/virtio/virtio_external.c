/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings that somebody else works on (TENON_VIRTIO_EXTERNAL_RINGS): the layer checks where the
 * driver put them, as it does for its own, and touches them no further.  Such a ring is adopted and
 * stays dead, which is why pop() and push() leave it alone.
 */
#include <errno.h>
#include <string.h>

#include "sdk/virtio/virtio_device.h"

#define TRANSPORT_FEATURES 0x1ffff000000ull /* bits 24 to 40 (6) */

uint64_t virtio_offered(const struct tenon_virtio_desc *desc)
{
	uint64_t rings = desc->features & VIRTIO_LAYER_FEATURES;

	if (!(desc->flags & TENON_VIRTIO_EXTERNAL_RINGS))
		return desc->features | VIRTIO_LAYER_FEATURES;
	return (desc->features & ~TRANSPORT_FEATURES) | rings | VIRTIO_F_VERSION_1;
}

static bool lies_in_memory(
	const struct vring_memory *m, uint64_t gpa, uint64_t size, uint64_t align, bool write)
{
	uint64_t there = size;

	return gpa % align == 0 && m->map(m->opaque, gpa, &there, write) && there == size;
}

int vring_adopt(struct vring *ring, const struct vring_setup *setup,
	const struct vring_memory *memory, const char **ret_why)
{
	uint64_t n = setup->size;

	vring_kill(ring);
	*ret_why = "the queue's size is not a power of two up to 32768";
	if (n == 0 || n > 32768 || (n & (n - 1)) != 0)
		return -EINVAL;
	*ret_why = "the descriptor table is not in memory";
	if (!lies_in_memory(memory, setup->desc, n * 16, 16, false))
		return -EINVAL;
	*ret_why = "the available ring is not in memory";
	if (!lies_in_memory(memory, setup->avail, 6 + n * 2, 2, false))
		return -EINVAL;
	*ret_why = "the used ring is not in memory";
	if (!lies_in_memory(memory, setup->used, 6 + n * 8, 4, true))
		return -EINVAL;
	ring->setup = *setup;
	ring->last_avail = 0;
	return 0;
}

/* ---- what struct tenon_virtio promises ---- */

bool vq_is_external(const struct tenon_vq *vq)
{
	return virtio_is_external(vq->vd);
}

int vq_setup(const struct tenon_vq *vq, struct tenon_vq_setup *ret_setup)
{
	const struct vring_setup *own = &vq->ring.setup;
	struct tenon_vq_setup setup = { sizeof(setup), own->size, own->desc, own->avail,
		own->used };

	if (!vq_is_external(vq))
		return -ENOTSUP;
	if (ret_setup->struct_size < setup.struct_size)
		setup.struct_size = ret_setup->struct_size;
	memcpy(ret_setup, &setup, setup.struct_size);
	return 0;
}

/* ---- the interrupt status ---- */

/* Whether something was used since the driver acknowledged what it had seen. */
static bool has_news(struct tenon_vq *vq)
{
	const struct vring_memory *m = &vq->vd->env.memory;
	uint64_t there = 2;
	const uint8_t *at;
	uint16_t used;

	if (!vq->regs_ready)
		return false;
	at = m->map(m->opaque, vq->regs.used + 2, &there, false);
	if (!at || there != 2)
		return false;
	used = __atomic_load_n((const uint16_t *)(const void *)at, __ATOMIC_ACQUIRE);
	vq->used_seen = used;
	return used != vq->used_acked;
}

unsigned virtio_interrupts(struct virtio_device *vd)
{
	unsigned bits = atomic_load_explicit(&vd->interrupt_status, memory_order_seq_cst);

	if (!vd->env.direct_calls || !virtio_is_external(vd) || !vd->running)
		return bits;
	for (uint32_t i = 0; i < vd->desc.n_queues; i++)
		if (has_news(&vd->queues[i]))
			bits |= VIRTIO_INT_QUEUE;
	return bits;
}

void virtio_interrupts_ack(struct virtio_device *vd, unsigned bits)
{
	(void)atomic_fetch_and_explicit(&vd->interrupt_status, ~bits, memory_order_seq_cst);
	for (uint32_t i = 0; i < vd->desc.n_queues && (bits & VIRTIO_INT_QUEUE); i++)
		vd->queues[i].used_acked = vd->queues[i].used_seen;
}

void vq_interrupt(struct tenon_vq *vq)
{
	struct virtio_device *vd = vq->vd;
	bool running;

	if (!vq_is_external(vq))
		return;
	(void)pthread_mutex_lock(&vd->lock);
	running = vd->running;
	(void)pthread_mutex_unlock(&vd->lock);
	if (running)
		virtio_device_interrupt(vd, VIRTIO_INT_QUEUE);
}

uint32_t vq_base(const struct tenon_vq *vq)
{
	return vq->ring.last_avail;
}

void vq_set_base(struct tenon_vq *vq, uint32_t base)
{
	if (vq_is_external(vq))
		vq->ring.last_avail = (uint16_t)base;
}
