/* SPDX-License-Identifier: Apache-2.0 */
/* One device in a process of its own: for isolation.c. */
#ifndef TENON_CORE_ISOLATED_H
#define TENON_CORE_ISOLATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/child_log.h"
#include "core/config.h"

struct event_loop;
struct keeper;
struct loop_watch;
struct tenon_dev;
struct terminal_relay;

#define ISOLATED_READY_MAX  8192u
#define ISOLATED_MAX_QUEUES 64u

struct isolated {
	const struct config_device *config;
	struct config_device front_end; /* once it is ready */
	struct arena arena;             /* of the latter */

	char address[64]; /* of the socket that it listens on: a name in no folder, "@..." */
	int ready_fd;     /* what it says of itself when it is ready */
	char ready[ISOLATED_READY_MAX];
	size_t n_ready;
	uint32_t virtio_id;
	uint16_t queues[ISOLATED_MAX_QUEUES]; /* how large each may be */
	uint32_t n_queues;
	bool wants_terminal;
	char touches[ISOLATED_READY_MAX], settings[ISOLATED_READY_MAX]; /* a line each */
	int terminal_fd; /* our end, till the relay has it */
	struct terminal_relay *relay;

	struct child_log log;
	struct loop_watch *log_watch, *ready_watch;
	struct tenon_dev *dev; /* the front end, once it is attached; borrowed */
	bool dead;             /* since its first start */
	int status;
};

void isolated_init(struct isolated *d, const struct config_device *config);
void isolated_finish(struct isolated *d);

/* Has @keeper start the process, as program @id.  [main] */
int isolated_start(struct isolated *d, const struct vm_config *config, struct keeper *keeper,
	uint32_t id, struct error *err);
/* Whether all of it is there.  Reads without waiting.  [main] */
bool isolated_read_ready(struct isolated *d);
/* Fills front_end.  [main] */
int isolated_front_end(struct isolated *d, const struct vm_config *config, struct error *err);

/* Its log, from now on by the loop.  [main] */
int isolated_watch(struct isolated *d, struct event_loop *loop);
/* What it wrote to the terminal and the log, as far as it is there.  [main] */
void isolated_pump(struct isolated *d);
/* The process is gone.  [main] */
void isolated_end(struct isolated *d);

#endif
