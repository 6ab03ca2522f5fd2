/* SPDX-License-Identifier: Apache-2.0 */
/* See wire.h. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tenon/testkit.h>

#define TAP        "tb0"
#define ETHER_TYPE 0x88b5u /* for experiments */
#define BURST      64u
#define LONGEST    1514u

/* ---- a TAP ---- */

/* The name of the call that failed, or NULL.  Whoever is not root is, in a namespace. */
static const char *make_tap(int *ret_tap)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int control, up;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return "network namespaces";
	*ret_tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (*ret_tap < 0)
		return "/dev/net/tun";
	memcpy(r.ifr_name, TAP, sizeof(TAP));
	if (ioctl(*ret_tap, TUNSETIFF, &r) < 0)
		return "TAP interfaces";
	r.ifr_flags = IFF_UP;
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	up = ioctl(control, SIOCSIFFLAGS, &r);
	(void)close(control);
	return up < 0 ? "interfaces that are up" : NULL;
}

const char *wire_no_tap(void)
{
	static char why[128];
	int status = 0, tap, fds[2];
	ssize_t n = 0;
	pid_t pid;

	if (pipe(fds) < 0)
		return "no pipe";
	pid = fork();
	if (pid == 0) { /* the namespace is not to be this process's */
		const char *failed = make_tap(&tap);

		if (failed)
			(void)!dprintf(fds[1], "this host refuses %s: %s", failed, strerror(errno));
		_exit(failed != NULL);
	}
	(void)close(fds[1]);
	if (pid > 0) {
		n = read(fds[0], why, sizeof(why) - 1);
		(void)waitpid(pid, &status, 0);
	}
	(void)close(fds[0]);
	why[n > 0 ? n : 0] = '\0';
	return status == 0 && pid > 0 ? NULL : why;
}

static void open_tap(struct wire *w)
{
	const char *failed = make_tap(&w->near);
	const int on = 1;
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHER_TYPE) };

	if (failed)
		TK_FAIL("%s: %s", failed, strerror(errno));
	a.sll_ifindex = (int)if_nametoindex(TAP);
	/* Protocol 0: it sends alone, and what is for the kernel ends there. */
	w->far = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (w->far < 0 || bind(w->far, (const struct sockaddr *)&a, sizeof(a)) < 0)
		TK_FAIL("a packet socket: %s", strerror(errno));
	(void)setsockopt(w->far, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
}

/* ---- a pair of sockets ---- */

static void open_pair(struct wire *w)
{
	const int size = 1 << 20;
	int fds[2];

	if (socketpair(AF_UNIX, w->kind == WIRE_STREAM ? SOCK_STREAM : SOCK_DGRAM, 0, fds) < 0)
		TK_FAIL("socketpair: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	w->near = fds[0];
	w->far = fds[1];
}

void wire_open(struct wire *w)
{
	if (w->kind == WIRE_TAP)
		open_tap(w);
	else
		open_pair(w);
}

/* ---- the other end ---- */

void wire_frame(uint8_t *frame, size_t size)
{
	memset(frame, 0, size);
	memset(frame, 0xff, 6);
	frame[6] = 2;
	frame[12] = ETHER_TYPE >> 8;
	frame[13] = ETHER_TYPE & 0xff;
}

static void *far_reads(void *arg)
{
	const struct wire *w = arg;
	static uint8_t in[1 << 18];

	while (recv(w->far, in, sizeof(in), 0) > 0)
		;
	return NULL;
}

static void send_stream(const struct wire *w, const uint8_t *out, size_t size)
{
	for (;;)
		for (size_t at = 0; at < size;) {
			ssize_t n = send(w->far, out + at, size - at, MSG_NOSIGNAL);

			if (n < 0)
				return;
			at += (size_t)n;
		}
}

static void *far_writes(void *arg)
{
	const struct wire *w = arg;
	static uint8_t out[BURST * (LONGEST + WIRE_PREFIX)];
	struct mmsghdr m[BURST];
	struct iovec v[BURST];
	size_t step = w->size + WIRE_PREFIX;
	uint32_t length = htonl(w->size);

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < BURST; i++) {
		memcpy(out + i * step, &length, WIRE_PREFIX);
		wire_frame(out + i * step + WIRE_PREFIX, w->size);
		v[i] = (struct iovec){ out + i * step + WIRE_PREFIX, w->size };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v[i], .msg_iovlen = 1 };
	}
	if (w->kind == WIRE_STREAM) {
		send_stream(w, out, BURST * step);
		return NULL;
	}
	/* A TAP that is full drops what comes: others may run till it is not. */
	while (sendmmsg(w->far, m, BURST, MSG_NOSIGNAL) > 0 || errno == ENOBUFS)
		if (w->kind == WIRE_TAP)
			(void)sched_yield();
	return NULL;
}

void wire_start(struct wire *w)
{
	pthread_t thread;

	if (w->kind == WIRE_TAP && !w->to_guest)
		return; /* the kernel takes all */
	if (pthread_create(&thread, NULL, w->to_guest ? far_writes : far_reads, w) != 0)
		TK_FAIL("no thread");
	(void)pthread_detach(thread); /* ends with the process */
}

void wire_wait(const struct wire *w)
{
	struct pollfd p = { .fd = w->near, .events = w->to_guest ? POLLIN : POLLOUT };

	if (poll(&p, 1, 10000) <= 0)
		TK_FAIL("the wire is silent");
}
