/* SPDX-License-Identifier: Apache-2.0 */
/* vsock: transparent socket impersonation, against sockets of this machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "host_side.h"
#include "speaker.h"
#include "tsi.h"

#define PEER  7000u /* the guest's port of a proxy */
#define ASKER 9000u /* where it waits for answers */
#define VM    7777u

/* ---- the host's side ---- */

static struct sockaddr_in inet(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in at_port = { .sin_family = 0 };
	socklen_t size = sizeof(at_port);

	TK_EQ(getsockname(fd, (struct sockaddr *)&at_port, &size), 0);
	return ntohs(at_port.sin_port);
}

/* A socket of the host at a port of its own. */
static int inet_socket(int type, bool listens)
{
	struct sockaddr_in address = inet(0);
	int fd = our(socket(AF_INET, type | SOCK_NONBLOCK, 0));

	TK_EQ(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	TK_TRUE(!listens || listen(fd, 128) == 0);
	return fd;
}

static int inet_dial(uint16_t port)
{
	struct sockaddr_in address = inet(port);
	int fd = our(socket(AF_INET, SOCK_STREAM, 0));

	TK_EQ(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	TK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static uint16_t free_port(void)
{
	int fd = inet_socket(SOCK_STREAM, false);
	uint16_t port = port_of(fd);

	our_close(fd);
	return port;
}

/* The kernel carries what is sent over the loopback by itself; the socket is ready when it has. */
static void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	TK_EQ(poll(&p, 1, 5000), 1);
}

/* ---- the guest's side ---- */

static void ask(uint32_t control, uint32_t from, const void *bytes, uint32_t size)
{
	struct guest_socket g = { .type = TYPE_DGRAM, .guest_port = from, .host_port = control };

	speaker_send(&g, OP_RW, 0, bytes, size);
}

static int32_t answer_at(uint32_t control, uint32_t to)
{
	struct packet *p = speaker_expect(NULL, OP_RW);

	TK_EQ(p->h.type, TYPE_DGRAM);
	TK_EQ(p->h.src_port, control);
	TK_EQ(p->h.dst_port, to);
	TK_EQ(p->h.len, 4);
	return (int32_t)get_le(p->bytes, 4);
}

static int32_t answer(uint32_t control)
{
	return answer_at(control, ASKER);
}

static void create(uint32_t peer, uint32_t family, uint32_t type)
{
	uint8_t r[8];

	put_le(r, peer, 4);
	put_le(r + 4, family, 2);
	put_le(r + 6, type, 2);
	ask(TSI_CREATE, ASKER, r, sizeof(r));
}

static void with_address(
	uint32_t control, const uint32_t *words, unsigned n, const void *address, size_t size)
{
	uint8_t r[12 + TSI_ADDRESS] = { 0 };

	for (unsigned i = 0; i < n; i++)
		put_le(r + 4 * (size_t)i, words[i], 4);
	memcpy(r + 4 * (size_t)n, address, size);
	ask(control, ASKER, r, 4 * n + TSI_ADDRESS);
}

static void ask_connect(uint32_t peer, const void *address, size_t size)
{
	with_address(TSI_CONNECT, &peer, 1, address, size);
}

static int32_t tcp_connect(uint32_t peer, uint16_t port)
{
	struct sockaddr_in address = inet(port);

	create(peer, AF_INET, TSI_STREAM);
	ask_connect(peer, &address, sizeof(address));
	return answer(TSI_CONNECT);
}

static int32_t tcp_listen(uint32_t peer, uint16_t port, uint32_t backlog)
{
	const uint32_t words[] = { peer, VM, backlog };
	struct sockaddr_in address = inet(port);

	create(peer, AF_INET, TSI_STREAM);
	with_address(TSI_LISTEN, words, 3, &address, sizeof(address));
	return answer(TSI_LISTEN);
}

static void ask_accept(uint32_t peer, uint32_t flags, uint32_t from)
{
	uint8_t r[8];

	put_le(r, peer, 4);
	put_le(r + 4, flags, 4);
	ask(TSI_ACCEPT, from, r, sizeof(r));
}

static int32_t name(uint32_t peer_port, uint32_t local, uint32_t peer, struct sockaddr_in *ret)
{
	struct packet *p;
	uint8_t r[12];

	put_le(r, peer_port, 4);
	put_le(r + 4, local, 4);
	put_le(r + 8, peer, 4);
	ask(TSI_GETNAME, ASKER, r, sizeof(r));
	p = speaker_expect(NULL, OP_RW);
	TK_EQ(p->h.src_port, TSI_GETNAME);
	TK_EQ(p->h.len, 8 + TSI_ADDRESS);
	memcpy(ret, p->bytes + 8, sizeof(*ret));
	return (int32_t)get_le(p->bytes, 4);
}

static uint16_t own_port(uint32_t peer_port)
{
	struct sockaddr_in address;

	TK_EQ(name(peer_port, 0, 0, &address), 0);
	TK_EQ(address.sin_family, AF_INET);
	return ntohs(address.sin_port);
}

/* What a listener announces, accepted by the guest's kernel. */
static struct guest_socket reverse(void)
{
	struct guest_socket g = { TYPE_STREAM, VM, 0, 65536, 0, 0, 0, 0 };
	struct packet *p = speaker_expect(NULL, OP_REQUEST);

	TK_EQ(p->h.dst_port, VM);
	g.host_port = p->h.src_port;
	speaker_send(&g, OP_RESPONSE, 0, NULL, 0);
	return g;
}

static void release(uint32_t peer, uint32_t local)
{
	uint8_t r[8];

	put_le(r, peer, 4);
	put_le(r + 4, local, 4);
	ask(TSI_RELEASE, ASKER, r, sizeof(r));
}

/* ---- streams ---- */

TK_TEST(is_off_by_default)
{
	struct tk_dev *d = tk_device("vsock", "");

	TK_EQ(tk_features(d) & F_DGRAM, 0);
}

SOCKET_TEST(a_program_of_the_guest_connects)
{
	struct guest_socket g;
	int l = inet_socket(SOCK_STREAM, true), fd;

	begin("tsi = ( \"tcp:127.0.0.1:*\" );");
	TK_TRUE(tk_features(dev) & F_DGRAM);
	TK_EQ(tcp_connect(PEER, port_of(l)), 0);
	g = speaker_connect(TYPE_STREAM, PEER, TSI_DATA_PORT);
	fd = host_accept(l);
	speaker_send(&g, OP_RW, 0, "ping", 4);
	tk_run_until_idle(dev);
	wait_for(fd, POLLIN);
	host_hears(fd, "ping");
	host_says(fd, "pong");
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "pong", 4);
	TK_EQ(shutdown(fd, SHUT_WR), 0);
	TK_EQ(speaker_expect(&g, OP_SHUTDOWN)->h.flags, SHUT_SEND);
	speaker_send(&g, OP_SHUTDOWN, SHUT_BOTH, NULL, 0);
	(void)speaker_expect(&g, OP_RST);
	TK_TRUE(at_end(fd));
}

SOCKET_TEST(names_are_those_of_the_host)
{
	struct sockaddr_in address;
	int l = inet_socket(SOCK_STREAM, true), fd;

	begin("tsi = ( \"tcp:127.0.0.1:*\" );");
	TK_EQ(tcp_connect(PEER, port_of(l)), 0);
	TK_EQ(name(PEER, 0, 1, &address), 0);
	TK_EQ(ntohs(address.sin_port), port_of(l));
	(void)speaker_connect(TYPE_STREAM, PEER, TSI_DATA_PORT);
	fd = host_accept(l);
	(void)fd;
	TK_EQ(name(PEER, TSI_DATA_PORT, 1, &address), 0);
	TK_EQ(ntohs(address.sin_port), port_of(l));
	TK_EQ(address.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	TK_TRUE(own_port(PEER) != 0);
	TK_EQ(name(PEER + 1, 0, 0, &address), -EBADF);
	create(PEER + 2, AF_INET, TSI_STREAM);
	TK_EQ(name(PEER + 2, 0, 1, &address), -ENOTCONN);
}

SOCKET_TEST(what_is_not_allowed_is_refused)
{
	int l = inet_socket(SOCK_STREAM, true);
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(port_of(l)) };
	struct sockaddr_in zero = inet(port_of(l));
	char text[128];

	(void)snprintf(text, sizeof(text), "tsi = ( \"tcp:10.0.0.0/8:*\", \"tcp:127.0.0.1:%u\" );",
		port_of(l) == 1 ? 2u : 1u);
	begin(text);
	TK_EQ(tcp_connect(PEER, port_of(l)), -EACCES);
	create(PEER, AF_INET6, TSI_STREAM);
	TK_EQ(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr), 1);
	ask_connect(PEER, &mapped, sizeof(mapped));
	TK_EQ(answer(TSI_CONNECT), -EACCES);
	zero.sin_addr.s_addr = 0;
	create(PEER, AF_INET, TSI_STREAM);
	ask_connect(PEER, &zero, sizeof(zero));
	TK_EQ(answer(TSI_CONNECT), -EACCES);
	TK_EQ(tcp_listen(PEER, 0, 1), -EACCES);
	TK_EQ(accept(l, NULL, NULL), -1);
}

