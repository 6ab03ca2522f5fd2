/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that a guest finds in its memory besides the kernel, in the order it is placed. */
#include <errno.h>

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/boot_params.h"
#include "arch/x86_64/memmap.h"
#include "arch/x86_64/pvh.h"
#include "arch/x86_64/reset_stub.h"
#include "arch/x86_64/smbios.h"
#include "arch/x86_64/tables.h"
#include "arch/x86_64/x86_64.h"
#include "core/error.h"
#include "core/machine.h"
#include "core/payload.h"

int x86_boot_tables(struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, struct error *err)
{
	struct acpi_place acpi = { 0 };
	struct memmap map;
	int ret;

	if (loaded->protocol == BOOT_RESET)
		return 0; /* firmware makes its own */
	if (loaded->protocol != BOOT_LINUX64 && loaded->protocol != BOOT_PVH)
		return error_set(err, EXIT_INTERNAL, -EINVAL,
			"boot protocol %d is not one of x86-64", (int)loaded->protocol);

	ret = tables_write(gm, loaded->protocol, err);
	if (ret == 0)
		ret = smbios_write(gm, machine, err);
	if (ret == 0)
		ret = reset_stub_write(gm, machine, err);
	if (ret == 0 && machine->acpi)
		ret = acpi_write(gm, machine, &acpi, err);
	if (ret < 0)
		return ret;
	ret = memmap_build(gm, acpi.ram_base, acpi.ram_size, &map);
	if (ret < 0)
		return error_set(err, EXIT_INTERNAL, ret,
			"guest memory is in too many pieces for the guest's memory map");
	if (loaded->protocol == BOOT_PVH)
		return pvh_write(gm, loaded, &map, acpi.rsdp, err);
	return boot_params_write(gm, loaded, &map, acpi.rsdp, err);
}
