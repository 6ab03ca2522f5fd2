/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupt controller in the kernel: a GICv3, or a GICv2 where the host has no better one.
 *
 * KVM has no way to put it back as it was, and a guest that restarts finds the pending, active and
 * enabled interrupts of the one before.  A reset writes what a controller has after power-on into
 * the registers that hold them, with the meaning that KVM gives to writes from here: of a GICv3 a
 * write to ISPENDR sets the whole state, of a GICv2 ICPENDR clears bits as for the guest.
 */
#include "backends/kvm/kvm_aarch64.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Registers of the distributor, and of the second page of a redistributor. */
#define GIC_CTLR       0x000u
#define GIC_ICENABLER  0x180u
#define GIC_ISPENDR    0x200u
#define GIC_ICPENDR    0x280u
#define GIC_ICACTIVER  0x380u
#define GIC_IPRIORITYR 0x400u
#define GIC_ICFGR      0xc00u
#define GICR_SGI       0x10000u

#define ALL 0xffffffffu

/* ---- creating ---- */

static int create_version(struct backend_vm *vm, uint32_t type)
{
	struct kvm_create_device create = { .type = type };
	int r = kvm_ioctl(vm->fd, KVM_CREATE_DEVICE, &create);

	if (r == 0)
		vm->isa->gic_fd = (int)create.fd;
	return r;
}

static int set_place(struct backend_vm *vm, uint64_t attr, uint64_t gpa)
{
	return kvm_arm_set_attr(vm->isa->gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, attr, &gpa);
}

static int place_v3(struct backend_vm *vm)
{
	int r = set_place(vm, KVM_VGIC_V3_ADDR_TYPE_DIST, vm->isa->gpa[IRQCHIP_ARM_GICD]);

	return r < 0 ? r
		     : set_place(vm, KVM_VGIC_V3_ADDR_TYPE_REDIST, vm->isa->gpa[IRQCHIP_ARM_GICR]);
}

static int place_v2(struct backend_vm *vm)
{
	int r = set_place(vm, KVM_VGIC_V2_ADDR_TYPE_DIST, vm->isa->gpa[IRQCHIP_ARM_GICD]);

	return r < 0 ? r : set_place(vm, KVM_VGIC_V2_ADDR_TYPE_CPU, vm->isa->gpa[IRQCHIP_ARM_GICC]);
}

int kvm_isa_irqchip_create(struct backend_vm *vm, struct backend_error *err)
{
	int r = create_version(vm, KVM_DEV_TYPE_ARM_VGIC_V3);

	vm->isa->gic_version = 3;
	if (r == -ENODEV) {
		r = create_version(vm, KVM_DEV_TYPE_ARM_VGIC_V2);
		vm->isa->gic_version = 2;
	}
	if (r == -ENODEV)
		return backend_fail(err, r, "this host's KVM has neither a GICv3 nor a GICv2");
	if (r == 0 && vm->isa->gic_version == 2 && vm->isa->wanted > GICV2_VCPUS)
		return backend_fail(err, -E2BIG,
			"this host's interrupt controller is a GICv2, which serves %u vCPUs, not "
			"%u",
			GICV2_VCPUS, vm->isa->wanted);
	if (r == 0)
		r = vm->isa->gic_version == 3 ? place_v3(vm) : place_v2(vm);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot create the interrupt controller: %s", strerror(-r));
	vm->irqchip = true;
	return 0;
}

int kvm_arm_gic_finish(struct backend_vm *vm)
{
	const uint32_t irqs = vm->isa->gic_irqs;
	int r = kvm_arm_set_attr(vm->isa->gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs);

	return r < 0 ? r
		     : kvm_arm_set_attr(vm->isa->gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			       KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

/* ---- resetting ---- */

/* Where a run of registers is written. */
struct bank {
	const struct backend_vm *vm;
	uint32_t group;
	uint64_t base; /* of the attribute: which vCPU, which page */
};

static int fill(const struct bank *bank, uint32_t offset, uint32_t words, uint32_t value)
{
	int r = 0;

	for (uint32_t i = 0; i < words && r == 0; i++)
		r = kvm_arm_set_attr(
			bank->vm->isa->gic_fd, bank->group, bank->base | (offset + 4 * i), &value);
	return r;
}

/* Interrupts @first to @end - 1, both multiples of 32. */
static int reset_irqs(const struct bank *bank, uint32_t first, uint32_t end)
{
	const bool v3 = bank->vm->isa->gic_version == 3;
	const uint32_t at = first / 8, words = (end - first) / 32;
	int r = fill(bank, GIC_ICENABLER + at, words, ALL);

	if (r == 0)
		r = fill(bank, (v3 ? GIC_ISPENDR : GIC_ICPENDR) + at, words, v3 ? 0 : ALL);
	if (r == 0)
		r = fill(bank, GIC_ICACTIVER + at, words, ALL);
	if (r == 0)
		r = fill(bank, GIC_IPRIORITYR + first, words * 8, 0);
	/* That of a vCPU's own first 16 is fixed. */
	if (r == 0)
		r = fill(bank, GIC_ICFGR + (first ? first / 4 : 4), first ? words * 2 : 1, 0);
	return r;
}

/* Aff3.Aff2.Aff1.Aff0 of a vCPU, in the place where an attribute has them. */
static uint64_t affinity(uint32_t index)
{
	return (uint64_t)((index & 0xf) | (index >> 4 & 0xff) << 8 | (index >> 12 & 0xff) << 16)
	       << 32;
}

static int reset_cpu_interface(const struct backend_vm *vm, uint32_t index)
{
	/* ICC_PMR_EL1, ICC_IGRPEN0_EL1, ICC_IGRPEN1_EL1, ICC_AP0R0_EL1, ICC_AP1R0_EL1 */
	static const uint16_t registers[] = {
		3 << 14 | 4 << 7 | 6 << 3 | 0,
		3 << 14 | 12 << 7 | 12 << 3 | 6,
		3 << 14 | 12 << 7 | 12 << 3 | 7,
		3 << 14 | 12 << 7 | 8 << 3 | 4,
		3 << 14 | 12 << 7 | 9 << 3 | 0,
	};
	const uint64_t zero = 0;
	int r = 0;

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]) && r == 0; i++)
		r = kvm_arm_set_attr(vm->isa->gic_fd, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS,
			affinity(index) | registers[i], &zero);
	return r;
}

static int reset_vcpu_part(const struct backend_vm *vm, uint32_t index)
{
	struct bank bank = { vm, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, affinity(index) | GICR_SGI };
	int r;

	if (vm->isa->gic_version == 2) {
		bank.group = KVM_DEV_ARM_VGIC_GRP_DIST_REGS;
		bank.base = (uint64_t)index << KVM_DEV_ARM_VGIC_CPUID_SHIFT;
		return reset_irqs(&bank, 0, 32);
	}
	r = reset_irqs(&bank, 0, 32);
	return r < 0 ? r : reset_cpu_interface(vm, index);
}

int kvm_arm_gic_reset(struct backend_vm *vm)
{
	const struct bank dist = { vm, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0 };
	int r = fill(&dist, GIC_CTLR, 1, 0);

	if (r == 0)
		r = reset_irqs(&dist, 32, vm->isa->gic_irqs);
	for (uint32_t i = 0; i < ARM_MAX_VCPUS && r == 0; i++)
		if (vm->isa->vcpus[i])
			r = reset_vcpu_part(vm, i);
	return r;
}