SOCKET_TEST(a_refused_connect_says_so)
{
	uint16_t port = free_port();
	struct guest_socket g = { TYPE_STREAM, PEER, TSI_DATA_PORT, 65536, 0, 0, 0, 0 };
	struct sockaddr_in address = inet(port);

	begin("tsi = ( \"tcp:*:*\" );");
	TK_EQ(tcp_connect(PEER, port), -ECONNREFUSED);
	speaker_send(&g, OP_REQUEST, 0, NULL, 0);
	(void)speaker_expect(&g, OP_RST);
	ask_connect(PEER, &address, 7); /* again, and with a short address */
	TK_EQ(answer(TSI_CONNECT), -ECONNREFUSED);
	address.sin_family = AF_INET6;
	ask_connect(PEER, &address, sizeof(address));
	TK_EQ(answer(TSI_CONNECT), -EAFNOSUPPORT);
	ask_connect(PEER + 1, &address, sizeof(address));
	TK_EQ(answer(TSI_CONNECT), -EBADF);
}

SOCKET_TEST(a_port_of_zero_is_chosen_and_reported)
{
	struct sockaddr_in address;
	struct guest_socket g;
	uint16_t port;
	int fd;

	begin("tsi = ( \"listen:tcp:*\" );");
	TK_EQ(tcp_listen(PEER, 0, 8), 0);
	port = own_port(PEER);
	TK_TRUE(port != 0);
	fd = inet_dial(port);
	g = reverse();
	ask_accept(PEER, 0, ASKER);
	TK_EQ(answer(TSI_ACCEPT), 0);
	host_says(fd, "hi");
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "hi", 2);
	TK_EQ(name(VM, g.host_port, 1, &address), 0);
	TK_EQ(ntohs(address.sin_port), port_of(fd));
	TK_EQ(name(VM, g.host_port, 0, &address), 0);
	TK_EQ(ntohs(address.sin_port), port);
}

