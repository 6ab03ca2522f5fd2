/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded pool of threads for calls that block; made when the first job comes. */
#ifndef TENON_CORE_WORK_H
#define TENON_CORE_WORK_H

struct work_pool;

struct work_pool *work_pool_create(unsigned max_threads); /* NULL: no memory [main] */
/* No job may be under way.  NULL is fine.  [main] */
void work_pool_destroy(struct work_pool *pool);

#endif
