/* SPDX-License-Identifier: Apache-2.0 */
/* A front end that speaks badly, in pieces, or goes away at any point. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/serve/scripted.h"

/* ---- shapes ---- */

struct shape {
	uint32_t request, size;
	uint32_t fds; /* that it wants */
};

static const struct shape shapes[] = {
	{ VHOST_USER_GET_FEATURES, 0, 0 },
	{ VHOST_USER_SET_FEATURES, 8, 0 },
	{ VHOST_USER_SET_OWNER, 0, 0 },
	{ VHOST_USER_RESET_OWNER, 0, 0 },
	{ VHOST_USER_SET_LOG_BASE, 16, 1 },
	{ VHOST_USER_SET_VRING_NUM, 8, 0 },
	{ VHOST_USER_SET_VRING_ADDR, 40, 0 },
	{ VHOST_USER_SET_VRING_BASE, 8, 0 },
	{ VHOST_USER_GET_VRING_BASE, 8, 0 },
	{ VHOST_USER_SET_VRING_KICK, 8, 1 },
	{ VHOST_USER_SET_VRING_CALL, 8, 1 },
	{ VHOST_USER_SET_VRING_ERR, 8, 1 },
	{ VHOST_USER_GET_PROTOCOL_FEATURES, 0, 0 },
	{ VHOST_USER_SET_PROTOCOL_FEATURES, 8, 0 },
	{ VHOST_USER_GET_QUEUE_NUM, 0, 0 },
	{ VHOST_USER_SET_VRING_ENABLE, 8, 0 },
	{ VHOST_USER_RESET_DEVICE, 0, 0 },
	{ VHOST_USER_GET_MAX_MEM_SLOTS, 0, 0 },
	{ VHOST_USER_ADD_MEM_REG, 40, 1 },
	{ VHOST_USER_REM_MEM_REG, 40, 0 },
	{ VHOST_USER_SET_STATUS, 8, 0 },
	{ VHOST_USER_GET_STATUS, 0, 0 },
	{ VHOST_USER_SET_INFLIGHT_FD, 24, 1 },
};

static void is_refused(uint32_t request, uint32_t size, uint32_t n_fds)
{
	const uint8_t zero[512] = { 0 };
	int fds[16];

	for (uint32_t i = 0; i < 16; i++)
		fds[i] = bed.memory;
	send_raw(request, 0, zero, size, fds, n_fds);
	assert_true(is_closed());
	hang_up();
	connect_front_end();
}

static void wrong_shapes_are_refused(void **state)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];

		is_refused(s->request, s->size + 4, s->fds);
		if (s->size >= 8)
			is_refused(s->request, s->size - 5, s->fds);
		is_refused(s->request, s->size, s->fds + 2);
		if (s->fds)
			is_refused(s->request, s->size, 0);
	}
	is_refused(VHOST_USER_GET_CONFIG, VHOST_USER_CONFIG_HEAD + 300, 0);
	is_refused(VHOST_USER_SET_MEM_TABLE, 8, 12);
}

static void unknown_requests_are_refused(void **state)
{
	static const uint32_t unknown[] = { 0, VHOST_USER_SEND_RARP, VHOST_USER_NET_SET_MTU,
		VHOST_USER_IOTLB_MSG, VHOST_USER_POSTCOPY_ADVISE, VHOST_USER_GPU_SET_SOCKET,
		VHOST_USER_VRING_KICK, 45, 1000, UINT32_MAX };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		is_refused(unknown[i], 0, 0);
	negotiate(P(REPLY_ACK));
	send_raw(1000, NEED, NULL, 0, NULL, 0);
	assert_int_equal(hear(), sizeof(uint64_t));
	assert_int_equal(bed.got.payload.u64, 1);
	send_raw(VHOST_USER_SET_OWNER, NEED, NULL, 0, NULL, 0);
	assert_int_equal(hear(), sizeof(uint64_t));
	assert_int_equal(bed.got.payload.u64, 0);
	assert_false(is_closed());
}

