/* SPDX-License-Identifier: Apache-2.0 */
/* What a front end gets that speaks well: rings, memory, the log, and what outlives it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/serve/scripted.h"

/* ---- what is offered ---- */

static void says_what_it_can(void **state)
{
	const uint64_t protocol = P(MQ) | P(LOG_SHMFD) | P(REPLY_ACK) | P(BACKEND_REQ) | P(CONFIG) |
				  P(INFLIGHT_SHMFD) | P(RESET_DEVICE) | P(CONFIGURE_MEM_SLOTS) |
				  P(STATUS);

	assert_int_equal(ask_u64(VHOST_USER_GET_FEATURES), LENT_FEATURES | VIRTIO_LAYER_FEATURES |
								   VHOST_USER_F_LOG_ALL |
								   VHOST_USER_F_PROTOCOL_FEATURES);
	assert_int_equal(ask_u64(VHOST_USER_GET_PROTOCOL_FEATURES), protocol);
	assert_int_equal(ask_u64(VHOST_USER_GET_QUEUE_NUM), LENT_QUEUES);
	assert_true(ask_u64(VHOST_USER_GET_MAX_MEM_SLOTS) >= 8);
}

static void refuses_what_it_did_not_offer(void **state)
{
	say_u64(VHOST_USER_SET_FEATURES, WITH_PF | 1ull << 63);
	assert_true(is_closed());
	hang_up();
	connect_front_end();
	say_u64(VHOST_USER_SET_PROTOCOL_FEATURES, P(RARP));
	assert_true(is_closed());
}

/* ---- rings ---- */

static void a_chain_goes_there_and_back(void **state)
{
	bring_up(0);
	serves_a_chain(0, 0, 0x11);
	serves_a_chain(0, 2, 0x22);
	assert_int_equal(bed.lent.activations, 1);
	assert_int_equal(bed.lent.features, BASE);
}

static void a_ring_waits_till_it_is_enabled(void **state)
{
	negotiate(0);
	share_memory();
	set_ring(0, 0);
	say_fd(VHOST_USER_SET_VRING_KICK, 0, bed.kick[0]);
	offer(0, 0, 0x33);
	kick(0);
	assert_int_equal(get16(USED(0) + 2), 0);
	say_state(VHOST_USER_SET_VRING_ENABLE, 0, 1);
	assert_int_equal(get16(USED(0) + 2), 1);
	say_state(VHOST_USER_SET_VRING_ENABLE, 0, 0);
	offer(0, 2, 0x34);
	kick(0);
	assert_int_equal(get16(USED(0) + 2), 1);
	say_state(VHOST_USER_SET_VRING_ENABLE, 0, 1);
	assert_int_equal(get16(USED(0) + 2), 2);
}

static void without_the_second_features_it_is_enabled(void **state)
{
	say_u64(VHOST_USER_SET_FEATURES, BASE);
	share_memory();
	set_ring(0, 0);
	say_fd(VHOST_USER_SET_VRING_KICK, 0, bed.kick[0]);
	serves_a_chain(0, 0, 0x35);
}

static void a_stopped_ring_says_where_and_goes_on(void **state)
{
	bring_up(0);
	set_ring(1, 0);
	start_ring(1);
	serves_a_chain(0, 0, 1);
	serves_a_chain(0, 2, 2);
	assert_int_equal(ask_base(0), 2);
	assert_int_equal(bed.lent.resets, 0); /* the other one runs */
	offer(0, 4, 3);
	kick(0);
	assert_int_equal(get16(USED(0) + 2), 2);
	serves_a_chain(1, 0, 4);
	set_ring(0, 2);
	start_ring(0);
	assert_int_equal(get16(USED(0) + 2), 3);
	assert_int_equal(bed.at[BUFFER + 4 * 0x20ull + 0x10], 3);
	assert_int_equal(bed.lent.activations, 1);
}

static void the_last_ring_to_stop_is_a_reset(void **state)
{
	bring_up(0);
	assert_int_equal(ask_base(0), 0);
	assert_int_equal(bed.lent.resets, 1);
	set_ring(0, 0);
	start_ring(0);
	serves_a_chain(0, 0, 9);
	assert_int_equal(bed.lent.activations, 2);
}

