/* SPDX-License-Identifier: Apache-2.0 */
/* The device itself, at the end of a wire: frames, headers, buffers, commands, limits, life. */
#include "net_test.h"

#define MOST 1518u

/* ---- from the guest ---- */

TK_TEST(a_frame_of_the_guest_reaches_the_peer)
{
	uint8_t frame[60];
	struct tk_buf *b;
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(frame, sizeof(frame), test_mac, 1);
	b = guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 0);
	TK_EQ(tk_irqs(d), 1);
	peer_gets(peer, frame, sizeof(frame));
}

TK_TEST(the_header_may_lie_anywhere_in_the_chain)
{
	uint8_t whole[HEADER + 100] = { 0 };
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(whole + HEADER, 100, test_mac, 2);
	for (size_t cut = 1; cut < 40; cut++) {
		const uint32_t size = (uint32_t)cut, rest = (uint32_t)(sizeof(whole) - 2 * cut);
		const struct tk_part parts[] = { { 0, whole, size, 0 }, { 0, whole + cut, size, 0 },
			{ 0, whole + 2 * cut, rest, 0 } };
		struct tk_buf *b = tk_chain(d, TX, parts, 3);

		tk_kick(d, TX);
		tk_run_until_idle(d);
		TK_EQ(tk_used_len(b), 0);
		peer_gets(peer, whole + HEADER, 100);
	}
}

TK_TEST(a_frame_in_very_many_pieces)
{
	static uint8_t whole[HEADER + 1200];
	struct tk_part parts[200];
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(whole + HEADER, 1200, test_mac, 3);
	parts[0] = (struct tk_part){ 0, whole, HEADER, 0 };
	for (size_t i = 1; i < 101; i++)
		parts[i] = (struct tk_part){ 0, whole + HEADER + (i - 1) * 12, 12, 0 };
	for (int i = 0; i < 3; i++) {
		uint8_t frame[60];

		make_frame(frame, sizeof(frame), test_mac, 4);
		(void)guest_sends(d, frame, sizeof(frame));
		(void)tk_chain(d, TX, parts, 101);
		tk_kick(d, TX);
		tk_run_until_idle(d);
		TK_EQ(tk_reap(d, TX), 2);
		peer_gets(peer, frame, sizeof(frame));
		peer_gets(peer, whole + HEADER, 1200);
	}
}

TK_TEST(what_was_not_negotiated_is_dropped)
{
	static const uint8_t bad[][2] = { { 1, 0 }, { 0, 1 }, { 1, 1 }, { 1, 4 }, { 1, 3 } };
	uint8_t whole[HEADER + 60] = { 0 };
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(whole + HEADER, 60, test_mac, 5);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t good[60];

		make_frame(good, sizeof(good), test_mac, (unsigned)i);
		memcpy(whole, bad[i], 2);
		(void)guest_sends(d, good, sizeof(good));
		(void)tk_out(d, TX, whole, sizeof(whole));
		(void)guest_sends(d, good, sizeof(good));
		tk_kick(d, TX);
		tk_run_until_idle(d);
		TK_EQ(tk_reap(d, TX), 3);
		peer_gets(peer, good, sizeof(good));
		peer_gets(peer, good, sizeof(good));
		peer_gets_nothing(peer);
	}
	TK_TRUE(tk_log_has("no frame as negotiated"));
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
}

TK_TEST(a_flag_that_nobody_knows_is_ignored)
{
	uint8_t whole[HEADER + 60] = { 0xf0 };
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(whole + HEADER, 60, test_mac, 5);
	(void)tk_out(d, TX, whole, sizeof(whole));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	peer_gets(peer, whole + HEADER, 60);
}

TK_TEST(what_is_no_frame_is_dropped)
{
	static uint8_t whole[HEADER + 65551];
	int peer;
	struct tk_dev *d = wired("", &peer);

	(void)tk_out(d, TX, whole, HEADER);
	(void)tk_out(d, TX, whole, HEADER + 13);
	(void)tk_out(d, TX, whole, sizeof(whole));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_reap(d, TX), 3);
	peer_gets_nothing(peer);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
}

TK_TEST(half_a_header_asks_for_a_reset)
{
	uint8_t whole[HEADER - 1] = { 0 };
	int peer;
	struct tk_dev *d = wired("", &peer);

	(void)tk_out(d, TX, whole, sizeof(whole));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_TRUE(tk_status(d) & TK_S_NEEDS_RESET);
	TK_TRUE(tk_log_has("shorter than its header"));
}

