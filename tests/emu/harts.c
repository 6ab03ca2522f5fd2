/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four harts at once: every atomic instruction under contention, plain stores beside them in the
 * same word, orders that fences must keep, other harts' code and tables changed with remote fences,
 * interrupts from one hart to the others.  An argument divides the work.
 */
#include "tests/emu/guest.h"

#define HARTS 4
#define SOFT  1ul
#define TIMER 0x20ul

typedef void job(u64 hart, u64 n);

static struct {
	u64 next_job, arrived;
} gate __attribute__((aligned(64)));
static u64 share = 1; /* of the work that is done */

#define load(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define add(p, v)   ((void)__atomic_fetch_add(p, v, __ATOMIC_ACQ_REL))

/* There may be fewer processors than harts. */
static void yield(void)
{
	(void)call(CALL_TEST, TEST_YIELD, 0, 0, 0);
}

/* Waits until all are here. */
static void meet(void)
{
	u64 now = load(&gate.next_job);

	if (__atomic_add_fetch(&gate.arrived, 1, __ATOMIC_ACQ_REL) == HARTS) {
		store(&gate.arrived, 0);
		add(&gate.next_job, 1);
		return;
	}
	while (load(&gate.next_job) == now)
		yield();
}

/* ---- read-modify-write ---- */

static struct {
	u64 add_d, xor_d, or_d, and_d, min_d, max_d, minu_d, maxu_d, swap_d, pad[7];
	u32 add_w, xor_w, or_w, and_w, min_w, max_w, minu_w, maxu_w, swap_w;
	u64 held[HARTS]; /* what swaps left in each hart's hands */
	u64 held_w[HARTS];
} cells __attribute__((aligned(64)));

static void cells_init(void)
{
	memset(&cells, 0, sizeof(cells));
	cells.and_d = ~0ul;
	cells.and_w = ~0u;
	cells.minu_d = ~0ul;
	cells.minu_w = ~0u;
	cells.add_w = 0xfffffff0;
}

#define AMO(name, cell, v)                                                                         \
	__asm__ volatile(name " %0, %2, (%1)" : "=r"(old) : "r"(cell), "r"(v) : "memory")

/* Each hart has numbers of its own: 4 * n + hart. */
static void change_cells(u64 hart, u64 n)
{
	u64 old, in_hand = hart + 1, in_hand_w = hart + 1;

	for (u64 i = 0; i < n; i++) {
		u64 mine = 4 * i + hart;

		AMO("amoadd.d", &cells.add_d, 3ul);
		AMO("amoadd.w", &cells.add_w, 3ul);
		AMO("amoxor.d", &cells.xor_d, mine << 32 | mine);
		AMO("amoxor.w", &cells.xor_w, mine);
		AMO("amomin.d", &cells.min_d, -mine);
		AMO("amomin.w", &cells.min_w, -mine);
		AMO("amomax.d", &cells.max_d, mine);
		AMO("amomax.w", &cells.max_w, mine);
		AMO("amominu.d", &cells.minu_d, ~mine);
		AMO("amominu.w", &cells.minu_w, ~mine);
		AMO("amomaxu.d", &cells.maxu_d, mine);
		AMO("amomaxu.w", &cells.maxu_w, mine);
		AMO("amoor.d", &cells.or_d, 1ul << (mine & 63));
		AMO("amoor.w", &cells.or_w, 1ul << (mine & 31));
		AMO("amoand.d", &cells.and_d, ~(1ul << (mine & 63)));
		AMO("amoand.w", &cells.and_w, ~(1ul << (mine & 31)));
		AMO("amoswap.d", &cells.swap_d, in_hand);
		in_hand = old;
		AMO("amoswap.w", &cells.swap_w, in_hand_w);
		in_hand_w = old;
	}
	cells.held[hart] = in_hand;
	cells.held_w[hart] = in_hand_w;
}

static u64 xor_of_all(u64 n)
{
	u64 x = 0;

	for (u64 i = 0; i < 4 * n; i++)
		x ^= i;
	return x;
}

