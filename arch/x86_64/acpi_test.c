/* SPDX-License-Identifier: Apache-2.0 */
/* The ACPI tables: walked from the root pointer, and judged by iasl where there is one. */
#include "arch/x86_64/acpi.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch/bytes.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/test_machine.h"
#include "core/error.h"

struct tables {
	struct guest_memory *gm;
	struct acpi_place place;
	const uint8_t *xsdt, *fadt, *madt, *dsdt;
	uint64_t gpa[4];
};

static uint32_t size_of(const uint8_t *table)
{
	return get_le32(table + 4);
}

/* A table at @gpa, once its signature and checksum are right. */
static const uint8_t *table(struct tables *t, size_t slot, uint64_t gpa, const char *signature)
{
	const uint8_t *at = guest_memory_ptr(t->gm, gpa, 36);

	assert_non_null(at);
	assert_memory_equal(at, signature, 4);
	assert_non_null(guest_memory_ptr(t->gm, gpa, size_of(at)));
	assert_int_equal(checksum_of(at, size_of(at)), 0);
	t->gpa[slot] = gpa;
	return at;
}

static struct tables write_tables(const struct machine *machine)
{
	struct tables t = { .gm = test_memory(64 * MIB, 0) };
	const uint8_t *rsdp;

	assert_int_equal(acpi_write(t.gm, machine, &t.place, NULL), 0);
	rsdp = guest_memory_ptr(t.gm, t.place.rsdp, 36);
	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_int_equal(rsdp[15], 2);
	assert_int_equal(checksum_of(rsdp, 20), 0);
	assert_int_equal(checksum_of(rsdp, 36), 0);
	t.xsdt = table(&t, 0, get_le64(rsdp + 24), "XSDT");
	assert_int_equal(size_of(t.xsdt), 36 + 16);
	t.fadt = table(&t, 1, get_le64(t.xsdt + 36), "FACP");
	t.madt = table(&t, 2, get_le64(t.xsdt + 44), "APIC");
	t.dsdt = table(&t, 3, get_le64(t.fadt + 140), "DSDT");
	assert_int_equal(get_le32(t.fadt + 40), get_le64(t.fadt + 140));
	return t;
}

static void drop(struct tables *t, struct machine *machine)
{
	guest_memory_destroy(t->gm);
	free(machine->nodes);
}

static void fadt_is_hardware_reduced(void **state)
{
	struct machine machine = test_machine(1, 1);
	struct tables t = write_tables(&machine);
	static const uint8_t reset[] = { 1, 8, 0, 1, 0x02, 0x06, 0, 0, 0, 0, 0, 0 };
	static const uint8_t control[] = { 1, 8, 0, 1, 0x00, 0x06, 0, 0, 0, 0, 0, 0 };
	static const uint8_t status[] = { 1, 8, 0, 1, 0x01, 0x06, 0, 0, 0, 0, 0, 0 };

	(void)state;
	assert_int_equal(t.fadt[8], 6);
	assert_int_equal(size_of(t.fadt), 276);
	assert_int_equal(get_le32(t.fadt + 112) & (1u << 20 | 1u << 10), 1u << 20 | 1u << 10);
	assert_memory_equal(t.fadt + 116, reset, sizeof(reset));
	assert_int_equal(t.fadt[128], 1);
	assert_memory_equal(t.fadt + 244, control, sizeof(control));
	assert_memory_equal(t.fadt + 256, status, sizeof(status));
	assert_int_equal(get_le64(t.fadt + 132), 0); /* no FACS */
	assert_int_equal(get_le16(t.fadt + 109), 1 | 4 | 32);
	drop(&t, &machine);
}

static void fadt_tells_of_clock_keyboard_and_power(void **state)
{
	struct machine machine = test_machine(1, 0);
	struct tables t;

	(void)state;
	machine.nodes[0].hid[0] = '\0';
	(void)test_node(&machine, "rtc", "PNP0B00");
	(void)test_node(&machine, "keyboard", "PNP0303");
	machine.power.has_registers = false;
	t = write_tables(&machine);
	assert_int_equal(get_le16(t.fadt + 109), 2 | 4);
	assert_int_equal(get_le32(t.fadt + 112) & 1u << 10, 0);
	assert_int_equal(t.fadt[116 + 1], 0);
	assert_null(memmem(t.dsdt, size_of(t.dsdt), "_S5_", 4));
	drop(&t, &machine);
}

