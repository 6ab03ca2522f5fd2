/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back end "tap", in a network namespace of the test's own: frames between the guest and the
 * kernel, and what either leaves to the other.  Needs root; skipped without.
 */
#include "net_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#define MOST 1518u
#define BIG  4096u /* seventeen of them hold the longest frame */

#define F_CSUM       (1ull << 0)
#define F_GUEST_CSUM (1ull << 1)
#define F_OFFLOADS   (1ull << 2)
#define F_GUEST_TSO4 (1ull << 7)
#define F_HOST_TSO4  (1ull << 11)
#define F_MQ         (1ull << 22)
#define ALL_OFFLOADS 0x7f87ull /* CSUM to CTRL_GUEST_OFFLOADS, GUEST_TSO4 to HOST_UFO */

#define TAP "backend = \"tap\"; interface = \"tk0\"; " TEST_MAC

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* ---- the kernel's side ---- */

static void interface_ioctl(unsigned long request, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(r->ifr_name, "tk0", 4);
	if (ioctl(fd, request, r) < 0)
		TK_FAIL("ioctl 0x%lx: %s", request, strerror(errno));
	(void)close(fd);
}

static void interface_up(int up)
{
	struct ifreq r = { .ifr_flags = (short)(up ? IFF_UP : 0) };

	interface_ioctl(SIOCSIFFLAGS, &r);
}

static void interface_mtu(int mtu)
{
	struct ifreq r = { .ifr_mtu = mtu };

	interface_ioctl(SIOCSIFMTU, &r);
}

/* 10.9.0.1/24; the guest is 10.9.0.2. */
static void interface_address(void)
{
	struct ifreq r = { .ifr_flags = 0 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(0x0a090001) } };

	memcpy(&r.ifr_addr, &a, sizeof(a));
	interface_ioctl(SIOCSIFADDR, &r);
	a.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&r.ifr_netmask, &a, sizeof(a));
	interface_ioctl(SIOCSIFNETMASK, &r);
	interface_up(1);
}

static void interface_delete(void)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} m = { .head = { .nlmsg_len = sizeof(m),
			.nlmsg_type = RTM_DELLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.info = { .ifi_index = (int)if_nametoindex("tk0") } };
	uint8_t answer[512];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	TK_TRUE(m.info.ifi_index > 0);
	TK_EQ(send(fd, &m, sizeof(m), 0), sizeof(m));
	TK_TRUE(recv(fd, answer, sizeof(answer), 0) > 0);
	(void)close(fd);
}

static int open_tap(short flags)
{
	struct ifreq r = { .ifr_flags = flags };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	TK_TRUE(fd >= 0);
	memcpy(r.ifr_name, "tk0", 4);
	TK_EQ(ioctl(fd, TUNSETIFF, &r), 0);
	return fd;
}

