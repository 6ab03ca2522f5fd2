/* SPDX-License-Identifier: Apache-2.0 */
/* Transparent socket impersonation: what the guest asks for, and whether it may; see tsi.h. */
#include "tsi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MOST_REQUEST (12u + TSI_ADDRESS)

/* ---- settings ---- */

int tsi_create(struct vsock *v, const struct tenon_config *config)
{
	uint32_t n = vsock_host->conf_count(config, "tsi");
	struct tsi_rules *rules;

	if (n == 0)
		return 0;
	v->tsi = calloc(1, sizeof(*v->tsi));
	if (!v->tsi)
		return vsock_host->fail(v->dev, -ENOMEM, "out of memory");
	rules = &v->tsi->rules;
	rules->at = calloc(n, sizeof(*rules->at));
	if (!rules->at)
		return vsock_host->fail(v->dev, -ENOMEM, "out of memory");
	for (; rules->n < n; rules->n++) {
		const char *text = vsock_host->conf_str(config, "tsi", rules->n);
		const char *wanted = "";
		int ret = tsi_rule_parse(&rules->at[rules->n], text, &wanted);

		if (ret == -ENOMEM)
			return vsock_host->fail(v->dev, ret, "out of memory");
		if (ret < 0)
			return tenon_failf(vsock_host, v->dev, ret,
				"\"tsi\" holds \"%s\", wanted %s", text, wanted);
	}
	return 0;
}

void tsi_reset(struct vsock *v)
{
	for (uint32_t i = 0; v->tsi && i < TSI_BUCKETS; i++)
		while (v->tsi->proxies[i])
			proxy_free(v, v->tsi->proxies[i]);
}

void tsi_destroy(struct vsock *v)
{
	if (v->tsi)
		tsi_rules_free(&v->tsi->rules);
	free(v->tsi);
	v->tsi = NULL;
}

const char *tsi_listens_at(const struct vsock *v, uint32_t index)
{
	for (uint32_t i = 0; v->tsi && i < v->tsi->rules.n; i++) {
		const struct tsi_rule *rule = &v->tsi->rules.at[i];

		if (rule->listen && rule->path && index-- == 0)
			return rule->path;
	}
	return NULL;
}

/* ---- replies ---- */

static void reply(
	struct vsock *v, const struct header *to, int32_t result, const struct tsi_address *address)
{
	struct header h = {
		.src_cid = HOST_CID,
		.dst_cid = v->cid,
		.src_port = to->dst_port,
		.dst_port = to->src_port,
		.len = address ? 8 + TSI_ADDRESS : 4,
		.type = TYPE_DGRAM,
		.op = OP_RW,
	};
	uint8_t bytes[8 + TSI_ADDRESS] = { 0 };

	put_le(bytes, (uint32_t)result, 4);
	if (address && result == 0) {
		put_le(bytes + 4, address->size, 4);
		memcpy(bytes + 8, &address->at,
			address->size < TSI_ADDRESS ? address->size : TSI_ADDRESS);
	}
	queue_reply(v, &h, bytes);
}

/* ---- requests ---- */

/* A request, read once; what is missing is zero. */
struct request {
	const struct header *h;
	uint8_t bytes[MOST_REQUEST];
	uint32_t size;
};

static uint32_t word(const struct request *r, unsigned index)
{
	return (uint32_t)get_le(r->bytes + 4 * (size_t)index, 4);
}

static void request_create(struct vsock *v, const struct request *r)
{
	uint32_t family = (uint32_t)get_le(r->bytes + 4, 2),
		 type = (uint32_t)get_le(r->bytes + 6, 2);
	struct proxy *p = proxy_find(v, word(r, 0));

	if ((family != AF_INET && family != AF_INET6 && family != AF_UNIX) ||
		(type != TSI_STREAM && type != TSI_DGRAM)) {
		tenon_logf(vsock_host, v->dev, TENON_LOG_INFO,
			"the guest wants a socket of family %u and type %u, which there is not",
			family, type);
		return;
	}
	if (p)
		proxy_free(v, p); /* the guest has forgotten it */
	(void)proxy_create(
		v, word(r, 0), (int)family, type == TSI_STREAM ? SOCK_STREAM : SOCK_DGRAM);
}

