/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for virglrenderer, by its name: does nothing, and that as wrongly as a test wants it,
 * who says so in stand_in_does.
 */
#define VIRGL_RENDERER_UNSTABLE_APIS 1
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <virgl/virglrenderer.h>

#include "virgl_stand_in.h"

VIRGL_EXPORT struct stand_in stand_in_does = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER };

static struct virgl_renderer_callbacks *callbacks;
static void *cookie;
static uint32_t fence;

static void hold(const int *what)
{
	(void)pthread_mutex_lock(&stand_in_does.lock);
	while (*what)
		(void)pthread_cond_wait(&stand_in_does.changed, &stand_in_does.lock);
	(void)pthread_mutex_unlock(&stand_in_does.lock);
}

int virgl_renderer_init(void *c, int flags, struct virgl_renderer_callbacks *cb)
{
	(void)flags;
	cookie = c;
	callbacks = cb;
	return stand_in_does.no_egl ? -1 : 0;
}

void virgl_renderer_cleanup(void *c)
{
	(void)c;
	fence = 0;
}

void virgl_renderer_poll(void)
{
	if (fence && !stand_in_does.no_fences)
		callbacks->write_fence(cookie, fence);
}

int virgl_renderer_get_poll_fd(void)
{
	return -1;
}

int virgl_renderer_create_fence(int id, uint32_t ctx)
{
	(void)ctx;
	fence = (uint32_t)id;
	return stand_in_does.fences_fail;
}

void virgl_renderer_get_cap_set(uint32_t set, uint32_t *version, uint32_t *size)
{
	*version = 1;
	*size = set == 1 ? 8 : 0;
}

void virgl_renderer_fill_caps(uint32_t set, uint32_t version, void *caps)
{
	(void)set;
	(void)version;
	memcpy(caps, "stand-in", 8);
}

int virgl_renderer_context_create(uint32_t ctx, uint32_t n, const char *name)
{
	(void)ctx;
	return n == strlen(name) ? 0 : -1;
}

int virgl_renderer_context_create_with_flags(
	uint32_t ctx, uint32_t flags, uint32_t n, const char *name)
{
	(void)flags;
	return virgl_renderer_context_create(ctx, n, name);
}

void virgl_renderer_context_destroy(uint32_t ctx)
{
	(void)ctx;
}

void virgl_renderer_ctx_attach_resource(int ctx, int id)
{
	(void)ctx;
	(void)id;
}

void virgl_renderer_ctx_detach_resource(int ctx, int id)
{
	(void)ctx;
	(void)id;
}

int virgl_renderer_resource_create(
	struct virgl_renderer_resource_create_args *args, struct iovec *iov, uint32_t n)
{
	(void)args;
	(void)iov;
	(void)n;
	return 0;
}

int virgl_renderer_resource_create_blob(const struct virgl_renderer_resource_create_blob_args *args)
{
	(void)args;
	return 0;
}

/* A page with a word in it. */
int virgl_renderer_resource_export_blob(uint32_t id, uint32_t *type, int *fd)
{
	(void)id;
	*type = VIRGL_RENDERER_BLOB_FD_TYPE_SHM;
	*fd = memfd_create("stand-in", MFD_CLOEXEC);
	return *fd >= 0 && ftruncate(*fd, 4096) == 0 && pwrite(*fd, "blob", 4, 0) == 4 ? 0 : -1;
}

void virgl_renderer_resource_unref(uint32_t id)
{
	(void)id;
}

int virgl_renderer_resource_attach_iov(int id, struct iovec *iov, int n)
{
	(void)id;
	(void)iov;
	(void)n;
	return 0;
}

void virgl_renderer_resource_detach_iov(int id, struct iovec **iov, int *n)
{
	(void)id;
	*iov = NULL;
	*n = 0;
}

int virgl_renderer_transfer_read_iov(uint32_t id, uint32_t ctx, uint32_t level, uint32_t stride,
	uint32_t layer_stride, struct virgl_box *box, uint64_t offset, struct iovec *iov, int n)
{
	(void)id, (void)ctx, (void)level, (void)stride, (void)layer_stride;
	(void)box, (void)offset, (void)iov, (void)n;
	hold(&stand_in_does.hang);
	return 0;
}

int virgl_renderer_transfer_write_iov(uint32_t id, uint32_t ctx, int level, uint32_t stride,
	uint32_t layer_stride, struct virgl_box *box, uint64_t offset, struct iovec *iov,
	unsigned int n)
{
	(void)id, (void)ctx, (void)level, (void)stride, (void)layer_stride;
	(void)box, (void)offset, (void)iov, (void)n;
	return 0;
}

int virgl_renderer_submit_cmd(void *buffer, int ctx, int n)
{
	(void)buffer, (void)ctx, (void)n;
	hold(&stand_in_does.hang);
	return 0;
}

virgl_debug_callback_type virgl_set_debug_callback(virgl_debug_callback_type cb)
{
	return cb;
}
