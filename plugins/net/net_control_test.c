/* SPDX-License-Identifier: Apache-2.0 */
/* The device itself: commands, the link, the configuration, life. */
#include "net_test.h"

#define MOST 1518u

/* ---- commands ---- */

static bool arrives(struct tk_dev *d, int peer, const uint8_t to[6])
{
	struct tk_buf *b = tk_in(d, RX, HEADER + MOST);
	uint8_t frame[60], end[60];
	bool came;

	make_frame(frame, sizeof(frame), to, 1);
	make_frame(end, sizeof(end), (const uint8_t *)"\xff\xff\xff\xff\xff\xff", 77);
	tk_kick(d, RX);
	peer_sends(peer, frame, sizeof(frame));
	peer_sends(peer, end, sizeof(end));
	tk_run_until_idle(d);
	came = memcmp((const uint8_t *)tk_in_data(b) + HEADER, frame, sizeof(frame)) == 0;
	if (came) { /* the other one needs a buffer too */
		struct tk_buf *next = tk_in(d, RX, HEADER + MOST);

		tk_kick(d, RX);
		tk_run_until_idle(d);
		check_received(next, end, sizeof(end));
		tk_free(next);
	}
	tk_free(b);
	return came;
}

static const uint8_t other[6] = { 2, 1, 1, 1, 1, 1 }, group[6] = { 0x33, 0x33, 0, 0, 0, 1 };

TK_TEST(receive_modes_choose_frames)
{
	const uint8_t on = 1, off = 0;
	int peer;
	struct tk_dev *d = wired("", &peer);

	TK_TRUE(arrives(d, peer, other)); /* all, until the driver says something */
	TK_EQ(command(d, CONTROL, 0, 0, &off, 1), 0);
	TK_TRUE(arrives(d, peer, test_mac));
	TK_TRUE(!arrives(d, peer, other));
	TK_TRUE(!arrives(d, peer, group));
	TK_EQ(command(d, CONTROL, 0, 1, &on, 1), 0); /* all multicast */
	TK_TRUE(arrives(d, peer, group));
	TK_EQ(command(d, CONTROL, 0, 3, &on, 1), 0); /* none */
	TK_TRUE(!arrives(d, peer, group));
	TK_EQ(command(d, CONTROL, 0, 2, &on, 1), 0); /* all unicast */
	TK_TRUE(arrives(d, peer, other));
	TK_EQ(command(d, CONTROL, 0, 4, &on, 1), 0); /* none */
	TK_TRUE(!arrives(d, peer, test_mac));
	TK_EQ(command(d, CONTROL, 0, 0, &on, 1), 0);
	TK_TRUE(arrives(d, peer, other));
}

TK_TEST(the_address_table_chooses_frames)
{
	uint8_t table[4 + 6 + 4 + 6] = { 1, 0, 0, 0 }, long_table[4 + 65 * 6 + 4] = { 65, 0, 0, 0 };
	const uint8_t off = 0;
	int peer;
	struct tk_dev *d = wired("", &peer);

	memcpy(table + 4, other, 6);
	table[10] = 1;
	memcpy(table + 14, group, 6);
	TK_EQ(command(d, CONTROL, 0, 0, &off, 1), 0);
	TK_EQ(command(d, CONTROL, 1, 0, table, sizeof(table)), 0);
	TK_TRUE(arrives(d, peer, other));
	TK_TRUE(arrives(d, peer, group));
	TK_TRUE(!arrives(d, peer, (const uint8_t *)"\x02\x09\x09\x09\x09\x09"));
	TK_EQ(command(d, CONTROL, 1, 0, long_table, sizeof(long_table)), 0);
	TK_TRUE(arrives(d, peer, (const uint8_t *)"\x02\x09\x09\x09\x09\x09"));
	TK_TRUE(!arrives(d, peer, group));
}

TK_TEST(the_driver_sets_its_address)
{
	const uint8_t off = 0;
	int peer;
	struct tk_dev *d = wired("", &peer);

	TK_EQ(command(d, CONTROL, 0, 0, &off, 1), 0);
	TK_EQ(command(d, CONTROL, 1, 1, other, 6), 0);
	TK_EQ(tk_config(d, 1, 1), other[1]);
	TK_TRUE(arrives(d, peer, other));
	TK_TRUE(!arrives(d, peer, test_mac));
	TK_EQ(command(d, CONTROL, 1, 1, group, 6), 1); /* no interface has such a one */
	tk_driver_reset(d);
	TK_EQ(tk_config(d, 1, 1), test_mac[1]);
}

