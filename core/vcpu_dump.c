/* SPDX-License-Identifier: Apache-2.0 */
/* Register dumps: a table of names and ids per architecture. */
#include "core/vcpu_dump.h"

#include <stdio.h>

struct named_reg {
	const char *name;
	uint32_t id;
};

static const struct named_reg x86_regs[] = {
	{ "rip", X86_REG(X86_RIP) },
	{ "rflags", X86_REG(X86_RFLAGS) },
	{ "rsp", X86_REG(X86_RSP) },
	{ "rbp", X86_REG(X86_RBP) },
	{ "rax", X86_REG(X86_RAX) },
	{ "rbx", X86_REG(X86_RBX) },
	{ "rcx", X86_REG(X86_RCX) },
	{ "rdx", X86_REG(X86_RDX) },
	{ "rsi", X86_REG(X86_RSI) },
	{ "rdi", X86_REG(X86_RDI) },
	{ "r8", X86_REG(X86_R8) },
	{ "r9", X86_REG(X86_R9) },
	{ "r10", X86_REG(X86_R10) },
	{ "r11", X86_REG(X86_R11) },
	{ "r12", X86_REG(X86_R12) },
	{ "r13", X86_REG(X86_R13) },
	{ "r14", X86_REG(X86_R14) },
	{ "r15", X86_REG(X86_R15) },
	{ "cr0", X86_CR(0) },
	{ "cr2", X86_CR(2) },
	{ "cr3", X86_CR(3) },
	{ "cr4", X86_CR(4) },
	{ "efer", X86_EFER },
	{ "cs", X86_SEG_REG(X86_CS, X86_SELECTOR) },
	{ "cs.base", X86_SEG_REG(X86_CS, X86_BASE) },
	{ "gdt", X86_SEG_REG(X86_GDT, X86_BASE) },
	{ "idt", X86_SEG_REG(X86_IDT, X86_BASE) },
	{ NULL, 0 },
};

static const struct named_reg arm_regs[] = {
	{ "pc", REG_ID(REG_ARM_CORE, 32) },
	{ "pstate", REG_ID(REG_ARM_CORE, 33) },
	{ "sp", REG_ID(REG_ARM_CORE, 31) },
	{ "x0", REG_ID(REG_ARM_CORE, 0) },
	{ "x1", REG_ID(REG_ARM_CORE, 1) },
	{ "x30", REG_ID(REG_ARM_CORE, 30) },
	{ NULL, 0 },
};

static const struct named_reg riscv_regs[] = {
	{ "pc", REG_ID(REG_RISCV_X, 32) },
	{ "ra", REG_ID(REG_RISCV_X, 1) },
	{ "sp", REG_ID(REG_RISCV_X, 2) },
	{ "gp", REG_ID(REG_RISCV_X, 3) },
	{ "tp", REG_ID(REG_RISCV_X, 4) },
	{ "a0", REG_ID(REG_RISCV_X, 10) },
	{ "a1", REG_ID(REG_RISCV_X, 11) },
	{ "a7", REG_ID(REG_RISCV_X, 17) },
	{ "sstatus", RISCV_CSR(0x100) },
	{ "sie", RISCV_CSR(0x104) },
	{ "stvec", RISCV_CSR(0x105) },
	{ "sepc", RISCV_CSR(0x141) },
	{ "scause", RISCV_CSR(0x142) },
	{ "stval", RISCV_CSR(0x143) },
	{ "sip", RISCV_CSR(0x144) },
	{ "satp", RISCV_CSR(0x180) },
	{ NULL, 0 },
};

static const struct named_reg *regs_of(enum isa isa)
{
	switch (isa) {
	case ISA_X86_64:
		return x86_regs;
	case ISA_AARCH64:
		return arm_regs;
	case ISA_RISCV64:
		return riscv_regs;
	}
	return NULL;
}

void vcpu_dump(const struct backend_ops *ops, struct backend_vcpu *vcpu, enum isa isa, char *to,
	size_t room)
{
	size_t at = 0, column = 0;

	to[0] = '\0';
	for (const struct named_reg *r = regs_of(isa); r && r->name; r++) {
		struct backend_reg reg = { .id = r->id };
		int n;

		if (ops->vcpu_get_regs(vcpu, &reg, 1) < 0)
			continue;
		n = snprintf(to + at, room - at, "%s%s=%016llx",
			column ? " "
			: at   ? "\n"
			       : "",
			r->name, (unsigned long long)reg.value);
		if (n < 0 || (size_t)n >= room - at)
			return;
		at += (size_t)n;
		column = (column + 1) % 4;
	}
}