/* The address that begins behind @words words; 0 or a negative errno. */
static int address_of(
	const struct request *r, const struct proxy *p, unsigned words, struct tsi_address *ret)
{
	if (r->size < 4 * words)
		return -EINVAL;
	return tsi_address_decode(
		ret, r->bytes + 4 * (size_t)words, r->size - 4 * words, p->family);
}

static bool may_reach(struct vsock *v, const struct proxy *p, const struct tsi_address *to)
{
	if (tsi_rules_reach(&v->tsi->rules, p->type, to))
		return true;
	/* Who has called may be answered. */
	for (unsigned i = 0;
		p->type == SOCK_DGRAM && p->state == PROXY_LISTENING && i < TSI_CALLERS; i++)
		if (p->callers[i].size == to->size &&
			memcmp(&p->callers[i].at, &to->at, to->size) == 0)
			return true;
	vsock_host->log(
		v->dev, TENON_LOG_INFO, "the guest wants to reach what \"tsi\" does not allow");
	return false;
}

static void request_connect(struct vsock *v, const struct request *r)
{
	struct proxy *p = proxy_find(v, word(r, 0));
	struct tsi_address to;
	int ret = p ? address_of(r, p, 1, &to) : -EBADF;

	if (ret == 0 && p->type == SOCK_STREAM && p->state != PROXY_IDLE)
		ret = p->state == PROXY_CONNECTING ? -EALREADY : -EISCONN;
	if (ret == 0 && !may_reach(v, p, &to))
		ret = -EACCES;
	if (ret == 0)
		ret = proxy_connect(v, p, &to);
	if (ret == -EINPROGRESS)
		p->asked_from = r->h->src_port; /* is answered when it is known */
	else
		reply(v, r->h, ret, NULL);
}

static int socket_name(int fd, bool peer, struct tsi_address *ret)
{
	*ret = (struct tsi_address){ .size = sizeof(ret->at) };
	if (fd < 0)
		return -ENOTCONN;
	if (peer ? getpeername(fd, (struct sockaddr *)&ret->at, &ret->size)
		 : getsockname(fd, (struct sockaddr *)&ret->at, &ret->size))
		return -errno;
	return 0;
}

static int proxy_name(const struct proxy *p, bool peer, struct tsi_address *ret)
{
	if (p->state != PROXY_LISTENING)
		return socket_name(p->source.fd, peer, ret);
	if (!peer) {
		*ret = p->own;
		return 0;
	}
	*ret = p->callers[p->last_caller];
	return ret->size ? 0 : -ENOTCONN;
}

static void request_getname(struct vsock *v, const struct request *r)
{
	uint32_t local = word(r, 1) ? word(r, 1) : TSI_DATA_PORT;
	const struct conn *c = conn_find(v, TYPE_STREAM, word(r, 0), local);
	const struct proxy *p = proxy_find(v, word(r, 0));
	struct tsi_address name = { .size = 0 };
	bool peer = word(r, 2) != 0;
	int ret = -EBADF;

	if (c && c->tsi) {
		ret = socket_name(c->source.fd, peer, &name);
		if (!peer && c->tsi_port)
			tsi_address_set_port(&name, c->tsi_port);
	} else if (p) {
		ret = proxy_name(p, peer, &name);
	}
	reply(v, r->h, ret, &name);
}

static void request_sendto(struct vsock *v, const struct request *r)
{
	struct proxy *p = proxy_find(v, word(r, 0));
	struct tsi_address to;

	if (!p || p->type != SOCK_DGRAM)
		return;
	p->to.size = 0;
	if (address_of(r, p, 1, &to) == 0 && may_reach(v, p, &to))
		p->to = to;
}

static void request_listen(struct vsock *v, const struct request *r)
{
	struct proxy *p = proxy_find(v, word(r, 0));
	struct tsi_address own;
	int ret = p ? address_of(r, p, 3, &own) : -EBADF;

	if (ret == 0 && p->state == PROXY_LISTENING && p->type == SOCK_STREAM)
		p->backlog = word(r, 2); /* the only thing that may change */
	else if (ret == 0 && p->state != PROXY_IDLE)
		ret = -EINVAL;
	else if (ret == 0)
		ret = proxy_listen(v, p, &own, word(r, 1), word(r, 2));
	reply(v, r->h, ret, NULL);
}

