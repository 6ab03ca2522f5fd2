/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections.
 *
 * A connection is found by its type and two ports.  It is in the table from its first packet until
 * the guest knows that it has ended: its RST is due, and as long as it is, the ports are not given
 * to another.  One that the guest has reset after it had said that it would send no more stays out
 * of the table until the host has taken what was sent.
 */
#include "vsock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tenon/socket.h>

#include "tsi.h"

#define FIRST_PORT 0x40000000u /* of the host, for those that it begins */
#define LAST_PORT  0x7fffffffu

static enum sent conn_send(struct vsock *v, struct sender *sender);
static void conn_ready(struct vsock *v, struct source *source, uint32_t events);

static struct conn *of_sender(struct sender *sender)
{
	return (struct conn *)((char *)sender - offsetof(struct conn, sender));
}

/* ---- the table ---- */

static uint32_t bucket(
	const struct vsock *v, uint16_t type, uint32_t guest_port, uint32_t host_port)
{
	uint64_t key = ((uint64_t)guest_port << 32 | host_port) + type;

	return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 40) & (v->table_size - 1);
}

struct conn *conn_find(struct vsock *v, uint16_t type, uint32_t guest_port, uint32_t host_port)
{
	struct conn *c = v->table[bucket(v, type, guest_port, host_port)];

	while (c && (c->type != type || c->guest_port != guest_port || c->host_port != host_port))
		c = c->next;
	return c;
}

static void table_add(struct vsock *v, struct conn *c)
{
	struct conn **at = &v->table[bucket(v, c->type, c->guest_port, c->host_port)];

	c->next = *at;
	*at = c;
}

static void table_remove(struct vsock *v, struct conn *c)
{
	struct conn **at = &v->table[bucket(v, c->type, c->guest_port, c->host_port)];

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
}

uint32_t conn_port(struct vsock *v, uint16_t type, uint32_t guest_port)
{
	do {
		v->next_port = v->next_port >= LAST_PORT || v->next_port < FIRST_PORT
				       ? FIRST_PORT
				       : v->next_port + 1;
	} while (conn_find(v, type, guest_port, v->next_port));
	return v->next_port;
}

/* ---- life ---- */

static bool allocate(struct conn *c)
{
	bool messages = c->type == TYPE_SEQPACKET;

	/* Every message has its length before it, and the shortest has one byte. */
	c->kept_size = messages ? 5 * MESSAGE_BUFFER : STREAM_BUFFER;
	c->kept = malloc(c->kept_size);
	c->message = messages ? malloc(MESSAGE_BUFFER) : NULL;
	return c->kept && (c->message || !messages);
}

static void release(struct conn *c)
{
	free(c->kept);
	free(c->message);
	c->kept = c->message = NULL;
	c->n_kept = 0;
}

struct conn *conn_create(struct vsock *v, uint16_t type, uint32_t guest_port, uint32_t host_port,
	int fd, enum conn_state state)
{
	struct conn *c = v->n_conns < v->most_conns ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		if (fd >= 0)
			(void)close(fd);
		return NULL;
	}
	c->source = (struct source){ .fd = -1, .ready = conn_ready };
	c->sender.send = conn_send;
	c->type = type;
	c->guest_port = guest_port;
	c->host_port = host_port;
	c->state = state;
	if (!allocate(c)) {
		if (fd >= 0)
			(void)close(fd);
		release(c);
		free(c);
		return NULL;
	}
	if (fd >= 0 && conn_attach_fd(v, c, fd) < 0) {
		release(c);
		free(c);
		return NULL;
	}
	table_add(v, c);
	c->next_all = v->all;
	if (v->all)
		v->all->prev_all = c;
	v->all = c;
	v->n_conns++;
	return c;
}

/* Room for all of the credit: what the socket holds need not be kept here.  A kernel that gives
 * less is no worse than one that was not asked; TCP knows better by itself. */
