/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PLIC (RISC-V Platform-Level Interrupt Controller Specification 1.0.0) in userspace, with a
 * context for the S-mode of each hart: context N is hart N.
 */
#ifndef TENON_ARCH_RISCV64_PLIC_H
#define TENON_ARCH_RISCV64_PLIC_H

#include <stdint.h>

struct arch_irqchip_ops;

extern const struct arch_irqchip_ops plic_ops;

/* Bytes of its window. */
uint64_t plic_size(uint32_t vcpus);

#endif
