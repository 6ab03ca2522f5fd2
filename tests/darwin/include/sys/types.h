/* SPDX-License-Identifier: Apache-2.0 */
/* The types of an LP64 Darwin. */
#ifndef TENON_DARWIN_SYS_TYPES_H
#define TENON_DARWIN_SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef int64_t off_t;
typedef int32_t pid_t;
typedef uint32_t uid_t;
typedef uint32_t gid_t;
typedef uint32_t id_t;
typedef uint16_t mode_t;
typedef uint16_t nlink_t;
typedef uint64_t ino_t;
typedef int32_t dev_t;
typedef int64_t blkcnt_t;
typedef int32_t blksize_t;
typedef long time_t;
typedef int suseconds_t;
typedef uint32_t useconds_t;
typedef unsigned int u_int;
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned long u_long;

#define major(d) ((int)(((uint32_t)(d) >> 24) & 0xff))
#define minor(d) ((int)((d)&0xffffff))

#endif
