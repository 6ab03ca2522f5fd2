/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back end "stream": a unix stream socket on which each frame follows its length, 4 bytes in
 * network order (passt, and what else speaks so).
 *
 * The length is read first, and with each frame the length of the next, so that a frame costs one
 * call and goes straight into the guest's buffers.  A frame of which only a part is there is
 * gathered in the pair's own memory.  To the peer several frames go in one call; what it did not
 * take of the last is kept here and goes first, so that frames are never torn.  A length that no
 * frame has means that we lost step: the connection is given up and made anew.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <tenon/socket.h>

#include "net.h"

#define PREFIX     4u
#define MOST_PARTS 512u /* of one call */

struct stream {
	uint8_t prefix[PREFIX];
	unsigned n_prefix;
	size_t size; /* of the frame that comes; 0 = its length is not known */
	size_t have; /* bytes of it in the pair's memory */

	uint8_t prefixes[NET_TX_BATCH][PREFIX];
	struct iovec iov[MOST_PARTS];
	uint8_t rest[PREFIX + NET_MAX_FRAME]; /* of a frame that went in part */
	size_t rest_at, rest_size;
};

static void begin(struct stream *s)
{
	s->n_prefix = 0;
	s->size = s->have = 0;
	s->rest_at = s->rest_size = 0;
}

static int reach(struct net *n)
{
	int fd = net_socket_connect(n->path, SOCK_STREAM, NULL);

	if (fd < 0)
		return fd;
	begin(n->state);
	n->pairs[0].fd = fd;
	return 0;
}

static int stream_open(struct net *n)
{
	int ret;

	if (!n->path)
		return net_socket_adopt(n, SOCK_STREAM, SOCK_STREAM);
	ret = reach(n);
	if (ret < 0)
		return tenon_failf(net_host, n->dev, ret,
			"cannot connect to \"%s\": %s (is the peer running?)", n->path,
			strerror(-ret));
	return 0;
}

static void stream_close(struct net *n)
{
	(void)n; /* the pair's descriptor is all there is */
}

/* ---- from the peer ---- */

