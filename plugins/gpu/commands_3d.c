/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for the renderer (5.7.6.9): capsets, contexts, resources that are drawn, commands. */
#include <stdlib.h>
#include <string.h>

#include "three_d.h"

#define MAX_DEPTH   2048u
#define MAX_LEVEL   15u
#define MAX_SAMPLES 16u
#define TARGETS     9u /* PIPE_BUFFER up to PIPE_TEXTURE_CUBE_ARRAY */

/* ---- capsets ---- */

uint32_t gpu_get_capset_info(struct gpu *g, struct gpu_request *rq)
{
	const struct renderer_capset *capsets = renderer_capsets(g->renderer);
	const uint32_t index = le32toh(rq->in.capset_info.capset_index);
	struct virtio_gpu_resp_capset_info *out = &rq->out.capset_info;

	if (index >= RENDERER_CAPSETS || capsets[index].size == 0)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	out->capset_id = htole32(capsets[index].id);
	out->capset_max_version = htole32(capsets[index].version);
	out->capset_max_size = htole32(capsets[index].size);
	rq->out_size = sizeof(*out);
	return VIRTIO_GPU_RESP_OK_CAPSET_INFO;
}

static uint32_t capset_done(struct gpu *g, struct gpu_request *rq, struct renderer_job *job)
{
	(void)g;
	rq->tail = job->data;
	rq->tail_size = job->size;
	return job->result == 0 ? VIRTIO_GPU_RESP_OK_CAPSET : three_d_answer(job->result);
}

uint32_t gpu_get_capset(struct gpu *g, struct gpu_request *rq)
{
	const struct renderer_capset *c = renderer_capsets(g->renderer);
	const uint32_t id = le32toh(rq->in.capset.capset_id),
		       version = le32toh(rq->in.capset.capset_version);
	struct renderer_job *job = three_d_job(g);
	uint32_t i = 0;

	while (i < RENDERER_CAPSETS && (c[i].size == 0 || c[i].id != id))
		i++;
	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (i == RENDERER_CAPSETS || version > c[i].version ||
		rq->chain.in_bytes < rq->out_size + c[i].size)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	rq->tail = calloc(1, c[i].size);
	if (!rq->tail)
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	job->op = RENDERER_CAPSET;
	job->id = id;
	job->flags = version;
	job->data = rq->tail;
	job->size = c[i].size;
	return three_d_submit(g, rq, capset_done);
}

/* ---- contexts ---- */

