/* SPDX-License-Identifier: Apache-2.0 */
/* The guest that is timed, on aarch64. */
#include "backends/kvm/kvm_aarch64.h"

#define CODE    0x40000000u
#define NOWHERE 0x10000000u
#define PSTATE  0x3c5u /* EL1, interrupts masked */

static const uint32_t code[] = {
	0xf1000421, /* 1: subs x1, x1, #1 */
	0x54ffffe1, /* b.ne 1b */
	0xb900001f, /* str wzr, [x0] */
	0x14000000, /* b . */
};

const struct kvm_trial kvm_isa_trial = {
	.code = code,
	.size = sizeof(code),
	.gpa = CODE,
	.exit = VCPU_MMIO,
	.address = NOWHERE,
};

int kvm_isa_trial_begin(struct backend_vcpu *vcpu, uint64_t loops, struct backend_error *err)
{
	const struct backend_reg regs[] = {
		{ ARM_PSTATE, 0, PSTATE },
		{ ARM_PC, 0, CODE },
		{ ARM_X(0), 0, NOWHERE },
		{ ARM_X(1), 0, loops },
	};
	int r = kvm_vcpu_reset(vcpu, err);

	return r < 0 ? r : kvm_isa_set_regs(vcpu, regs, sizeof(regs) / sizeof(regs[0]), err);
}
