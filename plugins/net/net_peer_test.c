/* SPDX-License-Identifier: Apache-2.0 */
/* Peers behind unix sockets: framing, peers that are slow, that lose step, die and come back. */
#include "net_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>

#define MOST 1518u

/* ---- a peer with a listening socket ---- */

static char folder[64];
static struct sockaddr_un address;
static int listener = -1;

static void peer_listens(int type)
{
	listener = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	TK_TRUE(listener >= 0);
	(void)unlink(address.sun_path);
	TK_EQ(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	if (type == SOCK_STREAM)
		TK_EQ(listen(listener, 4), 0);
}

static int peer_accepts(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	TK_TRUE(fd >= 0);
	return fd;
}

static void peer_leaves(int peer)
{
	(void)close(peer);
	(void)close(listener);
	(void)unlink(address.sun_path);
}

static struct tk_dev *with_path(const char *backend, int type, const char *settings)
{
	char text[256];

	address = test_address(folder);
	peer_listens(type);
	(void)snprintf(text, sizeof(text), "backend = \"%s\"; path = \"%s\"; %s", backend,
		address.sun_path, settings);
	return tk_device("net", text);
}

/* Nothing is left of the folder but what the peer made. */
static void clean_up(struct tk_dev *d)
{
	tk_destroy(d);
	(void)unlink(address.sun_path);
	TK_EQ(rmdir(folder), 0);
}

static struct tk_dev *stream_wire(int *ret_peer)
{
	struct tk_dev *d = wired_type(SOCK_STREAM, "stream", "", ret_peer);

	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	return d;
}

static size_t with_length(uint8_t *to, const uint8_t *frame, size_t size)
{
	uint32_t length = htonl((uint32_t)size);

	memcpy(to, &length, 4);
	memcpy(to + 4, frame, size);
	return size + 4;
}

static void stream_gets(struct tk_dev *d, int peer, const uint8_t *frame, size_t size)
{
	static uint8_t wanted[70000], got[70000];
	size_t total = with_length(wanted, frame, size), have = 0;

	while (have < total) {
		ssize_t n = recv(peer, got + have, total - have, 0);

		if (n > 0) {
			have += (size_t)n;
			continue;
		}
		if (n == 0 || !tk_step())
			TK_FAIL("the peer got %zu bytes of %zu", have, total);
	}
	tk_run_until_idle(d);
	TK_MEM_EQ(got, wanted, total);
}

/* ---- stream ---- */

TK_TEST(frames_follow_their_length)
{
	uint8_t frame[200];
	int peer;
	struct tk_dev *d = stream_wire(&peer);

	for (unsigned i = 0; i < 40; i++) {
		make_frame(frame, 14 + i, test_mac, i);
		(void)guest_sends(d, frame, 14 + i);
	}
	tk_kick(d, TX);
	tk_run_until_idle(d);
	for (unsigned i = 0; i < 40; i++) {
		make_frame(frame, 14 + i, test_mac, i);
		stream_gets(d, peer, frame, 14 + i);
	}
	TK_EQ(tk_reap(d, TX), 40);
}

TK_TEST(frames_come_out_of_a_stream)
{
	uint8_t frame[200], stream[2000];
	struct tk_buf *b[8];
	size_t size = 0;
	int peer;
	struct tk_dev *d = stream_wire(&peer);

	for (unsigned i = 0; i < 8; i++) {
		b[i] = tk_in(d, RX, HEADER + MOST);
		make_frame(frame, 60 + i, test_mac, i);
		size += with_length(stream + size, frame, 60 + i);
	}
	tk_kick(d, RX);
	peer_sends(peer, stream, size);
	tk_run_until_idle(d);
	for (unsigned i = 0; i < 8; i++) {
		make_frame(frame, 60 + i, test_mac, i);
		check_received(b[i], frame, 60 + i);
	}
}

TK_TEST(a_stream_may_come_in_any_pieces)
{
	uint8_t frame[100], stream[2000];
	int peer;
	struct tk_dev *d = stream_wire(&peer);

	for (size_t step = 1; step < 230; step += 7) {
		struct tk_buf *b[2];
		size_t size = 0;

		for (unsigned i = 0; i < 2; i++) {
			b[i] = tk_in(d, RX, HEADER + MOST);
			make_frame(frame, sizeof(frame), test_mac, i + (unsigned)step);
			size += with_length(stream + size, frame, sizeof(frame));
		}
		tk_kick(d, RX);
		for (size_t at = 0; at < size; at += step) {
			peer_sends(peer, stream + at, at + step < size ? step : size - at);
			tk_run_until_idle(d);
		}
		for (unsigned i = 0; i < 2; i++) {
			make_frame(frame, sizeof(frame), test_mac, i + (unsigned)step);
			check_received(b[i], frame, sizeof(frame));
			tk_free(b[i]);
		}
	}
}

TK_TEST(the_longest_frame_in_a_stream)
{
	static uint8_t frame[65550], stream[65554];
	size_t at = 0;
	struct tk_buf *b;
	int peer;
	struct tk_dev *d = stream_wire(&peer);

	make_frame(frame, sizeof(frame), test_mac, 1);
	(void)with_length(stream, frame, sizeof(frame));
	b = tk_in(d, RX, HEADER + sizeof(frame));
	tk_kick(d, RX);
	while (at < sizeof(stream)) {
		ssize_t n = send(peer, stream + at, sizeof(stream) - at, 0);

		at += n > 0 ? (size_t)n : 0;
		tk_run_until_idle(d);
	}
	check_received(b, frame, sizeof(frame));
	(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	stream_gets(d, peer, frame, sizeof(frame));
}

TK_TEST(a_slow_reader_of_a_stream_gets_every_byte)
{
	uint8_t frame[1400];
	unsigned sent = 0, got = 0;
	int peer;
	struct tk_dev *d = stream_wire(&peer);

	for (; sent < 100; sent++) {
		make_frame(frame, sizeof(frame), test_mac, sent);
		(void)guest_sends(d, frame, sizeof(frame));
	}
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_TRUE(tk_reap(d, TX) < sent / 2);
	for (; got < sent; got++) {
		make_frame(frame, sizeof(frame), test_mac, got);
		stream_gets(d, peer, frame, sizeof(frame));
	}
	(void)tk_reap(d, TX);
	TK_EQ(tk_used_idx(d, TX), sent);
}

TK_TEST(a_stream_waits_for_buffers)
{
	uint8_t frame[300], stream[400];
	int peer;
	struct tk_dev *d = stream_wire(&peer);

	for (unsigned i = 0; i < 10; i++) {
		make_frame(frame, sizeof(frame), test_mac, i);
		peer_sends(peer, stream, with_length(stream, frame, sizeof(frame)));
	}
	tk_run_until_idle(d);
	for (unsigned i = 0; i < 10; i++) {
		struct tk_buf *b = tk_in(d, RX, HEADER + sizeof(frame));

		tk_kick(d, RX);
		tk_run_until_idle(d);
		make_frame(frame, sizeof(frame), test_mac, i);
		check_received(b, frame, sizeof(frame));
	}
}

TK_TEST(what_a_peer_said_before_it_went_is_heard)
{
	uint8_t frame[60], stream[64];
	struct tk_buf *b;
	int peer;
	struct tk_dev *d = stream_wire(&peer);

	make_frame(frame, sizeof(frame), test_mac, 1);
	peer_sends(peer, stream, with_length(stream, frame, sizeof(frame)));
	(void)close(peer);
	tk_run_until_idle(d); /* a hang-up that is not asked for must not turn the loop */
	TK_EQ(tk_config(d, STATUS, 2), 1);
	b = tk_in(d, RX, HEADER + MOST);
	(void)tk_in(d, RX, HEADER + MOST);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	check_received(b, frame, sizeof(frame));
	TK_EQ(tk_config(d, STATUS, 2), 0);
	TK_TRUE(tk_log_has("the peer is gone"));
	TK_TRUE(tk_log_has("the link stays down"));
}

TK_TEST(a_peer_that_dies_is_reached_again)
{
	uint8_t frame[60], stream[64];
	struct tk_buf *b;
	struct tk_dev *d = with_path("stream", SOCK_STREAM, "");
	int peer = peer_accepts();

	b = tk_in(d, RX, HEADER + MOST);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	peer_leaves(peer);
	tk_run_until_idle(d);
	TK_EQ(tk_config(d, STATUS, 2), 0);
	tk_fail_nth(TK_FAIL_OPEN, 0);
	tk_advance_ms(20000);
	TK_TRUE(tk_calls(TK_FAIL_OPEN) >= 6 && tk_calls(TK_FAIL_OPEN) <= 12); /* ever more seldom */
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1); /* once, however often it is tried */
	make_frame(frame, sizeof(frame), test_mac, 1);
	(void)guest_sends(d, frame, sizeof(frame)); /* does not stay in the queue */
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, TX), 1);
	peer_listens(SOCK_STREAM);
	tk_advance_ms(5000);
	peer = peer_accepts();
	TK_EQ(tk_config(d, STATUS, 2), 3); /* up, and announce yourself */
	TK_EQ(command(d, CONTROL, 3, 0, NULL, 0), 0);
	TK_EQ(tk_config(d, STATUS, 2), 1);
	peer_sends(peer, stream, with_length(stream, frame, sizeof(frame)));
	tk_run_until_idle(d);
	check_received(b, frame, sizeof(frame));
	peer_leaves(peer);
	clean_up(d);
}

