/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory: the regions of the guest physical address space that are backed by host memory,
 * and a ledger of what has been placed in them before the guest starts.
 *
 * Each region is a memfd, so that a device may live in another process, with an inaccessible page
 * on each side.  The object is built on the main thread and sealed; afterwards every function that
 * takes a const pointer may be called from any thread.
 */
#ifndef TENON_CORE_GUEST_MEMORY_H
#define TENON_CORE_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

#define GUEST_MEMORY_MAX_REGIONS 16

enum guest_region_kind {
	GUEST_RAM,      /* described to the guest as memory */
	GUEST_FIRMWARE, /* read-only to the guest, not described as memory */
	GUEST_SHM,      /* a device's shared-memory window */
};

struct guest_region {
	uint64_t gpa;
	uint64_t size; /* bytes, a multiple of the page size */
	uint8_t *host; /* first byte in this process */
	int fd;        /* memfd, owned */
	uint64_t fd_offset;
	enum guest_region_kind kind;
	bool read_only;
	bool lent;
};

struct guest_memory;

/* Returns NULL when memory is short.  [main] */
struct guest_memory *guest_memory_create(void);
/* Unmaps everything; NULL is fine.  [main] */
void guest_memory_destroy(struct guest_memory *gm);

/*
 * Adds a region of @size bytes at @gpa, both multiples of 4096.  Fails with -EINVAL (alignment,
 * wrap), -EEXIST (overlap), -ENOSPC (too many regions) or the errno of the host's mapping.  [main]
 */
int guest_memory_add(struct guest_memory *gm, uint64_t gpa, uint64_t size,
	enum guest_region_kind kind, bool read_only, struct error *err);

/*
 * Adds memory that somebody else has mapped at @host, and who keeps it mapped till it is removed:
 * mapping and descriptor stay theirs.  Fails as guest_memory_add().  [main]
 */
int guest_memory_lend(
	struct guest_memory *gm, const struct guest_region *region, struct error *err);
/* Takes out what was lent at @gpa; -ENOENT.  [main] */
int guest_memory_take_back(struct guest_memory *gm, uint64_t gpa);

size_t guest_memory_count(const struct guest_memory *gm);
/* Region @index in ascending address order; NULL past the end.  Borrowed till destroy. */
const struct guest_region *guest_memory_region(const struct guest_memory *gm, size_t index);

/*
 * Host address of [@gpa, @gpa + @size), or NULL where the range is empty, wraps, leaves its region
 * or crosses into another.  Valid till destroy.
 */
void *guest_memory_ptr(const struct guest_memory *gm, uint64_t gpa, uint64_t size);

/*
 * Host address of @gpa; *@size is reduced to what lies there in one piece.  NULL where there is no
 * memory, or only memory that the guest may not write and @write is set.
 */
void *guest_memory_span(const struct guest_memory *gm, uint64_t gpa, uint64_t *size, bool write);

/* Copies; the range may cross adjacent regions.  0 or -EFAULT with nothing copied. */
int guest_memory_read(const struct guest_memory *gm, uint64_t gpa, void *to, size_t size);
int guest_memory_write(struct guest_memory *gm, uint64_t gpa, const void *from, size_t size);

/* RAM bytes in total, and the end (exclusive) of the highest RAM region below @limit. */
uint64_t guest_memory_ram_size(const struct guest_memory *gm);
uint64_t guest_memory_ram_end(const struct guest_memory *gm, uint64_t limit);

/*
 * The ledger.  Every piece that boot code puts into memory is claimed first, by name: a claim that
 * leaves RAM or overlaps an earlier one fails with a sentence that names both.  [main]
 */
int guest_memory_claim(
	struct guest_memory *gm, uint64_t gpa, uint64_t size, const char *what, struct error *err);
/*
 * Claims @size bytes at the highest free place that ends at or below @limit, aligned down to
 * @align (a power of two).  [main]
 */
int guest_memory_claim_top(struct guest_memory *gm, uint64_t size, uint64_t align, uint64_t limit,
	const char *what, uint64_t *ret_gpa, struct error *err);

struct guest_claim {
	uint64_t gpa, size;
	const char *what; /* static text of the caller */
};

size_t guest_memory_claims(const struct guest_memory *gm, const struct guest_claim **ret_claims);
/* Forgets all claims: the guest was reset and will be loaded anew.  [main] */
void guest_memory_forget_claims(struct guest_memory *gm);

#endif
