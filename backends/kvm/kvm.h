/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the KVM backend.  kvm.c holds the module and its probe, kvm_vm.c the machine, kvm_vcpu.c
 * the processors, kvm_exit.c what an exit means, kvm_measure.c how fast it is; kvm_<isa>*.c
 * implement the kvm_isa_* functions below, and are the only files that know an instruction set.
 */
#ifndef TENON_BACKENDS_KVM_H
#define TENON_BACKENDS_KVM_H

#include "core/backend.h"

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>

/* Interrupts KVM_RUN of the thread that it is sent to; its handler does nothing. */
#define KVM_KICK_SIGNAL SIGUSR1

struct kvm_slot {
	uint64_t gpa;
	uint64_t size; /* 0 = free */
	uint32_t flags;
};

struct backend_vm {
	int kvm_fd;
	int fd;
	bool irqchip;
	uint64_t reserved_gpa;
	struct kvm_slot *slots;
	size_t slot_count;
	pthread_mutex_t create_lock; /* vcpu_count */
	uint32_t vcpu_count;
	struct kvm_isa_vm *isa; /* what the ISA's files keep; NULL until they have something */
};

/* What an exit asks of the bus, piece by piece: KVM hands over whole string instructions and
 * MMIO of any length up to 8, the core takes one item of 1, 2, 4 or 8 bytes at a time. */
struct kvm_transfer {
	uint8_t *data; /* in kvm_run; NULL = nothing is going on */
	uint64_t address;
	uint32_t left;  /* bytes */
	uint32_t unit;  /* of port I/O: each item goes to the same address; 0 for MMIO */
	uint32_t given; /* size of the item that the core has */
	bool write;
};

struct backend_vcpu {
	struct backend_vm *vm;
	uint32_t index;
	uint32_t order; /* in which they were created: KVM has a number of its own for each */
	int fd;
	pthread_t thread;
	struct kvm_run *run;
	size_t run_size;
	atomic_bool kicked;
	struct kvm_transfer transfer;
	struct kvm_isa_vcpu *isa;
};

/* ioctl() that goes on after a signal; >= 0 or -errno. */
int kvm_ioctl(int fd, unsigned long request, void *arg);
/* For the requests that take a number. */
int kvm_ioctl_value(int fd, unsigned long request, unsigned long value);
/* What KVM_CHECK_EXTENSION answers, 0 when it fails. */
int kvm_capability(int fd, int capability);

/* ---- kvm.c ---- */

/* Opens /dev/kvm; the descriptor, or -errno and a sentence that says what would help. */
int kvm_open(struct backend_error *err);

/* ---- kvm_vm.c ---- */

int kvm_vm_create(const struct backend_vm_config *config, struct backend_vm **ret_vm,
	struct backend_error *err);
void kvm_vm_destroy(struct backend_vm *vm);
int kvm_mem_map(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host, uint32_t flags,
	struct backend_error *err);
int kvm_mem_unmap(struct backend_vm *vm, uint64_t gpa, uint64_t size);
int kvm_mem_dirty(struct backend_vm *vm, uint64_t gpa, uint64_t size, uint64_t *bitmap);
int kvm_irq_line(struct backend_vm *vm, uint32_t gsi, bool level);
int kvm_irqfd(struct backend_vm *vm, uint32_t gsi, int fd, bool assign);
int kvm_doorbell(struct backend_vm *vm, uint64_t address, uint32_t size, const uint64_t *match,
	bool pio, int fd, bool assign);

/* ---- kvm_vcpu.c ---- */

int kvm_vcpu_create(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
	struct backend_error *err);
void kvm_vcpu_destroy(struct backend_vcpu *vcpu);
int kvm_vcpu_reset(struct backend_vcpu *vcpu, struct backend_error *err);
int kvm_vcpu_run(struct backend_vcpu *vcpu, struct vcpu_exit *exit);
void kvm_vcpu_kick(struct backend_vcpu *vcpu);
int kvm_vcpu_fence(struct backend_vcpu *vcpu, uint32_t what);

/* ---- kvm_exit.c ---- */