SOCKET_TEST(a_port_is_mapped_and_the_guest_sees_its_own)
{
	uint16_t port = free_port();
	struct sockaddr_in address;
	struct guest_socket g;
	char text[64];

	(void)snprintf(text, sizeof(text), "tsi = ( \"listen:tcp:%u:22\" );", port);
	begin(text);
	TK_EQ(tcp_listen(PEER, 22, 8), 0);
	TK_EQ(own_port(PEER), 22);
	(void)inet_dial(port);
	g = reverse();
	TK_EQ(name(VM, g.host_port, 0, &address), 0);
	TK_EQ(ntohs(address.sin_port), 22);
	TK_EQ(tcp_listen(PEER + 1, 23, 8), -EACCES);
}

SOCKET_TEST(accepts_wait_at_once_and_each_is_answered)
{
	uint16_t port;

	begin("tsi = ( \"listen:tcp:*\" );");
	TK_EQ(tcp_listen(PEER, 0, 8), 0);
	port = own_port(PEER);
	ask_accept(PEER, TSI_NONBLOCK, ASKER);
	TK_EQ(answer(TSI_ACCEPT), -EAGAIN);
	ask_accept(PEER, 0, ASKER + 1);
	ask_accept(PEER, 0, ASKER + 2);
	speaker_silence();
	(void)inet_dial(port);
	(void)reverse();
	TK_EQ(answer_at(TSI_ACCEPT, ASKER + 1), 0);
	(void)inet_dial(port);
	(void)reverse();
	TK_EQ(answer_at(TSI_ACCEPT, ASKER + 2), 0);
	ask_accept(PEER, TSI_NONBLOCK, ASKER);
	TK_EQ(answer(TSI_ACCEPT), -EAGAIN);
}

