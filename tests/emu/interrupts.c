/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts in every state: each of the three, enabled and not, globally and by itself, in either
 * mode, asleep and awake, the moment they are let in, and their order.
 */
#include "tests/emu/attempt.h"

#define SOFT   1ul
#define TIMER  5ul
#define EXT    9ul
#define USER   0xffffffc000000000ul /* RAM once more, for the user */
#define FLAGS  0xcful
#define FOR_U  0x10ul
#define NEVER  ~0ul
#define INT(n) (CAUSE_INTERRUPT | (n))

static const u64 lines[] = { SOFT, TIMER, EXT };

static u64 root[512] __attribute__((aligned(4096)));

/* Code to try, with the place where it must be interrupted. */
#define SPOT(name, before, after)                                                                  \
	extern const u8 name[], name##_spot[];                                                     \
	__asm__(".pushsection .text\n\t.option push\n\t.option norvc\n\t.balign 16\n" #name        \
		":\n\t" before "\n" #name "_spot:\n\t" after "\n\tret\n\t.option pop\n\t"          \
		".popsection");
SPOT(let_in, "csrsi sstatus, 2", "csrci sstatus, 2")
SPOT(enable, "csrs sie, a0", "csrc sie, a0")
SPOT(back,
	"li t0, 0x100\n\tcsrs sstatus, t0\n\tli t0, 0x20\n\tcsrs sstatus, t0\n\tla t0, back_spot"
	"\n\tcsrw sepc, t0\n\tsret",
	"csrci sstatus, 2")
SPOT(sleep_open, "csrsi sstatus, 2\n\twfi", "csrci sstatus, 2")
SPOT(sleep_shut, "wfi", "nop")
SPOT(loop, "csrsi sstatus, 2", "j loop_spot")
SPOT(set_timer, "csrsi sstatus, 2\n\tcsrw 0x14d, a0", "csrci sstatus, 2")
SPOT(set_soft, "csrsi sstatus, 2\n\tcsrsi sip, 2", "csrci sstatus, 2")
USER_CODE(user_nothing, "nop")
USER_CODE(user_loop, "j user_loop")

static u64 user(const u8 *code)
{
	return USER + ((u64)code - 0x80000000ul);
}

