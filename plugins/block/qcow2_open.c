/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing qcow2 images, with the files behind them. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "qcow2.h"

#define TABLES_SIZE  (16u << 20) /* bytes of L2 tables that stay in memory */
#define LEAST_TABLES 16u
#define MOST_DEPTH   32u

/* ---- backing files ---- */

/* "nbd:", "json:", "rbd://": what QEMU would take for something else than a file's name. */
static bool is_protocol(const char *name)
{
	size_t n = strcspn(name, ":/");

	return name[n] == ':';
}

static int backing_path(const char *path, const char *name, char *to, size_t room)
{
	const char *slash = strrchr(path, '/');
	int n;

	if (strncmp(name, "file:", 5) == 0)
		name += 5;
	if (name[0] == '/' || !slash)
		n = snprintf(to, room, "%s", name);
	else
		n = snprintf(to, room, "%.*s%s", (int)(slash - path + 1), path, name);
	return n >= 0 && (size_t)n < room ? 0 : -ENAMETOOLONG;
}

static int open_backing(
	struct qcow2 *q, const char *path, const struct image_options *options, struct why *why)
{
	const char *name = q->h.backing, *format = q->h.backing_format;
	struct image_options mine = *options;
	char file[PATH_MAX];
	struct why inner;
	int ret;

	if (!name[0])
		return 0;
	if (!options->backing)
		return why_set(why, -EPERM,
			"\"%s\" has the backing file \"%s\", and backing = false forbids it", path,
			name);
	if (strncmp(name, "file:", 5) != 0 && is_protocol(name))
		return why_set(why, -ENOTSUP,
			"\"%s\" has the backing file \"%s\", which is not the name of a file", path,
			name);
	if (format[0] && strcmp(format, "raw") != 0 && strcmp(format, "qcow2") != 0)
		return why_set(why, -ENOTSUP,
			"\"%s\" has a backing file of format \"%s\"; supported are raw and qcow2",
			path, format);
	if (options->depth >= MOST_DEPTH)
		return why_set(why, -ELOOP, "\"%s\" is behind %u others; a chain may have %u files",
			path, options->depth, MOST_DEPTH);
	if (backing_path(path, name, file, sizeof(file)) < 0)
		return why_set(why, -ENAMETOOLONG,
			"the name of the backing file of \"%s\" is too long", path);
	mine.file.read_only = true;
	mine.format = format[0] ? format : "auto";
	mine.depth++;
	ret = image_open(file, &mine, &q->backing, &inner);
	if (ret < 0 && options->depth > 0)
		*why = inner; /* the first one of the chain is named, and the last */
	else if (ret < 0)
		(void)why_set(why, ret, "behind \"%s\": %.400s", path, inner.text);
	return ret;
}

/* ---- tables ---- */

static int read_numbers(struct qcow2 *q, uint64_t offset, uint64_t n, uint64_t **ret_numbers)
{
	uint64_t *numbers = calloc(n ? n : 1, sizeof(*numbers));
	int ret;

	if (!numbers)
		return -ENOMEM;
	ret = n ? host_file_read(&q->image.file, offset, numbers, n * 8) : 0;
	if (ret < 0) {
		free(numbers);
		return ret;
	}
	for (uint64_t i = 0; i < n; i++)
		numbers[i] = qcow2_be64(&numbers[i]);
	*ret_numbers = numbers;
	return 0;
}

static int read_tables(struct qcow2 *q, const char *path, struct why *why)
{
	uint64_t entries = (uint64_t)q->h.refcount_clusters * (q->cluster_size / 8);
	int ret = read_numbers(q, q->h.l1_offset, q->h.l1_entries, &q->l1);

	if (ret == 0)
		q->tables = calloc(q->h.l1_entries ? q->h.l1_entries : 1, sizeof(*q->tables));
	if (ret == 0 && q->writable) {
		ret = read_numbers(q, q->h.refcount_offset, entries, &q->refcount_table);
		q->blocks = calloc(entries, sizeof(*q->blocks));
		q->blocks_dirty = calloc(entries, sizeof(*q->blocks_dirty));
		q->refcount_entries = entries;
		if (ret == 0 && (!q->blocks || !q->blocks_dirty))
			ret = -ENOMEM;
	}
	if (ret == 0 && !q->tables)
		ret = -ENOMEM;
	q->most_tables = TABLES_SIZE / q->cluster_size;
	if (q->most_tables < LEAST_TABLES)
		q->most_tables = LEAST_TABLES;
	return ret < 0 ? why_set(why, ret, "cannot read the tables of \"%s\": %s", path,
				 ret == -ENODATA ? "the file ends before" : strerror(-ret))
		       : 0;
}

/* ---- before the first write ---- */

static int may_write(const struct qcow2 *q, const char *path, struct why *why)
{
	if (q->h.incompatible & QCOW2_CORRUPT)
		return why_set(why, -IMAGE_DAMAGED,
			"\"%s\" is marked as damaged; qemu-img check -r all FILE may mend it, and "
			"read_only = true reads it as it is",
			path);
	if (q->h.incompatible & QCOW2_DIRTY)
		return why_set(why, -IMAGE_DAMAGED,
			"\"%s\" was not closed by who wrote it last, and its refcounts are not to "
			"be trusted; qemu-img check -r all FILE mends that",
			path);
	if (q->h.n_snapshots)
		return why_set(why, -ENOTSUP,
			"\"%s\" has %u internal snapshots, with which it cannot be written; "
			"qemu-img snapshot -d removes one, qemu-img convert makes an image without",
			path, q->h.n_snapshots);
	if (q->image.file.offset_align > q->cluster_size)
		return why_set(why, -EINVAL,
			"\"%s\" has clusters of %u bytes; without the host's cache (direct = true) "
			"they must be of %u at least",
			path, q->cluster_size, q->image.file.offset_align);
	return 0;
}

