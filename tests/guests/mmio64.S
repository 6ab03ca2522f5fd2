/* SPDX-License-Identifier: Apache-2.0 */
/* 8 bytes of MMIO at once, and 4 bytes across the end of a page; runs in 64-bit mode. */
#include "guest.inc"

.text
.globl start
start:
	.code64
	mov $MMIO, %ebx
	mov $0x1122334455667788, %rax
	mov %rax, (%rbx)
	mov 8(%rbx), %rax
	mov %rax, 16(%rbx)
	movl $0xaabbccdd, 0xffd(%rbx)
	mov 0xffd(%rbx), %eax
	mov %eax, 24(%rbx)
	MARK 1
	STOP
