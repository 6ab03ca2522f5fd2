/* SPDX-License-Identifier: Apache-2.0 */
/* The host side that is a file, which keeps what the guest writes. */
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

static int open_file(struct port *p)
{
	const int flags =
		O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (p->spec.append ? O_APPEND : 0);
	int fd = open(p->spec.path, flags | O_CREAT | O_EXCL, 0666);

	p->made = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(p->spec.path, flags);
	return fd < 0 ? -errno : fd;
}

static int attach(struct port *p)
{
	char label[PORT_LABEL_MAX];
	int ret = open_file(p);

	if (ret < 0)
		return tenon_failf(console_host, p->dev, ret, "%s: cannot open the file \"%s\": %s",
			port_label(p, label), p->spec.path, strerror(-ret));
	p->fd = ret;
	ret = stream_open(&p->stream, p, -1, p->fd, closed);
	if (ret < 0)
		return ret;
	port_host_open(p, true);
	return 0;
}

static int start(struct port *p)
{
	p->made = false; /* it is there to stay */
	if (p->stream.out_plain && !p->spec.append && ftruncate(p->fd, 0) < 0)
		return -errno;
	return 0;
}

/* One that was made for a machine that never started goes with it. */
static void detach(struct port *p)
{
	stream_close(&p->stream);
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
	if (p->made)
		(void)unlink(p->spec.path);
	p->made = false;
}

static size_t write_out(struct port *p, const void *bytes, size_t size)
{
	return stream_write(&p->stream, bytes, size);
}

static void want_input(struct port *p, bool want)
{
	stream_want_input(&p->stream, want);
}

const struct port_backend port_file = {
	.word = "file",
	.attach = attach,
	.start = start,
	.detach = detach,
	.write = write_out,
	.want_input = want_input,
};
