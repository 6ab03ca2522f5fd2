/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libslirp is made for a program that asks it, before each wait, which descriptors matter, and
 * tells it afterwards what happened on all of them.  The loop here keeps descriptors instead.  So
 * what happens is noted, a turn is taken once in the round of the loop (a timer that is due at once
 * runs after the descriptors of its round), and after a turn the loop's descriptors are brought in
 * line with what libslirp wants next.
 *
 * libslirp wants to be asked again after a second even when nothing goes on; that is left out once
 * a second has passed without anything.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "net_user.h"

#define IDLE_MS 1000u

static pthread_mutex_t slirp_mutex = PTHREAD_MUTEX_INITIALIZER;

void user_lock(void)
{
	(void)pthread_mutex_lock(&slirp_mutex);
}

void user_unlock(void)
{
	(void)pthread_mutex_unlock(&slirp_mutex);
}

/* ---- one socket ---- */

static void unwatch(struct user_socket *s)
{
	net_event->fd_remove(s->watch);
	s->watch = NULL;
	s->watched = 0;
}

static struct user_socket *socket_of(struct user_poll *u, int fd)
{
	return fd >= 0 && (size_t)fd < u->room ? &u->sockets[fd] : NULL;
}

static int fd_of(const void *arg)
{
	return (int)(intptr_t)arg;
}

static void happened(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct net *n = net_host->priv(dev);
	struct user_poll *u = n->state; /* the state begins with it */
	struct user_socket *s = socket_of(u, fd_of(arg));

	if (!s || !s->watch)
		return;
	if (!s->watched) {
		unwatch(s); /* a hang-up that nobody wants to know of yet */
		return;
	}
	s->happened |= events;
	u->active = true;
	user_poll_soon(u);
}

static void watch(struct user_poll *u, int fd, struct user_socket *s)
{
	int ret = 0;

	if (s->watch && s->watched == s->wanted)
		return;
	if (s->watch) {
		ret = net_event->fd_modify(s->watch, s->wanted);
		if (ret < 0)
			unwatch(s);
	}
	if (!s->watch && s->wanted)
		ret = net_event->fd_add(
			u->net->dev, fd, s->wanted, happened, (void *)(intptr_t)fd, &s->watch);
	if (ret == 0)
		s->watched = s->wanted;
	else
		tenon_logf(net_host, u->net->dev, TENON_LOG_ERR, "cannot watch a socket: error %d",
			-ret);
}

/* Room for descriptor @fd in both tables. */
static int grow(struct user_poll *u, int fd)
{
	size_t room = u->room ? u->room : 64;
	struct user_socket *sockets;
	int *live;

	while (room <= (size_t)fd)
		room *= 2;
	live = realloc(u->live, room * sizeof(*live));
	if (!live)
		return -ENOMEM;
	u->live = live;
	sockets = realloc(u->sockets, room * sizeof(*sockets));
	if (!sockets)
		return -ENOMEM;
	for (size_t i = u->room; i < room; i++)
		sockets[i] = (struct user_socket){ .watch = NULL };
	u->sockets = sockets;
	u->room = room;
	return 0;
}

/* ---- what libslirp asks ---- */

static int add_poll(int fd, int events, void *opaque)
{
	struct user_poll *u = opaque;
	struct user_socket *s;

	if (fd < 0 || ((size_t)fd >= u->room && grow(u, fd) < 0))
		return -1;
	s = &u->sockets[fd];
	if (!s->live) {
		s->live = true;
		u->live[u->n_live++] = fd;
	}
	if ((events & (SLIRP_POLL_IN | SLIRP_POLL_PRI)) && !u->paused)
		s->wanted |= TENON_FD_READ;
	if (events & SLIRP_POLL_OUT)
		s->wanted |= TENON_FD_WRITE;
	return fd;
}

static int get_revents(int index, void *opaque)
{
	struct user_poll *u = opaque;
	const struct user_socket *s = socket_of(u, index);
	int events = 0;

	if (!s)
		return 0;
	if ((s->happened & TENON_FD_READ) && !u->paused)
		events |= SLIRP_POLL_IN;
	if (s->happened & TENON_FD_WRITE)
		events |= SLIRP_POLL_OUT;
	if ((s->happened & TENON_FD_HUP) && !u->paused)
		events |= SLIRP_POLL_HUP;
	return events;
}

void user_poll_forget(struct user_poll *u, int fd)
{
	struct user_socket *s = socket_of(u, fd);

	if (!s)
		return;
	unwatch(s);
	s->wanted = s->happened = 0; /* its place in the list goes with the next turn */
}

/* ---- turns ---- */

/* Brings the loop in line; milliseconds until the next turn at the latest. */
static uint32_t ask(struct user_poll *u)
{
	uint32_t timeout = UINT32_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < u->n_live; i++)
		u->sockets[u->live[i]].wanted = u->sockets[u->live[i]].happened = 0;
	slirp_pollfds_fill(u->slirp, &timeout, add_poll, u);
	for (size_t i = 0; i < u->n_live; i++) {
		int fd = u->live[i];
		struct user_socket *s = &u->sockets[fd];

		watch(u, fd, s);
		s->live = s->watch != NULL;
		if (s->live)
			u->live[kept++] = fd;
	}
	u->n_live = kept;
	return timeout;
}

static void take_turn(struct user_poll *u)
{
	uint32_t timeout;

	user_lock();
	slirp_pollfds_poll(u->slirp, 0, get_revents, u);
	timeout = ask(u);
	user_unlock();
	net_rx_flush(&u->net->pairs[0]);
	if (timeout < IDLE_MS || u->active)
		net_event->timer_set(u->turn,
			net_clock->monotonic_ns() +
				(uint64_t)(timeout < IDLE_MS ? timeout : IDLE_MS) * 1000000);
	u->active = false;
}

static void turn_due(struct tenon_dev *dev, void *arg)
{
	struct user_poll *u = arg;

	(void)dev;
	if (u->running)
		take_turn(u);
}

void user_poll_soon(struct user_poll *u)
{
	if (u->running)
		net_event->timer_set(u->turn, net_clock->monotonic_ns());
}

void user_poll_pause(struct user_poll *u, bool on)
{
	if (u->paused == on)
		return;
	u->paused = on;
	user_poll_soon(u);
}

/* ---- life ---- */

int user_poll_init(struct user_poll *u, struct net *n)
{
	u->net = n;
	if (grow(u, 0) < 0)
		return -ENOMEM;
	return net_event->timer_add(n->dev, turn_due, u, &u->turn);
}

void user_poll_stop(struct user_poll *u)
{
	u->running = false;
	if (u->turn)
		net_event->timer_set(u->turn, 0);
	for (size_t i = 0; i < u->n_live; i++) {
		struct user_socket *s = &u->sockets[u->live[i]];

		unwatch(s);
		*s = (struct user_socket){ .watch = NULL };
	}
	u->n_live = 0;
}

void user_poll_start(struct user_poll *u)
{
	u->running = true;
	u->active = true;
	user_poll_soon(u);
}

void user_poll_finish(struct user_poll *u)
{
	user_poll_stop(u);
	net_event->timer_remove(u->turn);
	u->turn = NULL;
	free(u->sockets);
	free(u->live);
	u->sockets = NULL;
	u->live = NULL;
	u->room = u->n_live = 0;
}
