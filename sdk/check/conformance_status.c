/* SPDX-License-Identifier: Apache-2.0 */
/* Status, features and reset (2.1, 2.2, 2.4, 6). */
#include "sdk/check/conformance.h"

#define FINE (TK_S_ACKNOWLEDGE | TK_S_DRIVER)

/* ---- status ---- */

static void reset_from(struct tk_dev *d, const char *where)
{
	tk_driver_reset(d);
	tk_run_until_idle(d);
	if (tk_status(d) != 0)
		CHECK_FAIL("after a reset in %s the status is 0x%x, not 0", where, tk_status(d));
}

const char *status_is_zero_after_reset(struct tk_dev *d)
{
	if (tk_status(d) != 0)
		CHECK_FAIL("before any driver the status is 0x%x", tk_status(d));
	reset_from(d, "its first state");
	tk_set_reg(d, REG_STATUS, FINE);
	reset_from(d, "DRIVER");
	TK_EQ(tk_negotiate(d, UINT64_MAX), 0);
	reset_from(d, "FEATURES_OK");
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	reset_from(d, "DRIVER_OK");
	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	tk_set_reg(d, REG_STATUS, tk_status(d) | TK_S_FAILED);
	reset_from(d, "FAILED");
	tk_reset(d);
	TK_EQ(tk_status(d), 0);
	return NULL;
}

const char *nothing_moves_before_driver_ok(struct tk_dev *d)
{
	struct willing w;
	struct tk_buf *b;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	tk_driver_reset(d);
	TK_EQ(tk_negotiate(d, UINT64_MAX), 0);
	for (unsigned i = 0; i < tk_n_queues(d); i++)
		TK_EQ(tk_queue(d, i, 0), 0);
	tk_irqs_clear(d);
	b = add_willing(d, &w);
	tk_kick(d, w.queue);
	tk_run_until_idle(d);
	tk_advance_ms(1000);
	if (tk_used_len(b) >= 0)
		CHECK_FAIL("a buffer was used before DRIVER_OK");
	if (tk_irqs(d) != 0 || tk_reg(d, REG_INTERRUPT_STATUS) != 0)
		CHECK_FAIL("the driver was notified before DRIVER_OK");
	TK_EQ(tk_driver_ok(d), 0);
	tk_kick(d, w.queue);
	tk_run_until_idle(d);
	if (tk_used_len(b) < 0)
		CHECK_FAIL("the buffer was not used after DRIVER_OK either");
	return NULL;
}

/* A buffer outside of guest memory: nothing can be done with it but ask for a reset. */
static const char *break_it(struct tk_dev *d)
{
	struct willing w;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	tk_irqs_clear(d);
	tk_set_desc(d, w.queue, 0, TK_HOLE, 64, w.in ? DESC_WRITE : 0, 0);
	tk_set_avail(d, w.queue, 0, 0);
	tk_set_avail_idx(d, w.queue, 1);
	tk_kick(d, w.queue);
	tk_run_until_idle(d);
	return NULL;
}

const char *error_sets_needs_reset(struct tk_dev *d)
{
	const char *why = break_it(d);

	if (why)
		return why;
	if (!(tk_status(d) & TK_S_NEEDS_RESET))
		CHECK_FAIL("a buffer outside of memory did not set DEVICE_NEEDS_RESET");
	return NULL;
}

const char *needs_reset_is_notified(struct tk_dev *d)
{
	const char *why = break_it(d);

	if (why)
		return why;
	TK_TRUE(tk_status(d) & TK_S_NEEDS_RESET);
	if (!(tk_reg(d, REG_INTERRUPT_STATUS) & INT_CONFIG))
		CHECK_FAIL("DEVICE_NEEDS_RESET came without a configuration change notification");
	if (tk_irqs(d) == 0)
		CHECK_FAIL("DEVICE_NEEDS_RESET came without an interrupt");
	return NULL;
}

/* ---- features ---- */

/* Section 5: what a feature of a device type needs; device 0 = of the rings. */
static const struct {
	uint32_t device;
	unsigned feature, needs;
} needs[] = {
	{ 1, 7, 1 },   /* net: GUEST_TSO4, GUEST_CSUM */
	{ 1, 8, 1 },   /* GUEST_TSO6 */
	{ 1, 10, 1 },  /* GUEST_UFO */
	{ 1, 54, 1 },  /* GUEST_USO4 */
	{ 1, 55, 1 },  /* GUEST_USO6 */
	{ 1, 11, 0 },  /* HOST_TSO4, CSUM */
	{ 1, 12, 0 },  /* HOST_TSO6 */
	{ 1, 14, 0 },  /* HOST_UFO */
	{ 1, 56, 0 },  /* HOST_USO */
	{ 1, 18, 17 }, /* CTRL_RX, CTRL_VQ */
	{ 1, 19, 17 }, /* CTRL_VLAN */
	{ 1, 21, 17 }, /* GUEST_ANNOUNCE */
	{ 1, 22, 17 }, /* MQ */
	{ 1, 23, 17 }, /* CTRL_MAC_ADDR */
	{ 1, 53, 17 }, /* NOTF_COAL */
	{ 1, 57, 17 }, /* HASH_REPORT */
	{ 1, 60, 17 }, /* RSS */
	{ 2, 11, 9 },  /* block: CONFIG_WCE, FLUSH */
	{ 16, 4, 0 },  /* gpu: CONTEXT_INIT, VIRGL */
};

#define N_NEEDS (sizeof(needs) / sizeof(needs[0]))

