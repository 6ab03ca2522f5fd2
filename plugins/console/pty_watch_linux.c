/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes to a pty and leaves it, by inotify. */
#include "pty_watch.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

int pty_watch(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), saved;

	if (fd < 0 || inotify_add_watch(fd, path, IN_OPEN | IN_CLOSE) >= 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

void pty_watch_drain(int watch)
{
	char buffer[4096];

	while (read(watch, buffer, sizeof(buffer)) > 0)
		continue;
}
