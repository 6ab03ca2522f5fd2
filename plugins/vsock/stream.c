/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream's bytes.  To the host: written from the guest's buffer; what the socket does not take is
 * kept, no more than the credit that the guest was given.  To the guest: read from the socket into
 * as many of its buffers as there are and it has given credit for.
 */
#include "vsock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <tenon/socket.h>

#define MOST_CHAINS 32u          /* filled by one read */
#define MOST_BYTES  (128u << 10) /* of one read */

/* ---- to the host ---- */

void stream_host_closed(struct vsock *v, struct conn *c)
{
	c->fwd_cnt += c->n_kept;
	c->n_kept = c->partial = 0;
	if (c->state == CONN_DRAINING) {
		conn_free(v, c);
		return;
	}
	c->host_shut |= SHUT_RECEIVE;
	conn_want(v, c, WANT_SHUTDOWN);
	conn_settle(v, c);
}

/* What was taken, 0 when it is full; negative when it takes no more, ever. */
static ssize_t write_out(struct conn *c, struct iovec *iov, size_t n)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = n };
	ssize_t done;

	do
		done = sendmsg(c->source.fd, &m, TENON_MSG_QUIET | MSG_DONTWAIT);
	while (done < 0 && errno == EINTR);
	if (done >= 0)
		return done;
	if (errno != EAGAIN && errno != ENOBUFS)
		return -1;
	c->writable = false;
	return 0;
}

/* Tells the guest of its new credit when it is worth a packet. */
static void tell_credit(struct vsock *v, struct conn *c)
{
	if (c->state == CONN_OPEN && c->fwd_cnt - c->told_fwd_cnt >= STREAM_BUFFER / 2)
		conn_want(v, c, WANT_CREDIT_UPDATE);
}

size_t iov_pieces(const struct iovec *from, uint32_t n_from, size_t skip, size_t len,
	struct iovec *to, size_t most)
{
	size_t n = 0;

	for (uint32_t i = 0; i < n_from && len > 0 && n < most; i++) {
		size_t part = from[i].iov_len;

		if (skip >= part) {
			skip -= part;
			continue;
		}
		part -= skip;
		part = part < len ? part : len;
		to[n++] = (struct iovec){ (char *)from[i].iov_base + skip, part };
		len -= part;
		skip = 0;
	}
	return n;
}

static void keep(struct conn *c, const struct iovec *iov, uint32_t n, size_t skip, size_t len)
{
	while (len > 0) {
		uint32_t end = (c->kept_at + c->n_kept) % c->kept_size;
		size_t part = c->kept_size - end;

		part = part < len ? part : len;
		(void)tenon_iov_to_buf(iov, n, skip, c->kept + end, part);
		c->n_kept += (uint32_t)part;
		skip += part;
		len -= part;
	}
}

/* @len bytes, from @skip on in the pieces. */
static void forward(struct vsock *v, struct conn *c, const struct iovec *from, uint32_t n_from,
	size_t skip, uint32_t len)
{
	size_t done = 0;

	while (c->n_kept == 0 && c->writable && done < len) {
		struct iovec iov[MOST_IOVECS];
		size_t n = iov_pieces(from, n_from, skip + done, len - done, iov, MOST_IOVECS);
		ssize_t wrote = write_out(c, iov, n);

		if (wrote < 0) {
			c->fwd_cnt += len - (uint32_t)done;
			stream_host_closed(v, c);
			return;
		}
		done += (size_t)wrote;
		c->fwd_cnt += (uint32_t)wrote;
	}
	keep(c, from, n_from, skip + done, len - done);
	tell_credit(v, c);
}

bool stream_from_guest(
	struct vsock *v, struct conn *c, const struct tenon_chain *chain, uint32_t len)
{
	struct burst *b = &v->burst;

	if (b->n_chains == MOST_BURST || chain->n_out > MOST_IOVECS - b->n_iov)
		stream_end_burst(v);
	if (c->host_shut & SHUT_RECEIVE) { /* as the burst found out */
		c->fwd_cnt += len;
		return false;
	}
	if (chain->n_out > MOST_IOVECS) {
		forward(v, c, chain->out, chain->n_out, HEADER_SIZE, len);
		return false;
	}
	b->conn = c;
	b->n_iov += (unsigned)iov_pieces(chain->out, chain->n_out, HEADER_SIZE, len,
		b->iov + b->n_iov, MOST_IOVECS - b->n_iov);
	b->bytes += len;
	b->chains[b->n_chains++] = *chain;
	return true;
}

void stream_end_burst(struct vsock *v)
{
	struct tenon_vq *tx = vsock_virtio->queue(v->dev, QUEUE_TX);
	struct burst *b = &v->burst;

	if (!b->conn)
		return;
	forward(v, b->conn, b->iov, b->n_iov, 0, b->bytes);
	for (unsigned i = 0; i < b->n_chains; i++)
		vsock_virtio->push(tx, &b->chains[i], 0);
	b->conn = NULL;
	b->n_chains = b->n_iov = b->bytes = 0;
}

