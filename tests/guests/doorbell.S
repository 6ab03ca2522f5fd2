/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to doorbells that match and do not match, in both address spaces. */
#include "guest.inc"

.text
.globl start
start:
	movl $7, MMIO
	movl $8, MMIO
	movl $1, MMIO + 4
	mov $0x520, %dx
	mov $3, %ax
	out %ax, %dx
	mov $4, %ax
	out %ax, %dx
	MARK 1
	STOP
