/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/virtio.h - virtio devices (Virtual I/O Device specification 1.2).
 *
 * The layer owns the transport, feature negotiation, the device status machine, the rings and
 * every check of what the driver wrote.  A device sees features, its configuration writes, and
 * descriptor chains as iovecs that are already mapped and checked.
 */
#ifndef TENON_VIRTIO_H
#define TENON_VIRTIO_H

#include <sys/uio.h>

#include <tenon/abi.h>

#define TENON_SVC_VIRTIO "tenon.virtio/1"

/*
 * One descriptor chain (section 2.7).  The iovecs are the layer's and stay valid until the chain is
 * pushed or the device is reset; a device may consume them in place.  The structure is the
 * device's and may be copied; one chain is pushed once.
 */
struct tenon_chain {
	struct iovec *out; /* device-readable, in order */
	struct iovec *in;  /* device-writable, in order */
	uint32_t n_out, n_in;
	uint64_t out_bytes, in_bytes;
	uint16_t head;
	uint16_t reserved;
	uint32_t generation; /* the layer's: a chain from before a reset is refused by push */
};

/* What the device does.  All under the instance's lock for TENON_SERIAL classes. */
struct tenon_virtio_ops {
	uint32_t struct_size;

	/* DRIVER_OK was written; @features is what was negotiated.  An error sets NEEDS_RESET.
	 * [loop] */
	int (*activate)(struct tenon_dev *dev, uint64_t features);
	/* The driver kicked queue @index, or the queue may hold buffers after activate.  [loop] */
	void (*queue_ready)(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index);
	/*
	 * The driver wrote its part of the configuration; the layer has stored it.  Called for each
	 * write in order, and config_get() gives what that write wrote; of more than 64 that came
	 * meanwhile the last are told as one.  [loop]
	 */
	void (*config_written)(struct tenon_dev *dev, uint32_t offset, uint32_t size);
	/*
	 * The driver resets the device: on return no chain is in use, none will be pushed.  Only
	 * called when activated.  [loop]
	 */
	void (*reset)(struct tenon_dev *dev);
};

/* What the device is.  Copied by add(). */
struct tenon_virtio_desc {
	uint32_t struct_size;
	uint32_t device_id; /* section 5 */
	/* Device-specific feature bits; the layer adds VERSION_1, INDIRECT_DESC and EVENT_IDX. */
	uint64_t features;
	uint32_t n_queues;
	uint32_t config_size;        /* bytes, at most 4096 - 256 */
	const uint16_t *queue_sizes; /* the largest each may be: a power of two up to 32768 */
	const void *config;          /* its first contents, little-endian as the driver reads it */
	const struct tenon_virtio_ops *ops;
};

struct tenon_virtio {
	uint32_t struct_size;

	/* Makes @dev a virtio device; once, from attach.  Undone by the core after detach.  [main]
	 */
	int (*add)(struct tenon_dev *dev, const struct tenon_virtio_desc *desc);

	struct tenon_vq *(*queue)(
		struct tenon_dev *dev, uint32_t index); /* NULL past the end [any] */
	uint32_t (*queue_size)(
		const struct tenon_vq *vq); /* as negotiated; 0 = not in use [loop] */

	/*
	 * Takes the next chain: 1, 0 when the queue is empty, or -errno when the driver broke the
	 * rules; the layer has then set NEEDS_RESET and the queue stays empty until reset.  [loop]
	 */
	int (*pop)(struct tenon_vq *vq, struct tenon_chain *ret_chain);
	/* Gives the chain that was popped last back, as if it had not been popped.  [loop] */
	void (*unpop)(struct tenon_vq *vq, const struct tenon_chain *chain);
	/* Returns a chain with @written bytes filled from the start of its writable part.  [loop]
	 */
	void (*push)(struct tenon_vq *vq, const struct tenon_chain *chain, uint32_t written);
	/* Interrupts the driver if it wants to hear of what was pushed since the last call.  [loop]
	 */
	void (*notify)(struct tenon_vq *vq);
	/* Asks the driver not to kick (0) or to kick again (1); 1 returns 1 when chains came
	 * meanwhile and queue_ready must be run once more.  [loop] */
	int (*want_kicks)(struct tenon_vq *vq, uint32_t want);

	/* The driver broke the device's own rules: sets NEEDS_RESET, logs (rate-limited).  [loop]
	 */
	void (*fault)(struct tenon_dev *dev, const char *why);

	/* Reads or changes the configuration; a change is told to the driver.  [loop] [main] */
	int (*config_get)(struct tenon_dev *dev, uint32_t offset, void *to, uint32_t size);
	int (*config_set)(struct tenon_dev *dev, uint32_t offset, const void *from, uint32_t size);
};

#endif
