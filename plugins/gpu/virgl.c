/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virglrenderer as the renderer: OpenGL for guests, through EGL without a surface.  The library is
 * opened when a card wants it and never linked, so that the card works where it is missing, and
 * nobody else ever sees it.  All of this runs on the drawing thread.
 */
#define VIRGL_RENDERER_UNSTABLE_APIS 1
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <virgl/virglrenderer.h>

#include "renderer.h"

#define LIBRARY "libvirglrenderer.so.1"
/* What cannot be handed to others by a descriptor is not offered for mapping. */
#define FLAGS                                                                                      \
	(VIRGL_RENDERER_USE_EGL | VIRGL_RENDERER_USE_SURFACELESS | VIRGL_RENDERER_THREAD_SYNC |    \
		VIRGL_RENDERER_USE_EXTERNAL_BLOB)

#define FUNCTIONS(F)                                                                               \
	F(init)                                                                                    \
	F(cleanup)                                                                                 \
	F(poll)                                                                                    \
	F(get_poll_fd)                                                                             \
	F(get_cap_set)                                                                             \
	F(fill_caps)                                                                               \
	F(context_create)                                                                          \
	F(context_create_with_flags)                                                               \
	F(context_destroy)                                                                         \
	F(ctx_attach_resource)                                                                     \
	F(ctx_detach_resource)                                                                     \
	F(resource_create)                                                                         \
	F(resource_create_blob)                                                                    \
	F(resource_export_blob)                                                                    \
	F(resource_unref)                                                                          \
	F(resource_attach_iov)                                                                     \
	F(resource_detach_iov)                                                                     \
	F(transfer_read_iov)                                                                       \
	F(transfer_write_iov)                                                                      \
	F(submit_cmd)                                                                              \
	F(create_fence)