static void with_a_status_only_the_status_resets(void **state)
{
	bring_up(P(STATUS));
	say_u64(VHOST_USER_SET_STATUS, 15);
	assert_int_equal(ask_u64(VHOST_USER_GET_STATUS), 15);
	assert_int_equal(ask_base(0), 0);
	assert_int_equal(bed.lent.resets, 0);
	set_ring(0, 0);
	start_ring(0);
	serves_a_chain(0, 0, 9);
	assert_int_equal(bed.lent.activations, 1);
	say_u64(VHOST_USER_SET_STATUS, 0);
	assert_int_equal(bed.lent.resets, 1);
	assert_int_equal(ask_u64(VHOST_USER_GET_STATUS), 0);
}

static void what_the_device_holds_is_taken_again(void **state)
{
	bed.lent.holds = true;
	bring_up(0);
	set_ring(1, 0);
	start_ring(1);
	offer(0, 0, 0x41);
	offer(0, 2, 0x42);
	kick(0);
	assert_int_equal(bed.lent.n_held, 2);
	assert_int_equal(ask_base(0), 0);
	assert_int_equal(bed.lent.n_held, 0);
	bed.lent.holds = false;
	set_ring(0, 0);
	start_ring(0);
	assert_int_equal(get16(USED(0) + 2), 2);
	serves_a_chain(1, 4, 0x43);
}

/* ---- requests in flight ---- */

static void a_successor_takes_what_was_in_flight(void **state)
{
	struct vhost_user_inflight is;
	int fd;

	bed.lent.holds = true;
	negotiate(P(INFLIGHT_SHMFD));
	fd = get_ledger(&is);
	set_ledger(&is, fd);
	share_memory();
	set_ring(0, 0);
	start_ring(0);
	offer(0, 4, 0x51);
	offer(0, 2, 0x52);
	offer(0, 0, 0x53);
	kick(0);
	assert_int_equal(bed.lent.n_held, 3);
	lent_give_back(&bed.lent, 1);
	hang_up();
	lent_destroy(&bed.lent);

	assert_int_equal(lent_create(&bed.lent), 0);
	bed.lent.holds = true;
	connect_front_end();
	negotiate(P(INFLIGHT_SHMFD));
	set_ledger(&is, fd);
	share_memory();
	set_ring(0, 1); /* all that a front end knows is the used index */
	start_ring(0);
	assert_int_equal(bed.lent.n_held, 2);
	assert_int_equal(bed.lent.held[0].head, 4);
	assert_int_equal(bed.lent.held[1].head, 0);
	offer(0, 6, 0x54);
	kick(0);
	assert_int_equal(bed.lent.n_held, 3);
	assert_int_equal(bed.lent.held[2].head, 6);
	for (uint32_t i = 0; i < 3; i++)
		lent_give_back(&bed.lent, i);
	assert_int_equal(get16(USED(0) + 2), 4);
	(void)close(fd);
}

/* Whoever was here before may have been busy when it ended. */
static void a_successor_wants_to_be_kicked(void **state)
{
	put16(USED(0), 1); /* NO_NOTIFY */
	bring_up(0);
	assert_int_equal(get16(USED(0)), 0);
	assert_false(was_signalled(bed.call[0]));
}

/* And may not have said what it did. */
static void a_successor_interrupts_once_more(void **state)
{
	put16(USED(0) + 2, 1);
	put16(AVAIL(0) + 2, 1);
	negotiate(0);
	share_memory();
	set_ring(0, 1);
	start_ring(0);
	assert_true(was_signalled(bed.call[0]));
}

static void an_interrupt_waits_for_its_descriptor(void **state)
{
	bring_up(0);
	say_u64(VHOST_USER_SET_VRING_CALL, VHOST_USER_VRING_NOFD);
	offer(0, 0, 0x36);
	kick(0);
	assert_int_equal(get16(USED(0) + 2), 1);
	assert_false(was_signalled(bed.call[0]));
	say_fd(VHOST_USER_SET_VRING_CALL, 0, bed.call[0]);
	assert_true(was_signalled(bed.call[0]));
	say_fd(VHOST_USER_SET_VRING_CALL, 0, bed.call[0]);
	assert_false(was_signalled(bed.call[0]));
}

