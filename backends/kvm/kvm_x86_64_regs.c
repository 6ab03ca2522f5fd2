/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of an x86-64 vCPU by the ids of core/backend.h.  KVM reads and writes them in groups;
 * a call fetches each group that it touches once, and writes it back once.
 */
#include "backends/kvm/kvm_x86_64.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CR_EFER      0x10u
#define CR_APIC_BASE 0x11u
#define APIC_SIZE    0x400u
#define XSAVE_FCW    0
#define XSAVE_MXCSR  24
#define XSAVE_VALID  512
#define XSAVE_X87    1u
#define XSAVE_SSE    2u

struct state {
	uint32_t loaded; /* bit (1 << REG_X86_*), SEG and CR share CR's */
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint32_t xsave[XSAVE_WORDS];
	struct kvm_lapic_state lapic;
};

struct group {
	uint32_t cls;
	unsigned long get, set;
	size_t offset;
	const char *name;
};

static const struct group groups[] = {
	{ REG_X86_CR, KVM_GET_SREGS, KVM_SET_SREGS, offsetof(struct state, sregs),
		"system registers" },
	{ REG_X86_GPR, KVM_GET_REGS, KVM_SET_REGS, offsetof(struct state, regs),
		"general registers" },
	{ REG_X86_FPU, KVM_GET_XSAVE, KVM_SET_XSAVE, offsetof(struct state, xsave),
		"floating-point registers" },
	{ REG_X86_LVT, KVM_GET_LAPIC, KVM_SET_LAPIC, offsetof(struct state, lapic), "local APIC" },
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static int load_group(struct backend_vcpu *vcpu, struct state *state, uint32_t cls)
{
	size_t i;
	int r;

	if (cls == REG_X86_SEG)
		cls = REG_X86_CR;
	for (i = 0; i < GROUPS && groups[i].cls != cls; i++)
		;
	if (i == GROUPS)
		return -ENOENT;
	if (state->loaded & (1u << cls))
		return 0;
	r = kvm_ioctl(vcpu->fd, groups[i].get, (uint8_t *)state + groups[i].offset);
	if (r == 0)
		state->loaded |= 1u << cls;
	return r;
}

/* ---- one register within its group ---- */

static int move_u64(__u64 *field, uint64_t *value, bool write)
{
	if (write)
		*field = *value;
	else
		*value = *field;
	return 0;
}

static int move_gpr(struct kvm_regs *regs, uint32_t number, uint64_t *value, bool write)
{
	__u64 *const fields[] = {
		[X86_RAX] = &regs->rax,
		[X86_RCX] = &regs->rcx,
		[X86_RDX] = &regs->rdx,
		[X86_RBX] = &regs->rbx,
		[X86_RSP] = &regs->rsp,
		[X86_RBP] = &regs->rbp,
		[X86_RSI] = &regs->rsi,
		[X86_RDI] = &regs->rdi,
		[X86_R8] = &regs->r8,
		[X86_R9] = &regs->r9,
		[X86_R10] = &regs->r10,
		[X86_R11] = &regs->r11,
		[X86_R12] = &regs->r12,
		[X86_R13] = &regs->r13,
		[X86_R14] = &regs->r14,
		[X86_R15] = &regs->r15,
		[X86_RIP] = &regs->rip,
		[X86_RFLAGS] = &regs->rflags,
	};

	if (number >= sizeof(fields) / sizeof(fields[0]))
		return -ENOENT;
	return move_u64(fields[number], value, write);
}

static int move_cr(struct kvm_sregs *sregs, uint32_t number, uint64_t *value, bool write)
{
	switch (number) {
	case 0:
		return move_u64(&sregs->cr0, value, write);
	case 2:
		return move_u64(&sregs->cr2, value, write);
	case 3:
		return move_u64(&sregs->cr3, value, write);
	case 4:
		return move_u64(&sregs->cr4, value, write);
	case 8:
		return move_u64(&sregs->cr8, value, write);
	case CR_EFER:
		return move_u64(&sregs->efer, value, write);
	case CR_APIC_BASE:
		return move_u64(&sregs->apic_base, value, write);
	default:
		return -ENOENT;
	}
}

static void set_attr(struct kvm_segment *seg, uint64_t attr)
{
	seg->type = attr & 15;
	seg->s = attr >> 4 & 1;
	seg->dpl = attr >> 5 & 3;
	seg->present = attr >> 7 & 1;
	seg->avl = attr >> 12 & 1;
	seg->l = attr >> 13 & 1;
	seg->db = attr >> 14 & 1;
	seg->g = attr >> 15 & 1;
	seg->unusable = !seg->present;
}

static uint64_t get_attr(const struct kvm_segment *seg)
{
	uint32_t present = seg->present && !seg->unusable;

	return (uint64_t)seg->type | (uint32_t)seg->s << 4 | (uint32_t)seg->dpl << 5 |
	       present << 7 | (uint32_t)seg->avl << 12 | (uint32_t)seg->l << 13 |
	       (uint32_t)seg->db << 14 | (uint32_t)seg->g << 15;
}

static int move_table(struct kvm_dtable *table, uint32_t part, uint64_t *value, bool write)
{
	if (part == X86_BASE)
		return move_u64(&table->base, value, write);
	if (part != X86_LIMIT)
		return -ENOENT;
	if (write)
		table->limit = (uint16_t)*value;
	else
		*value = table->limit;
	return 0;
}

static int move_segment_part(struct kvm_segment *seg, uint32_t part, uint64_t *value, bool write)
{
	switch (part) {
	case X86_BASE:
		return move_u64(&seg->base, value, write);
	case X86_LIMIT:
		if (write)
			seg->limit = (uint32_t)*value;
		else
			*value = seg->limit;
		return 0;
	case X86_SELECTOR:
		if (write)
			seg->selector = (uint16_t)*value;
		else
			*value = seg->selector;
		return 0;
	default:
		if (write)
			set_attr(seg, *value);
		else
			*value = get_attr(seg);
		return 0;
	}
}

static int move_segment(struct kvm_sregs *sregs, uint32_t number, uint64_t *value, bool write)
{
	struct kvm_segment *const segments[] = {
		[X86_CS] = &sregs->cs,
		[X86_DS] = &sregs->ds,
		[X86_ES] = &sregs->es,
		[X86_FS] = &sregs->fs,
		[X86_GS] = &sregs->gs,
		[X86_SS] = &sregs->ss,
		[X86_TR] = &sregs->tr,
		[X86_LDT] = &sregs->ldt,
	};
	uint32_t seg = number / 4, part = number % 4;

	if (seg == X86_GDT)
		return move_table(&sregs->gdt, part, value, write);
	if (seg == X86_IDT)
		return move_table(&sregs->idt, part, value, write);
	if (seg >= sizeof(segments) / sizeof(segments[0]))
		return -ENOENT;
	return move_segment_part(segments[seg], part, value, write);
}

/* KVM_SET_FPU forgets MXCSR, so this goes through the XSAVE area: its legacy part, and the header
 * that says which parts are valid. */
static int move_fpu(uint32_t *xsave, uint32_t number, uint64_t *value, bool write)
{
	uint8_t *area = (uint8_t *)xsave;
	uint32_t word = (uint32_t)*value;
	uint64_t valid;

	if (number > 1)
		return -ENOENT;
	if (!write) {
		word = 0;
		memcpy(&word, area + (number ? XSAVE_MXCSR : XSAVE_FCW), number ? 4 : 2);
		*value = word;
		return 0;
	}
	memcpy(area + (number ? XSAVE_MXCSR : XSAVE_FCW), &word, number ? 4 : 2);
	memcpy(&valid, area + XSAVE_VALID, sizeof(valid));
	valid |= XSAVE_X87 | XSAVE_SSE;
	memcpy(area + XSAVE_VALID, &valid, sizeof(valid));
	return 0;
}

static int move_lvt(struct kvm_lapic_state *lapic, uint32_t offset, uint64_t *value, bool write)
{
	uint32_t word = (uint32_t)*value;

	if (offset % 16 || offset >= APIC_SIZE)
		return -ENOENT;
	if (write) {
		memcpy(lapic->regs + offset, &word, sizeof(word));
	} else {
		memcpy(&word, lapic->regs + offset, sizeof(word));
		*value = word;
	}
	return 0;
}

static int move_reg(struct state *state, uint32_t id, uint64_t *value, bool write)
{
	uint32_t number = REG_NUMBER(id);

	switch (REG_CLASS(id)) {
	case REG_X86_GPR:
		return move_gpr(&state->regs, number, value, write);
	case REG_X86_SEG:
		return move_segment(&state->sregs, number, value, write);
	case REG_X86_CR:
		return move_cr(&state->sregs, number, value, write);
	case REG_X86_FPU:
		return move_fpu(state->xsave, number, value, write);
	case REG_X86_LVT:
		return move_lvt(&state->lapic, number, value, write);
	default:
		return -ENOENT;
	}
}

/* ---- the calls ---- */

static int store_groups(struct backend_vcpu *vcpu, struct state *state, struct backend_error *err)
{
	size_t i;

	for (i = 0; i < GROUPS; i++) {
		int r = 0;

		if (state->loaded & (1u << groups[i].cls))
			r = kvm_ioctl(vcpu->fd, groups[i].set, (uint8_t *)state + groups[i].offset);
		if (r < 0)
			return backend_fail(err, r, "KVM refuses the %s of vCPU %u: %s",
				groups[i].name, vcpu->index, strerror(-r));
	}
	return 0;
}

int kvm_isa_set_regs(struct backend_vcpu *vcpu, const struct backend_reg *regs, size_t n,
	struct backend_error *err)
{
	struct state state;
	size_t i;

	state.loaded = 0;
	for (i = 0; i < n; i++) {
		uint64_t value = regs[i].value;
		int r = load_group(vcpu, &state, REG_CLASS(regs[i].id));

		if (r == 0)
			r = move_reg(&state, regs[i].id, &value, true);
		if (r < 0)
			return backend_fail(err, r, "cannot set register 0x%08x of vCPU %u: %s",
				regs[i].id, vcpu->index,
				r == -ENOENT ? "no such register" : strerror(-r));
	}
	return store_groups(vcpu, &state, err);
}

int kvm_isa_get_regs(struct backend_vcpu *vcpu, struct backend_reg *regs, size_t n)
{
	struct state state;
	size_t i;

	state.loaded = 0;
	for (i = 0; i < n; i++) {
		int r = load_group(vcpu, &state, REG_CLASS(regs[i].id));

		if (r == 0)
			r = move_reg(&state, regs[i].id, &regs[i].value, false);
		if (r < 0)
			return r;
	}
	return 0;
}

int kvm_isa_set_msrs(struct backend_vcpu *vcpu, const struct backend_msr *msrs, size_t n,
	struct backend_error *err)
{
	struct kvm_msrs *list;
	size_t i;
	int r;

	if (n == 0)
		return 0;
	if (n > 256)
		return backend_fail(err, -E2BIG, "%zu MSRs are too many at once", n);
	list = calloc(1, sizeof(*list) + n * sizeof(list->entries[0]));
	if (!list)
		return backend_fail(err, -ENOMEM, "out of memory");
	list->nmsrs = (uint32_t)n;
	for (i = 0; i < n; i++) {
		list->entries[i].index = msrs[i].index;
		list->entries[i].data = msrs[i].value;
	}
	r = kvm_ioctl(vcpu->fd, KVM_SET_MSRS, list);
	free(list);
	if (r < 0)
		return backend_fail(err, r, "KVM cannot set the MSRs of vCPU %u: %s", vcpu->index,
			strerror(-r));
	if ((size_t)r < n)
		return backend_fail(err, -EINVAL, "KVM refuses MSR 0x%x = 0x%" PRIx64 " of vCPU %u",
			msrs[r].index, msrs[r].value, vcpu->index);
	return 0;
}

/* What a guest does wrong is an exit of its own. */
const char *kvm_isa_guest_fault(int code)
{
	(void)code;
	return NULL;
}
