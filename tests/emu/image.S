/* SPDX-License-Identifier: Apache-2.0 */
/* The header that makes a kernel's Image of a guest: see the boot protocol of riscv Linux. */
	.section .text.header, "ax"
	.option norvc
	j	_start
	.word	0
	.quad	0x200000 /* from the start of RAM */
	.quad	end_of_guest - guest_base
	.quad	0
	.word	2 /* the version of the header */
	.word	0
	.quad	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\005"
	.word	0
