/* SPDX-License-Identifier: Apache-2.0 */
/* The small things on Darwin. */
#include "core/platform.h"

#include <errno.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void platform_name_thread(const char *name)
{
	(void)pthread_setname_np(name);
}

const char *platform_getenv(const char *name)
{
	return issetugid() ? NULL : getenv(name);
}

long platform_program_path(char *to, size_t room)
{
	char path[PATH_MAX], resolved[PATH_MAX];
	uint32_t size = sizeof(path);
	size_t n;

	if (_NSGetExecutablePath(path, &size) != 0)
		return -ENAMETOOLONG;
	if (!realpath(path, resolved)) /* it may be a link, or have been called by a short way */
		return -errno;
	n = strlen(resolved);
	if (n >= room)
		return -ENAMETOOLONG;
	memcpy(to, resolved, n);
	return (long)n;
}
