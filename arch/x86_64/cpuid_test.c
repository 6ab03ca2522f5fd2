/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID of vCPUs, from an Intel-like and an AMD-like table of a hypervisor. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "arch/x86_64/x86_64.h"
#include "core/machine.h"

#define ROOM 64
#define SUB  BACKEND_CPUID_SUBLEAF

/* All ones where the filter has something to take away. */
static const struct backend_cpuid intel[] = {
	{ 0x0, 0, 0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69 },
	{ 0x1, 0, 0, 0x50654, 0x77665544, 0x7fffffff, 0xffffffff },
	{ 0x4, 0, SUB, 0xfc000121 | 0x3fff << 14, 0x1c0003f, 0x3f, 0 },
	{ 0x4, 1, SUB, 0x00000122, 0x1c0003f, 0x3f, 0 },
	{ 0x4, 2, SUB, 0x00000143, 0x3c0003f, 0x3ff, 0 },
	{ 0x4, 3, SUB, 0x00000163, 0x2c0003f, 0x7fff, 4 },
	{ 0x4, 4, SUB, 0, 0, 0, 0 },
	{ 0x6, 0, 0, 0xff, 2, 9, 1 },
	{ 0xa, 0, 0, 0x8300805, 0, 0, 0x603 },
	{ 0xb, 0, SUB, 1, 2, 0x100, 99 },
	{ 0x1f, 0, SUB, 1, 2, 0x100, 99 },
	{ 0x40000000, 0, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d },
	{ 0x40000001, 0, 0, 0x1007efb, 0, 0, 0 },
	{ 0x80000000, 0, 0, 0x80000008, 0, 0, 0 },
	{ 0x80000001, 0, 0, 0, 0, 0x121, 0x2c100800 },
	{ 0x80000002, 0, 0, 0x65746e49, 0x2952286c, 0x6f655820, 0x2952286e },
	{ 0x80000008, 0, 0, 0x302e, 0, 0, 0 },
};

static const struct backend_cpuid amd[] = {
	{ 0x0, 0, 0, 0x10, 0x68747541, 0x444d4163, 0x69746e65 },
	{ 0x1, 0, 0, 0xa20f10, 0, 0x7ed8320b, 0x178bfbff },
	{ 0x6, 0, 0, 0x4, 0, 1, 0 },
	{ 0x80000000, 0, 0, 0x80000023, 0x68747541, 0x444d4163, 0x69746e65 },
	{ 0x80000001, 0, 0, 0xa20f10, 0, 0x75c237ff, 0x2fd3fbff },
	{ 0x80000008, 0, 0, 0x3030, 0x111ed205, 0x703f, 0x10007 },
	{ 0x8000001d, 0, SUB, 0x121 | 0xfff << 14, 0x1c0003f, 0x3f, 0 },
	{ 0x8000001d, 1, SUB, 0x163, 0x3c0003f, 0x7fff, 1 },
	{ 0x8000001d, 2, SUB, 0, 0, 0, 0 },
	{ 0x8000001e, 0, 0, 77, 77, 77, 0 },
	{ 0x80000022, 0, 0, 7, 0x10, 0, 0 },
};

struct seen {
	struct backend_cpuid entries[ROOM];
	size_t n;
};

static struct seen filter(const struct backend_cpuid *from, size_t n, uint32_t vcpus,
	uint32_t threads, uint32_t cores, uint32_t index)
{
	struct machine machine = {
		.vcpus = vcpus,
		.threads_per_core = threads,
		.cores_per_socket = cores,
	};
	struct seen s = { .n = n };

	memcpy(s.entries, from, n * sizeof(*from));
	assert_int_equal(x86_cpuid(&machine, index, s.entries, &s.n, ROOM), 0);
	return s;
}

#define INTEL(...) filter(intel, sizeof(intel) / sizeof(intel[0]), __VA_ARGS__)
#define AMD(...)   filter(amd, sizeof(amd) / sizeof(amd[0]), __VA_ARGS__)

/* The one entry of a leaf and sub-leaf. */
static const struct backend_cpuid *leaf(const struct seen *s, uint32_t number, uint32_t subleaf)
{
	const struct backend_cpuid *found = NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct backend_cpuid *e = &s->entries[i];

		if (e->leaf != number || e->subleaf != subleaf)
			continue;
		assert_null(found);
		found = e;
	}
	assert_non_null(found);
	return found;
}