/* Begins the transfer that a KVM_EXIT_IO or KVM_EXIT_MMIO in @run stands for. */
void kvm_transfer_begin(struct kvm_transfer *transfer, struct kvm_run *run);
/* Takes back the item that the core has, its answer in @exit, and gives out the next one.
 * False when there is none. */
bool kvm_transfer_next(struct kvm_transfer *transfer, struct vcpu_exit *exit);
/* Hands the core's answer to the last exit, if that was a call or a register, to KVM. */
void kvm_exit_answer(struct kvm_run *run, const struct vcpu_exit *exit);
/* Translates any other exit; 0, -EAGAIN when there is nothing for the core, or -errno with
 * VCPU_FAILED in @exit. */
int kvm_exit_translate(const struct kvm_run *run, struct vcpu_exit *exit);

/* ---- kvm_measure.c ---- */

/* Nanoseconds that this KVM takes for one instruction of an ordinary guest. */
int kvm_measure(struct backend_vm *vm, double *ret_ns, struct backend_error *err);

/* ---- of each ISA; those of processors without CPUID and MSRs share kvm_no_cpuid.c ---- */

extern const enum isa kvm_isa;
/* Whether irqfds do what they should. */
extern const bool kvm_isa_irqfd;

/* The capabilities without which nothing works; ends with a NULL name. */
struct kvm_needed {
	int capability;
	const char *name;
};
#define KVM_NEEDED(name)                                                                           \
	{                                                                                          \
		KVM_CAP_##name, "KVM_CAP_" #name                                                   \
	}
extern const struct kvm_needed kvm_isa_needed[];

/* What KVM_CREATE_VM is asked for. */
unsigned long kvm_isa_vm_type(int kvm_fd);
/* The number that KVM_IRQ_LINE has for line @gsi. */
uint32_t kvm_isa_irq_line(uint32_t gsi);
/* Fills phys_bits; may lower max_vcpus. */
int kvm_isa_probe(int kvm_fd, struct backend_caps *caps, struct backend_error *err);

/* The guest that is timed: it counts down and then makes one access that @exit stands for. */
struct kvm_trial {
	const void *code;
	size_t size;
	uint64_t gpa; /* of the code */
	enum vcpu_exit_kind exit;
	uint64_t address; /* of the access */
};
extern const struct kvm_trial kvm_isa_trial;
/* Has the vCPU begin with that guest, which counts from @loops. */
int kvm_isa_trial_begin(struct backend_vcpu *vcpu, uint64_t loops, struct backend_error *err);

int kvm_isa_vm_create(
	struct backend_vm *vm, const struct backend_vm_config *config, struct backend_error *err);
void kvm_isa_vm_destroy(struct backend_vm *vm);
int kvm_isa_vm_reset(struct backend_vm *vm, struct backend_error *err);
int kvm_isa_irqchip_create(struct backend_vm *vm, struct backend_error *err);
int kvm_isa_irqchip_finish(struct backend_vm *vm, struct backend_error *err);
int kvm_isa_cpuid_supported(struct backend_vm *vm, struct backend_cpuid *entries, size_t *n);

int kvm_isa_vcpu_create(struct backend_vcpu *vcpu, struct backend_error *err);
void kvm_isa_vcpu_destroy(struct backend_vcpu *vcpu);
int kvm_isa_vcpu_reset(struct backend_vcpu *vcpu, struct backend_error *err);
int kvm_isa_vcpu_interrupt(struct backend_vcpu *vcpu, uint32_t line, bool level);
int kvm_isa_set_cpuid(struct backend_vcpu *vcpu, const struct backend_cpuid *entries, size_t n,
	struct backend_error *err);
int kvm_isa_set_regs(struct backend_vcpu *vcpu, const struct backend_reg *regs, size_t n,
	struct backend_error *err);
/* What the guest did, if that is why KVM_RUN fails with @code; else NULL. */
const char *kvm_isa_guest_fault(int code);
int kvm_isa_get_regs(struct backend_vcpu *vcpu, struct backend_reg *regs, size_t n);
int kvm_isa_set_msrs(struct backend_vcpu *vcpu, const struct backend_msr *msrs, size_t n,
	struct backend_error *err);

#endif