/* Sees and sends what goes over the interface, headers included. */
static int packet_socket(void)
{
	const int on = 1;
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
		.sll_protocol = htons(0x88b5),
		.sll_ifindex = (int)if_nametoindex("tk0") };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(0x88b5));

	TK_TRUE(fd >= 0);
	TK_EQ(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	TK_EQ(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* A packet socket's header is the short one. */
static void packet_send(int fd, const struct virtio_net_hdr *header, const void *frame, size_t size)
{
	/* who cuts a frame wants to know what is in it */
	const struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_protocol = htons(header ? 0x0800 : 0x88b5),
		.sll_ifindex = (int)if_nametoindex("tk0") };
	static uint8_t all[70000];

	memset(all, 0, sizeof(*header));
	if (header)
		memcpy(all, header, sizeof(*header));
	memcpy(all + sizeof(*header), frame, size);
	TK_EQ(sendto(fd, all, sizeof(*header) + size, 0, (const struct sockaddr *)&to, sizeof(to)),
		sizeof(*header) + size);
}

static ssize_t packet_receive(int fd, struct virtio_net_hdr *header, void *frame, size_t room)
{
	static uint8_t all[70000];
	ssize_t got = recv(fd, all, sizeof(all), 0);

	if (got < 0)
		return -1;
	memcpy(header, all, sizeof(*header));
	got -= (ssize_t)sizeof(*header);
	memcpy(frame, all + sizeof(*header), (size_t)got < room ? (size_t)got : room);
	return got;
}

/* Kernels say things of their own on an interface (multicast reports): only ours count. */
static bool is_ours(const uint8_t *frame)
{
	return (frame[12] == 0x88 && frame[13] == 0xb5) || (frame[12] == 8 && frame[13] == 0);
}

/* The guest's buffers, one after the other, and the next frame of ours. */
static struct tk_dev *dev;
static struct tk_buf *buffers[256];
static unsigned given, taken;

static void give(unsigned n, size_t size)
{
	while (n-- > 0)
		buffers[given++ % 256] = tk_in(dev, RX, size);
	tk_kick(dev, RX);
}

/* Into @whole, its virtio header first; -1 when there is none. */
static long long guest_gets(uint8_t *whole, size_t room)
{
	long long size;

	tk_run_until_idle(dev);
	for (; taken < given; taken++) {
		struct tk_buf *b = buffers[taken % 256];

		size = tk_used_len(b);
		if (size < 0)
			return -1;
		(void)tk_in_bytes(b, whole, room);
		if (is_ours(whole + HEADER)) {
			taken++;
			return size;
		}
	}
	return -1;
}

static void bring_up(const char *settings, uint64_t features)
{
	dev = tk_started("net", settings);
	TK_EQ(tk_driver(dev, features, 0), 0);
	interface_address();
}

/* ---- frames ---- */

TK_TEST(frames_both_ways)
{
	uint8_t frame[700], got[2000];
	struct virtio_net_hdr header = { .flags = 0 };
	int fd;

	bring_up(TAP, UINT64_MAX);
	fd = packet_socket();
	make_frame(frame, sizeof(frame), everybody, 1);
	(void)guest_sends(dev, frame, sizeof(frame));
	tk_kick(dev, TX);
	tk_run_until_idle(dev);
	TK_EQ(tk_reap(dev, TX), 1);
	TK_EQ(packet_receive(fd, &header, got, sizeof(got)), sizeof(frame));
	TK_MEM_EQ(got, frame, sizeof(frame));
	give(40, BIG);
	make_frame(frame, sizeof(frame), test_mac, 2);
	packet_send(fd, NULL, frame, sizeof(frame));
	TK_EQ(guest_gets(got, sizeof(got)), HEADER + sizeof(frame));
	TK_MEM_EQ(got + HEADER, frame, sizeof(frame));
	TK_EQ(got[10], 1);
	(void)close(fd);
}

TK_TEST(frames_wait_in_the_kernel)
{
	uint8_t frame[300], got[2000];
	int fd;

	bring_up(TAP, ~ALL_OFFLOADS);
	fd = packet_socket();
	for (unsigned i = 0; i < 50; i++) {
		make_frame(frame, sizeof(frame), test_mac, i);
		packet_send(fd, NULL, frame, sizeof(frame));
		tk_run_until_idle(dev);
	}
	give(100, MOST + HEADER);
	for (unsigned i = 0; i < 50; i++) {
		make_frame(frame, sizeof(frame), test_mac, i);
		TK_EQ(guest_gets(got, sizeof(got)), HEADER + sizeof(frame));
		TK_MEM_EQ(got + HEADER, frame, sizeof(frame));
	}
	(void)close(fd);
}

TK_TEST(jumbo_frames_go_through)
{
	static uint8_t frame[9014], got[HEADER + 9014];
	int fd;

	dev = tk_started("net", TAP);
	interface_mtu(9000);
	TK_EQ(tk_driver(dev, ~ALL_OFFLOADS, 0), 0);
	interface_address();
	fd = packet_socket();
	give(12, 10000);
	make_frame(frame, sizeof(frame), test_mac, 2);
	packet_send(fd, NULL, frame, sizeof(frame));
	TK_EQ(guest_gets(got, sizeof(got)), sizeof(got));
	TK_MEM_EQ(got + HEADER, frame, sizeof(frame));
	interface_mtu(9100); /* longer than the driver was set up for: cut, and so dropped */
	{
		static uint8_t longer[9114];

		make_frame(longer, sizeof(longer), test_mac, 3);
		packet_send(fd, NULL, longer, sizeof(longer));
		packet_send(fd, NULL, frame, sizeof(frame));
	}
	TK_EQ(guest_gets(got, sizeof(got)), sizeof(got));
	TK_TRUE(tk_log_has("longer than the MTU"));
	(void)close(fd);
}

/* ---- offloads ---- */

static void put_ip_sum(uint8_t *frame)
{
	uint32_t sum = 0;

	frame[24] = frame[25] = 0;
	for (int i = 14; i < 34; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	frame[24] = (uint8_t)(sum >> 8);
	frame[25] = (uint8_t)sum;
}

/* Ethernet, IPv4 and TCP before @size bytes; the checksum is the pseudo header's. */
static size_t tcp_frame(uint8_t *frame, size_t size)
{
	uint32_t sum;

	make_frame(frame, 54 + size, test_mac, 5);
	frame[12] = 8;
	frame[13] = 0;
	memset(frame + 14, 0, 40);
	frame[14] = 0x45;
	frame[16] = (uint8_t)((40 + size) >> 8);
	frame[17] = (uint8_t)(40 + size);
	frame[22] = 64;
	frame[23] = 6;
	memcpy(frame + 26, "\x0a\x09\x00\x01\x0a\x09\x00\x02", 8);
	put_ip_sum(frame);
	frame[46] = 0x50;
	frame[47] = 0x10;
	sum = 0x0a09 + 1 + 0x0a09 + 2 + 6 + 20 + (uint32_t)size;
	frame[50] = (uint8_t)(sum >> 8);
	frame[51] = (uint8_t)sum;
	return 54 + size;
}

static const struct virtio_net_hdr tso = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
	.hdr_len = 54,
	.gso_size = 1000,
	.csum_start = 34,
	.csum_offset = 16 };

TK_TEST(what_the_kernel_takes_and_accepts_is_offered)
{
	dev = tk_started("net", TAP);
	TK_EQ(tk_features(dev) & ALL_OFFLOADS, ALL_OFFLOADS);
	TK_EQ(tk_features(dev) & F_MQ, 0);
}

TK_TEST(a_large_frame_to_the_guest_stays_whole)
{
	static uint8_t frame[4000], got[4000];
	size_t size = tcp_frame(frame, 3000);
	int fd;

	bring_up(TAP, UINT64_MAX);
	fd = packet_socket();
	give(20, BIG);
	packet_send(fd, &tso, frame, size);
	TK_EQ(guest_gets(got, sizeof(got)), HEADER + size);
	TK_EQ(got[0], 1);
	TK_EQ(got[1], 1);
	TK_EQ(got[4] | got[5] << 8, 1000);
	TK_EQ(got[6] | got[7] << 8, 34);
	TK_EQ(got[10] | got[11] << 8, 1);
	TK_MEM_EQ(got + HEADER, frame, size);
	(void)close(fd);
}

/* The kernel may say something first; then the next buffers hold this frame. */
static void comes_in_parts(int fd, const uint8_t *frame, size_t size)
{
	static uint8_t got[8000];
	long long first;
	size_t at = 0;

	packet_send(fd, size > MOST ? &tso : NULL, frame, size);
	first = guest_gets(got, sizeof(got));
	TK_TRUE(first > 0);
	for (at = (size_t)first; at < HEADER + size; taken++) {
		long long part = tk_used_len(buffers[taken % 256]);

		TK_TRUE(part > 0);
		TK_EQ(tk_in_bytes(buffers[taken % 256], got + at, (size_t)part), part);
		at += (size_t)part;
	}
	TK_EQ(at, HEADER + size);
	TK_MEM_EQ(got + HEADER, frame, size);
}

/* Long ones come when short ones are expected, and the other way round. */
TK_TEST(frames_of_all_lengths_come_in_any_order)
{
	static const size_t sizes[] = { 60, 3000, 60, 1460, 3000, 5000, 60, 4000, 1400 };
	static uint8_t frame[6000];
	int fd;

	bring_up(TAP, UINT64_MAX);
	fd = packet_socket();
	give(80, 1300);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = 54 + sizes[i];

		if (sizes[i] > MOST)
			(void)tcp_frame(frame, sizes[i]);
		else
			make_frame(frame, size, test_mac, i);
		comes_in_parts(fd, frame, size);
		give(6, 1300);
	}
	(void)close(fd);
}

