/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qcow2 images: what the qcow2_*.c files share.
 *
 * The disk is cut into clusters.  A table of two levels (L1, L2) says where each lies in the file;
 * refcounts say which clusters of the file are in use.  L1, the refcount table and blocks that were
 * looked at stay in memory; L2 tables come and go.
 *
 * Order on the disk.  Changes of tables are made in memory and written by qcow2_write_tables(),
 * which a flush does: first refcounts, then (after a sync, which the data had too) the L2 tables,
 * then (after another, where there is something) L1.  So what a table points to is always there and
 * counted, wherever the power fails; the worst is a cluster that is counted and not used.  A
 * cluster that becomes unused is counted until the tables that used it are on the disk, and until
 * no request works in it any more; only then may it be used anew.
 *
 * Locks, in this order: the gate, then the lock.  A request is inside of the gate while it works in
 * clusters; making unused clusters free closes it.  The lock guards all tables; it is not held
 * while data are moved.
 */
#ifndef BLOCK_QCOW2_H
#define BLOCK_QCOW2_H

#include <pthread.h>
#include <stdatomic.h>

#include "image.h"
#include "iovecs.h"

#define QCOW2_MAGIC 0x514649fbu

/* Incompatible features. */
#define QCOW2_DIRTY       (1ull << 0)
#define QCOW2_CORRUPT     (1ull << 1)
#define QCOW2_DATA_FILE   (1ull << 2)
#define QCOW2_COMPRESSION (1ull << 3)
#define QCOW2_EXTENDED_L2 (1ull << 4)

/* Entries of L1 and L2. */
#define QCOW2_COPIED      (1ull << 63) /* its refcount is one: it may be written in place */
#define QCOW2_COMPRESSED  (1ull << 62)
#define QCOW2_ZERO        (1ull << 0) /* of version 3 */
#define QCOW2_OFFSET_MASK 0x00fffffffffffe00ull

/* As the file has it, with bounds checked. */
struct qcow2_header {
	uint32_t version, cluster_bits, refcount_order, n_snapshots, header_length;
	uint64_t size, l1_offset, refcount_offset, incompatible, autoclear;
	uint32_t l1_entries, refcount_clusters, compression;
	char backing[1024], backing_format[16]; /* "" = none */
};

/* One L2 table in memory. */
struct qcow2_table {
	struct qcow2_table *newer, *older;
	uint32_t index; /* in L1 */
	bool dirty;
	uint64_t *entries; /* big-endian */
};

/* Guest clusters that are being given a place; whoever wants one of them too waits. */
struct qcow2_claim {
	struct qcow2_claim *next;
	uint64_t first, n;
};

struct qcow2_gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t inside;
	bool closed;
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): things stand by what they are */
struct qcow2 {
	struct image image; /* first */
	struct qcow2_header h;
	struct image *backing;
	bool sync, writable;
	uint32_t cluster_size, l2_bits;

	struct qcow2_gate gate;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t claim_ended;
	struct qcow2_claim *claims;

	uint64_t *l1; /* as the host has numbers, l1_entries of them */
	bool l1_dirty;
	struct qcow2_table **tables; /* by the index in L1; NULL = not in memory */
	struct qcow2_table *newest, *oldest;
	uint32_t n_tables, most_tables;
	bool tables_dirty;

	uint64_t *refcount_table; /* as the host has numbers */
	uint64_t refcount_entries;
	uint8_t **blocks; /* by the index in the table; NULL = not in memory */
	bool *blocks_dirty, refcounts_dirty, refcount_table_dirty, refcount_table_moved;

	uint64_t end;       /* clusters of the file that may be in use: all past it are free */
	uint64_t free_hint; /* none below is free */
	uint64_t *unused;   /* clusters to be freed: see above */
	size_t n_unused, unused_room;
	_Atomic bool damaged;

	/* The cluster that was unpacked last; under a lock of its own. */
	pthread_mutex_t unpacked_lock;
	uint64_t unpacked_entry;
	uint8_t *unpacked;
};

static inline struct qcow2 *qcow2_of(struct image *im)
{
	return (struct qcow2 *)(void *)im;
}

static inline uint64_t qcow2_be64(const void *at)
{
	const uint8_t *b = at;
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | b[i];
	return v;
}

