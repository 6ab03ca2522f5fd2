/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transparent socket impersonation: the sockets of the host.
 *
 * A proxy is a socket that is not a stream of bytes: one that connects, one that listens, one of
 * datagrams.  A stream that the guest has begun to use is an ordinary connection (conn.c).
 *
 * No address is shared: a port that is taken is taken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <tenon/socket.h>

#include "tsi.h"

static void proxy_ready(struct vsock *v, struct source *source, uint32_t events);
static enum sent proxy_send(struct vsock *v, struct sender *sender);

/* ---- life ---- */

struct proxy *proxy_find(const struct vsock *v, uint32_t peer_port)
{
	struct proxy *p = v->tsi->proxies[peer_port % TSI_BUCKETS];

	while (p && p->peer_port != peer_port)
		p = p->next;
	return p;
}

struct proxy *proxy_create(struct vsock *v, uint32_t peer_port, int family, int type)
{
	struct proxy **bucket = &v->tsi->proxies[peer_port % TSI_BUCKETS];
	struct proxy *p = v->n_conns < v->most_conns ? calloc(1, sizeof(*p)) : NULL;

	if (!p) {
		vsock_host->log(
			v->dev, TENON_LOG_WARN, "there is no room for a socket of the guest");
		return NULL;
	}
	p->source = (struct source){ .fd = -1, .ready = proxy_ready };
	p->sender.send = proxy_send;
	p->peer_port = peer_port;
	p->family = family;
	p->type = type;
	p->next = *bucket;
	*bucket = p;
	v->n_conns++;
	return p;
}

static void close_socket(struct vsock *v, struct proxy *p)
{
	poll_close(v->poll, &p->source);
	p->readable = false;
	if (p->unlinks)
		(void)unlink(((const struct sockaddr_un *)&p->own.at)->sun_path);
	p->unlinks = false;
}

void proxy_free(struct vsock *v, struct proxy *p)
{
	struct proxy **at = &v->tsi->proxies[p->peer_port % TSI_BUCKETS];

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	sender_remove(&p->sender);
	for (struct conn *c = p->announced ? v->all : NULL; c; c = c->next_all) {
		if (c->listener != p)
			continue;
		c->listener = NULL;
		conn_abort(v, c);
	}
	close_socket(v, p);
	vsock_bury(v, &p->source);
	conn_one_less(v);
}

static int make_socket(struct vsock *v, struct proxy *p)
{
	int ret;

	if (p->source.fd >= 0)
		return 0;
	p->source.fd = tenon_socket(p->family, p->type, 0);
	if (p->source.fd < 0)
		return -errno;
	ret = poll_add(v->poll, &p->source);
	if (ret < 0)
		close_socket(v, p);
	return ret;
}

/* ---- connecting ---- */

int proxy_connect(struct vsock *v, struct proxy *p, const struct tsi_address *to)
{
	int ret = make_socket(v, p);

	if (ret < 0)
		return ret;
	if (connect(p->source.fd, (const struct sockaddr *)&to->at, to->size) < 0) {
		ret = -errno;
		if (ret == -EINPROGRESS)
			p->state = PROXY_CONNECTING;
		else if (p->type == SOCK_STREAM)
			close_socket(v, p); /* Linux would let it try again, and so do we */
		return ret;
	}
	if (p->type == SOCK_STREAM || p->state == PROXY_IDLE)
		p->state = PROXY_CONNECTED;
	return 0;
}

static void connected(struct vsock *v, struct proxy *p)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(p->source.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	p->state = error ? PROXY_IDLE : PROXY_CONNECTED;
	if (error)
		close_socket(v, p);
	proxy_result(v, p, TSI_CONNECT, p->asked_from, -error);
}

/* ---- listening ---- */

static int bind_one(
	struct vsock *v, struct proxy *p, const struct tsi_address *at, uint32_t backlog)
{
	int ret = make_socket(v, p);

	if (ret < 0)
		return ret;
	if (bind(p->source.fd, (const struct sockaddr *)&at->at, at->size) < 0)
		return -errno;
	p->unlinks = p->family == AF_UNIX;
	if (p->type == SOCK_STREAM &&
		listen(p->source.fd, backlog < SOMAXCONN ? (int)backlog : SOMAXCONN) < 0)
		return -errno;
	return 0;
}

