/* SPDX-License-Identifier: Apache-2.0 */
/* What host_file.c and host_open.c ask of a host that each calls otherwise; one file per host. */
#ifndef BLOCK_HOST_CALLS_H
#define BLOCK_HOST_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* As open(), close-on-exec; @direct: without the host's cache.  A descriptor or -errno. */
int host_call_open(const char *path, int flags, bool direct);
/* Locks the open file for one who writes, or for readers; -EAGAIN when others are in the way. */
int host_call_lock(int fd, bool exclusive);
/* How many bytes the device writes as one; 0 = it does not say. */
uint32_t host_call_physical(int fd);
/* What of it is in the host's cache, without waiting: how many bytes, or at most 0.  [any] */
ssize_t host_call_read_now(int fd, const struct iovec *iov, int n, uint64_t offset);
/* What was written before is on the disk afterwards.  0 or -errno.  [work] */
int host_call_sync(int fd);
/* The range reads as zeroes afterwards and keeps its room, or gives it back.  -EOPNOTSUPP where the
 * host or the file cannot do that.  [work] */
int host_call_zero(int fd, uint64_t offset, uint64_t size);
int host_call_punch(int fd, uint64_t offset, uint64_t size);

#endif