static void cells_are_right(u64 n)
{
	u64 last = 4 * n - 1, x = xor_of_all(n), sum = cells.swap_d, sum_w = cells.swap_w;

	check_is(cells.add_d, 12 * n);
	check_is(cells.add_w, (u32)(0xfffffff0 + 12 * n));
	check_is(cells.xor_d, x << 32 | x);
	check_is(cells.xor_w, x);
	check_is(cells.min_d, -last);
	check_is(cells.min_w, (u32)-last);
	check_is(cells.max_d, last);
	check_is(cells.max_w, last);
	check_is(cells.minu_d, ~last);
	check_is(cells.minu_w, (u32)~last);
	check_is(cells.maxu_d, last);
	check_is(cells.maxu_w, last);
	check_is(cells.or_d, ~0ul);
	check_is(cells.or_w, ~0u);
	check_is(cells.and_d, 0);
	check_is(cells.and_w, 0);
	/* Nothing that was swapped is lost, or there twice. */
	for (int i = 0; i < HARTS; i++) {
		sum += cells.held[i];
		sum_w += cells.held_w[i];
	}
	check_is(sum, 1 + 2 + 3 + 4);
	check_is(sum_w, 1 + 2 + 3 + 4);
}

/* ---- reserving, and plain stores next to what is reserved ---- */

static union {
	u64 d;
	u32 w[2];
	u16 h[4];
	u8 b[8];
} shared __attribute__((aligned(64)));

static void add_reserved_d(u64 v)
{
	u64 t, failed;

	__asm__ volatile("1:\tlr.d %0, (%2)\n\tadd %0, %0, %3\n\tsc.d %1, %0, (%2)\n\tbnez %1, 1b"
			 : "=&r"(t), "=&r"(failed)
			 : "r"(&shared.d), "r"(v)
			 : "memory");
}

static void add_reserved_w(u32 *at, u64 v)
{
	u64 t, failed;

	__asm__ volatile(
		"1:\tlr.w.aq %0, (%2)\n\tadd %0, %0, %3\n\tsc.w.rl %1, %0, (%2)\n\tbnez %1, 1b"
		: "=&r"(t), "=&r"(failed)
		: "r"(at), "r"(v)
		: "memory");
}

static void reserve(u64 hart, u64 n)
{
	for (u64 i = 0; i < n; i++) {
		add_reserved_d(1);
		add_reserved_w(&shared.w[1], hart);
	}
}

/* Two harts count in a byte each, the others in words and doublewords around them. */
static void bytes_beside(u64 hart, u64 n)
{
	for (u64 i = 1; i <= n; i++) {
		if (hart < 2)
			*(volatile u8 *)&shared.b[hart] = (u8)i;
		else if (hart == 2)
			add_reserved_d(1ul << 32);
		else
			add_reserved_w(&shared.w[1], 1);
	}
}

static void halves_beside(u64 hart, u64 n)
{
	u64 old;

	for (u64 i = 1; i <= n; i++) {
		if (hart < 2)
			*(volatile u16 *)&shared.h[hart] = (u16)i;
		else if (hart == 2)
			AMO("amoadd.d", &shared.d, 1ul << 32);
		else
			AMO("amoadd.w", &shared.w[1], 1ul);
	}
}

static void lie_apart(u64 hart, u64 n)
{
	/* An access that is not aligned writes no byte but its own. */
	for (u64 i = 1; i <= n; i++) {
		if (hart == 0)
			__asm__ volatile("sh %1, 1(%0)" ::"r"(&shared), "r"(i) : "memory");
		else if (hart == 1)
			__asm__ volatile("sw %1, 3(%0)" ::"r"(&shared), "r"(i) : "memory");
		else
			*(volatile u8 *)&shared.b[hart == 2 ? 0 : 7] = (u8)i;
	}
}

/* ---- orders ---- */

#define MOST 20000
static struct {
	u64 x __attribute__((aligned(64)));
	u64 y __attribute__((aligned(64)));
	u64 saw[2][MOST] __attribute__((aligned(64)));
} order;

/* Keeps two harts in step, if the other is running at all. */
static void wait_a_little(const u64 *at, u64 value)
{
	for (int i = 0; i < 200 && *(const volatile u64 *)at < value; i++)
		;
}

/* Each stores its own and then looks at the other's: never may both miss the other's store. */
#define STORE_THEN_LOAD(name, mine, others, barrier)                                               \
	static void name(u64 me, u64 n)                                                            \
	{                                                                                          \
		for (u64 i = 1; i <= n; i++) {                                                     \
			wait_a_little(others, i - 1);                                              \
			*(volatile u64 *)(mine) = i;                                               \
			__asm__ volatile(barrier ::: "memory");                                    \
			order.saw[me][i - 1] = *(volatile u64 *)(others);                          \
		}                                                                                  \
	}
STORE_THEN_LOAD(first_fence, &order.x, &order.y, "fence rw, rw")
STORE_THEN_LOAD(second_fence, &order.y, &order.x, "fence w, r")

