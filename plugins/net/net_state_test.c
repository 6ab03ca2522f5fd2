/* SPDX-License-Identifier: Apache-2.0 */
/* net: an interface that is saved and loaded keeps its filter, its address and its buffers. */
#include "net_test.h"

#define ANNOUNCE 2u

static const uint8_t moved_mac[6] = { 2, 1, 1, 1, 1, 1 }, group[6] = { 0x33, 0x33, 0, 0, 0, 1 };

struct wire {
	int device, peer;
};

static struct wire wire(void)
{
	int fds[2];

	TK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	return (struct wire){ fds[0], fds[1] };
}

static const char *on(struct wire w)
{
	static char text[160];

	(void)snprintf(text, sizeof(text), "backend = \"dgram\"; fd = %d; " TEST_MAC, w.device);
	return text;
}

static bool arrives(struct tk_dev *d, int peer, struct tk_buf *b, const uint8_t to[6])
{
	uint8_t frame[100];

	make_frame(frame, sizeof(frame), to, 1);
	peer_sends(peer, frame, sizeof(frame));
	tk_run_until_idle(d);
	return tk_used_len(b) > 0;
}

TK_TEST(filter_and_address_are_kept)
{
	struct wire a = wire(), b = wire();
	struct tk_dev *d = tk_device("net", on(a));
	const uint8_t off = 0;
	uint8_t table[4 + 4 + 6] = { 0, 0, 0, 0, 1, 0, 0, 0 };
	struct tk_buf *buf;

	memcpy(table + 8, group, 6);
	TK_EQ(command(d, CONTROL, 0, 0, &off, 1), 0); /* not promiscuous */
	TK_EQ(command(d, CONTROL, 1, 0, table, sizeof(table)), 0);
	TK_EQ(command(d, CONTROL, 1, 1, moved_mac, 6), 0);
	d = tk_replace(d, "net", on(b));
	TK_EQ(tk_config(d, 0, 4), 0x01010102);
	buf = tk_in(d, RX, 2000);
	tk_kick(d, RX);
	TK_TRUE(!arrives(d, b.peer, buf, test_mac)); /* an address that it has no more */
	TK_TRUE(!arrives(d, b.peer, buf, (const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 2 }));
	TK_TRUE(arrives(d, b.peer, buf, group));
	buf = tk_in(d, RX, 2000);
	tk_kick(d, RX);
	TK_TRUE(arrives(d, b.peer, buf, moved_mac));
	/* The next driver finds the interface's own. */
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	TK_EQ(tk_config(d, 0, 4), 0x12005452);
}

TK_TEST(buffers_that_it_held_are_filled_by_the_next)
{
	struct wire a = wire(), b = wire();
	struct tk_dev *d = tk_device("net", on(a));
	struct tk_buf *first = tk_in(d, RX, 2000), *second = tk_in(d, RX, 2000);
	uint8_t frame[300];

	tk_kick(d, RX);
	make_frame(frame, sizeof(frame), test_mac, 1);
	peer_sends(a.peer, frame, sizeof(frame));
	tk_run_until_idle(d);
	check_received(first, frame, sizeof(frame));
	TK_EQ(tk_used_len(second), -1);
	d = tk_replace(d, "net", on(b));
	make_frame(frame, sizeof(frame), test_mac, 2);
	peer_sends(b.peer, frame, sizeof(frame));
	tk_run_until_idle(d);
	check_received(second, frame, sizeof(frame));
	(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	peer_gets(b.peer, frame, sizeof(frame));
}

TK_TEST(the_guest_is_asked_to_announce_itself)
{
	struct wire a = wire(), b = wire();
	struct tk_dev *d = tk_device("net", on(a));

	TK_EQ(tk_config(d, STATUS, 2), 1);
	tk_irqs_clear(d);
	d = tk_replace(d, "net", on(b));
	TK_EQ(tk_config(d, STATUS, 2), 1 | ANNOUNCE);
	TK_TRUE(tk_irqs(d) > 0);
	TK_EQ(command(d, CONTROL, 3, 0, NULL, 0), 0);
	TK_EQ(tk_config(d, STATUS, 2), 1);
}

TK_TEST(who_did_not_negotiate_it_is_not_asked)
{
	struct wire a = wire(), b = wire();
	struct tk_dev *d = tk_started("net", on(a));

	TK_EQ(tk_driver(d, TK_F_VERSION_1, 0), 0);
	d = tk_replace(d, "net", on(b));
	TK_EQ(tk_config(d, STATUS, 2), 1);
}

TK_MAIN()