static void map_all(void)
{
	root[0] = FLAGS;
	root[2] = 0x80000000ul >> 2 | FLAGS;
	root[USER >> 30 & 511] = 0x80000000ul >> 2 | FLAGS | FOR_U;
	csr_write(satp, 8ul << 60 | (u64)root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
}

static void raise(u64 line, bool level)
{
	if (line == TIMER)
		csr_write(0x14d, level ? 0 : NEVER);
	else
		(void)call(CALL_TEST, TEST_INTERRUPT, 0, line, level);
}

static void quiet(void)
{
	for (int i = 0; i < 3; i++)
		raise(lines[i], false);
	csr_write(sie, 0);
	csr_clear(sstatus, SSTATUS_SIE | SSTATUS_SPIE);
	check_is(csr_read(sip), 0);
}

/* It came for @line, at @spot, from the supervisor with interrupts open. */
static void came(u64 line, const u8 *spot)
{
	check_is(attempt.cause, INT(line));
	check_is(attempt.pc, spot);
	check_is(attempt.value, 0);
	check_is(attempt.status & (SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE),
		SSTATUS_SPP | SSTATUS_SPIE);
}

/* ---- awake, in the supervisor ---- */

static void pending_is_seen(u64 line)
{
	raise(line, true);
	check_is(csr_read(sip), 1ul << line);
	raise(line, false);
	check_is(csr_read(sip), 0);
	quiet();
}

static void masked_does_not_come(u64 line)
{
	raise(line, true);
	/* By sie: open, but all others only. */
	csr_write(sie, ~(1ul << line));
	check_is(attempt_supervisor((u64)let_in, 0, 0), NOTHING);
	/* By sstatus. */
	csr_write(sie, 1ul << line);
	check_is(attempt_supervisor((u64)enable, 1ul << line, 0), NOTHING);
	quiet();
}

/* At the instruction after the one that lets it in, whichever way that is. */
static void comes_at_once(u64 line)
{
	raise(line, true);
	csr_write(sie, 1ul << line);
	(void)attempt_supervisor((u64)let_in, 0, 0);
	came(line, let_in_spot);
	(void)attempt_supervisor((u64)back, 0, 0);
	came(line, back_spot);
	csr_write(sie, 0);
	csr_set(sstatus, SSTATUS_SIE);
	(void)attempt_supervisor((u64)enable, 1ul << line, 0);
	came(line, enable_spot);
	quiet();
}

static void own_writes_come_at_once(void)
{
	csr_write(sie, 1ul << TIMER);
	(void)attempt_supervisor((u64)set_timer, 0, 0);
	came(TIMER, set_timer_spot);
	csr_write(0x14d, NEVER);
	check_is(csr_read(sip), 0);
	csr_write(sie, 1ul << SOFT);
	(void)attempt_supervisor((u64)set_soft, 0, 0);
	came(SOFT, set_soft_spot);
	quiet();
}

/* ---- asleep ---- */

static void wakes(u64 line)
{
	raise(line, true);
	csr_write(sie, 1ul << line);
	(void)attempt_supervisor((u64)sleep_open, 0, 0);
	/* It came before the sleep or ended it. */
	check_is(attempt.cause, INT(line));
	check_is(attempt_supervisor((u64)sleep_shut, 0, 0), NOTHING);
	quiet();
}

static void timer_wakes(void)
{
	for (int i = 0; i < 20; i++) {
		u64 due = csr_read(time) + 2000;

		csr_write(sie, 1ul << TIMER);
		csr_write(0x14d, due);
		check_is(csr_read(sip), 0);
		(void)attempt_supervisor((u64)sleep_open, 0, 0);
		came(TIMER, sleep_open_spot);
		check(csr_read(time) >= due);
		csr_write(0x14d, csr_read(time) + 2000);
		check_is(attempt_supervisor((u64)sleep_shut, 0, 0), NOTHING);
		check_is(csr_read(sip), 1ul << TIMER);
		quiet();
	}
}

/* ---- the user ---- */

/* The supervisor's own mask does not count there, sie does. */
static void user_is_interrupted(u64 line)
{
	raise(line, true);
	csr_write(sie, 1ul << line);
	check_is(attempt_user(user(user_nothing), 0, 0), INT(line));
	check_is(attempt.pc, user(user_nothing));
	check_is(attempt.status & (SSTATUS_SPP | SSTATUS_SPIE), 0);
	csr_write(sie, ~(1ul << line));
	check_is(attempt_user(user(user_nothing), 0, 0), NOTHING);
	/* SPIE as it was. */
	csr_write(sie, 1ul << line);
	csr_set(sstatus, SSTATUS_SPIE);
	check_is(attempt_user(user(user_nothing), 0, 0), INT(line));
	check_is(attempt.status & (SSTATUS_SPP | SSTATUS_SPIE), SSTATUS_SPIE);
	quiet();
}

/* Code that never looks up. */
static void loops_are_interrupted(void)
{
	for (int i = 0; i < 10; i++) {
		csr_write(sie, 1ul << TIMER);
		csr_write(0x14d, csr_read(time) + 3000);
		check_is(attempt_user(user(user_loop), 0, 0), INT(TIMER));
		check_is(attempt.pc, user(user_loop));
		csr_write(0x14d, csr_read(time) + 3000);
		(void)attempt_supervisor((u64)loop, 0, 0);
		came(TIMER, loop_spot);
		quiet();
	}
}

/* ---- several ---- */

static void come_in_order(void)
{
	for (int i = 0; i < 3; i++)
		raise(lines[i], true);
	csr_write(sie, ~0ul);
	check_is(csr_read(sip), 0x222);
	(void)attempt_supervisor((u64)let_in, 0, 0);
	came(EXT, let_in_spot);
	raise(EXT, false);
	(void)attempt_supervisor((u64)let_in, 0, 0);
	came(SOFT, let_in_spot);
	csr_clear(sip, 2);
	(void)attempt_supervisor((u64)let_in, 0, 0);
	came(TIMER, let_in_spot);
	quiet();
}

/* The external one is a line, which software cannot clear; nor can it the timer's. */
static void lines_stay(void)
{
	raise(EXT, true);
	raise(TIMER, true);
	csr_clear(sip, ~0ul);
	check_is(csr_read(sip), 1ul << EXT | 1ul << TIMER);
	csr_write(sip, 0);
	check_is(csr_read(sip), 1ul << EXT | 1ul << TIMER);
	quiet();
}

/* ---- nested, and by vectors ---- */

static volatile u64 depth, seen[4];

/* Each lets the next one in: the timer's handler the software's, and that one the device's. */
void on_trap(struct frame *frame)
{
	u64 line = frame->cause & ~CAUSE_INTERRUPT;

	check(frame->cause & CAUSE_INTERRUPT);
	check(depth < 3);
	seen[depth++] = line;
	if (line == TIMER) {
		csr_write(sie, 1ul << SOFT);
		raise(SOFT, true);
		csr_set(sstatus, SSTATUS_SIE);
		check_is(depth, 3);
	} else if (line == SOFT) {
		csr_clear(sip, 2);
		csr_write(sie, 1ul << EXT);
		raise(EXT, true);
		csr_set(sstatus, SSTATUS_SIE);
		check_is(depth, 3);
	}
	csr_clear(sstatus, SSTATUS_SIE);
	raise(line, false);
}

static void nest(void)
{
	u64 sum = 0;

	csr_write(stvec, (u64)trap_entry);
	csr_write(sie, 1ul << TIMER);
	raise(TIMER, true);
	csr_set(sstatus, SSTATUS_SIE);
	for (u64 i = 0; i < 10; i++)
		sum += i;
	csr_clear(sstatus, SSTATUS_SIE);
	check_is(sum, 45);
	check_is(depth, 3);
	check_is(seen[0] << 8 | seen[1] << 4 | seen[2], TIMER << 8 | SOFT << 4 | EXT);
	attempt_init();
	quiet();
}

/* Only the wanted entry leads on, by way of the end of the table; exceptions go to the first. */
static void use_vectors(void)
{
	static u32 table[24] __attribute__((aligned(256)));

	for (int i = -1; i < 3; i++) {
		u64 line = i < 0 ? 0 : lines[i];

		for (u64 n = 0; n < 16; n++)
			table[n] = 0x0000006f;               /* j . */
		table[line] = (u32)(16 - line) << 22 | 0x6f; /* j to table + 16 */
		table[16] = 0x00000297;                      /* auipc t0, 0 */
		table[17] = 0x0102e283;                      /* lwu t0, 16(t0) */
		table[18] = 0x00028067;                      /* jr t0 */
		table[20] = (u32)(u64)attempt_trap;
		__asm__ volatile("fence.i" ::: "memory");
		csr_write(stvec, (u64)table | 1);
		if (i < 0) {
			check_is(attempt_user(user(user_nothing), 0, 0), NOTHING);
		} else {
			raise(line, true);
			csr_write(sie, 1ul << line);
			(void)attempt_supervisor((u64)let_in, 0, 0);
			came(line, let_in_spot);
		}
		quiet();
	}
	attempt_init();
}

int main(void)
{
	attempt_init();
	map_all();
	quiet();
	for (int i = 0; i < 3; i++) {
		pending_is_seen(lines[i]);
		masked_does_not_come(lines[i]);
		comes_at_once(lines[i]);
		wakes(lines[i]);
		user_is_interrupted(lines[i]);
	}
	own_writes_come_at_once();
	timer_wakes();
	loops_are_interrupted();
	come_in_order();
	lines_stay();
	nest();
	use_vectors();
	return 0;
}
