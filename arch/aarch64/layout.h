/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aarch64: the guest's address space.
 *
 *	0                  firmware (its flash begins with the reset vector)
 *	0x08000000         interrupt controller: distributor, CPU interface of a GICv2
 *	0x10000000         redistributors of a GICv3, 128 KiB for each vCPU
 *	0x20000000         windows of devices
 *	0x40000000         RAM: the device tree, the command line, from 2 MiB on the kernel
 *
 * Firmware and kernels find all of it in the device tree, at the start of RAM.
 */
#ifndef TENON_ARCH_AARCH64_LAYOUT_H
#define TENON_ARCH_AARCH64_LAYOUT_H

#define ARM_FIRMWARE     0x00000000ull
#define ARM_FIRMWARE_MAX 0x08000000ull
#define ARM_GICD         0x08000000ull
#define ARM_GICD_V3_SIZE 0x10000ull
#define ARM_GICD_V2_SIZE 0x1000ull
#define ARM_GICC         0x08010000ull
#define ARM_GICC_SIZE    0x2000ull
#define ARM_GICR         0x10000000ull
#define ARM_GICR_SIZE    0x20000ull /* of one vCPU */
#define ARM_MMIO         0x20000000ull
#define ARM_MMIO_END     0x40000000ull
#define ARM_RAM          0x40000000ull
#define ARM_RAM_MAX      (0x10000000000ull - ARM_RAM) /* 40 bits of addresses */

/* The device tree must not cross a multiple of 2 MiB; the command line lies behind it. */
#define ARM_FDT          ARM_RAM
#define ARM_CMDLINE      (ARM_RAM + 0x1f0000)
#define ARM_CMDLINE_ROOM 0x10000u
#define ARM_FDT_ROOM     (ARM_CMDLINE - ARM_FDT)
#define ARM_KERNEL_BASE  (ARM_RAM + 0x200000)

#define ARM_MAX_VCPUS 512u /* whose redistributors fit */

/* Interrupts 32..991 are the devices'; their lines are counted from 0. */
#define ARM_GIC_SPIS 960u

/* Each vCPU's own, counted from 16. */
#define ARM_PPI_TIMER_HYP    10u
#define ARM_PPI_TIMER_SECURE 13u
#define ARM_PPI_TIMER_PHYS   14u

#endif
