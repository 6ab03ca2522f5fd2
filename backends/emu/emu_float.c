/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IEEE 754 in software: a number is taken apart into sign, significand and exponent, the result is
 * computed in 128 bits, with one bit that says whether anything was lost below, and rounded once.
 * Tininess is detected after rounding, as RISC-V wants it.
 */
#include "backends/emu/emu_float.h"

typedef unsigned __int128 wide;

const struct float_format float_single = { .fraction = 23, .bias = 127 };
const struct float_format float_double = { .fraction = 52, .bias = 1023 };

/* (-1)^sign * significand * 2^exponent; a set lowest bit may stand for anything below it. */
struct number {
	bool sign;
	int exponent;
	wide significand;
};

static int length(wide v)
{
	uint64_t high = (uint64_t)(v >> 64), low = (uint64_t)v;

	if (high)
		return 128 - __builtin_clzll(high);
	return low ? 64 - __builtin_clzll(low) : 0;
}

static bool is_infinite(const struct float_format *f, uint64_t a)
{
	return (a & ~float_sign_bit(f)) == float_infinity(f);
}

static bool is_zero(const struct float_format *f, uint64_t a)
{
	return (a & ~float_sign_bit(f)) == 0;
}

static bool is_negative(const struct float_format *f, uint64_t a)
{
	return a & float_sign_bit(f);
}

/* Of a finite number. */
static struct number take_apart(const struct float_format *f, uint64_t a)
{
	uint64_t fraction = a & ((1ull << f->fraction) - 1);
	int biased = (int)((a & ~float_sign_bit(f)) >> f->fraction);
	struct number n = { is_negative(f, a), 1 - f->bias - f->fraction, fraction };

	if (biased) {
		n.significand |= 1ull << f->fraction;
		n.exponent += biased - 1;
	}
	return n;
}

/* Shifts right; what falls out stays as the lowest bit. */
static wide shift_sticky(wide v, int by)
{
	if (by <= 0)
		return v;
	if (by >= 128)
		return v != 0;
	return v >> by | ((v << (128 - by)) != 0);
}

/* Puts the highest bit at place 125, with room for a carry. */
static void lift(struct number *n)
{
	int by = 126 - length(n->significand);

	n->significand <<= by;
	n->exponent -= by;
}

/* ---- rounding ---- */

/* Whether what is @kept goes up, when @lost (of @by bits) falls away. */
static bool rounds_up(wide kept, wide lost, int by, bool sign, enum float_rounding rounding)
{
	wide half = (wide)1 << (by - 1);

	switch (rounding) {
	case FLOAT_RNE:
		return lost > half || (lost == half && (kept & 1));
	case FLOAT_RMM:
		return lost >= half;
	case FLOAT_RDN:
		return sign && lost;
	case FLOAT_RUP:
		return !sign && lost;
	default:
		return false;
	}
}

/* Drops @by bits; says whether they were all zero. */
static wide round_off(wide v, int by, bool sign, enum float_rounding rounding, bool *ret_exact)
{
	wide kept, lost;

	*ret_exact = true;
	if (by <= 0)
		return v << -by;
	if (by > 127) { /* far below one: less than half of it */
		v = v != 0;
		by = 2;
	}
	kept = v >> by;
	lost = v & (((wide)1 << by) - 1);
	*ret_exact = lost == 0;
	return kept + rounds_up(kept, lost, by, sign, rounding);
}

static uint64_t overflow(const struct float_format *f, bool sign, struct float_env *env)
{
	bool to_infinity = env->rounding == FLOAT_RNE || env->rounding == FLOAT_RMM ||
			   env->rounding == (sign ? FLOAT_RDN : FLOAT_RUP);

	env->flags |= FLOAT_OF | FLOAT_NX;
	return (sign ? float_sign_bit(f) : 0) | (float_infinity(f) - !to_infinity);
}

/* Whether a number below the normal ones stays there when its exponent has no bound. */
static bool is_tiny(
	const struct float_format *f, const struct number *n, int top, enum float_rounding rounding)
{
	int least = 1 - f->bias;
	bool exact;

	if (top >= least)
		return false;
	if (top < least - 1)
		return true;
	return !(round_off(n->significand, length(n->significand) - 1 - f->fraction, n->sign,
			 rounding, &exact) >>
		 (f->fraction + 1));
}

