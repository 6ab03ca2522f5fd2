/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back end "dgram": each datagram of a unix socket is a frame (gvproxy, vfkit, socket pairs).
 *
 * With a path we bind a name of our own beside it, because the peer answers to where a datagram
 * came from; with `handshake = "vfkit"` the first one says who we are.  A datagram longer than the
 * MTU allows is lost and counted.  SOCK_SEQPACKET does as well, and has an end.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tenon/socket.h>

#include "batch.h"
#include "net.h"

_Static_assert(NET_RX_BATCH <= NET_TX_BATCH, "the messages serve both directions");

#define PATIENCE_MS 1000
#define RETRY_NS    1000000u /* after ENOBUFS, which no event ends */

struct dgram {
	char own_path[108];
	bool bound, ends;
	struct batch_message messages[NET_TX_BATCH]; /* of either direction */
	struct tenon_timer *timer;
};

/* Says who we are.  A peer that is busy is waited for when the machine is made, and only then. */
static int shake_hands(const struct net *n, int fd)
{
	static const char magic[4] = { 'V', 'F', 'K', 'T' };
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (send(fd, magic, sizeof(magic), TENON_MSG_QUIET) < 0) {
		int err = -errno;

		if (err != -EAGAIN || n->lost || poll(&p, 1, PATIENCE_MS) <= 0)
			return err;
	}
	return 0;
}

static int reach(struct net *n)
{
	struct dgram *d = n->state;
	int fd = net_socket_connect(n->path, SOCK_DGRAM, d->own_path), ret = 0;

	if (fd < 0)
		return fd;
	d->bound = true;
	if (n->vfkit)
		ret = shake_hands(n, fd);
	if (ret < 0) {
		(void)close(fd);
		return ret;
	}
	n->pairs[0].fd = fd;
	return 0;
}

static int open_path(struct net *n)
{
	struct dgram *d = n->state;
	int size = snprintf(d->own_path, sizeof(d->own_path), "%s.%ld-%s", n->path, (long)getpid(),
		net_host->name(n->dev));
	int ret;

	if (size < 0 || (size_t)size >= sizeof(d->own_path))
		return tenon_failf(net_host, n->dev, -ENAMETOOLONG,
			"the path \"%s\" is too long for a socket", n->path);
	ret = reach(n);
	if (ret < 0)
		return tenon_failf(net_host, n->dev, ret, "cannot reach a peer at \"%s\": %s",
			n->path, strerror(-ret));
	return 0;
}

static void wait_is_over(struct tenon_dev *dev, void *arg)
{
	(void)dev;
	net_tx_run(arg);
}

static int dgram_open(struct net *n)
{
	struct dgram *d = n->state;
	int type = SOCK_DGRAM, ret;
	socklen_t size = sizeof(type);

	n->max_frame = (n->mtu ? n->mtu : NET_MTU) + NET_ETHERNET + NET_VLAN;
	ret = net_event->timer_add(n->dev, wait_is_over, &n->pairs[0], &d->timer);
	if (ret < 0)
		return net_host->fail(n->dev, ret, "no timer for the socket");
	ret = n->path ? open_path(n) : net_socket_adopt(n, SOCK_DGRAM, SOCK_SEQPACKET);
	if (ret == 0)
		(void)getsockopt(n->pairs[0].fd, SOL_SOCKET, SO_TYPE, &type, &size);
	d->ends = type == SOCK_SEQPACKET;
	return ret;
}

static void dgram_close(struct net *n)
{
	struct dgram *d = n->state;

	net_event->timer_remove(d->timer);
	d->timer = NULL;
	if (d->bound)
		(void)unlink(d->own_path);
	d->bound = false;
}

static void dgram_stop(struct net *n)
{
	const struct dgram *d = n->state;

	net_event->timer_set(d->timer, 0);
}

static ssize_t dgram_next(struct net_pair *p)
{
	return (ssize_t)p->net->max_frame;
}

static ssize_t dgram_read(struct net_pair *p, struct iovec *iov, unsigned n)
{
	const struct dgram *d = p->net->state;
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = n };
	ssize_t got;

	do {
		got = recvmsg(p->fd, &m, MSG_TRUNC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (m.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	if (got == 0)
		return d->ends ? -EPIPE : -EMSGSIZE; /* an empty datagram is no frame */
	return got;
}

static int dgram_read_many(
	struct net_pair *p, const struct net_slice *slices, unsigned n, ssize_t *sizes)
{
	struct dgram *d = p->net->state;
	int got;

	for (unsigned i = 0; i < n; i++)
		d->messages[i].head =
			(struct msghdr){ .msg_iov = slices[i].iov, .msg_iovlen = slices[i].n };
	do {
		got = batch_receive(p->fd, d->messages, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (int i = 0; i < got; i++) {
		unsigned size = d->messages[i].size;
		bool cut = d->messages[i].head.msg_flags & MSG_TRUNC;

		if (size == 0 && d->ends)
			return i > 0 ? i : -EPIPE;
		sizes[i] = size == 0 || cut || size > p->net->max_frame ? -EMSGSIZE : (ssize_t)size;
	}
	return got;
}

/* 0: it is to be dropped; 1: wait; else the peer is gone. */
static int judge(struct net_pair *p, int err)
{
	const struct dgram *d = p->net->state;

	switch (err) {
	case EAGAIN:
		p->tx_blocked = true;
		return 1;
	case ENOBUFS:
	case ENOMEM:
		net_event->timer_set(d->timer, net_clock->monotonic_ns() + RETRY_NS);
		return 1;
	case EMSGSIZE:
	case EINVAL:
		net_drop(p->net, DROP_TX_REFUSED);
		return 0;
	default:
		return -err;
	}
}

static int dgram_send(struct net_pair *p, struct net_frame *frames, unsigned n)
{
	struct dgram *d = p->net->state;
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		d->messages[i].head =
			(struct msghdr){ .msg_iov = frames[i].iov, .msg_iovlen = frames[i].n };
	while (done < n) {
		int ret = batch_send(p->fd, d->messages + done, n - done);

		if (ret > 0) {
			done += (unsigned)ret;
			continue;
		}
		if (errno == EINTR)
			continue;
		ret = judge(p, errno);
		if (ret == 0) {
			done++;
			continue;
		}
		/* What went before it is sent; the next call finds the peer gone again. */
		return ret > 0 || done > 0 ? (int)done : ret;
	}
	return (int)done;
}

const struct net_backend net_dgram = {
	.name = "dgram",
	.state_size = sizeof(struct dgram),
	.open = dgram_open,
	.close = dgram_close,
	.stop = dgram_stop,
	.next = dgram_next,
	.read = dgram_read,
	.read_many = dgram_read_many,
	.send = dgram_send,
	.reconnect = reach,
};
