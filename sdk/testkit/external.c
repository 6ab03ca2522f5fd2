/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings that another thread or process works on.
 *
 * Kicks and calls are descriptors there, and what was asked for comes when it comes.  So that a
 * test need not know, the loop is not idle while such a ring has chains that are not used: it waits
 * for a call, but once only for the same state of affairs, because there are queues whose chains
 * wait for the world.
 */
#include <poll.h>
#include <string.h>

#include "core/notifier.h"
#include "sdk/testkit/kit.h"

#define SLICE_MS   2
#define CALL_SHARE 8u /* of the patience, for a call that is due */
#define MAX_POLLED (4ul * VIRTIO_MAX_QUEUES)

int kit_external_open(
	struct virtio_device *vd, struct tenon_notifier **kicks, struct tenon_notifier **calls)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < vd->desc.n_queues; i++) {
		ret = notifier_create(&kicks[i]);
		if (ret == 0)
			ret = notifier_create(&calls[i]);
	}
	return ret;
}

void kit_external_close(struct tenon_notifier **kicks, struct tenon_notifier **calls)
{
	for (uint32_t i = 0; i < VIRTIO_MAX_QUEUES; i++) {
		notifier_destroy(kicks[i]);
		notifier_destroy(calls[i]);
		kicks[i] = calls[i] = NULL;
	}
}

static uint16_t index_at(const struct virtio_device *vd, uint64_t gpa)
{
	const struct vring_memory *m = &vd->env.memory;
	uint64_t size = 2;
	const uint16_t *at = m->map(m->opaque, gpa, &size, false);

	return at && size == 2 ? __atomic_load_n(at, __ATOMIC_ACQUIRE) : 0;
}

/* Whether the driver is to be interrupted for what was used since the last call (2.7.7, 2.7.10). */
static bool call_is_due(const struct virtio_device *vd, struct tenon_vq *vq)
{
	const struct vring_setup *s = &vq->ring.setup;
	const uint16_t old = vq->used_seen;
	uint16_t used, event;

	if (!vd->activated || s->size == 0)
		return false;
	used = index_at(vd, s->used + 2);
	vq->used_seen = used;
	if (!(vd->acked & VIRTIO_F_EVENT_IDX))
		return used != old && !(index_at(vd, s->avail) & 1);
	event = index_at(vd, s->avail + 4 + 2ull * s->size);
	return (uint16_t)(used - event - 1) < (uint16_t)(used - old);
}

bool kit_step_external(void)
{
	struct tenon_notifier **calls;
	struct virtio_device *vd;
	bool any = false;

	for (struct tk_dev *d = kit.devices; d; d = d->next) {
		if (!kit_virtio_external(d, &vd, &calls))
			continue;
		for (uint32_t i = 0; i < vd->desc.n_queues; i++)
			if (notifier_drain(calls[i])) {
				vq_interrupt(&vd->queues[i]);
				(void)call_is_due(vd, &vd->queues[i]);
				any = true;
			}
	}
	return any;
}

/* What of all rings is not used yet, as a number that changes with it; 0 = nothing. */
static uint64_t outstanding(const struct virtio_device *vd)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; vd->activated && i < vd->desc.n_queues; i++) {
		const struct vring_setup *s = &vd->queues[i].ring.setup;
		uint16_t avail, used;

		if (s->size == 0)
			continue;
		avail = index_at(vd, s->avail + 2);
		used = index_at(vd, s->used + 2);
		if (avail != used)
			sum = sum * 31 + (uint64_t)(avail + 1) * 65537 + used + i;
	}
	return sum;
}

static unsigned patience_ms = 250;

/* 0: nothing is to be waited for. */
static uint64_t state_of_affairs(void)
{
	struct tenon_notifier **calls;
	struct virtio_device *vd;
	uint64_t all = 0, left;

	for (struct tk_dev *d = kit.devices; d; d = d->next) {
		if (!kit_virtio_external(d, &vd, &calls))
			continue;
		left = outstanding(vd);
		if (left)
			all = all * 31 + left + d->doorbells; /* a kick is a new state of affairs */
	}
	return all;
}

/* What may bring something: calls, and what devices watch. */
static nfds_t collect(struct pollfd polled[MAX_POLLED], bool only_external)
{
	struct tenon_notifier **calls;
	struct virtio_device *vd;
	nfds_t n = 0;

	for (struct tk_dev *d = kit.devices; d; d = d->next) {
		if (kit_virtio_external(d, &vd, &calls))
			for (uint32_t i = 0; i < vd->desc.n_queues && n < MAX_POLLED / 2; i++)
				polled[n++] = (struct pollfd){ notifier_fd(calls[i]), POLLIN, 0 };
		else if (only_external)
			continue;
		n += kit_watched(d, polled + n, MAX_POLLED - n);
	}
	return n;
}

/* What is used is seen before the call for it is made.  A hostile driver's rings may promise one
 * that never comes. */
static bool wait_for_call(struct pollfd *polled, nfds_t n)
{
	struct tenon_notifier **calls;
	struct virtio_device *vd;
	bool due = false;

	for (struct tk_dev *d = kit.devices; d; d = d->next)
		for (uint32_t i = 0; kit_virtio_external(d, &vd, &calls) && i < vd->desc.n_queues;
			i++)
			due |= call_is_due(vd, &vd->queues[i]);
	return due && poll(polled, n, (int)(patience_ms / CALL_SHARE)) > 0;
}

bool kit_wait_external(void)
{
	static uint64_t waited_for;
	struct pollfd polled[MAX_POLLED];
	const uint64_t all = state_of_affairs();
	nfds_t n;

	n = collect(polled, true);
	if (all == 0 || all == waited_for)
		return wait_for_call(polled, n);
	/* Not every chain that is used is told: the driver may not want to hear of it. */
	for (unsigned waited = 0; waited < patience_ms; waited += SLICE_MS)
		if (poll(polled, n, SLICE_MS) > 0 || state_of_affairs() != all)
			return true;
	waited_for = all;
	return false;
}

int tk_wait(unsigned ms)
{
	struct pollfd polled[MAX_POLLED];

	return poll(polled, collect(polled, false), (int)ms) > 0;
}

void tk_patience(unsigned ms)
{
	patience_ms = ms;
}
