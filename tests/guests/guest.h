/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of backends share: loading a module as the core does, and a small x86-64 machine
 * around a hand-written guest.  Everything goes through the backend's table.
 */
#ifndef TENON_TESTS_GUEST_H
#define TENON_TESTS_GUEST_H

#include "core/backend.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define GUEST_LOAD   0x10000u  /* where a guest starts */
#define GUEST_RAM    0x200000u /* from 0 */
#define GUEST_BUFFER 0x100000u /* a guest's data, by agreement */
#define GUEST_MMIO   0xd0000000u
#define GUEST_VCPUS  8
#define MARK_PORT    0x80 /* a guest says here how far it is */

struct guest {
	const struct backend_module *module;
	const struct backend_ops *ops;
	struct backend_vm *vm;
	struct backend_vcpu *vcpu; /* number 0, of the thread that made the guest */
	uint8_t *ram;
	struct vcpu_exit exit; /* the last one of vcpu */
};

/* The module of this build, or in TEST_BACKEND_DIR; dlopen()s it and checks its build. */
const struct backend_module *backend_load(const char *name);
/* Its probe; prints the sentence and returns false when the host cannot. */
bool backend_usable(const struct backend_module *module, struct backend_caps *ret_caps);

/* A machine with RAM, interrupt controllers, @image in it and vCPU 0 at its start. */
void guest_create(struct guest *guest, const struct backend_module *module, const char *image);
void guest_destroy(struct guest *guest);
/* Gives @vcpu all of the supported CPUID. */
void guest_set_cpuid(struct guest *guest, struct backend_vcpu *vcpu);
/* Puts @vcpu at the guest's start, in flat 32-bit mode. */
void guest_set_entry(struct guest *guest, struct backend_vcpu *vcpu);
/* Switches @vcpu to 64-bit mode with 1 GiB mapped one to one and the MMIO window. */
void guest_set_long_mode(struct guest *guest, struct backend_vcpu *vcpu);

/* Runs to the next exit, and fails the test unless it is the one wanted. */
void guest_run(struct guest *guest, enum vcpu_exit_kind want);
void guest_expect_write(struct guest *guest, enum vcpu_exit_kind kind, uint64_t address,
	uint32_t size, uint64_t value);
/* Answers a read with @value. */
void guest_answer_read(struct guest *guest, enum vcpu_exit_kind kind, uint64_t address,
	uint32_t size, uint64_t value);
void guest_expect_mark(struct guest *guest, uint8_t mark);
uint64_t guest_reg(struct guest *guest, uint32_t id);
void guest_set_reg(struct guest *guest, uint32_t id, uint64_t value);

#endif
