/* SPDX-License-Identifier: Apache-2.0 */
/* Changes much of the machine's state, after telling how it found it. */
#include "guest.inc"

.text
.globl start
start:
	mov $0x530, %dx
	mov LAPIC + LAPIC_SVR, %eax
	out %eax, %dx
	movl $0x10, IOAPIC
	mov IOAPIC + IOAPIC_WIN, %eax
	out %eax, %dx
	in $0x21, %al
	movzbl %al, %eax
	out %eax, %dx
	mov $0x174, %ecx
	rdmsr
	mov $0x530, %dx
	out %eax, %dx
	mov %cr4, %eax
	out %eax, %dx
	mov %dr3, %eax
	out %eax, %dx

	movl $0x1ff, LAPIC + LAPIC_SVR
	IOAPIC_SET 0x10, 0x33
	mov $0x5a, %al
	out %al, $0x21
	mov $0x174, %ecx
	mov $0x88, %eax
	xor %edx, %edx
	wrmsr
	mov %cr4, %eax
	or $0x10, %eax
	mov %eax, %cr4
	mov $0x1234, %eax
	mov %eax, %dr3
	MARK 1
	in $0x81, %al
	MARK 2
	STOP