void stream_flush(struct vsock *v, struct conn *c)
{
	while (c->n_kept > 0 && c->writable) {
		uint32_t first = c->kept_size - c->kept_at;
		struct iovec iov[2] = {
			{ c->kept + c->kept_at, first < c->n_kept ? first : c->n_kept },
			{ c->kept, first < c->n_kept ? c->n_kept - first : 0 },
		};
		ssize_t wrote = write_out(c, iov, 2);

		if (wrote < 0) {
			stream_host_closed(v, c);
			return;
		}
		c->n_kept -= (uint32_t)wrote;
		c->fwd_cnt += (uint32_t)wrote;
		c->kept_at = c->n_kept ? (c->kept_at + (uint32_t)wrote) % c->kept_size : 0;
	}
	tell_credit(v, c);
	conn_settle(v, c);
}

/* ---- to the guest ---- */

struct batch {
	struct tenon_chain chains[MOST_CHAINS];
	uint32_t room[MOST_CHAINS];
	unsigned n_chains;
	struct iovec iov[MOST_IOVECS];
	size_t n_iov;
	size_t bytes;
};

/* Takes as many of the guest's buffers as @most bytes need. */
static void gather(struct vsock *v, struct batch *b, size_t most)
{
	b->n_chains = 0;
	b->n_iov = b->bytes = 0;
	while (b->bytes < most && b->n_chains < MOST_CHAINS && b->n_iov < MOST_IOVECS) {
		struct tenon_chain *chain = &b->chains[b->n_chains];
		size_t n, room = 0;

		if (!(b->n_chains ? queue_take_more(v, chain) : queue_take(v, chain)))
			return;
		n = iov_pieces(chain->in, chain->n_in, HEADER_SIZE, most - b->bytes,
			b->iov + b->n_iov, MOST_IOVECS - b->n_iov);
		for (size_t i = 0; i < n; i++)
			room += b->iov[b->n_iov + i].iov_len;
		b->n_iov += n;
		b->bytes += room;
		b->room[b->n_chains++] = (uint32_t)room;
	}
}

/* The first buffers are the guest's again, with @bytes in them; the others go back. */
static void scatter(struct vsock *v, struct conn *c, const struct batch *b, size_t bytes)
{
	unsigned used = 0;
	struct header h;

	conn_header(v, c, OP_RW, &h);
	while (bytes > 0) {
		h.len = b->room[used] < bytes ? b->room[used] : (uint32_t)bytes;
		queue_send(v, &b->chains[used++], &h);
		bytes -= h.len;
		c->tx_cnt += h.len;
	}
	if (used > 0)
		c->told_fwd_cnt = c->fwd_cnt;
	for (unsigned i = b->n_chains; i > used; i--)
		queue_put_back(v, &b->chains[i - 1]);
}

static void at_end(struct vsock *v, struct conn *c)
{
	c->readable = false;
	c->host_shut |= c->hup ? SHUT_BOTH : SHUT_SEND;
	if (c->hup) {
		c->fwd_cnt += c->n_kept;
		c->n_kept = 0;
	}
	if (c->host_shut != c->told_shut)
		conn_want(v, c, WANT_SHUTDOWN);
}

/* The guest must give credit first; it is asked once. */
static enum sent ask_credit(struct vsock *v, struct conn *c)
{
	if (c->asked_credit)
		return SENT_ALL;
	c->asked_credit = true;
	c->want |= WANT_CREDIT_REQUEST;
	return SENT_MORE;
}

/* Nobody will read it: what comes is thrown away, until the end. */
static enum sent read_away(struct vsock *v, struct conn *c)
{
	char bytes[4096];
	ssize_t n = recv(c->source.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		return SENT_MORE;
	c->readable = false;
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		at_end(v, c);
	return c->want ? SENT_MORE : SENT_ALL;
}

enum sent stream_to_guest(struct vsock *v, struct conn *c)
{
	size_t room = conn_peer_room(c);
	struct batch b;
	ssize_t n;

	if ((c->host_shut & SHUT_SEND) && c->hup && c->host_shut != SHUT_BOTH) {
		at_end(v, c);
		return SENT_MORE;
	}
	if (!c->readable || (c->host_shut & SHUT_SEND))
		return SENT_ALL;
	if (c->guest_shut & SHUT_RECEIVE)
		return read_away(v, c);
	if (room == 0)
		return ask_credit(v, c);
	gather(v, &b, room < MOST_BYTES ? room : MOST_BYTES);
	if (b.n_chains == 0)
		return NO_ROOM;
	n = readv(c->source.fd, b.iov, (int)b.n_iov);
	scatter(v, c, &b, n > 0 ? (size_t)n : 0);
	if (n > 0) {
		/* A short read means that there is no more, unless the end is behind it. */
		c->readable = c->eof || (size_t)n == b.bytes;
		return c->readable ? SENT_MORE : SENT_ALL;
	}
	if (n < 0 && errno == EINTR)
		return SENT_MORE;
	if (n < 0 && errno == EAGAIN) {
		c->readable = false;
		return SENT_ALL;
	}
	if (n == 0)
		at_end(v, c);
	else
		conn_abort(v, c);
	return SENT_MORE;
}
