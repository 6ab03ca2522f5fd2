/* SPDX-License-Identifier: Apache-2.0 */
/* readv(2); with an offset since macOS 11. */
#ifndef TENON_DARWIN_SYS_UIO_H
#define TENON_DARWIN_SYS_UIO_H

#include <sys/types.h>

struct iovec {
	void *iov_base;
	size_t iov_len;
};

ssize_t readv(int fd, const struct iovec *iov, int n);
ssize_t writev(int fd, const struct iovec *iov, int n);
ssize_t preadv(int fd, const struct iovec *iov, int n, off_t offset);
ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t offset);

#endif
