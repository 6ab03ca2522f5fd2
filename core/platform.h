/* SPDX-License-Identifier: Apache-2.0 */
/* Small things that every host can do and each calls otherwise; one file per host. */
#ifndef TENON_CORE_PLATFORM_H
#define TENON_CORE_PLATFORM_H

#include <stddef.h>

/* Names the calling thread for debuggers; at most 15 bytes count.  [any] */
void platform_name_thread(const char *name);
/* A variable of the environment, unless the program runs with more rights than its user.  [main] */
const char *platform_getenv(const char *name);
/* Where the running program is; how many bytes, without a 0, or -errno.  [main] */
long platform_program_path(char *to, size_t room);

#endif
