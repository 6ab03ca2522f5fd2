/* SPDX-License-Identifier: Apache-2.0 */
/* Computes without end and never leaves the guest. */
#include "guest.inc"

.text
.globl start
start:
1:	inc %eax
	jmp 1b
