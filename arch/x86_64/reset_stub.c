/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel that knows no other way to reset the machine returns to real mode and jumps to where a
 * PC's firmware begins, F000:FFF0.  Linux does so on any machine with hardware-reduced ACPI that
 * was not started by EFI: it leaves the reset register of the FADT alone there.  What it finds is
 * the write to that register.
 */
#include "arch/x86_64/reset_stub.h"

#include <string.h>

#include "arch/x86_64/boot_layout.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/machine.h"

int reset_stub_write(struct guest_memory *gm, const struct machine *machine, struct error *err)
{
	const struct machine_power *power = &machine->power;
	const uint8_t code[] = {
		0xba, (uint8_t)power->reset, (uint8_t)(power->reset >> 8), /* mov $port, %dx */
		0xb0, power->reset_value,                                  /* mov $value, %al */
		0xee,                                                      /* out %al, (%dx) */
		0xf4,                                                      /* hlt */
		0xeb, 0xfd,                                                /* jmp to the hlt */
	};
	int ret;

	if (!power->has_registers || !power->pio)
		return 0;
	ret = guest_memory_claim(gm, BOOT_RESET_STUB, sizeof(code), "the reset code", err);
	if (ret < 0)
		return ret;
	memcpy(guest_memory_ptr(gm, BOOT_RESET_STUB, sizeof(code)), code, sizeof(code));
	return 0;
}
