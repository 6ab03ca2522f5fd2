/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ACPI tables (ACPI 6.4, section 5.2).  All are built in buffers first, so that the sizes are
 * known when a place is chosen; those that point to others come last.
 */
#include "arch/x86_64/acpi.h"

#include <errno.h>
#include <string.h>

#include "arch/bytes.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/dsdt.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/machine.h"

#define HEADER_SIZE  36u
#define TABLE_ALIGN  64u
#define PAGE         4096u
#define RSDP_SIZE    36u
#define RSDP_V1_SIZE 20u
#define FADT_SIZE    276u
#define OEM_ID       "TENON "
#define OEM_TABLE_ID "TENONVM "
#define CREATOR_ID   "TNON"

#define FADT_BOOT_ARCH   109u
#define FADT_FLAGS       112u
#define FADT_RESET       116u
#define FADT_RESET_VALUE 128u
#define FADT_MINOR       131u
#define FADT_DSDT        40u
#define FADT_X_DSDT      140u
#define FADT_SLEEP_CTRL  244u
#define FADT_SLEEP_STS   256u
#define FADT_HYPERVISOR  268u

#define BOOT_LEGACY (1u << 0) /* there are devices at ports */
#define BOOT_8042   (1u << 1)
#define BOOT_NO_VGA (1u << 2)
#define BOOT_NO_RTC (1u << 5)

#define FLAG_WBINVD     (1u << 0)
#define FLAG_PWR_BUTTON (1u << 4) /* no fixed power button */
#define FLAG_SLP_BUTTON (1u << 5) /* no fixed sleep button */
#define FLAG_RESET_REG  (1u << 10)
#define FLAG_HEADLESS   (1u << 12)
#define FLAG_HW_REDUCED (1u << 20)

#define MADT_LAPIC      0u
#define MADT_IOAPIC     1u
#define MADT_LAPIC_NMI  4u
#define MADT_X2APIC     9u
#define MADT_X2APIC_NMI 10u
#define MADT_ENABLED    1u
#define FIRST_X2APIC    255u /* 255 is broadcast to an xAPIC */

enum { FADT, MADT, DSDT, XSDT, N_TABLES };

struct tables {
	struct bytes table[N_TABLES];
	uint64_t gpa[N_TABLES];
};

static void header(struct bytes *b, const char *signature, uint8_t revision)
{
	bytes_put(b, signature, 4);
	bytes_u32(b, 0); /* length and checksum: finish() */
	bytes_u8(b, revision);
	bytes_u8(b, 0);
	bytes_put(b, OEM_ID, 6);
	bytes_put(b, OEM_TABLE_ID, 8);
	bytes_u32(b, 1);
	bytes_put(b, CREATOR_ID, 4);
	bytes_u32(b, 1);
}

static void finish(struct bytes *b)
{
	if (b->error)
		return;
	put_le32(b->at + 4, (uint32_t)b->size);
	b->at[9] = 0;
	b->at[9] = checksum_of(b->at, b->size);
}

/* ---- MADT ---- */

static void madt_cpu(struct bytes *b, uint32_t id)
{
	if (id < FIRST_X2APIC) {
		bytes_u8(b, MADT_LAPIC);
		bytes_u8(b, 8);
		bytes_u8(b, (uint8_t)id); /* processor UID */
		bytes_u8(b, (uint8_t)id);
		bytes_u32(b, MADT_ENABLED);
		return;
	}
	bytes_u8(b, MADT_X2APIC);
	bytes_u8(b, 16);
	bytes_u16(b, 0);
	bytes_u32(b, id);
	bytes_u32(b, MADT_ENABLED);
	bytes_u32(b, id); /* processor UID */
}

