/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floating-point instructions: operands, rounding modes and flags around the arithmetic of the
 * host and of emu_float.c.
 */
#include "backends/emu/emu.h"

#include <fenv.h>
#include <math.h>

#include "backends/emu/emu_float.h"

/* ---- state ---- */

int emu_fp_use(struct backend_vcpu *h)
{
	if (!(h->sstatus & EMU_SSTATUS_FS))
		return -1;
	h->sstatus |= EMU_SSTATUS_FS;
	h->fp_dirty = true;
	return 0;
}

void emu_fp_begin(void)
{
	if (fetestexcept(FE_ALL_EXCEPT))
		(void)feclearexcept(FE_ALL_EXCEPT);
}

uint8_t emu_fflags(struct backend_vcpu *h)
{
	int host = fetestexcept(FE_ALL_EXCEPT);

	if (host) {
		(void)feclearexcept(FE_ALL_EXCEPT);
		h->fflags |=
			(host & FE_INEXACT ? FLOAT_NX : 0) | (host & FE_UNDERFLOW ? FLOAT_UF : 0) |
			(host & FE_OVERFLOW ? FLOAT_OF : 0) | (host & FE_DIVBYZERO ? FLOAT_DZ : 0) |
			(host & FE_INVALID ? FLOAT_NV : 0);
	}
	return h->fflags;
}

void emu_fcsr_set(struct backend_vcpu *h, uint8_t frm, uint8_t fflags)
{
	emu_fp_begin();
	h->fflags = fflags;
	h->frm = frm;
	h->near[FLOAT_RNE] = true;
	h->near[7] = frm == FLOAT_RNE; /* dynamic */
}

/* ---- operands ---- */

struct operands {
	const struct float_format *format;
	uint64_t a, b, c; /* bits */
	struct float_env env;
	bool near;
};

static bool is_double(enum emu_opcode opcode)
{
	return (opcode - EMU_FADD_S) & 1;
}

static uint64_t operand(const struct backend_vcpu *h, uint32_t reg, bool wide)
{
	return wide ? h->f[reg] : float_unbox(h->f[reg]);
}

static void set_f(struct backend_vcpu *h, uint32_t rd, uint64_t bits, bool wide)
{
	h->f[rd] = wide ? bits : float_box((uint32_t)bits);
}

/* -1 for a rounding mode that there is not. */
static int take_operands(
	struct backend_vcpu *h, enum emu_opcode opcode, const struct emu_op *op, struct operands *o)
{
	bool wide = is_double(opcode);
	uint32_t rounding = op->aux == 7 ? h->frm : op->aux;

	o->format = wide ? &float_double : &float_single;
	o->a = operand(h, op->rs1, wide);
	o->b = operand(h, op->rs2 & 31u, wide);
	o->near = h->near[op->aux];
	o->env = (struct float_env){ .rounding = (enum float_rounding)rounding };
	return rounding > FLOAT_RMM ? -1 : 0;
}

/* ---- arithmetic ---- */

static uint64_t host_sqrt(const struct operands *o)
{
	if (o->format == &float_double) {
		double r = sqrt(float_d(o->a));

		return r != r ? FLOAT_D_NAN : float_d_bits(r);
	} else {
		float r = sqrtf(float_s(float_box((uint32_t)o->a)));

		return r != r ? (uint32_t)FLOAT_S_NAN : (uint32_t)float_s_bits(r);
	}
}

static uint64_t arithmetic(enum emu_opcode opcode, struct operands *o)
{
	uint64_t sign = float_sign_bit(o->format);

	switch (opcode) {
	case EMU_FADD_S:
	case EMU_FADD_D:
		return float_add(o->format, o->a, o->b, &o->env);
	case EMU_FSUB_S:
	case EMU_FSUB_D:
		/* A NaN's sign does not matter. */
		return float_add(o->format, o->a, o->b ^ sign, &o->env);
	case EMU_FMUL_S:
	case EMU_FMUL_D:
		return float_mul(o->format, o->a, o->b, &o->env);
	case EMU_FDIV_S:
	case EMU_FDIV_D:
		return float_div(o->format, o->a, o->b, &o->env);
	default:
		return o->near ? host_sqrt(o) : float_sqrt(o->format, o->a, &o->env);
	}
}

/* ---- fused ---- */

