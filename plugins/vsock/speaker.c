/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a guest's side of vsock; see speaker.h. */
#include "speaker.h"

#include <poll.h>

#include "vsock.h"

#define MOST_BUFFERS 128u

static struct {
	struct tk_dev *d;
	struct tk_buf *rx[MOST_BUFFERS]; /* a ring, the oldest at first */
	unsigned first, n, wanted;
	size_t size;
	struct packet last;
	struct tk_buf *tx[MOST_BUFFERS]; /* sent, and not yet freed */
	unsigned n_tx;
} speaker;

static void refill(void)
{
	bool any = false;

	while (speaker.n < speaker.wanted) {
		speaker.rx[(speaker.first + speaker.n++) % MOST_BUFFERS] =
			tk_in(speaker.d, QUEUE_RX, HEADER_SIZE + speaker.size);
		any = true;
	}
	if (any)
		tk_kick(speaker.d, QUEUE_RX);
}

void speaker_start(struct tk_dev *dev, unsigned n, size_t size)
{
	memset(&speaker, 0, sizeof(speaker));
	speaker.d = dev;
	speaker.size = size;
	speaker_buffers(n);
}

void speaker_buffers(unsigned n)
{
	speaker.wanted = n;
	refill();
}

static void free_sent(void)
{
	unsigned left = 0;

	for (unsigned i = 0; i < speaker.n_tx; i++) {
		if (tk_used_len(speaker.tx[i]) >= 0)
			tk_free(speaker.tx[i]);
		else
			speaker.tx[left++] = speaker.tx[i];
	}
	speaker.n_tx = left;
}

void speaker_raw(const struct header *h, const void *bytes, size_t size)
{
	uint8_t raw[HEADER_SIZE];
	const struct tk_part parts[] = {
		{ 0, raw, HEADER_SIZE, 0 },
		{ 0, bytes, (uint32_t)size, 0 },
	};

	header_encode(h, raw);
	if (speaker.n_tx == MOST_BUFFERS) {
		tk_run_until_idle(speaker.d);
		free_sent();
	}
	if (speaker.n_tx == MOST_BUFFERS)
		TK_FAIL("the device does not take what is sent");
	speaker.tx[speaker.n_tx++] = tk_chain(speaker.d, QUEUE_TX, parts, size ? 2 : 1);
	tk_kick(speaker.d, QUEUE_TX);
}

void speaker_send(
	struct guest_socket *g, uint16_t op, uint32_t flags, const void *bytes, uint32_t size)
{
	const struct header h = {
		.src_cid = SPEAKER_CID,
		.dst_cid = HOST_CID,
		.src_port = g->guest_port,
		.dst_port = g->host_port,
		.len = size,
		.type = g->type,
		.op = op,
		.flags = flags,
		.buf_alloc = g->buf_alloc,
		.fwd_cnt = g->fwd_cnt,
	};

	if (op == OP_RW)
		g->tx_cnt += size;
	speaker_raw(&h, bytes, size);
}

uint32_t speaker_credit(const struct guest_socket *g)
{
	return g->peer_alloc - (g->tx_cnt - g->peer_fwd);
}

bool speaker_next(struct packet *ret)
{
	struct tk_buf *b;
	long long len;

	tk_run_until_idle(speaker.d);
	free_sent();
	if (speaker.n == 0)
		return false;
	b = speaker.rx[speaker.first % MOST_BUFFERS];
	len = tk_used_len(b);
	if (len < 0)
		return false;
	TK_TRUE(len >= HEADER_SIZE);
	header_decode(&ret->h, tk_in_data(b));
	TK_EQ(ret->h.len, len - HEADER_SIZE);
	memcpy(ret->bytes, (const uint8_t *)tk_in_data(b) + HEADER_SIZE, ret->h.len);
	TK_EQ(ret->h.src_cid, HOST_CID);
	TK_EQ(ret->h.dst_cid, SPEAKER_CID);
	tk_free(b);
	speaker.first++;
	speaker.n--;
	refill();
	return true;
}

struct packet *speaker_expect(struct guest_socket *g, uint16_t op)
{
	struct packet *p = &speaker.last;

	/* Between two sockets of this machine the kernel may take its time. */
	for (unsigned i = 0; !speaker_next(p); i++)
		if (i == 2000 || poll(NULL, 0, 1) < 0)
			TK_FAIL("no packet came, wanted op %u", op);
	if (p->h.op != op)
		TK_FAIL("op %u came (%u -> %u), wanted %u", p->h.op, p->h.src_port, p->h.dst_port,
			op);
	if (g) {
		TK_EQ(p->h.type, g->type);
		TK_EQ(p->h.src_port, g->host_port);
		TK_EQ(p->h.dst_port, g->guest_port);
		g->peer_alloc = p->h.buf_alloc;
		g->peer_fwd = p->h.fwd_cnt;
		if (op == OP_RW)
			g->fwd_cnt += p->h.len;
	}
	return p;
}

void speaker_silence(void)
{
	if (speaker_next(&speaker.last))
		TK_FAIL("op %u came where nothing was wanted", speaker.last.h.op);
}

struct guest_socket speaker_connect(uint16_t type, uint32_t guest_port, uint32_t host_port)
{
	struct guest_socket g = {
		.type = type,
		.guest_port = guest_port,
		.host_port = host_port,
		.buf_alloc = 262144,
	};

	speaker_send(&g, OP_REQUEST, 0, NULL, 0);
	(void)speaker_expect(&g, OP_RESPONSE);
	return g;
}
