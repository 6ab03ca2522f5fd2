/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The emulator's module: what it exports, and the operations that it has not got.  The interrupt
 * controller, firmware calls and doorbells are the core's and the architecture's.
 */
#include "backends/emu/emu.h"

#include <errno.h>
#include <stdio.h>

#include "core/build_id.h"

/* Any hypervisor is faster. */
#define SPEED 5

static int caps(struct backend_caps *ret_caps, struct backend_error *err)
{
	struct backend_caps c = {
		.features = BACKEND_READONLY | BACKEND_CALLS | BACKEND_DETERMINISTIC,
		.isas = 1u << ISA_RISCV64,
		.max_vcpus = EMU_MAX_HARTS,
		.phys_bits = EMU_PHYS_BITS,
		.speed = SPEED,
	};

	(void)err;
	(void)snprintf(c.detail, sizeof(c.detail),
		"riscv64 guests in software on any host: RV64GC, Zba, Zbb, Zbs, Sstc, Sv48");
	*ret_caps = c;
	return 0;
}

/* ---- what there is not ---- */

static int mem_dirty(struct backend_vm *vm, uint64_t gpa, uint64_t size, uint64_t *bitmap)
{
	(void)vm;
	(void)gpa;
	(void)size;
	(void)bitmap;
	return -ENOTSUP;
}

static int irqchip(struct backend_vm *vm, struct backend_error *err)
{
	(void)vm;
	(void)err;
	return -ENOTSUP;
}

static int irq_line(struct backend_vm *vm, uint32_t gsi, bool level)
{
	(void)vm;
	(void)gsi;
	(void)level;
	return -ENOTSUP;
}

static int irqfd(struct backend_vm *vm, uint32_t gsi, int fd, bool assign)
{
	(void)vm;
	(void)gsi;
	(void)fd;
	(void)assign;
	return -ENOTSUP;
}

static int doorbell(struct backend_vm *vm, uint64_t address, uint32_t size, const uint64_t *match,
	bool pio, int fd, bool assign)
{
	(void)vm;
	(void)address;
	(void)size;
	(void)match;
	(void)pio;
	(void)fd;
	(void)assign;
	return -ENOTSUP;
}

static int cpuid_supported(struct backend_vm *vm, struct backend_cpuid *entries, size_t *n)
{
	(void)vm;
	(void)entries;
	(void)n;
	return -ENOTSUP;
}

static int set_cpuid(struct backend_vcpu *vcpu, const struct backend_cpuid *entries, size_t n,
	struct backend_error *err)
{
	(void)vcpu;
	(void)entries;
	(void)n;
	return backend_fail(err, -ENOTSUP, "riscv64 has no CPUID");
}

static int set_msrs(struct backend_vcpu *vcpu, const struct backend_msr *msrs, size_t n,
	struct backend_error *err)
{
	(void)vcpu;
	(void)msrs;
	(void)n;
	return backend_fail(err, -ENOTSUP, "riscv64 has no MSRs");
}

/* Timers are the harts' own, and go with their registers. */
static int vm_reset(struct backend_vm *vm, struct backend_error *err)
{
	(void)vm;
	(void)err;
	return 0;
}

static const struct backend_ops ops = {
	.struct_size = sizeof(ops),
	.vm_create = emu_vm_create,
	.vm_destroy = emu_vm_destroy,
	.mem_map = emu_mem_map,
	.mem_unmap = emu_mem_unmap,
	.mem_dirty = mem_dirty,
	.irqchip_create = irqchip,
	.irqchip_finish = irqchip,
	.irq_line = irq_line,
	.irqfd = irqfd,
	.doorbell = doorbell,
	.vcpu_interrupt = emu_vcpu_interrupt,
	.cpuid_supported = cpuid_supported,
	.vcpu_create = emu_vcpu_create,
	.vcpu_destroy = emu_vcpu_destroy,
	.vcpu_reset = emu_vcpu_reset,
	.vcpu_set_cpuid = set_cpuid,
	.vcpu_set_regs = emu_vcpu_set_regs,
	.vcpu_get_regs = emu_vcpu_get_regs,
	.vcpu_set_msrs = set_msrs,
	.vcpu_run = emu_vcpu_run,
	.vcpu_kick = emu_vcpu_kick,
	.vm_reset = vm_reset,
	.vcpu_fence = emu_vcpu_fence,
};

extern const struct backend_module tenon_backend __attribute__((visibility("default")));

const struct backend_module tenon_backend = {
	.struct_size = sizeof(tenon_backend),
	.build_id = TENON_BUILD_ID,
	.name = "emu",
	.summary = "an emulator of riscv64 machines",
	.probe = caps,
	.ops = &ops,
	.caps = caps,
};
