/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupt controller of aarch64 machines (Arm GIC Architecture Specification, IHI 0069,
 * version 3) in userspace, for hypervisors that have none.
 *
 * KVM on arm64 is not one of those that can do with it.  A VM without the kernel's own controller
 * may have its timers' lines from the kernel (KVM_CAP_ARM_USER_IRQ) and its IRQ set by userspace
 * (KVM_IRQ_LINE), which serves a controller that is all memory, a GICv2.  The CPU interface of a
 * GICv3 is system registers, and of those no access leaves the kernel: it has no exit for system
 * registers, and its handlers (arch/arm64/kvm/sys_regs.c) give a guest without a GICv3 of the
 * kernel's an undefined instruction for each ICC_*_EL1.  A guest that finds a GICv3 in the device
 * tree then dies with its first write of ICC_SRE_EL1.
 */
#ifndef TENON_ARCH_AARCH64_GICV3_H
#define TENON_ARCH_AARCH64_GICV3_H

struct arch_irqchip_ops;

/* Line n of devices is SPI n, which is INTID 32 + n; a vCPU's own line n is PPI n, INTID 16 + n. */
extern const struct arch_irqchip_ops gicv3_ops;

#endif
