/* SPDX-License-Identifier: Apache-2.0 */
/* vsock: credit, many connections, many bytes. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "host_side.h"
#include "speaker.h"
#include "vsock.h"

/* ---- credit ---- */

SOCKET_TEST(the_guest_waits_for_credit_and_loses_nothing)
{
	static uint8_t bytes[65536], got[65536];
	struct guest_socket g;
	size_t received = 0;
	ssize_t n;
	int fd;

	begin("");
	g = one(&fd);
	while (speaker_credit(&g) > 0) {
		uint32_t part = speaker_credit(&g);

		part = part < sizeof(bytes) ? part : sizeof(bytes);
		memset(bytes, (int)(g.tx_cnt >> 16), part);
		speaker_send(&g, OP_RW, 0, bytes, part);
		tk_run_until_idle(dev);
	}
	speaker_send(&g, OP_CREDIT_REQUEST, 0, NULL, 0);
	(void)speaker_expect(&g, OP_CREDIT_UPDATE); /* what the socket took at once */
	TK_TRUE(g.peer_fwd < g.tx_cnt);
	while ((n = read(fd, got, sizeof(got))) > 0) {
		for (ssize_t i = 0; i < n; i++, received++)
			TK_EQ(got[i], (uint8_t)(received >> 16));
		tk_run_until_idle(dev);
	}
	TK_EQ(received, g.tx_cnt);
	(void)speaker_expect(&g, OP_CREDIT_UPDATE);
	TK_TRUE(speaker_credit(&g) > STREAM_BUFFER / 2);
	speaker_send(&g, OP_CREDIT_REQUEST, 0, NULL, 0);
	TK_EQ(speaker_expect(&g, OP_CREDIT_UPDATE)->h.fwd_cnt, g.tx_cnt);
}

SOCKET_TEST(the_host_waits_for_credit_and_loses_nothing)
{
	struct guest_socket g = { TYPE_STREAM, 5000, PORT, 10, 0, 0, 0, 0 };
	int l, fd;

	begin("");
	l = host_listen(SOCK_STREAM, "v_1234", 1);
	speaker_send(&g, OP_REQUEST, 0, NULL, 0);
	(void)speaker_expect(&g, OP_RESPONSE);
	fd = host_accept(l);
	host_says(fd, "0123456789abcdef");
	TK_EQ(speaker_expect(&g, OP_RW)->h.len, 10);
	g.fwd_cnt = 0; /* the program in the guest has not read it yet */
	(void)speaker_expect(&g, OP_CREDIT_REQUEST);
	speaker_silence();
	g.fwd_cnt = 4;
	speaker_send(&g, OP_CREDIT_UPDATE, 0, NULL, 0);
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "abcd", 4);
	(void)speaker_expect(NULL, OP_CREDIT_REQUEST);
	g.buf_alloc = 0; /* less than what is on its way */
	speaker_send(&g, OP_CREDIT_UPDATE, 0, NULL, 0);
	speaker_silence();
	g.buf_alloc = 100;
	speaker_send(&g, OP_CREDIT_UPDATE, 0, NULL, 0);
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "ef", 2);
}

SOCKET_TEST(a_buffer_that_is_too_small_is_given_back_in_its_turn)
{
	struct guest_socket g;
	struct tk_buf *b[3];
	int fd;

	begin("");
	tk_driver_reset(dev);
	TK_EQ(tk_driver(dev, ~0ull, 0), 0);
	speaker_start(dev, 1, 4096);
	g = one(&fd);
	speaker_buffers(0);
	host_says(fd, "the last of the others");
	(void)speaker_expect(&g, OP_RW);
	b[0] = tk_in(dev, QUEUE_RX, HEADER_SIZE + 4);
	b[1] = tk_in(dev, QUEUE_RX, HEADER_SIZE + 4);
	b[2] = tk_in(dev, QUEUE_RX, HEADER_SIZE);
	tk_kick(dev, QUEUE_RX);
	host_says(fd, "0123");
	tk_run_until_idle(dev);
	TK_EQ(tk_used_len(b[0]), HEADER_SIZE + 4);
	TK_EQ(tk_used_len(b[1]), -1);
	host_says(fd, "456789");
	tk_run_until_idle(dev);
	TK_EQ(tk_used_len(b[1]), HEADER_SIZE + 4);
	TK_MEM_EQ((const uint8_t *)tk_in_data(b[1]) + HEADER_SIZE, "4567", 4);
	TK_EQ(tk_used_len(b[2]), 0);
}

SOCKET_TEST(a_guest_without_buffers_stops_the_host_and_its_own_sending)
{
	struct guest_socket g = { TYPE_STREAM, 1, 2, 0, 0, 0, 0, 0 };
	unsigned answers = 0;
	struct packet p;

	begin("");
	tk_driver_reset(dev);
	TK_EQ(tk_driver(dev, ~0ull, 0), 0);
	speaker_start(dev, 0, 4096);
	for (unsigned i = 0; i < MOST_REPLIES + 32; i++)
		speaker_send(&g, OP_RW, 0, "x", 1); /* each of them takes an answer */
	tk_run_until_idle(dev);
	TK_EQ(tk_used_idx(dev, QUEUE_TX), MOST_REPLIES);
	speaker_buffers(16);
	while (speaker_next(&p)) {
		TK_EQ(p.h.op, OP_RST);
		answers++;
	}
	TK_EQ(answers, MOST_REPLIES + 32);
}

/* ---- many ---- */

