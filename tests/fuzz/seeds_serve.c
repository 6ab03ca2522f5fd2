/* SPDX-License-Identifier: Apache-2.0 */
/* What honest front ends say, as fuzz_serve reads it: its operations by number. */
#include <tenon/vhost_user.h>

#include "tests/fuzz/seeds.h"

#define USER 0x7f0000000000ull
#define GPA  0x10000ull

/* Descriptors: how many, and of which kind each is; see some_fd(). */
#define NONE      0u
#define ONE(kind) (1u | (kind) << 4)
enum { MEMORY, KICK, CALL, SOCKET };

static void message(
	struct seed *s, uint8_t request, const void *payload, uint8_t size, uint16_t kinds)
{
	seed_le(s, 0, 1);
	seed_le(s, request, 1);
	seed_le(s, VHOST_USER_VERSION | VHOST_USER_FLAG_NEED, 1);
	seed_le(s, size, 1);
	seed_le(s, kinds, 2);
	if (size)
		seed_put(s, payload, size);
}

static void number(struct seed *s, uint8_t request, uint64_t value, uint16_t kinds)
{
	message(s, request, &value, sizeof(value), kinds);
}

static void state(struct seed *s, uint8_t request, uint32_t index, uint32_t value)
{
	const struct vhost_user_vring_state st = { index, value };

	message(s, request, &st, sizeof(st), NONE);
}

static void negotiate(struct seed *s)
{
	message(s, VHOST_USER_SET_OWNER, NULL, 0, NONE);
	message(s, VHOST_USER_GET_FEATURES, NULL, 0, NONE);
	message(s, VHOST_USER_GET_PROTOCOL_FEATURES, NULL, 0, NONE);
	number(s, VHOST_USER_SET_PROTOCOL_FEATURES, 0x1b22b, NONE);
	number(s, VHOST_USER_SET_FEATURES, 1ull << 32 | 1u << 30 | 1u << 29 | 1u << 28, NONE);
}

static void share_memory(struct seed *s)
{
	const struct vhost_user_memory table = { .n_regions = 1,
		.regions = { { GPA, 0x10000, USER, 0 } } };

	message(s, VHOST_USER_SET_MEM_TABLE, &table, 8 + sizeof(table.regions[0]), ONE(MEMORY));
}

static void ring(struct seed *s, uint32_t index)
{
	const struct vhost_user_vring_addr addr = {
		.index = index, .desc = USER, .avail = USER + 0x100, .used = USER + 0x200
	};

	state(s, VHOST_USER_SET_VRING_NUM, index, 8);
	state(s, VHOST_USER_SET_VRING_BASE, index, 0);
	message(s, VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr), NONE);
	number(s, VHOST_USER_SET_VRING_CALL, index, ONE(CALL));
	number(s, VHOST_USER_SET_VRING_ERR, index, ONE(CALL));
	number(s, VHOST_USER_SET_VRING_KICK, index, ONE(KICK));
	state(s, VHOST_USER_SET_VRING_ENABLE, index, 1);
}

static void store(struct seed *s, uint16_t at, const void *bytes, uint8_t n)
{
	seed_le(s, 1, 1);
	seed_le(s, at, 2);
	seed_le(s, n, 1);
	seed_put(s, bytes, n);
}

/* Two chains, and the kick. */
static void requests(struct seed *s)
{
	static const struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} table[] = { { GPA + 0x1000, 16, 1, 1 }, { GPA + 0x2000, 16, 2, 0 },
		{ GPA + 0x3000, 4096, 2, 0 } };
	static const uint16_t avail[] = { 0, 2, 0, 2 };

	store(s, 0, table, sizeof(table));
	store(s, 0x100, avail, sizeof(avail));
	seed_le(s, 2, 1);
}

static void serves(void)
{
	struct seed s = { .n = 0 };

	negotiate(&s);
	share_memory(&s);
	ring(&s, 0);
	requests(&s);
	share_memory(&s);
	state(&s, VHOST_USER_GET_VRING_BASE, 0, 0);
	message(&s, VHOST_USER_RESET_DEVICE, NULL, 0, NONE);
	seed_save("fuzz_serve", "serves", &s);
}

static void holds(void)
{
	const struct vhost_user_inflight is = { .size = 256, .n_queues = 1, .queue_size = 8 };
	struct seed s = { .n = 0 };

	seed_le(&s, 4, 1);
	negotiate(&s);
	message(&s, VHOST_USER_GET_INFLIGHT_FD, &is, sizeof(is), NONE);
	share_memory(&s);
	ring(&s, 0);
	requests(&s);
	seed_le(&s, 5, 1);
	seed_le(&s, 0, 1);
	state(&s, VHOST_USER_SET_VRING_ENABLE, 0, 0);
	state(&s, VHOST_USER_SET_VRING_ENABLE, 0, 1);
	seed_le(&s, 3, 1);
	seed_save("fuzz_serve", "holds", &s);
}

/* Its ledger is in the guest's memory, which is nothing that it could not do. */
static void keeps_a_ledger(void)
{
	const struct vhost_user_inflight is = {
		.size = 0x400, .fd_offset = 0x8000, .n_queues = 2, .queue_size = 8
	};
	const struct vhost_user_log log = { .size = 0x1000, .fd_offset = 0x9000 };
	struct seed s = { .n = 0 };

	negotiate(&s);
	message(&s, VHOST_USER_SET_INFLIGHT_FD, &is, sizeof(is), ONE(MEMORY));
	message(&s, VHOST_USER_SET_LOG_BASE, &log, sizeof(log), ONE(MEMORY));
	share_memory(&s);
	ring(&s, 0);
	requests(&s);
	state(&s, VHOST_USER_GET_VRING_BASE, 0, 0);
	ring(&s, 0);
	seed_save("fuzz_serve", "ledger", &s);
}

static void configures(void)
{
	const struct vhost_user_config config = { .offset = 2, .size = 4, .bytes = "abcd" };
	const struct vhost_user_memory_one one = { .region = { GPA, 0x10000, USER, 0 } };
	struct seed s = { .n = 0 };

	negotiate(&s);
	message(&s, VHOST_USER_SET_BACKEND_REQ_FD, NULL, 0, ONE(SOCKET));
	message(&s, VHOST_USER_GET_CONFIG, &config, 16, NONE);
	message(&s, VHOST_USER_SET_CONFIG, &config, 16, NONE);
	message(&s, VHOST_USER_ADD_MEM_REG, &one, sizeof(one), ONE(MEMORY));
	ring(&s, 1);
	number(&s, VHOST_USER_SET_STATUS, 15, NONE);
	message(&s, VHOST_USER_GET_STATUS, NULL, 0, NONE);
	message(&s, VHOST_USER_REM_MEM_REG, &one, sizeof(one), NONE);
	number(&s, VHOST_USER_SET_STATUS, 0, NONE);
	seed_save("fuzz_serve", "configures", &s);
}

void seeds_serve(void)
{
	serves();
	holds();
	keeps_a_ledger();
	configures();
}
