/* SPDX-License-Identifier: Apache-2.0 */
/* ELF kernels that are loaded, and those that are refused. */
#include "arch/x86_64/elf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/bytes.h"
#include "arch/x86_64/test_machine.h"
#include "core/error.h"

#define HEADER_SIZE 64
#define PHDR_SIZE   56
#define KERNEL_GPA  0x100000u

struct elf_file {
	uint8_t bytes[16384];
	struct blob image;
};

/* @n program headers, of which the first loads the last 16 bytes and the others are empty. */
static void make(struct elf_file *f, unsigned n)
{
	uint8_t *h = f->bytes, *p = h + HEADER_SIZE;
	size_t text = HEADER_SIZE + (size_t)n * PHDR_SIZE;

	memset(f->bytes, 0, sizeof(f->bytes));
	memcpy(h, "\177ELF\2\1\1", 7);
	put_le16(h + 16, 2);
	put_le16(h + 18, 62);
	put_le64(h + 24, KERNEL_GPA);
	put_le64(h + 32, HEADER_SIZE);
	put_le16(h + 54, PHDR_SIZE);
	put_le16(h + 56, (uint16_t)n);
	put_le32(p, 1);
	put_le64(p + 8, text);
	put_le64(p + 16, KERNEL_GPA);
	put_le64(p + 24, KERNEL_GPA);
	put_le64(p + 32, 16);
	put_le64(p + 40, 4096);
	memcpy(h + text, "sixteen bytes...", 16);
	f->image = (struct blob){ f->bytes, text + 16, "vmlinux" };
}

static int load(const struct elf_file *f, struct loaded *loaded, struct error *err)
{
	struct guest_memory *gm = test_memory(4 * MIB, 0);
	int ret = elf_load(gm, &f->image, "auto", loaded, err);

	if (ret == 0) {
		const uint8_t *at = guest_memory_ptr(gm, KERNEL_GPA, 4096);

		assert_memory_equal(at, "sixteen bytes...\0", 17);
	}
	guest_memory_destroy(gm);
	return ret;
}

static void segments_are_placed(void **state)
{
	struct loaded loaded = { .entry = 0 };
	struct error err = { 0 };
	struct elf_file f;

	(void)state;
	make(&f, 64);
	assert_int_equal(load(&f, &loaded, &err), 0);
	assert_int_equal(loaded.entry, KERNEL_GPA);
	assert_int_equal(loaded.kernel_gpa, KERNEL_GPA);
	assert_int_equal(loaded.kernel_size, 4096);
}

static void too_many_headers_are_refused(void **state)
{
	struct loaded loaded = { .entry = 0 };
	struct error err = { 0 };
	struct elf_file f;

	(void)state;
	make(&f, 65);
	assert_int_equal(load(&f, &loaded, &err), -ENOEXEC);
	assert_string_equal(
		err.text, "vmlinux: an ELF file of 65 program headers, at most 64 are wanted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_are_placed),
		cmocka_unit_test(too_many_headers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