/* It was published, and the end of that was not written down. */
static void a_batch_that_was_published_is_over(void **state)
{
	struct vhost_user_inflight_ring *head;
	struct vhost_user_inflight_desc *desc;
	struct vhost_user_inflight is;
	int fd;

	bed.lent.holds = true;
	negotiate(P(INFLIGHT_SHMFD));
	fd = get_ledger(&is);
	head = mmap(NULL, is.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(head, MAP_FAILED);
	desc = (struct vhost_user_inflight_desc *)(head + 1);
	desc[3].inflight = desc[5].inflight = desc[6].inflight = 1;
	desc[3].next = 5;
	head->last_batch_head = 3;
	head->used_idx = 7;
	put16(USED(0) + 2, 9);
	put16(AVAIL(0) + 2, 10);
	offer(0, 6, 0x61);
	put16(AVAIL(0) + 2, 10);
	set_ledger(&is, fd);
	share_memory();
	set_ring(0, 9);
	start_ring(0);
	assert_int_equal(bed.lent.n_held, 1);
	assert_int_equal(bed.lent.held[0].head, 6);
	assert_int_equal(desc[3].inflight + desc[5].inflight, 0);
	assert_int_equal(head->used_idx, 9);
	(void)munmap(head, is.size);
	(void)close(fd);
}

static void a_ledger_that_does_not_fit_is_refused(void **state)
{
	const struct vhost_user_inflight bad[] = {
		{ 4096, 0, 3, 8 },
		{ 4096, 0, 1, 7 },
		{ 64, 0, 1, 8 },
		{ 4096, 4, 1, 8 },
		{ UINT64_MAX, 8, 1, 8 },
		{ 1 << 20, 0, 1, 8 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_ledger(&bad[i], bed.memory);
		assert_true(is_closed());
		hang_up();
		connect_front_end();
	}
}

/* ---- memory ---- */

static void memory_moves_under_a_ring(void **state)
{
	uint8_t *old = bed.at;
	int old_fd = bed.memory;

	bring_up(0);
	serves_a_chain(0, 0, 0x71);
	bed.memory = make_memory(&bed.at);
	memcpy(bed.at, old, SIZE);
	share_memory();
	memset(old, 0xff, SIZE);
	serves_a_chain(0, 2, 0x72);
	assert_int_equal(bed.lent.resets, 0);
	(void)munmap(old, SIZE);
	(void)close(old_fd);
}

static void a_ring_without_memory_cannot_go_on(void **state)
{
	const struct vhost_user_memory_one one = { .region = { GPA, SIZE, USER, 0 } };

	bring_up(P(CONFIGURE_MEM_SLOTS));
	serves_a_chain(0, 0, 0x73);
	say(VHOST_USER_REM_MEM_REG, &one, sizeof(one));
	offer(0, 2, 0x74);
	kick(0);
	assert_int_equal(get16(USED(0) + 2), 1);
	assert_true(is_closed());
}

static void a_second_region_is_seen(void **state)
{
	struct vhost_user_memory_one one = { .region = { 0x100000, 0x1000, USER + SIZE, 0x2000 } };
	const uint64_t addr = 0x100000;

	bring_up(P(CONFIGURE_MEM_SLOTS));
	send_raw(VHOST_USER_ADD_MEM_REG, 0, &one, sizeof(one), &bed.memory, 1);
	offer(0, 0, 0x75);
	memcpy(bed.at + DESC(0) + 16, &addr, sizeof(addr));
	kick(0);
	assert_int_equal(bed.at[0x2000], 0x75);
	say(VHOST_USER_REM_MEM_REG, &one, sizeof(one));
	serves_a_chain(0, 2, 0x76);
	say(VHOST_USER_REM_MEM_REG, &one, sizeof(one));
	assert_true(is_closed()); /* it is not there any more */
}

static void memory_that_cannot_be_is_refused(void **state)
{
	const struct vhost_user_memory_region bad[] = {
		{ GPA, SIZE + 0x1000, USER, 0 },           /* longer than its file */
		{ GPA, SIZE, USER, 0x1000 },               /* the same, from further on */
		{ GPA, 0, USER, 0 },                       /* nothing */
		{ GPA, 0x800, USER, 0 },                   /* no whole pages */
		{ GPA + 1, 0x1000, USER, 0 },              /* nor these */
		{ UINT64_MAX - 0xfff, 0x2000, USER, 0 },   /* wraps in the guest's addresses */
		{ GPA, 0x2000, UINT64_MAX - 0xfff, 0 },    /* and in the front end's */
		{ GPA, 0x1000, USER, UINT64_MAX - 0xfff }, /* and in the file */
		{ GPA, UINT64_MAX & ~0xfffull, USER, 0 },  /* all there is */
	};

	negotiate(P(REPLY_ACK) | P(CONFIGURE_MEM_SLOTS));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct vhost_user_memory_one one = { .region = bad[i] };

		send_raw(VHOST_USER_ADD_MEM_REG, NEED, &one, sizeof(one), &bed.memory, 1);
		assert_int_equal(hear(), sizeof(uint64_t));
		assert_int_equal(bed.got.payload.u64, 1);
	}
	assert_false(is_closed());
}

static void regions_do_not_overlap(void **state)
{
	const struct vhost_user_memory twice = {
		.n_regions = 2,
		.regions = { { GPA, SIZE, USER, 0 }, { GPA + 0x1000, SIZE, USER + SIZE, 0 } },
	};
	const int fds[] = { bed.memory, bed.memory };

	send_raw(VHOST_USER_SET_MEM_TABLE, 0, &twice, 8 + 2 * (uint32_t)sizeof(twice.regions[0]),
		fds, 2);
	assert_true(is_closed());
}

static void a_table_and_its_descriptors_fit(void **state)
{
	struct vhost_user_memory table = { .n_regions = 1, .regions = { { GPA, SIZE, USER, 0 } } };
	const int fds[] = { bed.memory, bed.memory };

	send_raw(VHOST_USER_SET_MEM_TABLE, 0, &table, 8 + sizeof(table.regions[0]), fds, 2);
	assert_true(is_closed());
	hang_up();
	connect_front_end();
	table.n_regions = 100;
	send_raw(VHOST_USER_SET_MEM_TABLE, 0, &table, 8 + sizeof(table.regions[0]), fds, 1);
	assert_true(is_closed());
}

/* The process would die of SIGBUS. */
static void memory_that_vanishes_ends_the_connection(void **state)
{
	assert_int_equal(serve_map_guard(), 0); /* the test's frame has its own for every test */
	bring_up(0);
	serves_a_chain(0, 0, 0x77);
	assert_int_equal(ftruncate(bed.memory, 0), 0);
	kick(0);
	assert_true(is_closed());
	assert_int_equal(ftruncate(bed.memory, (off_t)SIZE), 0);
	hang_up();
	connect_front_end();
	bring_up(0);
	serves_a_chain(0, 0, 0x78);
}

static void rings_outside_of_memory_are_refused(void **state)
{
	const uint64_t bad[] = { 0, USER - 16, USER + SIZE, USER + SIZE - 16, GPA, USER + 1,
		UINT64_MAX };

	for (size_t i = 0; i < 3 * sizeof(bad) / sizeof(bad[0]); i++) {
		struct vhost_user_vring_addr addr = {
			.desc = USER + DESC(0), .avail = USER + AVAIL(0), .used = USER + USED(0)
		};
		uint64_t *at[] = { &addr.desc, &addr.avail, &addr.used };

		*at[i % 3] = bad[i / 3];
		negotiate(0);
		share_memory();
		set_ring(0, 0);
		say(VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr));
		start_ring(0);
		assert_true(is_closed());
		hang_up();
		connect_front_end();
	}
	assert_int_equal(bed.lent.activations, 0);
}

