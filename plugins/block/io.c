/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data path.
 *
 * A kick takes what the queue holds and starts all of it: transfers and flushes go to the kernel
 * through one ring in one call, what the ring cannot do (formats, ranges, buffers that O_DIRECT
 * does not take) goes to the pool of threads, and without a ring everything does.  No request waits
 * for another.  While a queue is worked on its driver need not kick, and results that arrive
 * together make one interrupt.
 *
 * A request is FREE, with the RING or with a JOB, or, in a device that stands still, DONE but not
 * yet given to the driver.  The driver's reset and quiesce wait until none is with the ring or a
 * job, because the kernel and the threads work in the guest's memory.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"

#define MOST_AT_ONCE 256u /* requests of one queue before others get their turn */
#define NOT_NOW      32u  /* reads after one that the host's cache did not hold */

/* ---- the end of a request ---- */

static void log_failure(struct tenon_dev *dev, const struct request *r, const char *why)
{
	tenon_logf(block_host, dev, TENON_LOG_WARN, "a %s of %llu bytes at byte %llu failed: %s",
		request_name(r), (unsigned long long)r->size, (unsigned long long)r->offset, why);
}

static const char *failure_text(const struct request *r, int result)
{
	if (result == -ENODATA)
		return "the image ends before that";
	if (result == -IMAGE_DAMAGED && r->image->damage[0])
		return r->image->damage;
	return strerror(-result);
}

static void finish(struct tenon_dev *dev, struct request *r, uint8_t status)
{
	struct block *b = block_of(dev);
	/* What was written from the start on (2.7.8.2): the status lies behind the data, which a
	 * request that failed has not. */
	bool whole = status == BLK_S_OK || r->chain.in_bytes == 1;

	*r->status = status;
	block_virtio->push(block_virtio->queue(dev, r->queue), &r->chain,
		whole ? (uint32_t)r->chain.in_bytes : 0);
	b->to_notify |= 1u << r->queue;
}

static void release(struct block *b, struct request *r)
{
	if (r->direct)
		r->image->ops->direct_end(r->image);
	r->direct = false;
	r->state = REQUEST_FREE;
	r->next_free = b->free;
	b->free = r;
}

static void complete(struct tenon_dev *dev, struct request *r, int result)
{
	struct block *b = block_of(dev);
	uint8_t status = BLK_S_OK;

	if (b->active && b->quiesced) { /* told when things move again */
		r->state = REQUEST_DONE;
		r->result = result;
		return;
	}
	if (result == -EOPNOTSUPP)
		status = BLK_S_UNSUPP;
	else if (result < 0)
		status = BLK_S_IOERR;
	if (b->active) {
		if (result < 0)
			log_failure(dev, r, failure_text(r, result));
		finish(dev, r, status);
	}
	release(b, r);
}

static void notify(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	while (b->to_notify) {
		uint32_t index = (uint32_t)__builtin_ctz(b->to_notify);

		b->to_notify &= b->to_notify - 1;
		block_virtio->notify(block_virtio->queue(dev, index));
	}
}

/* ---- threads ---- */

static struct request *request_of(struct tenon_job *job)
{
	return (struct request *)(void *)((char *)job - offsetof(struct request, job));
}

static int job_run(struct tenon_dev *dev, struct tenon_job *job)
{
	int ret = request_run(request_of(job));

	atomic_fetch_add_explicit(&block_of(dev)->n_finished, 1, memory_order_relaxed);
	return ret;
}

static void job_done(struct tenon_dev *dev, struct tenon_job *job)
{
	struct block *b = block_of(dev);

	complete(dev, request_of(job), job->result);
	/* The last of those that are finished tells the driver of all. */
	if (atomic_fetch_sub_explicit(&b->n_finished, 1, memory_order_relaxed) == 1)
		notify(dev);
}

static void start_job(struct tenon_dev *dev, struct request *r)
{
	int ret;

	if (r->direct) /* the format finds its way itself */
		r->image->ops->direct_end(r->image);
	r->direct = false;
	r->state = REQUEST_JOB;
	r->job.struct_size = sizeof(r->job);
	r->job.run = job_run;
	r->job.done = job_done;
	ret = block_work->submit(dev, &r->job);
	if (ret < 0)
		complete(dev, r, ret);
}