/* Infinity times zero is invalid even where the third is a NaN; hosts differ. */
static bool plain(const struct operands *o)
{
	const uint64_t infinity = float_infinity(o->format), sign = float_sign_bit(o->format);

	return (o->a & ~sign) < infinity && (o->b & ~sign) < infinity && (o->c & ~sign) < infinity;
}

static uint64_t host_fma(const struct operands *o)
{
	if (o->format == &float_double)
		return float_d_bits(fma(float_d(o->a), float_d(o->b), float_d(o->c)));
	return (uint32_t)float_s_bits(fmaf(float_s(float_box((uint32_t)o->a)),
		float_s(float_box((uint32_t)o->b)), float_s(float_box((uint32_t)o->c))));
}

static uint64_t fused(
	struct backend_vcpu *h, enum emu_opcode opcode, const struct emu_op *op, struct operands *o)
{
	uint64_t sign = float_sign_bit(o->format);

	o->c = operand(h, (uint32_t)op->imm, is_double(opcode));
	if (opcode >= EMU_FNMSUB_S)
		o->a ^= sign;
	if (opcode == EMU_FMSUB_S || opcode == EMU_FMSUB_D || opcode == EMU_FNMADD_S ||
		opcode == EMU_FNMADD_D)
		o->c ^= sign;
	if (o->near && plain(o))
		return host_fma(o);
	return float_fma(o->format, o->a, o->b, o->c, &o->env);
}

/* ---- signs, order, class ---- */

static uint64_t inject_sign(enum emu_opcode opcode, const struct operands *o)
{
	uint64_t sign = float_sign_bit(o->format), from = o->b;

	if (opcode == EMU_FSGNJN_S || opcode == EMU_FSGNJN_D)
		from = ~o->b;
	else if (opcode == EMU_FSGNJX_S || opcode == EMU_FSGNJX_D)
		from = o->a ^ o->b;
	return (o->a & ~sign) | (from & sign);
}

/* Numbers in their order, -0 below +0. */
static int64_t rank(const struct operands *o, uint64_t v)
{
	uint64_t sign = float_sign_bit(o->format);

	return v & sign ? -(int64_t)(v & ~sign) - 1 : (int64_t)v;
}

static uint64_t min_max(bool max, struct operands *o)
{
	bool nan_a = float_is_nan(o->format, o->a), nan_b = float_is_nan(o->format, o->b);

	if (float_is_signaling(o->format, o->a) || float_is_signaling(o->format, o->b))
		o->env.flags |= FLOAT_NV;
	if (nan_a && nan_b)
		return float_nan(o->format);
	if (nan_a || nan_b)
		return nan_a ? o->b : o->a;
	return (rank(o, o->a) < rank(o, o->b)) != max ? o->a : o->b;
}

static uint64_t compare(enum emu_opcode opcode, struct operands *o)
{
	bool quiet = opcode == EMU_FEQ_S || opcode == EMU_FEQ_D;
	bool less = opcode == EMU_FLT_S || opcode == EMU_FLT_D;
	bool zeros = ((o->a | o->b) & ~float_sign_bit(o->format)) == 0;

	if (float_is_nan(o->format, o->a) || float_is_nan(o->format, o->b)) {
		if (!quiet || float_is_signaling(o->format, o->a) ||
			float_is_signaling(o->format, o->b))
			o->env.flags |= FLOAT_NV;
		return 0;
	}
	if (quiet)
		return o->a == o->b || zeros;
	if (zeros)
		return !less;
	return less ? rank(o, o->a) < rank(o, o->b) : rank(o, o->a) <= rank(o, o->b);
}

static uint64_t classify(const struct operands *o)
{
	uint64_t sign = float_sign_bit(o->format), magnitude = o->a & ~sign;
	uint64_t infinity = float_infinity(o->format);
	bool negative = o->a & sign;

	if (float_is_nan(o->format, o->a))
		return float_is_signaling(o->format, o->a) ? 1u << 8 : 1u << 9;
	if (magnitude == infinity)
		return negative ? 1u << 0 : 1u << 7;
	if (magnitude == 0)
		return negative ? 1u << 3 : 1u << 4;
	if (magnitude >> o->format->fraction == 0)
		return negative ? 1u << 2 : 1u << 5;
	return negative ? 1u << 1 : 1u << 6;
}

/* ---- conversions ---- */

