/* SPDX-License-Identifier: Apache-2.0 */
/* SMBIOS structures: a formatted part, then the strings it numbers, then a zero. */
#include "arch/x86_64/smbios.h"

#include <errno.h>
#include <string.h>

#include "arch/bytes.h"
#include "arch/x86_64/boot_layout.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/machine.h"

enum structure_type {
	SMBIOS_BIOS = 0,
	SMBIOS_SYSTEM = 1,
	SMBIOS_OEM = 11,
	SMBIOS_END = 127,
};

#define BIOS_LENGTH          0x18u
#define SYSTEM_LENGTH        0x1bu
#define OEM_LENGTH           0x05u
#define END_LENGTH           0x04u
#define NO_CHARACTERISTICS   (1u << 3) /* of a BIOS: there are none to tell */
#define IS_VIRTUAL_MACHINE   (1u << 4) /* second extension byte */
#define WAKE_UP_POWER_SWITCH 6u

static void begin(struct bytes *b, enum structure_type type, uint8_t length, uint16_t handle)
{
	bytes_u8(b, (uint8_t)type);
	bytes_u8(b, length);
	bytes_u16(b, handle);
}

/* @n strings; an empty one would end the list, so it becomes a space. */
static void end(struct bytes *b, const char *const *strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes_text(b, strings[i] && strings[i][0] ? strings[i] : " ");
	bytes_zero(b, n > 0 ? 1 : 2);
}

static void bios(struct bytes *b)
{
	static const char *const strings[] = { "Tenon", "1.0", "01/01/2026" };

	begin(b, SMBIOS_BIOS, BIOS_LENGTH, 0);
	bytes_u8(b, 1);  /* vendor */
	bytes_u8(b, 2);  /* version */
	bytes_u16(b, 0); /* start segment */
	bytes_u8(b, 3);  /* date */
	bytes_u8(b, 0);  /* ROM size: 64 KiB */
	bytes_u64(b, NO_CHARACTERISTICS);
	bytes_u8(b, 0);
	bytes_u8(b, IS_VIRTUAL_MACHINE);
	bytes_u8(b, 1); /* release 1.0 */
	bytes_u8(b, 0);
	bytes_u16(b, 0xffff); /* no embedded controller */
	end(b, strings, 3);
}

static void system_information(struct bytes *b, const struct machine *machine)
{
	static const char *const strings[] = { "Tenon", "Virtual Machine", "1.0" };
	uint8_t uuid[16];

	smbios_uuid(machine->vm_name, uuid);
	begin(b, SMBIOS_SYSTEM, SYSTEM_LENGTH, 1);
	bytes_u8(b, 1); /* manufacturer */
	bytes_u8(b, 2); /* product */
	bytes_u8(b, 3); /* version */
	bytes_u8(b, 0); /* serial number: none */
	bytes_put(b, uuid, sizeof(uuid));
	bytes_u8(b, WAKE_UP_POWER_SWITCH);
	bytes_u8(b, 0); /* SKU: none */
	bytes_u8(b, 0); /* family: none */
	end(b, strings, 3);
}

static void oem_strings(struct bytes *b, const struct machine *machine)
{
	begin(b, SMBIOS_OEM, OEM_LENGTH, 2);
	bytes_u8(b, (uint8_t)machine->n_oem_strings);
	end(b, machine->oem_strings, machine->n_oem_strings);
}

static uint64_t fnv1a(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
	return hash;
}

/* Spreads every bit of the hash over the whole word. */
static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 33) * 0xff51afd7ed558ccdull;
	v = (v ^ v >> 33) * 0xc4ceb9fe1a85ec53ull;
	return v ^ v >> 33;
}

void smbios_uuid(const char *vm_name, uint8_t ret_uuid[16])
{
	const char *name = vm_name ? vm_name : "";

	put_le64(ret_uuid, mix(fnv1a(0xcbf29ce484222325ull, name)));
	put_le64(ret_uuid + 8, mix(fnv1a(0x6c62272e07bb0142ull, name)));
	/* RFC 9562: version 8 (by a rule of our own), variant 10.  SMBIOS stores the first three
	 * fields little-endian, so the version is in byte 7. */
	ret_uuid[7] = (uint8_t)((ret_uuid[7] & 0x0f) | 0x80);
	ret_uuid[8] = (uint8_t)((ret_uuid[8] & 0x3f) | 0x80);
}

static void anchor(uint8_t *at, uint32_t table_size)
{
	memset(at, 0, SMBIOS_ANCHOR_SIZE);
	memcpy(at, "_SM3_", 5);
	at[6] = SMBIOS_ANCHOR_SIZE;
	at[7] = 3;     /* version 3.0, docrev 0 */
	at[10] = 0x01; /* entry point revision */
	put_le32(at + 12, table_size);
	put_le64(at + 16, BOOT_SMBIOS);
	at[5] = checksum_of(at, SMBIOS_ANCHOR_SIZE);
}

static int place(struct guest_memory *gm, const struct bytes *b, struct error *err)
{
	int ret;

	if (b->error == -E2BIG || b->size > BOOT_SMBIOS_END - BOOT_SMBIOS)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"the OEM strings are too long: SMBIOS has room for %u bytes in all",
			BOOT_SMBIOS_END - BOOT_SMBIOS);
	if (b->error < 0)
		return error_set(err, error_exit_code(b->error), b->error, "SMBIOS: %s",
			strerror(-b->error));
	ret = guest_memory_claim(
		gm, BOOT_SMBIOS_ANCHOR, SMBIOS_ANCHOR_SIZE, "the SMBIOS entry point", err);
	if (ret == 0)
		ret = guest_memory_claim(gm, BOOT_SMBIOS, b->size, "the SMBIOS table", err);
	if (ret < 0)
		return ret;
	anchor(guest_memory_ptr(gm, BOOT_SMBIOS_ANCHOR, SMBIOS_ANCHOR_SIZE), (uint32_t)b->size);
	return guest_memory_write(gm, BOOT_SMBIOS, b->at, b->size);
}

int smbios_write(struct guest_memory *gm, const struct machine *machine, struct error *err)
{
	struct bytes b = { 0 };
	int ret;

	bios(&b);
	system_information(&b, machine);
	if (machine->n_oem_strings > 0)
		oem_strings(&b, machine);
	begin(&b, SMBIOS_END, END_LENGTH, 3);
	end(&b, NULL, 0);
	ret = place(gm, &b, err);
	bytes_free(&b);
	return ret;
}