static void comes_in_three(int fd, const uint8_t *frame, size_t size)
{
	uint8_t got[4000];

	packet_send(fd, &tso, frame, size);
	for (size_t i = 0; i < 3; i++) {
		TK_EQ(guest_gets(got, sizeof(got)), HEADER + 54 + 1000);
		TK_EQ(got[0] & 1, 0);
		TK_EQ(got[1], 0);
		TK_MEM_EQ(got + HEADER + 54, frame + 54 + i * 1000, 1000);
	}
}

TK_TEST(it_is_cut_for_a_guest_that_cannot)
{
	static uint8_t frame[4000];
	size_t size = tcp_frame(frame, 3000);
	int fd;

	bring_up(TAP, ~(F_GUEST_CSUM | 0x780ull));
	fd = packet_socket();
	give(20, MOST + HEADER);
	comes_in_three(fd, frame, size);
	(void)close(fd);
}

TK_TEST(offloads_change_while_it_runs)
{
	static uint8_t frame[4000], got[4000];
	uint8_t none[8] = { 0 }, tso4[8] = { 0x82 }, ecn[8] = { 0, 0, 1 };
	size_t size = tcp_frame(frame, 3000);
	int fd;

	bring_up(TAP, UINT64_MAX);
	fd = packet_socket();
	give(40, BIG);
	TK_EQ(command(dev, CONTROL, 5, 0, none, 8), 0);
	comes_in_three(fd, frame, size);
	TK_EQ(command(dev, CONTROL, 5, 0, ecn, 8), 1); /* no such thing */
	TK_EQ(command(dev, CONTROL, 5, 0, tso4, 8), 0);
	packet_send(fd, &tso, frame, size);
	TK_EQ(guest_gets(got, sizeof(got)), HEADER + size);
	(void)close(fd);
}

