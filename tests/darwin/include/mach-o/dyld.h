/* SPDX-License-Identifier: Apache-2.0 */
/* dyld(3). */
#ifndef TENON_DARWIN_MACH_O_DYLD_H
#define TENON_DARWIN_MACH_O_DYLD_H

#include <stdint.h>

int _NSGetExecutablePath(char *to, uint32_t *room);

#endif
