/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest finds in memory, read back as a kernel would. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/bytes.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/boot_params.h"
#include "arch/x86_64/memmap.h"
#include "arch/x86_64/pvh.h"
#include "arch/x86_64/tables.h"
#include "arch/x86_64/test_machine.h"
#include "arch/x86_64/x86_64.h"
#include "core/error.h"

#if defined(__x86_64__) && defined(__linux__)
#include <asm/bootparam.h>
/* Where the host has the kernel's own idea of the page, ours must be the same. */
#define SAME(ours, theirs) _Static_assert((ours) == offsetof(struct boot_params, theirs), #theirs)
SAME(ZP_ACPI_RSDP_ADDR, acpi_rsdp_addr);
SAME(ZP_EXT_RAMDISK_IMAGE, ext_ramdisk_image);
SAME(ZP_EXT_RAMDISK_SIZE, ext_ramdisk_size);
SAME(ZP_EXT_CMD_LINE_PTR, ext_cmd_line_ptr);
SAME(ZP_E820_ENTRIES, e820_entries);
SAME(ZP_SENTINEL, sentinel);
SAME(ZP_E820_TABLE, e820_table);
SAME(ZP_HEADER, hdr);
SAME(ZP_VID_MODE, hdr.vid_mode);
SAME(ZP_BOOT_FLAG, hdr.boot_flag);
SAME(ZP_MAGIC, hdr.header);
SAME(ZP_VERSION, hdr.version);
SAME(ZP_TYPE_OF_LOADER, hdr.type_of_loader);
SAME(ZP_LOADFLAGS, hdr.loadflags);
SAME(ZP_RAMDISK_IMAGE, hdr.ramdisk_image);
SAME(ZP_RAMDISK_SIZE, hdr.ramdisk_size);
SAME(ZP_CMD_LINE_PTR, hdr.cmd_line_ptr);
SAME(ZP_INITRD_ADDR_MAX, hdr.initrd_addr_max);
SAME(ZP_KERNEL_ALIGNMENT, hdr.kernel_alignment);
SAME(ZP_RELOCATABLE, hdr.relocatable_kernel);
SAME(ZP_XLOADFLAGS, hdr.xloadflags);
SAME(ZP_CMDLINE_SIZE, hdr.cmdline_size);
SAME(ZP_SETUP_DATA, hdr.setup_data);
#endif

struct boot {
	struct guest_memory *gm;
	struct machine machine;
	struct loaded loaded;
	struct error err;
};

static struct boot boot(uint64_t low, uint64_t high, enum boot_protocol protocol)
{
	return (struct boot){
		.gm = test_memory(low, high),
		.machine = test_machine(2, 3),
		.loaded = test_loaded(protocol),
	};
}

static int build(struct boot *t)
{
	return x86_boot_tables(t->gm, &t->loaded, &t->machine, &t->err);
}

static void drop(struct boot *t)
{
	guest_memory_destroy(t->gm);
	free(t->machine.nodes);
}

static const uint8_t *at(const struct boot *t, uint64_t gpa, uint64_t size)
{
	const uint8_t *p = guest_memory_ptr(t->gm, gpa, size);

	assert_non_null(p);
	return p;
}

/* The type that the zero page gives the byte at @gpa, 0 = not listed; entries are disjoint. */
static uint32_t type_of(const struct boot *t, uint64_t gpa)
{
	const uint8_t *zp = at(t, BOOT_ZERO_PAGE, ZP_SIZE);
	uint32_t type = 0;

	for (size_t i = 0; i < zp[ZP_E820_ENTRIES]; i++) {
		const uint8_t *e = zp + ZP_E820_TABLE + i * ZP_E820_ENTRY_SIZE;

		if (gpa < get_le64(e) || gpa - get_le64(e) >= get_le64(e + 8))
			continue;
		assert_int_equal(type, 0);
		type = get_le32(e + 16);
	}
	return type;
}

static void memory_map_has_ram_and_what_is_not(void **state)
{
	struct boot t = boot(0xc0000000, 2 * GIB, BOOT_LINUX64);

	(void)state;
	assert_int_equal(build(&t), 0);
	assert_int_equal(type_of(&t, 0), MEMMAP_RAM);
	assert_int_equal(type_of(&t, 0x9fbff), MEMMAP_RAM);
	assert_int_equal(type_of(&t, 0x9fc00), MEMMAP_RESERVED);
	assert_int_equal(type_of(&t, 0xa0000), 0);
	assert_int_equal(type_of(&t, 0xdffff), 0);
	assert_int_equal(type_of(&t, 0xe0000), MEMMAP_RESERVED);
	assert_int_equal(type_of(&t, 0xfffff), MEMMAP_RESERVED);
	assert_int_equal(type_of(&t, 0x100000), MEMMAP_RAM);
	assert_int_equal(type_of(&t, 0xbfffffff), MEMMAP_RAM);
	assert_int_equal(type_of(&t, 0xc0000000), 0);
	assert_int_equal(type_of(&t, 0xd0000000), 0);
	assert_int_equal(type_of(&t, 0xfffbc000), MEMMAP_RESERVED);
	assert_int_equal(type_of(&t, 4 * GIB), MEMMAP_RAM);
	assert_int_equal(type_of(&t, 6 * GIB - 1), MEMMAP_RAM);
	assert_int_equal(type_of(&t, 6 * GIB), 0);
	drop(&t);
}

/* Linux ends there on hardware-reduced ACPI: the code must write the FADT's reset register. */
static void the_reset_vector_resets(void **state)
{
	struct boot t = boot(64 * MIB, 0, BOOT_LINUX64);
	const uint8_t *code;

	(void)state;
	assert_int_equal(build(&t), 0);
	code = at(&t, 0xffff0, 9);
	assert_int_equal(code[0], 0xba);
	assert_int_equal(get_le16(code + 1), t.machine.power.reset);
	assert_int_equal(code[3], 0xb0);
	assert_int_equal(code[4], t.machine.power.reset_value);
	assert_int_equal(code[5], 0xee);
	drop(&t);
}

static void tables_in_ram_are_told(void **state)
{
	struct guest_memory *gm = test_memory(64 * MIB, 0);
	struct memmap map;
	bool seen = false;

	(void)state;
	assert_int_equal(memmap_build(gm, 62 * MIB, MIB, &map), 0);
	for (size_t i = 0; i < map.n; i++) {
		if (i > 0)
			assert_true(map.entries[i - 1].base + map.entries[i - 1].size <=
				    map.entries[i].base);
		if (map.entries[i].type == MEMMAP_ACPI) {
			seen = true;
			assert_int_equal(map.entries[i].base, 62 * MIB);
			assert_int_equal(map.entries[i].size, MIB);
			assert_int_equal(map.entries[i + 1].base, 63 * MIB);
			assert_int_equal(map.entries[i + 1].size, MIB);
		}
	}
	assert_true(seen);
	guest_memory_destroy(gm);
}

static void only_ram_is_listed(void **state)
{
	struct guest_memory *gm = test_memory(64 * MIB, 0);
	struct memmap before, after;

	(void)state;
	assert_int_equal(memmap_build(gm, 0, 0, &before), 0);
	assert_int_equal(guest_memory_add(gm, 0xffc00000, MIB, GUEST_FIRMWARE, true, NULL), 0);
	assert_int_equal(guest_memory_add(gm, 8 * GIB, MIB, GUEST_SHM, false, NULL), 0);
	assert_int_equal(memmap_build(gm, 0, 0, &after), 0);
	assert_int_equal(after.n, before.n);
	guest_memory_destroy(gm);
}

