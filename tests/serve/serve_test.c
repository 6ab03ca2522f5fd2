/* SPDX-License-Identifier: Apache-2.0 */
/* A front end that follows a script, at the other end of a socket pair. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/serve/lent.h"

#include <cmocka.h> /* last: it has a macro named fail */

#define GPA     0x10000ull
#define USER    0x7f0000000000ull
#define SIZE    0x10000ull
#define BASE    (1ull << 32) /* VERSION_1 */
#define WITH_PF (BASE | VHOST_USER_F_PROTOCOL_FEATURES)
#define P(name) (1ull << VHOST_USER_PROTOCOL_F_##name)
#define NEED    VHOST_USER_FLAG_NEED

/* Where the driver's rings and buffers are, from the beginning of memory. */
#define DESC(q)  (0x400ull * (q))
#define AVAIL(q) (DESC(q) + 0x100u)
#define USED(q)  (DESC(q) + 0x200u)
#define BUFFER   0x1000ull

struct bed {
	struct lent lent;
	int fd;     /* the front end's end; -1 = closed */
	int memory; /* memfd */
	uint8_t *at;
	int kick[2], call[2], err[2];
	struct serve_message got;
	int n_fds;
};

static struct bed bed;

/* ---- messages ---- */

static void send_raw(uint32_t request, uint32_t flags, const void *payload, uint32_t size,
	const int *fds, uint32_t n_fds)
{
	struct vhost_user_header h = { request, flags | VHOST_USER_VERSION, size };
	struct iovec iov[] = { { &h, sizeof(h) }, { (void *)(uintptr_t)payload, size } };
	char control[CMSG_SPACE(sizeof(int) * 16)] = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;

	if (n_fds) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	assert_int_equal(sendmsg(bed.fd, &msg, MSG_NOSIGNAL), sizeof(h) + size);
	lent_run(&bed.lent);
}

static void say(uint32_t request, const void *payload, uint32_t size)
{
	send_raw(request, 0, payload, size, NULL, 0);
}

static void say_u64(uint32_t request, uint64_t value)
{
	say(request, &value, sizeof(value));
}

static void say_state(uint32_t request, uint32_t index, uint32_t number)
{
	const struct vhost_user_vring_state state = { index, number };

	say(request, &state, sizeof(state));
}

static void say_fd(uint32_t request, uint64_t value, int fd)
{
	send_raw(request, 0, &value, sizeof(value), &fd, 1);
}

/* The answer's size, or -1 where there is none. */
static ssize_t hear(void)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov[] = { { &bed.got.header, sizeof(bed.got.header) },
		{ bed.got.payload.bytes, sizeof(bed.got.payload.bytes) } };
	struct msghdr msg = { .msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(bed.fd, &msg, MSG_DONTWAIT);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	bed.n_fds = c ? 1 : 0;
	if (c)
		memcpy(&bed.got.fds[0], CMSG_DATA(c), sizeof(int));
	if (n > 0)
		assert_int_equal(n, sizeof(bed.got.header) + bed.got.header.size);
	return n > 0 ? (ssize_t)bed.got.header.size : -1;
}

static uint64_t ask_u64(uint32_t request)
{
	say(request, NULL, 0);
	assert_int_equal(hear(), sizeof(uint64_t));
	assert_int_equal(bed.got.header.request, request);
	assert_true(bed.got.header.flags & VHOST_USER_FLAG_REPLY);
	return bed.got.payload.u64;
}

static uint32_t ask_base(uint32_t index)
{
	say_state(VHOST_USER_GET_VRING_BASE, index, 0);
	assert_int_equal(hear(), sizeof(struct vhost_user_vring_state));
	assert_int_equal(bed.got.payload.state.index, index);
	return bed.got.payload.state.number;
}

static bool is_closed(void)
{
	lent_run(&bed.lent);
	return bed.lent.gone && bed.lent.serve.wire.fd < 0;
}

/* ---- a driver ---- */

static void connect_front_end(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	bed.fd = pair[0];
	bed.lent.gone = false;
	assert_int_equal(serve_connect(&bed.lent.serve, pair[1], NULL), 0);
}

static void hang_up(void)
{
	if (bed.fd >= 0)
		(void)close(bed.fd);
	bed.fd = -1;
	lent_run(&bed.lent);
}

static void negotiate(uint64_t protocol)
{
	say(VHOST_USER_SET_OWNER, NULL, 0);
	say_u64(VHOST_USER_SET_PROTOCOL_FEATURES, protocol);
	say_u64(VHOST_USER_SET_FEATURES, WITH_PF);
}

static void share_memory(void)
{
	const struct vhost_user_memory table = { .n_regions = 1,
		.regions = { { GPA, SIZE, USER, 0 } } };

	send_raw(VHOST_USER_SET_MEM_TABLE, 0, &table, 8 + sizeof(table.regions[0]), &bed.memory, 1);
}

static void set_ring(uint32_t q, uint32_t base)
{
	const struct vhost_user_vring_addr addr = {
		.index = q, .desc = USER + DESC(q), .avail = USER + AVAIL(q), .used = USER + USED(q)
	};

	say_state(VHOST_USER_SET_VRING_NUM, q, LENT_QUEUE_SIZE);
	say_state(VHOST_USER_SET_VRING_BASE, q, base);
	say(VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr));
	say_fd(VHOST_USER_SET_VRING_CALL, q, bed.call[q]);
	say_fd(VHOST_USER_SET_VRING_ERR, q, bed.err[q]);
}

