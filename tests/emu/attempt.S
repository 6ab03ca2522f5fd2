/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempt_call(pc, a0, a1, user): goes to pc.  A trap comes back through attempt_return, which
 * on_trap makes the place to go on at; the stack pointer is kept in a word.
 */
	.text
	.globl	attempt_call
attempt_call:
	addi	sp, sp, -112
	sd	ra, 0(sp)
	sd	s0, 8(sp)
	sd	s1, 16(sp)
	sd	gp, 24(sp)
	sd	tp, 32(sp)
	la	t0, kept
	sd	sp, 0(t0)
	mv	t1, a0
	mv	a0, a1
	mv	a1, a2
	bnez	a3, 1f
	jalr	t1
	/* It came back by itself. */
	la	t0, attempt
	sd	a0, 32(t0)
	sd	a1, 40(t0)
	li	a0, -1
	j	2f
1:	csrw	sepc, t1
	li	t2, 0x100
	csrc	sstatus, t2
	sret

	.globl	attempt_return
attempt_return:
	la	t0, kept
	ld	sp, 0(t0)
	la	t0, attempt
	ld	a0, 0(t0)
2:	ld	ra, 0(sp)
	ld	s0, 8(sp)
	ld	s1, 16(sp)
	ld	gp, 24(sp)
	ld	tp, 32(sp)
	addi	sp, sp, 112
	ret

	.section .bss
	.balign	8
kept:
	.zero	8
