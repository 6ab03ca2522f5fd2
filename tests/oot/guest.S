/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that keeps a watchdog: finds it, starts it, waits for its interrupt, pets it, tells so on
 * the serial port, and then hangs, for the watchdog to switch the machine off.
 *
 * It is entered in flat 32-bit mode (PVH).  The watchdog has window 0xd0100000 and GSI 10.
 */
#define DOG        0xd0100000
#define CONTROL    (DOG + 4)
#define PET        (DOG + 8)
#define STATUS     (DOG + 12)
#define LEFT       (DOG + 16)
#define COM1       0x3f8
#define LAPIC      0xfee00000
#define LAPIC_EOI  0x0b0
#define LAPIC_SVR  0x0f0
#define IOAPIC     0xfec00000
#define IOAPIC_WIN 0x10
#define VECTOR     0x30
#define LEVEL      0x8000

.macro IOAPIC_SET index, value
	movl $\index, IOAPIC
	movl $\value, IOAPIC + IOAPIC_WIN
.endm

.macro SAY text
	mov $1f, %esi
	call say
	jmp 2f
1:	.asciz "\text\n"
2:
.endm

	.text
	.code32
	.globl start
start:
	cli
	lgdt gdt_pointer
	ljmp $0x08, $1f
1:	mov $0x10, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $stack_top, %esp
	mov $handler, %eax
	mov %ax, idt + VECTOR * 8
	shr $16, %eax
	mov %ax, idt + VECTOR * 8 + 6
	movw $0x08, idt + VECTOR * 8 + 2
	movw $0x8e00, idt + VECTOR * 8 + 4
	lidt idt_pointer
	mov $0xff, %al
	out %al, $0x21
	out %al, $0xa1
	movl $0x1ff, LAPIC + LAPIC_SVR
	IOAPIC_SET 0x25, 0
	IOAPIC_SET 0x24, (VECTOR | LEVEL)

	cmpl $0x676f6457, DOG
	jne bad
	cmpl $0, CONTROL
	jne bad
	cmpl $0, LEFT
	jne bad
	SAY "found the watchdog"
	movl $1, CONTROL
	cmpl $1, CONTROL
	jne bad
	cmpl $0, LEFT
	je bad
1:	sti
	hlt
	cli
	cmpl $0, barks
	je 1b
	SAY "it barked"
	cmpl $0, STATUS
	jne bad
	cmpl $0, LEFT
	je bad
	SAY "it was petted"
	IOAPIC_SET 0x24, 0x10000
hang:	cli
	hlt
	jmp hang

bad:	SAY "the watchdog answers wrongly"
	jmp hang

handler:
	push %eax
	cmpl $1, STATUS
	jne 1f
	incl barks
1:	movl $1, PET
	movl $0, LAPIC + LAPIC_EOI
	pop %eax
/* Hosts that emulate know no iret in protected mode: this does as it would. */
	popl return_to
	add $4, %esp
	popfl
	jmp *return_to

say:	mov $COM1, %edx
3:	lodsb
	test %al, %al
	je 4f
	out %al, %dx
	jmp 3b
4:	ret

	.section .note.Xen, "a", @note
	.balign 4
	.long 2f - 1f
	.long 4f - 3f
	.long 18 /* where PVH enters */
1:	.asciz "Xen"
2:	.balign 4
3:	.long start
4:	.balign 4

	.data
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdt_pointer:
	.word 23
	.long gdt
idt_pointer:
	.word (VECTOR + 1) * 8 - 1
	.long idt
barks:	.long 0
return_to:
	.long 0
	.balign 8
idt:	.fill VECTOR + 1, 8, 0
	.fill 256, 1, 0
stack_top:
