/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every floating-point instruction in every rounding mode, named in the instruction and taken from
 * frm, on numbers that matter and on random ones.  A line says what the results and the flags of
 * one instruction come to in one round; a round has 24,000 vectors where there is a rounding mode.
 * fp.expected was made by running this program on another emulator.
 */
#include "tests/emu/guest.h"

#define VECTORS 2400
#define ROUNDS  5

struct result {
	u64 bits, flags;
};

typedef void operation(const u64 *in, struct result *out);

/* Results in a floating-point register, and in an integer one. */
#define F_RESULT(id, text)                                                                         \
	static void id(const u64 *in, struct result *out)                                          \
	{                                                                                          \
		__asm__ volatile("fmv.d.x ft0, %2\n\tfmv.d.x ft1, %3\n\tfmv.d.x ft2, %4\n\t" text  \
				 "\n\tfmv.x.d %0, ft3\n\tcsrrwi %1, fflags, 0"                     \
				 : "=r"(out->bits), "=r"(out->flags)                               \
				 : "r"(in[0]), "r"(in[1]), "r"(in[2])                              \
				 : "ft0", "ft1", "ft2", "ft3");                                    \
	}
#define X_RESULT(id, text)                                                                         \
	static void id(const u64 *in, struct result *out)                                          \
	{                                                                                          \
		__asm__ volatile("fmv.d.x ft0, %2\n\tfmv.d.x ft1, %3\n\t" text                     \
				 "\n\tcsrrwi %1, fflags, 0"                                        \
				 : "=r"(out->bits), "=r"(out->flags)                               \
				 : "r"(in[0]), "r"(in[1])                                          \
				 : "ft0", "ft1");                                                  \
	}