static uint64_t to_int(enum emu_opcode opcode, struct operands *o)
{
	unsigned int kind = (opcode - EMU_FCVT_W_S) / 2;
	double v;

	/* C truncates; the host knows when that was inexact. */
	if (o->env.rounding == FLOAT_RTZ && (kind == 0 || kind == 2) &&
		!float_is_nan(o->format, o->a)) {
		v = o->format == &float_double ? float_d(o->a)
					       : (double)float_s(float_box((uint32_t)o->a));
		if (kind == 0 && v > -2147483649.0 && v < 2147483648.0)
			return (uint64_t)(int64_t)(int32_t)v;
		if (kind == 2 && v >= -9223372036854775808.0 && v < 9223372036854775808.0)
			return (uint64_t)(int64_t)v;
	}
	return float_to_int(o->format, o->a, kind < 2 ? 32 : 64, kind == 0 || kind == 2, &o->env);
}

static uint64_t from_int(enum emu_opcode opcode, uint64_t v, struct operands *o)
{
	unsigned int kind = (opcode - EMU_FCVT_S_W) / 2;

	if (kind == 0)
		v = (uint64_t)(int64_t)(int32_t)v;
	else if (kind == 1)
		v = (uint32_t)v;
	if (o->near && o->format == &float_double && kind != 3)
		return float_d_bits((double)(int64_t)v);
	return float_from_int(o->format, v, kind == 0 || kind == 2, &o->env);
}

/* FCVT.S.D and FCVT.D.S; the operand has the other format than the result. */
static void convert(
	struct backend_vcpu *h, enum emu_opcode opcode, const struct emu_op *op, struct operands *o)
{
	bool widen = opcode == EMU_FCVT_D_S;
	uint64_t a = operand(h, op->rs1, !widen);

	set_f(h, op->rd,
		float_convert(widen ? &float_single : &float_double,
			widen ? &float_double : &float_single, a, &o->env),
		widen);
}

/* ---- the instruction ---- */

static void move(struct backend_vcpu *h, enum emu_opcode opcode, const struct emu_op *op)
{
	switch (opcode) {
	case EMU_FMV_X_W:
		h->x[op->rd] = (uint64_t)(int64_t)(int32_t)(uint32_t)h->f[op->rs1];
		break;
	case EMU_FMV_X_D:
		h->x[op->rd] = h->f[op->rs1];
		break;
	case EMU_FMV_W_X:
		h->f[op->rd] = float_box((uint32_t)h->x[op->rs1]);
		break;
	default:
		h->f[op->rd] = h->x[op->rs1];
		break;
	}
}

/* What has no rounding mode. */
static void unrounded(
	struct backend_vcpu *h, enum emu_opcode opcode, const struct emu_op *op, struct operands *o)
{
	if (opcode <= EMU_FSGNJX_D)
		set_f(h, op->rd, inject_sign(opcode, o), is_double(opcode));
	else if (opcode <= EMU_FMAX_D)
		set_f(h, op->rd, min_max(opcode >= EMU_FMAX_S, o), is_double(opcode));
	else if (opcode <= EMU_FLE_D)
		h->x[op->rd] = compare(opcode, o);
	else
		h->x[op->rd] = classify(o);
}

static void rounded(
	struct backend_vcpu *h, enum emu_opcode opcode, const struct emu_op *op, struct operands *o)
{
	if (opcode <= EMU_FSQRT_D)
		set_f(h, op->rd, arithmetic(opcode, o), is_double(opcode));
	else if (opcode <= EMU_FNMADD_D)
		set_f(h, op->rd, fused(h, opcode, op, o), is_double(opcode));
	else if (opcode <= EMU_FCVT_LU_D)
		h->x[op->rd] = to_int(opcode, o);
	else if (opcode <= EMU_FCVT_D_LU)
		set_f(h, op->rd, from_int(opcode, h->x[op->rs1], o), is_double(opcode));
	else
		convert(h, opcode, op, o);
}

int emu_fp(struct backend_vcpu *h, enum emu_opcode opcode, const struct emu_op *op)
{
	struct operands o;
	int r;

	if (opcode >= EMU_FMV_X_W) {
		move(h, opcode, op);
		return 0;
	}
	r = take_operands(h, opcode, op, &o);
	if (opcode >= EMU_FSGNJ_S && opcode <= EMU_FCLASS_D) {
		unrounded(h, opcode, op, &o);
	} else {
		if (r < 0)
			return -1;
		rounded(h, opcode, op, &o);
	}
	h->fflags |= o.env.flags;
	return 0;
}