static void zero_page_of_an_elf_kernel_is_made_up(void **state)
{
	struct boot t = boot(128 * MIB, 0, BOOT_LINUX64);
	const uint8_t *zp;

	(void)state;
	assert_int_equal(build(&t), 0);
	zp = at(&t, BOOT_ZERO_PAGE, ZP_SIZE);
	assert_memory_equal(zp + ZP_MAGIC, "HdrS", 4);
	assert_int_equal(get_le16(zp + ZP_BOOT_FLAG), 0xaa55);
	assert_int_equal(get_le16(zp + ZP_VERSION), 0x20f);
	assert_int_equal(zp[ZP_TYPE_OF_LOADER], 0xff);
	assert_int_equal(zp[ZP_LOADFLAGS], 1);
	assert_int_equal(zp[ZP_SENTINEL], 0);
	assert_int_equal(get_le32(zp + ZP_CMD_LINE_PTR), 0x20000);
	assert_int_equal(get_le32(zp + ZP_RAMDISK_IMAGE), 0x3000000);
	assert_int_equal(get_le32(zp + ZP_RAMDISK_SIZE), 0x12345);
	assert_int_equal(get_le32(zp + ZP_EXT_RAMDISK_IMAGE), 0);
	assert_int_equal(get_le64(zp + ZP_ACPI_RSDP_ADDR), BOOT_RSDP);
	drop(&t);
}

static void setup_header_is_the_kernels_own(void **state)
{
	struct boot t = boot(128 * MIB, 0, BOOT_LINUX64);
	uint8_t *header = t.loaded.setup_header;
	const uint8_t *zp;

	(void)state;
	memset(header, 0x5a, sizeof(t.loaded.setup_header));
	t.loaded.setup_header_size = sizeof(t.loaded.setup_header);
	header[ZP_JUMP_OFFSET - ZP_HEADER] = 0x6a; /* ends at 0x26c */
	memcpy(header + (ZP_MAGIC - ZP_HEADER), "HdrS", 4);
	header[ZP_LOADFLAGS - ZP_HEADER] = 0x80 | 0x20 | 0x02;
	assert_int_equal(build(&t), 0);
	zp = at(&t, BOOT_ZERO_PAGE, ZP_SIZE);
	assert_int_equal(zp[ZP_HEADER], 0x5a);
	assert_int_equal(zp[ZP_HEADER - 1], 0);
	assert_int_equal(zp[0x26b], 0x5a);
	assert_int_equal(zp[0x26c], 0);
	assert_int_equal(zp[ZP_LOADFLAGS], 0x03);
	assert_int_equal(get_le32(zp + ZP_CMDLINE_SIZE), 0x5a5a5a5a);
	assert_int_equal(zp[ZP_TYPE_OF_LOADER], 0xff);
	assert_int_equal(get_le32(zp + ZP_RAMDISK_SIZE), 0x12345);
	drop(&t);
}

static void bad_setup_headers_are_refused(void **state)
{
	static const uint32_t sizes[] = { 1, 0x15, 100, 513, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct boot t = boot(64 * MIB, 0, BOOT_LINUX64);

		t.loaded.setup_header_size = sizes[i];
		assert_int_equal(build(&t), -EINVAL);
		assert_non_null(strstr(t.err.text, "setup header"));
		drop(&t);
	}
}

static void an_initrd_above_4_gib_has_its_upper_half(void **state)
{
	struct boot t = boot(128 * MIB, GIB, BOOT_LINUX64);
	const uint8_t *zp;

	(void)state;
	t.loaded.initrd_gpa = 0x123456000;
	assert_int_equal(build(&t), 0);
	zp = at(&t, BOOT_ZERO_PAGE, ZP_SIZE);
	assert_int_equal(get_le32(zp + ZP_RAMDISK_IMAGE), 0x23456000);
	assert_int_equal(get_le32(zp + ZP_EXT_RAMDISK_IMAGE), 1);
	drop(&t);
}

static void seeds_differ(void **state)
{
	uint8_t seeds[2][RNG_SEED_SIZE];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct boot t = boot(64 * MIB, 0, BOOT_LINUX64);
		const uint8_t *data;

		assert_int_equal(build(&t), 0);
		data = at(&t, get_le64(at(&t, BOOT_ZERO_PAGE, ZP_SIZE) + ZP_SETUP_DATA), 48);
		assert_int_equal(get_le64(data), 0);
		assert_int_equal(get_le32(data + 8), 9);
		assert_int_equal(get_le32(data + 12), RNG_SEED_SIZE);
		memcpy(seeds[i], data + 16, RNG_SEED_SIZE);
		drop(&t);
	}
	assert_memory_not_equal(seeds[0], seeds[1], RNG_SEED_SIZE);
}

