/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory on memfds. */
#include "core/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char shared_memory_call[] = "memfd_create";

int shared_memory_create(const char *name, uint64_t size, int *ret_fd)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), err;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0) {
		err = -errno;
		(void)close(fd);
		return err;
	}
	/* A kernel that cannot do it is no reason to stop. */
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	*ret_fd = fd;
	return 0;
}

void shared_memory_hide(void *at, uint64_t size)
{
	(void)madvise(at, size, MADV_DONTDUMP);
}

void shared_memory_clear(int fd, uint64_t offset, void *at, uint64_t size)
{
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) <
		0)
		memset(at, 0, size);
}
