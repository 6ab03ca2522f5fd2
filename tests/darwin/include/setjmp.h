/* SPDX-License-Identifier: Apache-2.0 */
/* C17 7.13. */
#ifndef TENON_DARWIN_SETJMP_H
#define TENON_DARWIN_SETJMP_H

typedef int jmp_buf[48];
typedef int sigjmp_buf[49];

int setjmp(jmp_buf at) __attribute__((returns_twice));
void longjmp(jmp_buf at, int value) __attribute__((noreturn));
int sigsetjmp(sigjmp_buf at, int save) __attribute__((returns_twice));
void siglongjmp(sigjmp_buf at, int value) __attribute__((noreturn));

#endif
