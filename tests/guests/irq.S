/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeps until the interrupt of GSI 5 comes, and says so in its handler. */
#include "guest.inc"

.text
.globl start
start:
	lgdt gdt_pointer
	ljmp $0x08, $1f
1:	mov $0x10, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $start, %esp
	mov $handler, %eax
	mov %ax, idt + 0x30 * 8
	shr $16, %eax
	mov %ax, idt + 0x30 * 8 + 6
	movw $0x08, idt + 0x30 * 8 + 2
	movw $0x8e00, idt + 0x30 * 8 + 4
	lidt idt_pointer
	mov $0xff, %al
	out %al, $0x21
	out %al, $0xa1
	movl $0x1ff, LAPIC + LAPIC_SVR
	IOAPIC_SET 0x1b, 0
	IOAPIC_SET 0x1a, 0x30
	MARK 1
again:	sti
	hlt
	cli
	MARK 2
	jmp again

handler:
	push %eax
	MARK 3
	movl $0, LAPIC + LAPIC_EOI
	pop %eax
/* Hosts that emulate know no iret in protected mode: this does as it would. */
	popl return_to
	add $4, %esp
	popfl
	jmp *return_to

return_to:
	.long 0
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdt_pointer:
	.word 23
	.long gdt
idt_pointer:
	.word 0x31 * 8 - 1
	.long idt
	.balign 8
idt:	.fill 0x31, 8, 0
