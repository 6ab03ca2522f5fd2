/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the x86-64 files of the KVM backend share: the state that a reset goes back to.
 */
#ifndef TENON_BACKENDS_KVM_X86_64_H
#define TENON_BACKENDS_KVM_X86_64_H

#include "backends/kvm/kvm.h"

#define X86_CHIPS 3 /* both PICs and the I/O APIC */
/* A struct kvm_xsave, which ends in an array without a length. */
#define XSAVE_WORDS 1024

struct kvm_isa_vm {
	struct kvm_irqchip chips[X86_CHIPS];
	struct kvm_pit_state2 pit;
	/* All vCPUs begin alike in these, so the first one's are kept; guarded by lock until
	 * msrs is set, constant from then on. */
	pthread_mutex_t lock;
	struct kvm_msrs *msrs;
	uint32_t xsave[XSAVE_WORDS];
	struct kvm_xcrs xcrs;
};

/* kvm_x86_64_reset.c */
int kvm_x86_devices_save(struct backend_vm *vm);

#endif
