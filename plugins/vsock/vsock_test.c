/* SPDX-License-Identifier: Apache-2.0 */
/* vsock: connections over unix sockets, their beginnings and their ends. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "host_side.h"
#include "speaker.h"
#include "vsock.h"

/* ---- what it is ---- */

SOCKET_TEST(is_a_socket_device_with_the_guests_address)
{
	begin("cid = 77;");
	TK_EQ(tk_device_id(dev), 19);
	TK_EQ(tk_n_queues(dev), 3);
	TK_EQ(tk_config(dev, 0, 4), 77);
	TK_EQ(tk_config(dev, 4, 4), 0);
	TK_EQ(tk_features(dev) & 0xff, F_STREAM | F_SEQPACKET);
}

/* ---- beginnings ---- */

SOCKET_TEST(the_guest_connects_to_a_port)
{
	struct guest_socket g;
	int l, fd;

	begin("");
	l = host_listen(SOCK_STREAM, "v_1234", 1);
	g = speaker_connect(TYPE_STREAM, 5000, PORT);
	fd = host_accept(l);
	TK_EQ(g.peer_alloc, STREAM_BUFFER);
	speaker_send(&g, OP_RW, 0, "hello", 5);
	tk_run_until_idle(dev);
	host_hears(fd, "hello");
	host_says(fd, "world");
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "world", 5);
	TK_EQ(g.peer_fwd, 5);
	speaker_silence();
}

SOCKET_TEST(a_port_may_be_mapped_to_a_path)
{
	int l;

	begin("connect = ( \"1234:mapped\" );");
	l = host_listen(SOCK_STREAM, "mapped", 1);
	(void)speaker_connect(TYPE_STREAM, 5000, PORT);
	(void)host_accept(l);
}

SOCKET_TEST(a_port_where_nobody_listens_is_refused)
{
	struct guest_socket g = { TYPE_STREAM, 5000, PORT, 65536, 0, 0, 0, 0 };

	begin("");
	speaker_send(&g, OP_REQUEST, 0, NULL, 0);
	(void)speaker_expect(&g, OP_RST);
	our_close(host_listen(SOCK_STREAM, "v_1234", 1));
	speaker_send(&g, OP_REQUEST, 0, NULL, 0);
	(void)speaker_expect(&g, OP_RST);
	speaker_silence();
}

SOCKET_TEST(a_listener_that_is_full_is_tried_again)
{
	struct guest_socket g = { TYPE_STREAM, 5000, PORT, 65536, 0, 0, 0, 0 };
	int l;

	begin("");
	l = host_listen(SOCK_STREAM, "v_1234", 0);
	(void)host_dial(SOCK_STREAM, "v_1234");
	speaker_send(&g, OP_REQUEST, 0, NULL, 0);
	tk_advance_ms(500);
	speaker_silence();
	(void)host_accept(l);
	tk_advance_ms(20);
	(void)speaker_expect(&g, OP_RESPONSE);
	g.guest_port++;
	speaker_send(&g, OP_REQUEST, 0, NULL, 0);
	tk_advance_ms(2100);
	(void)speaker_expect(&g, OP_RST);
}

SOCKET_TEST(the_host_connects_to_a_port)
{
	struct guest_socket g = { TYPE_STREAM, PORT, 0, 65536, 0, 0, 0, 0 };
	char text[32];
	int fd;

	begin("");
	fd = host_dial(SOCK_STREAM, "v");
	host_says(fd, "CONNECT 12");
	speaker_silence();
	host_says(fd, "34\nfirst");
	g.host_port = speaker_expect(NULL, OP_REQUEST)->h.src_port;
	speaker_silence();
	speaker_send(&g, OP_RESPONSE, 0, NULL, 0);
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "first", 5);
	(void)snprintf(text, sizeof(text), "OK %u\n", g.host_port);
	host_hears(fd, text);
	speaker_send(&g, OP_RW, 0, "yes", 3);
	tk_run_until_idle(dev);
	host_hears(fd, "yes");
}

SOCKET_TEST(a_path_may_lead_to_a_port_of_the_guest)
{
	struct guest_socket g = { TYPE_STREAM, 22, 0, 65536, 0, 0, 0, 0 };
	int fd;

	begin("listen = ( \"22:ssh\" );");
	fd = host_dial(SOCK_STREAM, "ssh");
	host_says(fd, "x");
	g.host_port = speaker_expect(NULL, OP_REQUEST)->h.src_port;
	speaker_send(&g, OP_RESPONSE, 0, NULL, 0);
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "x", 1);
	speaker_send(&g, OP_RW, 0, "y", 1);
	tk_run_until_idle(dev);
	host_hears(fd, "y"); /* and no OK before it */
}

