/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupt controller of aarch64 machines (Arm GIC Architecture Specification, IHI 0069,
 * version 3) in userspace, for hypervisors that have none.
 */
#ifndef TENON_ARCH_AARCH64_GICV3_H
#define TENON_ARCH_AARCH64_GICV3_H

struct arch_irqchip_ops;

/* Line n of devices is SPI n, which is INTID 32 + n; a vCPU's own line n is PPI n, INTID 16 + n. */
extern const struct arch_irqchip_ops gicv3_ops;

#endif
