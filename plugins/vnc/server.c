/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that serves clients, and who comes and goes.
 *
 * libvncserver is called from here alone.  It waits with select(), so that it gets no descriptor
 * past FD_SETSIZE; it opens and listens to nothing by itself.  A client that takes nothing, or
 * stops in the middle of a message, holds the others up for as long as libvncserver waits, and is
 * thrown out then.
 */
#include "vnc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS    1000 /* for the rest of a message */
#define GREETING_S 10u  /* for a new client to say who it is */
#define SECOND_NS  1000000000ull

static uint64_t now_ns(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* ---- clients ---- */

static void set_fd(struct vnc_client *c, int fd)
{
	int before;

	(void)pthread_mutex_lock(&c->vnc->lock);
	before = c->fd;
	c->fd = fd;
	(void)pthread_mutex_unlock(&c->vnc->lock);
	if (before >= 0)
		(void)close(before);
}

static struct vnc_client *find_free(struct vnc *v)
{
	for (unsigned i = 0; i < VNC_CLIENTS; i++)
		if (!v->clients[i].rfb)
			return &v->clients[i];
	return NULL;
}

/* The descriptor becomes libvncserver's. */
static bool admit(struct vnc_client *c, int fd)
{
	int second;

	if (fd >= FD_SETSIZE)
		return false;
	second = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (second < 0)
		return false;
	set_fd(c, second);
	memset(c->held, 0, sizeof(c->held));
	c->buttons = c->x = c->y = 0;
	c->deadline_ns = now_ns() + GREETING_S * SECOND_NS;
	c->rfb = rfbNewClient(c->vnc->rfb, fd);
	if (c->rfb)
		c->rfb->clientData = c;
	else
		set_fd(c, -1);
	return true;
}

static void take_newcomer(struct vnc *v)
{
	struct vnc_client *c = find_free(v);
	int fd = accept4(v->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (!c || !admit(c, fd)) {
		tenon_logf(vnc_host, v->dev, TENON_LOG_DEBUG, "one more client is turned away");
		(void)close(fd);
	}
}

static void remove_gone(struct vnc_client *c)
{
	if (!c->rfb || c->rfb->sock >= 0)
		return;
	people_leave(c);
	rfbClientConnectionGone(c->rfb);
	c->rfb = NULL;
	set_fd(c, -1);
}

static bool is_greeting(const struct vnc_client *c)
{
	return c->rfb->state != RFB_NORMAL;
}

static void hear(struct vnc_client *c)
{
	do
		rfbProcessClientMessage(c->rfb);
	while (c->rfb->sock >= 0 && c->rfb->wsctx && webSocketsHasDataInBuffer(c->rfb));
}

/* A new size goes alone, and what is on the screen after it: nobody asks again for that. */
static void send_news(struct vnc_client *c)
{
	for (unsigned i = 0; i < 3; i++)
		if (c->rfb->sock < 0 || !rfbUpdateClient(c->rfb))
			return;
}

static void serve_client(struct vnc_client *c, short revents)
{
	if (!c->rfb)
		return;
	if (c->rfb->sock >= 0 && revents & (POLLIN | POLLHUP | POLLERR))
		hear(c);
	send_news(c);
	if (c->rfb->sock >= 0 && is_greeting(c) && now_ns() >= c->deadline_ns)
		rfbCloseClient(c->rfb);
	remove_gone(c);
}

/* ---- the thread ---- */

enum { WAKE, LISTEN, CLIENTS };

/* For how long to wait; -1 = as long as nothing comes. */
static int prepare(struct vnc *v, struct pollfd *fds)
{
	int timeout = -1;

	fds[WAKE] = (struct pollfd){ .fd = vnc_notifier->fd(v->wake), .events = POLLIN };
	fds[LISTEN] = (struct pollfd){ .fd = v->fd, .events = POLLIN };
	for (unsigned i = 0; i < VNC_CLIENTS; i++) {
		struct vnc_client *c = &v->clients[i];
		struct pollfd *p = &fds[CLIENTS + i];

		*p = (struct pollfd){ .fd = -1 };
		if (!c->rfb)
			continue;
		p->fd = c->rfb->sock;
		p->events = POLLIN;
		if (is_greeting(c))
			timeout = WAIT_MS;
	}
	return timeout;
}

static bool is_stopping(struct vnc *v)
{
	bool stopping;

	(void)pthread_mutex_lock(&v->lock);
	stopping = v->stopping;
	(void)pthread_mutex_unlock(&v->lock);
	return stopping;
}

static void *serve(void *arg)
{
	struct vnc *v = arg;
	struct pollfd fds[CLIENTS + VNC_CLIENTS];

	while (!is_stopping(v)) {
		const int timeout = prepare(v, fds);

		if (poll(fds, CLIENTS + VNC_CLIENTS, timeout) < 0)
			continue; /* interrupted */
		if (fds[WAKE].revents)
			(void)vnc_notifier->drain(v->wake);
		screen_update(v);
		for (unsigned i = 0; i < VNC_CLIENTS; i++)
			serve_client(&v->clients[i], fds[CLIENTS + i].revents);
		if (fds[LISTEN].revents)
			take_newcomer(v);
	}
	for (unsigned i = 0; i < VNC_CLIENTS; i++) {
		struct vnc_client *c = &v->clients[i];

		if (c->rfb && c->rfb->sock >= 0)
			rfbCloseClient(c->rfb);
		remove_gone(c);
	}
	return NULL;
}

/* ---- life ---- */

static void prepare_screen(struct vnc *v)
{
	rfbScreenInfoPtr s = v->rfb;

	s->screenData = v;
	s->desktopName = "Tenon";
	s->frameBuffer = (char *)v->pixels;
	s->cursor = NULL;
	s->port = s->ipv6port = s->udpPort = 0;
	s->ignoreSIGPIPE = FALSE; /* how signals are treated is the host's */
	s->maxClientWait = WAIT_MS;
	s->deferUpdateTime = s->deferPtrUpdateTime = 0;
	s->alwaysShared = TRUE;
	s->permitFileTransfer = FALSE;
	s->kbdAddEvent = people_key;
	s->ptrAddEvent = people_pointer;
	s->setDesktopSizeHook = people_resize;
	if (v->password) {
		v->passwords[0] = (char *)(uintptr_t)v->password;
		s->authPasswdData = v->passwords;
		s->passwordCheck = rfbCheckPasswordByList;
	}
	rfbInitSockets(s); /* none */
}

/* Signals are for others, but for those that a thread sends itself. */
static int spawn(struct vnc *v)
{
	sigset_t mask, before;
	int err;

	(void)sigfillset(&mask);
	(void)sigdelset(&mask, SIGSYS);
	(void)sigdelset(&mask, SIGSEGV);
	(void)sigdelset(&mask, SIGBUS);
	(void)sigdelset(&mask, SIGILL);
	(void)sigdelset(&mask, SIGFPE);
	(void)sigdelset(&mask, SIGABRT);
	(void)pthread_sigmask(SIG_SETMASK, &mask, &before);
	err = pthread_create(&v->thread, NULL, serve, v);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	v->has_thread = err == 0;
	return -err;
}

int server_start(struct vnc *v)
{
	if (v->has_thread)
		return 0;
	v->rfb = rfbGetScreen(NULL, NULL, (int)v->width, (int)v->height, 8, 3, 4);
	if (!v->rfb)
		return -ENOMEM;
	prepare_screen(v);
	return spawn(v);
}

void server_stop(struct vnc *v)
{
	if (v->has_thread) {
		(void)pthread_mutex_lock(&v->lock);
		v->stopping = true;
		for (unsigned i = 0; i < VNC_CLIENTS; i++)
			if (v->clients[i].fd >= 0) /* it may be waiting for this one */
				(void)shutdown(v->clients[i].fd, SHUT_RDWR);
		(void)pthread_mutex_unlock(&v->lock);
		vnc_notifier->signal(v->wake);
		(void)pthread_join(v->thread, NULL);
		v->has_thread = false;
	}
	if (v->rfb) {
		v->rfb->cursor = NULL; /* ours */
		rfbScreenCleanup(v->rfb);
	}
	v->rfb = NULL;
}
