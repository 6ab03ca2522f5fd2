/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back end "user": a network of its own for the guest, made in this process by libslirp, for which
 * no rights are needed: DHCP, DNS and NAT, and ports of the host that lead to the guest.
 *
 * libslirp hands frames over one by one and cannot be told to wait.  Those for which the guest has
 * no room go into a queue of fixed size, and as long as something is in it nothing more is read
 * from the host's sockets: the senders wait there.  What does not fit into the queue either is lost
 * and counted.  Frames of the guest are copied once, so that what libslirp looks at does not change
 * under it.
 */
#include "net_user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES ((size_t)512 * 1024)
#define RA_TIMERS   4u

/* A timer of libslirp's; it has one, for router advertisements. */
struct user_timer {
	struct tenon_timer *timer;
	struct user *user;
	SlirpTimerId id;
	void *arg;
	uint64_t deadline_ns; /* kept while the device stands still */
	bool used;
};

struct user {
	struct user_poll poll; /* first: net->state is both */
	struct net *net;
	uint8_t *queue; /* QUEUE_BYTES: sizes as size_t, each before its frame */
	size_t from, to;
	struct user_timer timers[RA_TIMERS];
	bool out_of_timers;
};

/* ---- the queue ---- */

static void enqueue(struct user *u, const void *frame, size_t size)
{
	size_t need = sizeof(size) + size;

	if (u->from == u->to)
		u->from = u->to = 0;
	if (QUEUE_BYTES - u->to < need && u->from > 0) {
		memmove(u->queue, u->queue + u->from, u->to - u->from);
		u->to -= u->from;
		u->from = 0;
	}
	if (QUEUE_BYTES - u->to < need) {
		net_drop(u->net, DROP_RX_FULL);
		return;
	}
	memcpy(u->queue + u->to, &size, sizeof(size));
	memcpy(u->queue + u->to + sizeof(size), frame, size);
	u->to += need;
}

static void user_receive(struct net_pair *p)
{
	struct user *u = p->net->state;

	while (u->from < u->to) {
		size_t size;

		memcpy(&size, u->queue + u->from, sizeof(size));
		if (!net_rx_frame(p, u->queue + u->from + sizeof(size), size))
			break;
		u->from += sizeof(size) + size;
	}
	net_rx_flush(p);
	user_poll_pause(&u->poll, u->from < u->to);
}

/* ---- what libslirp calls ---- */

static ssize_t send_packet(const void *frame, size_t size, void *opaque)
{
	struct user *u = opaque;

	if (u->from < u->to || !net_rx_frame(&u->net->pairs[0], frame, size)) {
		enqueue(u, frame, size);
		user_poll_pause(&u->poll, true);
	}
	return (ssize_t)size;
}

static void guest_error(const char *text, void *opaque)
{
	const struct user *u = opaque;

	net_host->log(u->net->dev, TENON_LOG_DEBUG, text);
}

static int64_t clock_get_ns(void *opaque)
{
	(void)opaque;
	return (int64_t)net_clock->monotonic_ns();
}

static void timer_expired(struct tenon_dev *dev, void *arg)
{
	struct user_timer *t = arg;

	(void)dev;
	t->deadline_ns = 0;
	user_lock();
	slirp_handle_timer(t->user->poll.slirp, t->id, t->arg);
	user_unlock();
	net_rx_flush(&t->user->net->pairs[0]);
	user_poll_soon(&t->user->poll);
}

static void *timer_new(SlirpTimerId id, void *arg, void *opaque)
{
	struct user *u = opaque;

	for (unsigned i = 0; i < RA_TIMERS; i++) {
		struct user_timer *t = &u->timers[i];

		if (t->used)
			continue;
		if (net_event->timer_add(u->net->dev, timer_expired, t, &t->timer) < 0)
			break;
		t->used = true;
		t->user = u;
		t->id = id;
		t->arg = arg;
		return t;
	}
	u->out_of_timers = true;
	return NULL;
}

static void timer_free(void *timer, void *opaque)
{
	struct user_timer *t = timer;

	(void)opaque;
	if (!t)
		return;
	net_event->timer_remove(t->timer);
	*t = (struct user_timer){ .timer = NULL };
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
	struct user_timer *t = timer;
	const struct user *u = opaque;

	if (!t)
		return;
	t->deadline_ns = expire_ms > 0 ? (uint64_t)expire_ms * 1000000 : 1;
	if (u->poll.running)
		net_event->timer_set(t->timer, t->deadline_ns);
}

static void register_fd(int fd, void *opaque)
{
	struct user *u = opaque;

	user_poll_forget(&u->poll, fd); /* a number that comes again is another socket */
}

static void unregister_fd(int fd, void *opaque)
{
	struct user *u = opaque;

	user_poll_forget(&u->poll, fd);
}

static void notify(void *opaque)
{
	struct user *u = opaque;

	user_poll_soon(&u->poll);
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_get_ns,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = register_fd,
	.unregister_poll_fd = unregister_fd,
	.notify = notify,
	.timer_new_opaque = timer_new,
};

