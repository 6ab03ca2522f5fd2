/* SPDX-License-Identifier: Apache-2.0 */
/* A fault with nothing to handle it. */
#include "guest.inc"

.text
.globl start
start:
	lidt nothing
	ud2
nothing:
	.word 0
	.long 0