SOCKET_TEST(more_accepts_than_can_wait_are_refused)
{
	begin("tsi = ( \"listen:tcp:*\" );");
	TK_EQ(tcp_listen(PEER, 0, 8), 0);
	for (unsigned i = 0; i < TSI_WAITERS; i++)
		ask_accept(PEER, 0, ASKER);
	speaker_silence();
	ask_accept(PEER, 0, ASKER);
	TK_EQ(answer(TSI_ACCEPT), -EAGAIN);
}

SOCKET_TEST(no_more_than_the_backlog_are_announced)
{
	struct packet p;
	uint16_t port;

	begin("tsi = ( \"listen:tcp:*\" );");
	TK_EQ(tcp_listen(PEER, 0, 2), 0);
	port = own_port(PEER);
	for (unsigned i = 0; i < 3; i++)
		(void)inet_dial(port);
	(void)reverse();
	(void)reverse();
	TK_TRUE(!speaker_next(&p));
	ask_accept(PEER, 0, ASKER);
	TK_EQ(answer(TSI_ACCEPT), 0);
	(void)reverse();
}

SOCKET_TEST(a_port_that_is_taken_is_not_shared)
{
	uint16_t port;
	char text[256];
	struct tk_dev *other;

	begin("tsi = ( \"listen:tcp:*\" );");
	TK_EQ(tcp_listen(PEER, 0, 8), 0);
	port = own_port(PEER);
	TK_EQ(tcp_listen(PEER + 1, port, 8), -EADDRINUSE);
	/* Nor by a second VM. */
	(void)snprintf(text, sizeof(text), "tsi = ( \"listen:tcp:*\" );");
	other = tk_device("vsock", text);
	speaker_start(other, 8, 4096);
	TK_EQ(tcp_listen(PEER, port, 8), -EADDRINUSE);
}

SOCKET_TEST(a_range_gives_its_next_port)
{
	uint16_t port = free_port(), first;
	char text[64];

	port = port > 65000 ? 65000 : port;
	(void)snprintf(text, sizeof(text), "tsi = ( \"listen:tcp:%u-%u\" );", port, port + 200u);
	begin(text);
	TK_EQ(tcp_listen(PEER, 0, 8), 0);
	first = own_port(PEER);
	TK_EQ(tcp_listen(PEER + 1, 0, 8), 0);
	TK_TRUE(first >= port && own_port(PEER + 1) > first && own_port(PEER + 1) <= port + 200);
}

SOCKET_TEST(a_release_frees_the_port_and_ends_what_was_announced)
{
	struct guest_socket g = { TYPE_STREAM, VM, 0, 65536, 0, 0, 0, 0 };
	uint16_t port;
	int fd;

	begin("tsi = ( \"listen:tcp:*\" );");
	TK_EQ(tcp_listen(PEER, 0, 8), 0);
	port = own_port(PEER);
	fd = inet_dial(port);
	g.host_port = speaker_expect(NULL, OP_REQUEST)->h.src_port;
	release(PEER, 0);
	(void)speaker_expect(&g, OP_RST);
	wait_for(fd, POLLIN);
	TK_TRUE(read(fd, settings, 1) <= 0);
	TK_EQ(name(PEER, 0, 0, &(struct sockaddr_in){ .sin_family = 0 }), -EBADF);
}

