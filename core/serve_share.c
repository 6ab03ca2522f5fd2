/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that a front end and a back end share beside the guest's: the log of pages that were
 * written, which a migration reads, and the ledger of requests in flight.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/serve.h"

#define LOG_PAGE 4096u

/* ---- the log: a bit for each page ---- */

int serve_log_open(struct serve *serve, const struct vhost_user_log *log, int fd, struct error *err)
{
	struct serve_map map;
	uint64_t there;
	int ret = serve_map_open(fd, log->fd_offset, log->size, &map, &there);

	if (ret < 0)
		return error_set(err, EXIT_HOST, ret,
			"the log of 0x%" PRIx64 " bytes cannot be mapped: %s", log->size,
			strerror(-ret));
	serve_map_close(&serve->log);
	serve->log = map;
	serve->log_bytes = log->size;
	return 0;
}

static void mark_pages(struct serve *serve, uint64_t first, uint64_t last)
{
	for (uint64_t page = first; page <= last && page / 8 < serve->log_bytes; page++)
		(void)__atomic_fetch_or(
			&serve->log.host[page / 8], (uint8_t)(1u << (page % 8)), __ATOMIC_RELEASE);
}

void serve_mark_dirty(void *opaque, const void *host, uint64_t size)
{
	struct serve *serve = opaque;
	uint64_t gpa;

	if (!serve->log.base || !(serve->features & VHOST_USER_F_LOG_ALL) || size == 0)
		return;
	if (serve_memory_gpa_of_host(&serve->memory, host, &gpa))
		mark_pages(serve, gpa / LOG_PAGE, (gpa + size - 1) / LOG_PAGE);
}

/* ---- the ledger ---- */

static int check_ledger(
	const struct serve *serve, const struct vhost_user_inflight *is, struct error *err)
{
	const uint32_t n = serve->vd->desc.n_queues, size = is->queue_size;

	if (is->n_queues == 0 || is->n_queues > n)
		return error_set(err, EXIT_HOST, -EINVAL,
			"the front end wants requests in flight of %u rings kept, the device has "
			"%u",
			is->n_queues, n);
	if (size > 32768 || (size & (size - 1)) != 0)
		return error_set(err, EXIT_HOST, -EINVAL,
			"the front end wants requests in flight of rings of %u entries kept", size);
	return 0;
}

/* Every ring's part says how large it is; the rest is zero. */
static int write_heads(int fd, const struct vhost_user_inflight *io)
{
	const struct vhost_user_inflight_ring head = {
		.version = 1,
		.desc_num = io->queue_size,
	};
	const off_t bytes = (off_t)vring_inflight_bytes(io->queue_size);

	if (ftruncate(fd, (off_t)io->size) < 0)
		return -errno;
	for (uint32_t i = 0; i < io->n_queues; i++)
		if (pwrite(fd, &head, sizeof(head), i * bytes) != (ssize_t)sizeof(head))
			return -EIO;
	return 0;
}

int serve_ledger_make(
	struct serve *serve, struct vhost_user_inflight *io, int *ret_fd, struct error *err)
{
	int ret = check_ledger(serve, io, err);
	int fd;

	if (ret < 0)
		return ret;
	io->size = (uint64_t)io->n_queues * vring_inflight_bytes(io->queue_size);
	io->fd_offset = 0;
	fd = memfd_create("tenon-inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ret = fd < 0 ? -errno : write_heads(fd, io);
	if (ret < 0) {
		if (fd >= 0)
			(void)close(fd);
		return error_set(err, EXIT_HOST, ret,
			"cannot make the memory for requests in flight: %s", strerror(-ret));
	}
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	*ret_fd = fd;
	return 0;
}

int serve_ledger_open(
	struct serve *serve, const struct vhost_user_inflight *is, int fd, struct error *err)
{
	const uint64_t bytes = vring_inflight_bytes(is->queue_size);
	struct serve_map map;
	uint64_t there;
	int ret = check_ledger(serve, is, err);

	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < serve->vd->desc.n_queues; i++)
		if (virtio_served_runs(serve->vd, i))
			return error_set(err, EXIT_HOST, -EBUSY,
				"the memory for requests in flight came while rings run");
	if (is->size < bytes * is->n_queues || is->fd_offset % 8 != 0)
		return error_set(err, EXIT_HOST, -EINVAL,
			"the memory for requests in flight has 0x%" PRIx64
			" bytes; %u rings of %u entries need 0x%" PRIx64,
			is->size, is->n_queues, is->queue_size, bytes * is->n_queues);
	ret = serve_map_open(fd, is->fd_offset, is->size, &map, &there);
	if (ret < 0)
		return error_set(err, EXIT_HOST, ret,
			"the memory for requests in flight cannot be mapped: %s", strerror(-ret));
	serve_map_close(&serve->ledger);
	serve->ledger = map;
	serve->ledger_ring_bytes = bytes;
	serve->ledger_queues = is->n_queues;
	serve->ledger_size = is->queue_size;
	return 0;
}

struct vhost_user_inflight_ring *serve_ledger_of(struct serve *serve, uint32_t index)
{
	if (!serve->ledger.base || index >= serve->ledger_queues ||
		serve->rings[index].num > serve->ledger_size)
		return NULL;
	return (struct vhost_user_inflight_ring *)(void *)(serve->ledger.host +
							   index * serve->ledger_ring_bytes);
}
