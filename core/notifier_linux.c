/* SPDX-License-Identifier: Apache-2.0 */
/* Notifiers on eventfd. */
#include "core/notifier.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct tenon_notifier {
	int fd;
};

int notifier_create(struct tenon_notifier **ret_notifier)
{
	struct tenon_notifier *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	n->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n->fd < 0) {
		err = -errno;
		free(n);
		return err;
	}
	*ret_notifier = n;
	return 0;
}

void notifier_destroy(struct tenon_notifier *notifier)
{
	if (!notifier)
		return;
	(void)close(notifier->fd);
	free(notifier);
}

int notifier_fd(const struct tenon_notifier *notifier)
{
	return notifier->fd;
}

void notifier_signal(struct tenon_notifier *notifier)
{
	uint64_t one = 1;

	/* Only EAGAIN is possible: the counter is full, the reader will wake. */
	if (write(notifier->fd, &one, sizeof(one)) < 0)
		return;
}

bool notifier_drain(struct tenon_notifier *notifier)
{
	uint64_t count;

	return read(notifier->fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}