/* ---- the ring ---- */

static bool ask_ring(struct block *b, struct request *r)
{
	uint32_t n = r->n_iov < 1024 ? r->n_iov : 1024;

	switch (r->type) {
	case BLK_T_IN:
		return uring_read(b->ring, r->image->file.fd, r->iov, n, r->at, r);
	case BLK_T_OUT:
		return uring_write(b->ring, r->image->file.fd, r->iov, n, r->at, r->sync, r);
	default:
		return uring_sync(b->ring, r->image->file.fd, r);
	}
}

static bool ring_takes(struct block *b, struct request *r)
{
	const struct image *im = r->image;

	r->at = r->offset;
	r->left = r->size;
	if (r->type == BLK_T_FLUSH)
		return !im->ops->direct_begin;
	if ((r->type != BLK_T_IN && r->type != BLK_T_OUT) || r->size == 0)
		return false;
	if (!host_file_is_aligned(&im->file, r->offset, r->iov, r->n_iov))
		return false;
	if (!im->ops->direct_begin)
		return true;
	if (r->type == BLK_T_OUT && r->sync)
		return false; /* where it lies must reach the disk too */
	r->direct =
		im->ops->direct_begin(r->image, r->offset, r->size, r->type == BLK_T_OUT, &r->at);
	return r->direct;
}

/* What the kernel did in part is asked for again. */
static void ring_result(void *arg, void *tag, int32_t result)
{
	struct tenon_dev *dev = arg;
	struct request *r = tag;

	if (!block_of(dev)->active) {
		complete(dev, r, -ECANCELED);
		return;
	}
	if (result == -EAGAIN || result == -EINTR || (result == -EOPNOTSUPP && r->sync)) {
		start_job(dev, r);
		return;
	}
	if (result < 0 || r->type == BLK_T_FLUSH) {
		complete(dev, r, result);
		return;
	}
	if (result == 0 && r->direct) { /* the format knows what is past its file's end */
		start_job(dev, r);
		return;
	}
	if (result == 0) {
		complete(dev, r, r->type == BLK_T_IN ? -ENODATA : -ENOSPC);
		return;
	}
	r->left -= (uint32_t)result <= r->left ? (uint32_t)result : r->left;
	if (r->left == 0) {
		complete(dev, r, 0);
		return;
	}
	(void)tenon_iov_skip(&r->iov, &r->n_iov, (size_t)result);
	r->at += (uint32_t)result;
	r->offset += (uint32_t)result;
	r->size -= (uint32_t)result;
	if (!host_file_is_aligned(&r->image->file, r->at, r->iov, r->n_iov) ||
		!ask_ring(block_of(dev), r))
		start_job(dev, r);
}

/* A read of what the host's cache holds needs no ring; where it holds little, this is not tried. */
static bool read_now(struct tenon_dev *dev, struct request *r)
{
	struct block *b = block_of(dev);
	ssize_t got;

	if (r->type != BLK_T_IN || b->not_now > 0) {
		b->not_now -= b->not_now > 0;
		return false;
	}
	got = host_file_read_now(&r->image->file, r->at, r->iov, r->n_iov);
	if (got <= 0) {
		b->not_now = NOT_NOW;
		return false;
	}
	ring_result(dev, r, (int32_t)got);
	return true;
}

static void start(struct tenon_dev *dev, struct request *r)
{
	struct block *b = block_of(dev);

	if (b->ring && ring_takes(b, r)) {
		r->state = REQUEST_RING;
		if (read_now(dev, r) || ask_ring(b, r))
			return;
	}
	start_job(dev, r);
}

static void ring_ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	struct block *b = block_of(dev);

	(void)arg;
	(void)events;
	(void)uring_reap(b->ring, ring_result, dev);
	(void)uring_submit(b->ring);
	notify(dev);
}

/* ---- the queue ---- */