/* ---- the log ---- */

static void what_is_written_is_logged(void **state)
{
	const struct vhost_user_log log = { .size = 4096, .fd_offset = 0 };
	uint8_t *bits;
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, 4096), 0);
	bits = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(bits, MAP_FAILED);
	bring_up(P(LOG_SHMFD));
	serves_a_chain(0, 0, 0x81);
	assert_int_equal(bits[2], 0);
	send_raw(VHOST_USER_SET_LOG_BASE, 0, &log, sizeof(log), &fd, 1);
	assert_int_equal(hear(), sizeof(uint64_t));
	say_u64(VHOST_USER_SET_FEATURES, WITH_PF | VHOST_USER_F_LOG_ALL);
	serves_a_chain(0, 2, 0x82);
	assert_int_equal(bits[2], 3); /* pages 16 and 17: the used ring, the buffer */
	assert_int_equal(bits[3], 0);
	say_u64(VHOST_USER_SET_FEATURES, WITH_PF);
	assert_int_equal(bed.lent.resets, 0);
	(void)munmap(bits, 4096);
	(void)close(fd);
}

/* ---- configuration ---- */

static void get_config(uint32_t offset, uint32_t size)
{
	struct vhost_user_config config = { .offset = offset, .size = size };

	say(VHOST_USER_GET_CONFIG, &config, VHOST_USER_CONFIG_HEAD + size);
	assert_int_equal(hear(), VHOST_USER_CONFIG_HEAD + size);
}

static void the_configuration_is_read(void **state)
{
	get_config(0, LENT_CONFIG);
	assert_memory_equal(bed.got.payload.config.bytes, "configured!", LENT_CONFIG);
	get_config(8, 100); /* past its end */
	assert_memory_equal(bed.got.payload.config.bytes, "ed!\0\0\0", 6);
	get_config(UINT32_MAX, 8);
	assert_memory_equal(bed.got.payload.config.bytes, "\0\0\0\0\0\0\0", 8);
}

