/* SPDX-License-Identifier: Apache-2.0 */
/* The definition block of the DSDT: the devices of the machine, written from the registry. */
#ifndef TENON_ARCH_X86_64_DSDT_H
#define TENON_ARCH_X86_64_DSDT_H

struct bytes;
struct error;
struct machine;

#define DSDT_MAX_NODES 4096u
#define DSDT_MAX_VCPUS 4096u
/* What is written to the sleep control register, bits 2..4, to switch off. */
#define DSDT_S5 5u

/*
 * Appends the AML of @machine to @b.  A node that ACPI cannot describe fails with a sentence that
 * names it.
 */
int dsdt_append(struct bytes *b, const struct machine *machine, struct error *err);

#endif
