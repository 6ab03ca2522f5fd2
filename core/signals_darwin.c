/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals by a thread that waits for them, where there is no signalfd: each becomes a byte in a
 * pipe.  The thread ends with a signal too, SIGURG, which is sent to it alone.
 */
#include "core/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/event_loop.h"

struct signals {
	const struct signals_ops *ops;
	void *opaque;
	int ends[2]; /* to read from, to write to */
	sigset_t mine, old;
	pthread_t thread;
	bool has_thread;
	struct loop_watch *watch;
};

static void *signals_main(void *arg)
{
	struct signals *s = arg;
	sigset_t wanted = s->mine;
	int number;

	(void)sigaddset(&wanted, SIGURG);
	while (sigwait(&wanted, &number) == 0 && number != SIGURG) {
		const unsigned char byte = (unsigned char)number;

		/* Of a full pipe nothing more is to be learnt. */
		if (write(s->ends[1], &byte, 1) < 0)
			continue;
	}
	return NULL;
}

static void ready(void *arg, uint32_t events)
{
	struct signals *s = arg;
	unsigned char number;

	(void)events;
	while (read(s->ends[0], &number, 1) == 1) {
		if (number == SIGWINCH)
			s->ops->resized(s->opaque);
		else if (number != SIGUSR1)
			s->ops->stop(s->opaque);
		else if (s->ops->picture)
			s->ops->picture(s->opaque);
	}
}

static int make_pipe(int ends[2])
{
	if (pipe(ends) < 0) {
		ends[0] = ends[1] = -1;
		return -errno;
	}
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) < 0 ||
			fcntl(ends[i], F_SETFL, O_NONBLOCK) < 0)
			return -errno;
	return 0;
}

static int start_thread(struct signals *s)
{
	sigset_t all, before;
	int ret;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = -pthread_create(&s->thread, NULL, signals_main, s);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->has_thread = ret == 0;
	return ret;
}

int signals_create(struct event_loop *loop, const struct signals_ops *ops, void *opaque,
	struct signals **ret_signals)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGWINCH, SIGUSR1 };
	struct signals *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return -ENOMEM;
	s->ops = ops;
	s->opaque = opaque;
	(void)sigemptyset(&s->mine);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaddset(&s->mine, numbers[i]);
	(void)pthread_sigmask(SIG_BLOCK, &s->mine, &s->old);
	ret = make_pipe(s->ends);
	if (ret == 0)
		ret = loop_fd_add(loop, s->ends[0], LOOP_READ, ready, s, &s->watch);
	if (ret == 0)
		ret = start_thread(s);
	if (ret < 0) {
		signals_destroy(s);
		return ret;
	}
	*ret_signals = s;
	return 0;
}

int signals_fd(const struct signals *signals)
{
	return signals->ends[0];
}

bool signals_take_stop(struct signals *signals)
{
	unsigned char number;
	bool stop = false;

	while (read(signals->ends[0], &number, 1) == 1)
		stop |= number != SIGWINCH && number != SIGUSR1;
	return stop;
}

/* One more SIGTERM while all is taken down has nothing left to ask for. */
static void drop_pending(const sigset_t *mine)
{
	sigset_t pending;
	int number;

	for (int i = 1; i < NSIG; i++)
		if (sigismember(mine, i) == 1 && sigpending(&pending) == 0 &&
			sigismember(&pending, i) == 1) {
			sigset_t one;

			(void)sigemptyset(&one);
			(void)sigaddset(&one, i);
			(void)sigwait(&one, &number);
		}
}

void signals_destroy(struct signals *signals)
{
	if (!signals)
		return;
	loop_fd_remove(signals->watch);
	if (signals->has_thread) {
		(void)pthread_kill(signals->thread, SIGURG);
		(void)pthread_join(signals->thread, NULL);
	}
	drop_pending(&signals->mine);
	for (int i = 0; i < 2; i++)
		if (signals->ends[i] >= 0)
			(void)close(signals->ends[i]);
	(void)pthread_sigmask(SIG_SETMASK, &signals->old, NULL);
	free(signals);
}
