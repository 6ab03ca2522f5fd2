/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI tables for a hardware-reduced machine: RSDP, XSDT, FADT, MADT and the DSDT.
 */
#ifndef TENON_ARCH_X86_64_ACPI_H
#define TENON_ARCH_X86_64_ACPI_H

#include <stdint.h>

struct error;
struct guest_memory;
struct machine;

struct acpi_place {
	uint64_t rsdp;
	uint64_t ram_base, ram_size; /* tables in RAM, to be told to the guest; 0 = none */
};

/*
 * Builds the tables from @machine, claims and writes them: in the BIOS area, or, when that is too
 * small, at the end of low RAM.  [main]
 */
int acpi_write(struct guest_memory *gm, const struct machine *machine, struct acpi_place *ret_place,
	struct error *err);

#endif
