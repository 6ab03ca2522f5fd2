/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk's requests as a driver may make them: any header, spread over any buffers.  The bytes are:
 * the disk, the sizes of the buffers, then what is in those that the device reads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/block/request.h"
#include "plugins/block/virtio_blk.h"
#include "tests/fuzz/input.h"

#define MOST_IOV 12

static uint64_t disk_size;

static void must_be_inside(uint64_t offset, uint64_t size)
{
	if (offset % 512 || size % 512 || size > disk_size || offset > disk_size - size)
		abort();
}

static int transfer(struct image *im, uint64_t offset, struct iovec *iov, uint32_t n, size_t size)
{
	size_t all = 0;

	(void)im;
	must_be_inside(offset, size);
	for (uint32_t i = 0; i < n; i++) {
		memset(iov[i].iov_base, 0xa5, iov[i].iov_len);
		all += iov[i].iov_len;
	}
	if (all != size)
		abort();
	return 0;
}

static int zero(struct image *im, uint64_t offset, uint64_t size, bool unmap)
{
	(void)im;
	(void)unmap;
	must_be_inside(offset, size);
	return 0;
}

static int discard(struct image *im, uint64_t offset, uint64_t size)
{
	(void)im;
	must_be_inside(offset, size);
	return 0;
}

static int flush(struct image *im)
{
	(void)im;
	return 0;
}

static const struct image_ops ops = {
	.format = "fuzzed",
	.read = transfer,
	.write = transfer,
	.zero = zero,
	.discard = discard,
	.flush = flush,
};

/* Each in memory of its own, so that a byte too far is seen. */
static uint32_t take_buffers(struct input *in, struct iovec *iov, uint64_t *ret_bytes)
{
	uint32_t n = input_u8(in) % MOST_IOV;

	*ret_bytes = 0;
	for (uint32_t i = 0; i < n; i++) {
		size_t size = input_u16(in) % 4097;

		iov[i] = (struct iovec){ malloc(size ? size : 1), size };
		if (!iov[i].iov_base)
			abort();
		*ret_bytes += size;
	}
	return n;
}

static void fill_buffers(struct input *in, const struct iovec *iov, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		size_t got;
		const uint8_t *from = input_bytes(in, iov[i].iov_len, &got);

		if (!iov[i].iov_base)
			abort();
		memset(iov[i].iov_base, 0, iov[i].iov_len);
		if (got)
			memcpy(iov[i].iov_base, from, got);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = { bytes, size };
	struct iovec out[MOST_IOV] = { { 0 } }, into[MOST_IOV] = { { 0 } };
	struct iovec mine[2 * MOST_IOV];
	struct image im = { .ops = &ops };
	struct request r = { .image = &im };
	struct request_limits limits;
	const char *why;
	uint32_t n;
	uint8_t flags = input_u8(&in);
	int status;

	limits = (struct request_limits){
		.capacity = input_u32(&in) * 512ull,
		.sector_size = flags & 1 ? 4096 : 512,
		.most_range = 0x3fffff,
		.read_only = flags & 2,
		.discard = flags & 4,
	};
	disk_size = limits.size = flags & 8 ? limits.capacity / 2 : limits.capacity;
	r.sync = flags & 16;
	r.chain.n_out = take_buffers(&in, out, &r.chain.out_bytes);
	r.chain.n_in = take_buffers(&in, into, &r.chain.in_bytes);
	r.chain.out = out;
	r.chain.in = into;
	fill_buffers(&in, out, r.chain.n_out);
	n = r.chain.n_out;
	memcpy(mine, out, sizeof(out[0]) * n);
	memcpy(mine + n, into, sizeof(into[0]) * r.chain.n_in);
	n += r.chain.n_in;
	status = request_parse(&r, &limits, &why);
	if (status != -EPROTO) {
		*r.status = (uint8_t)status;
		if (!request_name(&r)[0])
			abort();
	}
	if (status == BLK_S_OK && limits.read_only && r.type != BLK_T_IN && r.type != BLK_T_FLUSH &&
		r.type != BLK_T_GET_ID)
		abort();
	if (status == BLK_S_OK && r.type != BLK_T_GET_ID && request_run(&r) != 0)
		abort();
	for (uint32_t i = 0; i < n; i++)
		free(mine[i].iov_base);
	return 0;
}
