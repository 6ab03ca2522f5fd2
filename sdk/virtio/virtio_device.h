/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One virtio device: features, status, configuration, queues, and its virtio-mmio registers.
 *
 * Register accesses come on vCPU threads.  They change the registers' own state under a small lock
 * and never run the device's code: what the driver asks of the device (activation, a reset, a
 * configuration write) is deferred to the device's loop.  A reset takes the rings away from the
 * device at once; then the vCPU waits for a bounded time until the device has let go of the
 * driver's buffers, because there are drivers that do not poll the status for it.  To those that
 * do, the status is not 0 before.
 */
#ifndef TENON_VIRTIO_DEVICE_H
#define TENON_VIRTIO_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <tenon/virtio.h>

#include "sdk/virtio/vring.h"

#define VIRTIO_MAX_QUEUES 64u
#define VIRTIO_MAX_SHM    4u
#define VIRTIO_MAX_CONFIG (4096u - 256u)

/* Device status (2.1). */
#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER      2u
#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED      128u

/* Features that the layer adds (6). */
#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX     (1ull << 29)
#define VIRTIO_F_VERSION_1     (1ull << 32)
#define VIRTIO_LAYER_FEATURES  (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)

/* Interrupt status (4.2.2). */
#define VIRTIO_INT_QUEUE  1u
#define VIRTIO_INT_CONFIG 2u

/* What the layer needs from whoever embeds it. */
struct virtio_env {
	struct vring_memory memory;
	/* The interrupt status has bits: raise the interrupt.  [any] */
	void (*interrupt)(void *opaque);
	/* Instead, for what is on queue @index; NULL: interrupt() serves for all.  [loop] */
	void (*call)(void *opaque, uint32_t index);
	/* Whoever works on external rings raises the interrupt without us: whether there is one for
	 * the driver is read off the rings. */
	bool direct_calls;
	/* Have virtio_device_run_deferred() called on the device's loop.  May do so at once. [vcpu]
	 */
	void (*defer)(void *opaque);
	/* QueueNotify was written and trapped.  [vcpu] */
	void (*kick)(void *opaque, uint32_t index);
	/* A sentence about the driver, for a log that limits its rate.  [any] */
	void (*log)(void *opaque, const char *text);
	void *opaque;
};

struct virtio_device;

struct tenon_vq {
	struct virtio_device *vd;
	uint32_t index, max_size;
	struct vring_setup regs; /* as the driver wrote it; under the device's lock */
	bool regs_ready;
	/* With direct calls the used index, as of the last look at the interrupt status and as of
	 * the last acknowledgement of that; under the device's lock.  For a test kit, which has no
	 * such calls: the used index as of the last call. */
	uint16_t used_seen, used_acked;
	struct vring ring; /* the loop's */
	bool saved_kicks;  /* while it is held */
};

/* A configuration write that the device is to be told of, and what was written: a later one may
 * have changed it again.  Past the last that there is room for they are told as one, without bytes.
 */
#define VIRTIO_MAX_WRITES 64u

struct virtio_write {
	uint32_t offset, size;
	bool together; /* bytes are not kept */
	uint8_t bytes[8];
};

struct virtio_shm {
	bool present;
	uint64_t gpa, size;
};

struct virtio_device {
	struct tenon_dev *dev; /* handed to ops */
	struct virtio_env env;
	struct tenon_virtio_desc desc; /* pointers in it are not kept */
	uint64_t offered;
	struct tenon_vq *queues; /* desc.n_queues */
	bool activated;          /* the loop's */
	uint32_t generation;     /* the loop's: counts activations */
	bool held;               /* the loop's: loaded, and not yet started; queues seem empty */
	atomic_uint interrupt_status;

	pthread_mutex_t lock; /* everything below */
	pthread_cond_t settled;
	uint64_t acked;
	uint32_t device_features_sel, driver_features_sel, queue_sel, shm_sel;
	uint32_t status, config_generation;
	uint8_t *config; /* desc.config_size */
	struct virtio_shm shm[VIRTIO_MAX_SHM];
	bool running; /* activated, or about to be */
	bool want_reset, want_activate;
	struct virtio_write writes[VIRTIO_MAX_WRITES];
	uint32_t n_writes;
	const struct virtio_write *told; /* what the device is being told of */
};

/* Copies @desc.  -EINVAL for one that is not valid, -ENOMEM.  [main] */
int virtio_device_init(struct virtio_device *vd, struct tenon_dev *dev,
	const struct tenon_virtio_desc *desc, const struct virtio_env *env);
