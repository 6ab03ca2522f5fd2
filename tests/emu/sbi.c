/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole machine of the program's: every call to the firmware, four harts that it starts and
 * stops, and the PLIC with the clock's alarm as its device.  Says "passed" and switches off.
 */
#include "tests/emu/attempt.h"

#define HARTS 4ul

#define BASE   0x10ul
#define TIME   0x54494d45ul
#define IPI    0x735049ul
#define RFENCE 0x52464e43ul
#define HSM    0x48534dul
#define SRST   0x53525354ul
#define SUSP   0x53555350ul
#define DBCN   0x4442434eul

#define NOT_SUPPORTED   -2ul
#define INVALID_PARAM   -3ul
#define INVALID_ADDRESS -5ul
#define ALREADY         -6ul

#define STARTED 0ul
#define STOPPED 1ul

#define PLIC  0x0c000000ul
#define CLOCK 0x10000000ul
#define ALL   ~0ul

#define SOFT  0x2ul
#define TIMER 0x20ul
#define EXT   0x200ul

/* Not the guest's image: it is kept over a reset. */
#define SURVIVES ((volatile u64 *)0x84000000ul)
#define MAGIC    0x74656e6f6eul

#define load(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

struct answer {
	u64 error, value;
};

static struct answer sbi(u64 extension, u64 function, u64 a, u64 b, u64 c)
{
	register u64 a0 __asm__("a0") = a;
	register u64 a1 __asm__("a1") = b;
	register u64 a2 __asm__("a2") = c;
	register u64 a3 __asm__("a3") = 4096;
	register u64 a6 __asm__("a6") = function;
	register u64 a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			 : "memory");
	return (struct answer){ a0, a1 };
}

#define errs(wanted, ...) check_is(sbi(__VA_ARGS__).error, wanted)
#define value_is(wanted, ...)                                                                      \
	do {                                                                                       \
		struct answer answer_ = sbi(__VA_ARGS__);                                          \
		check_is(answer_.error, 0);                                                        \
		check_is(answer_.value, wanted);                                                   \
	} while (0)

/* ---- what there is ---- */

