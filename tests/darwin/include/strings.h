/* SPDX-License-Identifier: Apache-2.0 */
/* strings(3). */
#ifndef TENON_DARWIN_STRINGS_H
#define TENON_DARWIN_STRINGS_H

#include <sys/types.h>

int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t n);
int ffs(int x);
int ffsll(long long x);

#endif