/* The two need a processor each: the others sleep for 20 ms. */
static void stay_away(void)
{
	csr_write(sie, TIMER);
	csr_write(0x14d, csr_read(time) + 200000);
	while (!(csr_read(sip) & TIMER))
		__asm__ volatile("wfi" ::: "memory");
	csr_write(0x14d, ~0ul);
	csr_write(sie, 0);
}

static void store_buffers(u64 hart, u64 n)
{
	if (hart == 0)
		first_fence(0, n);
	else if (hart == 1)
		second_fence(1, n);
	else
		stay_away();
}

/* When a hart, with its store i made, did not see the other's store j, then the other saw i when
 * it had made j. */
static void stores_were_seen(u64 n)
{
	for (int me = 0; me < 2; me++)
		for (u64 i = 1; i <= n; i++) {
			u64 j = order.saw[me][i - 1] + 1;

			if (j <= n)
				check(order.saw[!me][j - 1] >= i);
		}
}

/* What was stored before the flag is seen by who sees the flag. */
static void pass_messages(u64 hart, u64 n)
{
	static u64 data[MOST + 1], flag;

	if (hart == 0) {
		memset(data, 0, sizeof(data));
		store(&flag, 0);
	}
	meet();
	for (u64 i = 1; hart == 0 && i <= n; i++) {
		*(volatile u64 *)&data[i] = i;
		__asm__ volatile("fence w, w" ::: "memory");
		*(volatile u64 *)&flag = i;
	}
	for (u64 f = 0; hart && f < n;) {
		f = *(volatile u64 *)&flag;
		__asm__ volatile("fence r, r" ::: "memory");
		check_is(*(volatile u64 *)&data[f], f);
	}
}

/* The lock is made of an exchange that acquires and a store that releases. */
static void lock_counter(u64 hart, u64 n)
{
	static u32 locked;
	static u64 counter, total;
	u64 busy;

	if (hart == 0)
		counter = total = 0;
	meet();
	for (u64 i = 0; i < n; i++) {
		for (;;) {
			__asm__ volatile("amoswap.w.aq %0, %2, (%1)"
					 : "=r"(busy)
					 : "r"(&locked), "r"(1)
					 : "memory");
			if (!busy)
				break;
			yield(); /* whoever holds it may not be running */
		}
		*(volatile u64 *)&counter = *(volatile u64 *)&counter + 1;
		__asm__ volatile("amoswap.w.rl zero, zero, (%0)" ::"r"(&locked) : "memory");
	}
	meet();
	check_is(counter, HARTS * n);
}

/* ---- remote fences ---- */

static u32 function[4] __attribute__((aligned(64))) = { 0x00000513, 0x00008067 }; /* li a0, 0 */
static u64 root[512] __attribute__((aligned(4096))), level1[512] __attribute__((aligned(4096))),
	level0[512] __attribute__((aligned(4096)));
static u64 pages[2][512] __attribute__((aligned(4096)));
static struct {
	u64 began, result;
	u64 pad[6];
} rounds[HARTS] __attribute__((aligned(64)));
static u64 stop;

#define WINDOW (0x20ul << 30)

static u64 call_function(void)
{
	register u64 a0 __asm__("a0");

	__asm__ volatile("jalr %1" : "=r"(a0) : "r"(function) : "ra", "memory");
	return a0;
}

static u64 read_window(void)
{
	return *(volatile u64 *)WINDOW;
}

/* The others do it again and again; what they got last is in their round. */
static void repeat(u64 hart, u64 (*what)(void))
{
	while (!load(&stop)) {
		add(&rounds[hart].began, 1);
		store(&rounds[hart].result, what());
	}
}

/* What is begun from now on comes to @wanted on each of the others. */
static void all_get(u64 wanted)
{
	for (int h = 1; h < HARTS; h++) {
		u64 began = load(&rounds[h].began);

		while (load(&rounds[h].began) < began + 2)
			yield();
		check_is(load(&rounds[h].result), wanted);
	}
}

static void fence_others(u64 what)
{
	__asm__ volatile("fence rw, rw" ::: "memory");
	for (u64 h = 1; h < HARTS; h++)
		check_is(call(CALL_TEST, TEST_FENCE, h, what, 0), 0);
}

static void change_code(u64 hart, u64 n)
{
	if (hart) {
		__asm__ volatile("fence.i" ::: "memory");
		repeat(hart, call_function);
		return;
	}
	for (u64 i = 1; i <= n; i++) {
		*(volatile u32 *)&function[0] = 0x00000513 | (u32)(i & 2047) << 20;
		fence_others(1);
		all_get(i & 2047);
	}
	store(&stop, 1);
}