static void start_ring(uint32_t q)
{
	say_fd(VHOST_USER_SET_VRING_KICK, q, bed.kick[q]);
	say_state(VHOST_USER_SET_VRING_ENABLE, q, 1);
}

static void bring_up(uint64_t protocol)
{
	negotiate(protocol);
	share_memory();
	set_ring(0, 0);
	start_ring(0);
	assert_false(is_closed());
}

static void put16(uint64_t at, uint16_t value)
{
	memcpy(bed.at + at, &value, sizeof(value));
}

static uint16_t get16(uint64_t at)
{
	uint16_t value;

	memcpy(&value, bed.at + at, sizeof(value));
	return value;
}

/* A readable byte and eight writable ones, as chain @head of two descriptors. */
static void offer(uint32_t q, uint16_t head, uint8_t value)
{
	const uint64_t out = GPA + BUFFER + head * 0x20ull, in = out + 0x10;
	const struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} d[] = { { out, 1, 1, (uint16_t)(head + 1) }, { in, 8, 2, 0 } };
	const uint16_t idx = get16(AVAIL(q) + 2);

	memcpy(bed.at + DESC(q) + head * 16ull, d, sizeof(d));
	bed.at[BUFFER + head * 0x20ull] = value;
	put16(AVAIL(q) + 4 + (idx % LENT_QUEUE_SIZE) * 2ull, head);
	put16(AVAIL(q) + 2, (uint16_t)(idx + 1));
}

static void kick(uint32_t q)
{
	const uint64_t one = 1;

	assert_int_equal(write(bed.kick[q], &one, sizeof(one)), sizeof(one));
	lent_run(&bed.lent);
}

static bool was_signalled(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n);
}

static void serves_a_chain(uint32_t q, uint16_t head, uint8_t value)
{
	const uint16_t before = get16(USED(q) + 2);

	(void)was_signalled(bed.call[q]);
	offer(q, head, value);
	kick(q);
	assert_int_equal(get16(USED(q) + 2), (uint16_t)(before + 1));
	assert_int_equal(bed.at[BUFFER + head * 0x20ull + 0x10], value);
	assert_int_equal(bed.at[BUFFER + head * 0x20ull + 0x17], value);
	assert_true(was_signalled(bed.call[q]));
}

/* ---- the bed ---- */

static int make_memory(uint8_t **ret_at)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)SIZE) < 0)
		return -1;
	*ret_at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return *ret_at == MAP_FAILED ? -1 : fd;
}

static int setup(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	log_set_level(LOG_LEVEL_ERR);
	if (lent_create(&bed.lent) < 0)
		return -1;
	bed.memory = make_memory(&bed.at);
	for (int i = 0; i < 2; i++) {
		bed.kick[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		bed.call[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		bed.err[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	connect_front_end();
	return bed.memory < 0;
}

static int teardown(void **state)
{
	(void)state;
	hang_up();
	lent_destroy(&bed.lent);
	(void)munmap(bed.at, SIZE);
	(void)close(bed.memory);
	for (int i = 0; i < 2; i++) {
		(void)close(bed.kick[i]);
		(void)close(bed.call[i]);
		(void)close(bed.err[i]);
	}
	return 0;
}

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

static int get_ledger(struct vhost_user_inflight *is)
{
	*is = (struct vhost_user_inflight){ .n_queues = 1, .queue_size = LENT_QUEUE_SIZE };
	say(VHOST_USER_GET_INFLIGHT_FD, is, sizeof(*is));
	assert_int_equal(hear(), sizeof(*is));
	assert_int_equal(bed.n_fds, 1);
	*is = bed.got.payload.inflight;
	return bed.got.fds[0];
}

static void set_ledger(const struct vhost_user_inflight *is, int fd)
{
	send_raw(VHOST_USER_SET_INFLIGHT_FD, 0, is, sizeof(*is), &fd, 1);
}

/* Three are taken, the one in the middle is given back, and the back end is gone. */
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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(says_what_it_can),
		T(refuses_what_it_did_not_offer),
		T(a_chain_goes_there_and_back),
		T(a_ring_waits_till_it_is_enabled),
		T(without_the_second_features_it_is_enabled),
		T(a_stopped_ring_says_where_and_goes_on),
		T(the_last_ring_to_stop_is_a_reset),
		T(with_a_status_only_the_status_resets),
		T(what_the_device_holds_is_taken_again),
		T(a_successor_takes_what_was_in_flight),
		T(a_successor_wants_to_be_kicked),
		T(a_successor_interrupts_once_more),
		T(an_interrupt_waits_for_its_descriptor),
		T(a_batch_that_was_published_is_over),
		T(a_ledger_that_does_not_fit_is_refused),
		T(memory_moves_under_a_ring),
		T(a_ring_without_memory_cannot_go_on),
		T(a_second_region_is_seen),
		T(memory_that_cannot_be_is_refused),
		T(regions_do_not_overlap),
		T(a_table_and_its_descriptors_fit),
		T(memory_that_vanishes_ends_the_connection),
		T(rings_outside_of_memory_are_refused),
		T(what_is_written_is_logged),
		T(the_configuration_is_read),
		T(the_driver_s_writes_reach_the_device),
		T(the_front_end_hears_of_changes),
		T(a_bad_driver_stops_its_rings),
		T(a_kick_that_ends_is_not_waited_for),
		T(wrong_shapes_are_refused),
		T(unknown_requests_are_refused),
		T(rings_past_the_last_are_refused),
		T(a_ring_that_runs_stays_where_it_is),
		T(headers_are_checked),
		T(a_message_may_come_in_pieces),
		T(the_front_end_may_go_at_any_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