static void leaf_1_says_who_and_how_many(void **state)
{
	struct seen s = INTEL(6, 1, 6, 5);
	const struct backend_cpuid *e = leaf(&s, 1, 0);

	(void)state;
	assert_int_equal(e->eax, 0x50654);
	assert_int_equal(e->ebx, 5u << 24 | 8u << 16 | 8u << 8 | 0x44);
	assert_int_equal(e->ecx >> 31, 1);        /* under a hypervisor */
	assert_int_equal(e->ecx >> 24 & 1, 1);    /* TSC deadline as offered */
	assert_int_equal(e->ecx >> 21 & 1, 1);    /* x2APIC as offered */
	assert_int_equal(e->ecx & (1u << 3), 0);  /* MONITOR */
	assert_int_equal(e->ecx & (1u << 15), 0); /* PDCM */
	assert_int_equal(e->ecx & (1u << 27), 0); /* OSXSAVE */
	assert_int_equal(e->edx >> 28 & 1, 1);    /* several in a package */
	s = INTEL(1, 1, 1, 0);
	assert_int_equal(leaf(&s, 1, 0)->edx >> 28 & 1, 0);
	s = AMD(6, 1, 6, 0);
	assert_int_equal(leaf(&s, 1, 0)->ebx >> 16 & 0xff, 6);
	assert_int_equal(leaf(&s, 1, 0)->ecx >> 24 & 1, 0);
}

static void topology_leaves_are_made_anew(void **state)
{
	static const uint32_t leaves[] = { 0xb, 0x1f };
	struct seen s = INTEL(16, 2, 4, 13);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct backend_cpuid *smt = leaf(&s, leaves[i], 0);
		const struct backend_cpuid *core = leaf(&s, leaves[i], 1);
		const struct backend_cpuid *end = leaf(&s, leaves[i], 2);

		assert_int_equal(smt->eax, 1);
		assert_int_equal(smt->ebx, 2);
		assert_int_equal(smt->ecx, 0x100);
		assert_int_equal(core->eax, 3);
		assert_int_equal(core->ebx, 8);
		assert_int_equal(core->ecx, 0x201);
		assert_int_equal(end->ebx, 0);
		assert_int_equal(end->ecx, 2);
		assert_int_equal(smt->edx, 13);
		assert_int_equal(core->edx, 13);
		assert_int_equal(smt->flags & SUB, SUB);
	}
}

static void only_leaves_below_the_highest_are_added(void **state)
{
	struct seen s = AMD(4, 1, 4, 0);

	(void)state;
	assert_int_equal(leaf(&s, 0xb, 1)->ebx, 4);
	for (size_t i = 0; i < s.n; i++)
		assert_int_not_equal(s.entries[i].leaf, 0x1f);
}

static void what_ids_cannot_express_is_flattened(void **state)
{
	struct seen s = INTEL(12, 3, 2, 7); /* three threads, six in a package */

	(void)state;
	assert_int_equal(leaf(&s, 0xb, 0)->eax, 0);
	assert_int_equal(leaf(&s, 0xb, 0)->ebx, 1);
	assert_int_equal(leaf(&s, 0xb, 1)->eax, 4);
	assert_int_equal(leaf(&s, 0xb, 1)->ebx, 12);
	s = INTEL(6, 2, 3, 5); /* one package of six */
	assert_int_equal(leaf(&s, 0xb, 0)->eax, 1);
	assert_int_equal(leaf(&s, 0xb, 1)->eax, 3);
	assert_int_equal(leaf(&s, 0xb, 1)->ebx, 6);
	s = INTEL(2, 1, UINT32_MAX, 1);
	assert_int_equal(leaf(&s, 0xb, 1)->ebx, 2);
	s = INTEL(3, 0, 0, 1);
	assert_int_equal(leaf(&s, 0xb, 1)->ebx, 3);
}

static void caches_are_shared_within_core_or_package(void **state)
{
	struct seen s = INTEL(16, 2, 4, 0);

	(void)state;
	assert_int_equal(leaf(&s, 4, 0)->eax, 0x121u | 1u << 14 | 3u << 26);
	assert_int_equal(leaf(&s, 4, 2)->eax, 0x143u | 1u << 14 | 3u << 26);
	assert_int_equal(leaf(&s, 4, 3)->eax, 0x163u | 7u << 14 | 3u << 26);
	assert_int_equal(leaf(&s, 4, 3)->ebx, 0x2c0003f);
	assert_int_equal(leaf(&s, 4, 4)->eax, 0);
	s = AMD(6, 2, 3, 0);
	assert_int_equal(leaf(&s, 0x8000001d, 0)->eax, 0x121u | 1u << 14);
	assert_int_equal(leaf(&s, 0x8000001d, 1)->eax, 0x163u | 5u << 14);
	assert_int_equal(leaf(&s, 0x8000001d, 2)->eax, 0);
}

