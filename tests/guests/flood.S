/* SPDX-License-Identifier: Apache-2.0 */
/* Writes without end. */
#include "guest.inc"

.text
.globl start
start:
1:	movl %eax, MMIO
	inc %eax
	jmp 1b
