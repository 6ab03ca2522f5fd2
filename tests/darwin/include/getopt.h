/* SPDX-License-Identifier: Apache-2.0 */
/* getopt_long(3). */
#ifndef TENON_DARWIN_GETOPT_H
#define TENON_DARWIN_GETOPT_H

#include <unistd.h>

#define no_argument       0
#define required_argument 1
#define optional_argument 2

struct option {
	const char *name;
	int has_arg;
	int *flag;
	int val;
};

int getopt_long(
	int argc, char *const argv[], const char *shorts, const struct option *longs, int *index);

#endif
