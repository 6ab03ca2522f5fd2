/* SPDX-License-Identifier: Apache-2.0 */
/* C17 7.8, for integers of 64 bits that are long long. */
#ifndef TENON_DARWIN_INTTYPES_H
#define TENON_DARWIN_INTTYPES_H

#include <stdint.h>

#define PRId8  "hhd"
#define PRIi8  "hhi"
#define PRIo8  "hho"
#define PRIu8  "hhu"
#define PRIx8  "hhx"
#define PRIX8  "hhX"
#define SCNd8  "hhd"
#define SCNi8  "hhi"
#define SCNu8  "hhu"
#define SCNx8  "hhx"
#define PRId16 "hd"
#define PRIi16 "hi"
#define PRIo16 "ho"
#define PRIu16 "hu"
#define PRIx16 "hx"
#define PRIX16 "hX"
#define SCNd16 "hd"
#define SCNi16 "hi"
#define SCNu16 "hu"
#define SCNx16 "hx"
#define PRId32 "d"
#define PRIi32 "i"
#define PRIo32 "o"
#define PRIu32 "u"
#define PRIx32 "x"
#define PRIX32 "X"
#define SCNd32 "d"
#define SCNi32 "i"
#define SCNu32 "u"
#define SCNx32 "x"
#define PRId64 "lld"
#define PRIi64 "lli"
#define PRIo64 "llo"
#define PRIu64 "llu"
#define PRIx64 "llx"
#define PRIX64 "llX"
#define SCNd64 "lld"
#define SCNi64 "lli"
#define SCNu64 "llu"
#define SCNx64 "llx"

#define PRIuPTR "lu"
#define PRIxPTR "lx"
#define PRIiMAX "ji"
#define PRIdMAX "jd"
#define PRIuMAX "ju"
#define PRIxMAX "jx"

intmax_t strtoimax(const char *text, char **ret_end, int base);
uintmax_t strtoumax(const char *text, char **ret_end, int base);

#endif
