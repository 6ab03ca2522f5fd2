/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing messages of vhost-user. */
#include "core/serve_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/error.h"

/* Whole is where the payload begins right behind the header. */
_Static_assert(sizeof(struct vhost_user_header) == 12, "as on the wire");

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(int) * VHOST_USER_MAX_FDS)];
};

void serve_wire_init(struct serve_wire *wire, int fd)
{
	*wire = (struct serve_wire){ .fd = fd };
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void serve_wire_next(struct serve_wire *wire)
{
	for (uint32_t i = 0; i < wire->message.n_fds; i++)
		if (wire->message.fds[i] >= 0)
			(void)close(wire->message.fds[i]);
	wire->message.n_fds = 0;
	wire->have = 0;
}

void serve_wire_close(struct serve_wire *wire)
{
	serve_wire_next(wire);
	if (wire->fd >= 0)
		(void)close(wire->fd);
	wire->fd = -1;
}

int serve_message_take_fd(struct serve_message *message, uint32_t index)
{
	int fd = index < message->n_fds ? message->fds[index] : -1;

	if (index < message->n_fds)
		message->fds[index] = -1;
	return fd;
}

/* ---- reading ---- */

/* All of them are taken, so that none is left open without an owner. */
static int take_fds(struct serve_message *m, struct msghdr *msg)
{
	bool too_many = msg->msg_flags & MSG_CTRUNC;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		const uint8_t *data = CMSG_DATA(c);
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, data + i * sizeof(int), sizeof(fd));
			if (m->n_fds < VHOST_USER_MAX_FDS) {
				m->fds[m->n_fds++] = fd;
				continue;
			}
			(void)close(fd);
			too_many = true;
		}
	}
	return too_many ? -E2BIG : 0;
}

/* Where the next bytes go, and how many are wanted. */
static struct iovec wanted(struct serve_wire *wire)
{
	struct serve_message *m = &wire->message;
	const size_t head = sizeof(m->header);

	if (wire->have < head)
		return (struct iovec){ (uint8_t *)&m->header + wire->have, head - wire->have };
	return (struct iovec){ m->payload.bytes + (wire->have - head),
		head + m->header.size - wire->have };
}

static int check_header(const struct vhost_user_header *h, struct error *err)
{
	if ((h->flags & VHOST_USER_FLAG_VERSION) != VHOST_USER_VERSION)
		return error_set(err, EXIT_HOST, -EPROTO,
			"the front end speaks version %u of the protocol, wanted %u",
			h->flags & VHOST_USER_FLAG_VERSION, VHOST_USER_VERSION);
	if (h->size > VHOST_USER_MAX_PAYLOAD)
		return error_set(err, EXIT_HOST, -EPROTO,
			"the front end sent a message of %u bytes, at most %u may be", h->size,
			VHOST_USER_MAX_PAYLOAD);
	return 0;
}

static int receive(struct serve_wire *wire, struct error *err)
{
	union control control;
	struct iovec iov = wanted(wire);
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(wire->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return -EPIPE;
	if (n < 0)
		return error_set(err, EXIT_HOST, -errno, "cannot read from the front end: %s",
			strerror(errno));
	wire->have += (size_t)n;
	if (take_fds(&wire->message, &msg) < 0)
		return error_set(err, EXIT_HOST, -E2BIG,
			"the front end sent more than %u descriptors with a message",
			VHOST_USER_MAX_FDS);
	return 1;
}

int serve_wire_read(struct serve_wire *wire, struct error *err)
{
	const struct vhost_user_header *h = &wire->message.header;

	for (;;) {
		int ret = receive(wire, err);

		if (ret <= 0)
			return ret;
		if (wire->have < sizeof(*h))
			continue;
		ret = check_header(h, err);
		if (ret < 0)
			return ret;
		if (wire->have == sizeof(*h) + h->size)
			return 1;
	}
}

/* ---- writing ---- */

int serve_send(
	int fd, uint32_t request, uint32_t flags, const void *payload, size_t size, int send_fd)
{
	struct vhost_user_header header = { request, flags | VHOST_USER_VERSION, (uint32_t)size };
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov[] = { { &header, sizeof(header) }, { (void *)(uintptr_t)payload, size } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };
	ssize_t n;

	if (send_fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &send_fd, sizeof(send_fd));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* A message is far less than a socket's buffer: a part of it is a buffer that is full. */
	return (size_t)n == sizeof(header) + size ? 0 : -EAGAIN;
}
