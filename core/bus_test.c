/* SPDX-License-Identifier: Apache-2.0 */
/* Buses: overlap, wrap, partial accesses, places to put windows. */
#include "core/bus.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct reg {
	uint64_t offset, value;
	uint32_t size;
};

static uint64_t reg_read(void *opaque, uint64_t offset, uint32_t size)
{
	struct reg *r = opaque;

	r->offset = offset;
	r->size = size;
	return 0x1122334455667788u;
}

static void reg_write(void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct reg *r = opaque;

	*r = (struct reg){ offset, value, size };
}

static const struct bus_ops ops = { reg_read, reg_write };

static int add(struct bus *bus, uint64_t base, uint64_t size, struct reg *r)
{
	return bus_add(bus, &(struct bus_range){ base, size, &ops, r, "reg" });
}

static int setup(void **state)
{
	*state = bus_create();
	return *state == NULL;
}

static int teardown(void **state)
{
	bus_destroy(*state);
	return 0;
}

static void accesses_reach_their_window(void **state)
{
	struct reg a = { 0 }, b = { 0 };
	uint64_t value;

	assert_int_equal(add(*state, 0x2000, 0x1000, &b), 0);
	assert_int_equal(add(*state, 0x1000, 0x1000, &a), 0);
	assert_true(bus_read(*state, 0x1ff8, 8, &value));
	assert_true(value == 0x1122334455667788u);
	assert_int_equal(a.offset, 0xff8);
	assert_true(bus_write(*state, 0x2000, 2, 0xbeef));
	assert_int_equal(b.value, 0xbeef);
}

static void reads_are_cut_to_their_size(void **state)
{
	struct reg a = { 0 };
	uint64_t value;

	assert_int_equal(add(*state, 0, 8, &a), 0);
	assert_true(bus_read(*state, 0, 2, &value));
	assert_int_equal(value, 0x7788);
}

static void absent_windows_read_as_ones(void **state)
{
	struct reg a = { 0 };
	uint64_t value;

	assert_int_equal(add(*state, 0x1000, 6, &a), 0);
	assert_false(bus_read(*state, 0xfff, 1, &value));
	assert_int_equal(value, 0xff);
	assert_false(bus_read(*state, 0x1004, 4, &value));
	assert_int_equal(value, 0xffffffff);
	assert_false(bus_write(*state, 0x0ffe, 4, 1));
	assert_false(bus_write(*state, UINT64_MAX - 1, 4, 1));
	assert_int_equal(a.size, 0);
}

static void overlaps_are_refused(void **state)
{
	struct reg a = { 0 };

	assert_int_equal(add(*state, 0x1000, 0x1000, &a), 0);
	assert_int_equal(add(*state, 0x1fff, 1, &a), -EBUSY);
	assert_int_equal(add(*state, 0x0, 0x1001, &a), -EBUSY);
	assert_int_equal(add(*state, 0x0, 0x5000, &a), -EBUSY);
	assert_int_equal(add(*state, 0x3000, 0, &a), -EINVAL);
	assert_int_equal(add(*state, UINT64_MAX, 2, &a), -EINVAL);
	assert_int_equal(add(*state, 0x2000, 1, &a), 0);
	assert_int_equal(add(*state, 0x0fff, 1, &a), 0);
}

static void removed_windows_are_gone(void **state)
{
	struct reg a = { 0 };
	uint64_t value;

	assert_int_equal(add(*state, 0x1000, 0x1000, &a), 0);
	bus_remove(*state, 0x1800); /* not a base: nothing happens */
	assert_true(bus_read(*state, 0x1000, 1, &value));
	bus_remove(*state, 0x1000);
	assert_false(bus_read(*state, 0x1000, 1, &value));
}

static void free_places_skip_windows(void **state)
{
	struct reg a = { 0 };

	assert_true(bus_find_free(*state, 0x1000, 0x5000, 0x1000, 0x1000) == 0x1000);
	assert_int_equal(add(*state, 0x1000, 0x1000, &a), 0);
	assert_int_equal(add(*state, 0x2800, 0x100, &a), 0);
	assert_true(bus_find_free(*state, 0x1000, 0x5000, 0x1000, 0x1000) == 0x3000);
	assert_true(bus_find_free(*state, 0x1000, 0x5000, 0x800, 0x800) == 0x2000);
	assert_true(bus_find_free(*state, 0x1000, 0x5000, 0x2001, 0x1000) == UINT64_MAX);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(accesses_reach_their_window),
		T(reads_are_cut_to_their_size),
		T(absent_windows_read_as_ones),
		T(overlaps_are_refused),
		T(removed_windows_are_gone),
		T(free_places_skip_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
