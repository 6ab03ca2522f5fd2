/* SPDX-License-Identifier: Apache-2.0 */
/* The card and its drawing thread; see three_d.h. */
#include <stdlib.h>

#include "three_d.h"

#define NS_PER_S 1000000000ull

/* ---- jobs ---- */

/* As long as something is under way, somebody looks at the clock. */
static void watch_it(struct gpu *g)
{
	const bool waits = g->busy || g->n_parked > 0;

	gpu_event->timer_set(
		g->watchdog, waits ? gpu_clock->monotonic_ns() + g->timeout_s * NS_PER_S : 0);
}

static void lose(struct gpu *g, const char *why)
{
	g->lost = true;
	gpu_virtio->fault(g->dev, why);
}

static void expired(struct tenon_dev *dev, void *arg)
{
	struct gpu *g = gpu_host->priv(dev);

	(void)arg;
	if (!g->lost)
		lose(g, "the renderer takes longer than \"timeout\" says");
}

struct renderer_job *three_d_job(struct gpu *g)
{
	return g->renderer && !g->lost ? renderer_job(g->renderer) : NULL;
}

void three_d_submit_alone(struct gpu *g)
{
	g->busy = true;
	renderer_submit(g->renderer);
	watch_it(g);
}

uint32_t three_d_submit(struct gpu *g, struct gpu_request *rq,
	uint32_t (*done)(struct gpu *g, struct gpu_request *rq, struct renderer_job *job))
{
	if (le32toh(rq->hdr.flags) & VIRTIO_GPU_FLAG_FENCE) {
		g->fence_made = g->fence_made == INT32_MAX ? 1 : g->fence_made + 1;
		rq->fence = g->fence_made;
		renderer_fence(g->renderer, rq->fence);
	}
	rq->done = done;
	three_d_submit_alone(g);
	return GPU_LATER;
}

uint32_t three_d_answer(int result)
{
	if (result == 0)
		return VIRTIO_GPU_RESP_OK_NODATA;
	return result == -ENOMEM ? VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY
				 : VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
}

uint32_t three_d_done(struct gpu *g, struct gpu_request *rq, struct renderer_job *job)
{
	(void)g;
	(void)rq;
	return three_d_answer(job->result);
}

static void ended(struct gpu *g, struct renderer_job *job)
{
	if (!g->cursor_read) {
		control_ended(g, job);
		return;
	}
	g->busy = false;
	cursor_ended(g, job);
}

/* A job or a fence may have ended. */
static void look(struct gpu *g)
{
	struct renderer_job *job = renderer_take(g->renderer, &g->fence_passed);

	if (g->lost)
		return;
	control_release(g);
	if (job && g->busy) {
		if (job->result == -EIO)
			lose(g, "the renderer has failed");
		else
			ended(g, job);
		gpu_go_on(g);
	}
	watch_it(g);
}

static void ready(struct tenon_dev *dev, void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	look(gpu_host->priv(dev));
}

/* ---- life ---- */

int three_d_attach(struct gpu *g)
{
	char why[256];
	int ret;

	if (g->wants == GPU_NONE)
		return 0;
	ret = renderer_start(
		&g->renderer, &virgl_ops, gpu_notifier, g->timeout_s, why, sizeof(why));
	if (ret == 0)
		return 0;
	if (g->wants == GPU_VIRGL)
		return tenon_failf(gpu_host, g->dev, ret,
			"there is no renderer \"virgl\": %s; \"none\" does without", why);
	tenon_logf(gpu_host, g->dev, TENON_LOG_INFO, "without 3D: %s", why);
	return 0;
}

int three_d_window(struct gpu *g)
{
	if (!g->renderer)
		return 0;
	return gpu_shm->create(g->dev, VIRTIO_GPU_SHM_ID_HOST_VISIBLE, g->window_size, &g->window);
}

int three_d_start(struct gpu *g)
{
	int ret;

	if (!g->renderer)
		return 0;
	ret = gpu_event->timer_add(g->dev, expired, NULL, &g->watchdog);
	if (ret == 0)
		ret = gpu_event->fd_add(
			g->dev, renderer_fd(g->renderer), TENON_FD_READ, ready, NULL, &g->watch);
	if (ret < 0)
		(void)three_d_quiesce(g);
	else
		watch_it(g);
	return ret;
}

