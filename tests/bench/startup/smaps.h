/* SPDX-License-Identifier: Apache-2.0 */
/* What a process has in memory, by the file that it is a mapping of. */
#ifndef TENON_BENCH_SMAPS_H
#define TENON_BENCH_SMAPS_H

#include <stddef.h>
#include <sys/types.h>

#define SMAPS_MAX 96

struct smaps_entry {
	char name[256]; /* a path, or [heap] and such; "" is what has no name */
	unsigned long rss_kib, pss_kib, dirty_kib;
	unsigned long relocations; /* that the dynamic linker does in it */
};

struct smaps {
	struct smaps_entry entries[SMAPS_MAX];
	size_t n;
	unsigned long guest_kib; /* resident guest memory, which is in no other number */
	unsigned long rss_kib, pss_kib, dirty_kib;
};

/* @guest is the name of the memfd that is guest memory.  0 or -errno. */
int smaps_read(pid_t pid, const char *guest, struct smaps *ret_smaps);

#endif
