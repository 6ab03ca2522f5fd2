/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/iov.h - copying from and to the iovecs of a chain.  Inline: nothing crosses the ABI.
 * None of them fails; all are for the thread that has the chain.
 */
#ifndef TENON_IOV_H
#define TENON_IOV_H

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>

#include <tenon/abi.h>

/* Copies up to @size bytes to @to, beginning @skip bytes into the iovecs; returns how many. */
static inline size_t tenon_iov_to_buf(
	const struct iovec *iov, uint32_t n, size_t skip, void *to, size_t size)
{
	char *out = (char *)to;
	size_t done = 0;
	uint32_t i;

	for (i = 0; i < n && done < size; i++) {
		size_t part;

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		part = iov[i].iov_len - skip;
		if (part > size - done)
			part = size - done;
		memcpy(out + done, (const char *)iov[i].iov_base + skip, part);
		done += part;
		skip = 0;
	}
	return done;
}

/* Copies up to @size bytes from @from, to @skip bytes into the iovecs; returns how many. */
static inline size_t tenon_iov_from_buf(
	const struct iovec *iov, uint32_t n, size_t skip, const void *from, size_t size)
{
	const char *in = (const char *)from;
	size_t done = 0;
	uint32_t i;

	for (i = 0; i < n && done < size; i++) {
		size_t part;

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		part = iov[i].iov_len - skip;
		if (part > size - done)
			part = size - done;
		memcpy((char *)iov[i].iov_base + skip, in + done, part);
		done += part;
		skip = 0;
	}
	return done;
}

/* Shortens the iovecs to @size bytes; returns how many of the @n are left. */
static inline uint32_t tenon_iov_limit(struct iovec *iov, uint32_t n, size_t size)
{
	uint32_t i;

	for (i = 0; i < n && size > 0; i++) {
		if (iov[i].iov_len > size)
			iov[i].iov_len = size;
		size -= iov[i].iov_len;
	}
	return i;
}

/* Drops @size bytes from the front; @iov and @n move.  Returns how many were there to drop. */
static inline size_t tenon_iov_skip(struct iovec **iov, uint32_t *n, size_t size)
{
	size_t done = 0;

	while (*n > 0 && done < size) {
		size_t part = (*iov)->iov_len;

		if (part > size - done) {
			part = size - done;
			(*iov)->iov_base = (char *)(*iov)->iov_base + part;
			(*iov)->iov_len -= part;
			return done + part;
		}
		done += part;
		(*iov)++;
		(*n)--;
	}
	return done;
}

/*
 * Reads up to @size bytes from @fd, as long as it has some; the iovecs are consumed.  Returns how
 * many came: fewer at the end of a file, where it would block, and after an error.
 */
static inline size_t tenon_iov_read(int fd, struct iovec *iov, uint32_t n, size_t size)
{
	const uint32_t most = 1024; /* the system's limit */
	size_t done = 0;

	n = tenon_iov_limit(iov, n, size);
	while (n > 0) {
		ssize_t got = readv(fd, iov, (int)(n < most ? n : most));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += tenon_iov_skip(&iov, &n, (size_t)got);
	}
	return done;
}

/* At most 256 bytes, all or nothing; 0 or -1.  [any] */
#ifdef __linux__
static inline int tenon_random(void *to, size_t size)
{
	return getrandom(to, size, 0) == (ssize_t)size ? 0 : -1;
}
#else
static inline int tenon_random(void *to, size_t size)
{
	return getentropy(to, size);
}
#endif

/* Fills up to @size bytes of the iovecs with the host's randomness, which never runs out once the
 * host has booted; returns how many.  [any] */
static inline size_t tenon_iov_random(const struct iovec *iov, uint32_t n, size_t size)
{
	size_t done = 0;
	uint32_t i;

	for (i = 0; i < n && done < size; i++) {
		size_t at = 0;

		while (at < iov[i].iov_len && done < size) {
			size_t left = iov[i].iov_len - at,
			       part = left < size - done ? left : size - done;

			/* Up to 256 bytes are never cut short. */
			if (part > 256)
				part = 256;
			if (tenon_random((char *)iov[i].iov_base + at, part) < 0)
				return done;
			at += part;
			done += part;
		}
	}
	return done;
}

#endif
