/* SPDX-License-Identifier: Apache-2.0 */
/* What the aarch64 files of the KVM backend share. */
#ifndef TENON_BACKENDS_KVM_AARCH64_H
#define TENON_BACKENDS_KVM_AARCH64_H

#include "backends/kvm/kvm.h"

#define ARM_MAX_VCPUS 512u
#define GICV2_VCPUS   8u
#define ARM_SPI_BASE  32u /* of the interrupts that devices share */

struct kvm_isa_vm {
	int gic_fd;
	uint32_t gic_version; /* 2 or 3; 0 = none */
	uint32_t wanted;      /* vCPUs that are to be */
	uint32_t gic_irqs;    /* a multiple of 32 */
	uint64_t gpa[4];      /* as of struct backend_vm_config */
	bool pmu;             /* asked for */
	bool sve, ptrauth;

	/* Whose own registers are to be set with all vCPUs there; guarded by lock. */
	pthread_mutex_t lock;
	struct backend_vcpu *vcpus[ARM_MAX_VCPUS];
};

struct kvm_isa_vcpu {
	struct kvm_vcpu_init init; /* as it was given, and is again at a reset */
};

/* ioctl KVM_SET_DEVICE_ATTR and KVM_HAS_DEVICE_ATTR on the controller or a vCPU.  0 or -errno. */
int kvm_arm_set_attr(int fd, uint32_t group, uint64_t attr, const void *value);
bool kvm_arm_has_attr(int fd, uint32_t group, uint64_t attr);

/* kvm_aarch64_gic.c */
int kvm_arm_gic_finish(struct backend_vm *vm);
int kvm_arm_gic_reset(struct backend_vm *vm);

/* kvm_aarch64_vcpu.c: lets the performance counters interrupt, once the controller is there. */
int kvm_arm_pmu_finish(struct backend_vm *vm);

#endif