static void request_accept(struct vsock *v, const struct request *r)
{
	struct proxy *p = proxy_find(v, word(r, 0));
	int ret;

	if (!p || p->state != PROXY_LISTENING || p->type != SOCK_STREAM)
		ret = p ? -EINVAL : -EBADF;
	else if (p->n_open > 0 && p->n_waiters == 0)
		ret = 0;
	else if ((word(r, 1) & TSI_NONBLOCK) || p->n_waiters == TSI_WAITERS)
		ret = -EAGAIN;
	else {
		p->waiters[(p->first_waiter + p->n_waiters++) % TSI_WAITERS] = r->h->src_port;
		return;
	}
	reply(v, r->h, ret, NULL);
	if (ret == 0) {
		p->n_open--;
		proxy_accept(v, p);
	}
}

static void request_release(struct vsock *v, const struct request *r)
{
	uint32_t local = word(r, 1) ? word(r, 1) : TSI_DATA_PORT;
	struct conn *c = conn_find(v, TYPE_STREAM, word(r, 0), local);
	struct proxy *p = proxy_find(v, word(r, 0));

	if (c && c->tsi)
		conn_release(v, c);
	else if (p)
		proxy_free(v, p);
}

/* A datagram on its way out. */
static void data(struct vsock *v, const struct header *h, const struct tenon_chain *chain)
{
	struct proxy *p = proxy_find(v, h->src_port);

	if (p && p->type == SOCK_DGRAM)
		proxy_send_to(v, p, chain, h->len, h->dst_port == TSI_SENDTO_DATA);
}

void tsi_datagram(struct vsock *v, const struct header *h, const struct tenon_chain *chain)
{
	static void (*const requests[])(struct vsock *, const struct request *) = {
		[TSI_CREATE - TSI_CREATE] = request_create,
		[TSI_CONNECT - TSI_CREATE] = request_connect,
		[TSI_GETNAME - TSI_CREATE] = request_getname,
		[TSI_SENDTO_ADDR - TSI_CREATE] = request_sendto,
		[TSI_LISTEN - TSI_CREATE] = request_listen,
		[TSI_ACCEPT - TSI_CREATE] = request_accept,
		[TSI_RELEASE - TSI_CREATE] = request_release,
	};
	struct request r = { .h = h };

	if (h->op != OP_RW || h->dst_cid != HOST_CID)
		return;
	if (h->dst_port == TSI_DATA_PORT || h->dst_port == TSI_SENDTO_DATA) {
		data(v, h, chain);
		return;
	}
	if (h->dst_port < TSI_CREATE || h->dst_port > TSI_RELEASE || h->len < 4)
		return; /* nobody is there, which a datagram is not told */
	r.size = (uint32_t)tenon_iov_to_buf(chain->out, chain->n_out, HEADER_SIZE, r.bytes,
		h->len < MOST_REQUEST ? h->len : MOST_REQUEST);
	requests[h->dst_port - TSI_CREATE](v, &r);
}

/* ---- streams ---- */

/* The guest begins the stream of a proxy that is connected. */
void tsi_request(struct vsock *v, const struct header *h)
{
	struct proxy *p = proxy_find(v, h->src_port);
	struct conn *c;
	int fd;

	if (!p || p->type != SOCK_STREAM || p->state != PROXY_CONNECTED) {
		queue_reset_reply(v, h);
		return;
	}
	fd = poll_take(v->poll, &p->source);
	proxy_free(v, p);
	c = conn_create(v, TYPE_STREAM, h->src_port, h->dst_port, fd, CONN_OPEN);
	if (!c) {
		queue_reset_reply(v, h);
		return;
	}
	c->tsi = true;
	c->peer_buf_alloc = h->buf_alloc;
	c->peer_fwd_cnt = h->fwd_cnt;
	conn_want(v, c, WANT_RESPONSE);
}

void tsi_conn_open(struct vsock *v, struct conn *c)
{
	struct proxy *p = c->listener;

	c->listener = NULL;
	p->announced--;
	p->n_open++;
	proxy_accept(v, p);
}

void tsi_conn_gone(struct vsock *v, struct conn *c)
{
	struct proxy *p = c->listener;

	c->listener = NULL;
	p->announced--;
	sender_add(v, &p->sender); /* there is room for another */
}
