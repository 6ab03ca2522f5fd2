/* SPDX-License-Identifier: Apache-2.0 */
/* vsock: SEQPACKET. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tenon/testkit.h>

#include "host_side.h"
#include "speaker.h"
#include "vsock.h"

SOCKET_TEST(messages_keep_their_boundaries)
{
	struct guest_socket g;
	struct packet *p;
	char got[64];
	int l, fd;

	begin("");
	l = host_listen(SOCK_SEQPACKET, "v_1234", 1);
	g = speaker_connect(TYPE_SEQPACKET, 5000, PORT);
	fd = host_accept(l);
	speaker_send(&g, OP_RW, 0, "one ", 4);
	tk_run_until_idle(dev);
	TK_EQ(recv(fd, got, sizeof(got), 0), -1);
	speaker_send(&g, OP_RW, END_OF_MESSAGE | END_OF_RECORD, "message", 7);
	speaker_send(&g, OP_RW, END_OF_MESSAGE, "two", 3);
	tk_run_until_idle(dev);
	TK_EQ(recv(fd, got, sizeof(got), 0), 11);
	TK_MEM_EQ(got, "one message", 11);
	TK_EQ(recv(fd, got, sizeof(got), 0), 3);
	(void)speaker_expect(&g, OP_CREDIT_UPDATE);
	host_says(fd, "three");
	host_says(fd, "four");
	p = speaker_expect(&g, OP_RW);
	TK_MEM_EQ(p->bytes, "three", 5);
	TK_EQ(p->h.flags, END_OF_MESSAGE | END_OF_RECORD);
	TK_EQ(speaker_expect(&g, OP_RW)->h.len, 4);
	our_close(fd);
	TK_EQ(speaker_expect(&g, OP_SHUTDOWN)->h.flags, SHUT_BOTH);
}

SOCKET_TEST(a_long_message_goes_in_pieces_both_ways)
{
	static uint8_t bytes[MESSAGE_BUFFER], got[MESSAGE_BUFFER];
	struct guest_socket g;
	size_t total = 0;
	int l, fd;

	begin("");
	memset(bytes, 'm', sizeof(bytes));
	l = host_listen(SOCK_SEQPACKET, "v_1234", 1);
	g = speaker_connect(TYPE_SEQPACKET, 5000, PORT);
	fd = host_accept(l);
	TK_EQ(send(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	while (total < sizeof(bytes)) {
		struct packet *p = speaker_expect(&g, OP_RW);

		total += p->h.len;
		TK_EQ(p->h.flags != 0, total == sizeof(bytes));
	}
	TK_TRUE(sizeof(bytes) > 65536);
	speaker_send(&g, OP_RW, 0, bytes, 40000);
	speaker_send(&g, OP_RW, 0, bytes, 65536);
	speaker_send(&g, OP_RW, END_OF_MESSAGE, bytes, sizeof(bytes) - 40000 - 65536);
	tk_run_until_idle(dev);
	TK_EQ(recv(fd, got, sizeof(got), 0), sizeof(bytes));
	TK_MEM_EQ(got, bytes, sizeof(bytes));
}

/* What a guest that does not keep to its credit gets. */
SOCKET_TEST(a_message_longer_than_the_credit_is_reset)
{
	static uint8_t bytes[MESSAGE_BUFFER / 2];
	struct guest_socket g;

	begin("");
	(void)host_listen(SOCK_SEQPACKET, "v_1234", 1);
	g = speaker_connect(TYPE_SEQPACKET, 5000, PORT);
	speaker_send(&g, OP_RW, 0, bytes, sizeof(bytes));
	speaker_send(&g, OP_RW, 0, bytes, sizeof(bytes));
	speaker_silence();
	speaker_send(&g, OP_RW, END_OF_MESSAGE, bytes, 1);
	(void)speaker_expect(&g, OP_RST);
}

SOCKET_TEST(messages_wait_for_a_slow_host)
{
	struct guest_socket g;
	uint32_t next = 0, sent = 0;
	int l, fd;
	uint32_t got;

	begin("");
	l = host_listen(SOCK_SEQPACKET, "v_1234", 1);
	g = speaker_connect(TYPE_SEQPACKET, 5000, PORT);
	fd = host_accept(l);
	while (next < 8000) {
		struct packet p;

		for (; sent < 8000 && speaker_credit(&g) >= 4; sent++)
			speaker_send(&g, OP_RW, END_OF_MESSAGE, &sent, 4);
		tk_run_until_idle(dev);
		while (recv(fd, &got, 4, 0) == 4)
			TK_EQ(got, next++);
		while (speaker_next(&p))
			g.peer_fwd = p.h.fwd_cnt;
	}
}

SOCKET_TEST(empty_messages_without_end_are_reset)
{
	struct guest_socket g;
	struct packet p = { .h.op = 0 };

	begin("");
	(void)host_listen(SOCK_SEQPACKET, "v_1234", 1);
	g = speaker_connect(TYPE_SEQPACKET, 5000, PORT);
	for (unsigned i = 0; i < 200000 && p.h.op != OP_RST; i++) {
		speaker_send(&g, OP_RW, END_OF_MESSAGE, NULL, 0);
		if (i % 64 == 0)
			(void)speaker_next(&p);
	}
	TK_EQ(p.h.op, OP_RST);
}

SOCKET_TEST(the_host_asks_for_a_message_socket_too)
{
	struct guest_socket g = { TYPE_SEQPACKET, 77, 0, 65536, 0, 0, 0, 0 };
	char more[128];
	int fd;

	(void)snprintf(more, sizeof(more), "seqpacket = \"/tmp/vsock-test-%d.seq\";", getpid());
	begin(more);
	(void)snprintf(more, sizeof(more), "../vsock-test-%d.seq", getpid());
	fd = host_dial(SOCK_SEQPACKET, more);
	host_says(fd, "CONNECT 77\n");
	g.host_port = speaker_expect(NULL, OP_REQUEST)->h.src_port;
	speaker_send(&g, OP_RESPONSE, 0, NULL, 0);
	host_says(fd, "hello");
	(void)speaker_expect(&g, OP_RW);
}

TK_MAIN()
