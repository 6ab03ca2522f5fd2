/* SPDX-License-Identifier: Apache-2.0 */
/* C17 7.2. */
#ifndef TENON_DARWIN_ASSERT_H
#define TENON_DARWIN_ASSERT_H

void __assert_rtn(const char *function, const char *file, int line, const char *what)
	__attribute__((noreturn));

#define assert(e) ((e) ? (void)0 : __assert_rtn(__func__, __FILE__, __LINE__, #e))
#define static_assert _Static_assert

#endif
