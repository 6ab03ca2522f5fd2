/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the host's file.
 *
 * Locks are of the open file and go when the descriptor is closed, however the process ends.
 */
#include "host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host_calls.h"

#define LARGEST_ALIGN 4096u
#define LOCK_TRIES    25u
#define LOCK_PAUSE_NS 20000000

/* ---- locks ---- */

/*
 * A process that was killed is gone a little before the kernel lets go of what its ring was doing,
 * and of the lock with it: whoever starts it anew at once is not to be refused for that.
 */
static int lock_patiently(const struct host_file *f)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	int ret = host_call_lock(f->fd, !f->read_only);

	for (unsigned i = 0; i < LOCK_TRIES && ret == -EAGAIN; i++) {
		(void)nanosleep(&pause, NULL);
		ret = host_call_lock(f->fd, !f->read_only);
	}
	return ret;
}

static int lock_or_say(const struct host_file *f, const char *path, struct why *why)
{
	int ret = lock_patiently(f);

	if (ret == 0)
		return 0;
	if (ret == -EAGAIN || ret == -EACCES)
		return why_set(why, -EBUSY,
			"\"%s\" is in use: another VM or tool has it open%s; end that first, "
			"or give each VM an image of its own",
			path,
			f->read_only ? " for writing" : " (\"read_only = true\" lets VMs share)");
	return why_set(why, ret,
		"cannot lock \"%s\": %s; \"lock = false\" goes without, if nobody else uses it",
		path, strerror(-ret));
}

/* ---- what O_DIRECT wants ---- */

static bool can_read(int fd, void *buffer, size_t size)
{
	return pread(fd, buffer, size, 0) >= 0;
}

/* By trying: what reads 512 bytes to an address that is a multiple of 512 takes that. */
static int find_align(struct host_file *f, const char *path, struct why *why)
{
	void *buffer;

	if (posix_memalign(&buffer, LARGEST_ALIGN, 2ul * LARGEST_ALIGN))
		return why_set(why, -ENOMEM, "out of memory");
	f->offset_align = f->memory_align = 0;
	for (uint32_t align = 512; align <= LARGEST_ALIGN && !f->offset_align; align *= 2)
		if (can_read(f->fd, buffer, align))
			f->offset_align = align;
	for (uint32_t align = 512; align <= f->offset_align && !f->memory_align; align *= 2)
		if (can_read(f->fd, (char *)buffer + align, f->offset_align))
			f->memory_align = align;
	free(buffer);
	if (f->offset_align && f->memory_align)
		return 0;
	return why_set(why, -EINVAL,
		"\"%s\" cannot be read without the host's cache (direct = true)", path);
}

static void find_physical(struct host_file *f, const struct stat *st)
{
	const uint32_t physical = f->is_device ? host_call_physical(f->fd) : 0;

	if (physical >= 512)
		f->physical = physical;
	else
		f->physical = st->st_blksize >= 512 ? (uint32_t)st->st_blksize : 512;
	if (f->physical > 65536 || (f->physical & (f->physical - 1)) != 0)
		f->physical = 4096;
}

/* ---- opening ---- */

static int check_kind(struct host_file *f, const char *path, struct stat *st, struct why *why)
{
	if (fstat(f->fd, st) < 0)
		return why_set(why, -errno, "cannot look at \"%s\": %s", path, strerror(errno));
	f->is_device = S_ISBLK(st->st_mode);
	if (S_ISREG(st->st_mode) || f->is_device)
		return 0;
	return why_set(why, -EINVAL, "\"%s\" is neither a file nor a block device", path);
}

static int open_or_say(const char *path, int flags, bool direct, struct why *why)
{
	int fd = host_call_open(path, flags, direct);

	if (fd >= 0)
		return fd;
	if ((fd == -EACCES || fd == -EROFS || fd == -EPERM) && (flags & O_RDWR))
		return why_set(why, fd,
			"cannot open \"%s\" for writing: %s; \"read_only = true\" needs no right "
			"to write",
			path, strerror(-fd));
	if (fd == -EINVAL && direct)
		return why_set(why, -EINVAL,
			"\"%s\" is on a file system that cannot do without the host's cache "
			"(direct = true)",
			path);
	return why_set(why, fd, "cannot open \"%s\": %s", path, strerror(-fd));
}

int host_file_open(struct host_file *f, const char *path, const struct host_file_options *options,
	struct why *why)
{
	/* A FIFO would wait for its other end. */
	int flags = O_NONBLOCK | (options->read_only ? O_RDONLY : O_RDWR);
	struct stat st;
	int ret;

	*f = (struct host_file){
		.fd = open_or_say(path, flags, options->direct, why),
		.read_only = options->read_only,
		.direct = options->direct,
		.offset_align = 1,
		.memory_align = 1,
	};
	if (f->fd < 0) {
		ret = f->fd;
		f->fd = -1;
		return ret;
	}
	ret = check_kind(f, path, &st, why);
	/* With O_NONBLOCK io_uring would say EAGAIN where it should wait. */
	flags = fcntl(f->fd, F_GETFL);
	if (ret == 0 && (flags < 0 || fcntl(f->fd, F_SETFL, flags & ~O_NONBLOCK) < 0))
		ret = why_set(why, -errno, "cannot set up \"%s\": %s", path, strerror(errno));
	if (ret == 0 && options->lock)
		ret = lock_or_say(f, path, why);
	if (ret == 0 && options->direct)
		ret = find_align(f, path, why);
	if (ret == 0)
		find_physical(f, &st);
	else
		host_file_close(f);
	return ret;
}
