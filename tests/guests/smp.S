/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the processor with APIC id 1, which says its id; both then end. */
#include "guest.inc"

.text
.globl start
start:
	jmp boot

/* The start-up vector is a page number: the other processor begins here in real mode. */
	.balign 4096
	.code16
ap_start:
	mov $0x5a, %al
	out %al, $MARK_PORT
1:	cli
	hlt
	jmp 1b

	.code32
boot:	movl $0x1ff, LAPIC + LAPIC_SVR
	movl $0x01000000, LAPIC + LAPIC_ICR2
	movl $0x4500, LAPIC + LAPIC_ICR
	movl $0x01000000, LAPIC + LAPIC_ICR2
	movl $0x4611, LAPIC + LAPIC_ICR
	MARK 1
	STOP
