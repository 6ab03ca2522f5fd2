/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back end "user": a guest's network stack in miniature speaks with libslirp, and through it with
 * real sockets on 127.0.0.1.
 */
#include "net_test.h"

#include <arpa/inet.h>
#include <fcntl.h>

#define MOST    1518u
#define BUFFERS 64u

#define ETH_IP     0x0800u
#define ETH_ARP    0x0806u
#define ETH_IPV6   0x86ddu
#define PROTO_ICMP 1u
#define PROTO_TCP  6u
#define PROTO_UDP  17u

#define TCP_FIN 1u
#define TCP_SYN 2u
#define TCP_RST 4u
#define TCP_PSH 8u
#define TCP_ACK 16u

#define GUEST 0x0a00020fu /* 10.0.2.15 */
#define HOST  0x0a000202u
#define DNS   0x0a000203u

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* ---- the guest's side: buffers and frames ---- */

static struct tk_dev *dev;
static struct tk_buf *buffers[BUFFERS];
static unsigned given, taken; /* buffers, ever */
static uint8_t frame[70000];  /* the one that was taken last */
static size_t frame_size;
static uint8_t gateway[6];

static void give_buffers(unsigned n)
{
	for (; n > 0 && given - taken < BUFFERS; n--)
		buffers[given++ % BUFFERS] = tk_in(dev, RX, HEADER + MOST);
	tk_kick(dev, RX);
}

static void bring_up(const char *settings)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "backend = \"user\"; " TEST_MAC "%s", settings);
	dev = tk_device("net", text);
	given = taken = 0;
	give_buffers(BUFFERS);
}

/* Takes the next frame, if there is one. */
static bool take_frame(void)
{
	struct tk_buf *b = buffers[taken % BUFFERS];
	uint8_t raw[HEADER + MOST];
	long long size;

	tk_run_until_idle(dev);
	if (given == taken || (size = tk_used_len(b)) < 0)
		return false;
	TK_TRUE(size >= HEADER + 14 && (size_t)size <= sizeof(raw));
	TK_EQ(tk_in_bytes(b, raw, (size_t)size), size);
	frame_size = (size_t)size - HEADER;
	memcpy(frame, raw + HEADER, frame_size);
	tk_free(b);
	taken++;
	return true;
}

static void guest_emits(const uint8_t *bytes, size_t size)
{
	struct tk_buf *b = guest_sends(dev, bytes, size);

	tk_kick(dev, TX);
	tk_run_until_idle(dev);
	TK_EQ(tk_used_len(b), 0);
	tk_free(b);
}

/* ---- numbers ---- */

static void put16(uint8_t *to, unsigned v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

static void put32(uint8_t *to, uint32_t v)
{
	put16(to, v >> 16);
	put16(to + 2, v & 0xffff);
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static uint32_t add_up(uint32_t sum, const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)at[i] << 8 | (i + 1 < size ? at[i + 1] : 0);
	return sum;
}

static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* ---- IP ---- */

static uint32_t pseudo(const uint8_t *ip, size_t size)
{
	return add_up(ip[9] + (uint32_t)size, ip + 12, 8);
}

/* Sends @size bytes of @protocol, which lie at @out + 34; their checksum is at @check in them. */
static void emit_ip(uint8_t *out, const uint8_t to_mac[6], uint32_t from, uint32_t to,
	uint8_t protocol, size_t size, size_t check)
{
	uint8_t *ip = out + 14, *body = ip + 20;

	memcpy(out, to_mac, 6);
	memcpy(out + 6, test_mac, 6);
	put16(out + 12, ETH_IP);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)(20 + size));
	ip[8] = 64;
	ip[9] = protocol;
	put32(ip + 12, from);
	put32(ip + 16, to);
	put16(ip + 10, fold(add_up(0, ip, 20)));
	put16(body + check, 0);
	put16(body + check,
		fold(add_up(protocol == PROTO_ICMP ? 0 : pseudo(ip, size), body, size)));
	guest_emits(out, 34 + size);
}

