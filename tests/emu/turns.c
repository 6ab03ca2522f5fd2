/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four harts whose result depends on everything that may differ from run to run: what they read of
 * the clock and the counters, who writes a word last, who interrupts whom when, and how long each
 * slept.  A deterministic machine says the same each time.
 */
#include "tests/emu/attempt.h"

#define HARTS  4ul
#define ROUNDS 3000ul
#define SOFT   0x2ul
#define TIMER  0x20ul

#define HSM 0x48534dul
#define IPI 0x735049ul

extern const u8 _start[];

static u64 hash, done;
static u64 own[HARTS];

/* A race on purpose: what another hart mixed in meanwhile is lost. */
static void mix_in(u64 hart, u64 v)
{
	u64 now = *(volatile u64 *)&hash;

	own[hart] = mix(own[hart], now);
	*(volatile u64 *)&hash = mix(now, v + hart);
}

static void sleep(u64 hart, u64 ticks)
{
	csr_write(0x14d, csr_read(time) + ticks);
	__asm__ volatile("wfi" ::: "memory");
	mix_in(hart, csr_read(sip));
	csr_clear(sip, SOFT);
	csr_write(0x14d, ~0ul);
}

static void work(u64 hart)
{
	u64 state = hart;

	csr_write(sie, SOFT | TIMER);
	for (u64 i = 0; i < ROUNDS; i++) {
		u64 r = random_next(&state);

		for (u64 n = 0; n < (r >> 16 & 255); n++)
			own[hart] = mix(own[hart], n);
		mix_in(hart, csr_read(time));
		if ((r & 63) == 0)
			sleep(hart, r >> 8 & 2047);
		if ((r & 63) == 1)
			mix_in(hart, (u64)call(IPI, 0, 1ul << (r >> 8 & 3), 0, 0));
	}
	mix_in(hart, csr_read(instret));
	__atomic_fetch_add(&done, 1, __ATOMIC_ACQ_REL);
}

void hart_main(u64 hart)
{
	work(hart);
	csr_write(sie, 0);
	(void)call(HSM, 1, 0, 0, 0);
	leave(1);
}

int main(void)
{
	attempt_init();
	for (u64 h = 1; h < HARTS; h++)
		check_is(call(HSM, 0, h, (u64)_start, 0), 0);
	work(0);
	while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < HARTS)
		sleep(0, 1000);
	say_result("hash", hash);
	for (u64 h = 0; h < HARTS; h++)
		say_result("own", own[h]);
	say_result("time", csr_read(time));
	say_result("instret", csr_read(instret));
	leave(0);
}
