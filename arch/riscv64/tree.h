/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree of a riscv64 machine. */
#ifndef TENON_ARCH_RISCV64_TREE_H
#define TENON_ARCH_RISCV64_TREE_H

/* Linux maps no more than that of it early, from a multiple of 2 MiB. */
#define TREE_ROOM 0x100000ull

#endif