SOCKET_TEST(a_released_stream_gets_its_bytes_through)
{
	struct guest_socket g;
	int l = inet_socket(SOCK_STREAM, true), fd;

	begin("tsi = ( \"tcp:127.0.0.1:*\" );");
	TK_EQ(tcp_connect(PEER, port_of(l)), 0);
	g = speaker_connect(TYPE_STREAM, PEER, TSI_DATA_PORT);
	fd = host_accept(l);
	speaker_send(&g, OP_RW, 0, "last", 4);
	release(PEER, TSI_DATA_PORT);
	(void)speaker_expect(&g, OP_RST);
	wait_for(fd, POLLIN);
	host_hears(fd, "last");
	TK_TRUE(at_end(fd));
}

/* ---- unix ---- */

SOCKET_TEST(a_unix_socket_is_reached_by_its_path)
{
	struct sockaddr_un address;
	struct guest_socket g;
	char text[256];
	int fd, l;

	begin("");
	tk_destroy(dev);
	(void)snprintf(text, sizeof(text), "tsi = ( \"unix:%s\" );", at("*"));
	dev = tk_device("vsock", text);
	speaker_start(dev, 8, 4096);
	l = host_listen(SOCK_STREAM, "service", 4);
	(void)unix_socket(SOCK_STREAM, "service", &address);
	create(PEER, AF_UNIX, TSI_STREAM);
	ask_connect(PEER, &address, sizeof(address));
	TK_EQ(answer(TSI_CONNECT), 0);
	g = speaker_connect(TYPE_STREAM, PEER, TSI_DATA_PORT);
	fd = host_accept(l);
	speaker_send(&g, OP_RW, 0, "x", 1);
	tk_run_until_idle(dev);
	host_hears(fd, "x");
	(void)unix_socket(SOCK_STREAM, "below/it", &address);
	create(PEER + 1, AF_UNIX, TSI_STREAM);
	ask_connect(PEER + 1, &address, sizeof(address));
	TK_EQ(answer(TSI_CONNECT), -EACCES);
	address.sun_path[0] = '\0'; /* an abstract name */
	ask_connect(PEER + 1, &address, sizeof(address));
	TK_EQ(answer(TSI_CONNECT), -EINVAL);
}

SOCKET_TEST(a_unix_socket_listens_and_goes_with_its_proxy)
{
	struct sockaddr_un address;
	const uint32_t words[] = { PEER, VM, 4 };
	char text[256];

	begin("");
	tk_destroy(dev);
	(void)snprintf(text, sizeof(text), "tsi = ( \"listen:unix:%s\" );", at("guest"));
	dev = tk_device("vsock", text);
	speaker_start(dev, 8, 4096);
	(void)unix_socket(SOCK_STREAM, "guest", &address);
	create(PEER, AF_UNIX, TSI_STREAM);
	with_address(TSI_LISTEN, words, 3, &address, sizeof(address));
	TK_EQ(answer(TSI_LISTEN), 0);
	(void)host_dial(SOCK_STREAM, "guest");
	(void)reverse();
	release(PEER, 0);
	tk_run_until_idle(dev);
	TK_EQ(access(at("guest"), F_OK), -1);
}

/* ---- datagrams ---- */

