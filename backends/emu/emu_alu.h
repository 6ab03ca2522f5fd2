/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the integer instructions compute: pure functions of their operands.
 */
#ifndef TENON_BACKENDS_EMU_ALU_H
#define TENON_BACKENDS_EMU_ALU_H

#include <stdint.h>

static inline uint64_t alu_sext32(uint64_t a)
{
	return (uint64_t)(int64_t)(int32_t)(uint32_t)a;
}

static inline uint64_t alu_sra(uint64_t a, uint64_t n)
{
	return (uint64_t)((int64_t)a >> (n & 63));
}

static inline uint64_t alu_sllw(uint64_t a, uint64_t n)
{
	return alu_sext32((uint32_t)a << (n & 31));
}

static inline uint64_t alu_srlw(uint64_t a, uint64_t n)
{
	return alu_sext32((uint32_t)a >> (n & 31));
}

static inline uint64_t alu_sraw(uint64_t a, uint64_t n)
{
	return (uint64_t)(int64_t)((int32_t)(uint32_t)a >> (n & 31));
}

__extension__ typedef __int128 alu_s128;
__extension__ typedef unsigned __int128 alu_u128;

static inline uint64_t alu_mulhu(uint64_t a, uint64_t b)
{
	return (uint64_t)((alu_u128)a * b >> 64);
}

static inline uint64_t alu_mulh(uint64_t a, uint64_t b)
{
	return (uint64_t)((alu_u128)((alu_s128)(int64_t)a * (int64_t)b) >> 64);
}

static inline uint64_t alu_mulhsu(uint64_t a, uint64_t b)
{
	return alu_mulhu(a, b) - ((int64_t)a < 0 ? b : 0);
}

static inline uint64_t alu_div(uint64_t a, uint64_t b)
{
	if (b == 0)
		return UINT64_MAX;
	if (b == UINT64_MAX)
		return 0 - a; /* also the one that overflows */
	return (uint64_t)((int64_t)a / (int64_t)b);
}

static inline uint64_t alu_rem(uint64_t a, uint64_t b)
{
	if (b == 0)
		return a;
	return b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
}

static inline uint64_t alu_divu(uint64_t a, uint64_t b)
{
	return b ? a / b : UINT64_MAX;
}

static inline uint64_t alu_remu(uint64_t a, uint64_t b)
{
	return b ? a % b : a;
}

static inline uint64_t alu_divw(uint64_t a, uint64_t b)
{
	return alu_sext32(alu_div(alu_sext32(a), alu_sext32(b)));
}

static inline uint64_t alu_remw(uint64_t a, uint64_t b)
{
	return alu_sext32(alu_rem(alu_sext32(a), alu_sext32(b)));
}

static inline uint64_t alu_divuw(uint64_t a, uint64_t b)
{
	return alu_sext32(alu_divu((uint32_t)a, (uint32_t)b));
}

static inline uint64_t alu_remuw(uint64_t a, uint64_t b)
{
	return alu_sext32(alu_remu((uint32_t)a, (uint32_t)b));
}

static inline uint64_t alu_clz(uint64_t a)
{
	return a ? (uint64_t)__builtin_clzll(a) : 64;
}

static inline uint64_t alu_ctz(uint64_t a)
{
	return a ? (uint64_t)__builtin_ctzll(a) : 64;
}

static inline uint64_t alu_clzw(uint64_t a)
{
	return (uint32_t)a ? (uint64_t)__builtin_clz((uint32_t)a) : 32;
}

static inline uint64_t alu_ctzw(uint64_t a)
{
	return (uint32_t)a ? (uint64_t)__builtin_ctz((uint32_t)a) : 32;
}

static inline uint64_t alu_ror(uint64_t a, uint64_t n)
{
	return a >> (n & 63) | a << (-n & 63);
}

static inline uint64_t alu_rorw(uint64_t a, uint64_t n)
{
	uint32_t v = (uint32_t)a;

	return alu_sext32(v >> (n & 31) | v << (-n & 31));
}

/* Each byte becomes 0xff where it has any bit. */
static inline uint64_t alu_orc_b(uint64_t a)
{
	const uint64_t ones = 0x0101010101010101u;

	a |= a >> 4 & 0x0f0f0f0f0f0f0f0fu;
	a |= a >> 2 & 0x3f3f3f3f3f3f3f3fu;
	a |= a >> 1 & 0x7f7f7f7f7f7f7f7fu;
	return (a & ones) * 0xff;
}

static inline uint64_t alu_max(uint64_t a, uint64_t b)
{
	return (int64_t)a > (int64_t)b ? a : b;
}

static inline uint64_t alu_min(uint64_t a, uint64_t b)
{
	return (int64_t)a < (int64_t)b ? a : b;
}

#endif