static void send_udp(const uint8_t mac[6], uint32_t from, uint32_t to, unsigned from_port,
	unsigned to_port, const void *data, size_t size)
{
	uint8_t out[2000];

	put16(out + 34, from_port);
	put16(out + 36, to_port);
	put16(out + 38, (unsigned)(8 + size));
	memcpy(out + 42, data, size);
	emit_ip(out, mac, from, to, PROTO_UDP, 8 + size, 6);
}

/* The frame that was taken is IP of @protocol with right checksums; its body, *ret_size bytes. */
static const uint8_t *ip_body(unsigned protocol, size_t *ret_size)
{
	const uint8_t *ip = frame + 14;
	size_t header = (size_t)(ip[0] & 15) * 4, total = get16(ip + 2);

	if (get16(frame + 12) != ETH_IP || ip[9] != protocol)
		return NULL;
	TK_EQ(fold(add_up(0, ip, header)), 0);
	TK_TRUE(total <= frame_size - 14);
	*ret_size = total - header;
	if (protocol != PROTO_UDP || get16(ip + header + 6))
		TK_EQ(fold(add_up(protocol == PROTO_ICMP ? 0 : pseudo(ip, *ret_size), ip + header,
			      *ret_size)),
			0);
	return ip + header;
}

static void answer_arp(uint32_t me)
{
	uint8_t out[60] = { 0 };

	if (get16(frame + 12) != ETH_ARP || frame[21] != 1 || get32(frame + 38) != me)
		return;
	memcpy(out, frame + 6, 6);
	memcpy(out + 6, test_mac, 6);
	memcpy(out + 12, frame + 12, 8);
	out[21] = 2;
	memcpy(out + 22, test_mac, 6);
	put32(out + 28, me);
	memcpy(out + 32, frame + 22, 10);
	guest_emits(out, sizeof(out));
}

/* The next frame of @protocol; who asks for our address meanwhile is told. */
static const uint8_t *next_of(unsigned protocol, size_t *ret_size)
{
	while (take_frame()) {
		const uint8_t *body = ip_body(protocol, ret_size);

		give_buffers(1);
		if (body)
			return body;
		answer_arp(GUEST);
	}
	return NULL;
}

static void find_gateway(void)
{
	uint8_t out[60] = { 0 };

	memcpy(out, everybody, 6);
	memcpy(out + 6, test_mac, 6);
	put16(out + 12, ETH_ARP);
	memcpy(out + 14, "\x00\x01\x08\x00\x06\x04\x00\x01", 8);
	memcpy(out + 22, test_mac, 6);
	put32(out + 28, GUEST);
	put32(out + 38, HOST);
	guest_emits(out, sizeof(out));
	for (;;) {
		TK_TRUE(take_frame());
		give_buffers(1);
		if (get16(frame + 12) == ETH_ARP && frame[21] == 2)
			break;
	}
	TK_EQ(get32(frame + 28), HOST);
	memcpy(gateway, frame + 22, 6);
}

/* ---- DHCP ---- */

static void send_dhcp(uint8_t type, uint32_t wanted)
{
	uint8_t out[300] = { 1, 1, 6, 0, 1, 2, 3, 4 };
	size_t at = 240;

	memcpy(out + 28, test_mac, 6);
	put32(out + 236, 0x63825363);
	memcpy(out + at, (const uint8_t[]){ 53, 1, type }, 3);
	at += 3;
	if (wanted) {
		memcpy(out + at, (const uint8_t[]){ 50, 4 }, 2);
		put32(out + at + 2, wanted);
		at += 6;
	}
	memcpy(out + at, (const uint8_t[]){ 55, 4, 1, 3, 6, 12 }, 6);
	out[at + 6] = 255;
	send_udp(everybody, 0, 0xffffffff, 68, 67, out, sizeof(out));
}

static const uint8_t *option(const uint8_t *dhcp, size_t size, uint8_t number)
{
	for (size_t at = 240; at + 1 < size && dhcp[at] != 255; at += 2u + dhcp[at + 1])
		if (dhcp[at] == number)
			return dhcp + at + 1;
	return NULL;
}

