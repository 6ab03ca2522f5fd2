/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMBIOS 3.0: what the guest's dmidecode, systemd and cloud-init read about the machine.
 */
#ifndef TENON_ARCH_X86_64_SMBIOS_H
#define TENON_ARCH_X86_64_SMBIOS_H

#include <stdint.h>

struct error;
struct guest_memory;
struct machine;

#define SMBIOS_ANCHOR_SIZE 24u
#define SMBIOS_UUID        8u /* offset in type 1 */

/*
 * Claims and writes the entry point and the structures 0, 1, 11 (where there are OEM strings) and
 * 127.  -E2BIG when the OEM strings are too long.  [main]
 */
int smbios_write(struct guest_memory *gm, const struct machine *machine, struct error *err);

/* The UUID of a machine of this name: always the same, and as good as distinct between names. */
void smbios_uuid(const char *vm_name, uint8_t ret_uuid[16]);

#endif
