/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifiers on pipes, where there are no eventfds.  A full pipe has been signalled often enough;
 * who drains takes all that is in it.
 */
#include "core/notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct tenon_notifier {
	int ends[2]; /* to read from, to write to */
};

static int prepare(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

int notifier_create(struct tenon_notifier **ret_notifier)
{
	struct tenon_notifier *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	if (pipe(n->ends) < 0) {
		err = -errno;
		free(n);
		return err;
	}
	err = prepare(n->ends[0]);
	if (err == 0)
		err = prepare(n->ends[1]);
	if (err < 0) {
		notifier_destroy(n);
		return err;
	}
	*ret_notifier = n;
	return 0;
}

void notifier_destroy(struct tenon_notifier *notifier)
{
	if (!notifier)
		return;
	(void)close(notifier->ends[0]);
	(void)close(notifier->ends[1]);
	free(notifier);
}

int notifier_fd(const struct tenon_notifier *notifier)
{
	return notifier->ends[0];
}

void notifier_signal(struct tenon_notifier *notifier)
{
	/* Only EAGAIN is possible: the pipe is full, the reader will wake. */
	if (write(notifier->ends[1], "", 1) < 0)
		return;
}

bool notifier_drain(struct tenon_notifier *notifier)
{
	char bytes[512];
	bool any = false;
	ssize_t n;

	/* A pipe that gave less than it was asked for is empty. */
	do {
		n = read(notifier->ends[0], bytes, sizeof(bytes));
		any |= n > 0;
	} while (n == (ssize_t)sizeof(bytes));
	return any;
}