SOCKET_TEST(datagrams_go_to_where_they_are_sent)
{
	int fd = inet_socket(SOCK_DGRAM, false);
	struct sockaddr_in to = inet(port_of(fd)), from;
	socklen_t size = sizeof(from);
	uint32_t peer = PEER;
	struct packet *p;
	char got[16];

	begin("tsi = ( \"udp:127.0.0.0/8:*\" );");
	create(PEER, AF_INET, TSI_DGRAM);
	with_address(TSI_SENDTO_ADDR, &peer, 1, &to, sizeof(to));
	ask(TSI_SENDTO_DATA, PEER, "query", 5);
	tk_run_until_idle(dev);
	wait_for(fd, POLLIN);
	TK_EQ(recvfrom(fd, got, sizeof(got), 0, (struct sockaddr *)&from, &size), 5);
	TK_EQ(sendto(fd, "answer", 6, 0, (const struct sockaddr *)&from, size), 6);
	p = speaker_expect(NULL, OP_RW);
	TK_EQ(p->h.type, TYPE_DGRAM);
	TK_EQ(p->h.src_port, TSI_DATA_PORT);
	TK_EQ(p->h.dst_port, PEER);
	TK_EQ(p->h.len, 6);
	TK_MEM_EQ(p->bytes, "answer", 6);
}

SOCKET_TEST(connected_datagrams_use_the_data_port)
{
	int fd = inet_socket(SOCK_DGRAM, false);
	struct sockaddr_in to = inet(port_of(fd));

	begin("tsi = ( \"udp:127.0.0.1:*\" );");
	create(PEER, AF_INET, TSI_DGRAM);
	ask_connect(PEER, &to, sizeof(to));
	TK_EQ(answer(TSI_CONNECT), 0);
	ask(TSI_DATA_PORT, PEER, "one", 3);
	tk_run_until_idle(dev);
	wait_for(fd, POLLIN);
	host_hears(fd, "one");
}

