/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt lines: giving out, sharing, early levels, forwarding without an irqfd. */
#include "core/irq.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/notifier.h"

static const uint8_t reserved[] = { 6, 0 };
static const struct arch_layout layout = {
	.irq_first = 5,
	.irq_last = 8,
	.irq_reserved = reserved,
};

struct wires {
	int edges[16], level[16], pulses[16], irqfds;
};

static int line(void *opaque, uint32_t number, bool level)
{
	struct wires *w = opaque;

	if (level && !w->level[number])
		w->edges[number]++;
	w->level[number] = level;
	return 0;
}

static int irqfd(void *opaque, uint32_t number, int fd, bool assign)
{
	struct wires *w = opaque;

	w->irqfds += assign ? 1 : -1;
	return 0;
}

static int setup(void **state)
{
	*state = irq_table_create(&layout);
	return *state == NULL;
}

static int teardown(void **state)
{
	irq_table_destroy(*state);
	return 0;
}

static uint32_t take(struct irq_table *table, bool shared)
{
	struct tenon_irq *irq;

	return irq_alloc(table, false, shared, IRQ_ANY, &irq) < 0 ? 0 : irq_number(irq);
}

static void exclusive_lines_run_out(void **state)
{
	struct tenon_irq *irq;

	assert_int_equal(take(*state, false), 5);
	assert_int_equal(take(*state, false), 7); /* 6 is reserved */
	assert_int_equal(take(*state, false), 8);
	assert_int_equal(irq_alloc(*state, false, true, IRQ_ANY, &irq), -ENOSPC);
}

static void shared_lines_are_spread(void **state)
{
	uint32_t users[9] = { 0 };

	for (int i = 0; i < 6; i++)
		users[take(*state, true)]++;
	assert_int_equal(users[5], 2);
	assert_int_equal(users[7], 2);
	assert_int_equal(users[8], 2);
}

/* As on a PC: a device that cannot share comes after forty that can. */
static void those_that_share_leave_lines_for_others(void **state)
{
	static const struct arch_layout pc = { .irq_first = 5, .irq_last = 23 };
	struct irq_table *table = irq_table_create(&pc);

	(void)state;
	assert_non_null(table);
	for (int i = 0; i < 40; i++)
		assert_int_not_equal(take(table, true), 0);
	for (uint32_t n = 20; n <= 23; n++)
		assert_int_equal(take(table, false), n);
	assert_int_equal(take(table, false), 0);
	irq_table_destroy(table);
}

static void named_lines_are_exclusive(void **state)
{
	struct tenon_irq *irq;

	assert_int_equal(irq_alloc(*state, false, false, 4, &irq), 0);
	assert_int_equal(irq_alloc(*state, false, true, 4, &irq), -EBUSY);
	assert_int_equal(irq_alloc(*state, false, false, 5000, &irq), -EINVAL);
	irq_free(irq);
	assert_int_equal(irq_alloc(*state, false, true, 4, &irq), 0);
	assert_int_equal(irq_alloc(*state, false, true, 4, &irq), 0);
}

static void one_line_has_one_kind_of_trigger(void **state)
{
	struct tenon_irq *irq;

	assert_int_equal(irq_alloc(*state, true, true, 5, &irq), 0);
	assert_int_equal(irq_alloc(*state, false, true, 5, &irq), -EBUSY);
	for (int i = 0; i < 4; i++)
		assert_int_not_equal(take(*state, true), 5);
}

static void lines_that_devices_may_have(void **state)
{
	assert_true(irq_is_usable(*state, 5));
	assert_true(irq_is_usable(*state, 8));
	assert_false(irq_is_usable(*state, 6)); /* reserved */
	assert_false(irq_is_usable(*state, 9)); /* past the last */
}

static void shared_levels_are_ored(void **state)
{
	struct wires w = { 0 };
	const struct irq_sink sink = { .line = line, .irqfd = NULL, .opaque = &w };
	struct tenon_irq *a, *b;

	assert_int_equal(irq_alloc(*state, true, true, 5, &a), 0);
	assert_int_equal(irq_alloc(*state, true, true, 5, &b), 0);
	irq_set(a, true); /* before the controller exists */
	assert_int_equal(irq_table_commit(*state, &sink, NULL, NULL), 0);
	assert_int_equal(w.level[5], 1);
	irq_set(b, true);
	irq_set(a, false);
	assert_int_equal(w.level[5], 1);
	irq_free(b);
	assert_int_equal(w.level[5], 0);
	irq_table_destroy(*state);
	*state = NULL;
}

static void notifiers_are_forwarded_without_irqfd(void **state)
{
	struct wires w = { 0 };
	const struct irq_sink sink = { .line = line, .irqfd = NULL, .opaque = &w };
	struct event_loop *loop;
	struct tenon_irq *irq;

	assert_int_equal(event_loop_create(&loop), 0);
	assert_int_equal(irq_alloc(*state, false, true, IRQ_ANY, &irq), 0);
	assert_int_equal(irq_table_commit(*state, &sink, loop, NULL), 0);
	notifier_signal(irq_notifier(irq));
	(void)event_loop_poll(loop);
	assert_int_equal(w.edges[5], 1);
	irq_pulse(irq);
	assert_int_equal(w.edges[5], 2);
	irq_free(irq);
	event_loop_destroy(loop);
}

static int pulse(void *opaque, uint32_t number)
{
	struct wires *w = opaque;

	w->pulses[number]++;
	return 0;
}

/* A controller that must not see the line go down again before it looked. */
static void an_edge_is_a_pulse_where_the_controller_has_them(void **state)
{
	struct wires w = { 0 };
	const struct irq_sink sink = { .line = line, .pulse = pulse, .opaque = &w };
	struct event_loop *loop;
	struct tenon_irq *irq;

	assert_int_equal(event_loop_create(&loop), 0);
	assert_int_equal(irq_alloc(*state, false, true, IRQ_ANY, &irq), 0);
	assert_int_equal(irq_table_commit(*state, &sink, loop, NULL), 0);
	irq_pulse(irq);
	notifier_signal(irq_notifier(irq));
	(void)event_loop_poll(loop);
	assert_int_equal(w.pulses[5], 2);
	assert_int_equal(w.edges[5], 0);
	irq_free(irq);
	event_loop_destroy(loop);
}

static void irqfds_are_used_and_given_back(void **state)
{
	struct wires w = { 0 };
	const struct irq_sink sink = { .line = line, .irqfd = irqfd, .opaque = &w };
	struct tenon_irq *irq;

	assert_int_equal(irq_alloc(*state, false, true, IRQ_ANY, &irq), 0);
	assert_int_equal(irq_table_commit(*state, &sink, NULL, NULL), 0);
	assert_int_equal(w.irqfds, 1);
	irq_pulse(irq);
	assert_int_equal(w.edges[5], 0);
	assert_true(notifier_drain(irq_notifier(irq)));
	irq_free(irq);
	assert_int_equal(w.irqfds, 0);
	irq_table_destroy(*state);
	*state = NULL;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(exclusive_lines_run_out),
		T(shared_lines_are_spread),
		cmocka_unit_test(those_that_share_leave_lines_for_others),
		T(named_lines_are_exclusive),
		T(one_line_has_one_kind_of_trigger),
		T(lines_that_devices_may_have),
		T(shared_levels_are_ored),
		T(notifiers_are_forwarded_without_irqfd),
		T(an_edge_is_a_pulse_where_the_controller_has_them),
		T(irqfds_are_used_and_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