static void change_pages(u64 hart, u64 n)
{
	csr_write(satp, 8ul << 60 | (u64)root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
	if (hart) {
		repeat(hart, read_window);
		csr_write(satp, 0);
		return;
	}
	for (u64 i = 1; i <= n; i++) {
		pages[i & 1][0] = i;
		__atomic_store_n(&level0[0], (u64)pages[i & 1] >> 2 | 0xc7, __ATOMIC_RELEASE);
		fence_others(2);
		all_get(i);
	}
	store(&stop, 1);
	csr_write(satp, 0);
}

static void map_window(void)
{
	root[0] = 0xcf;
	root[2] = 0x80000000ul >> 2 | 0xcf;
	root[WINDOW >> 30] = (u64)level1 >> 2 | 1;
	level1[0] = (u64)level0 >> 2 | 1;
	level0[0] = (u64)pages[0] >> 2 | 0xc7;
}

/* ---- from hart to hart ---- */

static struct {
	u64 came, pad[7];
} interrupts[HARTS] __attribute__((aligned(64)));

void on_trap(struct frame *frame)
{
	u64 me;

	__asm__ volatile("mv %0, tp" : "=r"(me));
	if (frame->cause != (1ul << 63 | SOFT)) {
		say("a trap that nobody expected: cause, value, pc ");
		say_number(frame->cause);
		say_number(frame->value);
		say_number(frame->pc);
		leave(2);
	}
	csr_clear(sip, 1ul << SOFT);
	add(&interrupts[me].came, 1);
}

/* They sleep, or run on, and are interrupted; none gets lost. */
static void interrupt_others(u64 hart, u64 n)
{
	u64 sum = 0;

	__asm__ volatile("mv tp, %0" ::"r"(hart));
	csr_write(stvec, (u64)trap_entry);
	csr_write(sie, 1ul << SOFT);
	csr_set(sstatus, 2);
	meet();
	if (hart) {
		while (!load(&stop)) {
			if (hart & 1)
				__asm__ volatile("wfi" ::: "memory");
			sum++;
		}
	} else {
		for (u64 i = 1; i <= n; i++) {
			u64 to = 1 + i % 3, came = load(&interrupts[to].came);

			(void)call(CALL_TEST, TEST_INTERRUPT, to, SOFT, 1);
			while (load(&interrupts[to].came) == came)
				yield();
		}
		store(&stop, 1);
		for (u64 to = 1; to < HARTS; to++)
			(void)call(CALL_TEST, TEST_INTERRUPT, to, SOFT, 1);
	}
	csr_clear(sstatus, 2);
}

/* ---- all of it, on each hart ---- */

static void together(u64 hart, job *what, u64 n)
{
	meet();
	what(hart, n / share ? n / share : 1);
	meet();
}

static void prepare(u64 hart, u64 bits)
{
	if (hart == 0) {
		shared.d = bits;
		store(&stop, 0);
	}
}

static void run(u64 hart)
{
	const u64 amos = 4000 / share, others = MOST / share;

	if (hart == 0)
		cells_init();
	together(hart, change_cells, 4000);
	if (hart == 0)
		cells_are_right(amos);
	prepare(hart, 0);
	together(hart, reserve, 4000);
	check_is(shared.d, 4 * amos + ((0 + 1 + 2 + 3) * amos << 32));
	meet();
	prepare(hart, 0);
	together(hart, bytes_beside, MOST);
	check_is(shared.d, (2 * others) << 32 | (others & 255) << 8 | (others & 255));
	meet();
	prepare(hart, 0);
	together(hart, halves_beside, MOST);
	check_is(shared.d, (2 * others) << 32 | (others & 65535) << 16 | (others & 65535));
	meet();
	prepare(hart, 0);
	together(hart, lie_apart, MOST);
	check_is(shared.d, (others & 255) << 56 | (others & 0xffffffff) << 24 |
				   (others & 65535) << 8 | (others & 255));
	together(hart, store_buffers, MOST);
	if (hart == 0)
		stores_were_seen(others);
	together(hart, pass_messages, MOST);
	together(hart, lock_counter, 4000);
	prepare(hart, 0);
	together(hart, change_code, 20);
	if (hart == 0)
		map_window();
	prepare(hart, 0);
	memset(&rounds[hart], 0, sizeof(rounds[hart]));
	together(hart, change_pages, 20);
	prepare(hart, 0);
	together(hart, interrupt_others, 60);
}

void hart_main(u64 hart)
{
	run(hart);
	for (;;)
		meet();
}

int main(void)
{
	if (guest_argument)
		share = 20;
	for (u64 h = 1; h < HARTS; h++)
		check_is(call(CALL_TEST, TEST_START, h, 0, 0), 0);
	run(0);
	return 0;
}
