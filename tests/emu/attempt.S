/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempt_call(pc, a0, a1, user): goes to pc, for the user with all other registers 0.  A trap comes
 * back through attempt_trap, which trusts no register: where the stack was is kept in a word.
 */
	.text
	.option norelax
	.globl	attempt_call
attempt_call:
	addi	sp, sp, -128
	sd	ra, 0(sp)
	sd	gp, 8(sp)
	sd	tp, 16(sp)
	sd	s0, 24(sp)
	sd	s1, 32(sp)
	sd	s2, 40(sp)
	sd	s3, 48(sp)
	sd	s4, 56(sp)
	sd	s5, 64(sp)
	sd	s6, 72(sp)
	sd	s7, 80(sp)
	sd	s8, 88(sp)
	sd	s9, 96(sp)
	sd	s10, 104(sp)
	sd	s11, 112(sp)
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
	j	back
1:	csrw	sepc, t1
	li	t2, 0x100
	csrc	sstatus, t2
	li	ra, 0
	li	sp, 0
	li	gp, 0
	li	tp, 0
	li	t0, 0
	li	t1, 0
	li	t2, 0
	li	s0, 0
	li	s1, 0
	li	s2, 0
	li	s3, 0
	li	s4, 0
	li	s5, 0
	li	s6, 0
	li	s7, 0
	li	s8, 0
	li	s9, 0
	li	s10, 0
	li	s11, 0
	li	a2, 0
	li	a3, 0
	li	a4, 0
	li	a5, 0
	li	a6, 0
	li	a7, 0
	li	t3, 0
	li	t4, 0
	li	t5, 0
	li	t6, 0
	sret

	.globl	attempt_trap
	.balign	4
attempt_trap:
	la	t0, attempt
	sd	a0, 32(t0)
	sd	a1, 40(t0)
	csrr	a0, stval
	sd	a0, 8(t0)
	csrr	a0, sepc
	sd	a0, 16(t0)
	csrr	a0, sstatus
	sd	a0, 24(t0)
	csrr	a0, scause
	sd	a0, 0(t0)
	la	t1, kept
	ld	t1, 0(t1)
	beqz	t1, unexpected
back:	la	t0, kept
	ld	sp, 0(t0)
	sd	zero, 0(t0)
	ld	ra, 0(sp)
	ld	gp, 8(sp)
	ld	tp, 16(sp)
	ld	s0, 24(sp)
	ld	s1, 32(sp)
	ld	s2, 40(sp)
	ld	s3, 48(sp)
	ld	s4, 56(sp)
	ld	s5, 64(sp)
	ld	s6, 72(sp)
	ld	s7, 80(sp)
	ld	s8, 88(sp)
	ld	s9, 96(sp)
	ld	s10, 104(sp)
	ld	s11, 112(sp)
	addi	sp, sp, 128
	ret

	.section .bss
	.balign	8
kept:
	.zero	8