static bool is_limited(const struct request *r)
{
	return r->type != BLK_T_FLUSH && r->type != BLK_T_GET_ID;
}

/* False: not now; the timer is set. */
static bool may_begin(struct block *b)
{
	uint64_t now, wait, other;

	if (b->bytes.rate == 0 && b->operations.rate == 0)
		return true;
	now = block_clock->monotonic_ns();
	wait = limit_wait_ns(&b->bytes, now);
	other = limit_wait_ns(&b->operations, now);
	if (other > wait)
		wait = other;
	if (wait > 0)
		block_event->timer_set(b->limit_timer, now + wait);
	return wait == 0;
}

static void answer_id(struct block *b, struct request *r)
{
	char id[BLK_ID_SIZE] = { 0 };

	memcpy(id, b->set.serial, strnlen(b->set.serial, sizeof(id)));
	(void)tenon_iov_from_buf(r->chain.in, r->chain.n_in, 0, id, sizeof(id));
}

static void serve(struct tenon_dev *dev, struct request *r)
{
	struct block *b = block_of(dev);

	r->image = b->image;
	r->sync = !b->writeback && b->set.cache != CACHE_UNSAFE;
	r->direct = false;
	if (r->type == BLK_T_GET_ID) {
		answer_id(b, r);
		complete(dev, r, 0);
		return;
	}
	if (is_limited(r)) {
		limit_take(&b->operations, 1);
		limit_take(&b->bytes, r->type == BLK_T_DISCARD ? 0 : r->size);
	}
	start(dev, r);
}

/* Comes back to the queues after others had their turn. */
static void soon(struct block *b)
{
	block_event->timer_set(b->limit_timer, block_clock->monotonic_ns());
}

static void take(struct tenon_dev *dev, struct request *r)
{
	struct block *b = block_of(dev);

	b->free = r->next_free;
	serve(dev, r);
}

/* Takes one request: 1, 0 when there is none, -1 when the next one may not begin. */
static int serve_next(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct block *b = block_of(dev);
	const struct request_limits limits = {
		.capacity = b->capacity,
		.size = b->image->size,
		.sector_size = b->set.sector_size,
		.most_range = BLOCK_RANGE_SECTORS,
		.read_only = b->set.read_only,
		.discard = b->features & BLK_F_DISCARD,
	};
	struct request *r = b->free;
	const char *why;
	int status;

	if (!r) { /* cannot be: there is one for every descriptor */
		soon(b);
		return -1;
	}
	if (block_virtio->pop(vq, &r->chain) <= 0)
		return 0;
	r->queue = (uint16_t)index;
	status = request_parse(r, &limits, &why);
	if (status < 0) {
		block_virtio->fault(dev, "the driver sent a request that has no room for a status");
		return -1;
	}
	if (status == BLK_S_OK && is_limited(r) && !may_begin(b)) {
		block_virtio->unpop(vq, &r->chain);
		return -1;
	}
	if (status == BLK_S_OK) {
		take(dev, r);
		return 1;
	}
	if (why)
		log_failure(dev, r, why);
	finish(dev, r, (uint8_t)status);
	return 1;
}

static void serve_queue(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	uint32_t n = 0;
	int more;

	(void)block_virtio->want_kicks(vq, 0);
	do {
		while ((more = serve_next(dev, vq, index)) > 0 && ++n < MOST_AT_ONCE)
			;
	} while (more == 0 && block_virtio->want_kicks(vq, 1));
	if (more > 0)
		soon(block_of(dev));
}

/* What was finished while the device stood still. */
static void give_done(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	for (uint32_t i = 0; i < b->n_requests && b->any_done; i++)
		if (b->requests[i].state == REQUEST_DONE)
			complete(dev, &b->requests[i], b->requests[i].result);
	b->any_done = false;
}

void io_queue_ready(struct tenon_dev *dev, struct tenon_vq *vq, uint32_t index)
{
	struct block *b = block_of(dev);

	if (!b->active || b->quiesced)
		return;
	give_done(dev);
	serve_queue(dev, vq, index);
	if (b->ring) {
		(void)uring_submit(b->ring);
		/* What the host's cache held is here already. */
		if (uring_reap(b->ring, ring_result, dev) > 0)
			(void)uring_submit(b->ring);
	}
	notify(dev);
}