/* LINT1 of every processor is its NMI pin; edge, active high by the bus' convention. */
static void madt_nmi(struct bytes *b, bool x2apic)
{
	bytes_u8(b, MADT_LAPIC_NMI);
	bytes_u8(b, 6);
	bytes_u8(b, 0xff);
	bytes_u16(b, 0);
	bytes_u8(b, 1);
	if (!x2apic)
		return;
	bytes_u8(b, MADT_X2APIC_NMI);
	bytes_u8(b, 12);
	bytes_u16(b, 0);
	bytes_u32(b, UINT32_MAX);
	bytes_u8(b, 1);
	bytes_zero(b, 3);
}

/* Lines go to the I/O APIC's inputs of the same number, so no source is overridden. */
static void build_madt(struct bytes *b, const struct machine *machine)
{
	header(b, "APIC", 5);
	bytes_u32(b, BOOT_LAPIC);
	bytes_u32(b, 0); /* no 8259s */
	for (uint32_t i = 0; i < machine->vcpus; i++)
		madt_cpu(b, i);
	bytes_u8(b, MADT_IOAPIC);
	bytes_u8(b, 12);
	bytes_u8(b, 0); /* id */
	bytes_u8(b, 0);
	bytes_u32(b, BOOT_IOAPIC);
	bytes_u32(b, 0); /* first line */
	madt_nmi(b, machine->vcpus > FIRST_X2APIC);
	finish(b);
}

/* ---- FADT ---- */

static bool has_hid(const struct machine *machine, const char *hid)
{
	for (size_t i = 0; i < machine->n_nodes; i++)
		if (strcmp(machine->nodes[i].hid, hid) == 0)
			return true;
	return false;
}

static bool has_ports(const struct machine *machine)
{
	for (size_t i = 0; i < machine->n_nodes; i++)
		for (size_t k = 0; k < machine->nodes[i].n_windows; k++)
			if (machine->nodes[i].hid[0] && machine->nodes[i].windows[k].pio)
				return true;
	return false;
}

/* A byte-wide register as a generic address. */
static void put_register(uint8_t *at, bool pio, uint64_t address)
{
	at[0] = pio ? 1 : 0;
	at[1] = 8; /* bits */
	at[2] = 0; /* bit offset */
	at[3] = 1; /* accessed by bytes */
	put_le64(at + 4, address);
}

static uint16_t boot_arch(const struct machine *machine)
{
	uint16_t flags = BOOT_NO_VGA;

	if (has_ports(machine))
		flags |= BOOT_LEGACY;
	if (has_hid(machine, "PNP0303"))
		flags |= BOOT_8042;
	if (!has_hid(machine, "PNP0B00"))
		flags |= BOOT_NO_RTC;
	return flags;
}

static void build_fadt(struct bytes *b, const struct machine *machine, uint64_t dsdt)
{
	const struct machine_power *power = &machine->power;
	uint32_t flags =
		FLAG_HW_REDUCED | FLAG_WBINVD | FLAG_PWR_BUTTON | FLAG_SLP_BUTTON | FLAG_HEADLESS;

	header(b, "FACP", 6);
	bytes_zero(b, FADT_SIZE - HEADER_SIZE);
	if (b->error)
		return;
	put_le32(b->at + FADT_DSDT, (uint32_t)dsdt);
	put_le64(b->at + FADT_X_DSDT, dsdt);
	put_le16(b->at + FADT_BOOT_ARCH, boot_arch(machine));
	b->at[FADT_MINOR] = 4;
	memcpy(b->at + FADT_HYPERVISOR, "TENON", 5);
	if (power->has_registers) {
		flags |= FLAG_RESET_REG;
		put_register(b->at + FADT_RESET, power->pio, power->reset);
		b->at[FADT_RESET_VALUE] = power->reset_value;
		put_register(b->at + FADT_SLEEP_CTRL, power->pio, power->sleep_control);
		put_register(b->at + FADT_SLEEP_STS, power->pio, power->sleep_status);
	}
	put_le32(b->at + FADT_FLAGS, flags);
	finish(b);
}

/* ---- the others ---- */

static int build_dsdt(struct bytes *b, const struct machine *machine, struct error *err)
{
	int ret;

	header(b, "DSDT", 2);
	ret = dsdt_append(b, machine, err);
	finish(b);
	return ret;
}

