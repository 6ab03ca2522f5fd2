/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host side that is two named pipes, PATH.in to the guest and PATH.out from it.
 *
 * Each is opened for both directions, as Linux allows: so there is no end when those at the other
 * side come and go, and what the guest writes waits in the pipe, and then in the guest, for a
 * reader.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"

static void closed(struct port *p)
{
	(void)p; /* our own ends keep both open */
}

static int refuse(struct port *p, int err, const char *path, const char *suffix)
{
	char label[PORT_LABEL_MAX];

	return tenon_failf(console_host, p->dev, err, "%s: cannot open the pipe \"%s%s\": %s",
		port_label(p, label), path, suffix,
		err == -ENOTSUP ? "it is there and no pipe" : strerror(-err));
}

static int open_pipe(struct port *p, const char *suffix, bool *ret_made)
{
	char path[PATH_MAX];
	struct stat st;
	int fd = -1, err = 0;

	if (snprintf(path, sizeof(path), "%s%s", p->spec.path, suffix) >= PATH_MAX)
		return refuse(p, -ENAMETOOLONG, p->spec.path, suffix);
	*ret_made = mkfifo(path, 0600) == 0;
	if (!*ret_made && errno != EEXIST)
		err = -errno;
	if (err == 0) {
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		err = fd < 0 ? -errno : 0;
	}
	if (err == 0 && (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)))
		err = -ENOTSUP;
	if (err == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return refuse(p, err, p->spec.path, suffix);
}

static int attach(struct port *p)
{
	int ret = open_pipe(p, ".in", &p->made);

	if (ret < 0)
		return ret;
	p->fd = ret;
	ret = open_pipe(p, ".out", &p->made_other);
	if (ret < 0)
		return ret;
	p->other_fd = ret;
	ret = stream_open(&p->stream, p, p->fd, p->other_fd, closed);
	if (ret < 0)
		return ret;
	port_host_open(p, true);
	return 0;
}

static void remove_pipe(const struct port *p, const char *suffix)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s%s", p->spec.path, suffix);
	(void)unlink(path);
}

static void detach(struct port *p)
{
	stream_close(&p->stream);
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->other_fd >= 0)
		(void)close(p->other_fd);
	p->fd = p->other_fd = -1;
	if (p->made)
		remove_pipe(p, ".in");
	if (p->made_other)
		remove_pipe(p, ".out");
	p->made = p->made_other = false;
}

static size_t write_out(struct port *p, const void *bytes, size_t size)
{
	return stream_write(&p->stream, bytes, size);
}

static void want_input(struct port *p, bool want)
{
	stream_want_input(&p->stream, want);
}

const struct port_backend port_pipe = {
	.word = "pipe",
	.attach = attach,
	.detach = detach,
	.write = write_out,
	.want_input = want_input,
};
