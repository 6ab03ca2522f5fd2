/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over the socket, each until a deadline: nobody waits for a peer for ever. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

#define HEAD sizeof(struct vhost_user_header)

int64_t wire_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_events(struct pollfd *fds, nfds_t n, int64_t deadline_ms)
{
	for (;;) {
		int64_t left = deadline_ms - wire_now_ms();
		int ret = poll(fds, n, left > 0 ? (int)left : 0);

		if (ret > 0)
			return 0;
		if (ret < 0 && errno != EINTR)
			return -errno;
		if (left <= 0)
			return -ETIMEDOUT;
	}
}

int wire_wait(int a, int b, int64_t deadline_ms)
{
	struct pollfd fds[2] = { { a, POLLIN, 0 }, { b, POLLIN, 0 } };
	int ret = wait_events(fds, 2, deadline_ms);

	if (ret < 0)
		return ret;
	return fds[1].revents ? 1 : 0; /* the second goes first: the first may wait for it */
}

static int failed(int err, const char **ret_why)
{
	*ret_why =
		err == EPIPE || err == ECONNRESET ? "it has closed the connection" : strerror(err);
	return -err;
}

/* ---- sending ---- */

static void put_fds(struct msghdr *m, void *room, size_t size, const int *fds, unsigned n)
{
	struct cmsghdr *c;

	memset(room, 0, size);
	m->msg_control = room;
	m->msg_controllen = CMSG_SPACE(n * sizeof(int));
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
}

int wire_send(int fd, const struct wire_msg *msg, int64_t deadline_ms, const char **ret_why)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(msg->fds))];
	} control;
	uint8_t bytes[sizeof(msg->head) + sizeof(msg->p)];
	size_t size = HEAD + msg->head.size, done = 0;

	memcpy(bytes, &msg->head, HEAD);
	memcpy(bytes + HEAD, &msg->p, msg->head.size);
	while (done < size) {
		struct iovec iov = { bytes + done, size - done };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
		struct pollfd wait = { fd, POLLOUT, 0 };
		ssize_t n;

		if (done == 0 && msg->n_fds > 0)
			put_fds(&m, control.room, sizeof(control.room), msg->fds, msg->n_fds);
		n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			return failed(errno, ret_why);
		else if (wait_events(&wait, 1, deadline_ms) < 0)
			return failed(ETIMEDOUT, ret_why);
	}
	return 0;
}

/* ---- receiving ---- */

/* Takes every descriptor that came, so that none is left open; false when there are too many. */
static int take_fds(struct msghdr *m, struct wire_msg *msg)
{
	int fine = !(m->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (msg->n_fds < VHOST_USER_MAX_FDS) {
				msg->fds[msg->n_fds++] = fd;
				continue;
			}
			(void)close(fd);
			fine = 0;
		}
	}
	return fine;
}

static int receive_part(int fd, struct wire_msg *msg, void *to, size_t size, int64_t deadline_ms,
	const char **ret_why)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(msg->fds))];
	} control;
	size_t done = 0;

	while (done < size) {
		struct iovec iov = { (uint8_t *)to + done, size - done };
		struct msghdr m = { .msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.room,
			.msg_controllen = sizeof(control.room) };
		ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n > 0 && !take_fds(&m, msg)) {
			*ret_why = "it sent more descriptors than a message has";
			return -EPROTO;
		}
		if (n > 0)
			done += (size_t)n;
		else if (n == 0)
			return failed(ECONNRESET, ret_why);
		else if (errno != EAGAIN && errno != EINTR)
			return failed(errno, ret_why);
		else if (wire_wait(fd, -1, deadline_ms) < 0) {
			*ret_why = "it did not answer in time";
			return -ETIMEDOUT;
		}
	}
	return 0;
}

int wire_receive(int fd, struct wire_msg *msg, int64_t deadline_ms, const char **ret_why)
{
	int ret;

	memset(msg, 0, sizeof(*msg));
	ret = receive_part(fd, msg, &msg->head, HEAD, deadline_ms, ret_why);
	if (ret == 0 && (*ret_why = wire_check_header(&msg->head)))
		ret = -EPROTO;
	if (ret == 0)
		ret = receive_part(fd, msg, &msg->p, msg->head.size, deadline_ms, ret_why);
	if (ret < 0)
		wire_drop_fds(msg);
	return ret;
}