TK_TEST(what_is_before_half_a_header_is_not_lost)
{
	uint8_t frame[600], half[HEADER - 1] = { 0 };
	unsigned sent = 0, got = 0;
	int peer;
	struct tk_dev *d = wired("", &peer);

	for (; sent < 20; sent++) { /* more than the peer holds */
		make_frame(frame, sizeof(frame), test_mac, sent);
		(void)guest_sends(d, frame, sizeof(frame));
	}
	(void)tk_out(d, TX, half, sizeof(half));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0); /* it is not looked at yet */
	while (got < sent) {
		make_frame(frame, sizeof(frame), test_mac, got++);
		peer_gets(peer, frame, sizeof(frame));
		tk_run_until_idle(d);
	}
	TK_TRUE(tk_status(d) & TK_S_NEEDS_RESET);
	TK_TRUE(tk_log_has("shorter than its header"));
}

TK_TEST(a_full_peer_makes_the_guest_wait)
{
	uint8_t frame[600];
	unsigned sent = 0, got = 0;
	int peer;
	struct tk_dev *d = wired("", &peer);

	for (; sent < 120; sent++) {
		make_frame(frame, sizeof(frame), test_mac, sent);
		(void)guest_sends(d, frame, sizeof(frame));
	}
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_TRUE(tk_reap(d, TX) < sent);
	while (got < sent) {
		make_frame(frame, sizeof(frame), test_mac, got++);
		peer_gets(peer, frame, sizeof(frame));
		tk_run_until_idle(d);
	}
	(void)tk_reap(d, TX);
	TK_EQ(tk_used_idx(d, TX), sent);
	peer_gets_nothing(peer);
}

TK_TEST(kicks_are_wanted_only_when_all_is_sent)
{
	uint8_t frame[60];
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(frame, sizeof(frame), test_mac, 1);
	for (int i = 0; i < 3; i++) {
		(void)guest_sends(d, frame, sizeof(frame));
		TK_TRUE(tk_kick_wanted(d, TX));
		tk_kick(d, TX);
		tk_run_until_idle(d);
		peer_gets(peer, frame, sizeof(frame));
	}
}

/* ---- to the guest ---- */

TK_TEST(a_frame_of_the_peer_reaches_the_guest)
{
	uint8_t frame[60];
	int peer;
	struct tk_dev *d = wired("", &peer);
	struct tk_buf *b = tk_in(d, RX, HEADER + MOST);

	make_frame(frame, sizeof(frame), test_mac, 1);
	tk_kick(d, RX);
	peer_sends(peer, frame, sizeof(frame));
	tk_run_until_idle(d);
	check_received(b, frame, sizeof(frame));
	TK_EQ(tk_irqs(d), 1);
}

TK_TEST(mergeable_buffers_may_be_tiny)
{
	uint8_t frame[500], got[512], *at;
	struct tk_buf *b[64];
	int peer;
	struct tk_dev *d = wired("", &peer);

	tk_mem_watch();
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	for (int i = 0; i < 64; i++)
		b[i] = tk_in(d, RX, 64);
	make_frame(frame, sizeof(frame), test_mac, 9);
	tk_kick(d, RX);
	for (size_t round = 0; round < 2; round++) {
		peer_sends(peer, frame, sizeof(frame));
		tk_run_until_idle(d);
		TK_EQ(num_buffers(b[8 * round]), 8);
		at = got;
		for (size_t i = 8 * round; i < 8 * round + 8; i++) {
			TK_EQ(tk_used_len(b[i]), 64);
			at += tk_in_bytes(b[i], at, 64);
		}
		TK_EQ(tk_used_len(b[8 * round + 8]), -1);
		TK_MEM_EQ(got + HEADER, frame, sizeof(frame));
	}
	tk_mem_check();
}

TK_TEST(frames_keep_their_order_through_many_buffers)
{
	int peer;
	struct tk_dev *d = wired("", &peer);
	uint8_t frame[300], got[312];
	struct tk_buf *b[256];
	unsigned next = 0, free_from = 0;

	for (unsigned i = 0; i < 255; i++)
		b[i] = tk_in(d, RX, 100);
	tk_kick(d, RX);
	for (unsigned n = 0; n < 400; n++) {
		size_t at = 0;

		make_frame(frame, sizeof(frame), test_mac, n);
		peer_sends(peer, frame, sizeof(frame));
		tk_run_until_idle(d);
		TK_EQ(num_buffers(b[next % 256]), 4);
		for (int k = 0; k < 4; k++, next++)
			at += tk_in_bytes(
				b[next % 256], got + at, (size_t)tk_used_len(b[next % 256]));
		TK_EQ(at, sizeof(got));
		TK_MEM_EQ(got + HEADER, frame, sizeof(frame));
		for (; free_from < next; free_from++) {
			tk_free(b[free_from % 256]);
			b[(free_from + 255) % 256] = tk_in(d, RX, 100);
		}
		tk_kick(d, RX);
	}
}