static void build_xsdt(struct bytes *b, const uint64_t *gpa)
{
	header(b, "XSDT", 1);
	bytes_u64(b, gpa[FADT]);
	bytes_u64(b, gpa[MADT]);
	finish(b);
}

static void write_rsdp(uint8_t *at, uint64_t xsdt)
{
	memset(at, 0, RSDP_SIZE);
	memcpy(at, "RSD PTR ", 8);
	memcpy(at + 9, OEM_ID, 6);
	at[15] = 2;
	put_le32(at + 20, RSDP_SIZE);
	put_le64(at + 24, xsdt);
	at[8] = checksum_of(at, RSDP_V1_SIZE);
	at[32] = checksum_of(at, RSDP_SIZE);
}

/* ---- placing ---- */

/* Chooses addresses; the sizes of FADT and XSDT are known before they are built. */
static int place(
	struct guest_memory *gm, struct tables *t, struct acpi_place *place, struct error *err)
{
	const size_t sizes[N_TABLES] = {
		[FADT] = FADT_SIZE,
		[MADT] = t->table[MADT].size,
		[DSDT] = t->table[DSDT].size,
		[XSDT] = HEADER_SIZE + 2 * sizeof(uint64_t),
	};
	uint64_t base = BOOT_ACPI, total = 0;
	int ret;

	for (size_t i = 0; i < N_TABLES; i++) {
		t->gpa[i] = total;
		total += (sizes[i] + TABLE_ALIGN - 1) & ~(uint64_t)(TABLE_ALIGN - 1);
	}
	if (total <= BOOT_ACPI_END - BOOT_ACPI) {
		ret = guest_memory_claim(gm, base, total, "the ACPI tables", err);
	} else {
		total = (total + PAGE - 1) & ~(uint64_t)(PAGE - 1);
		ret = guest_memory_claim_top(
			gm, total, PAGE, BOOT_LOW_LIMIT, "the ACPI tables", &base, err);
		if (ret == 0) {
			place->ram_base = base;
			place->ram_size = total;
		}
	}
	for (size_t i = 0; i < N_TABLES; i++)
		t->gpa[i] += base;
	return ret;
}

static int build_and_place(struct guest_memory *gm, const struct machine *machine, struct tables *t,
	struct acpi_place *ret_place, struct error *err)
{
	int ret;

	build_madt(&t->table[MADT], machine);
	ret = build_dsdt(&t->table[DSDT], machine, err);
	if (ret == 0)
		ret = t->table[MADT].error;
	if (ret == 0)
		ret = place(gm, t, ret_place, err);
	if (ret < 0)
		return ret;
	build_fadt(&t->table[FADT], machine, t->gpa[DSDT]);
	build_xsdt(&t->table[XSDT], t->gpa);
	for (size_t i = 0; i < N_TABLES && ret == 0; i++)
		ret = t->table[i].error;
	return ret;
}

int acpi_write(struct guest_memory *gm, const struct machine *machine, struct acpi_place *ret_place,
	struct error *err)
{
	struct acpi_place where = { .rsdp = BOOT_RSDP };
	struct tables t = { 0 };
	int ret;

	ret = guest_memory_claim(gm, BOOT_RSDP, RSDP_SIZE, "the ACPI root pointer", err);
	if (ret == 0)
		ret = build_and_place(gm, machine, &t, &where, err);
	for (size_t i = 0; i < N_TABLES && ret == 0; i++)
		ret = guest_memory_write(gm, t.gpa[i], t.table[i].at, t.table[i].size);
	if (ret == 0) {
		write_rsdp(guest_memory_ptr(gm, BOOT_RSDP, RSDP_SIZE), t.gpa[XSDT]);
		*ret_place = where;
	}
	for (size_t i = 0; i < N_TABLES; i++)
		bytes_free(&t.table[i]);
	if (ret < 0)
		(void)error_set(
			err, error_exit_code(ret), ret, "the ACPI tables: %s", strerror(-ret));
	return ret;
}