static struct {
	void *library; /* stays open: what it has in threads would not survive */
#define DECLARE(name)                                                                              \
	__typeof__(virgl_renderer_##name) *name; /* NOLINT(bugprone-macro-parentheses): a name */
	FUNCTIONS(DECLARE)
#undef DECLARE
	__typeof__(virgl_set_debug_callback) *set_debug_callback;
} lib;

static void (*fence_done)(uint32_t fence);

static void write_fence(void *cookie, uint32_t fence)
{
	(void)cookie;
	fence_done(fence);
}

static struct virgl_renderer_callbacks callbacks = { .version = 1, .write_fence = write_fence };

/* Guests can make it say as much as they like. */
static void say_nothing(const char *format, va_list args)
{
	(void)format;
	(void)args;
}

static int find(void *to, const char *name, char *why, size_t room)
{
	void *symbol = dlsym(lib.library, name);

	if (!symbol) {
		(void)snprintf(why, room, "%s has no %s", LIBRARY, name);
		return -ENOTSUP;
	}
	memcpy(to, &symbol, sizeof(symbol));
	return 0;
}

static int load(char *why, size_t room)
{
	int ret = 0;

	/* Nothing is kept on disk, where the sandbox would be in the way. */
	(void)setenv("MESA_SHADER_CACHE_DISABLE", "true", 0);
	if (!lib.library)
		lib.library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!lib.library) {
		(void)snprintf(why, room, "%s", dlerror());
		return -ENOENT;
	}
#define FIND(name)                                                                                 \
	if (ret == 0)                                                                              \
		ret = find(&lib.name, "virgl_renderer_" #name, why, room);
	FUNCTIONS(FIND)
#undef FIND
	if (ret == 0)
		ret = find(&lib.set_debug_callback, "virgl_set_debug_callback", why, room);
	return ret;
}

static int virgl_start(
	void (*done)(uint32_t fence), struct renderer_capset *capsets, char *why, size_t room)
{
	uint32_t n = 0;
	int ret = load(why, room);

	if (ret < 0)
		return ret;
	fence_done = done;
	(void)lib.set_debug_callback(say_nothing);
	ret = lib.init(&callbacks, FLAGS, &callbacks);
	if (ret != 0) {
		(void)snprintf(why, room, "virglrenderer finds no EGL that works");
		return -ENODEV;
	}
	for (uint32_t id = 1; id <= 2 && n < RENDERER_CAPSETS; id++) {
		lib.get_cap_set(id, &capsets[n].version, &capsets[n].size);
		capsets[n].id = id;
		n += capsets[n].size > 0;
	}
	return 0;
}

static void virgl_stop(void)
{
	lib.cleanup(&callbacks);
}

static int virgl_poll_fd(void)
{
	return lib.get_poll_fd();
}

static void virgl_poll(void)
{
	lib.poll();
}

/* ---- jobs ---- */

static int create(const struct renderer_job *job)
{
	const struct virtio_gpu_resource_create_3d *c = &job->create;
	struct virgl_renderer_resource_create_args args = {
		.handle = job->id,
		.target = c->target,
		.format = c->format,
		.bind = c->bind,
		.width = c->width,
		.height = c->height,
		.depth = c->depth,
		.array_size = c->array_size,
		.last_level = c->last_level,
		.nr_samples = c->nr_samples,
		.flags = c->flags,
	};

	return lib.resource_create(&args, NULL, 0);
}

static int create_blob(struct renderer_job *job)
{
	const struct virgl_renderer_resource_create_blob_args args = {
		.res_handle = job->id,
		.ctx_id = job->ctx,
		.blob_mem = job->blob.blob_mem,
		.blob_flags = job->blob.blob_flags,
		.blob_id = job->blob.blob_id,
		.size = job->blob.size,
		.iovecs = job->iov,
		.num_iovs = job->n_iov,
	};
	uint32_t type;
	int ret = lib.resource_create_blob(&args);

	if (ret == 0 && job->blob.blob_mem != VIRTIO_GPU_BLOB_MEM_GUEST &&
		lib.resource_export_blob(job->id, &type, &job->fd) != 0)
		job->fd = -1;
	return ret;
}

static int create_context(struct renderer_job *job)
{
	const uint32_t n = (uint32_t)strlen(job->name);

	if (job->flags)
		return lib.context_create_with_flags(job->ctx, job->flags, n, job->name);
	return lib.context_create(job->ctx, n, job->name);
}

static int transfer(struct renderer_job *job)
{
	const struct virtio_gpu_transfer_host_3d *t = &job->transfer;
	uint32_t box[6] = { t->box.x, t->box.y, t->box.z, t->box.w, t->box.h, t->box.d };
	struct virgl_box *where = (void *)box;

	if (job->op == RENDERER_WRITE)
		return lib.transfer_write_iov(job->id, job->ctx, (int)t->level, t->stride,
			t->layer_stride, where, t->offset, NULL, 0);
	return lib.transfer_read_iov(job->id, job->ctx, t->level, t->stride, t->layer_stride, where,
		t->offset, job->iov, (int)job->n_iov);
}

static int unref(struct renderer_job *job)
{
	struct iovec *iov;
	int n;

	lib.resource_detach_iov((int)job->id, &iov, &n);
	lib.resource_unref(job->id);
	return 0;
}

/* Memory of nobody but this device, that the guest may map. */
static int make_memory(struct renderer_job *job)
{
	void *at = MAP_FAILED;

	job->fd = memfd_create("gpu-blob", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (job->fd < 0)
		return -errno;
	if (ftruncate(job->fd, (off_t)job->size) == 0 &&
		fcntl(job->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		at = mmap(NULL, job->size, PROT_READ | PROT_WRITE, MAP_SHARED, job->fd, 0);
	if (at == MAP_FAILED) {
		(void)close(job->fd);
		job->fd = -1;
		return -ENOMEM;
	}
	job->data = at;
	return 0;
}

static int run(struct renderer_job *job)
{
	struct iovec *iov;
	int n;

	switch (job->op) {
	case RENDERER_CAPSET:
		lib.fill_caps(job->id, job->flags, job->data);
		return 0;
	case RENDERER_CONTEXT_CREATE:
		return create_context(job);
	case RENDERER_CONTEXT_DESTROY:
		lib.context_destroy(job->ctx);
		return 0;
	case RENDERER_CONTEXT_ATTACH:
		lib.ctx_attach_resource((int)job->ctx, (int)job->id);
		return 0;
	case RENDERER_CONTEXT_DETACH:
		lib.ctx_detach_resource((int)job->ctx, (int)job->id);
		return 0;
	case RENDERER_CREATE:
		return create(job);
	case RENDERER_CREATE_BLOB:
		return create_blob(job);
	case RENDERER_UNREF:
		return unref(job);
	case RENDERER_BACKING:
		return lib.resource_attach_iov((int)job->id, job->iov, (int)job->n_iov);
	case RENDERER_NO_BACKING:
		lib.resource_detach_iov((int)job->id, &iov, &n);
		return 0;
	case RENDERER_WRITE:
	case RENDERER_READ:
		return transfer(job);
	case RENDERER_SUBMIT:
		return lib.submit_cmd(job->data, (int)job->ctx, (int)(job->size / 4));
	case RENDERER_MEMORY:
		return make_memory(job);
	}
	return -EINVAL;
}

/* The library's own errors are of both signs. */
static int virgl_run(struct renderer_job *job)
{
	const int ret = run(job);

	if (job->fence && lib.create_fence((int)job->fence, 0) != 0)
		return -EIO;
	return ret == 0 ? 0 : ret == -ENOMEM || ret == ENOMEM ? -ENOMEM : -EINVAL;
}

const struct renderer_ops virgl_ops = {
	.start = virgl_start,
	.run = virgl_run,
	.poll_fd = virgl_poll_fd,
	.poll = virgl_poll,
	.stop = virgl_stop,
};
