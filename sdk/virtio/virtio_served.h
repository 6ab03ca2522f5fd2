/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device whose rings another program starts and stops one by one, and whose driver it
 * speaks for: vhost-user's way, in place of registers.
 *
 * All of it is for the device's loop; the caller holds the instance's lock.
 */
#ifndef TENON_VIRTIO_SERVED_H
#define TENON_VIRTIO_SERVED_H

#include "sdk/virtio/virtio_device.h"
#include "sdk/virtio/vring_inflight.h"

/* Whether the driver may have accepted just these. */
bool virtio_served_features_ok(const struct virtio_device *vd, uint64_t features);

/* A ring's beginning, as it was where it was stopped. */
struct virtio_served_ring {
	struct vring_setup setup; /* but for event_idx and indirect, which @features say */
	uint64_t features;
	uint16_t base; /* the next avail index; what @ledger says goes first */
	/* NULL: none.  @inflight is the caller's, as long as the ring runs. */
	struct vhost_user_inflight_ring *ledger;
	struct vring_inflight *inflight;
};

/* -EINVAL, -EPROTO or -ENOMEM with a static sentence in *@ret_why. */
int virtio_served_start(struct virtio_device *vd, uint32_t index,
	const struct virtio_served_ring *ring, const char **ret_why);
/* The memory was mapped anew: the ring goes on at these addresses.  -EINVAL, and it is stopped. */
int virtio_served_move(struct virtio_device *vd, uint32_t index, const struct vring_setup *setup,
	const char **ret_why);
bool virtio_served_runs(const struct virtio_device *vd, uint32_t index);
/* Chains that the device has popped and not given back. */
uint32_t virtio_served_in_use(const struct virtio_device *vd, uint32_t index);
/*
 * As if the device had not popped what it has not given back.  -EBUSY where that is not possible,
 * because it gave back some that came later.
 */
int virtio_served_rewind(struct virtio_device *vd, uint32_t index);
/* No chain of it may be with the device.  The next avail index comes back. */
uint16_t virtio_served_stop(struct virtio_device *vd, uint32_t index);

/* The device's own reset(): it forgets every chain.  The rings stay, and whatever it had not given
 * back is still in use in them. */
void virtio_served_let_go(struct virtio_device *vd);
/* DRIVER_OK: the device's own activate(), whose error comes back.  The rings are not looked at. */
int virtio_served_activate(struct virtio_device *vd, uint64_t features);
/* The status says NEEDS_RESET. */
bool virtio_served_is_faulty(struct virtio_device *vd);

#endif
