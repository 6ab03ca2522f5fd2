/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device of two queues that is served without a program around it, for tests and for fuzzing: it
 * gives back what is readable of a chain in what is writable.
 */
#ifndef TENON_TESTS_SERVE_LENT_H
#define TENON_TESTS_SERVE_LENT_H

#include "core/config.h"
#include "core/serve.h"

#define LENT_QUEUES     2u
#define LENT_QUEUE_SIZE 8u
#define LENT_CONFIG     12u
#define LENT_FEATURES   0x5ull /* of its own */

struct lent {
	struct event_loop *loop;
	struct work_pool *work;
	struct config_device config;
	struct serve serve;
	bool gone; /* the front end left */

	/* What the device saw. */
	uint32_t activations, resets, writes;
	uint64_t features;
	bool holds; /* it keeps what it takes, in this order */
	struct tenon_chain held[64];
	struct tenon_vq *held_of[64];
	uint32_t n_held;
};

/* One at a time.  0 or -errno. */
int lent_create(struct lent *lent);
void lent_destroy(struct lent *lent);
/* Till nothing is left to do. */
void lent_run(struct lent *lent);
/* Gives back held chain @index, all of it written. */
void lent_give_back(struct lent *lent, uint32_t index);

#endif