/* Counts the entries of @type; the last one's address is returned. */
static size_t madt_count(const struct tables *t, uint8_t type, const uint8_t **ret_last)
{
	const uint8_t *at = t->madt + 44, *end = t->madt + size_of(t->madt);
	size_t n = 0;

	while (at < end) {
		assert_true(at[1] >= 2 && at + at[1] <= end);
		if (at[0] == type) {
			*ret_last = at;
			n++;
		}
		at += at[1];
	}
	return n;
}

static void madt_lists_every_cpu(void **state)
{
	static const uint32_t counts[] = { 1, 4, 255, 300 };
	static const uint8_t none[8];

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct machine machine = test_machine(counts[i], 1);
		struct tables t = write_tables(&machine);
		uint32_t small = counts[i] < 255 ? counts[i] : 255;
		const uint8_t *last = none;

		assert_int_equal(get_le32(t.madt + 36), 0xfee00000u);
		assert_int_equal(madt_count(&t, 0, &last), small);
		assert_int_equal(last[3], small - 1);
		assert_int_equal(get_le32(last + 4), 1);
		assert_int_equal(madt_count(&t, 9, &last), counts[i] - small);
		if (counts[i] > small) {
			assert_int_equal(get_le32(last + 4), counts[i] - 1);
			assert_int_equal(get_le32(last + 12), counts[i] - 1);
		}
		assert_int_equal(madt_count(&t, 10, &last), counts[i] > small);
		assert_int_equal(madt_count(&t, 4, &last), 1);
		assert_int_equal(last[5], 1);
		assert_int_equal(madt_count(&t, 2, &last), 0);
		assert_int_equal(madt_count(&t, 1, &last), 1);
		assert_int_equal(get_le32(last + 4), 0xfec00000u);
		drop(&t, &machine);
	}
}

static void tables_lie_apart(const struct tables *t)
{
	for (size_t i = 0; i < 4; i++) {
		uint64_t end = t->gpa[i] + size_of(guest_memory_ptr(t->gm, t->gpa[i], 36));

		for (size_t k = 0; k < 4; k++)
			assert_true(k == i || end <= t->gpa[k] || t->gpa[k] < t->gpa[i]);
		if (t->place.ram_size > 0)
			assert_true(t->gpa[i] >= t->place.ram_base &&
				    end <= t->place.ram_base + t->place.ram_size);
		else
			assert_true(t->gpa[i] >= BOOT_ACPI && end <= BOOT_ACPI_END);
	}
}

static void big_machines_have_their_tables_in_ram(void **state)
{
	struct machine small = test_machine(64, 64), big = test_machine(2048, 64);
	struct tables s = write_tables(&small), b = write_tables(&big);

	(void)state;
	assert_int_equal(s.place.ram_size, 0);
	tables_lie_apart(&s);
	assert_int_equal(b.place.ram_base + b.place.ram_size, 64 * MIB);
	assert_int_equal(b.place.ram_base % 4096, 0);
	assert_true(size_of(b.dsdt) > 40 * 1024);
	tables_lie_apart(&b);
	drop(&s, &small);
	drop(&b, &big);
}

static void what_cannot_be_described_is_named(void **state)
{
	struct machine machine = test_machine(1, 1);
	struct guest_memory *gm = test_memory(64 * MIB, 0);
	struct acpi_place place = { .rsdp = 77 };
	struct error err = { 0 };

	(void)state;
	machine.nodes[0].windows[0].address = 0x10000;
	assert_int_equal(acpi_write(gm, &machine, &place, &err), -EINVAL);
	assert_non_null(strstr(err.text, "serial"));
	assert_int_equal(place.rsdp, 77);
	machine.nodes[0].windows[0].address = 0x3f8;
	machine.vcpus = 4097;
	memset(&err, 0, sizeof(err));
	guest_memory_forget_claims(gm);
	assert_int_equal(acpi_write(gm, &machine, &place, &err), -E2BIG);
	assert_non_null(strstr(err.text, "4097"));
	guest_memory_destroy(gm);
	free(machine.nodes);
}

/* ---- iasl ---- */