TK_TEST(a_large_frame_of_the_guest_is_taken)
{
	static uint8_t whole[HEADER + 4000], got[4000];
	struct virtio_net_hdr header = { .flags = 0 };
	size_t size = tcp_frame(whole + HEADER, 3000);
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0800) };
	int fd;

	bring_up(TAP, UINT64_MAX);
	fd = packet_socket();
	a.sll_ifindex = (int)if_nametoindex("tk0");
	TK_EQ(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	memcpy(whole, &tso, sizeof(tso));
	(void)tk_out(dev, TX, whole, HEADER + size);
	tk_kick(dev, TX);
	tk_run_until_idle(dev);
	TK_EQ(packet_receive(fd, &header, got, sizeof(got)), size);
	TK_EQ(header.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	TK_EQ(header.gso_size, 1000);
	TK_EQ(tk_driver(dev, ~F_HOST_TSO4, 0), 0); /* not negotiated: not passed on */
	(void)tk_out(dev, TX, whole, HEADER + size);
	tk_kick(dev, TX);
	tk_run_until_idle(dev);
	TK_EQ(packet_receive(fd, &header, got, sizeof(got)), -1);
	(void)close(fd);
}

TK_TEST(a_checksum_is_left_to_whoever_reads_it)
{
	static const uint8_t udp[] = { 0x13, 0x88, 0x17, 0x70, 0, 13, 0, 0, 'h', 'e', 'l', 'l',
		'o' };
	uint8_t whole[HEADER + 60] = { 0 }, *frame = whole + HEADER, mac[6], text[16];
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(6000) };
	struct ifreq r = { .ifr_flags = 0 };
	uint32_t sum;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	bring_up(TAP, UINT64_MAX);
	TK_EQ(bind(fd, (const struct sockaddr *)&me, sizeof(me)), 0);
	interface_ioctl(SIOCGIFHWADDR, &r);
	memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	(void)tcp_frame(frame, 0);
	memcpy(frame, mac, 6);
	frame[17] = 20 + 13;
	frame[23] = 17;
	memcpy(frame + 26, "\x0a\x09\x00\x02\x0a\x09\x00\x01", 8);
	put_ip_sum(frame);
	memcpy(frame + 34, udp, sizeof(udp));
	sum = 0x0a09 + 1 + 0x0a09 + 2 + 17 + 13;
	frame[40] = (uint8_t)(sum >> 8);
	frame[41] = (uint8_t)sum;
	whole[0] = 1; /* the sum begins at 34 and goes to 6 in it */
	whole[6] = 34;
	whole[8] = 6;
	(void)tk_out(dev, TX, whole, HEADER + 34 + sizeof(udp));
	tk_kick(dev, TX);
	tk_run_until_idle(dev);
	TK_EQ(recv(fd, text, sizeof(text), 0), 5);
	TK_MEM_EQ(text, "hello", 5);
	(void)close(fd);
}

