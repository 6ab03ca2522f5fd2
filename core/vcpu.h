/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vCPUs of a VM: one thread each, which creates its vCPU, runs it, and hands its exits to the
 * buses.
 *
 * A pause is asked for with a flag and a kick and is complete when every thread is parked.  A
 * thread parks only where the backend says it was interrupted, because a register access that is
 * under way is completed by the next run.
 */
#ifndef TENON_CORE_VCPU_H
#define TENON_CORE_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arch;
struct arch_irqchip;
struct backend_ops;
struct backend_vm;
struct bus;
struct error;
struct guest_memory;
struct loaded;
struct machine;
struct vcpus;

/* Why a vCPU wants the VM to stop. */
enum vcpu_request {
	VCPU_REQUEST_OFF,
	VCPU_REQUEST_RESET,
	VCPU_REQUEST_DEAD,
	VCPU_REQUEST_FAILED,
};

struct vcpus_config {
	const struct arch *arch;
	const struct backend_ops *ops;
	struct backend_vm *vm;
	const struct guest_memory *gm;
	const struct loaded *loaded;   /* read whenever vCPUs are (re)set */
	const struct machine *machine; /* machine->vcpus says how many */
	struct bus *mmio, *pio;
	struct arch_irqchip *irqchip; /* the architecture's; NULL: the backend has one */
	/* The guest's calls to its firmware come here: vCPUs but the first wait for their start. */
	bool calls;
	/* @text says why; "" where there is nothing to say.  [vcpu] */
	void (*request)(void *opaque, enum vcpu_request what, uint32_t index, const char *text);
	/* The first vCPU is about to run its first instruction; may be NULL.  [vcpu] */
	void (*first_run)(void *opaque);
	/* A vCPU's thread begins; may be NULL.  [vcpu] */
	void (*enter)(void *opaque);
	/* It came out of the guest for the first time; may be NULL.  [vcpu] */
	void (*first_exit)(void *opaque);
	/* What the guest says through its firmware; how much was taken.  May be NULL.  [vcpu] */
	size_t (*console)(void *opaque, const void *bytes, size_t size);
	void *opaque;
};

/*
 * Creates the threads and on each its vCPU, ready to run and parked.  Copies @config.  Undoes
 * everything when one fails.  [main]
 */
int vcpus_create(const struct vcpus_config *config, struct vcpus **ret_vcpus, struct error *err);
/* Writes down what the first vCPU is, in machine->facts.  [main] */
void vcpus_facts(const struct vcpus *vcpus, struct machine *machine);
/* As backend_ops' vcpu_interrupt, for vCPU @index; -EINVAL when there is no such.  [any] */
int vcpus_interrupt(struct vcpus *vcpus, uint32_t index, uint32_t line, bool level);
/* Puts every vCPU into its start state; they must be parked.  [main] */
int vcpus_reset(struct vcpus *vcpus, struct error *err);
void vcpus_resume(struct vcpus *vcpus);    /* [main] */
void vcpus_ask_pause(struct vcpus *vcpus); /* does not wait [any] */
void vcpus_pause(struct vcpus *vcpus);     /* returns when all are parked [main] */
void vcpus_destroy(struct vcpus *vcpus);   /* stops and joins; NULL is fine [main] */

#endif