static void there_are_no_counters_and_no_turbo(void **state)
{
	struct seen s = INTEL(2, 1, 2, 0);
	const struct backend_cpuid *e = leaf(&s, 6, 0);

	(void)state;
	assert_int_equal(e->eax, 4); /* ARAT stays */
	assert_int_equal(e->ebx | e->ecx | e->edx, 0);
	e = leaf(&s, 0xa, 0);
	assert_int_equal(e->eax | e->ebx | e->ecx | e->edx, 0);
	s = AMD(2, 1, 2, 0);
	assert_int_equal(leaf(&s, 0x80000022, 0)->eax, 0);
	assert_int_equal(leaf(&s, 0x80000001, 0)->ecx & 0x11800000, 0);
}

static void amd_leaves_place_each_thread(void **state)
{
	struct seen s = AMD(16, 2, 4, 13);
	const struct backend_cpuid *e = leaf(&s, 0x8000001e, 0);

	(void)state;
	assert_int_equal(e->eax, 13);
	assert_int_equal(e->ebx, 1u << 8 | 2); /* two threads; core 2 of its package */
	assert_int_equal(e->ecx, 1);           /* package 1 */
	e = leaf(&s, 0x80000008, 0);
	assert_int_equal(e->eax, 0x3030);
	assert_int_equal(e->ecx, 3u << 12 | 7);
	assert_int_equal(leaf(&s, 0x80000001, 0)->ecx >> 1 & 1, 1);
	s = AMD(1, 1, 1, 0);
	assert_int_equal(leaf(&s, 0x80000001, 0)->ecx >> 1 & 1, 0);
	s = INTEL(16, 2, 4, 13);
	assert_int_equal(leaf(&s, 0x80000008, 0)->ecx, 0);
	for (size_t i = 0; i < s.n; i++)
		assert_int_not_equal(s.entries[i].leaf, 0x8000001e);
}

static void the_rest_is_kept(void **state)
{
	static const uint32_t kept[] = { 0x40000000, 0x40000001, 0x80000002, 0x80000000 };
	struct seen s = INTEL(300, 1, 300, 299);
	const struct backend_cpuid *e;

	(void)state;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		e = leaf(&s, kept[i], 0);
		for (size_t k = 0; k < sizeof(intel) / sizeof(intel[0]); k++)
			if (intel[k].leaf == kept[i])
				assert_memory_equal(e, &intel[k], sizeof(*e));
	}
	assert_int_equal(leaf(&s, 0xb, 0)->edx, 299);
	assert_int_equal(leaf(&s, 1, 0)->ebx >> 16, (299 & 0xff) << 8 | 255);
}

static void room_is_respected(void **state)
{
	struct machine machine = { .vcpus = 2 };
	struct backend_cpuid entries[ROOM];
	size_t n = sizeof(amd) / sizeof(amd[0]);

	(void)state;
	memcpy(entries, amd, sizeof(amd));
	assert_int_equal(x86_cpuid(&machine, 0, entries, &n, n), -E2BIG);
	assert_int_equal(x86_cpuid(&machine, 2, entries, &n, ROOM), -EINVAL);
	n = ROOM + 1;
	assert_int_equal(x86_cpuid(&machine, 0, entries, &n, ROOM), -EINVAL);
	n = 0;
	assert_int_equal(x86_cpuid(&machine, 0, entries, &n, ROOM), 0);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_1_says_who_and_how_many),
		cmocka_unit_test(topology_leaves_are_made_anew),
		cmocka_unit_test(only_leaves_below_the_highest_are_added),
		cmocka_unit_test(what_ids_cannot_express_is_flattened),
		cmocka_unit_test(caches_are_shared_within_core_or_package),
		cmocka_unit_test(there_are_no_counters_and_no_turbo),
		cmocka_unit_test(amd_leaves_place_each_thread),
		cmocka_unit_test(the_rest_is_kept),
		cmocka_unit_test(room_is_respected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
