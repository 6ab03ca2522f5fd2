/* SPDX-License-Identifier: Apache-2.0 */
/* Writes memory that is only for reading, and memory that is logged. */
#include "guest.inc"

.text
.globl start
start:
	movb $0x77, 0x300000
	movb $0x66, 0x402000
	movb 0x300000, %al
	out %al, $MARK_PORT
	MARK 1
	STOP
