/* SPDX-License-Identifier: Apache-2.0 */
/* Where things lie in the memory of an aarch64 guest, every limit, and how its vCPUs begin. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/aarch64/aarch64.h"
#include "arch/aarch64/layout.h"
#include "arch/arch.h"
#include "arch/bytes.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/machine.h"
#include "core/payload.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static uint8_t kernel[8192], initrd[3 << 20];

struct fixture {
	struct guest_memory *gm;
	struct payload payload;
	struct loaded loaded;
	struct error err;
	int ret;
};

static struct fixture made(void)
{
	struct fixture f = { .gm = guest_memory_create() };

	memset(kernel, 0x5a, sizeof(kernel));
	memset(initrd, 0xa5, sizeof(initrd));
	put_le64(kernel + 8, 0);
	put_le64(kernel + 16, 65536);
	put_le64(kernel + 24, 10);
	memcpy(kernel + 56, "ARM\x64", 4);
	f.payload = (struct payload){ .kind = PAYLOAD_KERNEL,
		.cmdline = "console=hvc0",
		.boot = "auto",
		.kernel = { kernel, sizeof(kernel), "vmlinuz" },
		.initrd = { initrd, 5000, "initrd.img" } };
	return f;
}

static void load(struct fixture *f, uint64_t memory)
{
	assert_int_equal(arm_create_memory(f->gm, memory, &f->payload, &f->err), 0);
	f->ret = arm_load(f->gm, &f->payload, "", &f->loaded, &f->err);
}

static void refused(struct fixture *f, const char *why)
{
	assert_true(f->ret < 0);
	if (!strstr(f->err.text, why))
		fail_msg("said '%s', wanted '%s'", f->err.text, why);
	guest_memory_destroy(f->gm);
}

static void kernel_command_line_and_initrd_have_their_places(void **state)
{
	struct fixture f = made();

	load(&f, 256 * MIB);
	assert_int_equal(f.ret, 0);
	assert_int_equal(f.loaded.protocol, BOOT_IMAGE);
	assert_int_equal(f.loaded.entry, 0x40200000);
	assert_int_equal(f.loaded.fdt_gpa, 0x40000000);
	assert_string_equal(guest_memory_ptr(f.gm, f.loaded.cmdline_gpa, 13), "console=hvc0");
	assert_int_equal(f.loaded.initrd_gpa, 0x50000000 - 8192);
	assert_int_equal(f.loaded.initrd_size, 5000);
	assert_memory_equal(guest_memory_ptr(f.gm, f.loaded.initrd_gpa, 5000), initrd, 5000);
	guest_memory_destroy(f.gm);
}

/* Kernel and initrd in one window of 32 GiB, however much memory there is. */
static void the_initrd_stays_near_the_kernel(void **state)
{
	struct fixture f = made();

	load(&f, 64 * GIB);
	assert_int_equal(f.ret, 0);
	assert_int_equal(f.loaded.initrd_gpa, GIB + 32 * GIB - 8192);
	guest_memory_destroy(f.gm);
}

static void only_an_image_is_booted(void **state)
{
	struct fixture f = made();

	memcpy(kernel, "\177ELF", 4);
	memcpy(kernel + 56, "none", 4);
	load(&f, 256 * MIB);
	refused(&f, "vmlinuz: not an Image, which is what aarch64 boots");
}

static void what_does_not_fit_is_refused(void **state)
{
	struct fixture f = made();

	put_le64(kernel + 16, 62 * MIB + 1);
	load(&f, 64 * MIB);
	refused(&f, "vmlinuz: the kernel");

	f = made();
	put_le64(kernel + 16, 62 * MIB);
	f.payload.initrd.size = sizeof(initrd); /* not below the kernel either */
	load(&f, 64 * MIB);
	refused(&f, "initrd.img: ");
}

static void a_command_line_is_cut_where_linux_stops(void **state)
{
	static char text[65537];
	struct fixture f = made();

	memset(text, 'x', 3000);
	text[3000] = '\0';
	f.payload.cmdline = text;
	load(&f, 256 * MIB);
	assert_int_equal(f.ret, 0);
	assert_int_equal(f.loaded.cmdline_size, 2048);
	guest_memory_destroy(f.gm);

	f = made();
	memset(text, 'x', 65536);
	f.payload.cmdline = text;
	load(&f, 256 * MIB);
	refused(&f, "the command line has 65536 bytes, at most 65535 fit");
}

