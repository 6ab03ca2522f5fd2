/* SPDX-License-Identifier: Apache-2.0 */
/* String instructions on ports: what KVM hands over in one exit of several items. */
#include "guest.inc"

.text
.globl start
start:
	cld
	mov $0x510, %dx
	mov $BUFFER, %esi
	mov $5, %ecx
	rep outsb
	mov $BUFFER, %esi
	mov $2, %ecx
	rep outsw
	mov $BUFFER, %esi
	mov $2, %ecx
	rep outsl
	mov $BUFFER + 0x100, %edi
	mov $4, %ecx
	rep insb
	mov $2, %ecx
	rep insl
	MARK 1
	STOP
