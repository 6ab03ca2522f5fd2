/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that says on the serial port that it runs, and then sleeps for good: what its VMM has in
 * memory can be looked at in peace.  It is started in 32-bit mode (PVH, by its note) or in 64-bit
 * mode (by the ELF entry).
 */
#define SERIAL_PORT 0x3f8
#define WORD        0x52 /* R */
#define NOTE_PHYS32 18

	.text
	.globl start32, start64

/* The same bytes mean the same in both modes. */
	.code64
start64:
start32:
	mov $WORD, %al
	mov $(SERIAL_PORT & 0xff), %dl
	mov $(SERIAL_PORT >> 8), %dh
	out %al, %dx
	cli
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
