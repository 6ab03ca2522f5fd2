/* SPDX-License-Identifier: Apache-2.0 */
/* What the stand-in for virglrenderer does wrong. */
#ifndef PLUGINS_GPU_VIRGL_STAND_IN_H
#define PLUGINS_GPU_VIRGL_STAND_IN_H

#include <pthread.h>

/* Changes of `hang` go with the lock and the condition. */
struct stand_in {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int no_egl;
	int hang;        /* in commands and readbacks */
	int fences_fail; /* cannot be made */
	int no_fences;   /* never pass */
};

#endif
