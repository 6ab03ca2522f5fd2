/* SPDX-License-Identifier: Apache-2.0 */
/* See attempt.h. */
#include "tests/emu/attempt.h"

struct attempt attempt;

u64 attempt_call(u64 pc, u64 a0, u64 a1, bool user);
_Noreturn void unexpected(void);

_Noreturn void unexpected(void)
{
	say("a trap that nobody expected: cause, value, pc ");
	say_number(attempt.cause);
	say_number(attempt.value);
	say_number(attempt.pc);
	leave(2);
}

void attempt_init(void)
{
	csr_write(stvec, (u64)attempt_trap);
}

u64 attempt_supervisor(u64 pc, u64 a0, u64 a1)
{
	return attempt_call(pc, a0, a1, false);
}

u64 attempt_user(u64 pc, u64 a0, u64 a1)
{
	u64 r = attempt_call(pc, a0, a1, true);

	return r == CAUSE_USER_CALL ? NOTHING : r;
}
