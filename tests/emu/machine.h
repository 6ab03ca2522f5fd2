/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine around a guest of the emulator, with no core: RAM, harts on threads of their own, one
 * register, and the calls that guest.h names.
 */
#ifndef TENON_TESTS_EMU_MACHINE_H
#define TENON_TESTS_EMU_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/backend.h"

#define MACHINE_RAM      0x80000000ull
#define MACHINE_RAM_SIZE (32ull << 20)
#define MACHINE_ROM      0x20000000ull /* two pages that cannot be written, full of 0xa5 */
#define MACHINE_DEVICE   0x10000000ull
#define MACHINE_HARTS    4

struct machine_hart {
	struct emu_machine *machine;
	uint32_t index;
	pthread_t thread;
	struct backend_vcpu *vcpu;
	bool started; /* under the machine's lock */
};

struct emu_machine {
	const struct backend_module *module;
	const struct backend_ops *ops;
	struct backend_vm *vm;
	uint8_t *ram, *rom;
	uint64_t entry;
	uint64_t argument; /* a1 of hart 0 */
	uint32_t harts;
	struct machine_hart hart[MACHINE_HARTS];

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ended;
	uint32_t ready, left; /* harts whose vCPU exists; that have done with the others */
	int status;           /* what the guest left with; -1: it did not leave but failed */
	uint64_t written;     /* to the device */
	uint32_t kicks;       /* exits that were asked for */
	char *said;
	size_t said_size;
	char why[256];
};

/* Loads the ELF file @path; @harts of them. */
void machine_create(struct emu_machine *m, const char *path, uint32_t harts, bool deterministic);
/* Runs until the guest leaves; its status. */
int machine_run(struct emu_machine *m);
void machine_destroy(struct emu_machine *m);

#endif
