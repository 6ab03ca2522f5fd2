/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state in which vCPUs start.  The first one is put where the boot protocol wants it; the
 * others keep their reset state and wait for the guest to start them.
 */
#include <errno.h>

#include "arch/arch.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/tables.h"
#include "arch/x86_64/x86_64.h"
#include "core/machine.h"
#include "core/payload.h"

#define CR0_PE        (1u << 0)
#define CR0_ET        (1u << 4)
#define CR0_NE        (1u << 5)
#define CR0_PG        (1u << 31)
#define CR4_PAE       (1u << 5)
#define EFER_LME      (1u << 8)
#define EFER_LMA      (1u << 10)
#define RFLAGS_ONE    0x2u
#define FCW_DEFAULT   0x37fu
#define MXCSR_DEFAULT 0x1f80u
#define LVT_LINT0     0x350u
#define LVT_LINT1     0x360u
#define LVT_EXTINT    0x700u
#define LVT_NMI       0x400u

#define MSR_TSC         0x10u
#define MSR_SYSENTER_CS 0x174u
#define MSR_SYSENTER_SP 0x175u
#define MSR_SYSENTER_IP 0x176u
#define MSR_MISC_ENABLE 0x1a0u
#define MSR_MTRR_TYPE   0x2ffu
#define MSR_STAR        0xc0000081u
#define MSR_LSTAR       0xc0000082u
#define MSR_CSTAR       0xc0000083u
#define MSR_SFMASK      0xc0000084u
#define MSR_KERNEL_GS   0xc0000102u
#define FAST_STRINGS    1u
#define MTRR_WB_ENABLED 0x806u

static void reg(struct arch_vcpu_state *state, uint32_t id, uint64_t value)
{
	state->regs[state->n_regs++] = (struct backend_reg){ .id = id, .value = value };
}

static void msr(struct arch_vcpu_state *state, uint32_t index, uint64_t value)
{
	state->msrs[state->n_msrs++] = (struct backend_msr){ .index = index, .value = value };
}

static void segment(struct arch_vcpu_state *state, enum x86_seg seg, uint32_t limit,
	uint16_t selector, uint16_t rights)
{
	reg(state, X86_SEG_REG(seg, X86_BASE), 0);
	reg(state, X86_SEG_REG(seg, X86_LIMIT), limit);
	reg(state, X86_SEG_REG(seg, X86_SELECTOR), selector);
	reg(state, X86_SEG_REG(seg, X86_ATTR), rights);
}

static void segments(struct arch_vcpu_state *state, uint16_t code_rights)
{
	static const enum x86_seg data[] = { X86_DS, X86_ES, X86_FS, X86_GS, X86_SS };

	segment(state, X86_CS, UINT32_MAX, GDT_CODE, code_rights);
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
		segment(state, data[i], UINT32_MAX, GDT_DATA, SEGMENT_DATA);
	segment(state, X86_TR, TSS_LIMIT, GDT_TSS, SEGMENT_TSS);
	reg(state, X86_SEG_REG(X86_GDT, X86_BASE), BOOT_GDT);
	reg(state, X86_SEG_REG(X86_GDT, X86_LIMIT), GDT_ENTRIES * 8 - 1);
	reg(state, X86_SEG_REG(X86_IDT, X86_BASE), BOOT_IDT);
	reg(state, X86_SEG_REG(X86_IDT, X86_LIMIT), BOOT_IDT_SIZE - 1);
}

static void enter_linux64(struct arch_vcpu_state *state, uint64_t entry)
{
	segments(state, SEGMENT_CODE64);
	reg(state, X86_CR(3), BOOT_PML4);
	reg(state, X86_CR(4), CR4_PAE);
	reg(state, X86_CR(0), CR0_PE | CR0_ET | CR0_NE | CR0_PG);
	reg(state, X86_EFER, EFER_LME | EFER_LMA);
	reg(state, X86_REG(X86_RIP), entry);
	reg(state, X86_REG(X86_RSI), BOOT_ZERO_PAGE);
	reg(state, X86_REG(X86_RSP), BOOT_STACK_TOP);
	reg(state, X86_REG(X86_RBP), BOOT_STACK_TOP);
	reg(state, X86_REG(X86_RFLAGS), RFLAGS_ONE);
}

static void enter_pvh(struct arch_vcpu_state *state, uint64_t entry)
{
	segments(state, SEGMENT_CODE32);
	reg(state, X86_CR(4), 0);
	reg(state, X86_CR(0), CR0_PE | CR0_ET);
	reg(state, X86_EFER, 0);
	reg(state, X86_REG(X86_RIP), entry);
	reg(state, X86_REG(X86_RBX), BOOT_START_INFO);
	reg(state, X86_REG(X86_RSP), BOOT_STACK_TOP);
	reg(state, X86_REG(X86_RFLAGS), RFLAGS_ONE);
}

/* What firmware would have left in every CPU. */
static void firmware_state(struct arch_vcpu_state *state)
{
	static const uint32_t zeroed[] = {
		MSR_SYSENTER_CS,
		MSR_SYSENTER_SP,
		MSR_SYSENTER_IP,
		MSR_STAR,
		MSR_LSTAR,
		MSR_CSTAR,
		MSR_SFMASK,
		MSR_KERNEL_GS,
		MSR_TSC,
	};

	reg(state, X86_FCW, FCW_DEFAULT);
	reg(state, X86_MXCSR, MXCSR_DEFAULT);
	reg(state, X86_LVT(LVT_LINT0), LVT_EXTINT);
	reg(state, X86_LVT(LVT_LINT1), LVT_NMI);
	for (size_t i = 0; i < sizeof(zeroed) / sizeof(zeroed[0]); i++)
		msr(state, zeroed[i], 0);
	msr(state, MSR_MISC_ENABLE, FAST_STRINGS);
	msr(state, MSR_MTRR_TYPE, MTRR_WB_ENABLED);
}

int x86_vcpu_state(const struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, uint32_t index, struct arch_vcpu_state *ret_state)
{
	struct arch_vcpu_state state = { 0 };

	(void)gm;
	if (index >= machine->vcpus)
		return -EINVAL;
	switch (loaded->protocol) {
	case BOOT_LINUX64:
	case BOOT_PVH:
		firmware_state(&state);
		break;
	case BOOT_RESET: /* the reset state is the start state */
		break;
	default:
		return -EINVAL;
	}
	if (index == 0 && loaded->protocol == BOOT_LINUX64)
		enter_linux64(&state, loaded->entry);
	if (index == 0 && loaded->protocol == BOOT_PVH)
		enter_pvh(&state, loaded->entry);
	*ret_state = state;
	return 0;
}