const char *features_bring_what_they_need(struct tk_dev *d)
{
	uint64_t offered = tk_features(d);
	uint32_t id = tk_device_id(d);

	for (size_t i = 0; i < N_NEEDS; i++)
		if (needs[i].device == id && (offered >> needs[i].feature & 1) &&
			!(offered >> needs[i].needs & 1))
			CHECK_FAIL("feature %u is offered without %u, which it needs",
				needs[i].feature, needs[i].needs);
	return NULL;
}

/* Of the bits that belong to rings and transport these are implemented; any other would be a
 * promise that nobody keeps. */
const char *ring_features_are_the_layers(struct tk_dev *d)
{
	uint64_t others = tk_features(d) & 0x1ffff000000ull;

	others &= ~(TK_F_INDIRECT | TK_F_EVENT_IDX | TK_F_VERSION_1);
	if (others)
		CHECK_FAIL(
			"features 0x%llx of rings and transport are offered; the host has 28, 29 "
			"and 32 alone",
			(unsigned long long)others);
	return NULL;
}

/* Without what needs something that is not in it. */
static uint64_t valid_subset(struct tk_dev *d, uint64_t features)
{
	uint32_t id = tk_device_id(d);

	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < N_NEEDS; i++)
			if (needs[i].device == id && !(features >> needs[i].needs & 1))
				features &= ~(1ull << needs[i].feature);
	return features | TK_F_VERSION_1;
}

static void must_accept(struct tk_dev *d, uint64_t features)
{
	tk_driver_reset(d);
	if (tk_negotiate(d, features) < 0)
		CHECK_FAIL("the valid subset 0x%llx of the features 0x%llx is refused",
			(unsigned long long)features, (unsigned long long)tk_features(d));
}

const char *any_subset_is_accepted(struct tk_dev *d)
{
	uint64_t offered = tk_features(d), seed = 88172645463325252ull;

	must_accept(d, offered);
	must_accept(d, TK_F_VERSION_1);
	for (unsigned bit = 0; bit < 64; bit++)
		if (offered >> bit & 1)
			must_accept(d, valid_subset(d, offered & ~(1ull << bit)));
	for (int i = 0; i < 200; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		must_accept(d, valid_subset(d, offered & seed));
	}
	return NULL;
}

static int accepts(struct tk_dev *d, uint64_t features)
{
	tk_driver_reset(d);
	tk_set_reg(d, REG_STATUS, FINE);
	tk_set_reg(d, REG_DRIVER_FEATURES_SEL, 0);
	tk_set_reg(d, REG_DRIVER_FEATURES, (uint32_t)features);
	tk_set_reg(d, REG_DRIVER_FEATURES_SEL, 1);
	tk_set_reg(d, REG_DRIVER_FEATURES, (uint32_t)(features >> 32));
	tk_set_reg(d, REG_STATUS, FINE | TK_S_FEATURES_OK);
	return (tk_status(d) & TK_S_FEATURES_OK) != 0;
}

const char *features_not_offered_are_refused(struct tk_dev *d)
{
	uint64_t offered = tk_features(d);

	for (unsigned bit = 0; bit < 64; bit++)
		if (!(offered >> bit & 1) && accepts(d, TK_F_VERSION_1 | 1ull << bit))
			CHECK_FAIL("FEATURES_OK stayed set with feature %u, which is not offered",
				bit);
	TK_TRUE(accepts(d, TK_F_VERSION_1)); /* and was not refused for something else */
	return NULL;
}

const char *same_features_again_are_accepted(struct tk_dev *d)
{
	for (int i = 0; i < 3; i++) {
		if (tk_driver(d, UINT64_MAX, 0) < 0)
			CHECK_FAIL("all features, for the %d. time: refused", i + 1);
		if (tk_driver(d, TK_F_VERSION_1, 0) < 0)
			CHECK_FAIL("no features, for the %d. time: refused", i + 1);
		tk_reset(d);
	}
	return NULL;
}

const char *version_1_is_offered(struct tk_dev *d)
{
	TK_TRUE(tk_features(d) & TK_F_VERSION_1);
	return NULL;
}

/* ---- reset ---- */

/* The rings stay in memory, as far as the kit knows: the register is written past its back. */
const char *reset_is_silent(struct tk_dev *d)
{
	unsigned n;

	TK_EQ(tk_driver(d, UINT64_MAX, 0), 0);
	n = tk_n_queues(d);
	for (unsigned i = 0; i < n; i++) { /* whatever the device keeps for later */
		(void)tk_in(d, i, 64);
		(void)tk_request(d, i, "what the device may have begun", 16, 64);
		tk_kick(d, i);
	}
	tk_set_reg(d, REG_STATUS, 0);
	TK_EQ(tk_status(d), 0);
	tk_irqs_clear(d);
	tk_mem_watch();
	for (unsigned i = 0; i < n; i++) {
		(void)tk_in(d, i, 64);
		tk_kick(d, i);
	}
	tk_mem_watch(); /* what the driver just gave away is not given to a device that was reset */
	tk_type("x");
	tk_resize(132, 43);
	tk_run_until_idle(d);
	tk_advance_ms(10000);
	tk_mem_check();
	if (tk_irqs(d) != 0 || tk_reg(d, REG_INTERRUPT_STATUS) != 0)
		CHECK_FAIL("it notified the driver after a reset");
	return NULL;
}

const char *reset_gives_a_working_device(struct tk_dev *d)
{
	struct willing w;

	if (!find_willing(d, &w))
		return NOT_WILLING;
	for (int i = 0; i < 5; i++) {
		(void)add_willing(d, &w); /* in flight, or not even seen */
		if (i % 2)
			tk_kick(d, w.queue);
		TK_EQ(tk_driver(d, i == 3 ? TK_F_VERSION_1 : UINT64_MAX, 0), 0);
		(void)ask_willing(d, &w);
	}
	return NULL;
}
