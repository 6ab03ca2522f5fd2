/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the net plugin share: frames, and both ends of a wire. */
#ifndef TENON_NET_TEST_H
#define TENON_NET_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <tenon/testkit.h>

#define RX      0u
#define TX      1u
#define CONTROL 2u
#define HEADER  12u

#define F_MRG_RXBUF (1ull << 15)

#define STATUS 6u /* of the configuration */

static const uint8_t test_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

#define TEST_MAC "mac = \"52:54:00:12:34:56\"; "

/* A frame for @to whose bytes tell its number. */
static inline void make_frame(uint8_t *frame, size_t size, const uint8_t to[6], unsigned number)
{
	for (size_t i = 0; i < size; i++)
		frame[i] = (uint8_t)(i * 7 + number * 13ull + (i >> 8));
	memcpy(frame, to, 6);
	frame[6] = 2;
	frame[12] = 0x88;
	frame[13] = 0xb5;
}

/* The guest sends; one chain, header and frame in two parts. */
static inline struct tk_buf *guest_sends(struct tk_dev *d, const void *frame, size_t size)
{
	static const uint8_t header[HEADER];
	const struct tk_part parts[] = { { 0, header, HEADER, 0 },
		{ 0, frame, (uint32_t)size, 0 } };

	return tk_chain(d, TX, parts, 2);
}

static inline unsigned num_buffers(struct tk_buf *b)
{
	uint8_t header[HEADER];

	TK_EQ(tk_in_bytes(b, header, HEADER), HEADER);
	return header[10] | (unsigned)header[11] << 8;
}

/* The buffer holds this one frame, after a header that asks for nothing. */
static inline void check_received(struct tk_buf *b, const void *frame, size_t size)
{
	static const uint8_t header[HEADER] = { [10] = 1 };
	uint8_t got[70000];

	TK_EQ(tk_used_len(b), HEADER + size);
	TK_EQ(tk_in_bytes(b, got, HEADER + size), HEADER + size);
	TK_MEM_EQ(got, header, HEADER);
	TK_MEM_EQ(got + HEADER, frame, size);
}

/* A device whose wire ends in *@ret_peer. */
static inline struct tk_dev *wired_type(
	int type, const char *backend, const char *settings, int *ret_peer)
{
	const int room = 8192; /* so that the peer is soon full */
	char text[512];
	int fds[2];

	TK_EQ(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	TK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	(void)snprintf(text, sizeof(text), "backend = \"%s\"; fd = %d; " TEST_MAC "%s", backend,
		fds[0], settings);
	*ret_peer = fds[1];
	return tk_started("net", text);
}

static inline struct tk_dev *wired(const char *settings, int *ret_peer)
{
	struct tk_dev *d = wired_type(SOCK_DGRAM, "dgram", settings, ret_peer);

	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	return d;
}

static inline void peer_sends(int peer, const void *frame, size_t size)
{
	TK_EQ(send(peer, frame, size, 0), (ssize_t)size);
}

/* The next frame at the peer's end is this one. */
static inline void peer_gets(int peer, const void *frame, size_t size)
{
	uint8_t got[70000];

	TK_EQ(recv(peer, got, sizeof(got), 0), (ssize_t)size);
	TK_MEM_EQ(got, frame, size);
}

static inline void peer_gets_nothing(int peer)
{
	uint8_t got[16];

	TK_EQ(recv(peer, got, sizeof(got), 0), -1);
	TK_EQ(errno, EAGAIN);
}

/* A command; its answer. */
static inline int command(struct tk_dev *d, unsigned queue, uint8_t class, uint8_t number,
	const void *data, size_t size)
{
	const uint8_t head[2] = { class, number };
	const struct tk_part parts[] = { { 0, head, 2, 0 }, { 0, NULL, 1, 1 } },
			     with[] = { { 0, head, 2, 0 }, { 0, data, (uint32_t)size, 0 },
				     { 0, NULL, 1, 1 } };
	struct tk_buf *b = size ? tk_chain(d, queue, with, 3) : tk_chain(d, queue, parts, 2);
	uint8_t ack = 0xff;

	tk_kick(d, queue);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 1);
	(void)tk_in_bytes(b, &ack, 1);
	return ack;
}

/* A unix socket's address in a folder of the test's own. */
static inline struct sockaddr_un test_address(char folder[64])
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(folder, 64, "/tmp/tenon-net-XXXXXX");
	TK_TRUE(mkdtemp(folder) != NULL);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/peer", folder);
	return a;
}

#endif
