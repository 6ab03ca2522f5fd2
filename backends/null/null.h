/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the null backend.  It has no processor: every call is recorded, and exits come from a
 * script, so that the core's every path can be walked on any machine.
 *
 * Environment, read when the VM is created (and by the probe):
 *   TENON_NULL_SCRIPT  the file with the exits; without one, each vCPU waits until it is kicked
 *   TENON_NULL_FAIL    OP[:N][,OP[:N]]...  the Nth call (default 1) of an operation fails
 *   TENON_NULL_LOG     a file to which each call appends a line
 *   TENON_NULL_ISA     the only instruction set: x86_64, aarch64 or riscv64; without one, all
 *
 * A script has a step a line; '#' begins a comment, numbers are as in C:
 *   vcpu N                          what follows is for this vCPU (0 at first)
 *   mmio-write ADDRESS SIZE VALUE   an exit; likewise pio-write
 *   mmio-read ADDRESS SIZE [expect VALUE]   the answer is compared; likewise pio-read
 *   call FUNCTION [ARGUMENT]... [expect VALUE]   a PSCI or SBI call; its first result is compared
 *   store ADDRESS SIZE VALUE        writes guest memory, as a driver would
 *   load ADDRESS SIZE expect VALUE  compares guest memory
 *   halt                            waits for an interrupt, or exits where the core has the
 *                                   interrupt controller
 *   wait-irq N                      waits until interrupt N was raised, and takes it
 *   off, reset, dead, fail TEXT     exits; the step after a reset goes on after the reset
 *   exit N                          an exit of kind N, which no backend should report
 *   repeat N ... end                up to eight deep
 * After the last step a vCPU waits until it is kicked.
 */
#ifndef TENON_BACKENDS_NULL_H
#define TENON_BACKENDS_NULL_H

#include "core/backend.h"

#include <pthread.h>
#include <stdatomic.h>

#define NULL_VCPUS 64
#define NULL_IRQS  256
#define NULL_DEPTH 8
#define NULL_ARGS  6

/* ---- null_script.c ---- */

enum null_kind {
	STEP_MMIO_WRITE,
	STEP_MMIO_READ,
	STEP_PIO_WRITE,
	STEP_PIO_READ,
	STEP_CALL,
	STEP_STORE,
	STEP_LOAD,
	STEP_HALT,
	STEP_WAIT_IRQ,
	STEP_OFF,
	STEP_RESET,
	STEP_DEAD,
	STEP_FAIL,
	STEP_EXIT,
	STEP_REPEAT,
	STEP_END,
};

struct null_step {
	enum null_kind kind;
	uint32_t line;
	uint32_t size;
	bool expect;      /* value is what must be found */
	uint64_t address; /* or function, interrupt, count; of STEP_END: where its loop begins */
	uint64_t value;
	uint64_t args[NULL_ARGS];
	char text[96];
};

struct null_program {
	struct null_step *steps;
	size_t count;
};

struct null_script {
	struct null_program vcpus[NULL_VCPUS];
};

/* Reads the whole of @text; the sentence names @file and the line. */
int null_script_parse(
	struct null_script *script, const char *file, const char *text, struct backend_error *err);
int null_script_load(struct null_script *script, const char *file, struct backend_error *err);
/* Zeroed or half-read is fine. */
void null_script_finish(struct null_script *script);

/* ---- null.c ---- */

enum null_op {
	OP_PROBE,
	OP_VM_CREATE,
	OP_MEM_MAP,
	OP_MEM_UNMAP,
	OP_IRQCHIP_CREATE,
	OP_IRQCHIP_FINISH,
	OP_IRQ_LINE,
	OP_IRQFD,
	OP_DOORBELL,
	OP_CPUID_SUPPORTED,
	OP_VCPU_CREATE,
	OP_VCPU_RESET,
	OP_VCPU_SET_CPUID,
	OP_VCPU_SET_REGS,
	OP_VCPU_SET_MSRS,
	OP_VCPU_RUN,
	OP_VM_RESET,
	OP_COUNT,
};

struct null_map {
	uint64_t gpa, size;
	uint8_t *host;
};

struct null_calls {
	atomic_uint count[OP_COUNT];
};

struct backend_vm {
	enum isa isa;
	bool irqchip;
	uint32_t vcpus;
	char *fail; /* TENON_NULL_FAIL */
	int log;    /* of TENON_NULL_LOG, open; -1 = none */
	struct null_calls calls;
	struct null_script script;
	struct null_map *maps;
	size_t map_count;
	pthread_mutex_t lock; /* of the maps, interrupts and what vCPUs wait for */
	pthread_cond_t wake;
	bool level[NULL_IRQS];
	uint32_t raised[NULL_IRQS]; /* and not taken yet */
};

/* 0, or -EIO and a sentence when this call of @op is to fail.  @err may be NULL.  [any] */
int null_fails(struct backend_vm *vm, enum null_op op, struct backend_error *err);
/* Appends a line to the log of @vm, if it has one.  [any] */
void null_log(const struct backend_vm *vm, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Guest memory that lies within one mapping; NULL if there is none.  The lock is held. */
uint8_t *null_memory(struct backend_vm *vm, uint64_t gpa, uint32_t size);

/* ---- null_vcpu.c ---- */

int null_vcpu_create(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
	struct backend_error *err);
void null_vcpu_destroy(struct backend_vcpu *vcpu);
int null_vcpu_reset(struct backend_vcpu *vcpu, struct backend_error *err);
int null_vcpu_set_cpuid(struct backend_vcpu *vcpu, const struct backend_cpuid *entries, size_t n,
	struct backend_error *err);
int null_vcpu_set_regs(struct backend_vcpu *vcpu, const struct backend_reg *regs, size_t n,
	struct backend_error *err);
int null_vcpu_get_regs(struct backend_vcpu *vcpu, struct backend_reg *regs, size_t n);
int null_vcpu_set_msrs(struct backend_vcpu *vcpu, const struct backend_msr *msrs, size_t n,
	struct backend_error *err);
int null_vcpu_interrupt(struct backend_vcpu *vcpu, uint32_t line, bool level);
int null_vcpu_run(struct backend_vcpu *vcpu, struct vcpu_exit *exit);
void null_vcpu_kick(struct backend_vcpu *vcpu);
int null_vcpu_fence(struct backend_vcpu *vcpu, uint32_t what);

#endif