static void lease(uint32_t address, uint32_t router, uint32_t dns, const char *name)
{
	uint32_t offered = 0;

	for (uint8_t type = 1; type <= 3; type += 2) {
		const uint8_t *udp, *dhcp, *name_option;
		size_t size;

		send_dhcp(type, offered);
		udp = next_of(PROTO_UDP, &size);
		TK_TRUE(udp != NULL);
		TK_EQ(get16(udp + 2), 68);
		dhcp = udp + 8;
		size -= 8;
		offered = get32(dhcp + 16);
		TK_EQ(offered, address);
		TK_EQ(option(dhcp, size, 53)[1], type == 1 ? 2 : 5); /* offer, ack */
		TK_EQ(get32(option(dhcp, size, 3) + 1), router);
		TK_EQ(get32(option(dhcp, size, 6) + 1), dns);
		name_option = option(dhcp, size, 12);
		if (!name)
			continue;
		TK_TRUE(name_option != NULL && name_option[0] == strlen(name));
		TK_MEM_EQ(name_option + 1, name, strlen(name));
	}
}

TK_TEST(an_address_by_dhcp)
{
	bring_up("hostname = \"tenon-guest\";");
	lease(GUEST, HOST, DNS, "tenon-guest");
}

TK_TEST(another_network)
{
	bring_up("network = \"192.168.64.0/20\"; host = \"192.168.79.254\"; dns = "
		 "\"192.168.64.99\";");
	lease(0xc0a8400f, 0xc0a84ffe, 0xc0a84063, NULL);
}

/* ---- ARP, ping, UDP ---- */

static void ping(size_t size, unsigned number)
{
	uint8_t out[2000] = { 0 };

	out[34] = 8;
	put16(out + 40, number);
	for (size_t i = 8; i < size; i++)
		out[34 + i] = (uint8_t)(i + number);
	emit_ip(out, gateway, GUEST, HOST, PROTO_ICMP, size, 2);
}

TK_TEST(the_host_answers_a_ping)
{
	const uint8_t *echo;
	size_t size;

	bring_up("");
	find_gateway();
	ping(100, 7);
	echo = next_of(PROTO_ICMP, &size);
	TK_TRUE(echo != NULL);
	TK_EQ(size, 100);
	TK_EQ(echo[0], 0);
	TK_EQ(get16(echo + 6), 7);
	TK_EQ(echo[99], (uint8_t)(99 + 7));
}

