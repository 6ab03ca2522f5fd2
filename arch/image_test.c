/* SPDX-License-Identifier: Apache-2.0 */
/* Image headers: what is accepted, where it goes, every refusal; and which ISA a kernel is for. */
#include "arch/image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "arch/bytes.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

#define MIB (1ull << 20)
#define RAM (1ull << 30)

static uint8_t bytes[8192];

/* A file of 8 KiB that takes 16 KiB. */
static struct blob image(const char *magic, uint64_t text_offset, uint64_t size)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	put_le64(bytes + 8, text_offset);
	put_le64(bytes + 16, size);
	put_le64(bytes + 24, 0);
	memcpy(bytes + 56, magic, 4);
	return (struct blob){ bytes, sizeof(bytes), "vmlinuz" };
}

static struct blob arm(uint64_t text_offset, uint64_t size)
{
	return image("ARM\x64", text_offset, size);
}

static void the_magic_tells_the_isa(void **state)
{
	struct blob k = arm(0, 16384);

	assert_int_equal(image_isa(&k), ISA_AARCH64);
	assert_int_equal(arch_kernel_isa(&k), ISA_AARCH64);
	k = image("RSC\x05", 0x200000, 16384);
	assert_int_equal(arch_kernel_isa(&k), ISA_RISCV64);
	k = image("RSC\x06", 0x200000, 16384);
	assert_int_equal(arch_kernel_isa(&k), 0);
	k = arm(0, 16384);
	k.size = 63;
	assert_int_equal(image_isa(&k), 0);
}

static void elf_and_bzimage_tell_the_isa(void **state)
{
	static const struct {
		uint16_t machine;
		enum isa isa;
	} machines[] = { { 62, ISA_X86_64 }, { 183, ISA_AARCH64 }, { 243, ISA_RISCV64 },
		{ 8, (enum isa)0 } };
	struct blob k = arm(0, 16384);

	memcpy(bytes, "\177ELF", 4);
	for (size_t i = 0; i < 4; i++) {
		put_le16(bytes + 18, machines[i].machine);
		assert_int_equal(arch_kernel_isa(&k), machines[i].isa);
	}
	k.size = 19; /* the header's end is missing */
	assert_int_equal(arch_kernel_isa(&k), 0);
	k = image("none", 0, 0);
	put_le16(bytes + 0x1fe, 0xaa55);
	memcpy(bytes + 0x202, "HdrS", 4);
	assert_int_equal(arch_kernel_isa(&k), ISA_X86_64);
}

static void every_isa_has_a_name(void **state)
{
	assert_string_equal(arch_isa_name(ISA_X86_64), "x86_64");
	assert_string_equal(arch_isa_name(ISA_AARCH64), "aarch64");
	assert_string_equal(arch_isa_name(ISA_RISCV64), "riscv64");
	assert_string_equal(arch_isa_name((enum isa)0), "an unknown CPU");
}

static void text_offset_and_size_are_honoured(void **state)
{
	struct guest_memory *gm = guest_memory_create();
	struct blob k = arm(0x80000, 16384);
	struct loaded loaded = { .entry = 0 };
	struct error err = { .text = "" };
	const struct guest_claim *claims;
	struct image i;
	uint8_t *at;

	assert_int_equal(guest_memory_add(gm, RAM, 8 * MIB, GUEST_RAM, false, &err), 0);
	at = guest_memory_ptr(gm, RAM + 0x280000, 16384);
	memset(at, 0xee, 16384); /* as a guest leaves it when it restarts */
	assert_int_equal(image_parse(&k, ISA_AARCH64, &i, &err), 0);
	assert_int_equal(image_load(gm, &k, &i, RAM + IMAGE_ALIGN, &loaded, &err), 0);
	assert_int_equal(loaded.protocol, BOOT_IMAGE);
	assert_int_equal(loaded.entry, RAM + 0x280000);
	assert_int_equal(loaded.kernel_size, 16384);
	assert_memory_equal(at, bytes, sizeof(bytes));
	for (size_t b = sizeof(bytes); b < 16384; b++)
		assert_int_equal(at[b], 0);
	assert_int_equal(guest_memory_claims(gm, &claims), 1);
	assert_int_equal(claims[0].size, 16384);
	assert_int_equal(image_load(gm, &k, &i, RAM + IMAGE_ALIGN, &loaded, &err), -EEXIST);
	guest_memory_destroy(gm);
}

static void an_old_arm_header_has_no_size(void **state)
{
	struct blob k = arm(0x1234, 0);
	struct error err = { .text = "" };
	struct image i;

	assert_int_equal(image_parse(&k, ISA_AARCH64, &i, &err), 0);
	assert_int_equal(i.text_offset, 0x80000);
	assert_int_equal(i.image_size, sizeof(bytes));
}

static void refused(struct blob k, enum isa isa, const char *why)
{
	struct error err = { .text = "" };
	struct image i;

	assert_int_equal(image_parse(&k, isa, &i, &err), -ENOEXEC);
	assert_non_null(strstr(err.text, "vmlinuz: "));
	assert_non_null(strstr(err.text, why));
}

static void what_cannot_be_is_refused(void **state)
{
	struct blob k;

	refused(arm(0x200001, 16384), ISA_AARCH64, "at most 2 MiB");
	refused(arm(UINT64_MAX, 16384), ISA_AARCH64, "at most 2 MiB");
	refused(arm(0, sizeof(bytes) - 1), ISA_AARCH64, "the file alone has 0x2000");
	refused(arm(0, 16384), ISA_RISCV64, "not an Image for riscv64");
	refused(image("none", 0, 16384), ISA_AARCH64, "not an Image for aarch64");
	k = arm(0, 16384);
	put_le64(bytes + 24, 1);
	refused(k, ISA_AARCH64, "big-endian");
}

static void a_kernel_that_does_not_fit_is_refused(void **state)
{
	static const uint64_t sizes[] = { 8 * MIB + 1, UINT64_MAX, UINT64_MAX - RAM + 1 };
	struct guest_memory *gm = guest_memory_create();
	struct loaded loaded = { .entry = 0 };

	assert_int_equal(guest_memory_add(gm, RAM, 8 * MIB, GUEST_RAM, false, NULL), 0);
	for (size_t s = 0; s < 3; s++) {
		struct blob k = arm(0, sizes[s]);
		struct error err = { .text = "" };
		struct image i;

		assert_int_equal(image_parse(&k, ISA_AARCH64, &i, &err), 0);
		assert_true(image_load(gm, &k, &i, RAM, &loaded, &err) < 0);
		assert_non_null(strstr(err.text, "vmlinuz: "));
	}
	guest_memory_destroy(gm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_magic_tells_the_isa),
		cmocka_unit_test(elf_and_bzimage_tell_the_isa),
		cmocka_unit_test(every_isa_has_a_name),
		cmocka_unit_test(text_offset_and_size_are_honoured),
		cmocka_unit_test(an_old_arm_header_has_no_size),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(a_kernel_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