static void base(void)
{
	static const u64 there[] = { BASE, TIME, IPI, RFENCE, HSM, SRST, SUSP, DBCN, 0, 1, 8 };
	static const u64 not [] = { 0x504d55, 0x4e41434c, 0x535441, 9, 0x0f, 0x11, 0x12345678,
		0xffffffff, BASE | 1ul << 32, ALL };

	value_is(2ul << 24, BASE, 0, 0, 0, 0);
	errs(0, BASE, 1, 0, 0, 0);
	errs(0, BASE, 2, 0, 0, 0);
	for (u64 i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		value_is(1, BASE, 3, there[i], 0, 0);
	for (u64 i = 0; i < sizeof(not ) / sizeof(not [0]); i++) {
		value_is(0, BASE, 3, not [i], 0, 0);
		errs(NOT_SUPPORTED, not [i], 0, 0, 0, 0);
	}
	for (u64 id = 4; id < 7; id++)
		value_is(0, BASE, id, 0, 0, 0);
	errs(NOT_SUPPORTED, BASE, 7, 0, 0, 0);
	errs(NOT_SUPPORTED, BASE, 1ul << 32, 0, 0, 0);
	for (u64 i = 1; i < 8; i++)
		errs(NOT_SUPPORTED, there[i], 99, 0, 0, 0);
}

/* ---- this hart's interrupts ---- */

static void timer(void)
{
	errs(0, TIME, 0, 0, 0, 0);
	check_is(csr_read(sip) & TIMER, TIMER);
	errs(0, TIME, 0, csr_read(time) + 1000000000000, 0, 0);
	check_is(csr_read(sip) & TIMER, 0);
	errs(0, 0, 0, 0, 0, 0); /* as the first version has it */
	check_is(csr_read(sip) & TIMER, TIMER);
	csr_write(sie, TIMER);
	errs(0, TIME, 0, csr_read(time) + 20000, 0, 0);
	check_is(csr_read(sip) & TIMER, 0);
	__asm__ volatile("wfi");
	check_is(csr_read(sip) & TIMER, TIMER);
	errs(0, TIME, 0, ALL, 0, 0);
	check_is(csr_read(sip) & TIMER, 0);
	csr_write(sie, 0);
}

static void to_itself(void)
{
	errs(0, IPI, 0, 1, 0, 0);
	check_is(csr_read(sip), SOFT);
	csr_clear(sip, SOFT);
	errs(0, IPI, 0, 0, ALL, 0);
	check_is(csr_read(sip), SOFT);
	errs(0, 3, 0, 0, 0, 0);
	check_is(csr_read(sip), 0);
	errs(0, IPI, 0, 0, 0, 0);
	/* Not even to those that there are, when one is not. */
	errs(INVALID_PARAM, IPI, 0, 1 | 1ul << HARTS, 0, 0);
	errs(INVALID_PARAM, IPI, 0, 1, HARTS, 0);
	errs(INVALID_PARAM, IPI, 0, 1, 1ul << 40, 0);
	errs(INVALID_PARAM, IPI, 0, 1, ALL - 1, 0);
	check_is(csr_read(sip), 0);
}

/* ---- the others ---- */

/* What a hart that was started is to do. */
enum task { TASK_NONE, TASK_STOP, TASK_CALL, TASK_SLEEP, TASK_SUSPEND, TASK_CLAIM };

static struct {
	u64 task, begun, result, argument, status, wake;
	u64 pad[2];
} harts[HARTS] __attribute__((aligned(64)));

/* Until another hart has something to say: whoever waits for a word looks for it before and after.
 * Harts do not spin, for there may be fewer processors. */
static void doze(void)
{
	csr_set(sie, SOFT);
	__asm__ volatile("wfi" ::: "memory");
	csr_clear(sip, SOFT);
	csr_clear(sie, SOFT);
}

static void poke(u64 hart)
{
	errs(0, IPI, 0, 1ul << hart, 0, 0);
}

static u32 function[4] __attribute__((aligned(64))) = { 0x00000513, 0x00008067 }; /* li a0, 0 */

static u64 call_function(void)
{
	register u64 a0 __asm__("a0");

	__asm__ volatile("jalr %1" : "=r"(a0) : "r"(function) : "ra", "memory");
	return a0;
}

static u32 claim(u64 hart)
{
	return *(volatile u32 *)(PLIC + 0x200004 + hart * 0x1000);
}

static void complete(u64 hart, u32 source)
{
	*(volatile u32 *)(PLIC + 0x200004 + hart * 0x1000) = source;
}

static void do_task(u64 hart, u64 task)
{
	u64 r = 0;

	switch (task) {
	case TASK_STOP:
		store(&harts[hart].task, TASK_NONE);
		(void)sbi(HSM, 1, 0, 0, 0);
		say("a hart that stopped went on\n");
		leave(1);
	case TASK_CALL:
		r = call_function();
		break;
	case TASK_SLEEP:
		while (!load(&harts[hart].wake))
			doze();
		break;
	case TASK_SUSPEND:
		while (!load(&harts[hart].wake)) {
			csr_set(sie, SOFT);
			r |= sbi(HSM, 3, 0, 0, 0).error;
			csr_clear(sip, SOFT);
		}
		break;
	case TASK_CLAIM:
		csr_set(sie, EXT);
		while (!(csr_read(sip) & EXT))
			__asm__ volatile("wfi");
		r = claim(hart);
		csr_clear(sie, EXT);
		break;
	default:
		break;
	}
	store(&harts[hart].result, r);
	store(&harts[hart].task, TASK_NONE);
	poke(0);
}

_Noreturn void hart_main(u64 hart)
{
	harts[hart].status = csr_read(satp) | (csr_read(sstatus) & SSTATUS_SIE);
	store(&harts[hart].argument, guest_argument);
	poke(0);
	for (;;) {
		u64 task = load(&harts[hart].task);

		if (task == TASK_NONE) {
			doze();
			continue;
		}
		store(&harts[hart].begun, task);
		poke(0);
		do_task(hart, task);
	}
}

static void give(u64 hart, u64 task)
{
	store(&harts[hart].begun, TASK_NONE);
	store(&harts[hart].wake, 0);
	store(&harts[hart].task, task);
	poke(hart);
	while (load(&harts[hart].begun) != task)
		doze();
}

static u64 result(u64 hart)
{
	while (load(&harts[hart].task) != TASK_NONE)
		doze();
	return load(&harts[hart].result);
}

static void await_state(u64 hart, u64 state)
{
	struct answer a;

	do {
		a = sbi(HSM, 2, hart, 0, 0);
		check_is(a.error, 0);
	} while (a.value != state);
}

extern const u8 _start[];

static void start(u64 hart, u64 argument)
{
	value_is(STOPPED, HSM, 2, hart, 0, 0);
	store(&harts[hart].argument, 0);
	errs(0, HSM, 0, hart, (u64)_start, argument);
	await_state(hart, STARTED);
	while (load(&harts[hart].argument) != argument)
		doze();
	check_is(harts[hart].status, 0);
	errs(ALREADY, HSM, 0, hart, (u64)_start, 0);
}

static void start_others(void)
{
	value_is(STARTED, HSM, 2, 0, 0, 0);
	errs(INVALID_PARAM, HSM, 2, HARTS, 0, 0);
	errs(INVALID_PARAM, HSM, 0, HARTS, (u64)_start, 0);
	errs(INVALID_ADDRESS, HSM, 0, 1, 0x1000, 0);
	errs(INVALID_ADDRESS, HSM, 0, 1, PLIC, 0);
	errs(INVALID_ADDRESS, HSM, 0, 1, (u64)_start + 1, 0);
	errs(ALREADY, HSM, 0, 0, (u64)_start, 0);
	value_is(STOPPED, HSM, 2, 1, 0, 0);
	for (u64 h = 1; h < HARTS; h++)
		start(h, 0x1000 + h);
	/* Stopped and started again. */
	for (u64 i = 0; i < 10; i++) {
		u64 h = 1 + i % 3;

		give(h, TASK_STOP);
		await_state(h, STOPPED);
		start(h, 0x2000 + i);
	}
}

static void wake_others(void)
{
	for (u64 i = 0; i < 30; i++) {
		u64 h = 1 + i % 3;

		give(h, i & 1 ? TASK_SUSPEND : TASK_SLEEP);
		store(&harts[h].wake, 1);
		errs(0, IPI, 0, i & 2 ? 1ul << h : 1, i & 2 ? 0 : h, 0);
		check_is(result(h), 0);
	}
	errs(NOT_SUPPORTED, HSM, 3, 0x80000000, (u64)_start, 0);
	errs(INVALID_PARAM, HSM, 3, 1, 0, 0);
	errs(INVALID_PARAM, HSM, 3, ALL, 0, 0);
}

static void change_code(void)
{
	for (u64 i = 1; i < 40; i++) {
		*(volatile u32 *)&function[0] = 0x00000513 | (u32)i << 20;
		if (i & 1)
			errs(0, RFENCE, 0, 0xe, 0, 0);
		else if (i & 2)
			errs(0, RFENCE, 0, 0, ALL, 0);
		else
			errs(0, 5, 0, 0, 0, 0);
		for (u64 h = 1; h < HARTS; h++)
			give(h, TASK_CALL);
		for (u64 h = 1; h < HARTS; h++)
			check_is(result(h), i);
	}
	errs(0, RFENCE, 1, 0xf, 0, 0x80200000);
	errs(0, RFENCE, 2, 0, ALL, 0);
	errs(0, 6, 0, 0, 0, 0);
	errs(0, 7, 0, 0, 0, 0);
	for (u64 f = 3; f < 8; f++)
		errs(NOT_SUPPORTED, RFENCE, f, 1, 0, 0);
	for (u64 f = 0; f < 3; f++)
		errs(INVALID_PARAM, RFENCE, f, 0x10, 0, 0);
}

/* ---- the console ---- */

static void console(void)
{
	static const char text[] = "by bytes: ";

	value_is(sizeof(text) - 1, DBCN, 0, sizeof(text) - 1, (u64)text, 0);
	for (const char *c = "x\n"; *c; c++)
		errs(0, DBCN, 2, (u64)*c, 0, 0);
	errs(0, 1, 0, 'y', 0, 0);
	errs(0, 1, 0, '\n', 0, 0);
	errs(-1ul, 2, 0, 0, 0, 0);
	errs(INVALID_PARAM, DBCN, 0, 10, 0x1000, 0);
	errs(INVALID_PARAM, DBCN, 0, 10, (u64)text, 1);
	errs(INVALID_PARAM, DBCN, 0, ALL, (u64)text, 0);
	errs(INVALID_PARAM, DBCN, 1, 10, PLIC, 0);
	value_is(0, DBCN, 1, 10, (u64)harts, 0);
}

/* ---- the PLIC ---- */

static volatile u32 *plic(u64 offset)
{
	return (volatile u32 *)(PLIC + offset);
}

static void alarm(bool up)
{
	volatile u32 *clock = (volatile u32 *)CLOCK;

	if (up) {
		clock[3] = 0; /* due long ago */
		clock[2] = 1;
		clock[4] = 1;
	} else {
		clock[5] = 1;
		clock[7] = 1;
	}
}

static void wait_external(bool up)
{
	while (!(csr_read(sip) & EXT) == up)
		;
}

static void external(void)
{
	volatile u32 *priority = plic(4), *enable = plic(0x2000), *threshold = plic(0x200000);

	csr_clear(sip, SOFT);
	*priority = 0;
	*enable = 2;
	*threshold = 0;
	alarm(true);
	while (!(*plic(0x1000) & 2))
		;
	check_is(csr_read(sip) & EXT, 0); /* priority 0 never interrupts */
	check_is(claim(0), 0);
	*priority = 3;
	wait_external(true);
	*threshold = 3;
	wait_external(false);
	*threshold = 2;
	wait_external(true);
	*enable = 0;
	wait_external(false);
	*enable = 2;
	wait_external(true);
	check_is(csr_read(sip) & EXT, EXT);
	check_is(claim(0), 1);
	wait_external(false);
	check_is(claim(0), 0);
	/* The line is up still: it comes again. */
	complete(0, 1);
	wait_external(true);
	check_is(claim(0), 1);
	alarm(false);
	complete(0, 1);
	check_is(csr_read(sip) & EXT, 0);
	check_is(*plic(0x1000) & 2, 0);
}

/* In its sleep, on whichever hart enabled it. */
static void external_elsewhere(void)
{
	*plic(0x2000) = 0;
	for (u64 i = 0; i < 12; i++) {
		u64 h = 1 + i % 3;

		*plic(0x2000 + h * 0x80) = 2;
		*plic(0x200000 + h * 0x1000) = 0;
		give(h, TASK_CLAIM);
		alarm(true);
		check_is(result(h), 1);
		alarm(false);
		complete(h, 1);
		*plic(0x2000 + h * 0x80) = 0;
		check_is(csr_read(sip) & EXT, 0);
	}
}

/* ---- the end ---- */

static void reset(void)
{
	errs(INVALID_PARAM, SRST, 0, 3, 0, 0);
	errs(INVALID_PARAM, SRST, 0, 0, 2, 0);
	errs(NOT_SUPPORTED, SRST, 1, 0, 0, 0);
	if (SURVIVES[0] == MAGIC) {
		check_is(SURVIVES[1], 1);
		return;
	}
	SURVIVES[0] = MAGIC;
	SURVIVES[1] = 1;
	say("again\n");
	(void)sbi(SRST, 0, 1, 0, 0);
	leave(1);
}

int main(void)
{
	attempt_init();
	base();
	timer();
	to_itself();
	start_others();
	wake_others();
	change_code();
	console();
	external();
	external_elsewhere();
	reset();
	say("passed\n");
	(void)sbi(SRST, 0, 0, 0, 0);
	return 1;
}
