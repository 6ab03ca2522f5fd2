/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input and output on the host's file.
 *
 * With O_DIRECT the kernel takes only what is aligned.  What is not goes through a buffer that is:
 * reads are widened to whole blocks; writes are always of whole blocks, because a guest cannot ask
 * for less than its sector, and the sector is never smaller than the host's block.
 */
#include "host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_calls.h"
#include "iovecs.h"

#define BOUNCE_SIZE (1u << 20)

int host_file_size(const struct host_file *f, uint64_t *ret_size)
{
	off_t end;
	struct stat st;

	if (!f->is_device) {
		if (fstat(f->fd, &st) < 0)
			return -errno;
		*ret_size = (uint64_t)st.st_size;
		return 0;
	}
	end = lseek(f->fd, 0, SEEK_END);
	if (end < 0)
		return -errno;
	*ret_size = (uint64_t)end;
	return 0;
}

/* ---- whole transfers ---- */

/* Drops @size bytes from the front. */
static void advance(struct iovec **iov, uint32_t *n, size_t size)
{
	while (*n > 0 && size >= (*iov)->iov_len) {
		size -= (*iov)->iov_len;
		(*iov)++;
		(*n)--;
	}
	if (*n > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + size;
		(*iov)->iov_len -= size;
	}
}

static int transfer(int fd, uint64_t offset, struct iovec *iov, uint32_t n, size_t size, bool write)
{
	while (size > 0) {
		int part = n < IOVECS_MOST ? (int)n : (int)IOVECS_MOST;
		ssize_t done = write ? pwritev(fd, iov, part, (off_t)offset)
				     : preadv(fd, iov, part, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return write ? -ENOSPC : -ENODATA;
		if ((size_t)done > size)
			return -EIO;
		advance(&iov, &n, (size_t)done);
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

bool host_file_is_aligned(
	const struct host_file *f, uint64_t offset, const struct iovec *iov, uint32_t n)
{
	if (!f->direct)
		return true;
	if (offset % f->offset_align)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if ((uintptr_t)iov[i].iov_base % f->memory_align ||
			iov[i].iov_len % f->offset_align)
			return false;
	return true;
}

/* ---- O_DIRECT, unaligned ---- */

static int bounce_read(
	const struct host_file *f, uint64_t offset, struct iov_place *p, size_t size, char *buffer)
{
	while (size > 0) {
		uint64_t from = offset - offset % f->offset_align;
		size_t head = (size_t)(offset - from), part = BOUNCE_SIZE - head, whole;
		struct iovec one;
		int ret;

		if (part > size)
			part = size;
		whole = head + part;
		if (whole % f->offset_align)
			whole += f->offset_align - whole % f->offset_align;
		one = (struct iovec){ buffer, whole };
		memset(buffer, 0, whole);
		ret = transfer(f->fd, from, &one, 1, whole, false);
		/* The last block of a file may be cut short; what was asked for must be there. */
		if (ret == -ENODATA && (size_t)((char *)one.iov_base - buffer) >= head + part)
			ret = 0;
		if (ret < 0)
			return ret;
		iov_copy(p, buffer + head, part, 1);
		offset += part;
		size -= part;
	}
	return 0;
}

static int bounce_write(
	const struct host_file *f, uint64_t offset, struct iov_place *p, size_t size, char *buffer)
{
	if (offset % f->offset_align || size % f->offset_align)
		return -EINVAL;
	while (size > 0) {
		size_t part = size < BOUNCE_SIZE ? size : BOUNCE_SIZE;
		struct iovec one = { buffer, part };
		int ret;

		iov_copy(p, buffer, part, 0);
		ret = transfer(f->fd, offset, &one, 1, part, true);
		if (ret < 0)
			return ret;
		offset += part;
		size -= part;
	}
	return 0;
}

static int bounce(const struct host_file *f, uint64_t offset, const struct iovec *iov, uint32_t n,
	size_t size, bool write)
{
	uint32_t align = f->offset_align > f->memory_align ? f->offset_align : f->memory_align;
	struct iov_place place = { iov, n, 0 };
	void *buffer;
	int ret;

	if (posix_memalign(&buffer, align < sizeof(void *) ? sizeof(void *) : align, BOUNCE_SIZE))
		return -ENOMEM;
	ret = write ? bounce_write(f, offset, &place, size, buffer)
		    : bounce_read(f, offset, &place, size, buffer);
	free(buffer);
	return ret;
}

/* ---- reading and writing ---- */

int host_file_readv(
	const struct host_file *f, uint64_t offset, struct iovec *iov, uint32_t n, size_t size)
{
	if (!host_file_is_aligned(f, offset, iov, n))
		return bounce(f, offset, iov, n, size, false);
	return transfer(f->fd, offset, iov, n, size, false);
}

ssize_t host_file_read_now(
	const struct host_file *f, uint64_t offset, const struct iovec *iov, uint32_t n)
{
	ssize_t got = -1;

	if (!f->direct)
		got = host_call_read_now(
			f->fd, iov, n < IOVECS_MOST ? (int)n : (int)IOVECS_MOST, offset);
	return got;
}

int host_file_writev(
	const struct host_file *f, uint64_t offset, struct iovec *iov, uint32_t n, size_t size)
{
	if (!host_file_is_aligned(f, offset, iov, n))
		return bounce(f, offset, iov, n, size, true);
	return transfer(f->fd, offset, iov, n, size, true);
}

int host_file_read(const struct host_file *f, uint64_t offset, void *to, size_t size)
{
	struct iovec one = { to, size };

	return host_file_readv(f, offset, &one, 1, size);
}

int host_file_write(const struct host_file *f, uint64_t offset, const void *from, size_t size)
{
	struct iovec one = { .iov_len = size };

	memcpy(&one.iov_base, &from, sizeof(from)); /* writing does not change it */
	return host_file_writev(f, offset, &one, 1, size);
}

int host_file_sync(const struct host_file *f)
{
	return host_call_sync(f->fd);
}

/* ---- zeroes ---- */

static bool is_unsupported(int err)
{
	return err == -EOPNOTSUPP || err == -ENOSYS || err == -ENODEV || err == -EINVAL;
}

static int write_zeroes(const struct host_file *f, uint64_t offset, uint64_t size)
{
	void *buffer;
	int ret = 0;

	if (posix_memalign(&buffer, 4096, BOUNCE_SIZE))
		return -ENOMEM;
	memset(buffer, 0, BOUNCE_SIZE);
	while (size > 0 && ret == 0) {
		size_t part = size < BOUNCE_SIZE ? (size_t)size : BOUNCE_SIZE;

		ret = host_file_write(f, offset, buffer, part);
		offset += part;
		size -= part;
	}
	free(buffer);
	return ret;
}

int host_file_zero(const struct host_file *f, uint64_t offset, uint64_t size, bool unmap)
{
	int ret;

	if (size == 0)
		return 0;
	ret = unmap ? host_call_punch(f->fd, offset, size) : host_call_zero(f->fd, offset, size);
	return is_unsupported(ret) ? write_zeroes(f, offset, size) : ret;
}

int host_file_discard(const struct host_file *f, uint64_t offset, uint64_t size)
{
	int ret = size ? host_call_punch(f->fd, offset, size) : 0;

	return is_unsupported(ret) ? 0 : ret;
}

void host_file_close(struct host_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
}
