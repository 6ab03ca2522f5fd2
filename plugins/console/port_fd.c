/* SPDX-License-Identifier: Apache-2.0 */
/* The host side that is a descriptor, or two, which whoever started tenon left open for it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

static void closed(struct port *p)
{
	stream_close(&p->stream);
	port_host_open(p, false);
}

/* A copy of ours; the original stays open and stays as it was, but for O_NONBLOCK, which they
 * share. */
static int take(struct port *p, int number, int *ret_fd)
{
	char label[PORT_LABEL_MAX];
	int fd, flags;

	if (number < 0)
		return 0;
	fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
	flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		int err = -errno;

		if (fd >= 0)
			(void)close(fd);
		return tenon_failf(console_host, p->dev, err,
			"%s: descriptor %d cannot be used: %s", port_label(p, label), number,
			strerror(-err));
	}
	*ret_fd = fd;
	return 0;
}

static int attach(struct port *p)
{
	const struct port_spec *spec = &p->spec;
	int ret = take(p, spec->in_fd, &p->fd);

	if (ret == 0 && spec->out_fd != spec->in_fd)
		ret = take(p, spec->out_fd, &p->other_fd);
	if (ret < 0)
		return ret;
	ret = stream_open(
		&p->stream, p, p->fd, spec->out_fd == spec->in_fd ? p->fd : p->other_fd, closed);
	if (ret < 0)
		return ret;
	port_host_open(p, true);
	return 0;
}

static void detach(struct port *p)
{
	stream_close(&p->stream);
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->other_fd >= 0)
		(void)close(p->other_fd);
	p->fd = p->other_fd = -1;
}

static size_t write_out(struct port *p, const void *bytes, size_t size)
{
	return stream_write(&p->stream, bytes, size);
}

static void want_input(struct port *p, bool want)
{
	stream_want_input(&p->stream, want);
}

const struct port_backend port_fd = {
	.word = "fd",
	.attach = attach,
	.detach = detach,
	.write = write_out,
	.want_input = want_input,
};