/* The timer: a bucket has filled, or others had their turn. */
static void go_on(struct tenon_dev *dev, void *arg)
{
	struct block *b = block_of(dev);

	(void)arg;
	for (uint32_t i = 0; i < b->set.n_queues; i++) {
		struct tenon_vq *vq = block_virtio->queue(dev, i);

		if (b->active && block_virtio->queue_size(vq) > 0)
			io_queue_ready(dev, vq, i);
	}
}

/* ---- standing still ---- */

/* What a thread has not begun is done here and now, or not at all if the driver is gone. */
static void settle_job(struct tenon_dev *dev, struct request *r)
{
	struct block *b = block_of(dev);
	int result;

	if (block_work->cancel(dev, &r->job) == 0) {
		atomic_fetch_sub_explicit(&b->n_finished, 1, memory_order_relaxed);
		result = r->job.result;
	} else {
		result = b->active ? request_run(r) : -ECANCELED;
	}
	complete(dev, r, result);
}

static void settle(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	while (b->ring && uring_pending(b->ring) > 0)
		(void)uring_wait(b->ring, ring_result, dev);
	for (uint32_t i = 0; i < b->n_requests; i++)
		if (b->requests[i].state == REQUEST_JOB)
			settle_job(dev, &b->requests[i]);
		else if (b->requests[i].state == REQUEST_DONE && !b->active)
			release(b, &b->requests[i]);
}

void io_drain(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	b->quiesced = true;
	b->any_done = true;
	block_event->timer_set(b->limit_timer, 0);
	settle(dev);
}

void io_drop(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	b->active = false;
	if (b->limit_timer)
		block_event->timer_set(b->limit_timer, 0);
	if (b->requests)
		settle(dev);
	b->to_notify = 0;
}

/* ---- life ---- */

static int open_ring(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);
	int ret;

	if (b->set.engine == ENGINE_THREADS)
		return 0;
	ret = uring_create(b->n_requests, &b->ring);
	if (ret < 0 && b->set.engine == ENGINE_URING)
		return tenon_failf(block_host, dev, ret,
			"this host refuses io_uring (%s); engine = \"threads\" does without",
			strerror(-ret));
	if (ret < 0) {
		tenon_logf(block_host, dev, TENON_LOG_INFO,
			"this host refuses io_uring (%s): threads do its work", strerror(-ret));
		return 0;
	}
	return block_event->fd_add(
		dev, uring_fd(b->ring), TENON_FD_READ, ring_ready, NULL, &b->ring_watch);
}

int io_attach(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);
	uint64_t now = block_clock->monotonic_ns();
	int ret;

	b->n_requests = b->set.n_queues * BLOCK_QUEUE_SIZE;
	b->requests = calloc(b->n_requests, sizeof(*b->requests));
	if (!b->requests)
		return tenon_failf(block_host, dev, -ENOMEM, "out of memory");
	for (uint32_t i = b->n_requests; i > 0; i--) {
		b->requests[i - 1].next_free = b->free;
		b->free = &b->requests[i - 1];
	}
	limit_init(&b->bytes, b->set.bandwidth, b->set.bandwidth_burst, now);
	limit_init(&b->operations, b->set.iops, b->set.iops_burst, now);
	ret = block_event->timer_add(dev, go_on, NULL, &b->limit_timer);
	return ret < 0 ? ret : open_ring(dev);
}

void io_detach(struct tenon_dev *dev)
{
	struct block *b = block_of(dev);

	io_drop(dev);
	block_event->fd_remove(b->ring_watch);
	b->ring_watch = NULL;
	uring_destroy(b->ring);
	b->ring = NULL;
	block_event->timer_remove(b->limit_timer);
	b->limit_timer = NULL;
	free(b->requests);
	b->requests = b->free = NULL;
	b->n_requests = 0;
}
