/* SPDX-License-Identifier: Apache-2.0 */
/* Port I/O of every size. */
#include "guest.inc"

.text
.globl start
start:
	mov $0x510, %dx
	mov $0x44332211, %eax
	out %al, %dx
	out %ax, %dx
	out %eax, %dx
	inc %dx
	in %dx, %al
	mov %eax, BUFFER
	in %dx, %ax
	mov %eax, BUFFER + 4
	in %dx, %eax
	mov %eax, BUFFER + 8
	MARK 1
	STOP
