/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What guests of the emulator have to work with.  There is no library.  What is said and the end
 * are calls by Linux's numbers, so that a guest that needs nothing of the supervisor runs as a
 * Linux program, too, and another emulator can be asked what is right.
 */
#ifndef TENON_TESTS_EMU_GUEST_H
#define TENON_TESTS_EMU_GUEST_H

typedef unsigned long u64;
typedef long s64;
typedef unsigned int u32;
typedef unsigned char u8;
typedef unsigned short u16;
typedef _Bool bool;

#define true 1
#define false 0
#define NULL ((void *)0)

#define CALL_WRITE   64ul         /* 1, address, length */
#define CALL_EXIT    93ul         /* status */
#define CALL_CONSOLE 0x4442434eul /* SBI: length, address */
#define CALL_RESET   0x53525354ul /* SBI: 0 = off */
/* The machine's own, with these functions: */
#define CALL_TEST      0x74657374ul
#define TEST_START     0ul /* hart */
#define TEST_INTERRUPT 1ul /* hart, line, level */
#define TEST_FENCE     2ul /* hart, what */
#define TEST_KICK      3ul /* hart: it is kicked, and goes on */
#define TEST_YIELD     5ul /* lets others have the processor */
#define TEST_DEVICE    4ul /* -> what the device's register was last written, shifted by its size */

#define DEVICE 0x10000000ul /* answers reads with the address and the size */

static inline s64 call(u64 extension, u64 function, u64 a, u64 b, u64 c)
{
	register u64 a0 __asm__("a0") = a;
	register u64 a1 __asm__("a1") = b;
	register u64 a2 __asm__("a2") = c;
	register u64 a6 __asm__("a6") = function;
	register u64 a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (s64)a0;
}

static inline void say(const char *text)
{
	u64 n = 0;

	while (text[n])
		n++;
	/* A machine of the program's has a console instead. */
	if (call(CALL_WRITE, 0, 1, (u64)text, n) < 0)
		(void)call(CALL_CONSOLE, 0, n, (u64)text, 0);
}

static inline void say_number(u64 v)
{
	char text[18];

	for (int i = 0; i < 16; i++)
		text[i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
	text[16] = ' ';
	text[17] = 0;
	say(text);
}

static inline void say_result(const char *name, u64 v)
{
	char text[64];
	u64 n = 0;

	for (; name[n] && n < 40; n++)
		text[n] = name[n];
	text[n++] = ' ';
	for (int i = 0; i < 16; i++)
		text[n++] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
	text[n++] = '\n';
	text[n] = 0;
	say(text);
}

_Noreturn static inline void leave(u64 status)
{
	for (;;) {
		(void)call(CALL_EXIT, 0, status, 0, 0);
		(void)call(CALL_RESET, 0, 0, 0, 0);
	}
}

#define check(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			say("failed: " #condition "\n");                                           \
			leave(1);                                                                  \
		}                                                                                  \
	} while (0)

#define check_is(value, wanted)                                                                    \
	do {                                                                                       \
		u64 is_ = (u64)(value), wanted_ = (u64)(wanted);                                   \
		if (is_ != wanted_) {                                                              \
			say("failed: " #value " is ");                                             \
			say_number(is_);                                                           \
			say("and should be ");                                                     \
			say_number(wanted_);                                                       \
			say("\n");                                                                 \
			leave(1);                                                                  \
		}                                                                                  \
	} while (0)

/* ---- numbers to try ---- */

static inline u64 random_next(u64 *state)
{
	u64 z = (*state += 0x9e3779b97f4a7c15ul);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ z >> 27) * 0x94d049bb133111ebul;
	return z ^ z >> 31;
}

static inline u64 mix(u64 hash, u64 v)
{
	hash = (hash ^ v) * 0x100000001b3ul;
	return hash ^ hash >> 29;
}

/* ---- the supervisor's ---- */

#define csr_read(name)                                                                             \
	({                                                                                         \
		u64 csr_;                                                                          \
		__asm__ volatile("csrr %0, " #name : "=r"(csr_)::"memory");                        \
		csr_;                                                                              \
	})
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((u64)(value)) : "memory")
#define csr_set(name, value)   __asm__ volatile("csrs " #name ", %0" ::"r"((u64)(value)) : "memory")
#define csr_clear(name, value) __asm__ volatile("csrc " #name ", %0" ::"r"((u64)(value)) : "memory")

struct frame {
	u64 x[32];
	u64 pc, cause, value, status;
};

extern u64 guest_argument; /* what the machine was told to tell; 0 as a Linux program */

void trap_entry(void);
void on_trap(struct frame *frame);
int main(void);
void hart_main(u64 hart);

/* gcc makes calls of these by itself. */
void *memcpy(void *to, const void *from, u64 n);
void *memset(void *to, int byte, u64 n);

#endif
