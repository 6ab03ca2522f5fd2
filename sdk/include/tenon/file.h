/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/file.h - opening and closing what a setting names.  Inline: nothing crosses the ABI.
 */
#ifndef TENON_FILE_H
#define TENON_FILE_H

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <tenon/plugin.h>

/*
 * Opens @path for an attach: a descriptor that no child inherits, or the negative errno, with the
 * reason recorded.  @what is for people: "the entropy source".  [main]
 */
static inline int tenon_open(const struct tenon_host *host, struct tenon_dev *dev, const char *what,
	const char *path, int flags)
{
	int fd, err;

#ifdef O_CLOEXEC /* strict standards hide it */
	flags |= O_CLOEXEC;
#endif
	fd = open(path, flags);
	err = errno;
#ifndef O_CLOEXEC
	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
	return fd >= 0 ? fd
		       : tenon_failf(host, dev, -err, "cannot open %s \"%s\": %s", what, path,
				 strerror(err));
}

/* For a detach: one that was not opened is fine. */
static inline void tenon_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

#endif
