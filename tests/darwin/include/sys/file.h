/* SPDX-License-Identifier: Apache-2.0 */
/* flock(2). */
#ifndef TENON_DARWIN_SYS_FILE_H
#define TENON_DARWIN_SYS_FILE_H

#define LOCK_SH 0x01
#define LOCK_EX 0x02
#define LOCK_NB 0x04
#define LOCK_UN 0x08

int flock(int fd, int what);

#endif
