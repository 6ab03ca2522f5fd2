/* SPDX-License-Identifier: Apache-2.0 */
/* A queue whose one event is that the file grew. */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/event.h>
#include <time.h>
#include <unistd.h>

int watch_open(int fd)
{
	struct kevent ev;
	int queue = kqueue(), err;

	if (queue < 0)
		return -errno;
	EV_SET(&ev, fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, NOTE_EXTEND, 0, NULL);
	if (fcntl(queue, F_SETFD, FD_CLOEXEC) == 0 && kevent(queue, &ev, 1, NULL, 0, NULL) == 0)
		return queue;
	err = -errno;
	(void)close(queue);
	return err;
}

void watch_drain(int watch)
{
	const struct timespec now = { 0, 0 };
	struct kevent ev[2];

	while (kevent(watch, NULL, 0, ev, 2, &now) > 0)
		continue;
}