static inline uint32_t qcow2_be32(const void *at)
{
	const uint8_t *b = at;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline void qcow2_put_be(void *at, uint64_t value, unsigned bytes)
{
	uint8_t *b = at;

	for (unsigned i = 0; i < bytes; i++)
		b[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

/* ---- qcow2_header.c ---- */

/* -EINVAL with a sentence for what is no image, is damaged or cannot be served. */
int qcow2_read_header(const struct host_file *f, const char *path, uint64_t file_size,
	struct qcow2_header *ret_h, struct why *why);

/* ---- qcow2_table.c; the lock is held ---- */

/* Says once that the image is damaged, and why; returns -IMAGE_DAMAGED. */
__attribute__((format(printf, 2, 3))) int qcow2_damage(struct qcow2 *q, const char *format, ...);
/* The L2 table at @index; *@ret_table is NULL where there is none.  @create makes one. */
int qcow2_table(struct qcow2 *q, uint32_t index, bool create, struct qcow2_table **ret_table);
void qcow2_free_tables(struct qcow2 *q);

/* What a range of the disk is, as far as it is one thing. */
enum qcow2_kind { QCOW2_NOTHING, QCOW2_ZEROES, QCOW2_DATA, QCOW2_PACKED };

struct qcow2_extent {
	enum qcow2_kind kind;
	bool in_place;  /* DATA: may be overwritten */
	uint64_t at;    /* DATA: in the file */
	uint64_t entry; /* PACKED */
	uint64_t size;  /* at most what was asked for */
};

/* @load false: -EAGAIN rather than reading a table from the file. */
int qcow2_map(struct qcow2 *q, uint64_t offset, uint64_t size, bool load,
	struct qcow2_extent *ret_extent);
/* Checks one entry of an L2 table; PACKED ranges too. */
int qcow2_check_entry(struct qcow2 *q, uint64_t entry);
/* Where a packed cluster lies: its first byte and how many. */
void qcow2_packed_range(
	const struct qcow2 *q, uint64_t entry, uint64_t *ret_at, uint64_t *ret_size);

/* ---- qcow2_refcount.c; the lock is held ---- */

int qcow2_refcount(struct qcow2 *q, uint64_t cluster, uint64_t *ret_count);
int qcow2_set_refcount(struct qcow2 *q, uint64_t cluster, uint64_t count);
/*
 * Up to @wanted clusters that adjoin, at least one; their refcounts are one then.  *@ret_fresh:
 * they were never used, and read as zeroes.
 */
int qcow2_allocate(
	struct qcow2 *q, uint64_t wanted, uint64_t *ret_first, uint64_t *ret_n, bool *ret_fresh);
/* Nobody has ever pointed to them. */
void qcow2_take_back(struct qcow2 *q, uint64_t first, uint64_t n);
/* What an entry points to is not used any more; nothing happens to it yet. */
void qcow2_drop(struct qcow2 *q, uint64_t entry);
void qcow2_drop_clusters(struct qcow2 *q, uint64_t first, uint64_t n);

/* ---- qcow2_flush.c ---- */

int qcow2_write_tables(struct qcow2 *q); /* the lock is held */
int qcow2_flush(struct image *im);
/* Frees what is unused when there is much of it; neither gate nor lock. */
int qcow2_tidy(struct qcow2 *q);

/* ---- qcow2_gate.c ---- */

void qcow2_gate_init(struct qcow2_gate *g);
void qcow2_gate_finish(struct qcow2_gate *g);
void qcow2_gate_enter(struct qcow2_gate *g);
bool qcow2_gate_try(struct qcow2_gate *g);
void qcow2_gate_leave(struct qcow2_gate *g);
void qcow2_gate_close(struct qcow2_gate *g); /* waits until nobody is inside */
void qcow2_gate_open(struct qcow2_gate *g);

/* ---- qcow2_check.c ---- */

/* Goes through all tables: whether nothing overlaps and all that is used is counted. */
int qcow2_check(struct qcow2 *q, const char *path, struct why *why);

/* ---- qcow2_read.c, qcow2_write.c, qcow2_zero.c, qcow2_unpack.c ---- */

int qcow2_read(struct image *im, uint64_t offset, struct iovec *iov, uint32_t n, size_t size);
int qcow2_read_buffer(struct qcow2 *q, uint64_t offset, void *to, size_t size); /* in the gate */
int qcow2_write(struct image *im, uint64_t offset, struct iovec *iov, uint32_t n, size_t size);
int qcow2_write_place(struct qcow2 *q, uint64_t offset, struct iov_place *p, size_t size);
int qcow2_zero(struct image *im, uint64_t offset, uint64_t size, bool unmap);
int qcow2_discard(struct image *im, uint64_t offset, uint64_t size);
/* The whole cluster of a PACKED entry. */
int qcow2_unpack(struct qcow2 *q, uint64_t entry, uint8_t *to);
/* If somebody gives some of these guest clusters a place: waits, and true.  The lock is held. */
bool qcow2_wait_claimed(struct qcow2 *q, uint64_t first, uint64_t n);

#endif
