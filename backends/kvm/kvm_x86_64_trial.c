/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest that is timed, on x86-64: in flat 32-bit protected mode, which every processor with
 * virtualisation runs natively, and ending with a write to a port.
 */
#include "backends/kvm/kvm_x86_64.h"

#define CODE 0x1000u
#define PORT 0x80u

/* 1: dec ecx; jnz 1b; out PORT, al; hlt */
static const uint8_t code[] = { 0x49, 0x75, 0xfd, 0xe6, PORT, 0xf4 };

const struct kvm_trial kvm_isa_trial = {
	.code = code,
	.size = sizeof(code),
	.gpa = CODE,
	.exit = VCPU_PIO,
	.address = PORT,
};

int kvm_isa_trial_begin(struct backend_vcpu *vcpu, uint64_t loops, struct backend_error *err)
{
	struct backend_reg regs[6 * 4 + 4];
	uint32_t seg;
	size_t n = 0;

	for (seg = X86_CS; seg <= X86_SS; seg++) {
		uint64_t attr = seg == X86_CS ? 0xc09b : 0xc093;

		regs[n++] = (struct backend_reg){ .id = X86_SEG_REG(seg, X86_BASE) };
		regs[n++] = (struct backend_reg){ X86_SEG_REG(seg, X86_LIMIT), 0, 0xffffffff };
		regs[n++] = (struct backend_reg){ X86_SEG_REG(seg, X86_SELECTOR), 0,
			seg == X86_CS ? 0x08 : 0x10 };
		regs[n++] = (struct backend_reg){ X86_SEG_REG(seg, X86_ATTR), 0, attr };
	}
	regs[n++] = (struct backend_reg){ X86_CR(0), 0, 0x11 };
	regs[n++] = (struct backend_reg){ X86_REG(X86_RIP), 0, CODE };
	regs[n++] = (struct backend_reg){ X86_REG(X86_RFLAGS), 0, 2 };
	regs[n++] = (struct backend_reg){ X86_REG(X86_RCX), 0, loops };
	return kvm_isa_set_regs(vcpu, regs, n, err);
}
