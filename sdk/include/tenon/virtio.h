/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/virtio.h - virtio devices (Virtual I/O Device specification 1.2).
 *
 * The layer owns the transport, feature negotiation, the device status machine, the rings and
 * every check of what the driver wrote.  A device sees features, its configuration writes, and
 * descriptor chains as iovecs that are already mapped and checked.  Section numbers are those of
 *the specification.
 *
 *	while ((ret = virtio->pop(vq, &chain)) > 0) {
 *		... read chain.out, fill chain.in ...
 *		virtio->push(vq, &chain, written);
 *	}
 *	virtio->notify(vq);
 *
 * The memory behind the iovecs is the guest's, who may change it at any time: copy what is decided
 * upon, then look at the copy.
 */
#ifndef TENON_VIRTIO_H
#define TENON_VIRTIO_H

#include <sys/uio.h>

#include <tenon/abi.h>

#define TENON_SVC_VIRTIO "tenon.virtio/1"

/*
 * One descriptor chain (2.7.5).  The iovecs are the layer's and stay valid until the chain is
 * pushed or the device is reset; a device may consume them in place.  The structure is the device's
 * and may be copied and kept, for requests that take time; one chain is pushed once.
 */
struct tenon_chain {
	struct iovec *out;            /* device-readable, in order */
	struct iovec *in;             /* device-writable, in order */
	uint32_t n_out, n_in;         /* how many of each; either may be 0 */
	uint64_t out_bytes, in_bytes; /* their sums */
	uint16_t head;                /* the layer's */
	uint16_t reserved;
	uint32_t generation; /* the layer's: a chain from before a reset is refused by push */
};

/* What the device does, each optional.  All under the instance's lock for TENON_SERIAL classes. */
struct tenon_virtio_ops {
	uint32_t struct_size;

	/*
	 * DRIVER_OK was written (3.1.1); @features is what was negotiated, the layer's bits
	 * included. An error sets NEEDS_RESET.  [loop]
	 */
	int (*activate)(struct tenon_dev *dev, uint64_t features);
	/*
	 * The driver kicked queue @index (2.7.13.4), or the queue may hold buffers after activate
	 * or resume.  The device pops until the queue is empty, or comes back by itself.  [loop]
	 */
	void (*queue_ready)(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index);
	/*
	 * The driver wrote @size bytes at @offset of the configuration (2.5); the layer has stored
	 * them.  Called for each write in order, and config_get() gives what that write wrote; of
	 * more than 64 that came meanwhile the last are told as one.  Without it the driver can
	 * write nothing.  [loop]
	 */
	void (*config_written)(struct tenon_dev *dev, uint32_t offset, uint32_t size);
	/*
	 * The driver resets the device (2.4): on return no chain is in use, none will be pushed.
	 * The driver is kept waiting until it returns.  Only called when activated.  [loop]
	 */
	void (*reset)(struct tenon_dev *dev);
};

/*
 * One page of a configuration of which the driver sees one page at a time (5.8.4): it writes the
 * page's key into the first bytes and finds the page behind them with its next read.
 */
struct tenon_virtio_page {
	uint8_t key[4]; /* as many of them as the description says */
	uint32_t size;  /* bytes; those up to the end of the configuration are then 0 */
	const void *bytes;
};

/* What the device is.  Copied by add(). */
struct tenon_virtio_desc {
	uint32_t struct_size;
	uint32_t device_id; /* section 5 */
	/* Device-specific feature bits; the layer adds VERSION_1, INDIRECT_DESC and EVENT_IDX (6).
	 */
	uint64_t features;
	uint32_t n_queues;           /* at least 1 */
	uint32_t config_size;        /* bytes, at most 4096 - 256 */
	const uint16_t *queue_sizes; /* the largest each may be: a power of two up to 32768 */
	const void *config;          /* its first contents, little-endian as the driver reads it */
	const struct tenon_virtio_ops *ops; /* lives until the device is detached */
	uint32_t flags;                     /* TENON_VIRTIO_* */
	uint32_t reserved;                  /* 0 */
	/*
	 * The pages of a configuration that has them; all zeroes for a key that is none of theirs.
	 * They and their bytes live until the device is detached, and never change.  The driver can
	 * write the key without config_written().
	 */
	const struct tenon_virtio_page *pages;
	uint32_t n_pages;
	uint32_t page_key; /* bytes of the key, 1 to 4; 0 = there are no pages */
};

/*
 * Somebody else works on the rings, such as a vhost-user back end: the layer negotiates, checks
 * where the driver put them and hands that on, and leaves them alone; pop() finds nothing and
 * queue_ready is not called.  Of the features for rings and transport (24 to 40) the description
 * then has those that this somebody can do; the layer offers what it can carry of them.
 */
#define TENON_VIRTIO_EXTERNAL_RINGS (1u << 0)

/* Where the driver put a queue (2.7): checked to be in memory, each part in one piece, aligned. */
struct tenon_vq_setup {
	uint32_t struct_size;
	uint32_t size;              /* entries, a power of two; 0 = not in use */
	uint64_t desc, avail, used; /* guest addresses */
};

