/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vhost-user front end before a hostile back end: whatever it answers, with whatever
 * descriptors, what is believed of it has been checked; and a ring that is read along says what is
 * in flight within its bounds or nothing.  The plugin's files are part of the program.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/vhost-user/peer.h"
#include "plugins/vhost-user/track.h"
#include "tests/fuzz/input.h"

#define RING 16u

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what))                                                                       \
			abort();                                                                   \
	} while (0)

/* All that there is to hear, with so many descriptors beside its beginning; then nothing more. */
static void say(int fd, const struct input *in, unsigned n_fds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(16 * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)in->at, in->left < 65536 ? in->left : 65536 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > 0) {
		struct cmsghdr *c;

		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (unsigned i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	}
	if (iov.iov_len > 0)
		(void)!sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
}

static int connected(const struct input *in, unsigned n_fds, int *ret_other)
{
	int pair[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	say(pair[1], in, n_fds);
	*ret_other = pair[1];
	return pair[0];
}

static int ask_all(struct peer *p)
{
	struct wire_msg msg = { .head = { VHOST_USER_GET_VRING_BASE, VHOST_USER_VERSION, 8 } };
	struct wire_msg reply = { .n_fds = 0 };
	uint8_t config[VHOST_USER_MAX_CONFIG];
	int ret = peer_handshake(p);

	if (ret < 0)
		return ret;
	ret = peer_get_config(p, config, 60);
	if (ret == 0)
		ret = peer_tell_state(p, VHOST_USER_SET_VRING_NUM, 0, 256);
	if (ret == 0)
		ret = peer_ask(p, &msg, &reply);
	if (ret < 0)
		return ret;
	MUST(reply.n_fds == 0 && reply.head.size == 8);
	msg.head.request = VHOST_USER_GET_INFLIGHT_FD;
	msg.head.size = sizeof(msg.p.inflight);
	ret = peer_ask(p, &msg, &reply);
	if (ret < 0)
		return ret;
	if (!wire_check_inflight(&reply))
		MUST(reply.n_fds == 1 && reply.p.inflight.size > 0);
	wire_drop_fds(&reply);
	return 0;
}

static void answers(struct input *in)
{
	unsigned n_fds = input_u8(in) % 12;
	struct peer p;
	int other, ret;

	peer_init(&p, 20);
	peer_take(&p, connected(in, n_fds, &other));
	ret = ask_all(&p);
	MUST(ret == 0 || p.why[0] != '\0');
	peer_close(&p);
	(void)close(other);
}

static void requests(struct input *in)
{
	unsigned n_fds = input_u8(in) % 12;
	struct peer p;
	int other;

	peer_init(&p, 20);
	peer_begin(&p);
	p.back = connected(in, n_fds, &other);
	for (int i = 0; i < 64 && peer_serve(&p) == 0; i++)
		;
	MUST(p.why[0] != '\0'); /* there is an end to it */
	peer_close(&p);
	(void)close(other);
}

static void ring(struct input *in)
{
	_Alignas(8) uint8_t avail[6 + RING * 2 + 2] = { 0 }, used[6 + RING * 8 + 2] = { 0 };
	uint16_t base = 0, n;
	struct track t;

	MUST(track_init(&t, RING, avail, used) == 0);
	track_begin(&t, 0);
	while (in->left > 0) {
		unsigned at = input_u8(in);
		uint8_t *part = at & 1 ? avail : used;

		part[(at >> 1) % (at & 1 ? 6 + RING * 2 : 6 + RING * 8)] = input_u8(in);
		if (at & 0x80)
			track_scan(&t);
	}
	if (track_recover(&t, &base)) {
		n = (uint16_t)(track_index(avail) - base);
		MUST(base == track_index(used) && n <= RING);
		for (; base != track_index(avail); base++)
			MUST(avail[4 + (base % RING) * 2] < RING);
	}
	track_finish(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	switch (input_u8(&in) % 3) {
	case 0:
		answers(&in);
		break;
	case 1:
		requests(&in);
		break;
	default:
		ring(&in);
		break;
	}
	return 0;
}
