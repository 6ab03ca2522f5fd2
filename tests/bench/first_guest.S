/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest kernel: it says that it runs with a mark on the debug port, and powers the machine
 * off.  It is started in 32-bit mode (PVH, by its note) or in 64-bit mode (by the ELF entry); the
 * mark tells which.
 */
#define MARK_PORT     0x80
#define MARK_64       0x64
#define MARK_PVH      0x32
#define SLEEP_PORT    0x604
#define SLEEP_OFF     0x34 /* sleep type 5 and the bit that enters it */
#define NOTE_PHYS32   18

	.text
	.globl start32, start64

/* The same bytes mean the same in both modes: only 8-bit moves, port writes and jumps. */
	.code64
start64:
	mov $MARK_64, %al
	jmp tell

	.code32
start32:
	mov $MARK_PVH, %al

	.code64
tell:
	out %al, $MARK_PORT
	mov $SLEEP_OFF, %al
	mov $(SLEEP_PORT & 0xff), %dl
	mov $(SLEEP_PORT >> 8), %dh
	out %al, %dx

/* The port was not the right one here: a fault in a fault ends the machine too.  An empty table of
 * interrupts is what both kinds of boot leave behind. */
	ud2
stay:	hlt
	jmp stay

	.section .note.Xen, "a", @note
	.balign 4
	.long 2f - 1f
	.long 4f - 3f
	.long NOTE_PHYS32
1:	.asciz "Xen"
2:	.balign 4
3:	.long start32
4:	.balign 4
