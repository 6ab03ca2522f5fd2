/* SPDX-License-Identifier: Apache-2.0 */
/* Jumps to where there is no memory. */
#include "guest.inc"

.text
.globl start
start:
	mov $MMIO, %eax
	jmp *%eax