SOCKET_TEST(a_guest_that_refuses_closes_the_hosts_socket)
{
	struct guest_socket g = { TYPE_STREAM, PORT, 0, 0, 0, 0, 0, 0 };
	int fd;

	begin("");
	fd = host_dial(SOCK_STREAM, "v");
	host_says(fd, "CONNECT 1234\n");
	g.host_port = speaker_expect(NULL, OP_REQUEST)->h.src_port;
	speaker_send(&g, OP_RST, 0, NULL, 0);
	tk_run_until_idle(dev);
	TK_TRUE(at_end(fd));
	speaker_silence();
}

SOCKET_TEST(a_client_that_does_not_say_connect_is_closed)
{
	static const char *const wrong[] = { "GET / HTTP/1.1\r\n", "CONNECT \n", "CONNECT x\n",
		"CONNECT 99999999999\n", "CONNECT 000000000000000000000000000001\n",
		"CONNECT 4294967295\n" };

	begin("");
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int fd = host_dial(SOCK_STREAM, "v");

		host_says(fd, wrong[i]);
		speaker_silence();
		TK_TRUE(read(fd, settings, 1) <= 0 && errno != EAGAIN);
	}
}

SOCKET_TEST(a_client_that_goes_before_the_guest_answers_is_told_to_it)
{
	struct guest_socket g = { TYPE_STREAM, PORT, 0, 0, 0, 0, 0, 0 };
	int fd;

	begin("");
	fd = host_dial(SOCK_STREAM, "v");
	host_says(fd, "CONNECT 1234\n");
	g.host_port = speaker_expect(NULL, OP_REQUEST)->h.src_port;
	our_close(fd);
	(void)speaker_expect(&g, OP_RST);
}

SOCKET_TEST(clients_wait_until_there_is_a_driver)
{
	struct tk_dev *d;
	int fd;

	begin("");
	tk_driver_reset(dev);
	tk_run_until_idle(dev);
	fd = host_dial(SOCK_STREAM, "v");
	host_says(fd, "CONNECT 1234\n");
	tk_run_until_idle(dev);
	d = dev;
	TK_EQ(tk_driver(d, ~0ull, 0), 0);
	speaker_start(d, 8, 4096);
	TK_EQ(speaker_expect(NULL, OP_REQUEST)->h.dst_port, 1234);
}

SOCKET_TEST(packets_that_come_together_keep_their_order)
{
	struct guest_socket a, b;
	char text[64] = "";
	int l, fds[2];

	begin("");
	l = host_listen(SOCK_STREAM, "v_1234", 8);
	a = speaker_connect(TYPE_STREAM, 5000, PORT);
	fds[0] = host_accept(l);
	b = speaker_connect(TYPE_STREAM, 5001, PORT);
	fds[1] = host_accept(l);
	for (unsigned i = 0; i < MOST_BURST + 8; i++) {
		(void)snprintf(text + i, sizeof(text) - i, "%c", 'A' + (int)i);
		speaker_send(&a, OP_RW, 0, text + i, 1);
	}
	speaker_send(&b, OP_RW, 0, "be", 2);
	speaker_send(&a, OP_RW, 0, "!", 1);
	speaker_send(&b, OP_RW, 0, "tween", 5);
	speaker_send(&a, OP_SHUTDOWN, SHUT_SEND, NULL, 0);
	text[MOST_BURST + 8] = '!';
	tk_run_until_idle(dev);
	host_hears(fds[0], text);
	TK_TRUE(at_end(fds[0]));
	host_hears(fds[1], "between");
}

SOCKET_TEST(a_packet_in_many_pieces_arrives_whole)
{
	static uint8_t bytes[200];
	struct tk_part parts[201];
	uint8_t raw[HEADER_SIZE], got[201];
	struct header h = { SPEAKER_CID, HOST_CID, 5000, PORT, 200, TYPE_STREAM, OP_RW, 0, 0, 0 };
	int fd;

	begin("");
	(void)one(&fd);
	header_encode(&h, raw);
	parts[0] = (struct tk_part){ 0, raw, HEADER_SIZE, 0 };
	for (unsigned i = 0; i < 200; i++) {
		bytes[i] = (uint8_t)i;
		parts[1 + i] = (struct tk_part){ 0, &bytes[i], 1, 0 };
	}
	(void)tk_chain(dev, QUEUE_TX, parts, 201);
	tk_kick(dev, QUEUE_TX);
	tk_run_until_idle(dev);
	TK_EQ(read(fd, got, sizeof(got)), 200);
	TK_MEM_EQ(got, bytes, 200);
}