int proxy_listen(struct vsock *v, struct proxy *p, const struct tsi_address *own, uint32_t vm_port,
	uint32_t backlog)
{
	struct tsi_address at;
	int ret = -EACCES;

	p->own = *own;
	for (uint32_t turn = 0; turn < TSI_MOST_TURNS; turn++) {
		if (!tsi_rules_bind(&v->tsi->rules, p->type, own, turn, &at))
			break;
		ret = bind_one(v, p, &at, backlog);
		if (ret == 0)
			break;
		close_socket(v, p);
		if (ret != -EADDRINUSE)
			break;
	}
	if (ret == 0 && p->family != AF_UNIX && tsi_address_port(own) == 0) {
		at.size = sizeof(at.at);
		if (getsockname(p->source.fd, (struct sockaddr *)&at.at, &at.size) < 0)
			ret = -errno;
		tsi_address_set_port(&p->own, tsi_address_port(&at));
	}
	if (ret < 0) {
		close_socket(v, p);
		return ret;
	}
	p->state = PROXY_LISTENING;
	p->vm_port = vm_port;
	p->backlog = backlog ? backlog : 1;
	return 0;
}

static void announce(struct vsock *v, struct proxy *p, int fd)
{
	struct conn *c = conn_request(v, TYPE_STREAM, p->vm_port, fd);

	if (!c)
		return;
	c->tsi = true;
	c->tsi_port = tsi_address_port(&p->own);
	c->listener = p;
	p->announced++;
}