TK_TEST(half_a_frame_is_forgotten_with_its_peer)
{
	uint8_t frame[60], stream[64];
	struct tk_buf *b;
	struct tk_dev *d = with_path("stream", SOCK_STREAM, "");
	int peer = peer_accepts();

	b = tk_in(d, RX, HEADER + MOST);
	tk_kick(d, RX);
	make_frame(frame, sizeof(frame), test_mac, 1);
	(void)with_length(stream, frame, sizeof(frame));
	peer_sends(peer, stream, 30);
	tk_run_until_idle(d);
	(void)close(peer);
	tk_advance_ms(200);
	peer = peer_accepts();
	make_frame(frame, sizeof(frame), test_mac, 2);
	peer_sends(peer, stream, with_length(stream, frame, sizeof(frame)));
	tk_run_until_idle(d);
	check_received(b, frame, sizeof(frame));
	peer_leaves(peer);
	clean_up(d);
}

TK_TEST(a_peer_that_loses_step_is_left)
{
	static const uint8_t wrong[][4] = { { 0, 0, 0, 0 }, { 0xff, 0xff, 0xff, 0xff },
		{ 0, 1, 0, 0x0f } };
	struct tk_dev *d = with_path("stream", SOCK_STREAM, "");
	int peer = peer_accepts();

	(void)tk_in(d, RX, HEADER + MOST);
	tk_kick(d, RX);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t byte;

		peer_sends(peer, wrong[i], 4);
		tk_run_until_idle(d);
		TK_EQ(recv(peer, &byte, 1, 0), 0);
		(void)close(peer);
		tk_advance_ms(200);
		peer = peer_accepts();
	}
	peer_leaves(peer);
	clean_up(d);
}

