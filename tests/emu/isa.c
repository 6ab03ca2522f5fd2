/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every integer instruction, on numbers that matter and on random ones; a line a piece says what
 * all results come to.  isa.expected was made by running this program on another emulator.
 */
#include "tests/emu/guest.h"

#define VECTORS 600

static const u64 special[] = { 0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000,
	0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
	0x8000000000000000, 0xffffffff80000000, 0xffffffff7fffffff, 0xfffffffffffffffe,
	0xffffffffffffffff, 0x0123456789abcdef, 0x00ff00ff00ff00ff, 0x8080808080808080 };

#define SPECIALS (sizeof(special) / sizeof(special[0]))

static u64 number(u64 *state)
{
	u64 r = random_next(state);

	switch (r & 3) {
	case 0:
		return special[(r >> 8) % SPECIALS];
	case 1:
		return random_next(state) >> (r >> 8 & 63);
	case 2:
		return (u64)((s64)random_next(state) >> (r >> 8 & 63));
	default:
		return random_next(state);
	}
}

typedef u64 binary(u64 a, u64 b);
typedef u64 unary(u64 a);

#define BINARY(id, text)                                                                           \
	static u64 do_##id(u64 a, u64 b)                                                           \
	{                                                                                          \
		u64 r;                                                                             \
		__asm__ volatile(text " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));                   \
		return r;                                                                          \
	}
#define UNARY(id, text)                                                                            \
	static u64 do_##id(u64 a)                                                                  \
	{                                                                                          \
		u64 r;                                                                             \
		__asm__ volatile(text " %0, %1" : "=r"(r) : "r"(a));                               \
		return r;                                                                          \
	}
/* Each of the immediates, one result after the other. */
#define ONE(text, n) "\t" text " t0, %1, " #n "\n\tmul %0, %0, %2\n\txor %0, %0, t0\n"
#define IMMEDIATE(id, all)                                                                         \
	static u64 do_##id(u64 a)                                                                  \
	{                                                                                          \
		u64 r = 0;                                                                         \
		__asm__ volatile(all : "+&r"(r) : "r"(a), "r"(0x100000001b3ul) : "t0");            \
		return r;                                                                          \
	}
#define TWELVE_BITS(t)                                                                             \
	ONE(t, 0) ONE(t, 1) ONE(t, -1) ONE(t, 2047) ONE(t, -2048) ONE(t, 255) ONE(t, -77)
#define SIX_BITS(t)                                                                                \
	ONE(t, 0) ONE(t, 1) ONE(t, 7) ONE(t, 31) ONE(t, 32) ONE(t, 33) ONE(t, 62) ONE(t, 63)
#define FIVE_BITS(t) ONE(t, 0) ONE(t, 1) ONE(t, 7) ONE(t, 15) ONE(t, 16) ONE(t, 30) ONE(t, 31)

BINARY(add, "add")
BINARY(sub, "sub")
BINARY(sll, "sll")
BINARY(slt, "slt")
BINARY(sltu, "sltu")
BINARY(xor, "xor")
BINARY(srl, "srl")
BINARY(sra, "sra")
BINARY(or, "or")
BINARY(and, "and")
BINARY(addw, "addw")
BINARY(subw, "subw")
BINARY(sllw, "sllw")
BINARY(srlw, "srlw")
BINARY(sraw, "sraw")
BINARY(mul, "mul")
BINARY(mulh, "mulh")
BINARY(mulhsu, "mulhsu")
BINARY(mulhu, "mulhu")
BINARY(div, "div")
BINARY(divu, "divu")
BINARY(rem, "rem")
BINARY(remu, "remu")
BINARY(mulw, "mulw")
BINARY(divw, "divw")
BINARY(divuw, "divuw")
BINARY(remw, "remw")
BINARY(remuw, "remuw")
BINARY(add_uw, "add.uw")
BINARY(sh1add, "sh1add")
BINARY(sh2add, "sh2add")
BINARY(sh3add, "sh3add")
BINARY(sh1add_uw, "sh1add.uw")
BINARY(sh2add_uw, "sh2add.uw")
BINARY(sh3add_uw, "sh3add.uw")
BINARY(andn, "andn")
BINARY(orn, "orn")
BINARY(xnor, "xnor")
BINARY(max, "max")
BINARY(maxu, "maxu")
BINARY(min, "min")
BINARY(minu, "minu")
BINARY(rol, "rol")
BINARY(ror, "ror")
BINARY(rolw, "rolw")
BINARY(rorw, "rorw")
BINARY(bclr, "bclr")
BINARY(bext, "bext")
BINARY(binv, "binv")
BINARY(bset, "bset")
UNARY(clz, "clz")
UNARY(ctz, "ctz")
UNARY(cpop, "cpop")
UNARY(clzw, "clzw")
UNARY(ctzw, "ctzw")
UNARY(cpopw, "cpopw")
UNARY(sext_b, "sext.b")
UNARY(sext_h, "sext.h")
UNARY(zext_h, "zext.h")
UNARY(orc_b, "orc.b")
UNARY(rev8, "rev8")
IMMEDIATE(addi, TWELVE_BITS("addi"))
IMMEDIATE(slti, TWELVE_BITS("slti"))
IMMEDIATE(sltiu, TWELVE_BITS("sltiu"))
IMMEDIATE(xori, TWELVE_BITS("xori"))
IMMEDIATE(ori, TWELVE_BITS("ori"))
IMMEDIATE(andi, TWELVE_BITS("andi"))
IMMEDIATE(addiw, TWELVE_BITS("addiw"))
IMMEDIATE(slli, SIX_BITS("slli"))
IMMEDIATE(srli, SIX_BITS("srli"))
IMMEDIATE(srai, SIX_BITS("srai"))
IMMEDIATE(rori, SIX_BITS("rori"))
IMMEDIATE(slli_uw, SIX_BITS("slli.uw"))
IMMEDIATE(bclri, SIX_BITS("bclri"))
IMMEDIATE(bexti, SIX_BITS("bexti"))
IMMEDIATE(binvi, SIX_BITS("binvi"))
IMMEDIATE(bseti, SIX_BITS("bseti"))
IMMEDIATE(slliw, FIVE_BITS("slliw"))
IMMEDIATE(srliw, FIVE_BITS("srliw"))
IMMEDIATE(sraiw, FIVE_BITS("sraiw"))
IMMEDIATE(roriw, FIVE_BITS("roriw"))

static const struct {
	const char *name;
	binary *f;
} binaries[] = {
	{ "add", do_add },
	{ "sub", do_sub },
	{ "sll", do_sll },
	{ "slt", do_slt },
	{ "sltu", do_sltu },
	{ "xor", do_xor },
	{ "srl", do_srl },
	{ "sra", do_sra },
	{ "or", do_or },
	{ "and", do_and },
	{ "addw", do_addw },
	{ "subw", do_subw },
	{ "sllw", do_sllw },
	{ "srlw", do_srlw },
	{ "sraw", do_sraw },
	{ "mul", do_mul },
	{ "mulh", do_mulh },
	{ "mulhsu", do_mulhsu },
	{ "mulhu", do_mulhu },
	{ "div", do_div },
	{ "divu", do_divu },
	{ "rem", do_rem },
	{ "remu", do_remu },
	{ "mulw", do_mulw },
	{ "divw", do_divw },
	{ "divuw", do_divuw },
	{ "remw", do_remw },
	{ "remuw", do_remuw },
	{ "add.uw", do_add_uw },
	{ "sh1add", do_sh1add },
	{ "sh2add", do_sh2add },
	{ "sh3add", do_sh3add },
	{ "sh1add.uw", do_sh1add_uw },
	{ "sh2add.uw", do_sh2add_uw },
	{ "sh3add.uw", do_sh3add_uw },
	{ "andn", do_andn },
	{ "orn", do_orn },
	{ "xnor", do_xnor },
	{ "max", do_max },
	{ "maxu", do_maxu },
	{ "min", do_min },
	{ "minu", do_minu },
	{ "rol", do_rol },
	{ "ror", do_ror },
	{ "rolw", do_rolw },
	{ "rorw", do_rorw },
	{ "bclr", do_bclr },
	{ "bext", do_bext },
	{ "binv", do_binv },
	{ "bset", do_bset },
};

static const struct {
	const char *name;
	unary *f;
} unaries[] = {
	{ "clz", do_clz },
	{ "ctz", do_ctz },
	{ "cpop", do_cpop },
	{ "clzw", do_clzw },
	{ "ctzw", do_ctzw },
	{ "cpopw", do_cpopw },
	{ "sext.b", do_sext_b },
	{ "sext.h", do_sext_h },
	{ "zext.h", do_zext_h },
	{ "orc.b", do_orc_b },
	{ "rev8", do_rev8 },
	{ "addi", do_addi },
	{ "slti", do_slti },
	{ "sltiu", do_sltiu },
	{ "xori", do_xori },
	{ "ori", do_ori },
	{ "andi", do_andi },
	{ "addiw", do_addiw },
	{ "slli", do_slli },
	{ "srli", do_srli },
	{ "srai", do_srai },
	{ "rori", do_rori },
	{ "slli.uw", do_slli_uw },
	{ "bclri", do_bclri },
	{ "bexti", do_bexti },
	{ "binvi", do_binvi },
	{ "bseti", do_bseti },
	{ "slliw", do_slliw },
	{ "srliw", do_srliw },
	{ "sraiw", do_sraiw },
	{ "roriw", do_roriw },
};

static void run_arithmetic(void)
{
	for (u64 i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++) {
		u64 state = i, hash = 0;

		for (int n = 0; n < VECTORS; n++) {
			u64 a = number(&state), b = number(&state);

			hash = mix(hash, binaries[i].f(a, b));
		}
		say_result(binaries[i].name, hash);
	}
	for (u64 i = 0; i < sizeof(unaries) / sizeof(unaries[0]); i++) {
		u64 state = i, hash = 0;

		for (int n = 0; n < VECTORS; n++)
			hash = mix(hash, unaries[i].f(number(&state)));
		say_result(unaries[i].name, hash);
	}
}

/* ---- upper immediates ---- */

static void run_upper(void)
{
	u64 r, here, hash = 0;

#define LUI(n)                                                                                     \
	__asm__ volatile("lui %0, " #n : "=r"(r));                                                 \
	hash = mix(hash, r);
#define AUIPC(n)                                                                                   \
	__asm__ volatile("1: auipc %0, " #n "\n\tla %1, 1b" : "=&r"(r), "=&r"(here));              \
	hash = mix(hash, r - here);
	LUI(0)
	LUI(1)
	LUI(0x7ffff)
	LUI(0x80000)
	LUI(0xfffff)
	LUI(0x12345)
	say_result("lui", hash);
	hash = 0;
	AUIPC(0)
	AUIPC(1)
	AUIPC(0x7ffff)
	AUIPC(0x80000)
	AUIPC(0xfffff)
	say_result("auipc", hash);
}

/* ---- branches and jumps ---- */

#define BRANCH(id)                                                                                 \
	static u64 do_##id(u64 a, u64 b)                                                           \
	{                                                                                          \
		u64 r;                                                                             \
		__asm__ volatile("li %0, 1\n\t" #id " %1, %2, 1f\n\tli %0, 0\n1:"                  \
				 : "=&r"(r)                                                        \
				 : "r"(a), "r"(b));                                                \
		return r;                                                                          \
	}
BRANCH(beq)
BRANCH(bne)
BRANCH(blt)
BRANCH(bge)
BRANCH(bltu)
BRANCH(bgeu)

static void run_branches(void)
{
	static const struct {
		const char *name;
		binary *f;
	} all[] = { { "beq", do_beq }, { "bne", do_bne }, { "blt", do_blt }, { "bge", do_bge },
		{ "bltu", do_bltu }, { "bgeu", do_bgeu } };

	for (u64 i = 0; i < 6; i++) {
		u64 state = 77, hash = 0;

		for (int n = 0; n < VECTORS; n++) {
			u64 a = number(&state), b = n & 1 ? a : number(&state);

			hash = mix(hash, all[i].f(a, b));
		}
		say_result(all[i].name, hash);
	}
}

static void run_jumps(void)
{
	u64 r, link, hash = 0;

	/* The links, as distances; targets are made even; a jump back; one onto itself's register.
	 */
	__asm__ volatile("la %0, 1f\n\tjal %1, 1f\n1:\n\tsub %0, %1, %0" : "=&r"(r), "=&r"(link));
	hash = mix(hash, r);
	__asm__ volatile("la %0, 1f\n\taddi %0, %0, 1\n\tjalr %1, 0(%0)\n\tli %0, 0\n1:\n\t"
			 "la t0, 1b\n\tsub %1, %1, t0"
			 : "=&r"(r), "=&r"(link)::"t0");
	hash = mix(hash, link);
	__asm__ volatile("la %0, 1f - 100\n\tjalr %0, 100(%0)\n\tnop\n1:\n\tla t0, 1b\n\t"
			 "sub %0, %0, t0"
			 : "=&r"(r)::"t0");
	hash = mix(hash, r);
	__asm__ volatile("li %0, 0\n\tj 2f\n1:\n\taddi %0, %0, 5\n\tj 3f\n2:\n\taddi %0, %0, 2\n\t"
			 "j 1b\n3:"
			 : "=&r"(r));
	hash = mix(hash, r);
	say_result("jal, jalr", hash);
}

/* ---- memory ---- */

static u8 memory[3 * 4096] __attribute__((aligned(4096)));

#define LOAD(id)                                                                                   \
	static u64 do_##id(u64 at, u64 unused)                                                     \
	{                                                                                          \
		u64 r;                                                                             \
		__asm__ volatile(#id " %0, 5(%1)" : "=r"(r) : "r"(at - 5) : "memory");             \
		(void)unused;                                                                      \
		return r;                                                                          \
	}
#define STORE(id)                                                                                  \
	static u64 do_##id(u64 at, u64 v)                                                          \
	{                                                                                          \
		__asm__ volatile(#id " %1, -9(%0)" ::"r"(at + 9), "r"(v) : "memory");              \
		return 0;                                                                          \
	}
LOAD(lb)
LOAD(lh)
LOAD(lw)
LOAD(ld)
LOAD(lbu)
LOAD(lhu)
LOAD(lwu)
STORE(sb)
STORE(sh)
STORE(sw)
STORE(sd)

static void fill(u64 state)
{
	for (u64 i = 0; i < sizeof(memory); i++)
		memory[i] = (u8)random_next(&state);
}

static u64 sum(u64 from, u64 to)
{
	u64 hash = 0;

	while (from < to)
		hash = mix(hash, memory[from++]);
	return hash;
}

static void run_memory(void)
{
	static const struct {
		const char *name;
		binary *f;
	} all[] = { { "lb", do_lb }, { "lh", do_lh }, { "lw", do_lw }, { "ld", do_ld },
		{ "lbu", do_lbu }, { "lhu", do_lhu }, { "lwu", do_lwu }, { "sb", do_sb },
		{ "sh", do_sh }, { "sw", do_sw }, { "sd", do_sd } };

	for (u64 i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		u64 hash = 0, state = i;

		fill(1);
		/* Across the end of a page, too. */
		for (u64 at = 4096 - 40; at < 4096 + 40; at++)
			hash = mix(hash, all[i].f((u64)memory + at, random_next(&state)));
		say_result(all[i].name, hash ^ sum(4000, 4200));
	}
}

/* ---- atomics ---- */

#define AMO(id, text)                                                                              \
	static u64 do_##id(u64 at, u64 v)                                                          \
	{                                                                                          \
		u64 r;                                                                             \
		__asm__ volatile(text " %0, %2, (%1)" : "=&r"(r) : "r"(at), "r"(v) : "memory");    \
		return r;                                                                          \
	}
AMO(amoswap_w, "amoswap.w")
AMO(amoadd_w, "amoadd.w")
AMO(amoxor_w, "amoxor.w")
AMO(amoand_w, "amoand.w")
AMO(amoor_w, "amoor.w")
AMO(amomin_w, "amomin.w")
AMO(amomax_w, "amomax.w")
AMO(amominu_w, "amominu.w")
AMO(amomaxu_w, "amomaxu.w")
AMO(amoswap_d, "amoswap.d")
AMO(amoadd_d, "amoadd.d")
AMO(amoxor_d, "amoxor.d")
AMO(amoand_d, "amoand.d")
AMO(amoor_d, "amoor.d")
AMO(amomin_d, "amomin.d")
AMO(amomax_d, "amomax.d")
AMO(amominu_d, "amominu.d")
AMO(amomaxu_d, "amomaxu.d")
AMO(amoadd_w_aqrl, "amoadd.w.aqrl")
AMO(amoswap_d_aq, "amoswap.d.aq")

static const struct {
	const char *name;
	binary *f;
} amos[] = {
	{ "amoswap.w", do_amoswap_w },
	{ "amoadd.w", do_amoadd_w },
	{ "amoxor.w", do_amoxor_w },
	{ "amoand.w", do_amoand_w },
	{ "amoor.w", do_amoor_w },
	{ "amomin.w", do_amomin_w },
	{ "amomax.w", do_amomax_w },
	{ "amominu.w", do_amominu_w },
	{ "amomaxu.w", do_amomaxu_w },
	{ "amoswap.d", do_amoswap_d },
	{ "amoadd.d", do_amoadd_d },
	{ "amoxor.d", do_amoxor_d },
	{ "amoand.d", do_amoand_d },
	{ "amoor.d", do_amoor_d },
	{ "amomin.d", do_amomin_d },
	{ "amomax.d", do_amomax_d },
	{ "amominu.d", do_amominu_d },
	{ "amomaxu.d", do_amomaxu_d },
	{ "amoadd.w.aqrl", do_amoadd_w_aqrl },
	{ "amoswap.d.aq", do_amoswap_d_aq },
};

static void run_atomics(void)
{
	u64 *cell = (u64 *)(void *)memory;
	u64 state = 5, hash = 0;

	for (u64 i = 0; i < sizeof(amos) / sizeof(amos[0]); i++) {
		hash = 0;
		for (int n = 0; n < VECTORS; n++) {
			*cell = number(&state);
			hash = mix(hash, amos[i].f((u64)cell, number(&state)));
			hash = mix(hash, *cell);
		}
		say_result(amos[i].name, hash);
	}
}

static void run_reserved(void)
{
	u64 *cell = (u64 *)(void *)memory, v, failed, hash = 0;

	*cell = 0x1122334455667788;
	__asm__ volatile("lr.d %0, (%2)\n\tsc.d %1, %3, (%2)"
			 : "=&r"(v), "=&r"(failed)
			 : "r"(cell), "r"(99ul)
			 : "memory");
	hash = mix(mix(mix(hash, v), failed), *cell);
	/* A second one without a reservation fails. */
	__asm__ volatile("sc.d %0, %2, (%1)" : "=&r"(failed) : "r"(cell), "r"(7ul) : "memory");
	hash = mix(mix(hash, failed != 0), *cell);
	*cell = 0xfedcba9887654321;
	__asm__ volatile("lr.w.aq %0, (%2)\n\tsc.w.rl %1, %3, (%2)"
			 : "=&r"(v), "=&r"(failed)
			 : "r"(cell), "r"(0x5555666677778888ul)
			 : "memory");
	hash = mix(mix(mix(hash, v), failed), *cell);
	say_result("lr, sc", hash);
}

/* ---- 16 bits ---- */

static void run_compressed(void)
{
	u64 state = 9;

	for (int round = 0; round < 40; round++) {
		u64 a = number(&state), b = number(&state), hash = 0, r;

#define C(text)                                                                                    \
	r = a;                                                                                     \
	{                                                                                          \
		register u64 r0 __asm__("a0") = r;                                                 \
		register u64 r1 __asm__("a1") = b;                                                 \
		__asm__ volatile(".option push\n\t.option rvc\n\t" text "\n\t.option pop"          \
				 : "+r"(r0)                                                        \
				 : "r"(r1)                                                         \
				 : "memory");                                                      \
		hash = mix(hash, r0);                                                              \
	}
		C("c.addi a0, 31")
		C("c.addi a0, -32")
		C("c.addiw a0, -7")
		C("c.addiw a0, 0")
		C("c.li a0, -32")
		C("c.li a0, 31")
		C("c.lui a0, 31")
		C("c.lui a0, 0xfffe0")
		C("c.srli a0, 1")
		C("c.srli a0, 63")
		C("c.srai a0, 33")
		C("c.andi a0, -3")
		C("c.sub a0, a1")
		C("c.xor a0, a1")
		C("c.or a0, a1")
		C("c.and a0, a1")
		C("c.subw a0, a1")
		C("c.addw a0, a1")
		C("c.slli a0, 40")
		C("c.mv a0, a1")
		C("c.add a0, a1")
		C("c.nop")
		C("c.j 1f\n\tc.li a0, 1\n1:")
		C("c.beqz a0, 1f\n\tc.li a0, 1\n1:")
		C("c.bnez a0, 1f\n\tc.li a0, 2\n1:")
		C("la t0, 1f\n\tc.jr t0\n\tc.li a0, 1\n1:")
		C("la t0, 1f\n\tmv t1, ra\n\tc.jalr t0\n\tc.li a0, 1\n1:\n\tsub a0, ra, t0\n\tmv "
		  "ra, t1")
		C("mv t0, sp\n\tc.addi4spn a0, sp, 1020\n\tsub a0, a0, t0")
		C("mv t0, sp\n\tc.addi4spn a0, sp, 4\n\tsub a0, a0, t0")
		C("mv t0, sp\n\tc.addi16sp sp, -512\n\tsub a0, sp, t0\n\tmv sp, t0")
		C("mv t0, sp\n\tc.addi16sp sp, 496\n\tsub a0, sp, t0\n\tmv sp, t0")
		C("addi sp, sp, -512\n\tc.sdsp a0, 248(sp)\n\tc.swsp a1, 252(sp)\n\tc.ldsp a0, "
		  "248(sp)\n\t"
		  "addi sp, sp, 512")
		C("addi sp, sp, -512\n\tc.swsp a0, 252(sp)\n\tc.lwsp a0, 252(sp)\n\taddi sp, sp, "
		  "512")
		C("addi sp, sp, -512\n\tmv a2, sp\n\tc.sd a0, 248(a2)\n\tc.sw a1, 124(a2)\n\tc.ld "
		  "a0, "
		  "248(a2)\n\tc.lw a3, 124(a2)\n\tc.add a0, a3\n\taddi sp, sp, 512")
		C("addi sp, sp, -512\n\tmv a2, sp\n\tfmv.d.x fa0, a0\n\tc.fsd fa0, "
		  "240(a2)\n\tc.fld fa1, "
		  "240(a2)\n\tc.fsdsp fa1, 64(sp)\n\tc.fldsp fa2, 64(sp)\n\tfmv.x.d a0, fa2\n\t"
		  "addi sp, sp, 512")
		if (round % 10 == 0)
			say_result("compressed", hash);
		state ^= hash;
	}
}

int main(void)
{
	run_arithmetic();
	run_upper();
	run_branches();
	run_jumps();
	run_memory();
	run_atomics();
	run_reserved();
	run_compressed();
	return 0;
}