static uint64_t put_together(const struct float_format *f, struct number n, struct float_env *env)
{
	int top = length(n.significand) - 1 + n.exponent, least = 1 - f->bias, unit;
	uint64_t sign = n.sign ? float_sign_bit(f) : 0, kept;
	bool exact;

	if (!n.significand)
		return sign;
	unit = (top > least ? top : least) - f->fraction;
	if (top > f->bias + 1)
		return overflow(f, n.sign, env);
	kept = (uint64_t)round_off(n.significand, unit - n.exponent, n.sign, env->rounding, &exact);
	if (!exact) {
		env->flags |= FLOAT_NX;
		if (is_tiny(f, &n, top, env->rounding))
			env->flags |= FLOAT_UF;
	}
	/* The carry out of the fraction counts the exponent up; also from below the normal ones. */
	kept += (uint64_t)(unit + f->fraction - least) << f->fraction;
	if (kept >= float_infinity(f))
		return overflow(f, n.sign, env);
	return sign | kept;
}

/* ---- what is not a number ---- */

static uint64_t invalid(const struct float_format *f, struct float_env *env)
{
	env->flags |= FLOAT_NV;
	return float_nan(f);
}

static bool takes_nan(const struct float_format *f, uint64_t a, struct float_env *env)
{
	if (float_is_signaling(f, a))
		env->flags |= FLOAT_NV;
	return float_is_nan(f, a);
}

/* ---- arithmetic ---- */

static uint64_t add_numbers(
	const struct float_format *f, struct number a, struct number b, struct float_env *env)
{
	struct number r;

	if (!a.significand && !b.significand) {
		bool sign = a.sign == b.sign ? a.sign : env->rounding == FLOAT_RDN;

		return sign ? float_sign_bit(f) : 0;
	}
	if (!a.significand)
		return put_together(f, b, env);
	if (!b.significand)
		return put_together(f, a, env);
	lift(&a);
	lift(&b);
	if (a.exponent < b.exponent) {
		r = a;
		a = b;
		b = r;
	}
	b.significand = shift_sticky(b.significand, a.exponent - b.exponent);
	r = a;
	if (a.sign == b.sign) {
		r.significand = a.significand + b.significand;
	} else if (a.significand >= b.significand) {
		r.significand = a.significand - b.significand;
	} else {
		r.significand = b.significand - a.significand;
		r.sign = b.sign;
	}
	if (!r.significand)
		r.sign = env->rounding == FLOAT_RDN;
	return put_together(f, r, env);
}

uint64_t float_add(const struct float_format *f, uint64_t a, uint64_t b, struct float_env *env)
{
	bool nan_a = takes_nan(f, a, env), nan_b = takes_nan(f, b, env);

	if (nan_a || nan_b)
		return float_nan(f);
	if (is_infinite(f, a))
		return is_infinite(f, b) && a != b ? invalid(f, env) : a;
	if (is_infinite(f, b))
		return b;
	return add_numbers(f, take_apart(f, a), take_apart(f, b), env);
}

static struct number multiply(struct number a, struct number b)
{
	return (struct number){ a.sign != b.sign, a.exponent + b.exponent,
		a.significand * b.significand };
}

uint64_t float_mul(const struct float_format *f, uint64_t a, uint64_t b, struct float_env *env)
{
	bool nan_a = takes_nan(f, a, env), nan_b = takes_nan(f, b, env);

	if (nan_a || nan_b)
		return float_nan(f);
	if (is_infinite(f, a) || is_infinite(f, b)) {
		if (is_zero(f, a) || is_zero(f, b))
			return invalid(f, env);
		return float_infinity(f) | ((a ^ b) & float_sign_bit(f));
	}
	return put_together(f, multiply(take_apart(f, a), take_apart(f, b)), env);
}

uint64_t float_fma(
	const struct float_format *f, uint64_t a, uint64_t b, uint64_t c, struct float_env *env)
{
	bool nan_a = takes_nan(f, a, env), nan_b = takes_nan(f, b, env),
	     nan_c = takes_nan(f, c, env);
	bool infinite = is_infinite(f, a) || is_infinite(f, b);
	uint64_t sign = (a ^ b) & float_sign_bit(f);

	if (!nan_a && !nan_b && infinite && (is_zero(f, a) || is_zero(f, b)))
		return invalid(f, env);
	if (nan_a || nan_b || nan_c)
		return float_nan(f);
	if (infinite) {
		if (is_infinite(f, c) && (c & float_sign_bit(f)) != sign)
			return invalid(f, env);
		return float_infinity(f) | sign;
	}
	if (is_infinite(f, c))
		return c;
	return add_numbers(f, multiply(take_apart(f, a), take_apart(f, b)), take_apart(f, c), env);
}