TK_TEST(wrong_commands_are_refused)
{
	static const struct {
		uint8_t class, number, data[16];
		size_t size;
	} wrong[] = {
		{ 0, 0, { 0 }, 0 },                             /* no mode */
		{ 0, 6, { 1 }, 1 },                             /* no such mode */
		{ 1, 0, { 0xff, 0xff, 0xff, 0xff }, 4 },        /* no such table */
		{ 1, 0, { 1, 0, 0, 0 }, 4 },                    /* the table is not there */
		{ 1, 0, { 0, 0, 0, 0, 1, 0, 0, 0, 1, 2 }, 10 }, /* nor is the second */
		{ 1, 1, { 2, 0, 0, 0, 0 }, 5 },                 /* half an address */
		{ 1, 2, { 0 }, 6 },                             /* no such command */
		{ 2, 0, { 1, 0 }, 2 },                          /* VLANs were not offered */
		{ 3, 1, { 0 }, 0 },                             /* no such announcement */
		{ 4, 0, { 1, 0 }, 2 },                          /* nor more queues */
		{ 5, 0, { 0 }, 8 },                             /* nor offloads */
		{ 200, 200, { 0 }, 1 },
	};
	const uint8_t one = 0;
	struct tk_buf *b;
	uint8_t ack = 9;
	int peer;
	struct tk_dev *d = wired("", &peer);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (command(d, CONTROL, wrong[i].class, wrong[i].number, wrong[i].data,
			    wrong[i].size) != 1)
			TK_FAIL("command %zu was accepted", i);
	b = tk_request(d, CONTROL, &one, 1, 1); /* half a command */
	tk_kick(d, CONTROL);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 1);
	(void)tk_in_bytes(b, &ack, 1);
	TK_EQ(ack, 1);
}

TK_TEST(a_command_without_room_for_an_answer)
{
	const uint8_t promiscuous[3] = { 0, 0, 1 };
	int peer;
	struct tk_dev *d = wired("", &peer);

	(void)tk_out(d, CONTROL, promiscuous, sizeof(promiscuous));
	tk_kick(d, CONTROL);
	tk_run_until_idle(d);
	TK_TRUE(tk_status(d) & TK_S_NEEDS_RESET);
}

TK_TEST(many_commands_at_once)
{
	const uint8_t off[3] = { 0, 0, 0 };
	int peer;
	struct tk_dev *d = wired("", &peer);

	for (int i = 0; i < 32; i++)
		(void)tk_request(d, CONTROL, off, 3, 1);
	tk_kick(d, CONTROL);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, CONTROL), 32);
}

/* ---- the link, the configuration ---- */

TK_TEST(the_cable_may_be_out)
{
	uint8_t frame[60];
	int peer;
	struct tk_dev *d = wired("link = \"down\";", &peer);

	TK_EQ(tk_config(d, STATUS, 2), 0);
	make_frame(frame, sizeof(frame), test_mac, 1);
	(void)guest_sends(d, frame, sizeof(frame));
	(void)tk_in(d, RX, HEADER + MOST);
	peer_sends(peer, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_kick(d, RX);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, TX), 1);
	TK_EQ(tk_reap(d, RX), 0);
	peer_gets_nothing(peer);
	TK_TRUE(tk_log_has("while the link is down"));
}

TK_TEST(the_configuration_is_not_the_drivers)
{
	int peer;
	struct tk_dev *d = wired("", &peer);

	TK_EQ(tk_config(d, STATUS, 2), 1);
	TK_EQ(tk_config(d, 8, 2), 1);
	tk_set_config(d, 0, 1, 0xee);
	tk_set_config(d, STATUS, 2, 0xffff);
	tk_run_until_idle(d);
	TK_EQ(tk_config(d, 0, 1), test_mac[0]);
	TK_EQ(tk_config(d, STATUS, 2), 1);
}

TK_TEST(the_address_stays_the_same)
{
	uint64_t macs[2];

	for (int i = 0; i < 2; i++) {
		struct tk_dev *d = tk_started("net", "backend = \"user\";");

		macs[i] = tk_config(d, 0, 4) | tk_config(d, 4, 2) << 32;
		TK_EQ(macs[i] & 3, 2); /* local, one interface */
		tk_destroy(d);
	}
	TK_TRUE(macs[0] == macs[1]);
}

TK_TEST(only_what_the_back_end_can_do_is_offered)
{
	int peer;
	struct tk_dev *d = wired("", &peer);

	/* MAC, MRG_RXBUF, STATUS, CTRL_VQ, CTRL_RX, CTRL_RX_EXTRA, GUEST_ANNOUNCE, CTRL_MAC_ADDR */
	TK_EQ(tk_features(d) & 0xffffff, 0xb78020);
	TK_EQ(tk_device_id(d), 1);
	TK_EQ(tk_n_queues(d), 3);
}

