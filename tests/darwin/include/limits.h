/* SPDX-License-Identifier: Apache-2.0 */
/* What POSIX adds to those of the compiler. */
#ifndef TENON_DARWIN_LIMITS_H
#define TENON_DARWIN_LIMITS_H

#include_next <limits.h>

#define PATH_MAX  1024
#define NAME_MAX  255
#define IOV_MAX   1024
#define PIPE_BUF  512
#define SSIZE_MAX LONG_MAX

#endif
