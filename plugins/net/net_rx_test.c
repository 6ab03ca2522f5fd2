/* SPDX-License-Identifier: Apache-2.0 */
/* Frames to the guest from the end of a wire: its buffers, what is dropped, limits. */
#include "net_test.h"

#define MOST 1518u

/* ---- frames ---- */

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

/* ---- limits ---- */

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

TK_MAIN()