void proxy_accept(struct vsock *v, struct proxy *p)
{
	while (p->n_waiters > 0 && p->n_open > 0) {
		proxy_result(v, p, TSI_ACCEPT, p->waiters[p->first_waiter], 0);
		p->first_waiter = (p->first_waiter + 1) % TSI_WAITERS;
		p->n_waiters--;
		p->n_open--;
	}
	while (p->readable && p->announced + p->n_open < p->backlog && v->n_conns < v->most_conns) {
		int fd = tenon_accept(p->source.fd);

		if (fd >= 0) {
			announce(v, p, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		p->readable = errno != EAGAIN;
		if (p->readable) { /* no descriptors: somebody may close some */
			v->starved = true;
			vsock_retry(v);
		}
		return;
	}
	if (p->readable && v->n_conns >= v->most_conns)
		v->starved = true;
}

void tsi_retry(struct vsock *v)
{
	for (uint32_t i = 0; v->tsi && i < TSI_BUCKETS; i++)
		for (struct proxy *p = v->tsi->proxies[i]; p; p = p->next)
			if (p->state == PROXY_LISTENING && p->type == SOCK_STREAM && p->readable)
				proxy_accept(v, p);
}

/* ---- datagrams ---- */

void proxy_send_to(struct vsock *v, struct proxy *p, const struct tenon_chain *chain, uint32_t len,
	bool to_address)
{
	struct iovec iov[MOST_IOVECS];
	struct msghdr m = { .msg_iov = iov };

	if (to_address ? p->to.size == 0 : p->state != PROXY_CONNECTED)
		return;
	if (make_socket(v, p) < 0)
		return;
	if (to_address) {
		m.msg_name = &p->to.at;
		m.msg_namelen = p->to.size;
	}
	m.msg_iovlen = iov_pieces(chain->out, chain->n_out, HEADER_SIZE, len, iov, MOST_IOVECS);
	/* A datagram that there is no room for is lost, as on any network. */
	if (sendmsg(p->source.fd, &m, TENON_MSG_QUIET | MSG_DONTWAIT) < 0)
		tenon_logf(vsock_host, v->dev, TENON_LOG_DEBUG,
			"a datagram of the guest is lost: %s", strerror(errno));
}

static void remember(struct proxy *p, const struct tsi_address *from)
{
	const struct tsi_address *last = &p->callers[p->last_caller];

	if (last->size == from->size && memcmp(&last->at, &from->at, from->size) == 0)
		return;
	p->last_caller = (p->last_caller + 1) % TSI_CALLERS;
	p->callers[p->last_caller] = *from;
}

/* Who may send to the guest: whom it may send to, and anybody where it listens. */
static bool is_welcome(const struct vsock *v, const struct proxy *p, const struct tsi_address *from)
{
	return p->state == PROXY_LISTENING || p->state == PROXY_CONNECTED ||
	       (from->size > sizeof(sa_family_t) &&
		       tsi_rules_reach(&v->tsi->rules, SOCK_DGRAM, from));
}

static enum sent datagram_to_guest(struct vsock *v, struct proxy *p)
{
	struct tsi_address from = { .size = sizeof(from.at) };
	struct iovec iov[MOST_IOVECS];
	struct msghdr m = { .msg_iov = iov, .msg_name = &from.at, .msg_namelen = from.size };
	struct header h = { .src_cid = HOST_CID,
		.dst_cid = v->cid,
		.src_port = TSI_DATA_PORT,
		.dst_port = p->state == PROXY_LISTENING ? p->vm_port : p->peer_port,
		.type = TYPE_DGRAM,
		.op = OP_RW };
	struct tenon_chain chain;
	ssize_t n;

	if (!queue_take(v, &chain))
		return NO_ROOM;
	m.msg_iovlen =
		iov_pieces(chain.in, chain.n_in, HEADER_SIZE, chain.in_bytes, iov, MOST_IOVECS);
	n = recvmsg(p->source.fd, &m, MSG_DONTWAIT);
	from.size = m.msg_namelen;
	if (n < 0 || (m.msg_flags & MSG_TRUNC) || !is_welcome(v, p, &from)) {
		if (n >= 0)
			vsock_host->log(v->dev, TENON_LOG_INFO,
				"a datagram for the guest is dropped: too long or not asked for");
		queue_put_back(v, &chain);
		p->readable = n >= 0 || errno == EINTR;
		return p->readable ? SENT_MORE : SENT_ALL;
	}
	remember(p, &from);
	h.len = (uint32_t)n;
	queue_send(v, &chain, &h);
	return SENT_MORE;
}

/* ---- to the guest ---- */

void proxy_result(
	struct vsock *v, struct proxy *p, uint32_t control, uint32_t guest_port, int32_t result)
{
	if (p->n_results == TSI_RESULTS)
		return; /* as many as can wait have an answer */
	p->results[(p->first_result + p->n_results++) % TSI_RESULTS] =
		(struct tsi_result){ control, guest_port, result };
	sender_add(v, &p->sender);
}

static bool send_result(struct vsock *v, struct proxy *p)
{
	const struct tsi_result *r = &p->results[p->first_result];
	struct header h = { .src_cid = HOST_CID,
		.dst_cid = v->cid,
		.src_port = r->control,
		.dst_port = r->guest_port,
		.len = 4,
		.type = TYPE_DGRAM,
		.op = OP_RW };
	uint8_t bytes[4];

	if (!queue_reply_room(v))
		return false;
	put_le(bytes, (uint32_t)r->result, 4);
	queue_reply(v, &h, bytes);
	p->first_result = (p->first_result + 1) % TSI_RESULTS;
	p->n_results--;
	return true;
}

static enum sent proxy_send(struct vsock *v, struct sender *sender)
{
	struct proxy *p = (struct proxy *)((char *)sender - offsetof(struct proxy, sender));

	if (p->n_results > 0)
		return send_result(v, p) ? SENT_MORE : NO_ROOM;
	if (!p->readable)
		return SENT_ALL;
	if (p->type == SOCK_DGRAM)
		return datagram_to_guest(v, p);
	if (p->state == PROXY_LISTENING)
		proxy_accept(v, p);
	return SENT_ALL;
}

static void proxy_ready(struct vsock *v, struct source *source, uint32_t events)
{
	struct proxy *p = (struct proxy *)source;

	if (p->state == PROXY_CONNECTING && (events & (POLL_WRITE | POLL_HUP))) {
		connected(v, p);
		return;
	}
	if (events & POLL_READ)
		p->readable = true;
	if (p->readable && (p->type == SOCK_DGRAM || p->state == PROXY_LISTENING))
		sender_add(v, &p->sender);
}
