/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SEQPACKET: messages with their boundaries, onto a unix socket of that type.
 *
 * From the guest a message comes in pieces.  They are put together in `kept`, each message behind
 * its length, and go to the socket one at a time; the credit counts bytes that have gone.  From the
 * host a message is read whole and goes to the guest in as many pieces as its buffers and its
 * credit make of it.
 */
#include "vsock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <tenon/socket.h>

#define LENGTH 4u

/* ---- the ring of messages ---- */

static void ring_put(struct conn *c, uint32_t at, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		c->kept[(at + i) % c->kept_size] = bytes[i];
}

static uint32_t ring_length(const struct conn *c)
{
	uint8_t raw[LENGTH];

	for (uint32_t i = 0; i < LENGTH; i++)
		raw[i] = c->kept[(c->kept_at + i) % c->kept_size];
	return (uint32_t)get_le(raw, LENGTH);
}

static bool append(struct conn *c, const struct tenon_chain *chain, uint32_t len)
{
	uint32_t skip = HEADER_SIZE;

	if (c->partial == 0) {
		if (c->kept_size - c->n_kept < LENGTH)
			return false; /* empty messages without end */
		c->n_kept += LENGTH;
		c->partial = LENGTH;
	}
	if (c->kept_size - c->n_kept < len)
		return false;
	while (len > 0) {
		uint32_t end = (c->kept_at + c->n_kept) % c->kept_size;
		uint32_t part = c->kept_size - end;

		part = part < len ? part : len;
		(void)tenon_iov_to_buf(chain->out, chain->n_out, skip, c->kept + end, part);
		c->n_kept += part;
		c->partial += part;
		skip += part;
		len -= part;
	}
	return true;
}

/* ---- to the host ---- */

void message_from_guest(
	struct vsock *v, struct conn *c, const struct tenon_chain *chain, const struct header *h)
{
	uint8_t raw[LENGTH];

	if (!append(c, chain, h->len)) {
		conn_abort(v, c);
		return;
	}
	if (!(h->flags & END_OF_MESSAGE))
		return;
	put_le(raw, c->partial - LENGTH, LENGTH);
	ring_put(c, c->kept_at + c->n_kept - c->partial, raw, LENGTH);
	c->partial = 0;
	message_flush(v, c);
}

static bool write_message(struct vsock *v, struct conn *c, uint32_t len)
{
	uint32_t at = (c->kept_at + LENGTH) % c->kept_size, first = c->kept_size - at;
	struct iovec iov[2] = {
		{ c->kept + at, first < len ? first : len },
		{ c->kept, first < len ? len - first : 0 },
	};
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	if (sendmsg(c->source.fd, &m, TENON_MSG_QUIET | MSG_DONTWAIT | MSG_EOR) >= 0)
		return true;
	if (errno == EAGAIN || errno == ENOBUFS)
		c->writable = false;
	else if (errno == EPIPE || errno == ECONNRESET)
		stream_host_closed(v, c);
	else if (errno != EINTR)
		conn_abort(v, c); /* a message that cannot be carried */
	return false;
}

void message_flush(struct vsock *v, struct conn *c)
{
	uint32_t before = c->fwd_cnt;

	while (c->writable && c->n_kept > c->partial) {
		uint32_t len = ring_length(c);

		if (!write_message(v, c, len))
			break;
		c->n_kept -= LENGTH + len;
		c->kept_at = c->n_kept ? (c->kept_at + LENGTH + len) % c->kept_size : 0;
		c->fwd_cnt += len;
	}
	if (c->source.fd < 0)
		return;
	if (c->fwd_cnt != before && c->state == CONN_OPEN)
		conn_want(v, c, WANT_CREDIT_UPDATE);
	conn_settle(v, c);
}

/* ---- to the guest ---- */

/* SENT_MORE when there is one now. */
static enum sent read_message(struct vsock *v, struct conn *c)
{
	ssize_t n = recv(c->source.fd, c->message, MESSAGE_BUFFER, MSG_DONTWAIT | MSG_TRUNC);

	if (n > (ssize_t)MESSAGE_BUFFER) {
		tenon_logf(vsock_host, v->dev, TENON_LOG_WARN,
			"a message of %zd bytes is longer than %u: the connection is reset", n,
			MESSAGE_BUFFER);
		conn_abort(v, c);
		return SENT_MORE;
	}
	/* An empty message looks like the end, which only a closed socket has. */
	if (n > 0 || (n == 0 && !c->eof)) {
		c->has_message = true;
		c->message_size = (uint32_t)n;
		c->message_at = 0;
		return SENT_MORE;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		c->readable = errno == EINTR;
		return c->readable ? SENT_MORE : SENT_ALL;
	}
	if (n < 0) {
		conn_abort(v, c);
		return SENT_MORE;
	}
	c->readable = false;
	c->host_shut |= c->hup ? SHUT_BOTH : SHUT_SEND;
	c->want |= WANT_SHUTDOWN;
	return SENT_MORE;
}

static enum sent send_piece(struct vsock *v, struct conn *c, uint32_t room)
{
	uint32_t len = c->message_size - c->message_at;
	struct tenon_chain chain;
	struct header h;

	if (!queue_take(v, &chain))
		return NO_ROOM;
	conn_header(v, c, OP_RW, &h);
	h.len = len < room ? len : room;
	if (h.len > chain.in_bytes - HEADER_SIZE)
		h.len = (uint32_t)(chain.in_bytes - HEADER_SIZE);
	h.flags = h.len == len ? END_OF_MESSAGE | END_OF_RECORD : 0;
	(void)tenon_iov_from_buf(
		chain.in, chain.n_in, HEADER_SIZE, c->message + c->message_at, h.len);
	queue_send(v, &chain, &h);
	c->told_fwd_cnt = c->fwd_cnt;
	c->tx_cnt += h.len;
	c->message_at += h.len;
	c->has_message = c->message_at < c->message_size;
	return SENT_MORE;
}

enum sent message_to_guest(struct vsock *v, struct conn *c)
{
	uint32_t room = conn_peer_room(c);

	if (!c->has_message) {
		if (c->readable && !(c->host_shut & SHUT_SEND))
			return read_message(v, c);
		if (!c->hup || c->host_shut == SHUT_BOTH)
			return SENT_ALL;
		c->host_shut = SHUT_BOTH;
		c->want |= WANT_SHUTDOWN;
		return SENT_MORE;
	}
	if (c->guest_shut & SHUT_RECEIVE) {
		c->has_message = false;
		return SENT_MORE;
	}
	if (c->message_size > 0 && room == 0) {
		if (c->asked_credit)
			return SENT_ALL;
		c->asked_credit = true;
		c->want |= WANT_CREDIT_REQUEST;
		return SENT_MORE;
	}
	return send_piece(v, c, room);
}
