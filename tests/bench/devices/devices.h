/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the benchmark of devices share. */
#ifndef TENON_BENCH_DEVICES_H
#define TENON_BENCH_DEVICES_H

#define DEVICES_SKIPPED 77

struct devices_options {
	unsigned seconds, rounds;
	const char *folder; /* for files; on the disk that is to be measured */
};

/* Prints its tables; 0, 1 when something failed, DEVICES_SKIPPED. */
int block_part(const struct devices_options *o);

#endif