TK_TEST(a_writer_finds_out_that_the_peer_died)
{
	uint8_t frame[60];
	struct tk_dev *d = with_path("stream", SOCK_STREAM, "");
	int peer = peer_accepts();

	/* no receive buffers: only sending can tell */
	tk_run_until_idle(d);
	peer_leaves(peer);
	make_frame(frame, sizeof(frame), test_mac, 1);
	for (int i = 0; i < 70; i++)
		(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, TX), 70);
	TK_EQ(tk_config(d, STATUS, 2), 0);
	clean_up(d);
}

TK_TEST(a_driver_without_status_gets_no_interrupt_storm)
{
	struct tk_dev *d = with_path("stream", SOCK_STREAM, "");
	int peer = peer_accepts();

	TK_EQ(tk_driver(d, ~(1ull << 16 | 1ull << 21), 0), 0);
	tk_run_until_idle(d);
	tk_irqs_clear(d);
	for (int i = 0; i < 3; i++) {
		(void)tk_in(d, RX, HEADER + MOST);
		tk_kick(d, RX);
		tk_run_until_idle(d);
		(void)close(peer);
		tk_advance_ms(200);
		peer = peer_accepts();
	}
	TK_EQ(tk_config(d, STATUS, 2), 1); /* up, and no announcement */
	TK_TRUE(tk_irqs(d) <= 6);
	peer_leaves(peer);
	clean_up(d);
}

