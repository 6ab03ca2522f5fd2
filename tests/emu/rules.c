/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is legal: each of the 4096 CSR numbers, for reading and for writing, in either mode; which
 * bits of those that there are can be written; each of the 65536 16-bit encodings; the
 * supervisor's instructions in the user's hands; and code that changes.
 */
#include "tests/emu/attempt.h"

#define USER  0xffffffc000000000ul /* where RAM is once more, for the user */
#define FLAGS 0xcful               /* V, R, W, X, A, D */
#define FOR_U 0x10ul

static u64 root[512] __attribute__((aligned(4096)));
/* With as much of nothing before and after it as a short jump goes. */
static u32 area[3 * 1024] __attribute__((aligned(4096)));
static u32 *const code = area + 1024;

#define USER_CODE_AT (USER + ((u64)code - 0x80000000ul))

static void map_all(void)
{
	root[0] = FLAGS;
	root[2] = 0x80000000ul >> 2 | FLAGS;
	root[USER >> 30 & 511] = 0x80000000ul >> 2 | FLAGS | FOR_U;
	csr_write(satp, 8ul << 60 | (u64)root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
}

static void put_code(u32 first)
{
	code[0] = first;
	code[1] = 0x00000073; /* ecall: the user's way back */
	__asm__ volatile("fence.i" ::: "memory");
}

static u64 run_user(u32 insn)
{
	put_code(insn);
	return attempt_user(USER_CODE_AT, 0, 0);
}

static u64 run_supervisor(u32 insn)
{
	put_code(insn);
	code[1] = 0x00008067; /* ret */
	__asm__ volatile("fence.i" ::: "memory");
	return attempt_supervisor((u64)code, 0, 0);
}

/* ---- CSRs ---- */

#define CSRRS(csr, rd, rs1)  ((u32)(csr) << 20 | (rs1) << 15 | 2u << 12 | (rd) << 7 | 0x73u)
#define CSRRW(csr, rd, rs1)  ((u32)(csr) << 20 | (rs1) << 15 | 1u << 12 | (rd) << 7 | 0x73u)
#define CSRRC(csr, rd, rs1)  ((u32)(csr) << 20 | (rs1) << 15 | 3u << 12 | (rd) << 7 | 0x73u)
#define CSRRSI(csr, rd, imm) ((u32)(csr) << 20 | (imm) << 15 | 6u << 12 | (rd) << 7 | 0x73u)
#define CSRRCI(csr, rd, imm) ((u32)(csr) << 20 | (imm) << 15 | 7u << 12 | (rd) << 7 | 0x73u)
#define A0                   10u
#define ZERO                 0u

static bool is_in(u32 csr, const u16 *list, u64 n)
{
	for (u64 i = 0; i < n; i++)
		if (list[i] == csr)
			return true;
	return false;
}

static const u16 user_csrs[] = { 0x001, 0x002, 0x003, 0xc00, 0xc01, 0xc02 };
static const u16 supervisor_csrs[] = { 0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141, 0x142,
	0x143, 0x144, 0x14d, 0x180 };

static void is_legal(u32 insn, bool user, bool wanted)
{
	u64 r = user ? run_user(insn) : run_supervisor(insn);

	if (r != (wanted ? NOTHING : CAUSE_ILLEGAL)) {
		say("instruction, user, cause, wanted: ");
		say_number(insn);
		say_number(user);
		say_number(r);
		say_number(wanted);
		leave(1);
	}
	if (!wanted)
		check_is(attempt.value, insn);
}

/* Which there are, and that those whose number says so cannot be written, nor can those of a
 * higher mode be read. */
static void numbers(void)
{
	for (u32 csr = 0; csr < 4096; csr++) {
		bool users = is_in(csr, user_csrs, 6);
		bool there = users || is_in(csr, supervisor_csrs, 12);
		bool writable = csr >> 10 != 3;

		csr_write(scounteren, 7);

		is_legal(CSRRS(csr, A0, ZERO), false, there);
		is_legal(CSRRSI(csr, A0, 0u), false, there);
		is_legal(CSRRCI(csr, A0, 0u), false, there);
		is_legal(CSRRS(csr, A0, ZERO), true, users);
		/* a0 is 0: nothing is set, but it is a write. */
		is_legal(CSRRS(csr, A0, A0), false, there && writable);
		is_legal(CSRRC(csr, A0, A0), false, there && writable);
		is_legal(CSRRS(csr, A0, A0), true, users && writable);
		/* Not those whose being 0 would end this program. */
		if (there && csr != 0x100 && csr != 0x105 && csr != 0x180) {
			is_legal(CSRRW(csr, ZERO, ZERO), false, writable);
			is_legal(CSRRW(csr, A0, ZERO), false, writable);
		}
	}
	csr_write(0x14d, ~0ul);
	csr_set(sstatus, SSTATUS_FS);
}

static void counters(void)
{
	u64 before, after;

	for (u64 enabled = 0; enabled < 8; enabled++) {
		csr_write(scounteren, enabled);
		check_is(csr_read(scounteren), enabled);
		for (u32 n = 0; n < 3; n++) {
			is_legal(CSRRS(0xc00 + n, A0, ZERO), true, enabled >> n & 1);
			is_legal(CSRRS(0xc00 + n, A0, ZERO), false, true);
		}
	}
	csr_write(scounteren, ~0ul);
	check_is(csr_read(scounteren), 7);
	before = csr_read(instret);
	__asm__ volatile(".rept 100\n\tnop\n\t.endr");
	after = csr_read(instret);
	check_is(after - before, 101);
	before = csr_read(cycle);
	after = csr_read(cycle);
	check(after > before);
	before = csr_read(time);
	while (csr_read(time) == before)
		;
	/* An instruction that traps is not one that retired. */
	before = csr_read(instret);
	__asm__ volatile(
		".option push\n\t.option norelax\n\tlla t0, 1f\n\tcsrw stvec, t0\n\t.word 0"
		"\n\t.balign 4\n1:\n\t.option pop" ::
			: "t0");
	after = csr_read(instret);
	attempt_init();
	check_is(after - before, 4); /* the read itself is one */
}

#define WRITES(name, value, wanted)                                                                \
	do {                                                                                       \
		u64 kept_ = csr_read(name), got_;                                                  \
		csr_write(name, value);                                                            \
		got_ = csr_read(name);                                                             \
		csr_write(name, kept_);                                                            \
		check_is(got_, wanted);                                                            \
	} while (0)

/* Which bits keep what is written. */
static void bits(void)
{
	u64 kept = csr_read(sstatus);

	WRITES(sie, ~0ul, 0x222);
	WRITES(sie, 0, 0);
	WRITES(sscratch, 0xfedcba9876543210, 0xfedcba9876543210);
	WRITES(scause, 1ul << 63 | 5, 1ul << 63 | 5);
	WRITES(stval, ~0ul, ~0ul);
	WRITES(sepc, ~0ul, ~1ul);
	WRITES(stvec, 0x80001001, 0x80001001);
	WRITES(stvec, 0x80001002, csr_read(stvec)); /* a mode that there is not */
	WRITES(senvcfg, ~0ul, 0xf1);
	WRITES(senvcfg, 0x20, 0); /* reserved */
	WRITES(0x14d, 0x1234567887654321, 0x1234567887654321);
	/* Of the pending interrupts only the software one can be written. */
	csr_write(sip, ~0ul);
	check_is(csr_read(sip) & 0x222, 2);
	csr_write(sip, 0);
	check_is(csr_read(sip) & 2, 0);
	csr_clear(sstatus, SSTATUS_FS);
	check_is(csr_read(sstatus) >> 63, 0);
	is_legal(0x00b50553, false, false); /* fadd.s fa0, fa0, fa1 */
	is_legal(CSRRS(0x003, A0, ZERO), false, false);
	is_legal(CSRRW(0x001, A0, ZERO), false, false);
	is_legal(0x00053507, false, false); /* fld fa0, 0(a0): illegal before it is a fault */
	/* What writes a register says so. */
	csr_set(sstatus, 1ul << 13);
	is_legal(0x02b57553, false, true); /* fadd.d */
	check_is(csr_read(sstatus) >> 63, 1);
	check_is(csr_read(sstatus) & SSTATUS_FS, SSTATUS_FS);
	/* 64 bits for the user, and no more than is named. */
	csr_write(sstatus, ~SSTATUS_SIE);
	check_is(csr_read(sstatus), 1ul << 63 | 2ul << 32 | SSTATUS_MXR | SSTATUS_SUM | SSTATUS_FS |
					    SSTATUS_SPP | SSTATUS_SPIE);
	csr_write(sstatus, kept);
}

/* Rounding modes that are reserved, in the instruction and in frm. */
static void rounding(void)
{
	for (u32 rm = 0; rm < 8; rm++)
		for (u64 frm = 0; frm < 8; frm++) {
			bool legal = rm < 5 || (rm == 7 && frm < 5);

			csr_write(frm, frm);
			check_is(csr_read(frm), frm);
			check_is(csr_read(fcsr) >> 5, frm);
			is_legal(0x02b50553 | rm << 12, false, legal); /* fadd.d */
			is_legal(0x5a050553 | rm << 12, false, legal); /* fsqrt.d */
			is_legal(0x62b50543 | rm << 12, false, legal); /* fmadd.d */
			is_legal(0xc2250553 | rm << 12, false, legal); /* fcvt.l.d */
			is_legal(0x40150553 | rm << 12, false, legal); /* fcvt.s.d */
		}
	/* What has no rounding mode has others in its place. */
	csr_write(frm, 7);
	is_legal(0x22b50553, false, true); /* fsgnj.d */
	is_legal(0x22b53553, false, false);
	is_legal(0x2ab51553, false, true); /* fmax.d */
	is_legal(0x2ab52553, false, false);
	csr_write(fcsr, ~0ul);
	check_is(csr_read(fcsr), 0xff);
	check_is(csr_read(fflags), 0x1f);
	csr_write(fcsr, 0);
}

/* ---- the supervisor's instructions ---- */

static void privileged(void)
{
	is_legal(0x10200073, true, false); /* sret */
	is_legal(0x10500073, true, false); /* wfi */
	is_legal(0x12000073, true, false); /* sfence.vma */
	is_legal(0x12000073, false, true);
	is_legal(0x12b50073, false, true);
	is_legal(0x12000173, false, false); /* with rd */
	is_legal(0x30200073, false, false); /* mret */
	is_legal(0x00200073, false, false); /* uret */
	is_legal(0x22000073, false, false); /* hfence.vvma */
	is_legal(0x60004073, false, false); /* hlv.b */
	is_legal(0x10200173, false, false);
	check_is(run_user(0x00100073), CAUSE_BREAKPOINT);
	check_is(attempt.value, USER_CODE_AT);
	check_is(attempt.pc, USER_CODE_AT);
	check_is(run_supervisor(0x00100073), CAUSE_BREAKPOINT);
	check_is(run_user(0x00000073), NOTHING); /* ecall */
	check_is(attempt.pc, USER_CODE_AT);
	check_is(attempt.value, 0);
	/* Cache blocks, by senvcfg; of nothing in particular at address 0, which is a device. */
	csr_write(senvcfg, 0);
	is_legal(0x0002a00f, true, false); /* cbo.inval (t0) */
	is_legal(0x0012a00f, true, false); /* cbo.clean */
	is_legal(0x0022a00f, true, false); /* cbo.flush */
	is_legal(0x0042a00f, true, false); /* cbo.zero */
	is_legal(0x0032a00f, false, false);
	is_legal(0x0052a00f, false, false);
}

/* ---- 16 bits ---- */

static bool compressed_is_legal(u32 c)
{
	u32 rd = c >> 7 & 31, rs2 = c >> 2 & 31, imm = (c >> 12 & 1) << 5 | rs2;

	switch ((c & 3) << 3 | c >> 13) {
	case 0: /* c.addi4spn */
		return c >> 5 & 0xff;
	case 4:
		return false;
	case 8 + 1: /* c.addiw */
		return rd;
	case 8 + 3: /* c.addi16sp, c.lui */
		return imm;
	case 8 + 4:
		return !((c >> 10 & 7) == 7 && (c >> 6 & 1));
	case 16 + 2: /* c.lwsp, c.ldsp */
	case 16 + 3:
		return rd;
	case 16 + 4: /* c.jr needs a register; c.ebreak */
		return rd || rs2 || c >> 12 & 1;
	default:
		return true;
	}
}

/* Jumps and branches onto themselves. */
static bool goes_nowhere(u32 c)
{
	return (c & 0xfffd) == 0xa001 || ((c & 0xc003) == 0xc001 && (c & 0x1c7c) == 0);
}

/* All of them, by a user who has registers full of zeros and no memory there. */
static void compressed(void)
{
	for (u32 c = 0; c < 65536; c++) {
		bool is;

		if ((c & 3) == 3 || goes_nowhere(c))
			continue;
		put_code(c | 0x00010000); /* c.nop */
		is = attempt_user(USER_CODE_AT, 0, 0) == CAUSE_ILLEGAL &&
		     attempt.pc == USER_CODE_AT;
		if (is == compressed_is_legal(c)) {
			say("16 bits, cause, value: ");
			say_number(c);
			say_number(attempt.cause);
			say_number(attempt.value);
			leave(1);
		}
		if (is)
			check_is(attempt.value, c);
	}
}

/* ---- code that changes ---- */

static u64 call_code(void)
{
	register u64 a0 __asm__("a0") = 0;

	__asm__ volatile("jalr %1" : "+r"(a0) : "r"(code) : "ra", "memory");
	return a0;
}

/* Each time what was written is what runs, after FENCE.I: in a block that ran often, at its end,
 * where a block begins within another, and under the feet of the code that runs. */
static void changing(void)
{
	const u32 addi = 0x00050513, ret = 0x00008067; /* addi a0, a0, n */

	for (u32 n = 0; n < 2000; n++) {
		u64 wanted = n;

		for (u32 i = 0; i < 8; i++) {
			code[i] = addi | ((n + i) & 127) << 20;
			wanted += i == (n & 7) ? 0 : (n + i) & 127;
		}
		code[8] = ret;
		code[n & 7] = addi | n << 20;
		__asm__ volatile("fence.i" ::: "memory");
		check_is(call_code(), wanted);
		check_is(call_code(), wanted);
	}
	/* A store just ahead of itself: li t0, insn; sw; fence.i; (changed). */
	for (u32 n = 1; n < 200; n++) {
		register u64 a0 __asm__("a0") = (u64)&code[2];
		register u64 a1 __asm__("a1") = (addi & 0x7fff) | n << 20; /* li a0, n */

		code[0] = 0x00b52023; /* sw a1, 0(a0) */
		code[1] = 0x0000100f; /* fence.i */
		code[2] = addi;
		code[3] = ret;
		__asm__ volatile("fence.i\n\tjalr %2"
				 : "+r"(a0), "+r"(a1)
				 : "r"(code)
				 : "ra", "memory");
		check_is(a0, n);
	}
}

int main(void)
{
	check_is(csr_read(scounteren), 7); /* as firmware leaves it: users read the clock */
	attempt_init();
	map_all();
	numbers();
	counters();
	bits();
	rounding();
	privileged();
	compressed();
	changing();
	return 0;
}
