/* SPDX-License-Identifier: Apache-2.0 */
/* Where the kernel is entered in 64-bit mode, and the one interrupt that it takes. */
	.text
	.globl start
	.code64
start:
	lea stack_top(%rip), %rsp
	mov %rsi, %rdi /* the zero page */
	call kernel_main
1:	hlt
	jmp 1b

	.globl interrupt_entry
interrupt_entry:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	call interrupted
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	iretq

	.bss
	.balign 16
	.skip 8192
stack_top:
	.section .note.GNU-stack, "", @progbits
