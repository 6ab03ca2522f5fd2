/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications of split virtqueues, in both directions (2.7.7, 2.7.10). */
#include "sdk/check/conformance.h"

#define AVAIL_FLAGS 0u

static void put16(uint64_t gpa, uint16_t value)
{
	const uint8_t bytes[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	tk_put(gpa, bytes, 2);
}

static uint16_t get16(uint64_t gpa)
{
	const uint8_t *p = tk_mem(gpa, 2);

	return (uint16_t)(p[0] | p[1] << 8);
}

static void set_flags(struct tk_dev *d, const struct willing *w, uint16_t flags)
{
	put16(tk_ring(d, w->queue).avail + AVAIL_FLAGS, flags);
}

static void set_used_event(struct tk_dev *d, const struct willing *w, uint16_t event)
{
	struct tk_ring r = tk_ring(d, w->queue);

	put16(r.avail + 4 + (uint64_t)r.size * 2, event);
}

/*
 * One more request, without the kit's driver looking at the ring; whether a used buffer
 * notification came.  A device may have something to say about its configuration at the same time.
 */
static int notified_of_one(struct tk_dev *d, const struct willing *w)
{
	uint16_t before = tk_used_idx(d, w->queue);

	tk_set_reg(d, REG_INTERRUPT_ACK, INT_QUEUE | INT_CONFIG);
	tk_irqs_clear(d);
	(void)add_willing(d, w);
	tk_kick(d, w->queue);
	tk_run_until_idle(d);
	if (tk_used_idx(d, w->queue) != (uint16_t)(before + 1))
		CHECK_FAIL("a request is not answered any more");
	if (!(tk_reg(d, REG_INTERRUPT_STATUS) & INT_QUEUE))
		return 0;
	if (tk_irqs(d) == 0)
		CHECK_FAIL("InterruptStatus has the used buffer, and no interrupt came");
	return 1;
}

static int prepare(struct tk_dev *d, struct willing *w, uint64_t features)
{
	if (!find_willing(d, w))
		return 0;
	TK_EQ(tk_driver(d, features, 0), 0);
	return 1;
}

/* ---- from the device ---- */

const char *used_event_is_ignored_without_event_idx(struct tk_dev *d)
{
	struct willing w;

	if (!prepare(d, &w, ~TK_F_EVENT_IDX))
		return NOT_WILLING;
	for (uint16_t i = 0; i < 4; i++) {
		set_used_event(d, &w, (uint16_t)(i * 1000 + 7));
		if (!notified_of_one(d, &w))
			CHECK_FAIL("used_event held a notification back, without EVENT_IDX");
	}
	return NULL;
}

const char *flag_0_brings_a_notification(struct tk_dev *d)
{
	struct willing w;

	if (!prepare(d, &w, ~TK_F_EVENT_IDX))
		return NOT_WILLING;
	for (int i = 0; i < 4; i++)
		if (!notified_of_one(d, &w))
			CHECK_FAIL("used buffer %d came without a notification", i + 1);
	return NULL;
}

const char *flag_1_brings_none(struct tk_dev *d)
{
	struct willing w;

	if (!prepare(d, &w, ~TK_F_EVENT_IDX))
		return NOT_WILLING;
	set_flags(d, &w, 1);
	for (int i = 0; i < 4; i++)
		if (notified_of_one(d, &w))
			CHECK_FAIL("used buffer %d came with a notification nobody wants", i + 1);
	set_flags(d, &w, 0);
	TK_TRUE(notified_of_one(d, &w));
	return NULL;
}

#define NO_EVENT_IDX "EVENT_IDX is not offered"

const char *flag_is_ignored_with_event_idx(struct tk_dev *d)
{
	struct willing w;

	if (!prepare(d, &w, UINT64_MAX))
		return NOT_WILLING;
	if (!(tk_features(d) & TK_F_EVENT_IDX))
		return NO_EVENT_IDX;
	set_flags(d, &w, 1);
	for (uint16_t i = 0; i < 4; i++) {
		set_used_event(d, &w, i);
		if (!notified_of_one(d, &w))
			CHECK_FAIL("flags held a notification back, with EVENT_IDX");
	}
	return NULL;
}

const char *used_event_brings_a_notification(struct tk_dev *d)
{
	struct willing w;

	if (!prepare(d, &w, UINT64_MAX))
		return NOT_WILLING;
	if (!(tk_features(d) & TK_F_EVENT_IDX))
		return NO_EVENT_IDX;
	for (uint16_t i = 0; i < 12; i += 3) {
		set_used_event(d, &w, (uint16_t)(i + 2));
		(void)notified_of_one(d, &w);
		(void)notified_of_one(d, &w);
		if (!notified_of_one(d, &w))
			CHECK_FAIL("the used index passed used_event (%u) without a notification",
				i + 2);
	}
	return NULL;
}

const char *other_indices_bring_none(struct tk_dev *d)
{
	struct willing w;

	if (!prepare(d, &w, UINT64_MAX))
		return NOT_WILLING;
	if (!(tk_features(d) & TK_F_EVENT_IDX))
		return NO_EVENT_IDX;
	set_used_event(d, &w, 5);
	for (uint16_t i = 0; i < 12; i++) {
		int notified = notified_of_one(d, &w);

		if (notified != (i == 5))
			CHECK_FAIL("with used_event 5, index %u brought %s notification", i,
				notified ? "a" : "no");
	}
	return NULL;
}

/* ---- to the device ---- */

static const char *watch_used_flags(struct tk_dev *d, uint64_t features, uint16_t most)
{
	struct willing w;

	if (!prepare(d, &w, features))
		return NOT_WILLING;
	for (int i = 0; i < 20; i++) {
		uint16_t flags;

		(void)add_willing(d, &w);
		tk_kick(d, w.queue);
		do {
			flags = get16(tk_ring(d, w.queue).used);
			if (flags > most)
				CHECK_FAIL("flags of the used ring are %u", flags);
		} while (tk_step());
		(void)tk_reap(d, w.queue);
	}
	return NULL;
}

const char *used_flags_are_0_or_1(struct tk_dev *d)
{
	return watch_used_flags(d, ~TK_F_EVENT_IDX, 1);
}

const char *used_flags_are_0_with_event_idx(struct tk_dev *d)
{
	if (!(tk_features(d) & TK_F_EVENT_IDX))
		return NO_EVENT_IDX;
	return watch_used_flags(d, UINT64_MAX, 0);
}

const char *spurious_kicks_are_harmless(struct tk_dev *d)
{
	unsigned n = tk_n_queues(d);
	struct willing w;

	for (unsigned i = 0; i < n + 2; i++) /* of a device that nobody set up */
		tk_set_reg(d, REG_QUEUE_NOTIFY, i);
	tk_run_until_idle(d);
	TK_EQ(tk_status(d), 0);
	if (!find_willing(d, &w))
		return NOT_WILLING;
	for (int round = 0; round < 50; round++) {
		for (unsigned i = 0; i < n; i++)
			tk_kick(d, i);
		tk_set_reg(d, REG_QUEUE_NOTIFY, n);
		tk_set_reg(d, REG_QUEUE_NOTIFY, UINT32_MAX);
		tk_run_until_idle(d);
	}
	TK_EQ(tk_used_idx(d, w.queue), 0);
	TK_EQ(tk_status(d) & TK_S_NEEDS_RESET, 0);
	(void)ask_willing(d, &w);
	return NULL;
}