SOCKET_TEST(datagrams_to_the_forbidden_are_lost)
{
	int fd = inet_socket(SOCK_DGRAM, false);
	struct sockaddr_in to = inet(port_of(fd));
	uint32_t peer = PEER;
	char c;

	begin("tsi = ( \"udp:10.0.0.1:53\", \"tcp:*:*\" );");
	create(PEER, AF_INET, TSI_DGRAM);
	with_address(TSI_SENDTO_ADDR, &peer, 1, &to, sizeof(to));
	ask(TSI_SENDTO_DATA, PEER, "query", 5);
	tk_run_until_idle(dev);
	TK_EQ(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	TK_TRUE(tk_log_has("what \"tsi\" does not allow"));
}

SOCKET_TEST(a_stranger_sends_in_vain)
{
	int fd = inet_socket(SOCK_DGRAM, false), stranger = inet_socket(SOCK_DGRAM, false);
	struct sockaddr_in to = inet(port_of(fd)), guest;
	uint32_t peer = PEER;
	char text[64], got[8];

	(void)snprintf(text, sizeof(text), "tsi = ( \"udp:127.0.0.1:%u\" );", port_of(fd) + 0u);
	begin(text);
	create(PEER, AF_INET, TSI_DGRAM);
	with_address(TSI_SENDTO_ADDR, &peer, 1, &to, sizeof(to));
	ask(TSI_SENDTO_DATA, PEER, "query", 5);
	tk_run_until_idle(dev);
	wait_for(fd, POLLIN);
	TK_EQ(recv(fd, got, sizeof(got), 0), 5);
	guest = inet(own_port(PEER));
	TK_EQ(sendto(stranger, "no", 2, 0, (const struct sockaddr *)&guest, sizeof(guest)), 2);
	TK_EQ(sendto(fd, "yes", 3, 0, (const struct sockaddr *)&guest, sizeof(guest)), 3);
	TK_EQ(speaker_expect(NULL, OP_RW)->h.len, 3);
	speaker_silence();
}

SOCKET_TEST(a_datagram_socket_listens_and_answers)
{
	const uint32_t words[] = { PEER, VM, 0 };
	struct sockaddr_in address = inet(0), who, to;
	int fd = inet_socket(SOCK_DGRAM, false);
	uint32_t peer = PEER;
	struct packet *p;

	begin("tsi = ( \"listen:udp:*\" );");
	create(PEER, AF_INET, TSI_DGRAM);
	with_address(TSI_LISTEN, words, 3, &address, sizeof(address));
	TK_EQ(answer(TSI_LISTEN), 0);
	to = inet(own_port(PEER));
	TK_EQ(sendto(fd, "call", 4, 0, (const struct sockaddr *)&to, sizeof(to)), 4);
	p = speaker_expect(NULL, OP_RW);
	TK_EQ(p->h.dst_port, VM);
	TK_MEM_EQ(p->bytes, "call", 4);
	TK_EQ(name(PEER, 0, 1, &who), 0);
	TK_EQ(ntohs(who.sin_port), port_of(fd));
	with_address(TSI_SENDTO_ADDR, &peer, 1, &who, sizeof(who));
	ask(TSI_SENDTO_DATA, PEER, "reply", 5);
	tk_run_until_idle(dev);
	wait_for(fd, POLLIN);
	host_hears(fd, "reply");
}

/* ---- life ---- */

SOCKET_TEST(there_are_no_more_than_allowed)
{
	begin("connections = 5; tsi = ( \"tcp:*:*\" );");
	for (uint32_t i = 0; i < 10; i++)
		create(PEER + i, AF_INET, TSI_STREAM);
	ask_accept(PEER + 4, 0, ASKER);
	TK_EQ(answer(TSI_ACCEPT), -EINVAL);
	ask_accept(PEER + 5, 0, ASKER);
	TK_EQ(answer(TSI_ACCEPT), -EBADF);
	create(PEER, AF_UNIX, TSI_STREAM); /* one that is there already is replaced */
	ask_accept(PEER, 0, ASKER);
	TK_EQ(answer(TSI_ACCEPT), -EINVAL);
}

SOCKET_TEST(a_reset_closes_the_listeners)
{
	struct sockaddr_in address;
	uint16_t port;
	int fd;

	begin("tsi = ( \"listen:tcp:*\" );");
	TK_EQ(tcp_listen(PEER, 0, 8), 0);
	port = own_port(PEER);
	tk_driver_reset(dev);
	tk_run_until_idle(dev);
	fd = our(socket(AF_INET, SOCK_STREAM, 0));
	address = inet(port);
	TK_EQ(connect(fd, (const struct sockaddr *)&address, sizeof(address)), -1);
}

SOCKET_TEST(short_and_unknown_requests_do_no_harm)
{
	begin("tsi = ( \"tcp:*:*\" );");
	for (uint32_t control = TSI_DATA_PORT - 1; control < TSI_RELEASE + 2; control++)
		for (uint32_t size = 0; size < 12; size++) {
			struct packet p;

			ask(control, ASKER, "\0\0\0\0\0\0\0\0\0\0\0", size);
			while (speaker_next(&p))
				;
		}
	TK_EQ(tk_status(dev) & TK_S_NEEDS_RESET, 0);
}

TK_TEST(wrong_rules_are_refused)
{
	static const char *const wrong[] = { "", "tcp", "tcp:1.2.3.4", "tcp:1.2.3.4:0",
		"tcp:1.2.3.4:70000", "tcp:1.2.3.4:9-8", "tcp:1.2.3.4/33:1", "tcp:1.2.3:1",
		"tcp:[::1:1", "tcp:::1:1", "tcp:[::1]/129:1", "tcp:1.2.3.4:1:2", "sctp:*:*",
		"unix:run/x", "unix:/a/../b", "listen:tcp:1-2:3", "listen:tcp:1.2.3.0/24:1",
		"listen:tcp:1:0", "listen:unix:/run/*", "tcp:name:1", "tcp:*:1 " };
	const char *wanted;
	struct tsi_rule r;

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (tsi_rule_parse(&r, wrong[i], &wanted) == 0)
			TK_FAIL("\"%s\" is taken", wrong[i]);
	}
	TK_TRUE(tk_create("vsock", "tsi = ( \"tcp:x:1\" );") == NULL);
	TK_HAS_TEXT(tk_error(), "\"tsi\" holds \"tcp:x:1\", wanted tcp:HOST:PORTS");
}

