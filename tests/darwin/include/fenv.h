/* SPDX-License-Identifier: Apache-2.0 */
/* C17 7.6. */
#ifndef TENON_DARWIN_FENV_H
#define TENON_DARWIN_FENV_H

#define FE_INVALID    0x01
#define FE_DIVBYZERO  0x02
#define FE_OVERFLOW   0x04
#define FE_UNDERFLOW  0x08
#define FE_INEXACT    0x10
#define FE_ALL_EXCEPT 0x1f
#define FE_TONEAREST  0x00000000
#define FE_UPWARD     0x00400000
#define FE_DOWNWARD   0x00800000
#define FE_TOWARDZERO 0x00C00000

typedef struct {
	unsigned long long __fpsr, __fpcr;
} fenv_t;

int feclearexcept(int what);
int fetestexcept(int what);
int feraiseexcept(int what);
int fegetround(void);
int fesetround(int mode);

#endif
