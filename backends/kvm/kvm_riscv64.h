/* SPDX-License-Identifier: Apache-2.0 */
/* What the riscv64 files of the KVM backend share. */
#ifndef TENON_BACKENDS_KVM_RISCV64_H
#define TENON_BACKENDS_KVM_RISCV64_H

#include "backends/kvm/kvm.h"

struct kvm_isa_vm {
	int aia_fd; /* the interrupt controller in the kernel; -1 = none */
	uint32_t vcpus, irq_lines;
	uint64_t gpa[4];   /* as of struct backend_vm_config */
	uint32_t *created; /* of KVM's number for a vCPU, its index; each written by its thread */
};

/* A register as KVM names it. */
struct kvm_riscv_reg {
	uint64_t id;
	uint64_t value;
};

struct kvm_isa_vcpu {
	/* What the vCPU begins with, and goes back to. */
	struct kvm_riscv_reg *saved;
	size_t n_saved;
};

#endif
