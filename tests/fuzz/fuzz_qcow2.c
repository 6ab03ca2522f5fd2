/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A qcow2 image of the fuzzer's making, opened and used like a disk.  The bytes are: how it is
 * opened, how many bytes of requests follow and those, then the image.
 *
 * An image that is refused must be as it was; what was written must be read again; and an image
 * that no damage was found in must be accepted the next time.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plugins/block/qcow2.h"
#include "tests/fuzz/input.h"

#define MOST_SIZE (96u << 10) /* of a request */
#define READ_ONLY 1u

enum op { OP_READ, OP_WRITE, OP_ZERO, OP_UNMAP, OP_DISCARD, OP_FLUSH, N_OPS };

static uint8_t data[MOST_SIZE], got[MOST_SIZE];

static struct image *open_image(const char *path, bool read_only)
{
	const struct image_options options = {
		.file = { .read_only = read_only },
		.format = "qcow2",
	};
	struct image *im = NULL;
	struct why why = { .text = "" };
	int ret = qcow2_open(path, &options, &im, &why);

	if (ret < 0 && (!why.text[0] || im))
		abort(); /* a refusal without a reason */
	return ret < 0 ? NULL : im;
}

static int transfer(struct image *im, uint64_t offset, uint8_t *buffer, size_t size, bool write)
{
	/* In two pieces, as a driver may send it. */
	struct iovec iov[2] = { { buffer, size / 3 }, { buffer + size / 3, size - size / 3 } };

	return write ? im->ops->write(im, offset, iov, 2, size)
		     : im->ops->read(im, offset, iov, 2, size);
}

static void must_be(struct image *im, uint64_t offset, const uint8_t *wanted, size_t size)
{
	if (transfer(im, offset, got, size, false) == 0 && memcmp(got, wanted, size) != 0)
		abort();
}

static void request(struct image *im, struct input *in, bool read_only)
{
	uint8_t choice = input_u8(in), seed = input_u8(in);
	uint64_t sectors = im->size / 512, at = input_u32(in) * 31ull;
	uint64_t n = 1 + (input_u8(in) & 0xbf);

	if (sectors == 0)
		return;
	at = at % sectors;
	n = n < sectors - at ? n : sectors - at;
	if (read_only && choice % N_OPS != OP_FLUSH)
		choice = OP_READ;
	memset(data, seed, n * 512);
	switch (choice % N_OPS) {
	case OP_READ:
		(void)transfer(im, at * 512, got, n * 512, false);
		break;
	case OP_WRITE:
		if (transfer(im, at * 512, data, n * 512, true) == 0)
			must_be(im, at * 512, data, n * 512);
		break;
	case OP_ZERO:
	case OP_UNMAP:
		memset(data, 0, n * 512);
		if (im->ops->zero(im, at * 512, n * 512, choice % N_OPS == OP_UNMAP) == 0)
			must_be(im, at * 512, data, n * 512);
		break;
	case OP_DISCARD:
		(void)im->ops->discard(im, at * 512, n * 512);
		break;
	case OP_FLUSH:
		(void)im->ops->flush(im);
		break;
	}
}

static void must_be_untouched(int fd, const uint8_t *image, size_t size)
{
	uint8_t *now = malloc(size + 1);

	if (!now || pread(fd, now, size + 1, 0) != (ssize_t)size || memcmp(now, image, size) != 0)
		abort();
	free(now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = { bytes, size }, requests;
	bool read_only = input_u8(&in) & READ_ONLY, damaged;
	char path[64];
	struct image *im;
	int fd;

	requests.at = input_bytes(&in, input_u8(&in), &requests.left);
	fd = memfd_create("image", MFD_CLOEXEC);
	if (fd < 0 || write(fd, in.at, in.left) != (ssize_t)in.left)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	im = open_image(path, read_only);
	if (!im) {
		must_be_untouched(fd, in.at, in.left);
		(void)close(fd);
		return 0;
	}
	while (requests.left > 0)
		request(im, &requests, read_only);
	damaged = atomic_load(&qcow2_of(im)->damaged);
	image_close(im);
	if (read_only) {
		must_be_untouched(fd, in.at, in.left);
	} else if (!damaged) {
		im = open_image(path, false);
		if (!im)
			abort();
		image_close(im);
	}
	(void)close(fd);
	return 0;
}
