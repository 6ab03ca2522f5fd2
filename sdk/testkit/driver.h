/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's own state, for driver.c (registers) and driver_ring.c (rings and chains). */
#ifndef TENON_TESTKIT_DRIVER_H
#define TENON_TESTKIT_DRIVER_H

#include "sdk/testkit/kit.h"

enum {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_NUM_MAX = 0x034,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080,
	REG_QUEUE_DRIVER = 0x090,
	REG_QUEUE_DEVICE = 0x0a0,
	REG_SHM_SEL = 0x0ac,
	REG_SHM_LEN_LOW = 0x0b0,
	REG_SHM_BASE_LOW = 0x0b8,
	REG_CONFIG_GENERATION = 0x0fc,
	REG_CONFIG = 0x100,
};

#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

#define MAX_PARTS 1024u

struct driver_part {
	uint64_t gpa;
	uint32_t size;
	bool in, owned;
};

struct tk_buf {
	struct tk_buf *next;
	struct tk_dev *dev;
	unsigned queue, n_parts, n_descs;
	uint16_t head;
	bool used, lost; /* lost: the driver has forgotten it in a reset */
	uint32_t len;
	uint64_t table; /* indirect; 0 = none */
	uint64_t in_bytes;
	struct driver_part *parts;
};

struct driver_queue {
	struct tk_ring ring; /* size 0 = not set up */
	uint16_t avail, kicked, last_used;
	uint16_t *next_free; /* by descriptor */
	uint16_t first_free;
	uint32_t n_free;
	struct tk_buf **by_head;
	bool no_irqs;
};

struct kit_driver {
	struct kit_driver *next; /* of those that no device has */
	uint64_t features;
	bool indirect;
	struct driver_queue queues[VIRTIO_MAX_QUEUES];
	struct tk_buf *bufs;
};

struct kit_driver *driver_of(struct tk_dev *d);
/* The queue, which must be set up. */
struct driver_queue *driver_queue(struct tk_dev *d, unsigned queue);
void driver_forget_queue(struct driver_queue *q);

#endif
