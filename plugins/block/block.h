/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block device: what its files share.
 *
 * Everything in struct block belongs to the loop, under the instance's lock.  A thread of the pool
 * sees its request and the image, nothing else.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include <tenon/tenon.h>

#include "image.h"
#include "limit.h"
#include "request.h"
#include "uring.h"
#include "virtio_blk.h"

#define BLOCK_QUEUE_SIZE 256u
#define BLOCK_MAX_QUEUES 16u
/* Of one discard or write of zeroes, in sectors of 512 bytes: 2 GiB but a sector. */
#define BLOCK_RANGE_SECTORS 0x3fffffu

enum block_cache { CACHE_WRITEBACK, CACHE_WRITETHROUGH, CACHE_UNSAFE };
enum block_engine { ENGINE_AUTO, ENGINE_URING, ENGINE_THREADS };

struct block_settings {
	const char *path, *format, *serial;
	bool read_only, direct, lock, discard, backing;
	uint32_t sector_size, n_queues;
	enum block_cache cache;
	enum block_engine engine;
	uint64_t bandwidth, bandwidth_burst, iops, iops_burst;
};

struct block {
	struct block_settings set;
	struct image *image;
	uint64_t features; /* offered */
	uint64_t capacity; /* bytes that the driver was told of */

	/* As the driver has it. */
	bool active, writeback;
	uint64_t acked;

	/* io.c */
	struct request *requests, *free;
	uint32_t n_requests;
	struct uring *ring; /* NULL: threads alone */
	struct tenon_watch *ring_watch;
	uint32_t not_now;            /* reads that are not tried in the host's cache first */
	uint32_t to_notify;          /* a bit for each queue */
	_Atomic uint32_t n_finished; /* jobs whose done() is still to come */
	bool quiesced, any_done;
	struct limit bytes, operations;
	struct tenon_timer *limit_timer;

	/* resize.c */
	int notify_fd;
	struct tenon_watch *size_watch;
	struct tenon_timer *size_timer;
	bool shrunk; /* and it was said */
};

extern const struct tenon_host *block_host;
extern const struct tenon_virtio *block_virtio;
extern const struct tenon_event *block_event;
extern const struct tenon_work *block_work;
extern const struct tenon_clock *block_clock;

static inline struct block *block_of(struct tenon_dev *dev)
{
	return (struct block *)block_host->priv(dev);
}

/* io.c: requests. */
int io_attach(struct tenon_dev *dev);
void io_queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index);
/* Waits for all that is under way; what is finished is given to the driver. */
void io_drain(struct tenon_dev *dev);
/* The same, but the driver has taken its memory back: nothing is given. */
void io_drop(struct tenon_dev *dev);
void io_detach(struct tenon_dev *dev);

/* resize.c: what happens when the image's file changes its size. */
int resize_attach(struct tenon_dev *dev);
int resize_pause(struct tenon_dev *dev);
int resize_resume(struct tenon_dev *dev); /* looks at once */
void resize_detach(struct tenon_dev *dev);

/* state.c */
extern const struct tenon_state *block_state; /* NULL: save and load are not called */
int block_save(struct tenon_dev *dev, struct tenon_state_w *w);
int block_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version);

/* config.c: what the driver reads. */
uint64_t config_features(const struct block *b);
void config_fill(const struct block *b, uint8_t config[BLK_CFG_SIZE]);
/* The part of a file that can be a disk: whole sectors. */
uint64_t config_capacity(const struct block *b, uint64_t size);

#endif
