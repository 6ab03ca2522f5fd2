/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queues.  A packet from the guest is dealt with at once, in its own buffer; packets of one
 * stream that follow each other are written together.  What the guest is owed waits until it has
 * buffers: replies first, in order, then the senders by turns.  When too many replies wait, the
 * guest's packets wait too: so neither needs memory without bound.
 */
#include "vsock.h"

#include <errno.h>
#include <string.h>

#include "tsi.h"

/* ---- senders ---- */

void sender_add(struct vsock *v, struct sender *sender)
{
	if (sender->next)
		return;
	sender->prev = v->senders.prev;
	sender->next = &v->senders;
	sender->prev->next = sender;
	v->senders.prev = sender;
}

void sender_remove(struct sender *sender)
{
	if (!sender->next)
		return;
	sender->prev->next = sender->next;
	sender->next->prev = sender->prev;
	sender->prev = sender->next = NULL;
}

/* ---- to the guest ---- */

bool queue_take_more(struct vsock *v, struct tenon_chain *ret_chain)
{
	struct tenon_vq *rx = vsock_virtio->queue(v->dev, QUEUE_RX);

	if (vsock_virtio->pop(rx, ret_chain) <= 0)
		return false;
	if (ret_chain->in_bytes > HEADER_SIZE)
		return true;
	vsock_virtio->unpop(rx, ret_chain);
	return false;
}

bool queue_take(struct vsock *v, struct tenon_chain *ret_chain)
{
	struct tenon_vq *rx = vsock_virtio->queue(v->dev, QUEUE_RX);

	if (!v->active || v->quiesced)
		return false;
	for (unsigned i = 0; i < MOST_PACKETS && vsock_virtio->pop(rx, ret_chain) > 0; i++) {
		if (ret_chain->in_bytes > HEADER_SIZE)
			return true;
		vsock_host->log(v->dev, TENON_LOG_WARN,
			"the driver gave a receive buffer that holds no packet");
		vsock_virtio->push(rx, ret_chain, 0);
		v->pushed = true;
	}
	return false;
}

void queue_put_back(struct vsock *v, const struct tenon_chain *chain)
{
	vsock_virtio->unpop(vsock_virtio->queue(v->dev, QUEUE_RX), chain);
}

void queue_send(struct vsock *v, const struct tenon_chain *chain, const struct header *header)
{
	uint8_t raw[HEADER_SIZE];

	header_encode(header, raw);
	(void)tenon_iov_from_buf(chain->in, chain->n_in, 0, raw, sizeof(raw));
	vsock_virtio->push(vsock_virtio->queue(v->dev, QUEUE_RX), chain, HEADER_SIZE + header->len);
	v->pushed = true;
}

/* ---- replies ---- */

bool queue_reply_room(const struct vsock *v)
{
	return v->n_replies < MOST_REPLIES;
}

void queue_reply(struct vsock *v, const struct header *header, const void *bytes)
{
	struct reply *r = &v->replies[(v->first_reply + v->n_replies) % MOST_REPLIES];

	if (v->n_replies == MOST_REPLIES || header->len > REPLY_BYTES)
		return;
	r->header = *header;
	if (header->len > 0)
		memcpy(r->bytes, bytes, header->len);
	v->n_replies++;
}

void queue_reset_reply(struct vsock *v, const struct header *to)
{
	struct header h = {
		.src_cid = to->dst_cid,
		.dst_cid = v->cid,
		.src_port = to->dst_port,
		.dst_port = to->src_port,
		.type = to->type,
		.op = OP_RST,
	};

	if (to->op != OP_RST)
		queue_reply(v, &h, NULL);
}

/* True when all have gone. */
static bool send_replies(struct vsock *v)
{
	struct tenon_chain chain;

	while (v->n_replies > 0) {
		const struct reply *r = &v->replies[v->first_reply];

		if (!queue_take(v, &chain))
			return false;
		if (chain.in_bytes < HEADER_SIZE + r->header.len) {
			vsock_host->log(v->dev, TENON_LOG_WARN,
				"the driver's receive buffer is too small for a reply");
			vsock_virtio->push(vsock_virtio->queue(v->dev, QUEUE_RX), &chain, 0);
			v->pushed = true;
		} else {
			(void)tenon_iov_from_buf(
				chain.in, chain.n_in, HEADER_SIZE, r->bytes, r->header.len);
			queue_send(v, &chain, &r->header);
		}
		v->first_reply = (v->first_reply + 1) % MOST_REPLIES;
		v->n_replies--;
	}
	return true;
}