TK_TEST(reconnecting_stands_still_with_the_machine)
{
	struct tk_dev *d = with_path("stream", SOCK_STREAM, "");
	int peer = peer_accepts();

	(void)tk_in(d, RX, HEADER + MOST);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	(void)close(peer);
	tk_run_until_idle(d);
	TK_EQ(tk_quiesce(d), 0);
	tk_advance_ms(10000);
	TK_EQ(accept(listener, NULL, NULL), -1);
	TK_EQ(tk_resume(d), 0);
	tk_advance_ms(200);
	peer = peer_accepts();
	TK_EQ(tk_config(d, STATUS, 2) & 1, 1);
	peer_leaves(peer);
	clean_up(d);
}

/* ---- datagrams ---- */

TK_TEST(the_handshake_of_vfkit)
{
	struct sockaddr_un from;
	socklen_t size = sizeof(from);
	uint8_t frame[60], got[64];
	struct tk_dev *d = with_path("dgram", SOCK_DGRAM, "handshake = \"vfkit\";");
	struct tk_buf *b = tk_in(d, RX, HEADER + MOST);

	tk_kick(d, RX);
	tk_run_until_idle(d);
	TK_EQ(recvfrom(listener, got, sizeof(got), 0, (struct sockaddr *)&from, &size), 4);
	TK_MEM_EQ(got, "VFKT", 4);
	make_frame(frame, sizeof(frame), test_mac, 1);
	TK_EQ(sendto(listener, frame, sizeof(frame), 0, (const struct sockaddr *)&from, size),
		sizeof(frame)); /* to where it came from */
	tk_run_until_idle(d);
	check_received(b, frame, sizeof(frame));
	(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	peer_gets(listener, frame, sizeof(frame));
	clean_up(d); /* the device's own socket too */
}

TK_TEST(without_handshake_a_frame_comes_first)
{
	uint8_t frame[60];
	struct tk_dev *d = with_path("dgram", SOCK_DGRAM, "");

	peer_gets_nothing(listener);
	make_frame(frame, sizeof(frame), test_mac, 1);
	(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	peer_gets(listener, frame, sizeof(frame));
	clean_up(d);
}

TK_TEST(a_datagram_peer_that_dies_is_reached_again)
{
	uint8_t frame[60], got[64];
	struct tk_dev *d = with_path("dgram", SOCK_DGRAM, "handshake = \"vfkit\";");

	(void)close(listener);
	make_frame(frame, sizeof(frame), test_mac, 1);
	for (int i = 0; i < 3; i++)
		(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, TX), 3);
	TK_EQ(tk_config(d, STATUS, 2), 0);
	tk_advance_ms(3000);
	TK_EQ(tk_log_count(TENON_LOG_WARN), 2); /* that it is gone, and that frames are lost */
	peer_listens(SOCK_DGRAM);
	tk_advance_ms(5000);
	TK_EQ(recv(listener, got, sizeof(got), 0), 4); /* it says again who it is */
	TK_EQ(tk_config(d, STATUS, 2), 3);
	(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	peer_gets(listener, frame, sizeof(frame));
	clean_up(d);
}

TK_TEST(a_sequenced_socket_has_an_end)
{
	uint8_t frame[60];
	int peer;
	struct tk_dev *d = wired_type(SOCK_SEQPACKET, "dgram", "", &peer);
	struct tk_buf *b;

	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	b = tk_in(d, RX, HEADER + MOST);
	(void)tk_in(d, RX, HEADER + MOST);
	tk_kick(d, RX);
	make_frame(frame, sizeof(frame), test_mac, 1);
	peer_sends(peer, frame, sizeof(frame));
	tk_run_until_idle(d);
	check_received(b, frame, sizeof(frame));
	(void)close(peer);
	tk_run_until_idle(d);
	TK_EQ(tk_config(d, STATUS, 2), 0);
	TK_TRUE(tk_log_has("it closed the connection; the link stays down"));
}

/* ---- attach ---- */

static void refused(const char *settings, const char *why)
{
	struct tk_dev *d = tk_create("net", settings);

	TK_TRUE(d != NULL);
	TK_TRUE(tk_attach(d) < 0);
	TK_HAS_TEXT(tk_error(), why);
	tk_destroy(d);
}

TK_TEST(what_cannot_be_attached_is_said)
{
	char text[256];
	int fds[2], file = open("/dev/null", O_RDWR | O_CLOEXEC);

	refused("backend = \"stream\"; path = \"/tmp/tenon-no-such-peer\";",
		"cannot connect to \"/tmp/tenon-no-such-peer\": No such file or directory");
	refused("backend = \"dgram\"; path = \"/tmp/tenon-no-such-peer\";",
		"cannot reach a peer at \"/tmp/tenon-no-such-peer\"");
	memset(text, 0, sizeof(text));
	(void)snprintf(text, sizeof(text), "backend = \"stream\"; path = \"/%0120d\";", 1);
	refused(text, "File name too long");
	(void)snprintf(text, sizeof(text), "backend = \"dgram\"; path = \"/%0120d\";", 1);
	refused(text, "too long for a socket");
	(void)snprintf(text, sizeof(text), "backend = \"stream\"; fd = %d;", file);
	refused(text, "is no socket");
	(void)snprintf(text, sizeof(text), "backend = \"tap\"; fd = %d;", file);
	refused(text, "is no tap");
	TK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	(void)snprintf(text, sizeof(text), "backend = \"stream\"; fd = %d;", fds[0]);
	refused(text, "of another type than backend \"stream\" needs");
}

static void *read_on(void *arg)
{
	char got[16];

	(void)arg;
	while (recv(listener, got, sizeof(got), 0) > 0)
		;
	return NULL;
}

TK_TEST(every_failure_of_attach_is_said)
{
	char text[200];
	pthread_t reader;

	address = test_address(folder);
	peer_listens(SOCK_STREAM);
	(void)snprintf(
		text, sizeof(text), "backend = \"stream\"; path = \"%s\";", address.sun_path);
	/* the backlog is short: what was connected is taken off it */
	(void)fcntl(listener, F_SETFL, 0);
	TK_EQ(listen(listener, 4096), 0);
	TK_TRUE(tk_fault_sweep("net", text) >= 12);
	(void)close(listener);
	peer_listens(SOCK_DGRAM);
	(void)fcntl(listener, F_SETFL, 0);
	/* each try says who it is, and the queue is short */
	TK_EQ(pthread_create(&reader, NULL, read_on, NULL), 0);
	(void)snprintf(text, sizeof(text),
		"backend = \"dgram\"; handshake = \"vfkit\"; path = \"%s\";", address.sun_path);
	TK_TRUE(tk_fault_sweep("net", text) >= 12);
	(void)shutdown(listener, SHUT_RDWR);
	(void)pthread_join(reader, NULL);
	(void)unlink(address.sun_path);
	TK_EQ(rmdir(folder), 0);
}

TK_TEST(hostile)
{
	int peer;
	struct tk_dev *d = stream_wire(&peer);

	TK_TRUE(tk_hostile_run(d) > 200);
}

TK_TEST(hostile_with_a_peer_that_died)
{
	struct tk_dev *d = with_path("stream", SOCK_STREAM, "");

	peer_leaves(peer_accepts());
	TK_TRUE(tk_hostile_run(d) > 200);
	clean_up(d);
}

TK_MAIN()
