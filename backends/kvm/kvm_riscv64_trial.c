/* SPDX-License-Identifier: Apache-2.0 */
/* The guest that is timed, on riscv64. */
#include "backends/kvm/kvm_riscv64.h"

#define CODE    0x80000000u
#define NOWHERE 0x10000000u

static const uint32_t code[] = {
	0xfff50513, /* 1: addi a0, a0, -1 */
	0xfe051ee3, /* bnez a0, 1b */
	0x0005a023, /* sw zero, 0(a1) */
	0x0000006f, /* j . */
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
		{ RISCV_PC, 0, CODE },
		{ RISCV_X(10), 0, loops },
		{ RISCV_X(11), 0, NOWHERE },
	};
	int r = kvm_vcpu_reset(vcpu, err);

	return r < 0 ? r : kvm_isa_set_regs(vcpu, regs, sizeof(regs) / sizeof(regs[0]), err);
}