static void the_driver_s_writes_reach_the_device(void **state)
{
	struct vhost_user_config config = { .offset = 1, .size = 10, .bytes = "ONFIGURED?" };

	bring_up(P(CONFIG));
	say(VHOST_USER_SET_CONFIG, &config, VHOST_USER_CONFIG_HEAD + config.size);
	assert_int_equal(bed.lent.writes, 10);
	get_config(0, LENT_CONFIG);
	assert_memory_equal(bed.got.payload.config.bytes, "cONFIGURED?", LENT_CONFIG);
	config.offset = 3;
	say(VHOST_USER_SET_CONFIG, &config, VHOST_USER_CONFIG_HEAD + config.size);
	assert_true(is_closed());
	assert_int_equal(bed.lent.writes, 10);
}

static void the_front_end_hears_of_changes(void **state)
{
	struct vhost_user_header heard = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	bring_up(P(CONFIG) | P(BACKEND_REQ));
	send_raw(VHOST_USER_SET_BACKEND_REQ_FD, 0, NULL, 0, &pair[1], 1);
	assert_int_equal(service_virtio.config_set(bed.lent.serve.dev, 0, "C", 1), 0);
	assert_int_equal(recv(pair[0], &heard, sizeof(heard), MSG_DONTWAIT), sizeof(heard));
	assert_int_equal(heard.request, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG);
	assert_int_equal(heard.size, 0);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

/* ---- faults ---- */

static void a_bad_driver_stops_its_rings(void **state)
{
	bring_up(P(STATUS) | P(RESET_DEVICE));
	offer(0, 0, 0x91);
	put16(AVAIL(0) + 4, 77);
	kick(0);
	assert_true(was_signalled(bed.err[0]));
	assert_true(ask_u64(VHOST_USER_GET_STATUS) & VIRTIO_STATUS_NEEDS_RESET);
	offer(0, 2, 0x92);
	kick(0);
	assert_int_equal(get16(USED(0) + 2), 0);
	say(VHOST_USER_RESET_DEVICE, NULL, 0);
	assert_false(ask_u64(VHOST_USER_GET_STATUS) & VIRTIO_STATUS_NEEDS_RESET);
	memset(bed.at, 0, SIZE);
	set_ring(0, 0);
	start_ring(0);
	serves_a_chain(0, 0, 0x93);
}

static void a_kick_that_ends_is_not_waited_for(void **state)
{
	int pair[2];

	bring_up(0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	say_fd(VHOST_USER_SET_VRING_KICK, 0, pair[1]);
	(void)close(pair[1]);
	(void)close(pair[0]);
	lent_run(&bed.lent); /* it would never end */
	assert_false(is_closed());
	say_fd(VHOST_USER_SET_VRING_KICK, 0, bed.memory); /* nobody can wait for a file */
	assert_true(is_closed());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(says_what_it_can),
		BED_TEST(refuses_what_it_did_not_offer),
		BED_TEST(a_chain_goes_there_and_back),
		BED_TEST(a_ring_waits_till_it_is_enabled),
		BED_TEST(without_the_second_features_it_is_enabled),
		BED_TEST(a_stopped_ring_says_where_and_goes_on),
		BED_TEST(the_last_ring_to_stop_is_a_reset),
		BED_TEST(with_a_status_only_the_status_resets),
		BED_TEST(what_the_device_holds_is_taken_again),
		BED_TEST(a_successor_takes_what_was_in_flight),
		BED_TEST(a_successor_wants_to_be_kicked),
		BED_TEST(a_successor_interrupts_once_more),
		BED_TEST(an_interrupt_waits_for_its_descriptor),
		BED_TEST(a_batch_that_was_published_is_over),
		BED_TEST(a_ledger_that_does_not_fit_is_refused),
		BED_TEST(memory_moves_under_a_ring),
		BED_TEST(a_ring_without_memory_cannot_go_on),
		BED_TEST(a_second_region_is_seen),
		BED_TEST(memory_that_cannot_be_is_refused),
		BED_TEST(regions_do_not_overlap),
		BED_TEST(a_table_and_its_descriptors_fit),
		BED_TEST(memory_that_vanishes_ends_the_connection),
		BED_TEST(rings_outside_of_memory_are_refused),
		BED_TEST(what_is_written_is_logged),
		BED_TEST(the_configuration_is_read),
		BED_TEST(the_driver_s_writes_reach_the_device),
		BED_TEST(the_front_end_hears_of_changes),
		BED_TEST(a_bad_driver_stops_its_rings),
		BED_TEST(a_kick_that_ends_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