uint64_t float_div(const struct float_format *f, uint64_t a, uint64_t b, struct float_env *env)
{
	bool nan_a = takes_nan(f, a, env), nan_b = takes_nan(f, b, env);
	uint64_t sign = (a ^ b) & float_sign_bit(f);
	struct number n, d;
	wide divisor;

	if (nan_a || nan_b)
		return float_nan(f);
	if (is_infinite(f, a))
		return is_infinite(f, b) ? invalid(f, env) : float_infinity(f) | sign;
	if (is_infinite(f, b))
		return sign;
	if (is_zero(f, b)) {
		if (is_zero(f, a))
			return invalid(f, env);
		env->flags |= FLOAT_DZ;
		return float_infinity(f) | sign;
	}
	if (is_zero(f, a))
		return sign;
	n = take_apart(f, a);
	d = take_apart(f, b);
	lift(&n);
	divisor = d.significand;
	n.sign = sign != 0;
	n.exponent -= d.exponent;
	n.significand = n.significand / divisor | (n.significand % divisor != 0);
	return put_together(f, n, env);
}

/* The root of @v, rounded down, with its lowest bit set when there is more. */
static wide root(wide v)
{
	wide r = 0, left = 0;

	for (int i = 126; i >= 0; i -= 2) {
		wide trial = r << 2 | 1;

		left = left << 2 | (v >> i & 3);
		r <<= 1;
		if (left >= trial) {
			left -= trial;
			r |= 1;
		}
	}
	return r | (left != 0);
}

uint64_t float_sqrt(const struct float_format *f, uint64_t a, struct float_env *env)
{
	struct number n;

	if (takes_nan(f, a, env))
		return float_nan(f);
	if (is_zero(f, a))
		return a;
	if (is_negative(f, a))
		return invalid(f, env);
	if (is_infinite(f, a))
		return a;
	n = take_apart(f, a);
	lift(&n);
	if (n.exponent & 1) {
		n.significand <<= 1;
		n.exponent--;
	}
	n.significand = root(n.significand);
	n.exponent /= 2;
	return put_together(f, n, env);
}

/* ---- conversions ---- */

uint64_t float_convert(const struct float_format *from, const struct float_format *to, uint64_t a,
	struct float_env *env)
{
	if (takes_nan(from, a, env))
		return float_nan(to);
	if (is_infinite(from, a))
		return float_infinity(to) | (is_negative(from, a) ? float_sign_bit(to) : 0);
	return put_together(to, take_apart(from, a), env);
}

uint64_t float_from_int(
	const struct float_format *f, uint64_t a, bool is_signed, struct float_env *env)
{
	struct number n = { is_signed && a >> 63, 0, a };

	if (n.sign)
		n.significand = 0 - a;
	return put_together(f, n, env);
}

uint64_t float_to_int(const struct float_format *f, uint64_t a, unsigned int bits, bool is_signed,
	struct float_env *env)
{
	uint64_t most = is_signed ? (1ull << (bits - 1)) - 1 : UINT64_MAX >> (64 - bits);
	uint64_t least = is_signed ? 0 - (1ull << (bits - 1)) : 0, limit, v;
	bool sign = is_negative(f, a) && !float_is_nan(f, a), exact = true;
	struct number n;
	wide whole;

	/* As a register holds it: 32 bits are sign-extended even where they are unsigned. */
	if (bits == 32)
		most = (uint64_t)(int64_t)(int32_t)most;
	limit = is_signed ? (1ull << (bits - 1)) - !sign : (sign ? 0 : UINT64_MAX >> (64 - bits));
	if (float_is_nan(f, a) || is_infinite(f, a))
		goto out_of_range;
	n = take_apart(f, a);
	if (length(n.significand) + n.exponent > 65)
		goto out_of_range;
	whole = round_off(n.significand, -n.exponent, sign, env->rounding, &exact);
	if (whole > limit)
		goto out_of_range;
	if (!exact)
		env->flags |= FLOAT_NX;
	v = sign ? 0 - (uint64_t)whole : (uint64_t)whole;
	return bits == 32 ? (uint64_t)(int64_t)(int32_t)v : v;
out_of_range:
	env->flags |= FLOAT_NV;
	return sign ? least : most;
}
