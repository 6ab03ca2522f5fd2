/* SPDX-License-Identifier: Apache-2.0 */
/* MMIO of every size that 32-bit code has, and reads that come back as writes. */
#include "guest.inc"

.text
.globl start
start:
	movb $0x11, MMIO
	movw $0x2222, MMIO + 2
	movl $0x44444444, MMIO + 4
	xor %eax, %eax
	movb MMIO + 8, %al
	movb %al, MMIO + 9
	movw MMIO + 10, %ax
	movw %ax, MMIO + 12
	movl MMIO + 16, %eax
	movl %eax, MMIO + 20
	MARK 1
	STOP
