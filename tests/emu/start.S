/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where every hart begins: a0 = its number, a1 = what the machine tells the guest (a Linux program
 * finds nothing there).  Hart 0 runs main, the others run hart_main.
 */
	.section .text.start, "ax"
	.globl _start
_start:
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	andi	t0, a0, 7
	addi	t0, t0, 1
	slli	t0, t0, 16
	la	sp, stacks
	add	sp, sp, t0
	la	t0, guest_argument
	sd	a1, 0(t0)
	beqz	a0, 1f
	call	hart_main
	j	2f
1:	call	main
2:	li	a7, 93
	li	a6, 0
	ecall
	j	2b

	.section .bss
	.balign	8
	.globl	guest_argument
guest_argument:
	.zero	8
	.text

	.weak	hart_main
hart_main:
	ret

	/* Exceptions and interrupts: the handler gets a struct frame and may change it. */
	.globl trap_entry
	.balign 4
trap_entry:
	addi	sp, sp, -288
	sd	ra, 8(sp)
	sd	gp, 24(sp)
	sd	tp, 32(sp)
	sd	t0, 40(sp)
	addi	t0, sp, 288
	sd	t0, 16(sp)
	sd	t1, 48(sp)
	sd	t2, 56(sp)
	sd	s0, 64(sp)
	sd	s1, 72(sp)
	sd	a0, 80(sp)
	sd	a1, 88(sp)
	sd	a2, 96(sp)
	sd	a3, 104(sp)
	sd	a4, 112(sp)
	sd	a5, 120(sp)
	sd	a6, 128(sp)
	sd	a7, 136(sp)
	sd	t3, 224(sp)
	sd	t4, 232(sp)
	sd	t5, 240(sp)
	sd	t6, 248(sp)
	csrr	t0, sepc
	sd	t0, 256(sp)
	csrr	t0, scause
	sd	t0, 264(sp)
	csrr	t0, stval
	sd	t0, 272(sp)
	csrr	t0, sstatus
	sd	t0, 280(sp)
	mv	a0, sp
	call	on_trap
	ld	t0, 280(sp)
	csrw	sstatus, t0
	ld	t0, 256(sp)
	csrw	sepc, t0
	ld	ra, 8(sp)
	ld	gp, 24(sp)
	ld	tp, 32(sp)
	ld	t0, 40(sp)
	ld	t1, 48(sp)
	ld	t2, 56(sp)
	ld	a0, 80(sp)
	ld	a1, 88(sp)
	ld	a2, 96(sp)
	ld	a3, 104(sp)
	ld	a4, 112(sp)
	ld	a5, 120(sp)
	ld	a6, 128(sp)
	ld	a7, 136(sp)
	ld	t3, 224(sp)
	ld	t4, 232(sp)
	ld	t5, 240(sp)
	ld	t6, 248(sp)
	ld	sp, 16(sp)
	sret

	.weak	on_trap
on_trap:
	j	on_trap
