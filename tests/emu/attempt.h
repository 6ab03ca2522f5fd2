/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying what may trap, in the supervisor's mode or the user's, on one hart: what came of it is a
 * cause, or NOTHING.
 */
#ifndef TENON_TESTS_EMU_ATTEMPT_H
#define TENON_TESTS_EMU_ATTEMPT_H

#include "tests/emu/guest.h"

#define NOTHING ~0ul

#define CAUSE_INSN_ACCESS      1ul
#define CAUSE_ILLEGAL          2ul
#define CAUSE_BREAKPOINT       3ul
#define CAUSE_LOAD_MISALIGNED  4ul
#define CAUSE_LOAD_ACCESS      5ul
#define CAUSE_STORE_MISALIGNED 6ul
#define CAUSE_STORE_ACCESS     7ul
#define CAUSE_USER_CALL        8ul
#define CAUSE_INSN_PAGE        12ul
#define CAUSE_LOAD_PAGE        13ul
#define CAUSE_STORE_PAGE       15ul
#define CAUSE_INTERRUPT        (1ul << 63)

#define SSTATUS_SIE  (1ul << 1)
#define SSTATUS_SPIE (1ul << 5)
#define SSTATUS_SPP  (1ul << 8)
#define SSTATUS_FS   (3ul << 13)
#define SSTATUS_SUM  (1ul << 18)
#define SSTATUS_MXR  (1ul << 19)

/* Of the last trap that was expected. */
struct attempt {
	u64 cause, value, pc, status;
	u64 a0, a1; /* as the user left them */
};

extern struct attempt attempt;

/* Sets stvec; before all else. */
void attempt_init(void);
void attempt_trap(void);
/* Calls code at @pc with @a0 and @a1, which it may change, as it may t0 to t2.  The supervisor's
 * ends with a return; the user's with a call, which counts as NOTHING. */
u64 attempt_supervisor(u64 pc, u64 a0, u64 a1);
u64 attempt_user(u64 pc, u64 a0, u64 a1);

/* Code of one instruction for either of them, to be copied to where the user finds it:
 * CODE(name, "instruction") */
#define CODE(name, text)                                                                           \
	extern const u8 name[];                                                                    \
	__asm__(".pushsection .text\n\t.option push\n\t.option norvc\n\t.balign 16\n" #name        \
		":\n\t" text "\n\tret\n\tecall\n\t.option pop\n\t.popsection");
/* The same for the user, who has to call. */
#define USER_CODE(name, text)                                                                      \
	extern const u8 name[];                                                                    \
	__asm__(".pushsection .text\n\t.option push\n\t.option norvc\n\t.balign 16\n" #name        \
		":\n\t" text "\n\tecall\n\tnop\n\t.option pop\n\t.popsection");

#endif
