/* SPDX-License-Identifier: Apache-2.0 */
/* The small things on Linux. */
#include "core/platform.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

void platform_name_thread(const char *name)
{
	(void)pthread_setname_np(pthread_self(), name);
}

const char *platform_getenv(const char *name)
{
	return secure_getenv(name);
}

long platform_program_path(char *to, size_t room)
{
	ssize_t n = readlink("/proc/self/exe", to, room);

	if (n < 0)
		return -errno;
	return (size_t)n == room ? -ENAMETOOLONG : n;
}
