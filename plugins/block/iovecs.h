/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of vectors, for code that works through a request piece by piece. */
#ifndef BLOCK_IOVECS_H
#define BLOCK_IOVECS_H

#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

/* As many as one call of the kernel takes (IOV_MAX of Linux). */
#define IOVECS_MOST 1024u

/* A place in vectors that belong to somebody else and are not changed. */
struct iov_place {
	const struct iovec *iov;
	uint32_t n;
	size_t skip; /* bytes of iov[0] that are behind it */
};

/*
 * Takes up to @size bytes from the place into at most IOVECS_MOST vectors; *@ret_n of them, and
 * how many bytes they hold is returned.  The place moves on.
 */
static inline size_t iov_take(
	struct iov_place *p, size_t size, struct iovec to[static IOVECS_MOST], uint32_t *ret_n)
{
	size_t done = 0;
	uint32_t n = 0;

	while (p->n > 0 && done < size && n < IOVECS_MOST) {
		size_t part = p->iov->iov_len - p->skip;

		if (part > size - done)
			part = size - done;
		if (part > 0)
			to[n++] = (struct iovec){ (char *)p->iov->iov_base + p->skip, part };
		done += part;
		p->skip += part;
		if (p->skip == p->iov->iov_len) {
			p->iov++;
			p->n--;
			p->skip = 0;
		}
	}
	*ret_n = n;
	return done;
}

/* Copies from the place into a buffer, or (@to_iov) the other way.  The place moves on. */
static inline void iov_copy(struct iov_place *p, void *buffer, size_t size, int to_iov)
{
	char *at = buffer;

	while (p->n > 0 && size > 0) {
		size_t part = p->iov->iov_len - p->skip;
		char *here = (char *)p->iov->iov_base + p->skip;

		if (part > size)
			part = size;
		if (to_iov)
			memcpy(here, at, part);
		else
			memcpy(at, here, part);
		at += part;
		size -= part;
		p->skip += part;
		if (p->skip == p->iov->iov_len) {
			p->iov++;
			p->n--;
			p->skip = 0;
		}
	}
}

/* Fills with zeroes from the place on. */
static inline void iov_zero(struct iov_place *p, size_t size)
{
	while (p->n > 0 && size > 0) {
		size_t part = p->iov->iov_len - p->skip;

		if (part > size)
			part = size;
		memset((char *)p->iov->iov_base + p->skip, 0, part);
		size -= part;
		p->skip += part;
		if (p->skip == p->iov->iov_len) {
			p->iov++;
			p->n--;
			p->skip = 0;
		}
	}
}

static inline void iov_skip(struct iov_place *p, size_t size)
{
	while (p->n > 0 && size > 0) {
		size_t part = p->iov->iov_len - p->skip;

		if (part > size)
			part = size;
		size -= part;
		p->skip += part;
		if (p->skip == p->iov->iov_len) {
			p->iov++;
			p->n--;
			p->skip = 0;
		}
	}
}

#endif
