/* SPDX-License-Identifier: Apache-2.0 */
/* C17 7.12. */
#ifndef TENON_DARWIN_MATH_H
#define TENON_DARWIN_MATH_H

#define NAN             __builtin_nanf("0x7fc00000")
#define INFINITY        __builtin_inff()
#define HUGE_VAL        __builtin_huge_val()
#define isnan(x)        __builtin_isnan(x)
#define isinf(x)        __builtin_isinf(x)
#define isfinite(x)     __builtin_isfinite(x)
#define signbit(x)      __builtin_signbit(x)
#define isgreater(a, b) __builtin_isgreater(a, b)
#define isless(a, b)    __builtin_isless(a, b)

double fabs(double x);
float fabsf(float x);
double sqrt(double x);
float sqrtf(float x);
double floor(double x);
float floorf(float x);
double ceil(double x);
float ceilf(float x);
double trunc(double x);
float truncf(float x);
double rint(double x);
float rintf(float x);
double nearbyint(double x);
float nearbyintf(float x);
double log(double x);
float logf(float x);
double exp(double x);
float expf(float x);
double log2(double x);
float log2f(float x);
double round(double x);
float roundf(float x);
double sin(double x);
float sinf(float x);
double cos(double x);
float cosf(float x);
double fma(double x, double y, double z);
float fmaf(float x, float y, float z);
double pow(double x, double y);
float powf(float x, float y);
double fmin(double x, double y);
float fminf(float x, float y);
double fmax(double x, double y);
float fmaxf(float x, float y);
double copysign(double x, double y);
float copysignf(float x, float y);
double ldexp(double x, int e);
float ldexpf(float x, int e);
long lrint(double x);
long lrintf(float x);
long long llrint(double x);
long long llrintf(float x);

#endif
