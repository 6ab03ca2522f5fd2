/* SPDX-License-Identifier: Apache-2.0 */
/* Both vCPUs begin here, at EL1 with the MMU off: each with a stack of its own. */
	.globl _start
_start:
	mov	x0, #3 << 20		/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x0
	mrs	x0, mpidr_el1
	and	x0, x0, #0xff
	ldr	x1, =stacks
	add	x2, x0, #1
	lsl	x2, x2, #16
	add	sp, x1, x2
	cbnz	x0, 1f
	bl	first
	b	.
1:	bl	second
	b	.

	.bss
	.balign 16
stacks:	.space 2 << 16
