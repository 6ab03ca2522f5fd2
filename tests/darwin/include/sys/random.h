/* SPDX-License-Identifier: Apache-2.0 */
/* getentropy(2): 256 bytes at most. */
#ifndef TENON_DARWIN_SYS_RANDOM_H
#define TENON_DARWIN_SYS_RANDOM_H

#include <sys/types.h>

int getentropy(void *to, size_t size);

#endif
