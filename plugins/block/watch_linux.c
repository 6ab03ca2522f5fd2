/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever writes to the file closes it again, of which inotify tells. */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

int watch_open(int fd)
{
	char path[64];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (watch < 0)
		return -errno;
	/* The file that is open, whatever has its name now. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (inotify_add_watch(watch, path, IN_CLOSE_WRITE) >= 0)
		return watch;
	(void)close(watch);
	return -ENOSPC;
}

void watch_drain(int watch)
{
	char raw[4096];

	while (read(watch, raw, sizeof(raw)) > 0)
		;
}
