/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-gpu (Virtio 1.2, 5.7): what its files share.
 *
 * gpu.c is the device and its life, control.c takes requests from the control queue, checks their
 * shape and answers; commands_2d.c, commands_3d.c and blob.c are what they do; resource.c keeps the
 * resources and counts their memory, backing.c the guest memory behind them, scanout.c what the
 * screens show, cursor.c the cursor queue, edid.c what the monitors say of themselves.
 *
 * three_d.c is what the card does with a renderer, renderer.c the thread that this has, virgl.c the
 * one renderer that there is.
 */
#ifndef PLUGINS_GPU_H
#define PLUGINS_GPU_H

#include <endian.h>
#include <linux/virtio_gpu.h>
#include <stdbool.h>
#include <stdint.h>

#include <tenon/tenon.h>

#define GPU_MAX_SCANOUTS  TENON_DISPLAY_MAX_SCREENS
#define GPU_MAX_SIZE      TENON_DISPLAY_MAX_SIZE
#define GPU_MIN_SCREEN    64u
#define GPU_MAX_SCREEN    4095u /* what fits into an EDID */
#define GPU_QUEUE_SIZE    256u
#define GPU_CURSOR_QUEUE  16u
#define GPU_BUCKETS       1024u
#define GPU_MAX_PIECES    (1u << 18) /* of guest memory behind one resource */
#define GPU_RESOURCE_COST 4096u      /* of max_memory, for each, beside its contents */
#define GPU_CURSOR_SIZE   64u        /* (5.7.6.10) */
#define GPU_MAX_SUBMIT    (4u << 20) /* bytes of commands in one request */
#define GPU_CONTEXT_COST  65536u     /* of max_memory, for each */
#define GPU_BIT(feature)  (1ull << (feature))
#define GPU_LATER         0u /* for what a response is: it is not known yet */

struct gpu;
struct renderer;
struct renderer_job;

enum { GPU_CONTROL, GPU_CURSOR, GPU_N_QUEUES };

/* Guest memory, piece after piece. */
struct gpu_backing {
	struct gpu_piece {
		uint64_t gpa;
		uint8_t *host;
		uint32_t size;
	} * pieces;
	uint32_t n;
	uint64_t size;
};

struct gpu_resource {
	struct gpu_resource *next; /* in its bucket */
	uint32_t id;
	bool blob;
	bool drawn;             /* the renderer has it */
	uint32_t format;        /* TENON_FORMAT_*, of what is no blob */
	uint32_t width, height; /* likewise */
	uint64_t size;          /* bytes of its contents */
	uint8_t *pixels;        /* the device's copy; NULL = a blob */
	uint64_t cost;          /* of max_memory, without the backing's */
	struct gpu_backing backing;
	struct iovec *iov; /* the same for the renderer */
	int fd;            /* of a blob that the host has; -1 = none */
	uint8_t *host;     /* its bytes; NULL = not for us */
	bool mapped;       /* in the window */
	uint64_t at;       /* where */
	bool has_uuid;
	uint8_t uuid[16];
};

/* One screen. */
struct gpu_scanout {
	uint32_t width, height;        /* as somebody wishes; 0 = not connected */
	struct gpu_resource *resource; /* what it shows; NULL = dark */
	struct tenon_rect part;        /* of the resource */
	uint32_t format, stride;
	uint64_t offset;       /* of a blob: where its first line is */
	uint8_t *shadow;       /* of a blob: what was flushed, `part` of it */
	uint64_t shadow_bytes; /* of max_memory */
	bool cursor;           /* it is seen */
};

