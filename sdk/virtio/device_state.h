/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One device's part of a saved state, for the core and the test kit: its name and type, the virtio
 * layer's part, its class's part.  Both callers stand within a section that they made or entered.
 */
#ifndef TENON_SDK_VIRTIO_DEVICE_STATE_H
#define TENON_SDK_VIRTIO_DEVICE_STATE_H

#include "sdk/state/state.h"
#include "sdk/virtio/virtio_device.h"

#define DEVICE_STATE_SECTION "device"
#define DEVICE_STATE_VERSION 1u
#define DEVICE_STATE_NAME    256u /* room for the device's name */
#define DEVICE_STATE_TYPE    64u  /* and its type */

struct saved_device {
	const char *name, *type;
	uint32_t version;             /* of the class's part */
	struct virtio_device *virtio; /* NULL = it is none */
	/* The class's functions; NULL = it has no state of its own. */
	int (*save)(void *opaque, struct tenon_state_w *w);
	int (*load)(void *opaque, struct tenon_state_r *r, uint32_t version);
	void *opaque;
};

/* The device is quiesced, or was loaded and not started.  On its loop. */
int device_state_save(struct tenon_state_w *w, const struct saved_device *s);
/* The name and the type that stand there, made printable. */
int device_state_identity(
	struct tenon_state_r *r, char name[DEVICE_STATE_NAME], char type[DEVICE_STATE_TYPE]);
/* The type is right.  The device is attached and not started.  On its loop. */
int device_state_load(struct tenon_state_r *r, const struct saved_device *s);

#endif
