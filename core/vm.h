/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One virtual machine: what builder.c builds and vm.c runs.
 *
 * All members are the main thread's, but for `request` and what is said to be shared.
 */
#ifndef TENON_CORE_VM_H
#define TENON_CORE_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/backend.h"
#include "core/config.h"
#include "core/device.h"
#include "core/error.h"
#include "core/loader.h"
#include "core/machine.h"
#include "core/payload.h"

struct arch;
struct display_hub;
struct arch_irqchip;
struct iothread;
struct isolation;
struct loop_timer;
struct sandbox;
struct signals;
struct timing;
struct vcpus;
struct vm_config;

#define VM_MAX_IOTHREADS 32

/* Why the VM is to stop; the first one counts. */
enum vm_request {
	VM_NONE,
	VM_OFF,    /* the guest switched itself off */
	VM_RESET,  /* the guest asked for a reset */
	VM_DEAD,   /* triple fault, crash: text says more */
	VM_FAILED, /* cannot go on: text says why */
	VM_STOP,   /* somebody wants it gone */
};

struct vm {
	const struct vm_config *config; /* borrowed */
	const struct arch *arch;
	struct timing *timing; /* borrowed; NULL = not wanted */

	struct event_loop *loop; /* the main thread's */
	struct signals *signals;
	struct iothread *iothreads[VM_MAX_IOTHREADS];
	size_t n_iothreads;

	struct isolation *isolation; /* NULL: every device lives here */

	struct loader loader;
	struct payload payload;
	struct loaded loaded; /* read by vCPU threads while they are reset */
	struct guest_memory *gm;

	const struct backend_module *backend;
	struct backend_caps caps;
	struct backend_vm *backend_vm;
	bool has_irqchip;

	struct bus *mmio, *pio;
	struct irq_table *irqs;
	struct arch_irqchip *irqchip; /* the architecture's; NULL: the backend has one */
	struct terminal *terminal;
	struct work_pool *work;
	struct display_hub *displays;
	struct device_env env;
	struct config_device *forms; /* of devices that this machine has in another form; owned */
	size_t n_forms;
	struct tenon_dev *devices, **last_device;
	struct machine machine;
	struct vcpus *vcpus;
	struct sandbox *sandbox; /* NULL: there is none, or all have entered it */

	struct loop_timer *shutdown_timer;
	struct loop_timer *request_timer; /* wakes the main loop; asking must not allocate */
	unsigned stop_requests;

	pthread_mutex_t request_lock; /* the next two, and that `vcpus` is there; shared */
	enum vm_request request;
	char request_text[400];

	struct error *err; /* of vm_run(): why it failed */
	int result;
	uint64_t started_ns, paused_ns, pause_began_ns; /* guest clock; see vm_guest_ns() */
};

/* ---- builder.c ---- */

/*
 * Builds everything up to vCPUs that are ready to run; undoes all of it on failure.  @vm is zeroed
 * by the caller but for config and timing.  [main]
 */
int vm_build(struct vm *vm, struct error *err);
/*
 * As far as `tenon check` goes: no hypervisor, no attach of host resources beyond the devices' own.
 * With @ask_hypervisor there is one if this host has one for the guest, so that the boot tables say
 * what its guest would read; a warning says why there is none.  [main]
 */
int vm_build_for_check(struct vm *vm, bool ask_hypervisor, struct error *err);
/* Loads the payload and writes the boot tables; at the start and at every reset.  [main] */
int vm_write_boot_image(struct vm *vm, struct error *err);
void vm_destroy(struct vm *vm); /* half-built is fine [main] */

/* ---- vm.c ---- */

/* What request_timer does.  [main] */
void vm_serve_request(void *vm);
/* What shutdown_timer does.  [main] */
void vm_shutdown_expired(void *vm);
/* Runs until the end: 0 when the guest switched itself off or was stopped on request.  [main] */
int vm_run(struct vm *vm, struct error *err);
/* Asks for the end or a reset; returns at once.  [any] */
void vm_ask(struct vm *vm, enum vm_request what, const char *text);
/* Asks the guest to shut down; the second time, stops it.  [main] */
void vm_ask_shutdown(struct vm *vm);
/* Lets whoever reads the output have all of it, before the terminal goes.  [main] */
void vm_wait_for_reader(struct vm *vm);
uint64_t vm_guest_ns(const struct vm *vm); /* [any] */

#endif
