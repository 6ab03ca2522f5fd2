/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine of the emulator's bench: tenon or QEMU as a process whose console is read here, and the
 * guest that both boot.
 */
#ifndef TENON_TESTS_BENCH_EMU_MACHINE_H
#define TENON_TESTS_BENCH_EMU_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

struct machine_guest {
	char initrd[128], kernel[512];
};

struct machine_load {
	unsigned int harts;
	const char *loop; /* NULL: boot and power off */
	unsigned long rounds;
};

struct machine_times {
	double cpu_s, wall_s; /* of the loop, or from start to end */
	uint64_t checksum;    /* that the loop printed */
};

/* Whether a program is to be found on PATH. */
bool machine_has(const char *program);
/* The kernel, and an initial RAM disk with the loops in it; 0, or -1 with a message. */
int machine_guest_make(struct machine_guest *ret_guest);
void machine_guest_remove(const struct machine_guest *guest);

/* One run from start to power-off; 0, or -1 with a message. */
int machine_run_tenon(const struct machine_guest *guest, const struct machine_load *load,
	struct machine_times *ret_times);
int machine_run_qemu(const struct machine_guest *guest, const struct machine_load *load,
	struct machine_times *ret_times);

#endif
