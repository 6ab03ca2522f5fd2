/* SPDX-License-Identifier: Apache-2.0 */
/* ftw(3). */
#ifndef TENON_DARWIN_FTW_H
#define TENON_DARWIN_FTW_H

#include <sys/stat.h>

#define FTW_F     0
#define FTW_D     1
#define FTW_PHYS  0x01
#define FTW_DEPTH 0x04

struct FTW {
	int base, level;
};

int nftw(const char *path,
	int (*each)(const char *path, const struct stat *st, int kind, struct FTW *at), int depth,
	int flags);

#endif
