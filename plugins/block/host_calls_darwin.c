/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's calls on Darwin.
 *
 * Locks are those of flock(2), which are of the open file as well, and whole files; they know
 * nothing of the single bytes that QEMU's tools lock.  fsync(2) hands data to the disk, which may
 * keep it in its cache: F_FULLFSYNC has it written.
 */
#include "host_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/disk.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

int host_call_open(const char *path, int flags, bool direct)
{
	int fd = open(path, flags | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	if (direct && fcntl(fd, F_NOCACHE, 1) < 0) {
		err = -errno;
		(void)close(fd);
		return err;
	}
	return fd;
}

int host_call_lock(int fd, bool exclusive)
{
	int ret;

	do
		ret = flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

uint32_t host_call_physical(int fd)
{
	uint32_t physical = 0;

	return ioctl(fd, DKIOCGETPHYSICALBLOCKSIZE, &physical) < 0 ? 0 : physical;
}

ssize_t host_call_read_now(int fd, const struct iovec *iov, int n, uint64_t offset)
{
	(void)fd;
	(void)iov;
	(void)n;
	(void)offset;
	return 0; /* nobody says what is in the cache */
}

int host_call_sync(int fd)
{
	int ret;

	do
		ret = fcntl(fd, F_FULLFSYNC);
	while (ret < 0 && errno == EINTR);
	if (ret < 0 && (errno == ENOTSUP || errno == ENOTTY || errno == EINVAL))
		ret = fsync(fd); /* not every file system has the other */
	return ret < 0 ? -errno : 0;
}

int host_call_zero(int fd, uint64_t offset, uint64_t size)
{
	(void)fd;
	(void)offset;
	(void)size;
	return -EOPNOTSUPP;
}

/* Of whole blocks of the file system, and not on every one. */
int host_call_punch(int fd, uint64_t offset, uint64_t size)
{
	struct fpunchhole hole = { .fp_offset = (off_t)offset, .fp_length = (off_t)size };

	if (fcntl(fd, F_PUNCHHOLE, &hole) == 0)
		return 0;
	return errno == ENOTSUP || errno == ENOTTY || errno == EINVAL ? -EOPNOTSUPP : -errno;
}
