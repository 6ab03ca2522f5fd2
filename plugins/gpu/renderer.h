/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drawing thread.  A renderer draws with a library that wants one thread for all it does, takes
 * as long as it likes, and may hang.  So it has a thread of its own, which takes one job at a time;
 * its end, and that of fences, is told by a notifier.  The thread begins and the renderer starts in
 * attach, before the sandbox is shut.
 */
#ifndef PLUGINS_GPU_RENDERER_H
#define PLUGINS_GPU_RENDERER_H

#include <linux/virtio_gpu.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <tenon/tenon.h>

#define RENDERER_CAPSETS 4u

struct renderer_capset {
	uint32_t id, version, size;
};

enum renderer_op {
	RENDERER_CAPSET, /* `data`, `size`: capset `id` of version `flags` */
	RENDERER_CONTEXT_CREATE,
	RENDERER_CONTEXT_DESTROY,
	RENDERER_CONTEXT_ATTACH,
	RENDERER_CONTEXT_DETACH,
	RENDERER_CREATE,
	RENDERER_CREATE_BLOB, /* sets `fd` if it can be mapped by others */
	RENDERER_UNREF,
	RENDERER_BACKING, /* `iov`, `n_iov` */
	RENDERER_NO_BACKING,
	RENDERER_WRITE, /* to the resource, from its backing */
	RENDERER_READ,  /* to `iov` if there is one, else to its backing */
	RENDERER_SUBMIT,
	RENDERER_MEMORY, /* shared memory of `size` bytes: sets `fd` and `data` */
};

/* What is pointed to lives until the job has ended. */
struct renderer_job {
	enum renderer_op op;
	uint32_t ctx, id, flags;
	char name[65];
	struct virtio_gpu_resource_create_3d create;
	struct virtio_gpu_resource_create_blob blob;
	struct virtio_gpu_transfer_host_3d transfer;
	struct iovec *iov;
	uint32_t n_iov;
	void *data;
	uint64_t size;
	uint32_t fence; /* made behind it; 0 = none */
	int fd;         /* -1 = none */
	int result;     /* 0 or -errno; -EIO = it cannot go on */
};

/* Called on the drawing thread alone, but for poll_fd(). */
struct renderer_ops {
	/* 0, or -errno and a reason.  @done is called with each fence that has passed. */
	int (*start)(void (*done)(uint32_t fence), struct renderer_capset *capsets, char *why,
		size_t room);
	int (*run)(struct renderer_job *job);
	/* What is readable when poll() has something to do; -1 = poll now and then. */
	int (*poll_fd)(void);
	void (*poll)(void);
	void (*stop)(void);
};

struct renderer; /* one for each process */

/*
 * *ret is ready, or -errno and why not.  After @timeout_s seconds it is thought to hang, but for
 * its start.
 */
int renderer_start(struct renderer **ret, const struct renderer_ops *ops,
	const struct tenon_notifier_svc *notifiers, uint32_t timeout_s, char *why, size_t room);
/* Readable when a job or a fence may have ended. */
int renderer_fd(const struct renderer *r);
const struct renderer_capset *renderer_capsets(const struct renderer *r);
/* The job, to be filled in; NULL while it is under way. */
struct renderer_job *renderer_job(struct renderer *r);
/* A fence is made behind it. */
void renderer_fence(struct renderer *r, uint32_t fence);
void renderer_submit(struct renderer *r);
/* Takes the job that has ended back; NULL = none has.  Also the last fence that has passed. */
struct renderer_job *renderer_take(struct renderer *r, uint32_t *ret_fence);
/* Waits for the end of the job; false = it hangs. */
bool renderer_wait(struct renderer *r);
/* All at once, for when nobody waits for the loop: what run() said, or -ETIMEDOUT. */
int renderer_call(struct renderer *r);
/* Ends it; one that hangs is left alone, with all that it may still touch: false. */
bool renderer_stop(struct renderer *r);

/* virglrenderer, found at run time. */
extern const struct renderer_ops virgl_ops;

#endif
