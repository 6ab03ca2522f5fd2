/* SPDX-License-Identifier: Apache-2.0 */
/* The ring, by liburing. */
#include "uring.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

#define MOST_ENTRIES 1024u
#define REAP_BATCH   64u

struct uring {
	struct io_uring ring;
	uint32_t pending, depth;
};

static int setup(struct uring *u, uint32_t depth, unsigned flags)
{
	struct io_uring_params p = {
		.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
		.cq_entries = 2 * depth,
	};

	return io_uring_queue_init_params(
		depth < MOST_ENTRIES ? depth : MOST_ENTRIES, &u->ring, &p);
}

int uring_create(uint32_t depth, struct uring **ret_ring)
{
	struct uring *u = calloc(1, sizeof(*u));
	int ret;

	if (!u)
		return -ENOMEM;
	/* Without the interruption of the loop that completions otherwise are (Linux 5.19). */
	ret = setup(u, depth, IORING_SETUP_COOP_TASKRUN);
	if (ret == -EINVAL)
		ret = setup(u, depth, 0);
	if (ret < 0) {
		free(u);
		return ret;
	}
	/* The vectors are the chain's and may be changed once they are submitted. */
	if (!(u->ring.features & IORING_FEAT_SUBMIT_STABLE) ||
		!(u->ring.features & IORING_FEAT_NODROP)) {
		io_uring_queue_exit(&u->ring);
		free(u);
		return -ENOSYS;
	}
	(void)io_uring_ring_dontfork(&u->ring);
	u->depth = depth;
	*ret_ring = u;
	return 0;
}

void uring_destroy(struct uring *u)
{
	if (!u)
		return;
	io_uring_queue_exit(&u->ring);
	free(u);
}

int uring_fd(const struct uring *u)
{
	return u->ring.ring_fd;
}

static struct io_uring_sqe *take_entry(struct uring *u)
{
	struct io_uring_sqe *sqe;

	if (u->pending == u->depth)
		return NULL;
	sqe = io_uring_get_sqe(&u->ring);
	if (!sqe && io_uring_submit(&u->ring) > 0)
		sqe = io_uring_get_sqe(&u->ring);
	if (sqe)
		u->pending++;
	return sqe;
}

bool uring_read(
	struct uring *u, int fd, const struct iovec *iov, uint32_t n, uint64_t offset, void *tag)
{
	struct io_uring_sqe *sqe = take_entry(u);

	if (!sqe)
		return false;
	if (n == 1)
		io_uring_prep_read(sqe, fd, iov->iov_base, (unsigned)iov->iov_len, offset);
	else
		io_uring_prep_readv(sqe, fd, iov, n, offset);
	io_uring_sqe_set_data(sqe, tag);
	return true;
}

bool uring_write(struct uring *u, int fd, const struct iovec *iov, uint32_t n, uint64_t offset,
	bool sync, void *tag)
{
	struct io_uring_sqe *sqe = take_entry(u);

	if (!sqe)
		return false;
	if (n == 1)
		io_uring_prep_write(sqe, fd, iov->iov_base, (unsigned)iov->iov_len, offset);
	else
		io_uring_prep_writev(sqe, fd, iov, n, offset);
	if (sync)
		sqe->rw_flags = RWF_DSYNC;
	io_uring_sqe_set_data(sqe, tag);
	return true;
}

bool uring_sync(struct uring *u, int fd, void *tag)
{
	struct io_uring_sqe *sqe = take_entry(u);

	if (!sqe)
		return false;
	io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
	io_uring_sqe_set_data(sqe, tag);
	return true;
}

int uring_submit(struct uring *u)
{
	int ret;

	if (io_uring_sq_ready(&u->ring) == 0)
		return 0;
	do
		ret = io_uring_submit(&u->ring);
	while (ret == -EINTR);
	return ret < 0 ? ret : 0;
}

uint32_t uring_reap(struct uring *u, void (*each)(void *arg, void *tag, int32_t result), void *arg)
{
	struct io_uring_cqe *found[REAP_BATCH];
	uint32_t total = 0;
	unsigned n;

	while ((n = io_uring_peek_batch_cqe(&u->ring, found, REAP_BATCH)) > 0) {
		for (unsigned i = 0; i < n; i++) {
			void *tag = io_uring_cqe_get_data(found[i]);
			int32_t result = found[i]->res;

			/* First, as the callee may ask for more. */
			io_uring_cqe_seen(&u->ring, found[i]);
			u->pending--;
			each(arg, tag, result);
		}
		total += n;
	}
	return total;
}

uint32_t uring_wait(struct uring *u, void (*each)(void *arg, void *tag, int32_t result), void *arg)
{
	struct io_uring_cqe *cqe;

	(void)uring_submit(u);
	if (u->pending > 0 && io_uring_wait_cqe(&u->ring, &cqe) < 0)
		return 0;
	return uring_reap(u, each, arg);
}

uint32_t uring_pending(const struct uring *u)
{
	return u->pending;
}