/* A request on its way. */
struct gpu_request {
	struct tenon_chain chain;
	struct virtio_gpu_ctrl_hdr hdr;
	union {
		struct virtio_gpu_ctrl_hdr hdr;
		struct virtio_gpu_resource_create_2d create_2d;
		struct virtio_gpu_resource_unref unref;
		struct virtio_gpu_set_scanout set_scanout;
		struct virtio_gpu_set_scanout_blob set_scanout_blob;
		struct virtio_gpu_resource_flush flush;
		struct virtio_gpu_transfer_to_host_2d transfer_2d;
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_resource_detach_backing detach;
		struct virtio_gpu_cmd_get_edid get_edid;
		struct virtio_gpu_resource_assign_uuid assign_uuid;
		struct virtio_gpu_resource_create_blob create_blob;
		struct virtio_gpu_get_capset_info capset_info;
		struct virtio_gpu_get_capset capset;
		struct virtio_gpu_ctx_create ctx_create;
		struct virtio_gpu_ctx_resource ctx_resource;
		struct virtio_gpu_resource_create_3d create_3d;
		struct virtio_gpu_transfer_host_3d transfer_3d;
		struct virtio_gpu_cmd_submit submit;
		struct virtio_gpu_resource_map_blob map_blob;
		struct virtio_gpu_resource_unmap_blob unmap_blob;
	} in;
	union {
		struct virtio_gpu_ctrl_hdr hdr;
		struct virtio_gpu_resp_display_info display_info;
		struct virtio_gpu_resp_edid edid;
		struct virtio_gpu_resp_resource_uuid uuid;
		struct virtio_gpu_resp_capset_info capset_info;
		struct virtio_gpu_resp_map_info map_info;
	} out;
	size_t out_size; /* of the answer */
	void *tail;      /* more of it, of `tail_size` bytes; freed with it */
	size_t tail_size;
	uint32_t screen; /* of a flush: the next to be looked at */
	uint32_t fence;  /* of the drawing thread; 0 = none */
	uint32_t (*done)(struct gpu *g, struct gpu_request *rq, struct renderer_job *job);
};

/* An answer that waits for a fence. */
struct gpu_parked {
	struct tenon_chain chain;
	uint32_t written, fence;
};

struct gpu_context {
	struct gpu_context *next;
	uint32_t id;
};

enum gpu_renderer { GPU_AUTO, GPU_VIRGL, GPU_NONE };

struct gpu {
	struct tenon_dev *dev;
	uint32_t n_scanouts;
	struct gpu_scanout scanouts[GPU_MAX_SCANOUTS];
	uint64_t max_memory, memory; /* bytes: at most, now */
	struct gpu_resource *resources[GPU_BUCKETS];
	uint64_t features;    /* negotiated */
	bool running, paused; /* a driver runs it; it is quiesced */
	struct gpu_request request;

	enum gpu_renderer wants;
	struct renderer *renderer; /* NULL = none */
	bool busy, lost, dead;     /* the request is a job; that hangs; for good */
	uint64_t window_size;
	struct tenon_shm_region *window;
	struct tenon_watch *watch;
	struct tenon_timer *watchdog;
	struct gpu_context *contexts;
	void *commands; /* room for those of a request, `commands_room` bytes */
	size_t commands_room;
	struct iovec *cursor_read; /* the job is this one's; NULL = the control queue's */
	struct virtio_gpu_update_cursor cursor_update;
	uint32_t timeout_s;
	uint32_t fence_made, fence_passed;
	struct gpu_parked parked[GPU_QUEUE_SIZE]; /* in order */
	uint32_t n_parked;

	/* What a renderer that hangs may still touch. */
	struct gpu_resource *abandoned;
	void *abandoned_tail, *abandoned_cursor, *abandoned_shadows[GPU_MAX_SCANOUTS];
};

extern const struct tenon_host *gpu_host;
extern const struct tenon_virtio *gpu_virtio;
extern const struct tenon_event *gpu_event;
extern const struct tenon_mem *gpu_mem;
extern const struct tenon_display *gpu_display;
extern const struct tenon_notifier_svc *gpu_notifier;
extern const struct tenon_clock *gpu_clock;
extern const struct tenon_shm *gpu_shm;

/* ---- gpu.c ---- */

/* The queues have another turn. */
void gpu_go_on(struct gpu *g);

/* ---- control.c ---- */

/* Serves the control queue; true = there may be more. */
bool control_run(struct gpu *g);
/* The request's job has ended. */
void control_ended(struct gpu *g, struct renderer_job *job);
/* Answers that wait for fences up to g->fence_passed. */
void control_release(struct gpu *g);

/* ---- commands_2d.c, commands_3d.c, blob.c: each returns what the response is (VIRTIO_GPU_RESP_*)
 * ---- */

