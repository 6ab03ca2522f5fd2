/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a request, and doing it in a thread that may wait. */
#include "request.h"

#include <tenon/iov.h>

#include <errno.h>
#include <string.h>

#include "virtio_blk.h"

static uint64_t get_le(const uint8_t *at, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

const char *request_name(const struct request *r)
{
	switch (r->type) {
	case BLK_T_IN:
		return "read";
	case BLK_T_OUT:
		return "write";
	case BLK_T_FLUSH:
		return "flush";
	case BLK_T_DISCARD:
		return "discard";
	case BLK_T_WRITE_ZEROES:
		return "write of zeroes";
	default:
		return "request";
	}
}

/* ---- what the chain says ---- */

/* The last byte that the device may write is the status; it leaves the vectors. */
static int take_status(struct request *r)
{
	struct tenon_chain *c = &r->chain;

	for (uint32_t i = c->n_in; i > 0; i--) {
		struct iovec *last = &c->in[i - 1];

		if (last->iov_len == 0)
			continue;
		last->iov_len--;
		r->status = (uint8_t *)last->iov_base + last->iov_len;
		/* Nothing empty is left: it would lie askew. */
		c->n_in = last->iov_len ? i : i - 1;
		return 0;
	}
	return -EPROTO;
}

static int check_range(const struct request_limits *limits, uint64_t sector, uint64_t size,
	uint64_t *ret_offset, const char **ret_why)
{
	uint64_t offset, end;

	if (__builtin_mul_overflow(sector, (uint64_t)BLK_SECTOR, &offset) ||
		__builtin_add_overflow(offset, size, &end) || end > limits->capacity) {
		*ret_why = "it lies past the end of the disk";
		return BLK_S_IOERR;
	}
	if (offset % limits->sector_size || size % limits->sector_size) {
		*ret_why = "it is not of whole sectors";
		return BLK_S_IOERR;
	}
	if (end > limits->size) {
		*ret_why = "the image has become shorter than that";
		return BLK_S_IOERR;
	}
	*ret_offset = offset;
	return BLK_S_OK;
}

static int parse_data(struct request *r, const struct request_limits *limits, uint64_t sector,
	const char **ret_why)
{
	bool in = r->type == BLK_T_IN;

	r->iov = in ? r->chain.in : r->chain.out;
	r->n_iov = in ? r->chain.n_in : r->chain.n_out;
	r->size = in ? r->chain.in_bytes - 1 : r->chain.out_bytes - BLK_HEADER_SIZE;
	if (!in && limits->read_only) {
		*ret_why = "the disk is read-only";
		return BLK_S_IOERR;
	}
	return check_range(limits, sector, r->size, &r->offset, ret_why);
}

static int parse_one_range(struct request *r, const struct request_limits *limits,
	const uint8_t raw[BLK_RANGE_SIZE], const char **ret_why)
{
	struct request_range *range = &r->ranges[r->n_ranges];
	uint64_t sectors = get_le(raw + 8, 4);
	uint32_t flags = (uint32_t)get_le(raw + 12, 4);

	if ((flags & ~BLK_RANGE_UNMAP) || (flags && r->type == BLK_T_DISCARD)) {
		*ret_why = "it has a flag that is not known";
		return BLK_S_UNSUPP;
	}
	if (sectors > limits->most_range) {
		*ret_why = "it asks for more sectors than the disk allows";
		return BLK_S_IOERR;
	}
	range->size = sectors * BLK_SECTOR;
	range->unmap = (flags & BLK_RANGE_UNMAP) && limits->discard;
	r->size += range->size;
	r->n_ranges++;
	return check_range(limits, get_le(raw, 8), range->size, &range->offset, ret_why);
}

static int parse_ranges(
	struct request *r, const struct request_limits *limits, const char **ret_why)
{
	uint64_t bytes = r->chain.out_bytes - BLK_HEADER_SIZE;
	int status = BLK_S_OK;

	if (limits->read_only) {
		*ret_why = "the disk is read-only";
		return BLK_S_IOERR;
	}
	if (r->type == BLK_T_DISCARD && !limits->discard)
		return BLK_S_UNSUPP;
	if (bytes == 0 || bytes % BLK_RANGE_SIZE || bytes / BLK_RANGE_SIZE > REQUEST_RANGES) {
		*ret_why = "it has no ranges, parts of one or too many";
		return BLK_S_IOERR;
	}
	for (uint64_t at = 0; at < bytes && status == BLK_S_OK; at += BLK_RANGE_SIZE) {
		uint8_t raw[BLK_RANGE_SIZE] = { 0 };

		(void)tenon_iov_to_buf(r->chain.out, r->chain.n_out, (size_t)at, raw, sizeof(raw));
		status = parse_one_range(r, limits, raw, ret_why);
	}
	r->offset = r->ranges[0].offset;
	return status;
}

int request_parse(struct request *r, const struct request_limits *limits, const char **ret_why)
{
	uint8_t header[BLK_HEADER_SIZE] = { 0 };
	int ret = take_status(r);

	*ret_why = NULL;
	r->type = UINT32_MAX;
	r->offset = r->size = 0;
	r->n_ranges = 0;
	if (ret < 0)
		return ret;
	if (r->chain.out_bytes < BLK_HEADER_SIZE) {
		*ret_why = "its header is too short";
		return BLK_S_IOERR;
	}
	(void)tenon_iov_to_buf(r->chain.out, r->chain.n_out, 0, header, sizeof(header));
	(void)tenon_iov_skip(&r->chain.out, &r->chain.n_out, sizeof(header));
	r->type = (uint32_t)get_le(header, 4);
	switch (r->type) {
	case BLK_T_IN:
	case BLK_T_OUT:
		return parse_data(r, limits, get_le(header + 8, 8), ret_why);
	case BLK_T_DISCARD:
	case BLK_T_WRITE_ZEROES:
		return parse_ranges(r, limits, ret_why);
	case BLK_T_FLUSH:
	case BLK_T_GET_ID:
		return BLK_S_OK;
	default:
		return BLK_S_UNSUPP;
	}
}

/* ---- doing it ---- */

static int run_ranges(struct request *r)
{
	struct image *im = r->image;
	int ret = 0;

	for (unsigned i = 0; i < r->n_ranges && ret == 0; i++) {
		const struct request_range *range = &r->ranges[i];

		if (r->type == BLK_T_DISCARD)
			ret = im->ops->discard(im, range->offset, range->size);
		else
			ret = im->ops->zero(im, range->offset, range->size, range->unmap);
	}
	return ret;
}

int request_run(struct request *r)
{
	struct image *im = r->image;
	int ret;

	switch (r->type) {
	case BLK_T_IN:
		return im->ops->read(im, r->offset, r->iov, r->n_iov, (size_t)r->size);
	case BLK_T_OUT:
		ret = im->ops->write(im, r->offset, r->iov, r->n_iov, (size_t)r->size);
		break;
	case BLK_T_FLUSH:
		return im->ops->flush(im);
	default:
		ret = run_ranges(r);
		break;
	}
	return ret == 0 && r->sync ? im->ops->flush(im) : ret;
}
