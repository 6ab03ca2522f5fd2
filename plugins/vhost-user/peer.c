/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers. */
#include "peer.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BIT(n) (1ull << (n))

/* What this front end makes use of. */
#define OWN_PROTOCOL                                                                               \
	(BIT(VHOST_USER_PROTOCOL_F_MQ) | BIT(VHOST_USER_PROTOCOL_F_REPLY_ACK) |                    \
		BIT(VHOST_USER_PROTOCOL_F_BACKEND_REQ) | BIT(VHOST_USER_PROTOCOL_F_CONFIG) |       \
		BIT(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD) |                                        \
		BIT(VHOST_USER_PROTOCOL_F_RESET_DEVICE) |                                          \
		BIT(VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS) |                                   \
		BIT(VHOST_USER_PROTOCOL_F_STATUS))

void peer_init(struct peer *p, int timeout_ms)
{
	*p = (struct peer){ .fd = -1, .back = -1, .timeout_ms = timeout_ms };
}

int peer_fail(struct peer *p, int err, const char *format, ...)
{
	va_list args;

	p->has_stalled |= err == -ETIMEDOUT;
	if (p->why[0])
		return err;
	va_start(args, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, a line above */
	(void)vsnprintf(p->why, sizeof(p->why), format, args);
	va_end(args);
	return err;
}

/* ---- connections ---- */

void peer_close(struct peer *p)
{
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->back >= 0)
		(void)close(p->back);
	p->fd = p->back = -1;
	p->protocol = 0;
}

void peer_begin(struct peer *p)
{
	p->deadline_ms = wire_now_ms() + p->timeout_ms;
	p->why[0] = '\0';
}

void peer_take(struct peer *p, int fd)
{
	peer_init(p, p->timeout_ms);
	peer_begin(p);
	p->fd = fd;
}

/* Names that stand in no folder belong to whoever comes first. */
static bool is_our_own(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

int peer_connect(struct peer *p, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const bool is_name = path[0] == '@';
	socklen_t size = sizeof(to);
	int fd, err;

	peer_take(p, -1);
	if (strlen(path) >= sizeof(to.sun_path))
		return peer_fail(p, -ENAMETOOLONG, "the path is longer than %zu bytes",
			sizeof(to.sun_path) - 1);
	memcpy(to.sun_path, path, strlen(path) + 1);
	if (is_name) {
		to.sun_path[0] = '\0';
		size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, size) == 0) {
		p->fd = fd;
		if (!is_name || is_our_own(fd))
			return 0;
		p->fd = -1;
		errno = EPERM;
	}
	err = errno;
	if (fd >= 0)
		(void)close(fd);
	return peer_fail(p, -err, "%s", strerror(err));
}

/* ---- the back end's own requests ---- */

int peer_serve(struct peer *p)
{
	const char *why = NULL, *wrong;
	struct wire_msg msg;
	bool known;
	int ret = wire_receive(p->back, &msg, p->deadline_ms, &why);

	if (ret < 0)
		return peer_fail(p, ret, "%s", why);
	wire_drop_fds(&msg);
	wrong = wire_check_backend(&msg);
	if (wrong)
		return peer_fail(p, -EPROTO, "it sent %s", wrong);
	known = msg.head.request == VHOST_USER_BACKEND_CONFIG_CHANGE_MSG;
	p->config_changed |= known;
	if (!(msg.head.flags & VHOST_USER_FLAG_NEED))
		return 0;
	msg.head.flags = VHOST_USER_VERSION | VHOST_USER_FLAG_REPLY;
	msg.head.size = sizeof(msg.p.number);
	msg.p.number = !known;
	ret = wire_send(p->back, &msg, p->deadline_ms, &why);
	return ret < 0 ? peer_fail(p, ret, "%s", why) : 0;
}

/* ---- requests ---- */

static int send_msg(struct peer *p, const struct wire_msg *msg)
{
	const char *why = NULL;
	int ret;

	if (p->fd < 0)
		return peer_fail(p, -ENOTCONN, "there is no connection");
	ret = wire_send(p->fd, msg, p->deadline_ms, &why);
	return ret < 0 ? peer_fail(p, ret, "%s", why) : 0;
}

/* While we wait, the back end may want something first. */
static int receive(struct peer *p, uint32_t request, struct wire_msg *ret_reply)
{
	const char *why = NULL;
	int ret;

	while ((ret = wire_wait(p->fd, p->back, p->deadline_ms)) == 1) {
		ret = peer_serve(p);
		if (ret < 0)
			return ret;
	}
	if (ret < 0)
		return peer_fail(p, ret, "it did not answer request %u within %d ms", request,
			p->timeout_ms);
	ret = wire_receive(p->fd, ret_reply, p->deadline_ms, &why);
	if (ret == -EPROTO)
		return peer_fail(p, ret, "it sent %s", why);
	if (ret < 0)
		return peer_fail(p, ret, "%s", why);
	why = wire_check_reply(ret_reply, request);
	if (!why)
		return 0;
	wire_drop_fds(ret_reply);
	return peer_fail(p, -EPROTO, "it sent %s", why);
}

int peer_ask(struct peer *p, const struct wire_msg *msg, struct wire_msg *ret_reply)
{
	int ret = send_msg(p, msg);

	return ret < 0 ? ret : receive(p, msg->head.request, ret_reply);
}

