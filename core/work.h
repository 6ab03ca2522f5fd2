/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded pool of threads for calls that block; made when the first job comes. */
#ifndef TENON_CORE_WORK_H
#define TENON_CORE_WORK_H

#include <stdbool.h>

struct sandbox;
struct work_pool;

struct work_pool *work_pool_create(unsigned max_threads); /* NULL: no memory [main] */
/* Notes that a plugin asked for the pool's service; whether one did.  [main] */
void work_asked_for(void);
bool work_is_wanted(void);
/*
 * Starts the first thread and seals it; each further one is started by one of the pool, so that all
 * are sealed alike whoever submits.  0 or -errno.  [main]
 */
int work_pool_seal(struct work_pool *pool, struct sandbox *sandbox);
/* No job may be under way.  NULL is fine.  [main] */
void work_pool_destroy(struct work_pool *pool);

#endif
