/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from the guest at the end of a wire: headers, chains, a peer that is full, limits. */
#include "net_test.h"

/* ---- frames ---- */

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

TK_MAIN()
