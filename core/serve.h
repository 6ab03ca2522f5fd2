/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One virtio device as a back end of vhost-user: what a front end asks of it, and what the device
 * finds in place of a machine.
 *
 *   device ── virtio layer ── rings ── session ── wire ── the front end
 *                               │         │
 *                         notifiers    memory, log, ledger
 *
 * A front end sets each ring up and starts it by sending its kick descriptor; a ring runs when it
 * is started and enabled.  The device is activated with the first that runs, and not with the
 * driver's status: there are front ends that take part in telling of it and leave DRIVER_OK out.
 * Before anything that it could trip over is changed (memory, a ring that stops), it is quiesced,
 * and it goes on afterwards.  When the front end goes away, the device is reset and waits for the
 * next.
 *
 * All of it is on the main loop, on which the device is too.
 */
#ifndef TENON_CORE_SERVE_H
#define TENON_CORE_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/device.h"
#include "core/error.h"
#include "core/serve_memory.h"
#include "core/serve_wire.h"
#include "core/services.h"
#include "sdk/virtio/virtio_served.h"

struct event_loop;
struct loop_timer;
struct loop_watch;
struct serve;

struct serve_ring {
	struct serve *serve;
	uint32_t index;
	bool started, enabled;
	bool has_addr;
	bool missed;  /* it would have interrupted, and nobody was to be told */
	uint32_t num; /* entries */
	uint16_t base;
	uint64_t desc, avail, used; /* the front end's addresses */
	int kick, call, err;        /* owned; -1 = none */
	struct loop_watch *watch;   /* of kick, while the ring is started */
	struct vring_inflight inflight;
};

struct serve {
	struct event_loop *loop;
	struct device_env env;
	struct virtio_home home;
	struct tenon_dev *dev;
	struct virtio_device *vd;

	struct serve_wire wire;
	struct loop_watch *wire_watch;
	void (*gone)(void *opaque); /* the front end went away [loop] */
	void *opaque;

	uint64_t features, protocol_features;
	uint32_t status;            /* as the driver wrote it, where the front end tells */
	bool faulty;                /* NEEDS_RESET: nothing runs till then */
	bool lost;                  /* memory that the front end took away */
	struct loop_timer *trouble; /* set when one of the two may be so */
	bool held;                  /* serve_hold(): rings do not change state */
	struct serve_memory memory;
	struct serve_ring rings[VIRTIO_MAX_QUEUES];
	int back; /* the socket for our own requests; -1 = none */

	struct serve_map log, ledger;
	uint64_t log_bytes, ledger_ring_bytes;
	uint32_t ledger_queues, ledger_size;
	struct log_limit log_limit;
};

/* serve_session.c: with @dev attached and started.  [main] */
int serve_init(struct serve *serve, struct event_loop *loop); /* 0 or -ENOMEM */
/* Lets go of the front end; the device may be destroyed then.  Zeroed is fine. */
void serve_finish(struct serve *serve);
/* What the device lived on. */
void serve_free(struct serve *serve);
/* @fd is given away: a connection to a front end.  */
int serve_connect(struct serve *serve, int fd, struct error *err);
/* One message that is whole, of which nothing is to be believed.  0, or -errno with a sentence
 * where the connection cannot go on. */
int serve_handle(struct serve *serve, struct serve_message *message, struct error *err);
/* The front end is gone: everything of it is forgotten. */
void serve_disconnect(struct serve *serve);
void serve_say(struct serve *serve, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* serve_ring.c.  Around what the device could trip over: it is quiesced and goes on. */
int serve_hold(struct serve *serve, struct error *err);
int serve_release(struct serve *serve, struct error *err);
/* Starts what should run and does not. */
int serve_ring_start_all(struct serve *serve, struct error *err);
/* The ring's memory, held: it stops and knows where. */
void serve_ring_stop(struct serve *serve, uint32_t index);
/* Held: all that run are where they should be in the memory that is there now. */
int serve_ring_move_all(struct serve *serve, struct error *err);
/* The driver's reset: rings are as if they had never been, but for what is configured. */
void serve_reset(struct serve *serve);
int serve_ring_set_kick(struct serve *serve, uint32_t index, int fd, struct error *err);
void serve_ring_set_fd(int *place, int fd);
void serve_ring_forget(struct serve_ring *ring);
/* Held: whatever the device has not given back is in the rings again, where any is. */
int serve_ring_take_back(struct serve *serve, struct error *err);
/* The device is faulty: it stands still till it is reset. */
void serve_ring_fault(struct serve *serve);
/* The kernel replaced memory that is gone: serve->trouble is to see to it.  [loop] */
void serve_note_lost(struct serve *serve);

/* serve_share.c: memory that is not the guest's. */
int serve_log_open(
	struct serve *serve, const struct vhost_user_log *log, int fd, struct error *err);
void serve_mark_dirty(void *opaque, const void *host, uint64_t size);
/* *@ret_fd is the caller's. */
int serve_ledger_make(
	struct serve *serve, struct vhost_user_inflight *io, int *ret_fd, struct error *err);
int serve_ledger_open(
	struct serve *serve, const struct vhost_user_inflight *is, int fd, struct error *err);
/* NULL: no ledger is kept of it. */
struct vhost_user_inflight_ring *serve_ledger_of(struct serve *serve, uint32_t index);

#endif