/* Without calling the device; zeroed is fine.  [main] */
void virtio_device_finish(struct virtio_device *vd);
/* A shared-memory window (2.10) is at @gpa.  [main] [loop] */
int virtio_device_set_shm(struct virtio_device *vd, uint32_t id, uint64_t gpa, uint64_t size);

/* ---- registers: virtio_mmio.c (4.2.2) ---- */

uint64_t virtio_mmio_read(struct virtio_device *vd, uint64_t offset, uint32_t size);
void virtio_mmio_write(struct virtio_device *vd, uint64_t offset, uint32_t size, uint64_t value);

/* ---- the device's loop; the caller holds the instance's lock ---- */

/* What the registers asked for: a reset, an activation, a configuration write. */
void virtio_device_run_deferred(struct virtio_device *vd);
/* The driver kicked. */
void virtio_device_queue_ready(struct virtio_device *vd, uint32_t index);
/* All queues that are in use, as after activation. */
void virtio_device_all_ready(struct virtio_device *vd);
/* The whole machine is reset: back to the first state. */
void virtio_device_machine_reset(struct virtio_device *vd);

/* What struct tenon_virtio promises. */
struct tenon_vq *virtio_queue(struct virtio_device *vd, uint32_t index);
uint32_t vq_size(const struct tenon_vq *vq);
int vq_pop(struct tenon_vq *vq, struct tenon_chain *ret_chain);
void vq_unpop(struct tenon_vq *vq, const struct tenon_chain *chain);
void vq_push(struct tenon_vq *vq, const struct tenon_chain *chain, uint32_t written);
void vq_push_many(
	struct tenon_vq *vq, const struct tenon_chain *chains, const uint32_t *written, uint32_t n);
void vq_notify(struct tenon_vq *vq);
int vq_want_kicks(struct tenon_vq *vq, uint32_t want);
void virtio_fault(struct virtio_device *vd, const char *why);
bool vq_is_external(const struct tenon_vq *vq);
int vq_setup(const struct tenon_vq *vq, struct tenon_vq_setup *ret_setup);
void vq_interrupt(struct tenon_vq *vq);
uint32_t vq_base(const struct tenon_vq *vq);
void vq_set_base(struct tenon_vq *vq, uint32_t base);
int virtio_config_get(struct virtio_device *vd, uint32_t offset, void *to, uint32_t size);
int virtio_config_set(struct virtio_device *vd, uint32_t offset, const void *from, uint32_t size);

/* ---- saving and loading: virtio_state.c; on the loop, the device at rest ---- */

struct tenon_state_r;
struct tenon_state_w;

/* Writes the layer's part.  What the registers asked for and the loop has not done yet is done
 * first, but for an activation. */
int virtio_device_save(struct virtio_device *vd, struct tenon_state_w *w);
/*
 * Of a device that no driver had yet.  Everything is checked as if a driver had written it.  The
 * device is activated, if it was, and finds its queues empty until virtio_device_go().  After an
 * error no driver has it; the sentence is in @r.
 */
int virtio_device_load(struct virtio_device *vd, struct tenon_state_r *r);
/* After what the device itself has loaded: what it changed meanwhile that is the saved state's. */
void virtio_device_loaded(struct virtio_device *vd);
/* A device that was loaded is started. */
void virtio_device_go(struct virtio_device *vd);

/* For virtio_state.c: drops the rings; tells the device what is to be told.  On the loop. */
void virtio_device_settle(struct virtio_device *vd);
bool virtio_device_features_are_fine(const struct virtio_device *vd);

/* For virtio_mmio.c; the lock is held. */
void virtio_device_write_status(struct virtio_device *vd, uint32_t status);

/* ---- rings that somebody else works on: virtio_external.c ---- */

/* The interrupt status (4.2.2); the device's lock is held. */
unsigned virtio_interrupts(struct virtio_device *vd);
void virtio_interrupts_ack(struct virtio_device *vd, unsigned bits);

static inline bool virtio_is_external(const struct virtio_device *vd)
{
	return vd->desc.flags & TENON_VIRTIO_EXTERNAL_RINGS;
}

/* What is offered to the driver. */
uint64_t virtio_offered(const struct tenon_virtio_desc *desc);
/* As vring_start(), but the ring stays dead: it is only known where it is. */
int vring_adopt(struct vring *ring, const struct vring_setup *setup,
	const struct vring_memory *memory, const char **ret_why);
/* For vq_interrupt(): sets the bits and raises the interrupt.  [any] */
void virtio_device_interrupt(struct virtio_device *vd, unsigned bits);

#endif