/* ---- queues ---- */

TK_TEST(more_than_one_queue)
{
	static const uint8_t header[HEADER];
	uint8_t frame[100], got[2000], pairs[2] = { 2, 0 };
	struct virtio_net_hdr h;
	unsigned came = 0;
	int fd;

	bring_up(TAP "queues = 3;", UINT64_MAX);
	TK_TRUE(tk_features(dev) & F_MQ);
	TK_EQ(tk_n_queues(dev), 7);
	TK_EQ(tk_config(dev, 8, 2), 3);
	fd = packet_socket();
	TK_EQ(command(dev, 6, 4, 0, pairs, 2), 0);
	pairs[0] = 4;
	TK_EQ(command(dev, 6, 4, 0, pairs, 2), 1);
	pairs[0] = 0;
	TK_EQ(command(dev, 6, 4, 0, pairs, 2), 1);
	make_frame(frame, sizeof(frame), everybody, 1);
	for (unsigned q = 1; q <= 3; q += 2) {
		const struct tk_part parts[] = { { 0, header, HEADER, 0 },
			{ 0, frame, sizeof(frame), 0 } };

		(void)tk_chain(dev, q, parts, 2);
		tk_kick(dev, q);
		tk_run_until_idle(dev);
		TK_EQ(packet_receive(fd, &h, got, sizeof(got)), sizeof(frame));
	}
	for (int i = 0; i < 50; i++) {
		(void)tk_in(dev, 0, BIG);
		(void)tk_in(dev, 2, BIG);
		(void)tk_in(dev, 4, BIG);
	}
	tk_kick(dev, 0);
	tk_kick(dev, 2);
	tk_kick(dev, 4);
	tk_run_until_idle(dev);
	(void)tk_reap(dev, 0);
	(void)tk_reap(dev, 2);
	for (int i = 0; i < 8; i++)
		packet_send(fd, NULL, frame, sizeof(frame));
	tk_run_until_idle(dev);
	came = tk_reap(dev, 0) + tk_reap(dev, 2);
	TK_TRUE(came >= 8); /* all on those two */
	TK_EQ(tk_used_idx(dev, 4), 0);
	(void)close(fd);
}

TK_TEST(one_queue_for_a_driver_that_knows_no_more)
{
	const uint8_t off = 0;

	bring_up(TAP "queues = 2;", ~F_MQ);
	TK_EQ(command(dev, 2, 0, 0, &off, 1), 0); /* the control queue's other place */
}

/* ---- descriptors, names ---- */

TK_TEST(a_descriptor_without_the_header)
{
	int tap = open_tap(IFF_TAP | IFF_NO_PI), fd;
	uint8_t frame[200], got[2000];
	struct virtio_net_hdr header = { .flags = 0 };
	char text[100];

	(void)snprintf(text, sizeof(text), "backend = \"tap\"; fd = %d; " TEST_MAC, tap);
	bring_up(text, UINT64_MAX);
	TK_EQ(tk_features(dev) & ALL_OFFLOADS, 0);
	fd = packet_socket();
	make_frame(frame, sizeof(frame), everybody, 1);
	(void)guest_sends(dev, frame, sizeof(frame));
	tk_kick(dev, TX);
	tk_run_until_idle(dev);
	TK_EQ(packet_receive(fd, &header, got, sizeof(got)), sizeof(frame));
	give(20, MOST + HEADER);
	packet_send(fd, NULL, frame, sizeof(frame));
	TK_EQ(guest_gets(got, sizeof(got)), HEADER + sizeof(frame));
	TK_MEM_EQ(got + HEADER, frame, sizeof(frame));
	(void)close(fd);
}

