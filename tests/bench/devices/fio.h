/* SPDX-License-Identifier: Apache-2.0 */
/* One run of fio, with io_uring. */
#ifndef TENON_BENCH_FIO_H
#define TENON_BENCH_FIO_H

#include <stdbool.h>

#include "devices.h"

struct block_load {
	const char *name;
	bool write, random, cached;
	unsigned size, depth; /* bytes of a request, how many at once */
};

bool fio_is_there(void);
int fio_run(const struct block_load *load, const char *file, unsigned ms,
	struct devices_result *ret_result);

#endif