static void save(const char *folder, const char *name, const uint8_t *at)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(at, size_of(at), 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

/* Runs @command in @folder; its output, to be freed. */
static char *output_of(const char *folder, const char *command)
{
	const size_t room = 1u << 22;
	char *text = calloc(1, room), whole[512];
	FILE *out;

	assert_non_null(text);
	(void)snprintf(whole, sizeof(whole), "cd %s && (%s) 2>&1", folder, command);
	out = popen(whole, "r"); /* NOLINT(cert-env33-c): a tool of the developers */
	assert_non_null(out);
	(void)fread(text, 1, room - 1, out);
	(void)pclose(out);
	return text;
}

/* Disassembles all tables and compiles the result again; the ASL of the DSDT, to be freed. */
static char *through_iasl(const struct tables *t)
{
	char folder[] = "/tmp/tenon-acpi-XXXXXX", clean[64];
	char *said, *asl;
	bool missing;

	assert_non_null(mkdtemp(folder));
	save(folder, "dsdt.aml", t->dsdt);
	save(folder, "facp.aml", t->fadt);
	save(folder, "apic.aml", t->madt);
	save(folder, "xsdt.aml", t->xsdt);
	said = output_of(folder, "command -v iasl >/dev/null || { echo missing; exit; };"
				 "for t in *.aml; do iasl -d $t || echo FAILED $t; done;"
				 "for t in *.dsl; do iasl -oa -p new-$t $t || echo FAILED $t; done;"
				 "cmp -i 36 dsdt.aml new-dsdt.aml");
	missing = strncmp(said, "missing", 7) == 0;
	asl = output_of(folder, "cat dsdt.dsl");
	(void)snprintf(clean, sizeof(clean), "rm -r %s", folder);
	free(output_of("/", clean));
	/* Findings are printed as "Warning  3042 - ..." */
	if (!missing && (strstr(said, "FAILED") || strstr(said, "Warning  ") ||
				strstr(said, "Error  ") || strstr(said, "differ"))) {
		(void)fputs(said, stderr);
		fail();
	}
	free(said);
	if (missing) {
		free(asl);
		return NULL;
	}
	return asl;
}

static void iasl_finds_no_fault(void **state)
{
	struct machine machine = test_machine(2, 2);
	struct machine_node *rtc, *high;
	struct tables t;
	char *asl;

	(void)state;
	rtc = test_node(&machine, "rtc", "PNP0B00");
	rtc->windows[0] = (struct machine_window){ 0x70, 2, true };
	rtc->n_windows = 1;
	rtc->props[0] = (struct machine_prop){ .name = "year-base", .number = 1900 };
	rtc->props[1] = (struct machine_prop){ .name = "zone", .is_text = true, .text = "utc" };
	rtc->n_props = 2;
	high = test_node(&machine, "virtio_mmio", "LNRO0005");
	high->windows[0] = (struct machine_window){ 0x200000000, 0x1000, false };
	high->n_windows = 1;
	high->irqs[0] = 7;
	high->irq_level[0] = high->irq_shared[0] = true;
	high->n_irqs = 1;
	t = write_tables(&machine);
	asl = through_iasl(&t);
	drop(&t, &machine);
	if (!asl)
		skip();
	assert_non_null(strstr(asl, "Device (V001)"));
	assert_non_null(strstr(asl, "\"LNRO0005\""));
	assert_non_null(strstr(asl, "EisaId (\"PNP0501\")"));
	assert_non_null(strstr(asl, "Edge, ActiveHigh, Exclusive"));
	assert_non_null(strstr(asl, "Level, ActiveHigh, Shared"));
	assert_non_null(strstr(asl, "0xD0001000,"));
	assert_non_null(strstr(asl, "0x0000000200000000, // Range Minimum"));
	assert_non_null(strstr(asl, "\"ACPI0007\""));
	assert_non_null(strstr(asl, "\"ACPI0013\""));
	assert_non_null(strstr(asl, "Notify (\\_SB.PWRB, 0x80)"));
	assert_non_null(strstr(asl, "Name (\\_S5"));
	assert_non_null(strstr(asl, "daffd814-6eba-4d8c-8a91-bc9bbf4aa301"));
	free(asl);
}

static void iasl_takes_the_largest_machine(void **state)
{
	struct machine machine = test_machine(300, 64);
	struct tables t = write_tables(&machine);
	char *asl = through_iasl(&t);

	(void)state;
	drop(&t, &machine);
	if (!asl)
		skip();
	assert_non_null(strstr(asl, "Device (V040)"));
	assert_non_null(strstr(asl, "Device (C12B)"));
	assert_non_null(strstr(asl, "Edge, ActiveHigh, Shared"));
	free(asl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fadt_is_hardware_reduced),
		cmocka_unit_test(fadt_tells_of_clock_keyboard_and_power),
		cmocka_unit_test(madt_lists_every_cpu),
		cmocka_unit_test(big_machines_have_their_tables_in_ram),
		cmocka_unit_test(what_cannot_be_described_is_named),
		cmocka_unit_test(iasl_finds_no_fault),
		cmocka_unit_test(iasl_takes_the_largest_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