struct tenon_virtio {
	uint32_t struct_size;

	/*
	 * Makes @dev a virtio device, with its window, its interrupt and its doorbells; once, from
	 * attach.  Undone by the core after detach.  -EINVAL for a description that cannot be,
	 * -EBUSY the second time, and what tenon/mmio.h and tenon/irq.h refuse with.  [main]
	 */
	int (*add)(struct tenon_dev *dev, const struct tenon_virtio_desc *desc);

	/* Queue @index; NULL past the last.  Valid until the device is detached.  [any] */
	struct tenon_vq *(*queue)(struct tenon_dev *dev, uint32_t index);
	/* How many entries the driver gave it; 0 = not in use.  [loop] */
	uint32_t (*queue_size)(const struct tenon_vq *vq);

	/*
	 * Takes the next chain (2.7.6): 1, 0 when the queue is empty or not in use, or -EPROTO
	 * when the driver broke the rules; the layer has then set NEEDS_RESET and the queue stays
	 * empty until reset.  Allocates nothing.  [loop]
	 */
	int (*pop)(struct tenon_vq *vq, struct tenon_chain *ret_chain);
	/*
	 * Gives the chain that was popped last back, as if it had not been popped: the next pop()
	 * takes it again.  One from before a reset is ignored.  Cannot fail.  [loop]
	 */
	void (*unpop)(struct tenon_vq *vq, const struct tenon_chain *chain);
	/*
	 * Returns a chain, in any order (2.7.8), with @written bytes filled from the start of its
	 * writable part.  The driver sees it at once but is not told before notify().  One from
	 * before a reset is ignored.  Cannot fail.  [loop]
	 */
	void (*push)(struct tenon_vq *vq, const struct tenon_chain *chain, uint32_t written);
	/*
	 * Interrupts the driver if it wants to hear of what was pushed since the last call (2.7.7).
	 * Once for many pushes is best.  Cannot fail.  [loop]
	 */
	void (*notify)(struct tenon_vq *vq);
	/*
	 * Asks the driver not to kick (0) or to kick again (1), as a hint (2.7.10).  1 returns 1
	 * when chains came meanwhile and the queue must be looked at once more, else 0.  [loop]
	 */
	int (*want_kicks)(struct tenon_vq *vq, uint32_t want);

	/*
	 * The driver broke the device's own rules: sets NEEDS_RESET (2.1.2), tells the driver, and
	 * logs @why (rate-limited).  The queues are left alone.  [loop]
	 */
	void (*fault)(struct tenon_dev *dev, const char *why);

	/*
	 * Copies @size bytes at @offset of the configuration (2.5) to @to.  -ERANGE outside of it,
	 * -ENODEV before add().  [loop] [main]
	 */
	int (*config_get)(struct tenon_dev *dev, uint32_t offset, void *to, uint32_t size);
	/*
	 * Changes the configuration; the generation counts up and the driver is told, unless
	 * nothing changed.  Bytes in the driver's order, little-endian.  -ERANGE, -ENODEV as
	 * config_get(). [loop] [main]
	 */
	int (*config_set)(struct tenon_dev *dev, uint32_t offset, const void *from, uint32_t size);

	/* As push() for each of @n chains; the driver sees all of them at once, as a frame in
	 * several buffers needs it.  [loop] */
	void (*push_many)(struct tenon_vq *vq, const struct tenon_chain *chains,
		const uint32_t *written, uint32_t n);

	/*
	 * The rest is for devices with TENON_VIRTIO_EXTERNAL_RINGS; -ENOTSUP, NULL or nothing for
	 * others.
	 *
	 * Where the driver put the queue, from activate until reset; only what fits into
	 * ret_setup->struct_size, which the caller sets, is filled in.  [loop]
	 */
	int (*queue_setup)(const struct tenon_vq *vq, struct tenon_vq_setup *ret_setup);
	/*
	 * What the driver's kicks of the queue signal, wherever doorbells are trapped; nobody else
	 * reads it.  Borrowed until the device is detached.  [main] [loop]
	 */
	struct tenon_notifier *(*queue_kick)(struct tenon_vq *vq);
	/*
	 * A notifier each signal of which does what interrupt() does, also from another process.
	 * The same one each time; borrowed until the device is detached.  [main] [loop]
	 */
	struct tenon_notifier *(*queue_call)(struct tenon_vq *vq);
	/*
	 * Tells the driver that something was used (2.7.7), without a look at whether it wants to
	 * know; ignored while no driver runs the device.  Cannot fail.  [any]
	 */
	void (*interrupt)(struct tenon_vq *vq);
	/*
	 * The available index from which on whoever works on the ring has to take: 0 at activate,
	 * then what queue_set_base() said last; it is saved and restored with the layer's state.
	 * [loop] [main]
	 */
	uint32_t (*queue_base)(const struct tenon_vq *vq);
	void (*queue_set_base)(struct tenon_vq *vq, uint32_t base);
};

#endif