static void send_packets(struct vsock *v)
{
	for (unsigned i = 0; i < MOST_PACKETS; i++) {
		struct sender *s;
		enum sent sent;

		if (!send_replies(v))
			return;
		s = v->senders.next;
		if (s == &v->senders)
			return;
		sent = s->send(v, s);
		if (sent == NO_ROOM)
			return;
		if (sent == SENT_LAST)
			continue;
		sender_remove(s);
		if (sent == SENT_MORE)
			sender_add(v, s);
	}
	vsock_soon(v);
}

/* ---- from the guest ---- */

static void refuse(struct vsock *v, const char *why)
{
	tenon_logf(vsock_host, v->dev, TENON_LOG_WARN, "a packet of the guest is dropped: %s", why);
}

static bool continues(const struct burst *b, const struct header *h)
{
	return h->op == OP_RW && h->type == TYPE_STREAM && h->dst_cid == HOST_CID &&
	       h->src_port == b->conn->guest_port && h->dst_port == b->conn->host_port;
}

/* True when the chain is part of the burst and not to be returned yet. */
static bool dispatch(struct vsock *v, const struct header *h, struct tenon_chain *chain)
{
	bool seqpacket = v->features & F_SEQPACKET, dgram = v->features & F_DGRAM;
	struct conn *c;

	if (h->type == TYPE_DGRAM && dgram && v->tsi) {
		tsi_datagram(v, h, chain);
		return false;
	}
	if (h->dst_cid != HOST_CID ||
		(h->type != TYPE_STREAM && !(h->type == TYPE_SEQPACKET && seqpacket))) {
		queue_reset_reply(v, h);
		return false;
	}
	c = conn_find(v, h->type, h->src_port, h->dst_port);
	if (c)
		return conn_packet(v, c, h, chain);
	if (h->op != OP_REQUEST)
		queue_reset_reply(v, h);
	else if (h->dst_port == TSI_DATA_PORT && v->tsi && h->type == TYPE_STREAM)
		tsi_request(v, h);
	else
		host_request(v, h);
	return false;
}

static bool packet(struct vsock *v, struct tenon_chain *chain)
{
	uint8_t raw[HEADER_SIZE];
	struct header h = { .op = OP_INVALID };
	bool whole = tenon_iov_to_buf(chain->out, chain->n_out, 0, raw, sizeof(raw)) == sizeof(raw);

	if (whole)
		header_decode(&h, raw);
	/* What is not more of the same comes after what is held. */
	if (v->burst.conn && !continues(&v->burst, &h))
		stream_end_burst(v);
	if (!whole) {
		refuse(v, "it is shorter than its header");
		return false;
	}
	if (h.src_cid != v->cid) {
		refuse(v, "its source is not the guest's address");
		return false;
	}
	if (h.len > chain->out_bytes - HEADER_SIZE || (h.len > 0 && h.op != OP_RW)) {
		refuse(v, "its length is not that of what follows");
		queue_reset_reply(v, &h);
		return false;
	}
	return dispatch(v, &h, chain);
}

static void receive(struct vsock *v)
{
	struct tenon_vq *tx = vsock_virtio->queue(v->dev, QUEUE_TX);
	struct tenon_chain chain;
	unsigned n;

	for (n = 0; n < MOST_PACKETS; n++) {
		v->tx_waits = !queue_reply_room(v);
		if (v->tx_waits || vsock_virtio->pop(tx, &chain) <= 0)
			break;
		if (packet(v, &chain))
			continue;
		stream_end_burst(v); /* chains are returned in their order */
		vsock_virtio->push(tx, &chain, 0);
	}
	stream_end_burst(v);
	if (n > 0)
		vsock_virtio->notify(tx);
	if (n == MOST_PACKETS)
		vsock_soon(v);
}

void queue_run(struct vsock *v)
{
	if (!v->active || v->quiesced)
		return;
	receive(v);
	send_packets(v);
	if (v->tx_waits && queue_reply_room(v))
		vsock_soon(v);
	if (v->pushed)
		vsock_virtio->notify(vsock_virtio->queue(v->dev, QUEUE_RX));
	v->pushed = false;
	vsock_free_dead(v);
}

void queue_reset(struct vsock *v)
{
	v->n_replies = 0;
	v->tx_waits = v->pushed = false;
}