uint32_t gpu_get_display_info(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_get_edid(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_create_2d(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_unref(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_set_scanout(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_flush(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_transfer_2d(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_attach_backing(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_detach_backing(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_assign_uuid(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_create_blob(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_set_scanout_blob(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_map_blob(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_unmap_blob(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_get_capset_info(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_get_capset(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_ctx_create(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_ctx_destroy(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_ctx_resource(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_create_3d(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_transfer_3d(struct gpu *g, struct gpu_request *rq);
uint32_t gpu_submit(struct gpu *g, struct gpu_request *rq);
/* The parts of attach, detach and unref that are the renderer's. */
uint32_t gpu_attach_3d(struct gpu *g, struct gpu_request *rq, struct gpu_resource *r);
uint32_t gpu_detach_3d(struct gpu *g, struct gpu_request *rq, struct gpu_resource *r);
uint32_t gpu_unref_3d(struct gpu *g, struct gpu_request *rq, struct gpu_resource *r);
/* Screens from rq->screen on get what the renderer has drawn. */
uint32_t gpu_flush_3d(struct gpu *g, struct gpu_request *rq);

/* ---- resource.c ---- */

/* TENON_FORMAT_* of a VIRTIO_GPU_FORMAT_*; 0 = there is no such. */
uint32_t format_of(uint32_t virtio_format);
/* Takes that much of max_memory; false = there is not so much left. */
bool memory_take(struct gpu *g, uint64_t bytes);
void memory_give(struct gpu *g, uint64_t bytes);
/* NULL = there is none of that id. */
struct gpu_resource *resource_find(struct gpu *g, uint32_t id);
/*
 * Makes one with nothing in it that costs @bytes beside its own; *ret is set with
 * RESP_OK_NODATA only.
 */
uint32_t resource_add(struct gpu *g, uint32_t id, uint64_t bytes, struct gpu_resource **ret);
/* Also takes it off the screens. */
void resource_remove(struct gpu *g, struct gpu_resource *r);
/* The same for one that is in no bucket and on no screen. */
void resource_free(struct gpu *g, struct gpu_resource *r);
void resource_remove_all(struct gpu *g);

/* Takes a blob out of the window. */
void resource_unmap(struct gpu *g, struct gpu_resource *r);

/* ---- backing.c ---- */

/*
 * Puts the @n pieces that the request names, @skip bytes into it, behind an empty backing.
 * RESP_OK_NODATA or why not; then it is still empty.
 */
uint32_t backing_attach(struct gpu *g, struct gpu_backing *b, const struct gpu_request *rq,
	size_t skip, uint32_t n);
void backing_detach(struct gpu *g, struct gpu_backing *b);
/*
 * Copies @n_rows of @row bytes, @stride apart from @offset on, to @to, @to_stride apart.  False =
 * that leaves the backing; nothing is copied then.
 */
bool backing_read(const struct gpu_backing *b, uint64_t offset, uint64_t stride, uint8_t *to,
	size_t to_stride, size_t row, uint32_t n_rows);

/* ---- scanout.c ---- */

/* What is behind the screen from now on; s->resource, part, format, stride, offset are set. */
uint32_t scanout_show(struct gpu *g, uint32_t index);
void scanout_darken(struct gpu *g, uint32_t index);
/* What of @rect screen @index shows of @r: there, as part of the shadow; false = nothing. */
bool scanout_part(const struct gpu *g, uint32_t index, const struct gpu_resource *r,
	const struct tenon_rect *rect, struct tenon_rect *ret_seen);
/* This part of the resource, which the renderer has nothing to do with, is to be seen. */
void scanout_flush(struct gpu *g, struct gpu_resource *r, const struct tenon_rect *rect);

/* ---- cursor.c ---- */

/* Serves the cursor queue; true = there may be more. */
bool cursor_run(struct gpu *g);
/* The picture that the renderer has is read. */
void cursor_ended(struct gpu *g, struct renderer_job *job);
/* No screen has one. */
void cursor_forget(struct gpu *g);

/* ---- edid.c ---- */

#define EDID_SIZE 128u

/* Of a monitor of @width by @height pixels, up to GPU_MAX_SCREEN each. */
void edid_make(uint8_t edid[EDID_SIZE], uint32_t width, uint32_t height, uint32_t serial);

#endif
