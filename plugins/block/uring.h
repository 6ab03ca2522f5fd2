/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the kernel through io_uring.  All functions are the loop's: [main] or [loop].
 *
 * What is asked for is kept until uring_submit(); @tag comes back with its result.
 */
#ifndef BLOCK_URING_H
#define BLOCK_URING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct uring;

/* Room for @depth requests at once; -errno where the kernel refuses. */
int uring_create(uint32_t depth, struct uring **ret_ring);
void uring_destroy(struct uring *ring); /* NULL is fine; none may be under way */
int uring_fd(const struct uring *ring); /* readable while there are results */

/* False when there is no room: more than @depth are under way. */
bool uring_read(struct uring *ring, int fd, const struct iovec *iov, uint32_t n, uint64_t offset,
	void *tag);
/* @sync: on the disk when it is done. */
bool uring_write(struct uring *ring, int fd, const struct iovec *iov, uint32_t n, uint64_t offset,
	bool sync, void *tag);
bool uring_sync(struct uring *ring, int fd, void *tag);
int uring_submit(struct uring *ring);

/* Calls @each for every result that is there; returns how many. */
uint32_t uring_reap(
	struct uring *ring, void (*each)(void *arg, void *tag, int32_t result), void *arg);
/* The same, but waits for one first if any is under way. */
uint32_t uring_wait(
	struct uring *ring, void (*each)(void *arg, void *tag, int32_t result), void *arg);
uint32_t uring_pending(const struct uring *ring); /* under way */

#endif