/* ---- ends ---- */

SOCKET_TEST(the_guest_closes_its_sending_half)
{
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	speaker_send(&g, OP_RW, 0, "last", 4);
	speaker_send(&g, OP_SHUTDOWN, SHUT_SEND, NULL, 0);
	tk_run_until_idle(dev);
	host_hears(fd, "last");
	TK_TRUE(at_end(fd));
	host_says(fd, "answer"); /* the other half is open */
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "answer", 6);
	our_close(fd);
	TK_EQ(speaker_expect(&g, OP_SHUTDOWN)->h.flags, SHUT_BOTH);
	speaker_send(&g, OP_SHUTDOWN, SHUT_BOTH, NULL, 0);
	(void)speaker_expect(&g, OP_RST);
}

SOCKET_TEST(the_host_closes_its_sending_half)
{
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	host_says(fd, "last");
	TK_EQ(shutdown(fd, SHUT_WR), 0);
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "last", 4);
	TK_EQ(speaker_expect(&g, OP_SHUTDOWN)->h.flags, SHUT_SEND);
	speaker_send(&g, OP_RW, 0, "answer", 6);
	tk_run_until_idle(dev);
	host_hears(fd, "answer");
	speaker_send(&g, OP_SHUTDOWN, SHUT_BOTH, NULL, 0);
	(void)speaker_expect(&g, OP_RST);
	TK_TRUE(at_end(fd));
}

SOCKET_TEST(the_host_closes_with_data_under_way)
{
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	host_says(fd, "last");
	our_close(fd);
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "last", 4);
	TK_EQ(speaker_expect(&g, OP_SHUTDOWN)->h.flags, SHUT_BOTH);
	speaker_send(&g, OP_RST, 0, NULL, 0);
	speaker_silence();
}

SOCKET_TEST(a_guest_that_closes_gets_its_bytes_through_first)
{
	static uint8_t bytes[65536];
	struct guest_socket g;
	struct packet p;
	size_t got = 0;
	ssize_t n;
	int fd;

	begin("");
	g = one(&fd);
	while (speaker_credit(&g) >= sizeof(bytes)) {
		speaker_send(&g, OP_RW, 0, bytes, sizeof(bytes));
		while (speaker_next(&p))
			g.peer_fwd = p.h.fwd_cnt;
	}
	speaker_send(&g, OP_CREDIT_REQUEST, 0, NULL, 0);
	TK_TRUE(speaker_expect(&g, OP_CREDIT_UPDATE)->h.fwd_cnt < g.tx_cnt);
	speaker_send(&g, OP_SHUTDOWN, SHUT_BOTH, NULL, 0);
	speaker_send(&g, OP_RST, 0, NULL, 0); /* it has no patience */
	tk_run_until_idle(dev);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		got += (size_t)n;
		tk_run_until_idle(dev);
	}
	TK_EQ(n, 0);
	TK_EQ(got, g.tx_cnt);
	while (speaker_next(&p))
		TK_EQ(p.h.op, OP_CREDIT_UPDATE);
	/* The ports were free all the time. */
	(void)unlink(at("v_1234"));
	(void)one(&fd);
}

SOCKET_TEST(a_reset_in_flight_ends_it_at_once)
{
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	speaker_buffers(0);
	host_says(fd, "never read");
	speaker_send(&g, OP_RW, 0, "data", 4);
	speaker_send(&g, OP_RST, 0, NULL, 0);
	tk_run_until_idle(dev);
	host_hears(fd, "data");
	errno = 0;
	TK_TRUE(read(fd, settings, 1) <= 0 && errno != EAGAIN);
}

SOCKET_TEST(a_host_that_stops_reading_is_told_to_the_guest)
{
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	TK_EQ(shutdown(fd, SHUT_RD), 0);
	speaker_send(&g, OP_RW, 0, "data", 4);
	TK_EQ(speaker_expect(&g, OP_SHUTDOWN)->h.flags, SHUT_RECEIVE);
	host_says(fd, "but writes");
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "but writes", 10);
}