SOCKET_TEST(ports_of_the_host_are_not_given_twice)
{
	uint32_t ports[50];

	begin("");
	for (unsigned i = 0; i < 50; i++) {
		host_says(host_dial(SOCK_STREAM, "v"), "CONNECT 1234\n");
		ports[i] = speaker_expect(NULL, OP_REQUEST)->h.src_port;
		for (unsigned k = 0; k < i; k++)
			TK_TRUE(ports[k] != ports[i]);
	}
}

SOCKET_TEST(two_thousand_at_once)
{
	enum { N = 2000 };
	static struct guest_socket g[N];
	static int fds[N];
	char text[16];
	int l;

	begin("");
	l = host_listen(SOCK_STREAM, "v_1234", N);
	for (unsigned i = 0; i < N; i++) {
		g[i] = speaker_connect(TYPE_STREAM, 10000 + i, PORT);
		fds[i] = host_accept(l);
	}
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(text, sizeof(text), "to %u", i);
		speaker_send(&g[i], OP_RW, 0, text, (uint32_t)strlen(text));
		(void)snprintf(text, sizeof(text), "from %u", i);
		host_says(fds[i], text);
		(void)speaker_expect(&g[i], OP_RW);
	}
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(text, sizeof(text), "to %u", i);
		host_hears(fds[i], text);
		speaker_send(&g[i], OP_SHUTDOWN, SHUT_BOTH, NULL, 0);
		(void)speaker_expect(&g[i], OP_RST);
		TK_TRUE(at_end(fds[i]));
		our_close(fds[i]);
	}
	/* And once more, the same ports. */
	for (unsigned i = 0; i < N; i++)
		(void)speaker_connect(TYPE_STREAM, 10000 + i, PORT);
}

SOCKET_TEST(there_are_no_more_than_allowed)
{
	struct guest_socket g = { TYPE_STREAM, 4, PORT, 65536, 0, 0, 0, 0 };
	int fd;

	begin("connections = 3;");
	(void)host_listen(SOCK_STREAM, "v_1234", 16);
	for (unsigned i = 1; i <= 3; i++)
		(void)speaker_connect(TYPE_STREAM, i, PORT);
	speaker_send(&g, OP_REQUEST, 0, NULL, 0);
	(void)speaker_expect(&g, OP_RST);
	fd = host_dial(SOCK_STREAM, "v"); /* waits */
	host_says(fd, "CONNECT 9\n");
	speaker_silence();
	g.guest_port = 2;
	speaker_send(&g, OP_RST, 0, NULL, 0);
	tk_advance_ms(20);
	TK_EQ(speaker_expect(NULL, OP_REQUEST)->h.dst_port, 9);
}

#ifdef __SANITIZE_THREAD__
#define MUCH (25u << 20) /* every byte that is copied costs it eight */
#else
#define MUCH (100u << 20)
#endif

#define PERIOD 65521u /* of what is sent: no size of a packet or a buffer */

/* What is to be at @place, and 32K more. */
static const uint8_t *content(size_t place)
{
	static uint8_t bytes[2 * PERIOD];
	uint64_t state = 1;

	for (size_t i = 0; bytes[0] == 0 && i < PERIOD; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		bytes[PERIOD - 1 - i] = (uint8_t)(state >> 57) + 1;
	}
	if (bytes[PERIOD] == 0)
		memcpy(bytes + PERIOD, bytes, PERIOD);
	return bytes + place % PERIOD;
}

SOCKET_TEST(a_hundred_megabytes_go_to_the_host)
{
	static uint8_t got[32768];
	struct guest_socket g;
	struct packet p;
	size_t total = 0;
	int fd;

	begin("");
	g = one(&fd);
	while (total < MUCH) {
		ssize_t n;

		while (g.tx_cnt < MUCH && speaker_credit(&g) >= 16384)
			speaker_send(&g, OP_RW, 0, content(g.tx_cnt), 16384);
		tk_run_until_idle(dev);
		while ((n = read(fd, got, sizeof(got))) > 0) {
			TK_EQ(memcmp(got, content(total), (size_t)n), 0);
			total += (size_t)n;
		}
		while (speaker_next(&p)) {
			TK_EQ(p.h.op, OP_CREDIT_UPDATE);
			g.peer_fwd = p.h.fwd_cnt;
		}
	}
	TK_EQ(total, MUCH);
}

SOCKET_TEST(a_hundred_megabytes_go_to_the_guest)
{
	size_t given = 0, total = 0;
	struct guest_socket g;
	struct packet p;
	int fd;

	begin("");
	tk_driver_reset(dev);
	TK_EQ(tk_driver(dev, ~0ull, 0), 0);
	speaker_start(dev, 24, 16384);
	g = one(&fd);
	while (total < MUCH) {
		ssize_t n = 1;

		while (given < MUCH && n > 0) {
			n = write(fd, content(given), MUCH - given < 32768 ? MUCH - given : 32768);
			given += n > 0 ? (size_t)n : 0;
		}
		while (speaker_next(&p)) {
			if (p.h.op == OP_CREDIT_REQUEST) {
				speaker_send(&g, OP_CREDIT_UPDATE, 0, NULL, 0);
				continue;
			}
			TK_EQ(p.h.op, OP_RW);
			TK_EQ(memcmp(p.bytes, content(total), p.h.len), 0);
			total += p.h.len;
			g.fwd_cnt += p.h.len;
		}
	}
	TK_EQ(total, MUCH);
}

TK_MAIN()
