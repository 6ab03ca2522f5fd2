/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeps for ever, first with interrupts off. */
#include "guest.inc"

.text
.globl start
start:
	MARK 1
	STOP