static struct gpu_context **context_place(struct gpu *g, uint32_t id)
{
	struct gpu_context **at = &g->contexts;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static bool context_is(struct gpu *g, const struct gpu_request *rq)
{
	return rq->hdr.ctx_id != 0 && *context_place(g, le32toh(rq->hdr.ctx_id));
}

static void context_remove(struct gpu *g, uint32_t id)
{
	struct gpu_context **at = context_place(g, id), *c = *at;

	*at = c->next;
	free(c);
	memory_give(g, GPU_CONTEXT_COST);
}

static uint32_t context_add(struct gpu *g, uint32_t id)
{
	struct gpu_context *c;

	if (id == 0 || *context_place(g, id))
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	if (!memory_take(g, GPU_CONTEXT_COST))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	c = calloc(1, sizeof(*c));
	if (!c) {
		memory_give(g, GPU_CONTEXT_COST);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	c->id = id;
	c->next = g->contexts;
	g->contexts = c;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t context_created(struct gpu *g, struct gpu_request *rq, struct renderer_job *job)
{
	if (job->result < 0)
		context_remove(g, le32toh(rq->hdr.ctx_id));
	return three_d_answer(job->result);
}

uint32_t gpu_ctx_create(struct gpu *g, struct gpu_request *rq)
{
	const struct virtio_gpu_ctx_create *in = &rq->in.ctx_create;
	const uint32_t flags = le32toh(in->context_init), n = le32toh(in->nlen);
	struct renderer_job *job = three_d_job(g);
	uint32_t answer;

	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (n > sizeof(in->debug_name) || flags > VIRTIO_GPU_CAPSET_VIRGL2 ||
		(flags && !(g->features & GPU_BIT(VIRTIO_GPU_F_CONTEXT_INIT))))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	answer = context_add(g, le32toh(rq->hdr.ctx_id));
	if (answer != VIRTIO_GPU_RESP_OK_NODATA)
		return answer;
	job->op = RENDERER_CONTEXT_CREATE;
	job->ctx = le32toh(rq->hdr.ctx_id);
	job->flags = flags;
	memcpy(job->name, in->debug_name, n);
	return three_d_submit(g, rq, context_created);
}

uint32_t gpu_ctx_destroy(struct gpu *g, struct gpu_request *rq)
{
	struct renderer_job *job = three_d_job(g);

	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (!context_is(g, rq))
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	job->op = RENDERER_CONTEXT_DESTROY;
	job->ctx = le32toh(rq->hdr.ctx_id);
	context_remove(g, job->ctx);
	return three_d_submit(g, rq, three_d_done);
}

/* Attach and detach.  Resources that are not the renderer's are in every context: nothing to do. */
uint32_t gpu_ctx_resource(struct gpu *g, struct gpu_request *rq)
{
	const struct gpu_resource *r = resource_find(g, le32toh(rq->in.ctx_resource.resource_id));
	struct renderer_job *job = three_d_job(g);

	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (!context_is(g, rq))
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!r->drawn)
		return VIRTIO_GPU_RESP_OK_NODATA;
	job->op = le32toh(rq->hdr.type) == VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE
			  ? RENDERER_CONTEXT_ATTACH
			  : RENDERER_CONTEXT_DETACH;
	job->ctx = le32toh(rq->hdr.ctx_id);
	job->id = r->id;
	return three_d_submit(g, rq, three_d_done);
}

/* ---- resources ---- */

/* What a pixel takes, at most: formats are virgl's, which has hundreds. */
static uint32_t pixel_bytes(uint32_t format)
{
	if (format_of(format))
		return 4;
	if (format >= 25 && format <= 27) /* R64: one, two, three numbers */
		return 8 * (format - 24);
	return format == 28 ? 32 : 16;
}

static bool cost_of(const struct virtio_gpu_resource_create_3d *c, uint64_t *ret_bytes)
{
	const uint64_t samples = c->nr_samples ? c->nr_samples : 1,
		       pixel = c->target == 0 ? 1 : pixel_bytes(c->format);
	uint64_t bytes = (uint64_t)c->width * c->height;

	return !__builtin_mul_overflow(bytes, (uint64_t)c->depth * c->array_size, &bytes) &&
	       !__builtin_mul_overflow(bytes, samples * pixel, &bytes) &&
	       !__builtin_add_overflow(bytes, c->last_level ? bytes / 3 : 0, ret_bytes);
}

static bool is_possible(const struct virtio_gpu_resource_create_3d *c)
{
	const bool buffer = c->target == 0;

	return c->target < TARGETS && c->width > 0 && c->height > 0 && c->depth > 0 &&
	       c->array_size > 0 && (buffer || c->width <= GPU_MAX_SIZE) &&
	       c->height <= GPU_MAX_SIZE && c->depth <= MAX_DEPTH && c->array_size <= MAX_DEPTH &&
	       c->last_level <= MAX_LEVEL && c->nr_samples <= MAX_SAMPLES;
}

static uint32_t created_3d(struct gpu *g, struct gpu_request *rq, struct renderer_job *job)
{
	if (job->result < 0) {
		struct gpu_resource *r = resource_find(g, le32toh(rq->in.create_3d.resource_id));

		r->drawn = false;
		resource_remove(g, r);
	}
	return three_d_answer(job->result);
}

static void to_host_order(struct virtio_gpu_resource_create_3d *c)
{
	uint32_t words[(sizeof(*c) - sizeof(c->hdr)) / 4];

	memcpy(words, &c->resource_id, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / 4; i++)
		words[i] = le32toh(words[i]);
	memcpy(&c->resource_id, words, sizeof(words));
}

uint32_t gpu_create_3d(struct gpu *g, struct gpu_request *rq)
{
	struct virtio_gpu_resource_create_3d c = rq->in.create_3d;
	struct renderer_job *job = three_d_job(g);
	struct gpu_resource *r;
	uint32_t answer;
	uint64_t bytes;

	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	to_host_order(&c);
	if (!is_possible(&c) || !cost_of(&c, &bytes))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	answer = resource_add(g, c.resource_id, bytes, &r);
	if (answer != VIRTIO_GPU_RESP_OK_NODATA)
		return answer;
	r->drawn = true;
	r->format = c.target == 0 ? 0 : format_of(c.format);
	r->width = c.width;
	r->height = c.height;
	job->op = RENDERER_CREATE;
	job->id = c.resource_id;
	job->create = c;
	return three_d_submit(g, rq, created_3d);
}

static uint32_t unreffed(struct gpu *g, struct gpu_request *rq, struct renderer_job *job)
{
	(void)rq;
	resource_remove(g, resource_find(g, job->id));
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t gpu_unref_3d(struct gpu *g, struct gpu_request *rq, struct gpu_resource *r)
{
	struct renderer_job *job = three_d_job(g);

	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	job->op = RENDERER_UNREF;
	job->id = r->id;
	return three_d_submit(g, rq, unreffed);
}

static uint32_t attached(struct gpu *g, struct gpu_request *rq, struct renderer_job *job)
{
	struct gpu_resource *r = resource_find(g, job->id);

	(void)rq;
	if (job->op == RENDERER_NO_BACKING || job->result < 0) {
		backing_detach(g, &r->backing);
		free(r->iov);
		r->iov = NULL;
	}
	return three_d_answer(job->result);
}

uint32_t gpu_attach_3d(struct gpu *g, struct gpu_request *rq, struct gpu_resource *r)
{
	struct renderer_job *job = three_d_job(g);

	if (job)
		r->iov = calloc(r->backing.n, sizeof(*r->iov));
	if (!job || !r->iov) {
		backing_detach(g, &r->backing);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	for (uint32_t i = 0; i < r->backing.n; i++)
		r->iov[i] = (struct iovec){ r->backing.pieces[i].host, r->backing.pieces[i].size };
	job->op = RENDERER_BACKING;
	job->id = r->id;
	job->iov = r->iov;
	job->n_iov = r->backing.n;
	return three_d_submit(g, rq, attached);
}

uint32_t gpu_detach_3d(struct gpu *g, struct gpu_request *rq, struct gpu_resource *r)
{
	struct renderer_job *job = three_d_job(g);

	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	job->op = RENDERER_NO_BACKING;
	job->id = r->id;
	return three_d_submit(g, rq, attached);
}

/* ---- transfers ---- */

static uint32_t transferred(struct gpu *g, struct gpu_request *rq, struct renderer_job *job)
{
	const struct gpu_resource *r = resource_find(g, job->id);

	(void)rq;
	for (uint32_t i = 0; job->op == RENDERER_READ && i < r->backing.n; i++)
		gpu_mem->mark_dirty(g->dev, r->backing.pieces[i].gpa, r->backing.pieces[i].size);
	return three_d_answer(job->result);
}

static void transfer_to_host_order(struct virtio_gpu_transfer_host_3d *t)
{
	uint32_t words[sizeof(t->box) / 4];

	memcpy(words, &t->box, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / 4; i++)
		words[i] = le32toh(words[i]);
	memcpy(&t->box, words, sizeof(words));
	t->offset = le64toh(t->offset);
	t->level = le32toh(t->level);
	t->stride = le32toh(t->stride);
	t->layer_stride = le32toh(t->layer_stride);
}

uint32_t gpu_transfer_3d(struct gpu *g, struct gpu_request *rq)
{
	const struct gpu_resource *r = resource_find(g, le32toh(rq->in.transfer_3d.resource_id));
	struct renderer_job *job = three_d_job(g);

	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (rq->hdr.ctx_id && !context_is(g, rq))
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	if (!r)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!r->drawn || r->backing.n == 0)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	job->op = le32toh(rq->hdr.type) == VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D ? RENDERER_WRITE
									      : RENDERER_READ;
	job->ctx = le32toh(rq->hdr.ctx_id);
	job->id = r->id;
	job->transfer = rq->in.transfer_3d;
	transfer_to_host_order(&job->transfer);
	return three_d_submit(g, rq, transferred);
}

/* ---- what is drawn is shown ---- */

static uint32_t flushed(struct gpu *g, struct gpu_request *rq, struct renderer_job *job)
{
	const struct gpu_scanout *s = &g->scanouts[rq->screen];
	const struct virtio_gpu_box *box = &job->transfer.box;
	const struct tenon_rect seen = { box->x - s->part.x, box->y - s->part.y, box->w, box->h };

	free(rq->tail);
	rq->tail = NULL;
	if (job->result < 0)
		return three_d_answer(job->result);
	gpu_display->damage(g->dev, rq->screen, &seen);
	rq->screen++;
	return gpu_flush_3d(g, rq);
}

uint32_t gpu_flush_3d(struct gpu *g, struct gpu_request *rq)
{
	const struct virtio_gpu_rect *in = &rq->in.flush.r;
	const struct gpu_resource *r = resource_find(g, le32toh(rq->in.flush.resource_id));
	const struct tenon_rect rect = { le32toh(in->x), le32toh(in->y), le32toh(in->width),
		le32toh(in->height) };
	struct renderer_job *job = three_d_job(g);
	const struct gpu_scanout *s;
	struct tenon_rect seen = { 0 };
	struct iovec *iov;
	size_t skip;

	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	while (rq->screen < g->n_scanouts && !scanout_part(g, rq->screen, r, &rect, &seen))
		rq->screen++;
	if (rq->screen == g->n_scanouts)
		return VIRTIO_GPU_RESP_OK_NODATA;
	s = &g->scanouts[rq->screen];
	iov = calloc(1, sizeof(*iov));
	if (!iov)
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	skip = ((seen.y - s->part.y) * (size_t)s->part.width + (seen.x - s->part.x)) * 4;
	*iov = (struct iovec){ s->shadow + skip, s->shadow_bytes - skip };
	rq->tail = iov; /* the answer has none */
	job->op = RENDERER_READ;
	job->id = r->id;
	job->transfer = (struct virtio_gpu_transfer_host_3d){
		.box = { seen.x, seen.y, 0, seen.width, seen.height, 1 },
		.stride = s->part.width * 4,
	};
	job->iov = iov;
	job->n_iov = 1;
	return three_d_submit(g, rq, flushed);
}

/* ---- commands ---- */

static bool make_room(struct gpu *g, size_t size)
{
	void *grown;

	if (size <= g->commands_room)
		return true;
	grown = realloc(g->commands, size);
	if (!grown)
		return false;
	g->commands = grown;
	g->commands_room = size;
	return true;
}

uint32_t gpu_submit(struct gpu *g, struct gpu_request *rq)
{
	const uint32_t size = le32toh(rq->in.submit.size);
	struct renderer_job *job = three_d_job(g);

	if (!job)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (!context_is(g, rq))
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	if (size % 4 || size > GPU_MAX_SUBMIT || size > rq->chain.out_bytes - sizeof(rq->in.submit))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (!make_room(g, size))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	(void)tenon_iov_to_buf(
		rq->chain.out, rq->chain.n_out, sizeof(rq->in.submit), g->commands, size);
	job->op = RENDERER_SUBMIT;
	job->ctx = le32toh(rq->hdr.ctx_id);
	job->data = g->commands;
	job->size = size;
	return three_d_submit(g, rq, three_d_done);
}