int peer_tell(struct peer *p, const struct wire_msg *msg)
{
	struct wire_msg own = *msg, reply = { .n_fds = 0 };
	int ret;

	if (!peer_has(p, VHOST_USER_PROTOCOL_F_REPLY_ACK))
		return send_msg(p, msg);
	own.head.flags |= VHOST_USER_FLAG_NEED;
	ret = peer_ask(p, &own, &reply);
	if (ret == 0 && reply.p.number != 0)
		return peer_fail(
			p, -EREMOTEIO, "it refused request %u", (unsigned)msg->head.request);
	return ret;
}

static struct wire_msg message(uint32_t request, uint32_t size)
{
	return (struct wire_msg){ .head = { request, VHOST_USER_VERSION, size } };
}

int peer_tell_number(struct peer *p, uint32_t request, uint64_t number)
{
	struct wire_msg msg = message(request, sizeof(number));

	msg.p.number = number;
	return peer_tell(p, &msg);
}

int peer_tell_state(struct peer *p, uint32_t request, uint32_t index, uint32_t number)
{
	struct wire_msg msg = message(request, sizeof(msg.p.state));

	msg.p.state = (struct vhost_user_vring_state){ index, number };
	return peer_tell(p, &msg);
}

int peer_tell_vring_fd(struct peer *p, uint32_t request, uint32_t index, int fd)
{
	struct wire_msg msg = message(request, sizeof(msg.p.number));

	msg.p.number = index | (fd < 0 ? VHOST_USER_VRING_NOFD : 0);
	msg.fds[0] = fd;
	msg.n_fds = fd >= 0;
	return peer_tell(p, &msg);
}

int peer_ask_number(struct peer *p, uint32_t request, uint64_t *ret_number)
{
	const struct wire_msg msg = message(request, 0);
	struct wire_msg reply = { .n_fds = 0 };
	int ret = peer_ask(p, &msg, &reply);

	if (ret == 0)
		*ret_number = reply.p.number;
	return ret;
}

int peer_get_config(struct peer *p, void *to, uint32_t size)
{
	struct wire_msg msg = message(VHOST_USER_GET_CONFIG, VHOST_USER_CONFIG_HEAD + size), reply;
	const char *why;
	int ret;

	msg.p.config.size = size;
	ret = peer_ask(p, &msg, &reply);
	if (ret < 0)
		return ret;
	why = wire_check_config(&reply, size);
	if (why)
		return peer_fail(p, -EPROTO, "it sent %s", why);
	memcpy(to, reply.p.config.bytes, size);
	return 0;
}

int peer_set_config(struct peer *p, uint32_t offset, const void *from, uint32_t size)
{
	struct wire_msg msg = message(VHOST_USER_SET_CONFIG, VHOST_USER_CONFIG_HEAD + size);

	msg.p.config.offset = offset;
	msg.p.config.size = size;
	memcpy(msg.p.config.bytes, from, size);
	return peer_tell(p, &msg);
}

/* ---- the beginning ---- */

static int open_back(struct peer *p)
{
	struct wire_msg msg = message(VHOST_USER_SET_BACKEND_REQ_FD, 0);
	int pair[2], ret;

	if (!peer_has(p, VHOST_USER_PROTOCOL_F_BACKEND_REQ))
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return peer_fail(p, -errno, "no socket for its requests: %s", strerror(errno));
	p->back = pair[0];
	msg.fds[0] = pair[1];
	msg.n_fds = 1;
	ret = peer_tell(p, &msg);
	(void)close(pair[1]);
	return ret;
}

static int ask_limits(struct peer *p)
{
	uint64_t number = 0;
	int ret = 0;

	if (peer_has(p, VHOST_USER_PROTOCOL_F_MQ)) {
		ret = peer_ask_number(p, VHOST_USER_GET_QUEUE_NUM, &number);
		if (ret == 0 && number == 0)
			return peer_fail(p, -EPROTO, "it says that it has no queue");
		p->n_queues = number < 1000 ? (uint32_t)number : 1000;
	}
	if (ret == 0 && peer_has(p, VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS))
		ret = peer_ask_number(p, VHOST_USER_GET_MAX_MEM_SLOTS, &p->n_slots);
	return ret;
}

int peer_greet(struct peer *p)
{
	const struct wire_msg msg = message(VHOST_USER_GET_FEATURES, 0);

	return send_msg(p, &msg);
}

int peer_handshake(struct peer *p)
{
	const struct wire_msg owner = message(VHOST_USER_SET_OWNER, 0);
	struct wire_msg reply = { .n_fds = 0 };
	uint64_t protocol = 0;
	int ret = receive(p, VHOST_USER_GET_FEATURES, &reply);

	p->features = reply.p.number;
	if (ret == 0)
		ret = send_msg(p, &owner);
	if (ret < 0 || !(p->features & VHOST_USER_F_PROTOCOL_FEATURES))
		return ret;
	ret = peer_ask_number(p, VHOST_USER_GET_PROTOCOL_FEATURES, &protocol);
	if (ret == 0)
		ret = peer_tell_number(
			p, VHOST_USER_SET_PROTOCOL_FEATURES, protocol & OWN_PROTOCOL);
	if (ret < 0)
		return ret;
	p->protocol = protocol & OWN_PROTOCOL;
	ret = ask_limits(p);
	return ret < 0 ? ret : open_back(p);
}
