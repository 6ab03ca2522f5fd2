/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware of 64 KiB that begins where a PC's does, sixteen bytes below 4 GiB in real mode.  It says
 * "firmware" on the serial port, tries to change a letter of its own and says it again, reads a byte
 * of RAM that it has written, and powers off.
 */
#define SERIAL 0x3f8
#define POWER  0x604
#define S5     0x34

	.code16
	.text
start:
	mov	$text, %si
	call	say
	movb	$'X', %cs:letter
	mov	$text, %si
	call	say
	xor	%ax, %ax
	mov	%ax, %ds
	movb	$'m', 0x1234
	mov	0x1234, %al
	mov	$SERIAL, %dx
	out	%al, %dx
	mov	$'\n', %al
	out	%al, %dx
	mov	$S5, %al
	mov	$POWER, %dx
	out	%al, %dx
1:	hlt
	jmp	1b

say:	mov	$SERIAL, %dx
2:	movb	%cs:(%si), %al
	test	%al, %al
	jz	3f
	out	%al, %dx
	inc	%si
	jmp	2b
3:	ret

text:	.byte	'f'
letter:	.ascii	"irmware\n\0"

	.org	0xfff0, 0
reset:	.byte	0xe9 /* jmp start: 16 bits, around the end of the segment */
	.word	(start - reset - 3) & 0xffff
	.org	0x10000, 0