static void memory_has_its_limits(void **state)
{
	static const uint64_t wrong[] = { 0, 63 * MIB, 64 * MIB + 4096, 1023 * GIB + MIB,
		UINT64_MAX };
	struct fixture f = made();

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		f.err.text[0] = '\0';
		assert_int_equal(arm_create_memory(f.gm, wrong[i], &f.payload, &f.err), -EINVAL);
		assert_non_null(strstr(f.err.text, "from 64M to 1023G"));
	}
	assert_int_equal(guest_memory_count(f.gm), 0);
	guest_memory_destroy(f.gm);
}

/* Its flash begins with what runs first; RAM is where it is for kernels, with the tree. */
static void firmware_lies_at_zero(void **state)
{
	struct fixture f = made();
	const struct guest_region *flash;

	f.payload.kind = PAYLOAD_FIRMWARE;
	load(&f, 256 * MIB);
	assert_int_equal(f.ret, 0);
	flash = guest_memory_region(f.gm, 0);
	assert_int_equal(flash->gpa, 0);
	assert_int_equal(flash->kind, GUEST_FIRMWARE);
	assert_true(flash->read_only);
	assert_memory_equal(flash->host, kernel, sizeof(kernel));
	assert_int_equal(f.loaded.protocol, BOOT_RESET);
	assert_int_equal(f.loaded.entry, 0);
	assert_int_equal(f.loaded.fdt_gpa, ARM_RAM);
	guest_memory_destroy(f.gm);
}

static void firmware_that_is_too_large_is_refused(void **state)
{
	static const size_t sizes[] = { 0, 128 * MIB + 1 };

	for (size_t i = 0; i < 2; i++) {
		struct fixture f = made();

		f.payload.kind = PAYLOAD_FIRMWARE;
		f.payload.kernel.size = sizes[i];
		f.ret = arm_create_memory(f.gm, 256 * MIB, &f.payload, &f.err);
		refused(&f, "from 1 byte to 128 MiB is wanted");
	}
}

static void a_bundle_goes_where_it_says(void **state)
{
	struct fixture f = made();

	f.payload.kind = PAYLOAD_BUNDLE;
	f.payload.bundle_gpa = 0x40400000;
	f.payload.bundle_entry = 0x40400040;
	load(&f, 256 * MIB);
	assert_int_equal(f.ret, 0);
	assert_int_equal(f.loaded.protocol, BOOT_IMAGE);
	assert_int_equal(f.loaded.entry, 0x40400040);
	guest_memory_destroy(f.gm);

	f = made();
	f.payload.kind = PAYLOAD_BUNDLE;
	f.payload.bundle_gpa = 0x40400000;
	f.payload.bundle_entry = 0x40400000 + sizeof(kernel);
	load(&f, 256 * MIB);
	refused(&f, "lies outside of the bundle's kernel");
}

static uint64_t value_of(const struct arch_vcpu_state *s, uint32_t id)
{
	for (size_t i = 0; i < s->n_regs; i++)
		if (s->regs[i].id == id)
			return s->regs[i].value;
	fail_msg("register 0x%x is not set", id);
	return 0;
}

static void the_first_vcpu_gets_the_tree_and_the_others_wait(void **state)
{
	const struct machine machine = { .vcpus = 2 };
	struct fixture f = made();
	struct arch_vcpu_state s;

	load(&f, 256 * MIB);
	assert_int_equal(arm_vcpu_state(f.gm, &f.loaded, &machine, 0, &s), 0);
	assert_int_equal(value_of(&s, ARM_PC), 0x40200000);
	assert_int_equal(value_of(&s, ARM_X(0)), 0x40000000);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(value_of(&s, ARM_X(i)), 0);
	assert_int_equal(value_of(&s, ARM_PSTATE), 0x3c5);
	assert_int_equal(arm_vcpu_state(f.gm, &f.loaded, &machine, 1, &s), 0);
	assert_int_equal(s.n_regs, 0);
	assert_int_equal(arm_vcpu_state(f.gm, &f.loaded, &machine, 2, &s), -EINVAL);
	guest_memory_destroy(f.gm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_command_line_and_initrd_have_their_places),
		cmocka_unit_test(the_initrd_stays_near_the_kernel),
		cmocka_unit_test(only_an_image_is_booted),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(a_command_line_is_cut_where_linux_stops),
		cmocka_unit_test(memory_has_its_limits),
		cmocka_unit_test(firmware_lies_at_zero),
		cmocka_unit_test(firmware_that_is_too_large_is_refused),
		cmocka_unit_test(a_bundle_goes_where_it_says),
		cmocka_unit_test(the_first_vcpu_gets_the_tree_and_the_others_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
