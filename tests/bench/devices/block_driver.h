/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver that keeps a disk busy: a number of requests at once, each asked for anew as soon as it
 * is done.  It works on the ring itself, so that little but the device is measured.
 */
#ifndef TENON_BENCH_BLOCK_DRIVER_H
#define TENON_BENCH_BLOCK_DRIVER_H

#include <stdint.h>

#include "fio.h"

struct served_by;

/* In a process of its own; fails as a test does.  @by: where the device lives, NULL = here.  The
 * CPU time of its process counts. */
void block_driver_run(const struct block_load *load, const char *file, uint64_t file_size,
	const struct served_by *by, unsigned ms, struct devices_result *result);

#endif
