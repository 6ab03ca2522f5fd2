/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a disk's contents lie in: a format on top of a file of the host.
 *
 * Offsets and sizes are in bytes, whole sectors, and within image->size; the caller sees to that.
 * Functions return 0 or -errno and, but for opening and closing, may be called by several threads
 * at once.
 */
#ifndef BLOCK_IMAGE_H
#define BLOCK_IMAGE_H

#include <errno.h>

#include "host_file.h"

/* What becomes of an image that is not as its format wants it. */
#define IMAGE_DAMAGED EBADMSG

struct image;

struct image_ops {
	const char *format;
	int (*read)(struct image *im, uint64_t offset, struct iovec *iov, uint32_t n, size_t size);
	int (*write)(struct image *im, uint64_t offset, struct iovec *iov, uint32_t n, size_t size);
	/* The range reads as zeroes afterwards; with @unmap its room may be given back. */
	int (*zero)(struct image *im, uint64_t offset, uint64_t size, bool unmap);
	/* The range may read as anything; its room is given back. */
	int (*discard)(struct image *im, uint64_t offset, uint64_t size);
	/* What was written before is on the disk afterwards. */
	int (*flush)(struct image *im);
	/* Where the range lies in image->file, if it lies there in one piece and may be read, or
	 * (@write) overwritten, in place; a yes is followed by image_direct_end().  NULL: always,
	 * at the same offset. */
	bool (*direct_begin)(
		struct image *im, uint64_t offset, uint64_t size, bool write, uint64_t *ret_at);
	void (*direct_end)(struct image *im);
	/* Writes out what is kept in memory.  NULL is fine, and half-open too. */
	void (*close)(struct image *im);
};

struct image {
	const struct image_ops *ops;
	struct host_file file;
	uint64_t size;      /* of the disk */
	uint32_t best_size; /* bytes that are cheap to write as one */
	bool can_discard;
	char damage[200]; /* what is wrong with it, once something returned -IMAGE_DAMAGED */
};

struct image_options {
	struct host_file_options file;
	const char *format; /* "auto", "raw" or "qcow2" */
	bool sync;          /* flushes reach the disk; without, they reach the host alone */
	bool backing;       /* follow the names of backing files */
	unsigned depth;     /* of the files in front of this one */
};

/* What the format is by the rules of the setting: "raw" or "qcow2", never by what the file holds.
 */
const char *image_format(const char *path, const char *format);

int image_open(const char *path, const struct image_options *options, struct image **ret_image,
	struct why *why);
void image_close(struct image *im); /* NULL is fine */

int raw_open(const char *path, const struct image_options *options, struct image **ret_image,
	struct why *why);
int qcow2_open(const char *path, const struct image_options *options, struct image **ret_image,
	struct why *why);

#endif
