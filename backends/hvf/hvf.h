/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the backend for macOS on Apple silicon, on its Hypervisor framework.
 *
 * The framework has one machine a process, and each vCPU belongs to the thread that made it: all
 * that is done with a vCPU is done there, but for hv_vcpus_exit().  Others leave word in the
 * vCPU's members under its lock, and make it exit.
 *
 * The interrupt controller is the framework's where it has one (macOS 15), else the core's, which
 * the vCPU's IRQ and FIQ come from then; the virtual timer reaches it by VCPU_LINE.
 *
 * Written from the framework's documentation and run against a stand-in; never on a Mac.
 */
#ifndef TENON_BACKENDS_HVF_H
#define TENON_BACKENDS_HVF_H

#include <pthread.h>

#include <Hypervisor/Hypervisor.h>

#include "core/backend.h"

#define HVF_MAX_VCPUS  512u
#define HVF_SYS_REGS   26u /* that a reset puts back */
#define HVF_PC_NUMBER  32u
#define HVF_CPSR_RESET 0x3c5u /* EL1h, debug, SError, IRQ and FIQ masked */

struct hvf_map {
	uint64_t gpa, size;
};

struct backend_vm {
	uint32_t vcpus;
	uint64_t gicd, gicr;
	bool gic; /* the framework's */
	uint32_t first_spi, spis;

	pthread_mutex_t lock; /* maps */
	struct hvf_map *maps;
	size_t n_maps;
};

/* What the next run completes. */
enum hvf_unfinished { HVF_NOTHING, HVF_READ, HVF_WRITE, HVF_CALL, HVF_SYSREG };

struct backend_vcpu {
	struct backend_vm *vm;
	uint32_t index;
	hv_vcpu_t id;
	hv_vcpu_exit_t *exit; /* the framework's */
	uint64_t reset_values[HVF_SYS_REGS];
	bool resets[HVF_SYS_REGS]; /* that there are */

	/* The run that is to be completed. */
	enum hvf_unfinished unfinished;
	uint32_t reg, size; /* where a value goes */
	bool extends_sign, wide;

	bool waits;        /* at a WFI */
	bool timer_masked; /* by the framework, since it was due */
	bool timer_line;   /* as the controller was told */

	pthread_mutex_t lock; /* the rest */
	pthread_cond_t wake;
	bool kicked;
	bool lines[2]; /* ARM_LINE_IRQ, ARM_LINE_FIQ */
};

/* hvf.c */
const char *hvf_text(hv_return_t ret);
/* -errno for what the framework answered. */
int hvf_errno(hv_return_t ret);
/* What of the framework is newer than the oldest macOS; NULL where this one has it not. */
struct hvf_newer {
	hv_vm_config_t (*vm_config_create)(void);
	hv_return_t (*get_max_ipa_size)(uint32_t *bits);
	hv_return_t (*set_ipa_size)(hv_vm_config_t config, uint32_t bits);
	void (*release)(void *object);
	hv_gic_config_t (*gic_config_create)(void);
	hv_return_t (*gic_set_distributor)(hv_gic_config_t config, hv_ipa_t base);
	hv_return_t (*gic_set_redistributor)(hv_gic_config_t config, hv_ipa_t base);
	hv_return_t (*gic_create)(hv_gic_config_t config);
	hv_return_t (*gic_reset)(void);
	hv_return_t (*gic_set_spi)(uint32_t intid, bool level);
	hv_return_t (*gic_get_spis)(uint32_t *first, uint32_t *n);
};
const struct hvf_newer *hvf_newer(void);
bool hvf_has_gic(void);
uint32_t hvf_phys_bits(void);

/* hvf_vm.c */
/* hv_vm_create() with as many bits of addresses as there are. */
hv_return_t hvf_create_machine(void);
int hvf_vm_create(const struct backend_vm_config *config, struct backend_vm **ret_vm,
	struct backend_error *err);
void hvf_vm_destroy(struct backend_vm *vm);
int hvf_mem_map(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host, uint32_t flags,
	struct backend_error *err);
int hvf_mem_unmap(struct backend_vm *vm, uint64_t gpa, uint64_t size);

/* hvf_gic.c */
int hvf_irqchip_create(struct backend_vm *vm, struct backend_error *err);
int hvf_irqchip_finish(struct backend_vm *vm, struct backend_error *err);
int hvf_irq_line(struct backend_vm *vm, uint32_t gsi, bool level);
int hvf_vm_reset(struct backend_vm *vm, struct backend_error *err);

/* hvf_vcpu.c */
int hvf_vcpu_create(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
	struct backend_error *err);
void hvf_vcpu_destroy(struct backend_vcpu *vcpu);
int hvf_vcpu_reset(struct backend_vcpu *vcpu, struct backend_error *err);
int hvf_vcpu_set_regs(struct backend_vcpu *vcpu, const struct backend_reg *regs, size_t n,
	struct backend_error *err);
int hvf_vcpu_get_regs(struct backend_vcpu *vcpu, struct backend_reg *regs, size_t n);
/* Registers that every vCPU has; number 31 reads as zero and takes nothing. */
uint64_t hvf_get_x(const struct backend_vcpu *vcpu, uint32_t number);
void hvf_set_x(const struct backend_vcpu *vcpu, uint32_t number, uint64_t value);
uint64_t hvf_get_pc(const struct backend_vcpu *vcpu);
uint64_t hvf_get_sys(const struct backend_vcpu *vcpu, uint32_t number);

/* hvf_run.c */
int hvf_vcpu_run(struct backend_vcpu *vcpu, struct vcpu_exit *exit);
void hvf_vcpu_kick(struct backend_vcpu *vcpu);
int hvf_vcpu_interrupt(struct backend_vcpu *vcpu, uint32_t line, bool level);

/* hvf_exception.c */
/* What an exception of the guest is for the core: true, and @exit is filled; false: it goes on. */
bool hvf_exception(struct backend_vcpu *vcpu, struct vcpu_exit *exit);
/* Brings the core's answer to the last exit into the guest. */
void hvf_complete(struct backend_vcpu *vcpu, const struct vcpu_exit *exit);
int hvf_fail(const struct backend_vcpu *vcpu, struct vcpu_exit *exit, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