/* Walks the tables as the processor does. */
static uint64_t translate(const struct boot *t, uint64_t address)
{
	uint64_t table = BOOT_PML4;

	for (unsigned shift = 39; shift >= 21; shift -= 9) {
		uint64_t e = get_le64(at(t, table + 8 * (address >> shift & 511), 8));

		assert_int_equal(e & 3, 3);
		table = e & 0xffffffffff000ull;
		if (e & 0x80)
			return table + (address & ((1ull << shift) - 1));
	}
	fail();
	return 0;
}

static void first_4_gib_are_mapped_onto_themselves(void **state)
{
	static const uint64_t addresses[] = { 0, 0x7000, 0x20000, 0x1000200, 0x1fffff, 0x200000,
		0x3fffffff, 0x40000000, 0xbfffffff, 0xfee00000, 0xffffffff };
	struct boot t = boot(64 * MIB, 0, BOOT_LINUX64);

	(void)state;
	assert_int_equal(build(&t), 0);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_int_equal(translate(&t, addresses[i]), addresses[i]);
	assert_int_equal(get_le64(at(&t, BOOT_PDPT + 4 * 8, 8)), 0);
	drop(&t);
}

static void descriptors_suit_the_protocol(void **state)
{
	static const struct {
		enum boot_protocol protocol;
		uint64_t code;
	} cases[] = {
		{ BOOT_LINUX64, 0x00af9b000000ffffull },
		{ BOOT_PVH, 0x00cf9b000000ffffull },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct boot t = boot(64 * MIB, 0, cases[i].protocol);

		assert_int_equal(build(&t), 0);
		assert_int_equal(get_le64(at(&t, BOOT_GDT, 8)), 0);
		assert_int_equal(get_le64(at(&t, BOOT_GDT + GDT_CODE, 8)), cases[i].code);
		assert_int_equal(get_le64(at(&t, BOOT_GDT + GDT_DATA, 8)), 0x00cf93000000ffffull);
		assert_int_equal(get_le64(at(&t, BOOT_GDT + GDT_TSS, 8)), 0x00008b0000000067ull);
		drop(&t);
	}
}

static void start_info_lists_all(void **state)
{
	struct boot t = boot(128 * MIB, 0, BOOT_PVH);
	const uint8_t *info, *module, *first;

	(void)state;
	assert_int_equal(build(&t), 0);
	info = at(&t, BOOT_START_INFO, PVH_SIZE);
	assert_int_equal(get_le32(info), 0x336ec578);
	assert_int_equal(get_le32(info + PVH_VERSION), 1);
	assert_int_equal(get_le64(info + PVH_CMDLINE), 0x20000);
	assert_int_equal(get_le64(info + PVH_RSDP), BOOT_RSDP);
	assert_int_equal(get_le32(info + PVH_NR_MODULES), 1);
	module = at(&t, get_le64(info + PVH_MODLIST), PVH_MODULE_SIZE);
	assert_int_equal(get_le64(module), 0x3000000);
	assert_int_equal(get_le64(module + 8), 0x12345);
	assert_int_equal(get_le32(info + PVH_MEMMAP_ENTRIES), 5);
	first = at(&t, get_le64(info + PVH_MEMMAP), PVH_MEMMAP_ENTRY_SIZE);
	assert_int_equal(get_le64(first), 0);
	assert_int_equal(get_le64(first + 8), 0x9fc00);
	assert_int_equal(get_le32(first + 16), MEMMAP_RAM);
	drop(&t);
}

