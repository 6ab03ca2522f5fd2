/* SPDX-License-Identifier: Apache-2.0 */
/* What a module's file says of itself, whatever kind of file the host has for modules. */
#include "core/module_note.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "core/module.h"

bool module_read_at(int fd, void *to, size_t size, uint64_t at)
{
	return at <= INT64_MAX && pread(fd, to, size, (off_t)at) == (ssize_t)size;
}

int module_read_note(const char *path, struct tenon_note *ret_note)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe has no note either */
	int ret;

	if (fd < 0)
		return -ENOENT;
	ret = module_find_note(fd, ret_note);
	(void)close(fd);
	if (ret == 0) { /* strings from a file: end them */
		ret_note->id[sizeof(ret_note->id) - 1] = '\0';
		ret_note->version[sizeof(ret_note->version) - 1] = '\0';
		ret_note->classes[sizeof(ret_note->classes) - 1] = '\0';
	}
	return ret;
}
