/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as the kernel finds it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/x86_64.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

#define MIB 0x100000ull

static const uint8_t kernel[4096];

struct load {
	struct guest_memory *gm;
	struct payload payload;
	struct loaded loaded;
	struct error err;
	int ret;
};

/* A kernel without a setup header, so that the reader's own limit holds. */
static struct load load(const char *cmdline, const char *extra)
{
	struct load l = {
		.gm = guest_memory_create(),
		.payload = {
			.kind = PAYLOAD_BUNDLE,
			.kernel = { kernel, sizeof(kernel), "kernel" },
			.cmdline = cmdline,
			.bundle_gpa = MIB,
			.bundle_entry = MIB,
			.boot = "auto",
		},
	};

	assert_non_null(l.gm);
	assert_int_equal(guest_memory_add(l.gm, 0, 2 * MIB, GUEST_RAM, false, &l.err), 0);
	l.ret = x86_load(l.gm, &l.payload, extra, &l.loaded, &l.err);
	return l;
}

static const char *text(const struct load *l)
{
	return guest_memory_ptr(l->gm, l->loaded.cmdline_gpa, l->loaded.cmdline_size);
}

static char *filler(size_t n)
{
	char *s = malloc(n + 1);

	assert_non_null(s);
	memset(s, 'x', n);
	s[n] = '\0';
	return s;
}

static void devices_come_before_the_payloads_own(void **state)
{
	struct load l = load("quiet -- single", "virtio_mmio.device=4K@0xd0000000:5");

	(void)state;
	assert_int_equal(l.ret, 0);
	assert_string_equal(text(&l), "virtio_mmio.device=4K@0xd0000000:5 quiet -- single");
	guest_memory_destroy(l.gm);
}

/* Linux copies 2048 bytes and stops where there is no zero among them. */
static void a_long_line_ends_where_the_kernel_reads_to(void **state)
{
	char *line = filler(61000);
	struct load l = load(line, "");

	(void)state;
	assert_int_equal(l.ret, 0);
	assert_int_equal(l.loaded.cmdline_size, 2048);
	assert_int_equal(strlen(text(&l)), 2047);
	guest_memory_destroy(l.gm);
	free(line);
}

static void a_line_that_fits_is_whole(void **state)
{
	char *line = filler(2047);
	struct load l = load(line, "");

	(void)state;
	assert_int_equal(l.ret, 0);
	assert_string_equal(text(&l), line);
	guest_memory_destroy(l.gm);
	free(line);
}

static void devices_that_do_not_fit_are_refused(void **state)
{
	char *extra = filler(2048);
	struct load l = load("quiet", extra);

	(void)state;
	assert_int_equal(l.ret, -E2BIG);
	assert_non_null(strstr(l.err.text, "list the devices"));
	guest_memory_destroy(l.gm);
	free(extra);
}

static void more_than_64_kib_is_refused(void **state)
{
	char *line = filler(65536);
	struct load l = load(line, "");

	(void)state;
	assert_int_equal(l.ret, -E2BIG);
	assert_int_equal(l.err.exit_code, EXIT_USAGE);
	guest_memory_destroy(l.gm);
	free(line);
}

/* The far jump from the reset vector goes to F000:xxxx, in both modes of addressing the same. */
static void firmware_is_seen_below_one_mib_too(void **state)
{
	static uint8_t image[0x80000];
	struct load l = { .gm = guest_memory_create(),
		.payload = {
			.kind = PAYLOAD_FIRMWARE, .kernel = { image, sizeof(image), "bios" } } };
	const uint8_t *shadow;

	(void)state;
	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i * 7 + i / 256);
	assert_non_null(l.gm);
	assert_int_equal(guest_memory_add(l.gm, 0, 2 * MIB, GUEST_RAM, false, &l.err), 0);
	assert_int_equal(x86_load(l.gm, &l.payload, "", &l.loaded, &l.err), 0);
	assert_int_equal(l.loaded.entry, 0xfffffff0u);
	shadow = guest_memory_ptr(l.gm, 0, 2 * MIB);
	assert_memory_equal(shadow + 0xc0000, image + 0x40000, 0x40000);
	for (size_t i = 0; i < 0xc0000; i++)
		assert_int_equal(shadow[i], 0);
	assert_int_equal(shadow[MIB], 0);
	l.payload.kernel.size = 0x1234; /* a small one: its end is at the end */
	memset(guest_memory_ptr(l.gm, 0, 2 * MIB), 0, 2 * MIB);
	guest_memory_forget_claims(l.gm);
	assert_int_equal(x86_load(l.gm, &l.payload, "", &l.loaded, &l.err), 0);
	assert_memory_equal(shadow + MIB - 0x1234, image, 0x1234);
	assert_int_equal(shadow[MIB - 0x1235], 0);
	guest_memory_destroy(l.gm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_come_before_the_payloads_own),
		cmocka_unit_test(a_long_line_ends_where_the_kernel_reads_to),
		cmocka_unit_test(a_line_that_fits_is_whole),
		cmocka_unit_test(devices_that_do_not_fit_are_refused),
		cmocka_unit_test(more_than_64_kib_is_refused),
		cmocka_unit_test(firmware_is_seen_below_one_mib_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