#define FORMS(kind, id, text)                                                                      \
	kind(id##_rne, text ", rne") kind(id##_rtz, text ", rtz") kind(id##_rdn, text ", rdn")     \
		kind(id##_rup, text ", rup") kind(id##_rmm, text ", rmm")                          \
			kind(id##_dyn, text ", dyn")

#define TWO   " ft3, ft0, ft1"
#define THREE " ft3, ft0, ft1, ft2"
#define ONE   " ft3, ft0"
#define TO_X  " %0, ft0"
#define OF_X  " ft3, %2"

/* ROUNDED: a rounding mode; EXACT: none. */
#define ALL(ROUNDED, EXACT)                                                                        \
	ROUNDED(F_RESULT, fadd_s, "fadd.s" TWO, single)                                            \
	ROUNDED(F_RESULT, fadd_d, "fadd.d" TWO, twice)                                             \
	ROUNDED(F_RESULT, fsub_s, "fsub.s" TWO, single)                                            \
	ROUNDED(F_RESULT, fsub_d, "fsub.d" TWO, twice)                                             \
	ROUNDED(F_RESULT, fmul_s, "fmul.s" TWO, single)                                            \
	ROUNDED(F_RESULT, fmul_d, "fmul.d" TWO, twice)                                             \
	ROUNDED(F_RESULT, fdiv_s, "fdiv.s" TWO, single)                                            \
	ROUNDED(F_RESULT, fdiv_d, "fdiv.d" TWO, twice)                                             \
	ROUNDED(F_RESULT, fsqrt_s, "fsqrt.s" ONE, single)                                          \
	ROUNDED(F_RESULT, fsqrt_d, "fsqrt.d" ONE, twice)                                           \
	ROUNDED(F_RESULT, fmadd_s, "fmadd.s" THREE, single)                                        \
	ROUNDED(F_RESULT, fmadd_d, "fmadd.d" THREE, twice)                                         \
	ROUNDED(F_RESULT, fmsub_s, "fmsub.s" THREE, single)                                        \
	ROUNDED(F_RESULT, fmsub_d, "fmsub.d" THREE, twice)                                         \
	ROUNDED(F_RESULT, fnmsub_s, "fnmsub.s" THREE, single)                                      \
	ROUNDED(F_RESULT, fnmsub_d, "fnmsub.d" THREE, twice)                                       \
	ROUNDED(F_RESULT, fnmadd_s, "fnmadd.s" THREE, single)                                      \
	ROUNDED(F_RESULT, fnmadd_d, "fnmadd.d" THREE, twice)                                       \
	ROUNDED(F_RESULT, fcvt_s_d, "fcvt.s.d" ONE, twice)                                         \
	ROUNDED(X_RESULT, fcvt_w_s, "fcvt.w.s" TO_X, single)                                       \
	ROUNDED(X_RESULT, fcvt_w_d, "fcvt.w.d" TO_X, twice)                                        \
	ROUNDED(X_RESULT, fcvt_wu_s, "fcvt.wu.s" TO_X, single)                                     \
	ROUNDED(X_RESULT, fcvt_wu_d, "fcvt.wu.d" TO_X, twice)                                      \
	ROUNDED(X_RESULT, fcvt_l_s, "fcvt.l.s" TO_X, single)                                       \
	ROUNDED(X_RESULT, fcvt_l_d, "fcvt.l.d" TO_X, twice)                                        \
	ROUNDED(X_RESULT, fcvt_lu_s, "fcvt.lu.s" TO_X, single)                                     \
	ROUNDED(X_RESULT, fcvt_lu_d, "fcvt.lu.d" TO_X, twice)                                      \
	ROUNDED(F_RESULT, fcvt_s_w, "fcvt.s.w" OF_X, whole)                                        \
	ROUNDED(F_RESULT, fcvt_s_wu, "fcvt.s.wu" OF_X, whole)                                      \
	ROUNDED(F_RESULT, fcvt_s_l, "fcvt.s.l" OF_X, whole)                                        \
	ROUNDED(F_RESULT, fcvt_s_lu, "fcvt.s.lu" OF_X, whole)                                      \
	ROUNDED(F_RESULT, fcvt_d_l, "fcvt.d.l" OF_X, whole)                                        \
	ROUNDED(F_RESULT, fcvt_d_lu, "fcvt.d.lu" OF_X, whole)                                      \
	EXACT(F_RESULT, fcvt_d_w, "fcvt.d.w" OF_X, whole)                                          \
	EXACT(F_RESULT, fcvt_d_wu, "fcvt.d.wu" OF_X, whole)                                        \
	EXACT(F_RESULT, fcvt_d_s, "fcvt.d.s" ONE, single)                                          \
	EXACT(F_RESULT, fsgnj_s, "fsgnj.s" TWO, single)                                            \
	EXACT(F_RESULT, fsgnj_d, "fsgnj.d" TWO, twice)                                             \
	EXACT(F_RESULT, fsgnjn_s, "fsgnjn.s" TWO, single)                                          \
	EXACT(F_RESULT, fsgnjn_d, "fsgnjn.d" TWO, twice)                                           \
	EXACT(F_RESULT, fsgnjx_s, "fsgnjx.s" TWO, single)                                          \
	EXACT(F_RESULT, fsgnjx_d, "fsgnjx.d" TWO, twice)                                           \
	EXACT(F_RESULT, fmin_s, "fmin.s" TWO, single)                                              \
	EXACT(F_RESULT, fmin_d, "fmin.d" TWO, twice)                                               \
	EXACT(F_RESULT, fmax_s, "fmax.s" TWO, single)                                              \
	EXACT(F_RESULT, fmax_d, "fmax.d" TWO, twice)                                               \
	EXACT(X_RESULT, feq_s, "feq.s %0, ft0, ft1", single)                                       \
	EXACT(X_RESULT, feq_d, "feq.d %0, ft0, ft1", twice)                                        \
	EXACT(X_RESULT, flt_s, "flt.s %0, ft0, ft1", single)                                       \
	EXACT(X_RESULT, flt_d, "flt.d %0, ft0, ft1", twice)                                        \
	EXACT(X_RESULT, fle_s, "fle.s %0, ft0, ft1", single)                                       \
	EXACT(X_RESULT, fle_d, "fle.d %0, ft0, ft1", twice)                                        \
	EXACT(X_RESULT, fclass_s, "fclass.s" TO_X, single)                                         \
	EXACT(X_RESULT, fclass_d, "fclass.d" TO_X, twice)                                          \
	EXACT(X_RESULT, fmv_x_w, "fmv.x.w" TO_X, single)                                           \
	EXACT(F_RESULT, fmv_w_x, "fmv.w.x" OF_X, whole)

#define DEFINE_ROUNDED(kind, id, text, numbers) FORMS(kind, do_##id, text)
#define DEFINE_EXACT(kind, id, text, numbers)   kind(do_##id, text)
ALL(DEFINE_ROUNDED, DEFINE_EXACT)

/* ---- numbers ---- */

/* In the order of their formats: bits of the fraction, the exponent's bias. */
struct format {
	u64 fraction, bias;
};

static const struct format formats[] = { { 23, 127 }, { 52, 1023 } };

/* Zero, one, two, their neighbours, the ends of subnormal, normal and whole numbers, infinity, NaNs
 * quiet and signaling; without the sign. */
static u64 special(const struct format *f, u64 which)
{
	const u64 one = f->bias << f->fraction, unit = 1ul << f->fraction;
	const u64 infinity = (2 * f->bias + 1) << f->fraction;
	const u64 all[] = { 0, 1, 2, unit - 1, unit, unit + 1, 2 * unit, one - unit, one - 1, one,
		one + 1, one + unit, one + unit / 2, infinity - 1, infinity - unit, infinity,
		infinity + 1, infinity + unit / 2, infinity + unit / 2 + 1, infinity + unit - 1,
		one + 31 * unit, one + 31 * unit - 1, one + 32 * unit, one + 62 * unit,
		one + 63 * unit, one + 63 * unit - 1, one + 64 * unit, one + f->fraction * unit,
		one + f->fraction * unit + 1, infinity / 2 };

	return all[which % (sizeof(all) / sizeof(all[0]))];
}

/* @near: an exponent that one of the others has, or 0. */
static u64 number(const struct format *f, u64 *state, u64 near)
{
	const u64 unit = 1ul << f->fraction;
	u64 r = random_next(state), sign = (r >> 40 & 1) << (f->fraction == 52 ? 63 : 31), v;

	switch (r & 7) {
	case 0:
	case 1:
		v = special(f, r >> 8 & 0xffff);
		break;
	case 2: /* few bits: exact results, ties */
		v = random_next(state) % (2 * f->bias + 1) << f->fraction |
		    (random_next(state) << (f->fraction - 3) & (unit - 1));
		break;
	case 3: /* near to one, near to where whole numbers end */
		v = ((f->bias - 3 + (r >> 8) % 70) << f->fraction) +
		    (random_next(state) & (unit - 1));
		break;
	case 4: /* the smallest, and below */
		v = random_next(state) & (4 * unit - 1);
		v >>= (r >> 8) % f->fraction;
		break;
	case 5:
	case 6:
		v = (near & ~(unit - 1)) + (((r >> 8 & 63) - 32) << f->fraction);
		v += random_next(state) & (unit - 1);
		v &= ~(1ul << (f->fraction == 52 ? 63 : 31));
		break;
	default:
		v = random_next(state);
		break;
	}
	v |= sign;
	return f->fraction == 52 ? v : (u32)v;
}

static void three(const struct format *f, u64 *state, u64 *in)
{
	in[0] = number(f, state, f->bias << f->fraction);
	in[1] = number(f, state, in[0]);
	in[2] = number(f, state, in[0] + in[1] - (f->bias << f->fraction));
}

static void make_single(u64 *state, u64 *in)
{
	three(&formats[0], state, in);
	/* One in 32 is not a single number, but half a double one. */
	for (int i = 0; i < 3; i++)
		in[i] |= (random_next(state) & 31) ? 0xffffffff00000000 : random_next(state) << 32;
}

static void make_twice(u64 *state, u64 *in)
{
	three(&formats[1], state, in);
	/* Of use to those that make them single: what is near to their ends. */
	if ((random_next(state) & 3) == 0)
		in[0] = (in[0] & ~(0x7fful << 52)) | (1023 - 153 + random_next(state) % 290) << 52;
}

static void make_whole(u64 *state, u64 *in)
{
	u64 r = random_next(state);

	in[0] = r & 1 ? random_next(state) >> (r >> 8 & 63)
		      : (u64)((s64)random_next(state) >> (r >> 8 & 63));
	if ((r & 6) == 0)
		in[0] = (1ul << (r >> 8 & 63)) + (r >> 16 & 3) - 2;
	if ((r & 6) == 2) /* a tie, and what lies beside it */
		in[0] = ((r >> 32) << 30) + (1ul << 29) + (r >> 16 & 3) - 1;
	in[1] = in[2] = 0;
}

/* ---- all of them ---- */

typedef void maker(u64 *state, u64 *in);

struct row {
	const char *name;
	maker *make;
	operation *forms[6]; /* by rounding mode, and dynamic; one alone where there is none */
};

#define ROW_ROUNDED(kind, id, text, numbers)                                                       \
	{ #id, make_##numbers,                                                                     \
		{ do_##id##_rne, do_##id##_rtz, do_##id##_rdn, do_##id##_rup, do_##id##_rmm,       \
			do_##id##_dyn } },
#define ROW_EXACT(kind, id, text, numbers) { #id, make_##numbers, { do_##id } },
static const struct row rows[] = { ALL(ROW_ROUNDED, ROW_EXACT) };

static u64 run(const struct row *row, operation *op, u64 frm, u64 *state, u64 hash)
{
	struct result r;
	u64 in[3];

	__asm__ volatile("fsrm %0" ::"r"(frm));
	for (int i = 0; i < VECTORS; i++) {
		row->make(state, in);
		op(in, &r);
		hash = mix(mix(hash, r.bits), r.flags);
	}
	return hash;
}

static u64 run_row(const struct row *row, u64 *state)
{
	u64 hash = 0;

	if (!row->forms[1]) { /* as many vectors as the others have */
		for (u64 i = 0; i < 10; i++)
			hash = run(row, row->forms[0], i % 5, state, hash);
		return hash;
	}
	/* A mode in the instruction counts whatever frm says. */
	for (u64 i = 0; i < 5; i++)
		hash = run(row, row->forms[i], (i + 2) % 5, state, hash);
	for (u64 i = 0; i < 5; i++)
		hash = run(row, row->forms[5], i, state, hash);
	return hash;
}

int main(void)
{
	u64 state = 2024, rounds;

	/* How many rounds: what the machine's register says, or all. */
	rounds = guest_argument && guest_argument < ROUNDS ? guest_argument : ROUNDS;
	__asm__ volatile("fscsr zero");
	for (u64 round = 0; round < rounds; round++)
		for (u64 i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			say_result(rows[i].name, run_row(&rows[i], &state));
	return 0;
}
