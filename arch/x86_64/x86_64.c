/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64: the address space and the table of what the architecture provides.
 *
 * Low RAM ends at 3 GiB, the rest begins at 4 GiB.  In between: windows of devices from 0xd0000000,
 * the I/O APIC at 0xfec00000, the local APIC at 0xfee00000, the hypervisor's own pages, firmware up
 * to 4 GiB.
 */
#include "arch/x86_64/x86_64.h"

#include <errno.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/bzimage.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

#define MIB          (1024ull * 1024)
#define GIB          (1024 * MIB)
#define MEMORY_MIN   (64 * MIB)
#define MEMORY_MAX   (1024 * GIB * 1024)
#define FIRMWARE_MAX (16 * MIB)
#define PAGE         4096ull

/* Lines of the I/O APIC that stand for something else on a PC: the real-time clock, the ACPI
 * interrupt, the coprocessor. */
static const uint8_t reserved_irqs[] = { 8, 9, 13, 0 };

const struct arch_layout x86_layout = {
	.hole_base = BOOT_LOW_LIMIT,
	.hole_end = 4 * GIB,
	.mmio_base = 0xd0000000u,
	.mmio_end = 0xfe000000u,
	.shm_align = GIB,
	.irq_first = 5,
	.irq_last = 23,
	.irq_reserved = reserved_irqs,
	.max_virtio = 64,
	.max_vcpus = 255,
	.cmdline_max = 65536,
	.hypervisor_gpa = BOOT_HYPERVISOR,
};

static int add_firmware(struct guest_memory *gm, const struct blob *image, struct error *err)
{
	uint64_t size = (image->size + PAGE - 1) & ~(PAGE - 1), gpa = 4 * GIB - size;
	int ret;

	if (image->size == 0 || image->size > FIRMWARE_MAX)
		return error_set(err, EXIT_USAGE, -EFBIG,
			"%s: firmware of %zu bytes, from 1 byte to 16 MiB is wanted", image->path,
			image->size);
	/* The hypervisor's pages lie below what firmware of less than 256 KiB needs. */
	if (gpa < BOOT_HYPERVISOR + BOOT_HYPERVISOR_SIZE)
		return error_set(err, EXIT_USAGE, -EFBIG,
			"%s: firmware of %zu bytes, at most 256 KiB fit below 4 GiB", image->path,
			image->size);
	ret = guest_memory_add(gm, gpa, size, GUEST_FIRMWARE, true, err);
	if (ret < 0)
		return ret;
	/* It ends at 4 GiB, where the reset vector is. */
	memcpy((uint8_t *)guest_memory_ptr(gm, gpa, size) + (size - image->size), image->bytes,
		image->size);
	return 0;
}

int x86_create_memory(
	struct guest_memory *gm, uint64_t bytes, const struct payload *payload, struct error *err)
{
	uint64_t low = bytes < x86_layout.hole_base ? bytes : x86_layout.hole_base;
	int ret;

	if (bytes < MEMORY_MIN || bytes > MEMORY_MAX || bytes % MIB != 0)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"the guest's memory is %llu bytes, a whole number of MiB from 64M is "
			"wanted",
			(unsigned long long)bytes);
	ret = guest_memory_add(gm, 0, low, GUEST_RAM, false, err);
	if (ret == 0 && bytes > low)
		ret = guest_memory_add(gm, x86_layout.hole_end, bytes - low, GUEST_RAM, false, err);
	if (ret == 0 && payload->kind == PAYLOAD_FIRMWARE)
		ret = add_firmware(gm, &payload->kernel, err);
	return ret;
}

const struct arch arch_x86_64 = {
	.isa = ISA_X86_64,
	.name = "x86_64",
	.layout = &x86_layout,
	.create_memory = x86_create_memory,
	.load = x86_load,
	.packed_kernel = bzimage_packed,
	.boot_tables = x86_boot_tables,
	.vcpu_state = x86_vcpu_state,
	.cpuid = x86_cpuid,
};
