/* SPDX-License-Identifier: Apache-2.0 */
/* SMBIOS, parsed as a guest does, and once more by dmidecode where there is one. */
#include "arch/x86_64/smbios.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch/bytes.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/test_machine.h"
#include "core/error.h"

#define MAX_STRUCTURES 8

struct structure {
	uint8_t type;
	const uint8_t *formatted;
	const char *strings[32];
	size_t n_strings;
};

/* Splits the table that the entry point names; returns how many structures there are. */
static size_t parse(struct guest_memory *gm, struct structure *ret)
{
	const uint8_t *anchor = guest_memory_ptr(gm, BOOT_SMBIOS_ANCHOR, SMBIOS_ANCHOR_SIZE);
	uint32_t size = get_le32(anchor + 12);
	const uint8_t *at = guest_memory_ptr(gm, get_le64(anchor + 16), size);
	const uint8_t *table_end = at + size;
	size_t n = 0;

	assert_memory_equal(anchor, "_SM3_", 5);
	assert_int_equal(anchor[6], SMBIOS_ANCHOR_SIZE);
	assert_int_equal(checksum_of(anchor, SMBIOS_ANCHOR_SIZE), 0);
	while (at < table_end) {
		struct structure *s = &ret[n++];

		assert_true(n <= MAX_STRUCTURES);
		*s = (struct structure){ .type = at[0], .formatted = at };
		at += at[1];
		if (!*at)
			at++;
		while (*at) {
			s->strings[s->n_strings++] = (const char *)at;
			at += strlen((const char *)at) + 1;
		}
		at++;
	}
	assert_ptr_equal(at, table_end);
	return n;
}

static void structures_are_complete(void **state)
{
	struct guest_memory *gm = test_memory(64 * MIB, 0);
	struct machine machine = test_machine(1, 0);
	struct structure s[MAX_STRUCTURES];

	(void)state;
	machine.oem_strings[0] = "io.systemd.credential:a=b";
	machine.oem_strings[1] = "";
	machine.oem_strings[2] = "last";
	machine.n_oem_strings = 3;
	assert_int_equal(smbios_write(gm, &machine, NULL), 0);
	assert_int_equal(parse(gm, s), 4);
	assert_int_equal(s[0].type, 0);
	assert_string_equal(s[0].strings[0], "Tenon");
	assert_int_equal(s[0].formatted[0x13] & 0x10, 0x10);
	assert_int_equal(s[1].type, 1);
	assert_string_equal(s[1].strings[0], "Tenon");
	assert_int_equal(s[2].type, 11);
	assert_int_equal(s[2].formatted[4], 3);
	assert_int_equal(s[2].n_strings, 3);
	assert_string_equal(s[2].strings[0], "io.systemd.credential:a=b");
	assert_string_equal(s[2].strings[2], "last");
	assert_int_equal(s[3].type, 127);
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(get_le16(s[i].formatted + 2), i);
	guest_memory_destroy(gm);
	free(machine.nodes);
}

static void type_11_is_there_only_for_strings(void **state)
{
	struct guest_memory *gm = test_memory(64 * MIB, 0);
	struct machine machine = { .vcpus = 1 };
	struct structure s[MAX_STRUCTURES] = { 0 };

	(void)state;
	assert_int_equal(smbios_write(gm, &machine, NULL), 0);
	assert_int_equal(parse(gm, s), 3);
	assert_int_equal(s[2].type, 127);
	guest_memory_destroy(gm);
}

static void uuids_are_stable_and_distinct(void **state)
{
	uint8_t a[16], again[16], b[16], none[16];

	(void)state;
	smbios_uuid("demo", a);
	smbios_uuid("demo", again);
	smbios_uuid("demo2", b);
	smbios_uuid(NULL, none);
	assert_memory_equal(a, again, 16);
	assert_memory_not_equal(a, b, 8);
	assert_memory_not_equal(a + 8, b + 8, 8);
	assert_memory_not_equal(a, none, 16);
	assert_int_equal(a[7] >> 4, 8);
	assert_int_equal(a[8] >> 6, 2);
}

static void too_long_strings_are_refused(void **state)
{
	struct guest_memory *gm = test_memory(64 * MIB, 0);
	struct machine machine = { .vcpus = 1, .n_oem_strings = 2 };
	struct error err = { 0 };
	char *text = malloc(0x8000);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 0x7fff);
	text[0x7fff] = '\0';
	machine.oem_strings[0] = text;
	machine.oem_strings[1] = text + 0x400;
	assert_int_equal(smbios_write(gm, &machine, NULL), 0);
	guest_memory_forget_claims(gm);
	machine.oem_strings[1] = text;
	assert_int_equal(smbios_write(gm, &machine, &err), -E2BIG);
	assert_non_null(strstr(err.text, "OEM strings"));
	free(text);
	guest_memory_destroy(gm);
}

/* dmidecode's dump format: the entry point at 0, the table at 0x20, and the pointer made so. */
static void write_dump(struct guest_memory *gm, const char *path)
{
	uint8_t anchor[32] = { 0 };
	uint32_t size;
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(guest_memory_read(gm, BOOT_SMBIOS_ANCHOR, anchor, SMBIOS_ANCHOR_SIZE), 0);
	size = get_le32(anchor + 12);
	put_le64(anchor + 16, sizeof(anchor));
	anchor[5] = 0;
	anchor[5] = checksum_of(anchor, SMBIOS_ANCHOR_SIZE);
	assert_int_equal(fwrite(anchor, sizeof(anchor), 1, f), 1);
	assert_int_equal(fwrite(guest_memory_ptr(gm, BOOT_SMBIOS, size), size, 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

static void dmidecode_reads_it(void **state)
{
	struct guest_memory *gm = test_memory(64 * MIB, 0);
	struct machine machine = { .vcpus = 1, .vm_name = "demo" };
	char path[] = "/tmp/tenon-smbios-XXXXXX", command[128], text[8192] = { 0 };
	int fd = mkstemp(path);
	FILE *out;

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	machine.oem_strings[0] = "hello";
	machine.n_oem_strings = 1;
	assert_int_equal(smbios_write(gm, &machine, NULL), 0);
	write_dump(gm, path);
	(void)snprintf(command, sizeof(command),
		"PATH=$PATH:/usr/sbin:/sbin; dmidecode --from-dump %s 2>&1", path);
	out = popen(command, "r"); /* NOLINT(cert-env33-c): a tool of the developers */
	assert_non_null(out);
	assert_true(fread(text, 1, sizeof(text) - 1, out) > 0);
	(void)pclose(out);
	(void)unlink(path);
	guest_memory_destroy(gm);
	if (strstr(text, "not found"))
		skip();
	assert_non_null(strstr(text, "SMBIOS 3.0.0 present"));
	assert_non_null(strstr(text, "Manufacturer: Tenon"));
	assert_non_null(strstr(text, "String 1: hello"));
	assert_non_null(strstr(text, "System is a virtual machine"));
	assert_non_null(strstr(text, "End Of Table"));
	assert_null(strstr(text, "TRUNCATED"));
	assert_null(strstr(text, "OUT OF SPEC"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures_are_complete),
		cmocka_unit_test(type_11_is_there_only_for_strings),
		cmocka_unit_test(uuids_are_stable_and_distinct),
		cmocka_unit_test(too_long_strings_are_refused),
		cmocka_unit_test(dmidecode_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
