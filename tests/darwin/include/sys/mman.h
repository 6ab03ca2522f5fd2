/* SPDX-License-Identifier: Apache-2.0 */
/* mmap(2); shm_open(2). */
#ifndef TENON_DARWIN_SYS_MMAN_H
#define TENON_DARWIN_SYS_MMAN_H

#include <sys/types.h>

#define PROT_NONE  0x0
#define PROT_READ  0x1
#define PROT_WRITE 0x2
#define PROT_EXEC  0x4

#define MAP_SHARED    0x0001
#define MAP_PRIVATE   0x0002
#define MAP_FIXED     0x0010
#define MAP_NORESERVE 0x0040
#define MAP_JIT       0x0800
#define MAP_ANON      0x1000
#define MAP_ANONYMOUS MAP_ANON
#define MAP_FAILED    ((void *)-1)

#define MS_ASYNC      0x0001
#define MS_INVALIDATE 0x0002
#define MS_SYNC       0x0010

#define MADV_NORMAL     0
#define MADV_RANDOM     1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED   3
#define MADV_DONTNEED   4
#define MADV_FREE       5

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int munmap(void *at, size_t size);
int mprotect(void *at, size_t size, int protection);
int msync(void *at, size_t size, int flags);
int madvise(void *at, size_t size, int advice);
int mlock(const void *at, size_t size);
int mincore(const void *at, size_t size, char *ret_pages);
int shm_open(const char *name, int flags, ...);
int shm_unlink(const char *name);

#endif
