/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of the driver, from the chain that it came in to its result.
 *
 * A chain holds, in order: a header that the device reads, data one way or the other, a status byte
 * that the device writes.  How they are spread over buffers is the driver's affair (2.7.4).
 */
#ifndef BLOCK_REQUEST_H
#define BLOCK_REQUEST_H

#include <tenon/virtio.h>
#include <tenon/work.h>

#include <stdbool.h>
#include <stdint.h>

#include "image.h"

#define REQUEST_RANGES 16u /* of one discard or write zeroes */

struct request_range {
	uint64_t offset, size;
	bool unmap;
};

enum request_state { REQUEST_FREE, REQUEST_JOB, REQUEST_RING, REQUEST_DONE };

struct request {
	struct tenon_job job;
	struct tenon_chain chain;
	struct request *next_free;
	struct image *image;
	struct iovec *iov; /* the chain's, data alone */
	uint32_t n_iov, type;
	uint64_t offset, size; /* bytes */
	uint64_t at;           /* in the image's file, where the ring works on it */
	uint64_t left;         /* of size */
	uint8_t *status;
	int result; /* when it is DONE */
	uint16_t queue;
	bool sync;   /* on the disk before it is done */
	bool direct; /* between direct_begin() and direct_end() */
	uint8_t n_ranges;
	uint8_t state; /* enum request_state */
	struct request_range ranges[REQUEST_RANGES];
};

/* What a request may ask for. */
struct request_limits {
	uint64_t capacity; /* bytes that the driver was told of */
	uint64_t size;     /* bytes that are there: less, if the file shrank */
	uint32_t sector_size;
	uint32_t most_range; /* sectors of 512 bytes in one range */
	bool read_only, discard;
};

/*
 * Reads r->chain into the rest of *@r; nothing is transferred.  BLK_S_OK, or the status that it is
 * to end with at once, and *@ret_why says why in static text.  -EPROTO when the chain has no room
 * for a status.
 */
int request_parse(struct request *r, const struct request_limits *limits, const char **ret_why);

/* Does what was parsed, waiting for it; 0 or -errno.  [work] */
int request_run(struct request *r);

const char *request_name(const struct request *r); /* "read" */

#endif