static ssize_t take(int fd, void *to, size_t size)
{
	ssize_t got;

	do {
		got = recv(fd, to, size, 0);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		return -EPIPE;
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	return got;
}

static ssize_t read_prefix(struct net_pair *p, struct stream *s)
{
	uint32_t size;

	if (s->n_prefix < PREFIX) {
		ssize_t got = take(p->fd, s->prefix + s->n_prefix, PREFIX - s->n_prefix);

		if (got < 0)
			return got;
		s->n_prefix += (unsigned)got;
		if (s->n_prefix < PREFIX)
			return 0;
	}
	memcpy(&size, s->prefix, PREFIX);
	size = ntohl(size);
	if (size == 0 || size > NET_MAX_FRAME)
		return -EBADMSG;
	s->n_prefix = 0;
	s->size = size;
	return 1;
}

/* Goes on with a frame of which a part is there. */
static ssize_t gather(struct net_pair *p, struct stream *s)
{
	ssize_t got = take(p->fd, p->kept + NET_HEADER + s->have, s->size - s->have);

	if (got <= 0)
		return got;
	s->have += (size_t)got;
	if (s->have == s->size) {
		p->kept_size = s->size;
		s->size = s->have = 0;
	}
	return 0;
}

static ssize_t stream_next(struct net_pair *p)
{
	struct stream *s = p->net->state;

	if (s->have > 0)
		return gather(p, s);
	if (s->size == 0) {
		ssize_t ret = read_prefix(p, s);

		if (ret <= 0)
			return ret;
	}
	return (ssize_t)s->size;
}

static ssize_t stream_read(struct net_pair *p, struct iovec *iov, unsigned n)
{
	struct stream *s = p->net->state;
	size_t size = s->size;
	ssize_t got;

	iov[n] = (struct iovec){ s->prefix, PREFIX }; /* there is room for one more */
	do {
		got = readv(p->fd, iov, (int)n + 1);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		return -EPIPE;
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	if ((size_t)got >= size) {
		s->n_prefix = (unsigned)((size_t)got - size);
		s->size = 0;
		return (ssize_t)size;
	}
	memset(p->kept, 0, NET_HEADER);
	if (iov[0].iov_base != p->kept + NET_HEADER)
		(void)tenon_iov_to_buf(iov, n, 0, p->kept + NET_HEADER, (size_t)got);
	s->have = (size_t)got;
	return 0;
}

/* ---- to the peer ---- */

static ssize_t put(int fd, const struct iovec *iov, size_t n)
{
	const struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n };
	ssize_t done;

	do {
		done = sendmsg(fd, &m, TENON_MSG_QUIET);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return errno == EAGAIN ? 0 : -errno;
	return done;
}

/* What is left of the last frame: 1 when all of it is out, 0 when the peer is full. */
static int put_rest(struct net_pair *p, struct stream *s)
{
	while (s->rest_at < s->rest_size) {
		const struct iovec v = { s->rest + s->rest_at, s->rest_size - s->rest_at };
		ssize_t done = put(p->fd, &v, 1);

		if (done < 0)
			return (int)done;
		s->rest_at += (size_t)done;
		if (done == 0) {
			p->tx_blocked = true;
			return 0;
		}
	}
	s->rest_at = s->rest_size = 0;
	return 1;
}

/* One call's worth of frames; how many, and their bytes. */
static unsigned line_up(
	struct stream *s, const struct net_frame *frames, unsigned n, size_t *ret_parts)
{
	size_t parts = 0;
	unsigned i;

	for (i = 0; i < n && parts + 1 + frames[i].n <= MOST_PARTS; i++) {
		uint32_t size = htonl((uint32_t)frames[i].size);

		memcpy(s->prefixes[i], &size, PREFIX);
		s->iov[parts++] = (struct iovec){ s->prefixes[i], PREFIX };
		for (uint32_t k = 0; k < frames[i].n; k++)
			s->iov[parts++] = frames[i].iov[k];
	}
	*ret_parts = parts;
	return i;
}

/* Keeps what did not go of frame @f, of which @done bytes went, its length included. */
static void keep_rest(struct stream *s, const struct net_frame *f, unsigned index, size_t done)
{
	memcpy(s->rest, s->prefixes[index], PREFIX);
	(void)tenon_iov_to_buf(f->iov, f->n, 0, s->rest + PREFIX, f->size);
	s->rest_at = done;
	s->rest_size = PREFIX + f->size;
}

static int stream_send(struct net_pair *p, struct net_frame *frames, unsigned n)
{
	struct stream *s = p->net->state;
	unsigned sent = 0;

	while (sent < n) {
		size_t parts, left;
		ssize_t done;
		unsigned count, i;
		int ret = put_rest(p, s);

		if (ret <= 0)
			return ret < 0 && sent == 0 ? ret : (int)sent;
		count = line_up(s, frames + sent, n - sent, &parts);
		done = put(p->fd, s->iov, parts);
		if (done < 0)
			return sent > 0 ? (int)sent : (int)done;
		if (done == 0) {
			p->tx_blocked = true;
			break;
		}
		left = (size_t)done;
		for (i = 0; i < count && left >= PREFIX + frames[sent + i].size; i++)
			left -= PREFIX + frames[sent + i].size;
		if (i < count && left > 0) {
			keep_rest(s, &frames[sent + i], i, left);
			i++;
		}
		sent += i;
	}
	if (s->rest_size > 0)
		p->tx_blocked = true; /* the rest goes when there is room, before all else */
	return (int)sent;
}

static int stream_flush(struct net_pair *p)
{
	int ret = put_rest(p, p->net->state);

	return ret < 0 ? ret : 0;
}

const struct net_backend net_stream = {
	.name = "stream",
	.state_size = sizeof(struct stream),
	.open = stream_open,
	.close = stream_close,
	.next = stream_next,
	.read = stream_read,
	.send = stream_send,
	.flush = stream_flush,
	.reconnect = reach,
};