TK_TEST(a_buffer_in_many_pieces)
{
	struct tk_part parts[24];
	uint8_t frame[1500];
	struct tk_buf *b;
	int peer;
	struct tk_dev *d = wired("", &peer);

	for (unsigned i = 0; i < 24; i++)
		parts[i] = (struct tk_part){ 0, NULL, i < 12 ? 1 : 150, 1 };
	make_frame(frame, sizeof(frame), test_mac, 7);
	b = tk_chain(d, RX, parts, 24);
	tk_kick(d, RX);
	peer_sends(peer, frame, sizeof(frame));
	tk_run_until_idle(d);
	check_received(b, frame, sizeof(frame));
}

TK_TEST(without_mergeable_buffers_one_must_do)
{
	uint8_t big[1000], small[60];
	struct tk_buf *first, *second;
	int peer;
	struct tk_dev *d = wired("", &peer);

	TK_EQ(tk_driver(d, ~F_MRG_RXBUF, 0), 0);
	make_frame(big, sizeof(big), test_mac, 1);
	make_frame(small, sizeof(small), test_mac, 2);
	first = tk_in(d, RX, 500);
	second = tk_in(d, RX, 2000);
	tk_kick(d, RX);
	peer_sends(peer, big, sizeof(big));
	peer_sends(peer, small, sizeof(small));
	peer_sends(peer, big, sizeof(big));
	tk_run_until_idle(d);
	check_received(first, small, sizeof(small)); /* the first frame did not fit */
	check_received(second, big, sizeof(big));
	TK_TRUE(tk_log_has("longer than the MTU or its buffers"));
}

TK_TEST(frames_wait_for_buffers)
{
	uint8_t frame[200];
	int peer;
	struct tk_dev *d = wired("", &peer);

	for (unsigned i = 0; i < 5; i++) {
		make_frame(frame, sizeof(frame), test_mac, i);
		peer_sends(peer, frame, sizeof(frame));
	}
	tk_run_until_idle(d);
	for (unsigned i = 0; i < 5; i++) {
		struct tk_buf *b = tk_in(d, RX, HEADER + MOST);

		tk_kick(d, RX);
		tk_run_until_idle(d);
		make_frame(frame, sizeof(frame), test_mac, i);
		check_received(b, frame, sizeof(frame));
	}
}

TK_TEST(a_frame_waits_for_all_of_its_room)
{
	uint8_t frame[500], got[512];
	struct tk_buf *b[6];
	size_t at = 0;
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(frame, sizeof(frame), test_mac, 3);
	peer_sends(peer, frame, sizeof(frame));
	for (int i = 0; i < 6; i++) {
		b[i] = tk_in(d, RX, 100);
		tk_kick(d, RX);
		tk_run_until_idle(d);
		TK_EQ(tk_used_idx(d, RX), i < 5 ? 0 : 6);
	}
	TK_EQ(num_buffers(b[0]), 6);
	for (int i = 0; i < 6; i++)
		at += tk_in_bytes(b[i], got + at, (size_t)tk_used_len(b[i]));
	TK_EQ(at, sizeof(got));
	TK_MEM_EQ(got + HEADER, frame, sizeof(frame));
}

TK_TEST(a_frame_that_never_fits_is_dropped)
{
	uint8_t frame[1000], small[40];
	struct tk_buf *b[8];
	int peer;
	struct tk_dev *d = wired("", &peer);

	TK_EQ(tk_driver(d, UINT64_MAX, 8), 0);
	for (int i = 0; i < 8; i++)
		b[i] = tk_in(d, RX, 64);
	tk_kick(d, RX);
	make_frame(frame, sizeof(frame), test_mac, 3);
	make_frame(small, sizeof(small), test_mac, 4);
	peer_sends(peer, frame, sizeof(frame));
	peer_sends(peer, small, sizeof(small));
	tk_run_until_idle(d);
	check_received(b[0], small, sizeof(small));
	TK_TRUE(tk_log_has("longer than the MTU or its buffers"));
}