static void without_an_initrd_there_is_no_module(void **state)
{
	struct boot t = boot(128 * MIB, 0, BOOT_PVH);
	const uint8_t *info;

	(void)state;
	t.loaded.initrd_size = 0;
	t.machine.acpi = false;
	assert_int_equal(build(&t), 0);
	info = at(&t, BOOT_START_INFO, PVH_SIZE);
	assert_int_equal(get_le32(info + PVH_NR_MODULES), 0);
	assert_int_equal(get_le64(info + PVH_MODLIST), 0);
	assert_int_equal(get_le64(info + PVH_RSDP), 0);
	drop(&t);
}

static void a_second_start_finds_clean_tables(void **state)
{
	struct boot t = boot(128 * MIB, 0, BOOT_LINUX64);
	uint8_t before[ZP_SIZE];

	(void)state;
	assert_int_equal(build(&t), 0);
	assert_int_equal(guest_memory_read(t.gm, BOOT_ZERO_PAGE, before, ZP_SIZE), 0);
	memset(guest_memory_ptr(t.gm, 0, 0x100000), 0xa5, 0x100000);
	assert_int_equal(build(&t), -EEXIST);
	memset(&t.err, 0, sizeof(t.err));
	guest_memory_forget_claims(t.gm);
	assert_int_equal(build(&t), 0);
	assert_memory_equal(at(&t, BOOT_ZERO_PAGE, ZP_SIZE), before, ZP_SIZE);
	assert_int_equal(translate(&t, 0x12345678), 0x12345678);
	drop(&t);
}

static void memory_for_starting_cpus_stays_free(void **state)
{
	struct boot t = boot(128 * MIB, 0, BOOT_LINUX64);

	(void)state;
	assert_int_equal(build(&t), 0);
	assert_int_equal(guest_memory_claim(t.gm, 0x20000, 0x10000, "command line", NULL), 0);
	assert_int_equal(guest_memory_claim(t.gm, 0x30000, 0x6fc00, "trampoline", NULL), 0);
	assert_int_equal(guest_memory_claim(t.gm, 0x100000, 127 * MIB, "kernel", NULL), 0);
	drop(&t);
}

static void what_lies_in_the_way_is_named(void **state)
{
	struct boot t = boot(128 * MIB, 0, BOOT_LINUX64);

	(void)state;
	assert_int_equal(guest_memory_claim(t.gm, 0x9000, 0x1000, "a kernel", NULL), 0);
	assert_int_equal(build(&t), -EEXIST);
	assert_non_null(strstr(t.err.text, "the page tables"));
	assert_non_null(strstr(t.err.text, "a kernel"));
	drop(&t);
}

static void firmware_is_left_alone(void **state)
{
	struct boot t = boot(64 * MIB, 0, BOOT_RESET);
	const struct guest_claim *claims;

	(void)state;
	assert_int_equal(build(&t), 0);
	assert_int_equal(guest_memory_claims(t.gm, &claims), 0);
	t.loaded.protocol = BOOT_IMAGE;
	assert_int_equal(build(&t), -EINVAL);
	drop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_map_has_ram_and_what_is_not),
		cmocka_unit_test(the_reset_vector_resets),
		cmocka_unit_test(tables_in_ram_are_told),
		cmocka_unit_test(only_ram_is_listed),
		cmocka_unit_test(zero_page_of_an_elf_kernel_is_made_up),
		cmocka_unit_test(setup_header_is_the_kernels_own),
		cmocka_unit_test(bad_setup_headers_are_refused),
		cmocka_unit_test(an_initrd_above_4_gib_has_its_upper_half),
		cmocka_unit_test(seeds_differ),
		cmocka_unit_test(first_4_gib_are_mapped_onto_themselves),
		cmocka_unit_test(descriptors_suit_the_protocol),
		cmocka_unit_test(start_info_lists_all),
		cmocka_unit_test(without_an_initrd_there_is_no_module),
		cmocka_unit_test(a_second_start_finds_clean_tables),
		cmocka_unit_test(memory_for_starting_cpus_stays_free),
		cmocka_unit_test(what_lies_in_the_way_is_named),
		cmocka_unit_test(firmware_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
