/* SPDX-License-Identifier: Apache-2.0 */
/* The front end's messages, and what a driver does. */
#include "tests/serve/scripted.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct bed bed;

/* ---- messages ---- */

void send_raw(uint32_t request, uint32_t flags, const void *payload, uint32_t size, const int *fds,
	uint32_t n_fds)
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

void say(uint32_t request, const void *payload, uint32_t size)
{
	send_raw(request, 0, payload, size, NULL, 0);
}

void say_u64(uint32_t request, uint64_t value)
{
	say(request, &value, sizeof(value));
}

void say_state(uint32_t request, uint32_t index, uint32_t number)
{
	const struct vhost_user_vring_state state = { index, number };

	say(request, &state, sizeof(state));
}

void say_fd(uint32_t request, uint64_t value, int fd)
{
	send_raw(request, 0, &value, sizeof(value), &fd, 1);
}

/* The answer's size, or -1 where there is none. */
ssize_t hear(void)
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

uint64_t ask_u64(uint32_t request)
{
	say(request, NULL, 0);
	assert_int_equal(hear(), sizeof(uint64_t));
	assert_int_equal(bed.got.header.request, request);
	assert_true(bed.got.header.flags & VHOST_USER_FLAG_REPLY);
	return bed.got.payload.u64;
}

uint32_t ask_base(uint32_t index)
{
	say_state(VHOST_USER_GET_VRING_BASE, index, 0);
	assert_int_equal(hear(), sizeof(struct vhost_user_vring_state));
	assert_int_equal(bed.got.payload.state.index, index);
	return bed.got.payload.state.number;
}

bool is_closed(void)
{
	lent_run(&bed.lent);
	return bed.lent.gone && bed.lent.serve.wire.fd < 0;
}

/* ---- a driver ---- */

void connect_front_end(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	bed.fd = pair[0];
	bed.lent.gone = false;
	assert_int_equal(serve_connect(&bed.lent.serve, pair[1], NULL), 0);
}

void hang_up(void)
{
	if (bed.fd >= 0)
		(void)close(bed.fd);
	bed.fd = -1;
	lent_run(&bed.lent);
}

void negotiate(uint64_t protocol)
{
	say(VHOST_USER_SET_OWNER, NULL, 0);
	say_u64(VHOST_USER_SET_PROTOCOL_FEATURES, protocol);
	say_u64(VHOST_USER_SET_FEATURES, WITH_PF);
}

void share_memory(void)
{
	const struct vhost_user_memory table = { .n_regions = 1,
		.regions = { { GPA, SIZE, USER, 0 } } };

	send_raw(VHOST_USER_SET_MEM_TABLE, 0, &table, 8 + sizeof(table.regions[0]), &bed.memory, 1);
}

void set_ring(uint32_t q, uint32_t base)
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

void start_ring(uint32_t q)
{
	say_fd(VHOST_USER_SET_VRING_KICK, q, bed.kick[q]);
	say_state(VHOST_USER_SET_VRING_ENABLE, q, 1);
}

void bring_up(uint64_t protocol)
{
	negotiate(protocol);
	share_memory();
	set_ring(0, 0);
	start_ring(0);
	assert_false(is_closed());
}

void put16(uint64_t at, uint16_t value)
{
	memcpy(bed.at + at, &value, sizeof(value));
}

uint16_t get16(uint64_t at)
{
	uint16_t value;

	memcpy(&value, bed.at + at, sizeof(value));
	return value;
}

/* A readable byte and eight writable ones, as chain @head of two descriptors. */
void offer(uint32_t q, uint16_t head, uint8_t value)
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

void kick(uint32_t q)
{
	const uint64_t one = 1;

	assert_int_equal(write(bed.kick[q], &one, sizeof(one)), sizeof(one));
	lent_run(&bed.lent);
}

bool was_signalled(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n);
}

void serves_a_chain(uint32_t q, uint16_t head, uint8_t value)
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

int make_memory(uint8_t **ret_at)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)SIZE) < 0)
		return -1;
	*ret_at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return *ret_at == MAP_FAILED ? -1 : fd;
}

int bed_setup(void **state)
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

int bed_teardown(void **state)
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

/* ---- requests in flight ---- */

int get_ledger(struct vhost_user_inflight *is)
{
	*is = (struct vhost_user_inflight){ .n_queues = 1, .queue_size = LENT_QUEUE_SIZE };
	say(VHOST_USER_GET_INFLIGHT_FD, is, sizeof(*is));
	assert_int_equal(hear(), sizeof(*is));
	assert_int_equal(bed.n_fds, 1);
	*is = bed.got.payload.inflight;
	return bed.got.fds[0];
}

void set_ledger(const struct vhost_user_inflight *is, int fd)
{
	send_raw(VHOST_USER_SET_INFLIGHT_FD, 0, is, sizeof(*is), &fd, 1);
}

/* Three are taken, the one in the middle is given back, and the back end is gone. */