TK_TEST(a_descriptor_with_the_header)
{
	static uint8_t frame[4000], got[4000];
	int tap = open_tap(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR), fd;
	size_t size = tcp_frame(frame, 3000);
	char text[100];

	(void)snprintf(text, sizeof(text), "backend = \"tap\"; fd = %d; " TEST_MAC, tap);
	bring_up(text, UINT64_MAX);
	TK_EQ(tk_features(dev) & ALL_OFFLOADS, ALL_OFFLOADS);
	fd = packet_socket();
	give(20, BIG);
	packet_send(fd, &tso, frame, size);
	TK_EQ(guest_gets(got, sizeof(got)), HEADER + size);
	(void)close(fd);
}

static void refused(const char *settings, const char *why)
{
	struct tk_dev *d = tk_create("net", settings);

	TK_TRUE(d != NULL);
	TK_TRUE(tk_attach(d) < 0);
	TK_HAS_TEXT(tk_error(), why);
	tk_destroy(d);
}

TK_TEST(what_cannot_be_used_is_said)
{
	char text[100];
	int tap;

	refused("backend = \"tap\"; interface = \"a-name-that-is-too-long\";", "too long");
	refused("backend = \"tap\"; interface = \"lo\";", "cannot use the interface \"lo\"");
	tap = open_tap(IFF_TUN | IFF_NO_PI);
	refused(TAP, "it is no tap interface");
	(void)snprintf(text, sizeof(text), "backend = \"tap\"; fd = %d;", tap);
	refused(text, "is a tun");
	(void)close(tap);
	tap = open_tap(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	refused(TAP, "another program has it");
	(void)close(tap);
}

/* ---- what may happen ---- */

TK_TEST(an_interface_that_is_down)
{
	uint8_t frame[100], got[2000];
	struct virtio_net_hdr header = { .flags = 0 };
	int fd;

	bring_up(TAP, UINT64_MAX);
	interface_up(0);
	make_frame(frame, sizeof(frame), everybody, 1);
	(void)guest_sends(dev, frame, sizeof(frame));
	tk_kick(dev, TX);
	tk_run_until_idle(dev);
	TK_EQ(tk_reap(dev, TX), 1);
	TK_TRUE(tk_log_has("the peer refused a frame"));
	TK_EQ(tk_config(dev, STATUS, 2), 1);
	interface_up(1);
	fd = packet_socket();
	(void)guest_sends(dev, frame, sizeof(frame));
	tk_kick(dev, TX);
	tk_run_until_idle(dev);
	TK_EQ(packet_receive(fd, &header, got, sizeof(got)), sizeof(frame));
	(void)close(fd);
}

TK_TEST(an_interface_that_goes_and_comes_back)
{
	uint8_t frame[100], got[2000];
	const int on = 1;
	int tap, fd;

	bring_up(TAP, UINT64_MAX);
	give(40, BIG);
	interface_delete();
	tk_run_until_idle(dev);
	TK_EQ(tk_config(dev, STATUS, 2), 0);
	tk_advance_ms(10000);
	TK_EQ(if_nametoindex("tk0"), 0); /* it is not made anew by us */
	TK_EQ(tk_log_count(TENON_LOG_WARN), 1);
	tap = open_tap(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	TK_EQ(ioctl(tap, TUNSETPERSIST, on), 0);
	(void)close(tap);
	tk_advance_ms(5000);
	TK_EQ(tk_config(dev, STATUS, 2) & 1, 1);
	interface_address();
	fd = packet_socket();
	make_frame(frame, sizeof(frame), test_mac, 1);
	packet_send(fd, NULL, frame, sizeof(frame));
	TK_EQ(guest_gets(got, sizeof(got)), HEADER + sizeof(frame));
	interface_delete();
	(void)close(fd);
}

TK_TEST(hostile)
{
	bring_up(TAP "queues = 2;", UINT64_MAX);
	TK_TRUE(tk_hostile_run(dev) > 200);
}

TK_TEST(every_failure_of_attach_is_said)
{
	TK_TRUE(tk_fault_sweep("net", TAP "queues = 2;") >= 15);
}

int main(int argc, char **argv)
{
	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) < 0 ||
		unshare(CLONE_NEWNET) < 0) {
		(void)printf("1..0 # SKIP needs root and /dev/net/tun\n");
		return 77;
	}
	return tk_main(argc, argv, TENON_TESTKIT_PLUGIN);
}
