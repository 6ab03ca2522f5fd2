/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating-point values in registers, and arithmetic in software.
 *
 * The host's own arithmetic is used for round-to-nearest-even, in which mode it always stays; its
 * exception flags are the guest's.  Every other rounding mode, and what the host does otherwise
 * than RISC-V, is computed in software, exactly and then rounded once.
 */
#ifndef TENON_BACKENDS_EMU_FLOAT_H
#define TENON_BACKENDS_EMU_FLOAT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FLOAT_S_NAN 0xffffffff7fc00000u /* as a register holds it */
#define FLOAT_D_NAN 0x7ff8000000000000u

/* ---- registers: single precision is boxed in ones; what is not, is a NaN ---- */

static inline uint32_t float_unbox(uint64_t reg)
{
	return reg >> 32 == 0xffffffffu ? (uint32_t)reg : (uint32_t)FLOAT_S_NAN;
}

static inline uint64_t float_box(uint32_t bits)
{
	return 0xffffffff00000000u | bits;
}

static inline float float_s(uint64_t reg)
{
	uint32_t bits = float_unbox(reg);
	float v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static inline uint64_t float_s_bits(float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return float_box(bits);
}

static inline double float_d(uint64_t reg)
{
	double v;

	memcpy(&v, &reg, sizeof(v));
	return v;
}

static inline uint64_t float_d_bits(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

/* ---- in software ---- */

enum float_rounding {
	FLOAT_RNE, /* to nearest, ties to even */
	FLOAT_RTZ,
	FLOAT_RDN,
	FLOAT_RUP,
	FLOAT_RMM, /* to nearest, ties away from zero */
};

#define FLOAT_NX 0x01u
#define FLOAT_UF 0x02u
#define FLOAT_OF 0x04u
#define FLOAT_DZ 0x08u
#define FLOAT_NV 0x10u

struct float_format {
	int fraction; /* bits */
	int bias;
};

extern const struct float_format float_single, float_double;

/* The mode and the flags that come about. */
struct float_env {
	enum float_rounding rounding;
	uint8_t flags;
};

uint64_t float_add(const struct float_format *f, uint64_t a, uint64_t b, struct float_env *env);
uint64_t float_mul(const struct float_format *f, uint64_t a, uint64_t b, struct float_env *env);
uint64_t float_div(const struct float_format *f, uint64_t a, uint64_t b, struct float_env *env);
uint64_t float_sqrt(const struct float_format *f, uint64_t a, struct float_env *env);
/* a * b + c, rounded once */
uint64_t float_fma(
	const struct float_format *f, uint64_t a, uint64_t b, uint64_t c, struct float_env *env);
uint64_t float_convert(const struct float_format *from, const struct float_format *to, uint64_t a,
	struct float_env *env);
/* To an integer of @bits bits, sign-extended to 64; what does not fit becomes the nearest. */
uint64_t float_to_int(const struct float_format *f, uint64_t a, unsigned int bits, bool is_signed,
	struct float_env *env);
uint64_t float_from_int(
	const struct float_format *f, uint64_t a, bool is_signed, struct float_env *env);

static inline uint64_t float_sign_bit(const struct float_format *f)
{
	return f->fraction == 52 ? 1ull << 63 : 1ull << 31;
}

static inline uint64_t float_infinity(const struct float_format *f)
{
	return (2ull * (uint64_t)f->bias + 1) << f->fraction;
}

static inline uint64_t float_nan(const struct float_format *f)
{
	return float_infinity(f) | 1ull << (f->fraction - 1);
}

static inline bool float_is_nan(const struct float_format *f, uint64_t a)
{
	return (a & ~float_sign_bit(f)) > float_infinity(f);
}

static inline bool float_is_signaling(const struct float_format *f, uint64_t a)
{
	return float_is_nan(f, a) && !(a >> (f->fraction - 1) & 1);
}

#endif