/* ---- life ---- */

static int user_check(const struct net *n)
{
	struct user_conf conf;
	struct user_forward forward;
	int ret = user_conf_read(n, &conf);

	for (uint32_t i = 0; ret == 0 && i < n->n_forwards; i++)
		ret = user_forward_read(n, n->forwards[i], &forward);
	return ret;
}

static int add_forward(struct net *n, const char *text)
{
	const struct user *u = n->state;
	struct user_forward f;
	int ret = user_forward_read(n, text, &f);

	if (ret < 0)
		return ret;
	errno = 0;
	if (slirp_add_hostfwd(u->poll.slirp, f.udp, f.host, f.host_port, f.guest, f.guest_port) <
		0) {
		ret = errno ? -errno : -EADDRINUSE;
		return tenon_failf(
			net_host, n->dev, ret, "cannot forward \"%s\": %s", text, strerror(-ret));
	}
	return 0;
}

static int make_network(struct net *n)
{
	struct user *u = n->state;
	struct user_conf c;
	SlirpConfig s = { .version = 4 };
	int ret = user_conf_read(n, &c);

	if (ret < 0)
		return ret;
	s.restricted = n->restricted;
	s.in_enabled = true;
	s.vnetwork = c.network;
	s.vnetmask = c.mask;
	s.vhost = c.host;
	s.vnameserver = c.dns;
	s.vdhcp_start = c.dhcp;
	s.vhostname = n->hostname;
	s.in6_enabled = n->ipv6;
	s.vprefix_len = 64;
	(void)inet_pton(AF_INET6, "fd00::", &s.vprefix_addr6);
	(void)inet_pton(AF_INET6, "fd00::2", &s.vhost6);
	(void)inet_pton(AF_INET6, "fd00::3", &s.vnameserver6);
	s.if_mtu = s.if_mru = n->mtu ? n->mtu : NET_MTU;
	s.disable_host_loopback = !n->loopback;
	user_lock();
	u->poll.slirp = slirp_new(&s, &callbacks, u);
	user_unlock();
	if (u->out_of_timers)
		return net_host->fail(n->dev, -ENOMEM, "no timer for the network");
	if (!u->poll.slirp)
		return net_host->fail(n->dev, -EINVAL, "libslirp refuses these settings");
	return 0;
}

static int user_open(struct net *n)
{
	struct user *u = n->state;
	int ret = user_poll_init(&u->poll, n);

	u->net = n;
	u->queue = malloc(QUEUE_BYTES);
	if (ret < 0 || !u->queue)
		return net_host->fail(n->dev, -ENOMEM, "no memory for the network");
	ret = make_network(n);
	for (uint32_t i = 0; ret == 0 && i < n->n_forwards; i++)
		ret = add_forward(n, n->forwards[i]);
	return ret;
}

static void user_close(struct net *n)
{
	struct user *u = n->state;

	if (u->poll.slirp) {
		user_lock();
		slirp_cleanup(u->poll.slirp);
		user_unlock();
	}
	u->poll.slirp = NULL;
	for (unsigned i = 0; i < RA_TIMERS; i++)
		if (u->timers[i].used)
			timer_free(&u->timers[i], u);
	user_poll_finish(&u->poll);
	free(u->queue);
	u->queue = NULL;
}

static void user_run(struct net *n)
{
	struct user *u = n->state;

	user_poll_start(&u->poll);
	for (unsigned i = 0; i < RA_TIMERS; i++)
		if (u->timers[i].used && u->timers[i].deadline_ns)
			net_event->timer_set(u->timers[i].timer, u->timers[i].deadline_ns);
}

static void user_stop(struct net *n)
{
	struct user *u = n->state;

	user_poll_stop(&u->poll);
	for (unsigned i = 0; i < RA_TIMERS; i++)
		if (u->timers[i].used)
			net_event->timer_set(u->timers[i].timer, 0);
	if (!n->active) {
		u->from = u->to = 0; /* the driver is gone */
		u->poll.paused = false;
	}
}

static int user_send(struct net_pair *p, struct net_frame *frames, unsigned n)
{
	struct user *u = p->net->state;

	user_lock();
	for (unsigned i = 0; i < n; i++) {
		if (frames[i].iov[0].iov_base != p->flat)
			(void)tenon_iov_to_buf(
				frames[i].iov, frames[i].n, 0, p->flat, frames[i].size);
		slirp_input(u->poll.slirp, p->flat, (int)frames[i].size);
	}
	user_unlock();
	u->poll.active = true;
	user_poll_soon(&u->poll);
	return (int)n;
}

const struct net_backend net_user = {
	.name = "user",
	.state_size = sizeof(struct user),
	.check = user_check,
	.open = user_open,
	.close = user_close,
	.run = user_run,
	.stop = user_stop,
	.receive = user_receive,
	.send = user_send,
};
