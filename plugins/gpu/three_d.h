/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 3D: what the card does with a renderer.  One request at a time is a job of the drawing thread;
 * until it has ended the control queue rests.  Requests with a fence are answered when it has
 * passed, in the order in which they came, on one timeline.
 */
#ifndef PLUGINS_GPU_THREE_D_H
#define PLUGINS_GPU_THREE_D_H

#include "gpu.h"
#include "renderer.h"

/*
 * Starts a renderer if the settings want one; without one g->renderer stays NULL.  0, or -errno
 * when there must be one.  [main]
 */
int three_d_attach(struct gpu *g);
/* The window into which blobs are mapped; after the device is there.  [main] */
int three_d_window(struct gpu *g);
/* It runs, or rests. */
int three_d_start(struct gpu *g);
int three_d_quiesce(struct gpu *g);
/* Forgets what was under way, contexts, and what resources are to the renderer. */
void three_d_forget(struct gpu *g);
void three_d_detach(struct gpu *g);

/* The job of a request, to be filled in; NULL = the renderer is lost. */
struct renderer_job *three_d_job(struct gpu *g);
/* Under way; @done says what the response is, or GPU_LATER.  Returns GPU_LATER. */
uint32_t three_d_submit(struct gpu *g, struct gpu_request *rq,
	uint32_t (*done)(struct gpu *g, struct gpu_request *rq, struct renderer_job *job));
/* The same for what is no request of the control queue. */
void three_d_submit_alone(struct gpu *g);
/* A @done for those that need nothing more. */
uint32_t three_d_done(struct gpu *g, struct gpu_request *rq, struct renderer_job *job);
/* What a result is called in responses. */
uint32_t three_d_answer(int result);

#endif
