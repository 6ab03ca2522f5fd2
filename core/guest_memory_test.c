/* SPDX-License-Identifier: Apache-2.0 */
/* Regions, copies across them, and the ledger of placed pieces. */
#include "core/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"

#define MIB (1ull << 20)

static int two_regions(void **state)
{
	struct guest_memory *gm = guest_memory_create();

	*state = gm;
	return !gm || guest_memory_add(gm, 0, MIB, GUEST_RAM, false, NULL) ||
	       guest_memory_add(gm, 4 * MIB, MIB, GUEST_RAM, false, NULL);
}

static int drop(void **state)
{
	guest_memory_destroy(*state);
	return 0;
}

static void regions_are_checked(void **state)
{
	struct guest_memory *gm = *state;
	struct error err = { 0 };

	assert_int_equal(guest_memory_add(gm, 123, MIB, GUEST_RAM, false, NULL), -EINVAL);
	assert_int_equal(guest_memory_add(gm, 8 * MIB, 0, GUEST_RAM, false, NULL), -EINVAL);
	assert_int_equal(
		guest_memory_add(gm, UINT64_MAX - 4095, 8192, GUEST_RAM, false, NULL), -EINVAL);
	assert_int_equal(guest_memory_add(gm, MIB - 4096, 8192, GUEST_RAM, false, &err), -EEXIST);
	assert_non_null(strstr(err.text, "overlaps 0x0+0x100000"));
	assert_int_equal(guest_memory_count(gm), 2);
	assert_int_equal(guest_memory_ram_size(gm), 2 * MIB);
	assert_int_equal(guest_memory_ram_end(gm, 2 * MIB), MIB);
	assert_int_equal(guest_memory_ram_end(gm, UINT64_MAX), 5 * MIB);
}

static void pointers_stay_in_their_region(void **state)
{
	struct guest_memory *gm = *state;

	assert_non_null(guest_memory_ptr(gm, 0, MIB));
	assert_null(guest_memory_ptr(gm, 0, MIB + 1));
	assert_null(guest_memory_ptr(gm, MIB, 1));
	assert_null(guest_memory_ptr(gm, 0, 0));
	assert_null(guest_memory_ptr(gm, 5 * MIB - 1, 2));
	assert_null(guest_memory_ptr(gm, 4 * MIB, UINT64_MAX));
}

static void copies_cross_adjacent_regions_only(void **state)
{
	struct guest_memory *gm = *state;
	char out[8] = { 0 };

	assert_int_equal(guest_memory_add(gm, MIB, 4096, GUEST_RAM, false, NULL), 0);
	assert_int_equal(guest_memory_write(gm, MIB - 4, "abcdefgh", 8), 0);
	assert_int_equal(guest_memory_read(gm, MIB - 4, out, 8), 0);
	assert_memory_equal(out, "abcdefgh", 8);
	assert_int_equal(guest_memory_write(gm, MIB + 4092, "abcdefgh", 8), -EFAULT);
	assert_int_equal(guest_memory_read(gm, MIB + 4092, out, 4), 0);
	assert_memory_equal(out, "\0\0\0\0", 4);
}

static void claims_do_not_overlap(void **state)
{
	struct guest_memory *gm = *state;
	struct error err = { 0 };

	assert_int_equal(guest_memory_claim(gm, 0x1000, 0x1000, "kernel", NULL), 0);
	assert_int_equal(guest_memory_claim(gm, 0x1fff, 1, "initrd", &err), -EEXIST);
	assert_non_null(strstr(err.text, "initrd"));
	assert_non_null(strstr(err.text, "kernel"));
	assert_int_equal(guest_memory_claim(gm, MIB - 1, 2, "initrd", NULL), -ENOMEM);
	assert_int_equal(guest_memory_claim(gm, UINT64_MAX, 2, "initrd", NULL), -ENOMEM);
	guest_memory_forget_claims(gm);
	assert_int_equal(guest_memory_claim(gm, 0x1fff, 1, "initrd", NULL), 0);
}

static void claim_top_goes_as_high_as_allowed(void **state)
{
	struct guest_memory *gm = *state;
	uint64_t gpa = 1;

	assert_int_equal(
		guest_memory_claim_top(gm, 5000, 4096, UINT64_MAX, "initrd", &gpa, NULL), 0);
	assert_int_equal(gpa, 5 * MIB - 8192);
	assert_int_equal(guest_memory_claim_top(gm, 4096, 4096, UINT64_MAX, "b", &gpa, NULL), 0);
	assert_int_equal(gpa, 5 * MIB - 8192 - 4096);
	assert_int_equal(guest_memory_claim_top(gm, 4096, 4096, 2 * MIB, "c", &gpa, NULL), 0);
	assert_int_equal(gpa, MIB - 4096);
	assert_int_equal(
		guest_memory_claim_top(gm, 2 * MIB, 4096, UINT64_MAX, "d", &gpa, NULL), -ENOMEM);
	assert_int_equal(guest_memory_claim_top(gm, 0, 4096, UINT64_MAX, "e", &gpa, NULL), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(regions_are_checked, two_regions, drop),
		cmocka_unit_test_setup_teardown(pointers_stay_in_their_region, two_regions, drop),
		cmocka_unit_test_setup_teardown(
			copies_cross_adjacent_regions_only, two_regions, drop),
		cmocka_unit_test_setup_teardown(claims_do_not_overlap, two_regions, drop),
		cmocka_unit_test_setup_teardown(
			claim_top_goes_as_high_as_allowed, two_regions, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