static bool reaches(const char *rule, int type, int family, const char *host, uint16_t port)
{
	struct tsi_address to = { .at.ss_family = (sa_family_t)family };
	const char *wanted;
	struct tsi_rules rules;
	struct tsi_rule r;
	bool yes;

	TK_EQ(tsi_rule_parse(&r, rule, &wanted), 0);
	rules = (struct tsi_rules){ &r, 1 };
	TK_EQ(inet_pton(family, host,
		      family == AF_INET ? (void *)&((struct sockaddr_in *)&to.at)->sin_addr
					: (void *)&((struct sockaddr_in6 *)&to.at)->sin6_addr),
		1);
	tsi_address_set_port(&to, port);
	yes = tsi_rules_reach(&rules, type, &to);
	free(r.path);
	return yes;
}

TK_TEST(rules_mean_what_they_say)
{
	TK_TRUE(reaches("tcp:10.1.0.0/16:80-90", SOCK_STREAM, AF_INET, "10.1.255.1", 85));
	TK_TRUE(!reaches("tcp:10.1.0.0/16:80-90", SOCK_STREAM, AF_INET, "10.2.0.1", 85));
	TK_TRUE(!reaches("tcp:10.1.0.0/16:80-90", SOCK_STREAM, AF_INET, "10.1.0.1", 91));
	TK_TRUE(!reaches("tcp:10.1.0.0/16:80-90", SOCK_DGRAM, AF_INET, "10.1.0.1", 85));
	TK_TRUE(reaches("udp:10.0.0.128/25:53", SOCK_DGRAM, AF_INET, "10.0.0.129", 53));
	TK_TRUE(!reaches("udp:10.0.0.128/25:53", SOCK_DGRAM, AF_INET, "10.0.0.127", 53));
	TK_TRUE(reaches("tcp:*:443", SOCK_STREAM, AF_INET6, "2001:db8::1", 443));
	TK_TRUE(reaches("tcp:[2001:db8::/32]:1", SOCK_STREAM, AF_INET6, "2001:db8:1::1", 1));
	TK_TRUE(reaches("tcp:[2001:db8::]/32:1", SOCK_STREAM, AF_INET6, "2001:db8:1::1", 1));
	TK_TRUE(!reaches("tcp:[2001:db8::]/32:1", SOCK_STREAM, AF_INET6, "2001:db9::1", 1));
	TK_TRUE(reaches("tcp:127.0.0.1:1", SOCK_STREAM, AF_INET6, "::ffff:127.0.0.1", 1));
	TK_TRUE(!reaches("tcp:[::]/0:1", SOCK_STREAM, AF_INET6, "::ffff:127.0.0.1", 1));
	TK_TRUE(reaches("tcp:127.0.0.1:1", SOCK_STREAM, AF_INET, "0.0.0.0", 1));
	TK_TRUE(!reaches("tcp:0.0.0.0:1", SOCK_STREAM, AF_INET, "0.0.0.0", 1));
	TK_TRUE(reaches("tcp:[::1]:1", SOCK_STREAM, AF_INET6, "::", 1));
	TK_TRUE(!reaches("listen:tcp:1", SOCK_STREAM, AF_INET, "127.0.0.1", 1));
	TK_TRUE(!reaches("tcp:*:*", SOCK_STREAM, AF_INET, "127.0.0.1", 0));
}

SOCKET_TEST(every_fault_is_survived)
{
	char text[256];

	begin("");
	(void)snprintf(text, sizeof(text), "socket = \"%s\"; tsi = ( \"unix:/x\", \"tcp:*:*\" );",
		at("f"));
	TK_TRUE(tk_fault_sweep("vsock", text) >= 12);
}

SOCKET_TEST(stands_the_hostile_driver)
{
	begin("tsi = ( \"tcp:127.0.0.1:1\", \"listen:tcp:1\" );");
	TK_TRUE(tk_hostile_run(dev) > 200);
}

TK_MAIN()
