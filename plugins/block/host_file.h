/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file or block device of the host that an image lies in: opening, locking, and input and output
 * that is whole or fails.
 *
 * Offsets and sizes are in bytes.  Functions return 0 or -errno.  What is tagged [work] may be
 * called by several threads at once.
 */
#ifndef BLOCK_HOST_FILE_H
#define BLOCK_HOST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "why.h"

struct host_file {
	int fd; /* -1 = not open */
	bool read_only, direct, is_device;
	uint32_t offset_align, memory_align; /* what O_DIRECT wants; 1 without it */
	uint32_t physical;                   /* bytes that the host writes as one */
};

struct host_file_options {
	bool read_only, direct, lock;
};

/* Opens @path (borrowed for the call) and locks it.  On failure nothing is open. */
int host_file_open(struct host_file *f, const char *path, const struct host_file_options *options,
	struct why *why);
/* A file that is not open is fine. */
void host_file_close(struct host_file *f);

int host_file_size(const struct host_file *f, uint64_t *ret_size);

/*
 * All of @size bytes, or an error; -ENODATA where the file ends before.  The iovecs are the
 * caller's and are consumed.  [work]
 */
int host_file_readv(
	const struct host_file *f, uint64_t offset, struct iovec *iov, uint32_t n, size_t size);
/* What of it the host's cache holds, without waiting: how many bytes, or at most 0.  [any] */
ssize_t host_file_read_now(
	const struct host_file *f, uint64_t offset, const struct iovec *iov, uint32_t n);
int host_file_writev(
	const struct host_file *f, uint64_t offset, struct iovec *iov, uint32_t n, size_t size);
int host_file_read(const struct host_file *f, uint64_t offset, void *to, size_t size);
int host_file_write(const struct host_file *f, uint64_t offset, const void *from, size_t size);

/* Makes a range read as zeroes, giving its room back where @unmap and the host can.  [work] */
int host_file_zero(const struct host_file *f, uint64_t offset, uint64_t size, bool unmap);
/* Gives the room of a range back; doing nothing is fine.  [work] */
int host_file_discard(const struct host_file *f, uint64_t offset, uint64_t size);
/* What was written before is on the disk afterwards.  [work] */
int host_file_sync(const struct host_file *f);

/* Whether the kernel takes these as they are, without a copy through an aligned buffer.  [any] */
bool host_file_is_aligned(
	const struct host_file *f, uint64_t offset, const struct iovec *iov, uint32_t n);

#endif
