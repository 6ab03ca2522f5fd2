/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources: found by the numbers that the driver gave them, and their memory counted.  What a
 * guest can make the device keep is bounded by max_memory: contents, lists of guest memory, and
 * something for each resource's own structures, so that their number is bounded, too.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu.h"

/* Virtio's names go by bytes in memory, the display's by little-endian words. */
uint32_t format_of(uint32_t virtio_format)
{
	switch (virtio_format) {
	case VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM:
		return TENON_FORMAT_ARGB8888;
	case VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM:
		return TENON_FORMAT_XRGB8888;
	case VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM:
		return TENON_FORMAT_BGRA8888;
	case VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM:
		return TENON_FORMAT_BGRX8888;
	case VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM:
		return TENON_FORMAT_ABGR8888;
	case VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM:
		return TENON_FORMAT_RGBX8888;
	case VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM:
		return TENON_FORMAT_RGBA8888;
	case VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM:
		return TENON_FORMAT_XBGR8888;
	default:
		return 0;
	}
}

bool memory_take(struct gpu *g, uint64_t bytes)
{
	if (bytes > g->max_memory - g->memory)
		return false;
	g->memory += bytes;
	return true;
}

void memory_give(struct gpu *g, uint64_t bytes)
{
	g->memory -= bytes;
}

static struct gpu_resource **place_of(struct gpu *g, uint32_t id)
{
	struct gpu_resource **at = &g->resources[id % GPU_BUCKETS];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

struct gpu_resource *resource_find(struct gpu *g, uint32_t id)
{
	return id ? *place_of(g, id) : NULL;
}

uint32_t resource_add(struct gpu *g, uint32_t id, uint64_t bytes, struct gpu_resource **ret)
{
	struct gpu_resource **at = place_of(g, id), *r;
	uint64_t cost;

	if (id == 0 || *at)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (__builtin_add_overflow(bytes, GPU_RESOURCE_COST, &cost) || !memory_take(g, cost))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	r = calloc(1, sizeof(*r));
	if (!r) {
		memory_give(g, cost);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	r->id = id;
	r->fd = -1;
	r->cost = cost;
	*at = r;
	*ret = r;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

void resource_unmap(struct gpu *g, struct gpu_resource *r)
{
	const uint64_t size = (r->size + 4095) / 4096 * 4096;

	if (r->mapped)
		(void)gpu_shm->unmap(g->window, r->at, size);
	r->mapped = false;
}

void resource_free(struct gpu *g, struct gpu_resource *r)
{
	resource_unmap(g, r);
	if (r->host)
		(void)munmap(r->host, r->size);
	if (r->fd >= 0)
		(void)close(r->fd);
	backing_detach(g, &r->backing);
	free(r->iov);
	memory_give(g, r->cost);
	free(r->pixels);
	free(r);
}

void resource_remove(struct gpu *g, struct gpu_resource *r)
{
	struct gpu_resource **at = place_of(g, r->id);

	for (uint32_t i = 0; i < g->n_scanouts; i++)
		if (g->scanouts[i].resource == r)
			scanout_darken(g, i);
	*at = r->next;
	resource_free(g, r);
}

void resource_remove_all(struct gpu *g)
{
	for (uint32_t i = 0; i < GPU_BUCKETS; i++)
		while (g->resources[i])
			resource_remove(g, g->resources[i]);
}
