/* SPDX-License-Identifier: Apache-2.0 */
/* Raw images: the file is the disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

struct raw {
	struct image image;
	bool sync;
};

static int raw_read(struct image *im, uint64_t offset, struct iovec *iov, uint32_t n, size_t size)
{
	return host_file_readv(&im->file, offset, iov, n, size);
}

static int raw_write(struct image *im, uint64_t offset, struct iovec *iov, uint32_t n, size_t size)
{
	return host_file_writev(&im->file, offset, iov, n, size);
}

static int raw_zero(struct image *im, uint64_t offset, uint64_t size, bool unmap)
{
	return host_file_zero(&im->file, offset, size, unmap);
}

static int raw_discard(struct image *im, uint64_t offset, uint64_t size)
{
	return host_file_discard(&im->file, offset, size);
}

static int raw_flush(struct image *im)
{
	return ((struct raw *)(void *)im)->sync ? host_file_sync(&im->file) : 0;
}

static void raw_close(struct image *im)
{
	host_file_close(&im->file);
	free(im);
}

static const struct image_ops raw_ops = {
	.format = "raw",
	.read = raw_read,
	.write = raw_write,
	.zero = raw_zero,
	.discard = raw_discard,
	.flush = raw_flush,
	.close = raw_close,
};

int raw_open(const char *path, const struct image_options *options, struct image **ret_image,
	struct why *why)
{
	struct raw *raw = calloc(1, sizeof(*raw));
	struct image *im;
	int ret;

	if (!raw)
		return why_set(why, -ENOMEM, "out of memory");
	im = &raw->image;
	im->ops = &raw_ops;
	raw->sync = options->sync;
	ret = host_file_open(&im->file, path, &options->file, why);
	if (ret == 0) {
		ret = host_file_size(&im->file, &im->size);
		if (ret < 0)
			(void)why_set(why, ret, "cannot find the size of \"%s\": %s", path,
				strerror(-ret));
	}
	if (ret < 0) {
		raw_close(im);
		return ret;
	}
	im->best_size = im->file.physical;
	im->can_discard = !options->file.read_only;
	*ret_image = im;
	return 0;
}