/* Features that hold only as long as every writer knows them: none is known here. */
static int clear_features(struct qcow2 *q)
{
	uint8_t *cluster;
	int ret;

	if (q->h.version < 3 || !q->h.autoclear)
		return 0;
	cluster = malloc(q->cluster_size);
	if (!cluster)
		return -ENOMEM;
	ret = host_file_read(&q->image.file, 0, cluster, q->cluster_size);
	if (ret == 0) {
		qcow2_put_be(cluster + 88, 0, 8);
		ret = host_file_write(&q->image.file, 0, cluster, q->cluster_size);
	}
	if (ret == 0 && q->sync)
		ret = host_file_sync(&q->image.file);
	free(cluster);
	return ret;
}

static int prepare_to_write(struct qcow2 *q, const char *path, struct why *why)
{
	int ret = may_write(q, path, why);

	if (ret == 0)
		ret = qcow2_check(q, path, why);
	if (ret < 0)
		return ret;
	ret = clear_features(q);
	return ret < 0 ? why_set(why, ret, "cannot write \"%s\": %s", path, strerror(-ret)) : 0;
}

/* ---- past the ring ---- */

/* On the loop: it neither waits nor reads. */
static bool direct_begin(
	struct image *im, uint64_t offset, uint64_t size, bool write, uint64_t *ret_at)
{
	struct qcow2 *q = qcow2_of(im);
	struct qcow2_extent e;
	bool found = false;

	if (!qcow2_gate_try(&q->gate))
		return false;
	if (pthread_mutex_trylock(&q->lock) == 0) {
		found = qcow2_map(q, offset, size, false, &e) == 0 && e.kind == QCOW2_DATA &&
			e.size == size && (!write || (e.in_place && !atomic_load(&q->damaged)));
		(void)pthread_mutex_unlock(&q->lock);
	}
	if (!found) {
		qcow2_gate_leave(&q->gate);
		return false;
	}
	*ret_at = e.at;
	return true;
}

static void direct_end(struct image *im)
{
	qcow2_gate_leave(&qcow2_of(im)->gate);
}

/* ---- life ---- */

static void free_all(struct qcow2 *q)
{
	image_close(q->backing);
	qcow2_free_tables(q);
	for (uint64_t i = 0; q->blocks && i < q->refcount_entries; i++)
		free(q->blocks[i]);
	free(q->blocks);
	free(q->blocks_dirty);
	free(q->refcount_table);
	free(q->l1);
	free(q->tables);
	free(q->unused);
	free(q->unpacked);
	qcow2_gate_finish(&q->gate);
	(void)pthread_cond_destroy(&q->claim_ended);
	(void)pthread_mutex_destroy(&q->lock);
	(void)pthread_mutex_destroy(&q->unpacked_lock);
	host_file_close(&q->image.file);
	free(q);
}

static void close_image(struct image *im)
{
	struct qcow2 *q = qcow2_of(im);

	/* What is unused is freed by the first, and that is written by the second. */
	if (q->writable && qcow2_flush(im) == 0)
		(void)qcow2_flush(im);
	free_all(q);
}

static const struct image_ops qcow2_ops = {
	.format = "qcow2",
	.read = qcow2_read,
	.write = qcow2_write,
	.zero = qcow2_zero,
	.discard = qcow2_discard,
	.flush = qcow2_flush,
	.direct_begin = direct_begin,
	.direct_end = direct_end,
	.close = close_image,
};

static int open_parts(
	struct qcow2 *q, const char *path, const struct image_options *options, struct why *why)
{
	uint64_t size;
	int ret = host_file_open(&q->image.file, path, &options->file, why);

	if (ret < 0)
		return ret;
	ret = host_file_size(&q->image.file, &size);
	if (ret < 0)
		return why_set(
			why, ret, "cannot find the size of \"%s\": %s", path, strerror(-ret));
	ret = qcow2_read_header(&q->image.file, path, size, &q->h, why);
	if (ret < 0)
		return ret;
	q->cluster_size = 1u << q->h.cluster_bits;
	q->l2_bits = q->h.cluster_bits - 3;
	q->end = size / q->cluster_size + (size % q->cluster_size != 0);
	q->image.size = q->h.size;
	q->image.best_size = q->cluster_size;
	q->image.can_discard = q->writable;
	ret = read_tables(q, path, why);
	if (ret == 0)
		ret = open_backing(q, path, options, why);
	return ret == 0 && q->writable ? prepare_to_write(q, path, why) : ret;
}

int qcow2_open(const char *path, const struct image_options *options, struct image **ret_image,
	struct why *why)
{
	struct qcow2 *q = calloc(1, sizeof(*q));
	int ret;

	if (!q)
		return why_set(why, -ENOMEM, "out of memory");
	q->image.ops = &qcow2_ops;
	q->image.file.fd = -1;
	q->sync = options->sync;
	q->writable = !options->file.read_only;
	qcow2_gate_init(&q->gate);
	(void)pthread_mutex_init(&q->lock, NULL);
	(void)pthread_mutex_init(&q->unpacked_lock, NULL);
	(void)pthread_cond_init(&q->claim_ended, NULL);
	ret = open_parts(q, path, options, why);
	if (ret < 0) {
		free_all(q);
		return ret;
	}
	*ret_image = &q->image;
	return 0;
}