SOCKET_TEST(a_guest_that_stops_reading_is_told_to_the_host)
{
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	speaker_send(&g, OP_SHUTDOWN, SHUT_RECEIVE, NULL, 0);
	tk_run_until_idle(dev);
	TK_EQ(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	TK_EQ(errno, EPIPE);
	speaker_send(&g, OP_RW, 0, "data", 4);
	tk_run_until_idle(dev);
	host_hears(fd, "data");
}

/* ---- what a guest may not do ---- */

SOCKET_TEST(packets_of_no_connection_are_answered_with_rst)
{
	struct guest_socket g = { TYPE_STREAM, 5000, PORT, 65536, 0, 0, 0, 0 };
	struct header h = { SPEAKER_CID, HOST_CID, 9, 8, 0, 7, OP_REQUEST, 0, 0, 0 };

	begin("");
	speaker_send(&g, OP_RW, 0, "data", 4);
	(void)speaker_expect(&g, OP_RST);
	speaker_send(&g, 99, 0, NULL, 0);
	(void)speaker_expect(&g, OP_RST);
	speaker_send(&g, OP_RST, 0, NULL, 0);
	speaker_silence(); /* no RST for a RST */
	speaker_raw(&h, NULL, 0);
	TK_EQ(speaker_expect(NULL, OP_RST)->h.type, 7); /* an unknown type */
}

SOCKET_TEST(another_guests_address_is_not_believed)
{
	struct header h = { 4, HOST_CID, 5000, PORT, 0, TYPE_STREAM, OP_REQUEST, 0, 1, 0 };

	begin("");
	(void)host_listen(SOCK_STREAM, "v_1234", 1);
	speaker_raw(&h, NULL, 0);
	speaker_silence();
	TK_TRUE(tk_log_has("its source is not the guest's address"));
}

SOCKET_TEST(another_hosts_address_is_refused)
{
	struct header h = { SPEAKER_CID, 9, 5000, PORT, 0, TYPE_STREAM, OP_REQUEST, 0, 1, 0 }, got;
	struct tk_buf *b;

	begin("");
	tk_driver_reset(dev);
	TK_EQ(tk_driver(dev, ~0ull, 0), 0);
	speaker_start(dev, 0, 4096);
	b = tk_in(dev, QUEUE_RX, 4096);
	speaker_raw(&h, NULL, 0);
	tk_run_until_idle(dev);
	TK_EQ(tk_used_len(b), HEADER_SIZE);
	header_decode(&got, tk_in_data(b));
	TK_EQ(got.op, OP_RST);
	TK_EQ(got.src_cid, 9);
}

SOCKET_TEST(a_length_that_is_not_there_is_refused)
{
	struct header h = { SPEAKER_CID, HOST_CID, 5000, PORT, 5, TYPE_STREAM, OP_RW, 0, 0, 0 };

	begin("");
	speaker_raw(&h, "four", 4);
	(void)speaker_expect(NULL, OP_RST);
	h.len = UINT32_MAX;
	speaker_raw(&h, "four", 4);
	(void)speaker_expect(NULL, OP_RST);
	h.len = 4;
	h.op = OP_CREDIT_UPDATE;
	speaker_raw(&h, "four", 4);
	(void)speaker_expect(NULL, OP_RST);
}

SOCKET_TEST(a_guest_that_ignores_its_credit_is_reset)
{
	static uint8_t bytes[65536];
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	for (unsigned i = 0; i < 12; i++) /* what the socket takes, the credit, and one more */
		speaker_send(&g, OP_RW, 0, bytes, sizeof(bytes));
	while (speaker_expect(NULL, OP_RST)->h.op != OP_RST)
		;
	speaker_silence();
}

SOCKET_TEST(a_packet_beyond_the_credit_is_reset)
{
	static uint8_t bytes[STREAM_BUFFER + 1];
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	speaker_send(&g, OP_RW, 0, bytes, sizeof(bytes));
	(void)speaker_expect(&g, OP_RST);
}

/* ---- what fails ---- */

SOCKET_TEST(without_memory_a_connection_is_refused)
{
	struct guest_socket g = { TYPE_STREAM, 5000, PORT, 65536, 0, 0, 0, 0 };
	int fd;

	begin("");
	(void)host_listen(SOCK_STREAM, "v_1234", 8);
	for (unsigned i = 1; i <= 2; i++) {
		tk_fail_nth(TK_FAIL_ALLOC, i);
		speaker_send(&g, OP_REQUEST, 0, NULL, 0);
		(void)speaker_expect(&g, OP_RST);
		TK_TRUE(tk_fail_fired());
	}
	tk_fail_nth(TK_FAIL_ALLOC, 1);
	fd = host_dial(SOCK_STREAM, "v");
	tk_run_until_idle(dev);
	TK_TRUE(tk_fail_fired());
	TK_TRUE(at_end(fd));
	(void)speaker_connect(TYPE_STREAM, 5000, PORT);
}

SOCKET_TEST(without_descriptors_a_connection_is_refused)
{
	struct guest_socket g = { TYPE_STREAM, 5000, PORT, 65536, 0, 0, 0, 0 };

	begin("");
	(void)host_listen(SOCK_STREAM, "v_1234", 8);
	tk_fail_nth(TK_FAIL_OPEN, 1);
	speaker_send(&g, OP_REQUEST, 0, NULL, 0);
	(void)speaker_expect(&g, OP_RST);
	TK_TRUE(tk_fail_fired());
}

SOCKET_TEST(a_read_that_fails_resets_the_connection)
{
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	tk_fail_nth(TK_FAIL_READ, 1);
	host_says(fd, "x");
	(void)speaker_expect(&g, OP_RST);
	TK_TRUE(tk_fail_fired());
}

/* ---- life ---- */

SOCKET_TEST(a_reset_closes_everything)
{
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	speaker_send(&g, OP_RW, 0, "x", 1);
	tk_run_until_idle(dev);
	tk_driver_reset(dev);
	tk_run_until_idle(dev);
	host_hears(fd, "x");
	TK_TRUE(at_end(fd));
}

SOCKET_TEST(nothing_moves_while_quiesced)
{
	struct guest_socket g;
	int fd;

	begin("");
	g = one(&fd);
	TK_EQ(tk_quiesce(dev), 0);
	host_says(fd, "later");
	speaker_silence();
	TK_EQ(tk_resume(dev), 0);
	tk_advance_ms(1);
	TK_MEM_EQ(speaker_expect(&g, OP_RW)->bytes, "later", 5);
}

SOCKET_TEST(its_socket_goes_with_it)
{
	struct stat st;

	begin("");
	TK_EQ(stat(at("v"), &st), 0);
	tk_destroy(dev);
	TK_EQ(stat(at("v"), &st), -1);
}

SOCKET_TEST(a_socket_that_somebody_left_is_replaced)
{
	struct sockaddr_un address;
	int fd;

	begin("");
	tk_destroy(dev);
	fd = unix_socket(SOCK_STREAM, "v", &address);
	TK_EQ(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	our_close(fd);
	dev = tk_device("vsock", settings);
}

SOCKET_TEST(a_socket_that_is_in_use_is_not)
{
	struct tk_dev *other;

	begin("");
	other = tk_create("vsock", settings);
	TK_EQ(tk_attach(other), -EADDRINUSE);
	TK_HAS_TEXT(tk_error(), "cannot listen at \"");
	tk_destroy(other);
	our_close(host_dial(SOCK_STREAM, "v")); /* it is still there */
}

SOCKET_TEST(a_file_is_not_taken_for_a_socket)
{
	struct tk_dev *other;

	begin("");
	tk_destroy(dev);
	(void)close(open(at("v"), O_CREAT | O_WRONLY, 0600));
	other = tk_create("vsock", settings);
	TK_EQ(tk_attach(other), -EADDRINUSE);
	TK_EQ(access(at("v"), F_OK), 0);
}

SOCKET_TEST(settings_are_checked)
{
	static const char long_path[] =
		"socket = \"/tmp/0123456789012345678901234567890123456789012345678901234567"
		"8901234567890123456789012345678901234567890123\";";

	TK_TRUE(tk_create("vsock", "connect = ( \"x:/a\" );") == NULL);
	TK_HAS_TEXT(tk_error(), "\"connect\" holds \"x:/a\", wanted \"PORT:PATH\"");
	TK_TRUE(tk_create("vsock", "listen = ( \"1:/a\", \"1:/b\" );") == NULL);
	TK_HAS_TEXT(tk_error(), "\"listen\" holds port 1 twice");
	TK_TRUE(tk_create("vsock", "cid = 2;") == NULL);
	TK_TRUE(tk_create("vsock", long_path) == NULL);
	TK_HAS_TEXT(tk_error(), "\"socket\" is too long for a unix socket");
}

SOCKET_TEST(every_fault_is_survived)
{
	char text[256];

	begin("");
	(void)snprintf(text, sizeof(text),
		"socket = \"%s\"; seqpacket = \"%s\"; listen = ( \"1:%s\" ); connect = ( \"2:x\" "
		");",
		at("f"), at("g"), at("h"));
	TK_TRUE(tk_fault_sweep("vsock", text) >= 12);
}

SOCKET_TEST(needs_its_services)
{
	tk_lack_service("tenon.event/1");
	TK_TRUE(tk_plugin_try(NULL) == NULL);
	TK_TRUE(tk_log_has("vsock: this core lacks a service that is needed"));
}

SOCKET_TEST(stands_the_hostile_driver)
{
	begin("");
	TK_TRUE(tk_hostile_run(dev) > 200);
}

TK_MAIN()