static int host_socket(int type, unsigned *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	TK_TRUE(fd >= 0);
	TK_EQ(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	TK_EQ(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	if (type == SOCK_STREAM)
		TK_EQ(listen(fd, 128), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

TK_TEST(udp_to_the_host_and_back)
{
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	const uint8_t *udp;
	unsigned port;
	size_t size;
	char got[16];
	int fd;

	bring_up("");
	fd = host_socket(SOCK_DGRAM, &port);
	find_gateway();
	send_udp(gateway, GUEST, HOST, 5555, port, "question", 8);
	TK_EQ(recvfrom(fd, got, sizeof(got), 0, (struct sockaddr *)&from, &from_size), 8);
	TK_MEM_EQ(got, "question", 8);
	TK_EQ(sendto(fd, "answer", 6, 0, (const struct sockaddr *)&from, from_size), 6);
	udp = next_of(PROTO_UDP, &size);
	TK_TRUE(udp != NULL);
	TK_EQ(size, 8 + 6);
	TK_EQ(get16(udp), port);
	TK_EQ(get16(udp + 2), 5555);
	TK_MEM_EQ(udp + 8, "answer", 6);
	(void)close(fd);
}

/* ---- TCP ---- */

struct tcp {
	unsigned port, to_port;
	uint32_t to, sent, seen; /* sequence numbers, ours and theirs */
	unsigned window;
	bool closed;   /* by them */
	uint8_t *data; /* what came */
	size_t n_data;
};

static void send_tcp(struct tcp *t, uint8_t flags, const void *data, size_t size)
{
	uint8_t out[2000] = { 0 };

	put16(out + 34, t->port);
	put16(out + 36, t->to_port);
	put32(out + 38, t->sent);
	put32(out + 42, t->seen);
	out[46] = 5 << 4;
	out[47] = flags;
	put16(out + 48, t->window);
	if (size)
		memcpy(out + 54, data, size);
	t->sent += (uint32_t)size + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
	emit_ip(out, gateway, GUEST, t->to, PROTO_TCP, 20 + size, 16);
}

/* Takes what came for the connection; the flags of the last segment, 0 = none. */
static uint8_t receive_tcp(struct tcp *t)
{
	uint8_t flags = 0;
	const uint8_t *seg;
	size_t size;

	while ((seg = next_of(PROTO_TCP, &size))) {
		size_t header = (size_t)(seg[12] >> 4) * 4, n = size - header;

		if (get16(seg) != t->to_port || get16(seg + 2) != t->port)
			continue;
		flags = seg[13];
		if (flags & TCP_SYN)
			t->seen = get32(seg + 4) + 1;
		if (flags & (TCP_SYN | TCP_RST))
			return flags;
		if (get32(seg + 4) != t->seen)
			continue; /* again */
		if (n > 0) {
			t->data = realloc(t->data, t->n_data + n);
			memcpy(t->data + t->n_data, seg + header, n);
			t->n_data += n;
		}
		t->seen += (uint32_t)n;
		if (flags & TCP_FIN) {
			t->closed = true;
			t->seen++;
		}
		if (n > 0 || (flags & TCP_FIN))
			send_tcp(t, TCP_ACK, NULL, 0);
	}
	return flags;
}

static void connect_tcp(struct tcp *t, unsigned from, unsigned port)
{
	*t = (struct tcp){
		.port = from, .to_port = port, .to = HOST, .sent = 1000, .window = 65535
	};
	send_tcp(t, TCP_SYN, NULL, 0);
	TK_EQ(receive_tcp(t), TCP_SYN | TCP_ACK);
	send_tcp(t, TCP_ACK, NULL, 0);
}

static void must_read(int fd, const char *text)
{
	char got[64];

	tk_run_until_idle(dev);
	TK_EQ(recv(fd, got, sizeof(got), 0), strlen(text));
	TK_MEM_EQ(got, text, strlen(text));
}

TK_TEST(tcp_to_the_host)
{
	unsigned port;
	int fd, listener;
	struct tcp t;
	char end;

	bring_up("");
	listener = host_socket(SOCK_STREAM, &port);
	find_gateway();
	connect_tcp(&t, 4000, port);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	TK_TRUE(fd >= 0);
	send_tcp(&t, TCP_ACK | TCP_PSH, "hello", 5);
	must_read(fd, "hello");
	TK_EQ(send(fd, "welcome", 7, 0), 7);
	(void)receive_tcp(&t);
	TK_EQ(t.n_data, 7);
	TK_MEM_EQ(t.data, "welcome", 7);
	(void)shutdown(fd, SHUT_WR);
	(void)receive_tcp(&t);
	TK_TRUE(t.closed);
	send_tcp(&t, TCP_ACK | TCP_PSH, "late", 4); /* half-closed */
	must_read(fd, "late");
	send_tcp(&t, TCP_ACK | TCP_FIN, NULL, 0);
	tk_run_until_idle(dev);
	TK_EQ(recv(fd, &end, 1, 0), 0);
	(void)close(fd);
	(void)close(listener);
	free(t.data);
}

TK_TEST(nobody_listens)
{
	unsigned port;
	struct tcp t;
	int fd;

	bring_up("");
	fd = host_socket(SOCK_STREAM, &port);
	(void)close(fd);
	find_gateway();
	t = (struct tcp){ .port = 4000, .to_port = port, .to = HOST, .sent = 1, .window = 65535 };
	send_tcp(&t, TCP_SYN, NULL, 0);
	TK_TRUE(receive_tcp(&t) & TCP_RST);
}

static void unreachable(const char *settings)
{
	unsigned port;
	int listener;
	struct tcp t;

	bring_up(settings);
	listener = host_socket(SOCK_STREAM, &port);
	find_gateway();
	t = (struct tcp){ .port = 4000, .to_port = port, .to = HOST, .sent = 1, .window = 65535 };
	send_tcp(&t, TCP_SYN, NULL, 0);
	TK_TRUE(!(receive_tcp(&t) & TCP_SYN));
	TK_EQ(accept(listener, NULL, NULL), -1);
	(void)close(listener);
}

TK_TEST(a_restricted_guest_reaches_nothing)
{
	unreachable("restrict = true;");
}

TK_TEST(the_hosts_loopback_can_be_closed)
{
	unreachable("host_loopback = false;");
}

TK_TEST(a_slow_guest_gets_every_byte)
{
	const size_t size = 400000;
	uint8_t *bytes = malloc(size);
	size_t sent = 0;
	unsigned port, idle = 0;
	int fd, listener;
	struct tcp t;

	bring_up("");
	listener = host_socket(SOCK_STREAM, &port);
	find_gateway();
	connect_tcp(&t, 4000, port);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 31 + (i >> 9));
	while (t.n_data < size && idle < 100) {
		size_t before = t.n_data;
		ssize_t n = send(fd, bytes + sent, size - sent, 0);

		sent += n > 0 ? (size_t)n : 0;
		(void)receive_tcp(&t);
		idle = t.n_data == before ? idle + 1 : 0;
		if (idle)
			tk_advance_ms(50);
	}
	TK_EQ(t.n_data, size);
	TK_MEM_EQ(t.data, bytes, size);
	TK_EQ(tk_log_count(TENON_LOG_WARN), 0);
	(void)close(fd);
	(void)close(listener);
	free(bytes);
	free(t.data);
}

TK_TEST(much_from_the_guest)
{
	uint8_t piece[1000];
	unsigned port;
	size_t got = 0;
	int fd, listener;
	struct tcp t;

	bring_up("");
	listener = host_socket(SOCK_STREAM, &port);
	find_gateway();
	connect_tcp(&t, 4000, port);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	for (unsigned i = 0; i < 200; i++) {
		uint8_t in[4096];
		ssize_t n;

		memset(piece, (int)i, sizeof(piece));
		send_tcp(&t, TCP_ACK, piece, sizeof(piece));
		(void)receive_tcp(&t);
		while ((n = recv(fd, in, sizeof(in), 0)) > 0)
			for (ssize_t k = 0; k < n; k++, got++)
				TK_EQ(in[k], (uint8_t)(got / sizeof(piece)));
	}
	TK_EQ(got, 200 * sizeof(piece));
	(void)close(fd);
	(void)close(listener);
}

/* Starts the driver anew, without a single receive buffer. */
static void without_buffers(void)
{
	TK_EQ(tk_driver(dev, UINT64_MAX, 0), 0);
	given = taken = 0;
}

TK_TEST(a_guest_that_takes_nothing_loses_in_bounds)
{
	unsigned answers = 0;
	const uint8_t *echo;
	size_t size;

	bring_up("");
	find_gateway();
	without_buffers();
	for (unsigned i = 0; i < 500; i++)
		ping(1400, i);
	TK_TRUE(tk_log_has("does not take its frames and the queue is full"));
	give_buffers(BUFFERS);
	while ((echo = next_of(PROTO_ICMP, &size))) {
		TK_EQ(get16(echo + 6), answers); /* the first ones, in order */
		answers++;
	}
	TK_TRUE(answers > 300 && answers < 400);
	ping(100, 9999); /* and it goes on */
	echo = next_of(PROTO_ICMP, &size);
	TK_TRUE(echo != NULL && get16(echo + 6) == 9999);
}

TK_TEST(sockets_wait_while_the_guest_takes_nothing)
{
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	unsigned port, came = 0;
	uint8_t message[1400] = { 0 };
	char got[16];
	size_t size;
	int fd;

	bring_up("");
	fd = host_socket(SOCK_DGRAM, &port);
	find_gateway();
	without_buffers();
	send_udp(gateway, GUEST, HOST, 5555, port, "question", 8);
	TK_EQ(recvfrom(fd, got, sizeof(got), 0, (struct sockaddr *)&from, &from_size), 8);
	/* More than the queue holds: all but the first wait in the socket, as far as that goes. */
	for (unsigned i = 0; i < 450; i++) {
		memcpy(message, &i, sizeof(i));
		TK_EQ(sendto(fd, message, sizeof(message), 0, (const struct sockaddr *)&from,
			      from_size),
			sizeof(message));
		tk_run_until_idle(dev);
	}
	TK_EQ(tk_log_count(TENON_LOG_WARN), 0);
	give_buffers(BUFFERS);
	for (const uint8_t *udp; (udp = next_of(PROTO_UDP, &size)); came++)
		TK_MEM_EQ(udp + 8, &came, sizeof(came));
	TK_TRUE(came > 20 && came < 450);
	TK_EQ(tk_log_count(TENON_LOG_WARN), 0);
	(void)close(fd);
}

TK_TEST(limits_hold_here_too)
{
	unsigned answers = 0;
	size_t size;

	bring_up("rx_packets = 10; rx_packets_burst = 11;");
	find_gateway(); /* one frame */
	for (unsigned i = 0; i < 30; i++)
		ping(100, i);
	while (next_of(PROTO_ICMP, &size))
		answers++;
	TK_EQ(answers, 10);
	tk_advance_ms(1000);
	while (next_of(PROTO_ICMP, &size))
		answers++;
	TK_EQ(answers, 20);
	tk_advance_ms(5000);
	while (next_of(PROTO_ICMP, &size))
		answers++;
	TK_EQ(answers, 30);
}

/* ---- forwards ---- */

static unsigned free_port(int type)
{
	unsigned port;
	int fd = host_socket(type, &port);

	(void)close(fd);
	return port;
}

static int connect_host(int type, unsigned port)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	TK_TRUE(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		TK_EQ(errno, EINPROGRESS);
	return fd;
}

TK_TEST(a_tcp_port_leads_to_the_guest)
{
	unsigned port = free_port(SOCK_STREAM);
	char text[64];
	const uint8_t *seg;
	struct tcp t;
	size_t size;
	int fd;

	(void)snprintf(text, sizeof(text), "forward = ( \"tcp:127.0.0.1:%u:80\" );", port);
	bring_up(text);
	lease(GUEST, HOST, DNS, NULL);
	find_gateway();
	fd = connect_host(SOCK_STREAM, port);
	seg = next_of(PROTO_TCP, &size);
	TK_TRUE(seg != NULL && seg[13] == TCP_SYN);
	TK_EQ(get16(seg + 2), 80);
	t = (struct tcp){ .port = 80,
		.to_port = get16(seg),
		.to = get32(frame + 26),
		.sent = 77,
		.seen = get32(seg + 4) + 1,
		.window = 65535 };
	send_tcp(&t, TCP_SYN | TCP_ACK, NULL, 0);
	(void)receive_tcp(&t);
	TK_EQ(send(fd, "GET", 3, 0), 3);
	(void)receive_tcp(&t);
	TK_EQ(t.n_data, 3);
	TK_MEM_EQ(t.data, "GET", 3);
	send_tcp(&t, TCP_ACK | TCP_PSH, "200", 3);
	must_read(fd, "200");
	(void)close(fd);
	(void)receive_tcp(&t);
	TK_TRUE(t.closed);
	free(t.data);
}

TK_TEST(a_udp_port_leads_to_the_guest)
{
	unsigned port = free_port(SOCK_DGRAM);
	char text[80];
	const uint8_t *udp;
	size_t size;
	int fd;

	(void)snprintf(
		text, sizeof(text), "forward = ( \"udp:127.0.0.1:%u:10.0.2.15:53\" );", port);
	bring_up(text);
	lease(GUEST, HOST, DNS, NULL);
	find_gateway();
	fd = connect_host(SOCK_DGRAM, port);
	TK_EQ(send(fd, "name?", 5, 0), 5);
	udp = next_of(PROTO_UDP, &size);
	TK_TRUE(udp != NULL);
	TK_EQ(get16(udp + 2), 53);
	TK_MEM_EQ(udp + 8, "name?", 5);
	send_udp(gateway, GUEST, get32(frame + 26), 53, get16(udp), "addr!", 5);
	must_read(fd, "addr!");
	(void)close(fd);
}

TK_TEST(a_port_that_is_taken)
{
	unsigned port;
	int fd = host_socket(SOCK_STREAM, &port);
	char text[100];
	struct tk_dev *d;

	(void)snprintf(text, sizeof(text),
		"backend = \"user\"; forward = ( \"tcp:127.0.0.1:%u:80\" );", port);
	d = tk_create("net", text);
	TK_TRUE(tk_attach(d) < 0);
	TK_HAS_TEXT(tk_error(), "cannot forward");
	TK_HAS_TEXT(tk_error(), "Address already in use");
	tk_destroy(d);
	(void)close(fd);
}

/* ---- life ---- */

TK_TEST(a_connection_outlives_a_pause)
{
	unsigned port;
	int fd, listener;
	struct tcp t;

	bring_up("");
	listener = host_socket(SOCK_STREAM, &port);
	find_gateway();
	connect_tcp(&t, 4000, port);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	TK_EQ(tk_quiesce(dev), 0);
	TK_EQ(send(fd, "meanwhile", 9, 0), 9);
	tk_advance_ms(3000);
	TK_EQ(tk_used_len(buffers[taken % BUFFERS]), -1);
	TK_EQ(tk_resume(dev), 0);
	(void)receive_tcp(&t);
	TK_EQ(t.n_data, 9);
	(void)close(fd);
	(void)close(listener);
	free(t.data);
}

TK_TEST(many_connections)
{
	struct tcp t[150];
	int fds[150], listener;
	unsigned port;

	bring_up("");
	listener = host_socket(SOCK_STREAM, &port);
	find_gateway();
	for (unsigned i = 0; i < 150; i++) {
		connect_tcp(&t[i], 4000 + i, port);
		fds[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		TK_TRUE(fds[i] >= 0);
	}
	for (unsigned i = 0; i < 150; i += 2) { /* numbers of descriptors come again */
		(void)close(fds[i]);
		(void)receive_tcp(&t[i]);
		send_tcp(&t[i], TCP_ACK | TCP_FIN, NULL, 0);
	}
	for (unsigned i = 0; i < 150; i += 2) {
		connect_tcp(&t[i], 5000 + i, port);
		fds[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	}
	for (unsigned i = 0; i < 150; i++) {
		TK_EQ(send(fds[i], &i, sizeof(i), 0), sizeof(i));
		(void)receive_tcp(&t[i]);
		TK_EQ(t[i].n_data, sizeof(i));
		TK_MEM_EQ(t[i].data, &i, sizeof(i));
		free(t[i].data);
		(void)close(fds[i]);
	}
	(void)close(listener);
	/* and with the device the connections go that are left */
}

TK_TEST(the_next_driver_begins_anew)
{
	bring_up("");
	lease(GUEST, HOST, DNS, NULL);
	ping(1000, 1);
	without_buffers();
	give_buffers(BUFFERS);
	lease(GUEST, HOST, DNS, NULL);
}

TK_TEST(ipv6_is_advertised)
{
	bool came = false;

	bring_up("ipv6 = true;");
	tk_advance_ms(700000);
	while (take_frame())
		came |= get16(frame + 12) == ETH_IPV6 && frame[20] == 58 && frame[54] == 134;
	TK_TRUE(came);
}

TK_TEST(hostile)
{
	bring_up("ipv6 = true;");
	TK_TRUE(tk_hostile_run(dev) > 200);
}

TK_TEST(every_failure_of_attach_is_said)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
		"backend = \"user\"; ipv6 = true; forward = ( \"tcp:127.0.0.1:%u:80\" );",
		free_port(SOCK_STREAM));
	TK_TRUE(tk_fault_sweep("net", text) >= 12);
}

TK_MAIN()