static void rings_past_the_last_are_refused(void **state)
{
	static const uint32_t requests[] = { VHOST_USER_SET_VRING_NUM, VHOST_USER_SET_VRING_BASE,
		VHOST_USER_GET_VRING_BASE, VHOST_USER_SET_VRING_ENABLE };
	static const uint32_t with_fd[] = { VHOST_USER_SET_VRING_KICK, VHOST_USER_SET_VRING_CALL,
		VHOST_USER_SET_VRING_ERR };
	const struct vhost_user_vring_addr addr = { .index = LENT_QUEUES };
	static const uint32_t sizes[] = { 0, 3, LENT_QUEUE_SIZE * 2, UINT32_MAX };

	for (size_t i = 0; i < 4; i++) {
		say_state(requests[i], LENT_QUEUES, 1);
		assert_true(is_closed());
		hang_up();
		connect_front_end();
	}
	for (size_t i = 0; i < 3; i++) {
		say_fd(with_fd[i], LENT_QUEUES, bed.kick[0]);
		assert_true(is_closed());
		hang_up();
		connect_front_end();
	}
	say(VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr));
	assert_true(is_closed());
	for (size_t i = 0; i < 4; i++) {
		hang_up();
		connect_front_end();
		say_state(VHOST_USER_SET_VRING_NUM, 0, sizes[i]);
		assert_true(is_closed());
	}
}

static void a_ring_that_runs_stays_where_it_is(void **state)
{
	const struct vhost_user_vring_addr addr = {
		.desc = USER + DESC(1), .avail = USER + AVAIL(0), .used = USER + USED(0)
	};

	bring_up(0);
	say_state(VHOST_USER_SET_VRING_NUM, 0, 4);
	assert_true(is_closed());
	hang_up();
	connect_front_end();
	bring_up(0);
	say(VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr));
	assert_true(is_closed());
}

static void headers_are_checked(void **state)
{
	const struct vhost_user_header bad[] = { { VHOST_USER_SET_OWNER, 2, 0 },
		{ VHOST_USER_SET_OWNER, 1, VHOST_USER_MAX_PAYLOAD + 1 },
		{ VHOST_USER_SET_OWNER, 1, UINT32_MAX } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(write(bed.fd, &bad[i], sizeof(bad[i])), sizeof(bad[i]));
		assert_true(is_closed());
		hang_up();
		connect_front_end();
	}
}

static void a_message_may_come_in_pieces(void **state)
{
	const struct {
		struct vhost_user_header header;
		uint64_t value;
	} __attribute__((packed)) m = { { VHOST_USER_SET_FEATURES, 1, 8 }, WITH_PF };

	for (size_t i = 0; i < sizeof(m); i++) {
		assert_int_equal(bed.lent.serve.features, 0);
		assert_int_equal(write(bed.fd, (const uint8_t *)&m + i, 1), 1);
		lent_run(&bed.lent);
	}
	assert_int_equal(bed.lent.serve.features, WITH_PF);
	assert_int_equal(write(bed.fd, &m, 5), 5);
	hang_up(); /* half a message is none */
	assert_true(is_closed());
}

/* ---- the end, at any point ---- */

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

static void step(unsigned i)
{
	struct vhost_user_inflight is;
	int fd;

	switch (i) {
	case 0:
		negotiate(P(INFLIGHT_SHMFD) | P(REPLY_ACK));
		break;
	case 1:
		share_memory();
		break;
	case 2:
		fd = get_ledger(&is);
		set_ledger(&is, fd);
		(void)close(fd);
		assert_non_null(bed.lent.serve.ledger.base);
		break;
	case 3:
		set_ring(0, 0);
		break;
	case 4:
		start_ring(0);
		break;
	case 5:
		offer(0, 0, 1);
		kick(0);
		break;
	case 6:
		share_memory();
		break;
	case 7:
		say_state(VHOST_USER_SET_VRING_ENABLE, 0, 0);
		break;
	case 8:
		(void)ask_base(0);
		break;
	}
}

static void the_front_end_may_go_at_any_point(void **state)
{
	unsigned before;

	hang_up();
	before = count_fds();
	for (unsigned n = 0; n < 20; n++) {
		bed.lent.holds = n >= 10; /* the device sits on what it has */
		memset(bed.at, 0, SIZE);
		connect_front_end();
		for (unsigned i = 0; i < n % 10; i++)
			step(i);
		hang_up();
		assert_true(is_closed());
		assert_int_equal(count_fds(), before);
		assert_int_equal(bed.lent.serve.memory.n_regions, 0);
		assert_null(bed.lent.serve.ledger.base);
	}
	assert_int_equal(bed.lent.resets, bed.lent.activations);
	bed.lent.holds = false;
	memset(bed.at, 0, SIZE);
	connect_front_end();
	bring_up(0);
	serves_a_chain(0, 0, 0xa1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(wrong_shapes_are_refused),
		BED_TEST(unknown_requests_are_refused),
		BED_TEST(rings_past_the_last_are_refused),
		BED_TEST(a_ring_that_runs_stays_where_it_is),
		BED_TEST(headers_are_checked),
		BED_TEST(a_message_may_come_in_pieces),
		BED_TEST(the_front_end_may_go_at_any_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
