/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device tree blob (Devicetree Specification 0.4) in a buffer that grows as it is written.  A
 * failed tree stays failed and drops what follows, so that writers check once, at the end.
 */
#ifndef TENON_ARCH_DT_H
#define TENON_ARCH_DT_H

#include <stddef.h>
#include <stdint.h>

#define DT_MAX ((size_t)2 * 1024 * 1024) /* more is a mistake; arm64 kernels map no more */

struct dt {
	void *blob; /* owned */
	size_t room;
	int error; /* 0, -ENOMEM, -E2BIG (longer than DT_MAX) or -EINVAL (a mistake of the writer)
		    */
};

int dt_init(struct dt *dt); /* 0 or -ENOMEM; dt_finish() is right in both cases */
void dt_finish(struct dt *dt);

/* A node, "" being the root; dt_begin_at() appends "@" and the address. */
void dt_begin(struct dt *dt, const char *name);
void dt_begin_at(struct dt *dt, const char *name, uint64_t address);
void dt_end(struct dt *dt);

/* Properties of the node that was begun last and has no child yet. */
void dt_empty(struct dt *dt, const char *name);
void dt_u32(struct dt *dt, const char *name, uint32_t value);
void dt_u64(struct dt *dt, const char *name, uint64_t value);
void dt_cells(struct dt *dt, const char *name, const uint32_t *cells, size_t n);
/* `reg` and its like: each number as two cells. */
void dt_u64s(struct dt *dt, const char *name, const uint64_t *values, size_t n);
void dt_text(struct dt *dt, const char *name, const char *text);
/* Several texts, each ended by ';' or the end of @texts: "arm,psci-1.0;arm,psci-0.2". */
void dt_texts(struct dt *dt, const char *name, const char *texts);
void dt_bytes(struct dt *dt, const char *name, const void *bytes, size_t size);

/* Ends the blob: its size in bytes, or what failed.  It stays the tree's. */
int dt_done(struct dt *dt, size_t *ret_size);

#endif
