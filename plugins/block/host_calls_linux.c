/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's calls on Linux.
 *
 * Locks are open-file-description locks.  A writer takes the whole file.  A reader takes single
 * bytes: 0, and those that say in QEMU's tools that somebody reads (100) and bears neither a writer
 * (201) nor a change of size (203).  So two programs of either kind that would damage an image do
 * not both get it.
 */
#include "host_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

int host_call_open(const char *path, int flags, bool direct)
{
	int fd = open(path, flags | O_CLOEXEC | (direct ? O_DIRECT : 0));

	return fd < 0 ? -errno : fd;
}

static int lock_range(int fd, bool exclusive, off_t start, off_t size)
{
	struct flock lock = {
		.l_type = exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = size, /* 0 = to the end of all files */
	};

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

int host_call_lock(int fd, bool exclusive)
{
	static const off_t reader[] = { 0, 100, 201, 203 };
	int ret = 0;

	if (exclusive)
		return lock_range(fd, true, 0, 0);
	for (size_t i = 0; i < sizeof(reader) / sizeof(reader[0]) && ret == 0; i++)
		ret = lock_range(fd, false, reader[i], 1);
	return ret;
}

uint32_t host_call_physical(int fd)
{
	unsigned physical = 0;

	return ioctl(fd, BLKPBSZGET, &physical) < 0 ? 0 : physical;
}

ssize_t host_call_read_now(int fd, const struct iovec *iov, int n, uint64_t offset)
{
	return preadv2(fd, iov, n, (off_t)offset, RWF_NOWAIT);
}

int host_call_sync(int fd)
{
	int ret;

	do
		ret = fdatasync(fd);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

static int allocate(int fd, int mode, uint64_t offset, uint64_t size)
{
	int ret;

	do
		ret = fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

int host_call_zero(int fd, uint64_t offset, uint64_t size)
{
	return allocate(fd, FALLOC_FL_ZERO_RANGE, offset, size);
}

int host_call_punch(int fd, uint64_t offset, uint64_t size)
{
	return allocate(fd, FALLOC_FL_PUNCH_HOLE, offset, size);
}