TK_TEST(longer_than_the_mtu_is_dropped)
{
	uint8_t frame[1600];
	struct tk_buf *b;
	int peer;
	struct tk_dev *d = wired("mtu = 1200;", &peer);

	TK_TRUE(tk_features(d) & 1ull << 3);
	TK_EQ(tk_config(d, 10, 2), 1200);
	b = tk_in(d, RX, 4096);
	tk_kick(d, RX);
	make_frame(frame, sizeof(frame), test_mac, 3);
	peer_sends(peer, frame, 1200 + 19);
	peer_sends(peer, frame, 1200 + 18);
	tk_run_until_idle(d);
	check_received(b, frame, 1200 + 18);
}

TK_TEST(what_is_no_frame_of_the_peer_is_dropped)
{
	uint8_t frame[60];
	struct tk_buf *b;
	int peer;
	struct tk_dev *d = wired("", &peer);

	b = tk_in(d, RX, 4096);
	tk_kick(d, RX);
	make_frame(frame, sizeof(frame), test_mac, 3);
	peer_sends(peer, frame, 0);
	peer_sends(peer, frame, 13);
	peer_sends(peer, frame, 14);
	tk_run_until_idle(d);
	check_received(b, frame, 14);
	TK_TRUE(tk_log_has("no Ethernet frame"));
}

TK_TEST(many_frames_at_once)
{
	uint8_t frame[64];
	struct tk_buf *b[100];
	int peer, size = 1 << 20;
	struct tk_dev *d = wired("", &peer);

	(void)setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (unsigned i = 0; i < 100; i++)
		b[i] = tk_in(d, RX, HEADER + MOST + i);
	for (unsigned i = 0; i < 9; i++) {
		make_frame(frame, sizeof(frame), test_mac, i);
		peer_sends(peer, frame, sizeof(frame));
	}
	tk_kick(d, RX);
	tk_run_until_idle(d);
	for (unsigned i = 9; i < 100; i++) {
		make_frame(frame, sizeof(frame), test_mac, i);
		peer_sends(peer, frame, sizeof(frame));
		if (i % 9 == 0)
			tk_run_until_idle(d);
	}
	tk_run_until_idle(d);
	for (unsigned i = 0; i < 100; i++) {
		make_frame(frame, sizeof(frame), test_mac, i);
		check_received(b[i], frame, sizeof(frame));
	}
}

TK_TEST(frames_that_are_dropped_among_many_leave_their_buffers)
{
	static const uint8_t off = 0, stranger[6] = { 2, 9, 9, 9, 9, 9 };
	uint8_t good[6][60], bad[2000];
	struct tk_buf *b[10];
	int peer;
	struct tk_dev *d = wired("", &peer);

	TK_EQ(command(d, CONTROL, 0, 0, &off, 1), 0);
	make_frame(bad, sizeof(bad), stranger, 0);
	for (unsigned i = 0; i < 10; i++)
		b[i] = tk_in(d, RX, HEADER + 2048);
	for (unsigned i = 0; i < 6; i++) {
		make_frame(good[i], sizeof(good[i]), test_mac, i);
		peer_sends(peer, good[i], sizeof(good[i]));
		if (i == 0)
			peer_sends(peer, bad, sizeof(bad)); /* too long */
		else if (i == 2)
			peer_sends(peer, bad, 60); /* for somebody else */
		else if (i == 3)
			peer_sends(peer, bad, 13); /* no frame */
	}
	tk_kick(d, RX);
	tk_run_until_idle(d);
	for (unsigned i = 0; i < 6; i++) {
		uint8_t got[HEADER + 60];
		bool found = false;

		/* Which buffer a frame is in is the device's choice; the used ring has the order.
		 */
		for (unsigned k = 0; k < 10 && !found; k++)
			found = tk_used_len(b[k]) == sizeof(got) &&
				tk_in_bytes(b[k], got, sizeof(got)) == sizeof(got) &&
				memcmp(got + HEADER, good[i], sizeof(good[i])) == 0;
		TK_TRUE(found);
	}
	TK_EQ(tk_used_idx(d, RX), 6);
	for (unsigned i = 0; i < 4; i++) { /* and the other four are still there to be used */
		peer_sends(peer, good[i], sizeof(good[i]));
		tk_run_until_idle(d);
	}
	TK_EQ(tk_reap(d, RX), 4);
}

TK_TEST(a_buffer_shorter_than_the_header_asks_for_a_reset)
{
	uint8_t frame[60];
	int peer;
	struct tk_dev *d = wired("", &peer);

	make_frame(frame, sizeof(frame), test_mac, 3);
	(void)tk_in(d, RX, HEADER - 1);
	tk_kick(d, RX);
	peer_sends(peer, frame, sizeof(frame));
	tk_run_until_idle(d);
	TK_TRUE(tk_status(d) & TK_S_NEEDS_RESET);
}

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