/* A job that is under way ends; what it leads to waits for better times. */
int three_d_quiesce(struct gpu *g)
{
	gpu_event->fd_remove(g->watch);
	gpu_event->timer_remove(g->watchdog);
	g->watch = NULL;
	g->watchdog = NULL;
	if (g->busy && !g->lost && !renderer_wait(g->renderer))
		return gpu_host->fail(g->dev, -ETIMEDOUT, "the renderer does not answer");
	return 0;
}

/* One of the renderer's things goes. */
static bool call(struct gpu *g, enum renderer_op op, uint32_t ctx, uint32_t id)
{
	struct renderer_job *job = renderer_job(g->renderer);

	if (!job)
		return false;
	job->op = op;
	job->ctx = ctx;
	job->id = id;
	return renderer_call(g->renderer) != -ETIMEDOUT;
}

static void forget_things(struct gpu *g)
{
	for (const struct gpu_context *c = g->contexts; c && !g->lost; c = c->next)
		g->lost = !call(g, RENDERER_CONTEXT_DESTROY, c->id, 0);
	for (uint32_t i = 0; i < GPU_BUCKETS && !g->lost; i++)
		for (const struct gpu_resource *r = g->resources[i]; r && !g->lost; r = r->next)
			if (r->drawn)
				g->lost = !call(g, RENDERER_UNREF, 0, r->id);
}

/*
 * What a renderer that hangs may still touch is kept until it has come to its end, and it is not
 * used any more: nothing else is safe.
 */
static void abandon_things(struct gpu *g)
{
	for (uint32_t i = 0; i < g->n_scanouts; i++) {
		struct gpu_scanout *s = &g->scanouts[i];

		if (!s->resource || !s->resource->drawn)
			continue;
		(void)gpu_display->set_surface(g->dev, i, NULL);
		g->abandoned_shadows[i] = s->shadow;
		s->shadow = NULL;
		s->resource = NULL;
	}
	for (uint32_t i = 0; i < GPU_BUCKETS; i++)
		for (struct gpu_resource **at = &g->resources[i]; *at;) {
			struct gpu_resource *r = *at;

			if (!r->drawn) {
				at = &r->next;
				continue;
			}
			*at = r->next;
			r->next = g->abandoned;
			g->abandoned = r;
		}
	g->abandoned_tail = g->request.tail;
	g->request.tail = NULL;
	g->abandoned_cursor = g->cursor_read;
	g->cursor_read = NULL;
	g->dead = true;
}

void three_d_forget(struct gpu *g)
{
	if (!g->renderer)
		return;
	g->lost = g->dead || !renderer_wait(g->renderer);
	(void)renderer_take(g->renderer, &g->fence_passed);
	forget_things(g);
	if (g->lost && !g->dead)
		abandon_things(g);
	free(g->cursor_read);
	g->cursor_read = NULL;
	g->busy = false;
	g->n_parked = 0;
	free(g->request.tail);
	g->request.tail = NULL;
	while (g->contexts) {
		struct gpu_context *next = g->contexts->next;

		free(g->contexts);
		memory_give(g, GPU_CONTEXT_COST);
		g->contexts = next;
	}
}

static void free_abandoned(struct gpu *g)
{
	while (g->abandoned) {
		struct gpu_resource *next = g->abandoned->next;

		resource_free(g, g->abandoned);
		g->abandoned = next;
	}
	for (uint32_t i = 0; i < GPU_MAX_SCANOUTS; i++)
		free(g->abandoned_shadows[i]);
	free(g->abandoned_tail);
	free(g->abandoned_cursor);
	free(g->commands);
	g->commands = NULL;
}

void three_d_detach(struct gpu *g)
{
	if (!g->renderer)
		return;
	if (renderer_stop(g->renderer))
		free_abandoned(g);
	else
		gpu_host->log(g->dev, TENON_LOG_ERR, "the renderer hangs and is left behind");
	g->renderer = NULL;
}
