/* SPDX-License-Identifier: Apache-2.0 */
/* See attempt.h. */
#include "tests/emu/attempt.h"

struct attempt attempt;
static bool expected;

u64 attempt_call(u64 pc, u64 a0, u64 a1, bool user);
void attempt_return(void);

void on_trap(struct frame *frame)
{
	attempt = (struct attempt){ .cause = frame->cause,
		.value = frame->value,
		.pc = frame->pc,
		.status = frame->status,
		.a0 = frame->x[10],
		.a1 = frame->x[11] };
	if (!expected) {
		say("a trap that nobody expected: cause, value, pc ");
		say_number(attempt.cause);
		say_number(attempt.value);
		say_number(attempt.pc);
		leave(2);
	}
	expected = false;
	frame->pc = (u64)attempt_return;
	frame->status |= SSTATUS_SPP;
	frame->status &= ~SSTATUS_SPIE;
}

void attempt_init(void)
{
	csr_write(stvec, (u64)trap_entry);
}

u64 attempt_supervisor(u64 pc, u64 a0, u64 a1)
{
	u64 r;

	expected = true;
	r = attempt_call(pc, a0, a1, false);
	expected = false;
	return r;
}

u64 attempt_user(u64 pc, u64 a0, u64 a1)
{
	u64 r;

	expected = true;
	r = attempt_call(pc, a0, a1, true);
	expected = false;
	return r == CAUSE_USER_CALL ? NOTHING : r;
}