/* ---- limits ---- */

static unsigned frames_at(int peer)
{
	uint8_t got[2000];
	unsigned n = 0;

	while (recv(peer, got, sizeof(got), 0) > 0)
		n++;
	return n;
}

static void limited_sending(const char *settings, unsigned at_once, unsigned per_second)
{
	uint8_t frame[100];
	unsigned n = 0;
	int peer;
	struct tk_dev *d = wired(settings, &peer);

	make_frame(frame, sizeof(frame), test_mac, 1);
	for (int i = 0; i < 100; i++)
		(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	/* A unix socket holds ten frames only. */
	for (int i = 0; i < 10; i++) {
		tk_run_until_idle(d);
		n += frames_at(peer);
	}
	TK_EQ(n, at_once);
	tk_advance_ms(500);
	for (int i = 0; i < 10; i++) {
		n += frames_at(peer);
		tk_run_until_idle(d);
	}
	TK_EQ(n, at_once + per_second / 2);
	for (int i = 0; i < 100; i++) {
		tk_advance_ms(100);
		n += frames_at(peer);
	}
	TK_EQ(n, 100);
}

TK_TEST(frames_from_the_guest_are_limited)
{
	limited_sending("tx_packets = 10; tx_packets_burst = 20;", 20, 10);
}

TK_TEST(bytes_from_the_guest_are_limited)
{
	/* 1000 bytes a second are ten frames; the last one goes into debt */
	limited_sending("tx_bandwidth = 1000; tx_bandwidth_burst = 1500;", 15, 10);
}

static void limited_receiving(const char *settings, unsigned at_once, unsigned per_second)
{
	uint8_t frame[100];
	int peer, size = 1 << 20;
	struct tk_dev *d = wired(settings, &peer);

	(void)setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	make_frame(frame, sizeof(frame), test_mac, 1);
	for (int i = 0; i < 60; i++)
		(void)tk_in(d, RX, HEADER + MOST);
	tk_kick(d, RX);
	for (unsigned i = 0; i < at_once; i++) {
		peer_sends(peer, frame, sizeof(frame));
		tk_run_until_idle(d);
	}
	TK_EQ(tk_used_idx(d, RX), at_once);
	for (unsigned i = 0; i < 8; i++)
		peer_sends(peer, frame, sizeof(frame));
	tk_run_until_idle(d);
	TK_EQ(tk_used_idx(d, RX), at_once);
	tk_advance_ms(500);
	TK_EQ(tk_used_idx(d, RX), at_once + per_second / 2);
	tk_advance_ms(500);
	TK_EQ(tk_used_idx(d, RX), at_once + 8);
}

TK_TEST(frames_to_the_guest_are_limited)
{
	limited_receiving("rx_packets = 8; rx_packets_burst = 20;", 20, 8);
}

TK_TEST(bytes_to_the_guest_are_limited)
{
	limited_receiving("rx_bandwidth = 800; rx_bandwidth_burst = 1000;", 10, 8);
}

TK_TEST(nothing_of_a_second_is_lost_to_the_limit)
{
	uint8_t frame[100];
	int peer;
	struct tk_dev *d = wired("tx_packets = 10; tx_packets_burst = 20;", &peer);

	make_frame(frame, sizeof(frame), test_mac, 1);
	for (unsigned i = 0; i < 38; i++) { /* at twice the rate until the burst is used up */
		(void)guest_sends(d, frame, sizeof(frame));
		tk_kick(d, TX);
		tk_run_until_idle(d);
		TK_EQ(frames_at(peer), 1);
		tk_advance_ms(50);
	}
}

TK_TEST(a_frame_longer_than_the_burst_is_late_not_stuck)
{
	uint8_t frame[1000];
	int peer;
	struct tk_dev *d = wired("tx_bandwidth = 1000; tx_bandwidth_burst = 100;", &peer);

	make_frame(frame, sizeof(frame), test_mac, 1);
	(void)guest_sends(d, frame, sizeof(frame));
	(void)guest_sends(d, frame, sizeof(frame));
	tk_kick(d, TX);
	tk_run_until_idle(d);
	TK_EQ(frames_at(peer), 1);
	tk_advance_ms(890);
	TK_EQ(frames_at(peer), 0);
	tk_advance_ms(20);
	TK_EQ(frames_at(peer), 1);
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
