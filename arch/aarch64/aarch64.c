/* SPDX-License-Identifier: Apache-2.0 */
/* aarch64: the address space and the table of what the architecture provides. */
#include "arch/aarch64/aarch64.h"

#include <errno.h>
#include <string.h>

#include "arch/aarch64/gicv3.h"
#include "arch/aarch64/layout.h"
#include "arch/aarch64/psci.h"
#include "arch/arch.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

#define MIB        (1024ull * 1024)
#define GIB        (1024 * MIB)
#define MEMORY_MIN (64 * MIB)
#define PAGE       4096ull

const struct arch_layout arm_layout = {
	.ram_base = ARM_RAM,
	.mmio_base = ARM_MMIO,
	.mmio_end = ARM_MMIO_END,
	.shm_align = GIB,
	.irq_first = 0,
	.irq_last = ARM_GIC_SPIS - 1,
	.max_virtio = 256,
	.max_vcpus = ARM_MAX_VCPUS,
	.cmdline_max = ARM_CMDLINE_ROOM,
	.irqchip_gpa = { [IRQCHIP_ARM_GICD] = ARM_GICD,
		[IRQCHIP_ARM_GICR] = ARM_GICR,
		[IRQCHIP_ARM_GICC] = ARM_GICC },
};

static int add_firmware(struct guest_memory *gm, const struct blob *image, struct error *err)
{
	uint64_t size = (image->size + PAGE - 1) & ~(PAGE - 1);
	int ret;

	if (image->size == 0 || image->size > ARM_FIRMWARE_MAX)
		return error_set(err, EXIT_USAGE, -EFBIG,
			"%s: firmware of %zu bytes, from 1 byte to 128 MiB is wanted", image->path,
			image->size);
	ret = guest_memory_add(gm, ARM_FIRMWARE, size, GUEST_FIRMWARE, true, err);
	if (ret < 0)
		return ret;
	memcpy(guest_memory_ptr(gm, ARM_FIRMWARE, size), image->bytes, image->size);
	return 0;
}

int arm_create_memory(
	struct guest_memory *gm, uint64_t bytes, const struct payload *payload, struct error *err)
{
	int ret;

	if (bytes < MEMORY_MIN || bytes > ARM_RAM_MAX || bytes % MIB != 0)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"the guest's memory is %llu bytes, a whole number of MiB from 64M to "
			"1023G is wanted",
			(unsigned long long)bytes);
	ret = guest_memory_add(gm, ARM_RAM, bytes, GUEST_RAM, false, err);
	if (ret == 0 && payload->kind == PAYLOAD_FIRMWARE)
		ret = add_firmware(gm, &payload->kernel, err);
	return ret;
}

/* The clock of a PC has ports. */
static const struct arch_form forms[] = {
	{ "rtc", "pl031" },
	{ NULL, NULL },
};

static const uint32_t facts[] = { ARM_CONF(ARM_CONF_GIC), ARM_CONF(ARM_CONF_PMU), 0 };

const struct arch arch_aarch64 = {
	.isa = ISA_AARCH64,
	.name = "aarch64",
	.layout = &arm_layout,
	.create_memory = arm_create_memory,
	.load = arm_load,
	.boot_tables = arm_boot_tables,
	.vcpu_state = arm_vcpu_state,
	.facts = facts,
	.forms = forms,
	.irqchip = &gicv3_ops,
	.call = psci_call,
	.sysreg = arm_sysreg,
};
