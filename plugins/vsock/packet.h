/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets of virtio-vsock (Virtio 1.2, 5.10.6): a header of 44 little-endian bytes and what
 * follows it.  Inline, because it is all there is to them.
 */
#ifndef PLUGINS_VSOCK_PACKET_H
#define PLUGINS_VSOCK_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define HEADER_SIZE 44u
#define HOST_CID    2u

#define TYPE_STREAM    1u
#define TYPE_SEQPACKET 2u
#define TYPE_DGRAM     3u /* not in the specification: see tsi.h */

#define OP_INVALID        0u
#define OP_REQUEST        1u
#define OP_RESPONSE       2u
#define OP_RST            3u
#define OP_SHUTDOWN       4u
#define OP_RW             5u
#define OP_CREDIT_UPDATE  6u
#define OP_CREDIT_REQUEST 7u

#define SHUT_RECEIVE 1u /* its sender will not receive any more */
#define SHUT_SEND    2u /* its sender will not send any more */
#define SHUT_BOTH    3u

#define END_OF_MESSAGE 1u /* flags of OP_RW */
#define END_OF_RECORD  2u

struct header {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len;
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt;
};

static inline uint64_t get_le(const uint8_t *at, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

static inline void put_le(uint8_t *at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static inline void header_decode(struct header *h, const uint8_t raw[HEADER_SIZE])
{
	h->src_cid = get_le(raw, 8);
	h->dst_cid = get_le(raw + 8, 8);
	h->src_port = (uint32_t)get_le(raw + 16, 4);
	h->dst_port = (uint32_t)get_le(raw + 20, 4);
	h->len = (uint32_t)get_le(raw + 24, 4);
	h->type = (uint16_t)get_le(raw + 28, 2);
	h->op = (uint16_t)get_le(raw + 30, 2);
	h->flags = (uint32_t)get_le(raw + 32, 4);
	h->buf_alloc = (uint32_t)get_le(raw + 36, 4);
	h->fwd_cnt = (uint32_t)get_le(raw + 40, 4);
}

static inline void header_encode(const struct header *h, uint8_t raw[HEADER_SIZE])
{
	put_le(raw, h->src_cid, 8);
	put_le(raw + 8, h->dst_cid, 8);
	put_le(raw + 16, h->src_port, 4);
	put_le(raw + 20, h->dst_port, 4);
	put_le(raw + 24, h->len, 4);
	put_le(raw + 28, h->type, 2);
	put_le(raw + 30, h->op, 2);
	put_le(raw + 32, h->flags, 4);
	put_le(raw + 36, h->buf_alloc, 4);
	put_le(raw + 40, h->fwd_cnt, 4);
}

#endif
