/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front end: a virtio device whose rings somebody else works on.
 *
 *	attach: connect, ask what it is, offer that to the driver
 *	  driver's DRIVER_OK: memory, rings, kicks and calls go to the back end (rings.c)
 *	  driver's reset: the back end gives the rings up, or is cut off
 *	back end dies: the driver's device lives on; connect again, greet, compare once it answers,
 *	  start the rings where they were (link.c), or NEEDS_RESET where what was in flight cannot
 *be known (track.c)
 *
 * Everything runs under the instance's lock, on [main] or [loop].
 */
#ifndef VHOST_USER_VU_H
#define VHOST_USER_VU_H

#include <tenon/tenon.h>

#include "kind.h"
#include "peer.h"
#include "track.h"

#define VU_MAX_QUEUES  64u
#define VU_MAX_CONFIG  VHOST_USER_MAX_CONFIG
#define VU_MAX_REGIONS 64u

#define VU_F_VERSION_1 (1ull << 32)

struct vu_ring {
	struct vu *vu;
	struct tenon_vq *vq;
	uint32_t index;
	struct tenon_vq_setup setup; /* size 0 = not in use */
	bool started;                /* the back end works on it */
	/* While it is in use, and the back end keeps no record of what is in flight: */
	struct track track; /* size 0 = not kept */
	struct tenon_notifier *call;
	struct tenon_watch *call_watch;
};

struct vu_region {
	struct vhost_user_memory_region wire;
	int fd; /* borrowed */
};

struct vu {
	struct tenon_dev *dev;
	/* settings */
	const char *socket;
	int fd; /* -1 = none, or it was used */
	struct kind kind;
	uint32_t n_queues, queue_size; /* queues 0 = to be found */
	const char *queue_sizes;       /* of the first of them; NULL = of none */
	const char *tag;
	uint8_t declared[VU_MAX_CONFIG];
	bool is_declared;
	uint32_t delay_ms, most_delay_ms,
		limit; /* of connecting again; delay 0 = not, limit 0 = none */

	struct peer peer;
	struct tenon_watch *watch, *back_watch;
	/* One that was greeted and has not answered yet: nobody waits for it, the loop tells. */
	struct peer next;
	struct tenon_watch *next_watch;
	struct tenon_timer *timer; /* connects again */
	uint32_t tries;            /* since it was sound */
	uint64_t since_ns;         /* when the connection was made */

	uint64_t offered, acked;
	uint32_t config_size;
	uint8_t config[VU_MAX_CONFIG];
	bool active; /* a driver runs the device */
	bool paused; /* quiesced */
	bool lost;   /* what was in flight is not known: nothing before the driver's reset */
	struct vu_ring rings[VU_MAX_QUEUES];
	struct tenon_notifier *err; /* the back end reports a ring that is broken */
	struct tenon_watch *err_watch;

	struct vu_region regions[VU_MAX_REGIONS]; /* that the guest can write */
	uint32_t n_regions;

	int inflight_fd; /* -1 = none */
	struct vhost_user_inflight inflight;
};

extern const struct tenon_host *host;
extern const struct tenon_virtio *virtio;
extern const struct tenon_mem *mem;
extern const struct tenon_event *event;
extern const struct tenon_clock *vu_clock;
extern const struct tenon_notifier_svc *notifier;

/* ---- rings.c ---- */

/* Looks where the guest's memory is.  [main] */
int rings_note_memory(struct vu *vu);
/* Takes over what the driver set up; -errno without a back end's fault. */
int rings_adopt(struct vu *vu);
void rings_forget(struct vu *vu);
/* Hands memory and rings to the back end, which begins at the queues' bases. */
int rings_start(struct vu *vu);
/* The back end gives the rings up: on return it touches nothing.  The bases are the queues'. */
int rings_stop(struct vu *vu);
/* The back end is gone: sets the bases to what is to be done again; false = it is not known. */
bool rings_recover(struct vu *vu);
/* The driver has reset the device, and the rings are stopped. */
int rings_reset(struct vu *vu);

/* ---- link.c ---- */

/* The first connection. */
int link_open(struct vu *vu);
/* Watches it; after link_open(). */
int link_watch(struct vu *vu);
void link_close(struct vu *vu);
/* The connection is of no use any more; peer.why says why. */
void link_lost(struct vu *vu);
/* The timer of connecting again, and of an answer to the greeting. */
void link_expired(struct tenon_dev *dev, void *arg);
/* Forgets one that was greeted. */
void link_drop_next(struct vu *vu);
/* Connects again soon, where that is wanted and possible. */
void link_retry(struct vu *vu);
/* There is no connection, and there will be none. */
bool link_is_over(const struct vu *vu);
/* Starts the rings where a driver waits for it, and deals with a back end that fails. */
void link_run(struct vu *vu);

/* ---- config.c ---- */

/* Fetches or makes the configuration; peer.why says why not. */
int config_fetch(struct vu *vu);
/* The back end says that it has changed. */
int config_refresh(struct vu *vu);

#endif