TK_TEST(settings_that_do_not_go_together)
{
	static const char *const wrong[][2] = {
		{ "", "backend" },
		{ "backend = \"tap\";", "needs \"interface\" or \"fd\"" },
		{ "backend = \"stream\";", "needs \"path\" or \"fd\"" },
		{ "backend = \"dgram\"; path = \"a\"; fd = 0;", "not both" },
		{ "backend = \"user\"; path = \"a\";", "\"path\" is not a setting of backend" },
		{ "backend = \"stream\"; path = \"a\"; handshake = \"vfkit\";", "\"handshake\"" },
		{ "backend = \"tap\"; fd = 0; queues = 2;", "is one queue" },
		{ "backend = \"user\"; mac = \"01:00:00:00:00:01\";", "multicast" },
		{ "backend = \"user\"; mtu = 20;", "mtu" },
		{ "backend = \"user\"; network = \"10.0.2.1/24\";", "network" },
		{ "backend = \"user\"; network = \"10.0.2.0/28\";", "network" },
		{ "backend = \"user\"; network = \"10.0.2.0\";", "network" },
		{ "backend = \"user\"; host = \"10.0.3.1\";", "host" },
		{ "backend = \"user\"; host = \"10.0.2.0\";", "host" },
		{ "backend = \"user\"; dns = \"10.0.2.16\";", "dns" },
		{ "backend = \"user\"; dns = \"10.0.2.2\";", "the same" },
		{ "backend = \"user\"; forward = ( \"tcp:127.0.0.1:22\" );", "forward" },
		{ "backend = \"user\"; forward = ( \"sctp:127.0.0.1:1:2\" );", "forward" },
		{ "backend = \"user\"; forward = ( \"tcp:localhost:1:2\" );", "forward" },
		{ "backend = \"user\"; forward = ( \"tcp::0:2\" );", "forward" },
		{ "backend = \"user\"; forward = ( \"tcp::1:65536\" );", "forward" },
		{ "backend = \"user\"; forward = ( \"tcp::1:10.0.2.15:2:3\" );", "forward" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (tk_create("net", wrong[i][0]))
			TK_FAIL("accepted: %s", wrong[i][0]);
		TK_HAS_TEXT(tk_error(), wrong[i][1]);
	}
}

/* ---- life ---- */

TK_TEST(nothing_is_lost_while_it_stands_still)
{
	uint8_t frame[60], more[60];
	struct tk_buf *b[3];
	int peer;
	struct tk_dev *d = wired("", &peer);

	for (int i = 0; i < 3; i++)
		b[i] = tk_in(d, RX, HEADER + MOST);
	tk_kick(d, RX);
	make_frame(frame, sizeof(frame), test_mac, 1);
	make_frame(more, sizeof(more), test_mac, 2);
	peer_sends(peer, frame, sizeof(frame));
	tk_run_until_idle(d);
	TK_EQ(tk_quiesce(d), 0);
	peer_sends(peer, more, sizeof(more));
	(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_advance_ms(100);
	TK_EQ(tk_used_idx(d, RX), 1);
	peer_gets_nothing(peer);
	TK_EQ(tk_resume(d), 0);
	tk_run_until_idle(d);
	check_received(b[0], frame, sizeof(frame));
	check_received(b[1], more, sizeof(more));
	peer_gets(peer, frame, sizeof(frame));
}

TK_TEST(it_works_for_the_next_driver)
{
	uint8_t frame[60];
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(frame, sizeof(frame), test_mac, 1);
	for (int i = 0; i < 4; i++) {
		struct tk_buf *b = tk_in(d, RX, HEADER + MOST);

		(void)tk_in(d, RX, HEADER + MOST); /* staged when the reset comes */
		tk_kick(d, RX);
		peer_sends(peer, frame, sizeof(frame));
		(void)guest_sends(d, frame, sizeof(frame));
		tk_kick(d, TX);
		tk_run_until_idle(d);
		check_received(b, frame, sizeof(frame));
		peer_gets(peer, frame, sizeof(frame));
		if (i % 2)
			tk_reset(d);
		TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	}
}

TK_TEST(hostile)
{
	int peer;
	struct tk_dev *d = wired("", &peer);

	TK_TRUE(tk_hostile_run(d) > 200);
}

TK_TEST(hostile_while_frames_come)
{
	uint8_t frame[60];
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(frame, sizeof(frame), test_mac, 1);
	for (int i = 0; i < 8; i++)
		peer_sends(peer, frame, sizeof(frame));
	TK_TRUE(tk_hostile_run(d) > 200);
}

TK_TEST(every_failure_of_attach_is_said)
{
	char text[100];
	int fds[2];

	TK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	(void)snprintf(text, sizeof(text), "backend = \"dgram\"; fd = %d; tx_packets = 5;", fds[0]);
	TK_TRUE(tk_fault_sweep("net", text) >= 12);
}

TK_TEST(a_core_without_a_service)
{
	tk_lack_service("tenon.clock/1");
	TK_TRUE(tk_plugin_try(NULL) == NULL);
}

TK_MAIN()
