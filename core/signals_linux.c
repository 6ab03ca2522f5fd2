/* SPDX-License-Identifier: Apache-2.0 */
/* Signals through a signalfd. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/event_loop.h"
#include "core/signals.h"

struct signals {
	const struct signals_ops *ops;
	void *opaque;
	int fd;
	sigset_t old;
	struct loop_watch *watch;
};

static void ready(void *arg, uint32_t events)
{
	struct signals *s = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			s->ops->resized(s->opaque);
		else if (info.ssi_signo != SIGUSR1)
			s->ops->stop(s->opaque);
		else if (s->ops->picture)
			s->ops->picture(s->opaque);
	}
}

int signals_create(struct event_loop *loop, const struct signals_ops *ops, void *opaque,
	struct signals **ret_signals)
{
	struct signals *s = calloc(1, sizeof(*s));
	sigset_t mine;
	int ret;

	if (!s)
		return -ENOMEM;
	s->ops = ops;
	s->opaque = opaque;
	(void)sigemptyset(&mine);
	(void)sigaddset(&mine, SIGTERM);
	(void)sigaddset(&mine, SIGINT);
	(void)sigaddset(&mine, SIGHUP);
	(void)sigaddset(&mine, SIGWINCH);
	(void)sigaddset(&mine, SIGUSR1);
	(void)pthread_sigmask(SIG_BLOCK, &mine, &s->old);
	s->fd = signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK);
	ret = s->fd < 0 ? -errno : loop_fd_add(loop, s->fd, LOOP_READ, ready, s, &s->watch);
	if (ret < 0) {
		signals_destroy(s);
		return ret;
	}
	*ret_signals = s;
	return 0;
}

int signals_fd(const struct signals *signals)
{
	return signals->fd;
}

bool signals_take_stop(struct signals *signals)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(signals->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		stop |= info.ssi_signo != SIGWINCH && info.ssi_signo != SIGUSR1;
	return stop;
}

void signals_destroy(struct signals *signals)
{
	struct signalfd_siginfo info;

	if (!signals)
		return;
	loop_fd_remove(signals->watch);
	/* One more SIGTERM while all is taken down has nothing left to ask for. */
	while (signals->fd >= 0 && read(signals->fd, &info, sizeof(info)) > 0)
		continue;
	if (signals->fd >= 0)
		(void)close(signals->fd);
	(void)pthread_sigmask(SIG_SETMASK, &signals->old, NULL);
	free(signals);
}