static void make_room(int fd)
{
	struct sockaddr_storage own = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(own);
	int room = STREAM_BUFFER;

	if (getsockname(fd, (struct sockaddr *)&own, &size) == 0 && own.ss_family == AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

int conn_attach_fd(struct vsock *v, struct conn *c, int fd)
{
	int ret;

	make_room(fd);
	c->source.fd = fd;
	ret = poll_add(v->poll, &c->source);
	if (ret < 0) {
		(void)close(fd);
		c->source.fd = -1;
	}
	return ret;
}

void conn_one_less(struct vsock *v)
{
	v->n_conns--;
	if (v->starved)
		vsock_retry(v);
}

void conn_free(struct vsock *v, struct conn *c)
{
	if (c->listener)
		tsi_conn_gone(v, c);
	if (c->state != CONN_DRAINING)
		table_remove(v, c);
	sender_remove(&c->sender);
	if (c->prev_all)
		c->prev_all->next_all = c->next_all;
	else
		v->all = c->next_all;
	if (c->next_all)
		c->next_all->prev_all = c->prev_all;
	poll_close(v->poll, &c->source);
	release(c);
	vsock_bury(v, &c->source);
	conn_one_less(v);
}

void conn_abort(struct vsock *v, struct conn *c)
{
	if (c->state == CONN_CLOSED)
		return;
	if (c->state == CONN_DRAINING) {
		conn_free(v, c);
		return;
	}
	poll_close(v->poll, &c->source);
	release(c);
	c->state = CONN_CLOSED;
	c->want = WANT_RST;
	sender_add(v, &c->sender);
}

void conn_free_all(struct vsock *v)
{
	while (v->all)
		conn_free(v, v->all);
}

void conn_want(struct vsock *v, struct conn *c, uint32_t want)
{
	c->want |= want;
	sender_add(v, &c->sender);
}

struct conn *conn_request(struct vsock *v, uint16_t type, uint32_t guest_port, int fd)
{
	struct conn *c = conn_create(
		v, type, guest_port, conn_port(v, type, guest_port), fd, CONN_REQUESTED);

	if (c)
		conn_want(v, c, WANT_REQUEST);
	return c;
}

/* Both sides are through with it, and the host has everything. */
void conn_settle(struct vsock *v, struct conn *c)
{
	if (c->n_kept > c->partial)
		return;
	if (c->state == CONN_DRAINING) {
		conn_free(v, c);
		return;
	}
	if (c->state != CONN_OPEN)
		return;
	if (c->guest_shut == SHUT_BOTH) {
		conn_abort(v, c);
		return;
	}
	if ((c->guest_shut & SHUT_SEND) && !c->wrote_end) {
		c->wrote_end = true;
		(void)shutdown(c->source.fd, SHUT_WR);
	}
}

void conn_release(struct vsock *v, struct conn *c)
{
	c->guest_shut = SHUT_BOTH;
	if (c->state == CONN_OPEN)
		conn_settle(v, c);
	else
		conn_abort(v, c);
}

/* ---- packets to the guest ---- */

uint32_t conn_peer_room(const struct conn *c)
{
	uint32_t out = c->tx_cnt - c->peer_fwd_cnt;

	return out < c->peer_buf_alloc ? c->peer_buf_alloc - out : 0;
}

void conn_header(const struct vsock *v, const struct conn *c, uint16_t op, struct header *ret)
{
	*ret = (struct header){
		.src_cid = HOST_CID,
		.dst_cid = v->cid,
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.type = c->type,
		.op = op,
		.buf_alloc = c->type == TYPE_SEQPACKET ? MESSAGE_BUFFER : STREAM_BUFFER,
		.fwd_cnt = c->fwd_cnt,
	};
}

/* The next packet without data; false when the guest has no buffer for it. */
static bool send_wanted(struct vsock *v, struct conn *c)
{
	static const uint16_t ops[] = { OP_REQUEST, OP_RESPONSE, OP_CREDIT_UPDATE,
		OP_CREDIT_REQUEST, OP_SHUTDOWN, OP_RST };
	unsigned i = (unsigned)__builtin_ctz(c->want);
	struct tenon_chain chain;
	struct header h;

	if (!queue_take(v, &chain))
		return false;
	conn_header(v, c, ops[i], &h);
	if (h.op == OP_SHUTDOWN) {
		h.flags = c->host_shut;
		c->told_shut = c->host_shut;
	}
	c->told_fwd_cnt = c->fwd_cnt;
	c->want &= ~(1u << i);
	queue_send(v, &chain, &h);
	return true;
}

static enum sent conn_send(struct vsock *v, struct sender *sender)
{
	struct conn *c = of_sender(sender);

	if (c->want) {
		bool last = c->want == WANT_RST;

		if (!send_wanted(v, c))
			return NO_ROOM;
		if (!last)
			return SENT_MORE;
		conn_free(v, c);
		return SENT_LAST;
	}
	if (c->state != CONN_OPEN)
		return SENT_ALL;
	return c->type == TYPE_SEQPACKET ? message_to_guest(v, c) : stream_to_guest(v, c);
}

/* ---- packets from the guest ---- */

static void take_response(struct vsock *v, struct conn *c)
{
	char text[32];
	int n;

	if (c->state != CONN_REQUESTED) {
		conn_abort(v, c);
		return;
	}
	c->state = CONN_OPEN;
	if (c->greets) {
		n = snprintf(text, sizeof(text), "OK %u\n", c->host_port);
		if (send(c->source.fd, text, (size_t)n, TENON_MSG_QUIET | MSG_DONTWAIT) != n) {
			conn_abort(v, c);
			return;
		}
	}
	if (c->listener)
		tsi_conn_open(v, c);
	sender_add(v, &c->sender);
}

static void take_shutdown(struct vsock *v, struct conn *c, uint32_t flags)
{
	c->guest_shut |= flags & SHUT_BOTH;
	if (c->state != CONN_OPEN) {
		conn_abort(v, c);
		return;
	}
	/* Closed for reading, a unix socket tells its other side at once. */
	if ((c->guest_shut & SHUT_RECEIVE) && c->guest_shut != SHUT_BOTH)
		(void)shutdown(c->source.fd, SHUT_RD);
	conn_settle(v, c);
}

static void take_rst(struct vsock *v, struct conn *c)
{
	bool drains = c->state == CONN_OPEN && (c->guest_shut & SHUT_SEND) &&
		      c->n_kept > c->partial && !(c->host_shut & SHUT_RECEIVE);

	if (!drains) {
		conn_free(v, c);
		return;
	}
	table_remove(v, c);
	sender_remove(&c->sender);
	c->want = 0;
	c->state = CONN_DRAINING;
}

static bool take_data(
	struct vsock *v, struct conn *c, const struct header *h, const struct tenon_chain *chain)
{
	uint32_t most = c->type == TYPE_SEQPACKET ? MESSAGE_BUFFER : STREAM_BUFFER;

	if (c->state != CONN_OPEN || (c->guest_shut & SHUT_SEND) ||
		h->len > most - (c->rx_cnt - c->fwd_cnt)) {
		stream_end_burst(v);
		conn_abort(v, c);
		return false;
	}
	c->rx_cnt += h->len;
	if (c->host_shut & SHUT_RECEIVE) {
		c->fwd_cnt += h->len; /* on its way when it was told that nobody listens */
		return false;
	}
	if (c->type == TYPE_STREAM)
		return stream_from_guest(v, c, chain, h->len);
	message_from_guest(v, c, chain, h);
	return false;
}

static void control_packet(struct vsock *v, struct conn *c, const struct header *h)
{
	switch (h->op) {
	case OP_RESPONSE:
		take_response(v, c);
		break;
	case OP_SHUTDOWN:
		take_shutdown(v, c, h->flags);
		break;
	case OP_CREDIT_UPDATE:
		break;
	case OP_CREDIT_REQUEST:
		conn_want(v, c, WANT_CREDIT_UPDATE);
		break;
	default:
		conn_abort(v, c);
		break;
	}
}

bool conn_packet(struct vsock *v, struct conn *c, const struct header *h, struct tenon_chain *chain)
{
	bool held = false;

	if (h->op == OP_RST) {
		take_rst(v, c);
		return false;
	}
	if (c->state == CONN_CLOSED)
		return false; /* it will hear of it */
	c->peer_buf_alloc = h->buf_alloc;
	c->peer_fwd_cnt = h->fwd_cnt;
	if (c->asked_credit && conn_peer_room(c) > 0)
		c->asked_credit = false;
	if (h->op == OP_RW)
		held = take_data(v, c, h, chain);
	else
		control_packet(v, c, h);
	if (c->state == CONN_OPEN && (c->readable || c->has_message))
		sender_add(v, &c->sender);
	return held;
}

/* ---- the host's socket ---- */

static void conn_ready(struct vsock *v, struct source *source, uint32_t events)
{
	struct conn *c = (struct conn *)source;

	c->readable |= (events & POLL_READ) != 0;
	c->writable |= (events & POLL_WRITE) != 0;
	c->eof |= (events & POLL_EOF) != 0;
	c->hup |= (events & POLL_HUP) != 0;
	if (c->state == CONN_REQUESTED && c->hup) {
		conn_abort(v, c); /* whoever asked has gone */
		return;
	}
	if (c->state != CONN_OPEN && c->state != CONN_DRAINING)
		return;
	if ((events & POLL_WRITE) && c->n_kept > 0) {
		if (c->type == TYPE_SEQPACKET)
			message_flush(v, c);
		else
			stream_flush(v, c);
	}
	if (c->source.fd >= 0 && c->state == CONN_OPEN)
		sender_add(v, &c->sender);
}

/* A listener that was full may have room now. */
static void try_again(struct vsock *v, struct conn *c)
{
	int fd = -1, ret = host_connect_again(v, c, &fd);

	if (ret == -EAGAIN && vsock_now() < c->deadline_ns) {
		vsock_retry(v);
		return;
	}
	if (ret == 0)
		ret = conn_attach_fd(v, c, fd);
	if (ret < 0) {
		conn_abort(v, c);
		return;
	}
	c->state = CONN_OPEN;
	conn_want(v, c, WANT_RESPONSE);
}

void conn_retry(struct vsock *v)
{
	struct conn *next;

	for (struct conn *c = v->all; c; c = next) {
		next = c->next_all;
		if (c->state == CONN_CONNECTING)
			try_again(v, c);
	}
}
