/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back to the beginning.  KVM has no "reset a vCPU", so what it shows right after creation is kept
 * and written back: per vCPU what differs between them, per VM the bulk in which they are alike.
 */
#include "backends/kvm/kvm_x86_64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MSR_TSC 0x10u

/* What one vCPU begins with. */
struct kvm_isa_vcpu {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp_state;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debugregs;
};

/* ---- MSRs ---- */

static int read_msr_list(int kvm_fd, struct kvm_msr_list **ret_list)
{
	struct kvm_msr_list probe = { 0 }, *list;
	int r = kvm_ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, &probe);

	if (r < 0 && r != -E2BIG)
		return r;
	list = calloc(1, sizeof(*list) + probe.nmsrs * sizeof(list->indices[0]));
	if (!list)
		return -ENOMEM;
	list->nmsrs = probe.nmsrs;
	r = kvm_ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, list);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret_list = list;
	return 0;
}

/* Reads the values; KVM stops at one that this processor lacks, which is then left out. */
static int read_msrs(int fd, struct kvm_msrs *msrs)
{
	uint32_t total = msrs->nmsrs, done = 0;
	struct kvm_msrs *rest = calloc(1, sizeof(*rest) + total * sizeof(rest->entries[0]));

	if (!rest)
		return -ENOMEM;
	while (done < total) {
		int r;

		rest->nmsrs = total - done;
		memcpy(rest->entries, msrs->entries + done, rest->nmsrs * sizeof(rest->entries[0]));
		r = kvm_ioctl(fd, KVM_GET_MSRS, rest);
		if (r < 0 || (uint32_t)r > rest->nmsrs)
			break;
		memcpy(msrs->entries + done, rest->entries, (size_t)r * sizeof(rest->entries[0]));
		done += (uint32_t)r;
		if (done < total) {
			total--;
			memmove(msrs->entries + done, msrs->entries + done + 1,
				(total - done) * sizeof(msrs->entries[0]));
		}
	}
	msrs->nmsrs = done;
	free(rest);
	return 0;
}

static int save_msrs(struct backend_vcpu *vcpu, struct kvm_msrs **ret_msrs)
{
	struct kvm_msr_list *list;
	struct kvm_msrs *msrs;
	uint32_t i, n = 0;
	int r = read_msr_list(vcpu->vm->kvm_fd, &list);

	if (r < 0)
		return r;
	msrs = calloc(1, sizeof(*msrs) + list->nmsrs * sizeof(msrs->entries[0]));
	if (!msrs) {
		free(list);
		return -ENOMEM;
	}
	for (i = 0; i < list->nmsrs; i++)
		if (list->indices[i] != MSR_TSC)
			msrs->entries[n++].index = list->indices[i];
	free(list);
	msrs->nmsrs = n;
	r = read_msrs(vcpu->fd, msrs);
	if (r < 0)
		free(msrs);
	else
		*ret_msrs = msrs;
	return r;
}

/* Writes them back one by one where KVM stops: some are only for reading, and did not change. */
static int restore_msrs(struct backend_vcpu *vcpu)
{
	const struct kvm_msrs *saved = vcpu->vm->isa->msrs;
	struct kvm_msrs *list =
		calloc(1, sizeof(*list) + (saved->nmsrs + 1) * sizeof(list->entries[0]));
	uint32_t done = 0;
	int r = 0;

	if (!list)
		return -ENOMEM;
	while (done <= saved->nmsrs && r >= 0) {
		list->nmsrs = saved->nmsrs - done;
		memcpy(list->entries, saved->entries + done,
			list->nmsrs * sizeof(list->entries[0]));
		/* The time-stamp counter starts at 0 again; KVM keeps those of all vCPUs in step
		 * when 0 is what is written. */
		list->entries[list->nmsrs++] = (struct kvm_msr_entry){ .index = MSR_TSC };
		r = kvm_ioctl(vcpu->fd, KVM_SET_MSRS, list);
		done += r < 0 ? 0 : (uint32_t)r + 1;
	}
	free(list);
	return r < 0 ? r : 0;
}

/* ---- the parts of a vCPU ---- */

/* In the order in which they are written back: the local APIC's form depends on its base, which is
 * in the system registers, and events and the running state come last. */
static const struct part {
	unsigned long get, set;
	size_t offset;
	bool apic; /* only with an interrupt controller */
	const char *name;
} parts[] = {
	{ KVM_GET_SREGS, KVM_SET_SREGS, offsetof(struct kvm_isa_vcpu, sregs), false,
		"system registers" },
	{ KVM_GET_REGS, KVM_SET_REGS, offsetof(struct kvm_isa_vcpu, regs), false,
		"general registers" },
	{ KVM_GET_LAPIC, KVM_SET_LAPIC, offsetof(struct kvm_isa_vcpu, lapic), true, "local APIC" },
	{ KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, offsetof(struct kvm_isa_vcpu, debugregs), false,
		"debug registers" },
	{ KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, offsetof(struct kvm_isa_vcpu, events), false,
		"pending events" },
	{ KVM_GET_MP_STATE, KVM_SET_MP_STATE, offsetof(struct kvm_isa_vcpu, mp_state), false,
		"running state" },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

static int move_parts(struct backend_vcpu *vcpu, bool restore, struct backend_error *err)
{
	size_t i;

	for (i = 0; i < PARTS; i++) {
		void *data = (uint8_t *)vcpu->isa + parts[i].offset;
		int r;

		if (parts[i].apic && !vcpu->vm->irqchip)
			continue;
		r = kvm_ioctl(vcpu->fd, restore ? parts[i].set : parts[i].get, data);
		if (r < 0)
			return backend_fail(err, r, "KVM cannot %s the %s of vCPU %u: %s",
				restore ? "reset" : "show", parts[i].name, vcpu->index,
				strerror(-r));
	}
	return 0;
}

/* Keeps what all vCPUs have alike; the first one that comes brings it. */
static int save_common(struct backend_vcpu *vcpu)
{
	struct kvm_isa_vm *isa = vcpu->vm->isa;
	int r = 0;

	(void)pthread_mutex_lock(&isa->lock);
	if (!isa->msrs) {
		r = kvm_ioctl(vcpu->fd, KVM_GET_XSAVE, isa->xsave);
		if (r == 0)
			r = kvm_ioctl(vcpu->fd, KVM_GET_XCRS, &isa->xcrs);
		if (r == 0)
			r = save_msrs(vcpu, &isa->msrs);
	}
	(void)pthread_mutex_unlock(&isa->lock);
	return r;
}

int kvm_isa_vcpu_create(struct backend_vcpu *vcpu, struct backend_error *err)
{
	int r;

	vcpu->isa = calloc(1, sizeof(*vcpu->isa));
	if (!vcpu->isa)
		return backend_fail(err, -ENOMEM, "out of memory");
	r = save_common(vcpu);
	if (r < 0)
		return backend_fail(err, r, "KVM does not show the state of vCPU %u: %s",
			vcpu->index, strerror(-r));
	return move_parts(vcpu, false, err);
}

void kvm_isa_vcpu_destroy(struct backend_vcpu *vcpu)
{
	free(vcpu->isa);
	vcpu->isa = NULL;
}

/* The floating-point state is written while the extended control register still allows all of it,
 * and MSRs before the parts, so that a timer that ran is stopped before interrupts are cleared. */
int kvm_isa_vcpu_reset(struct backend_vcpu *vcpu, struct backend_error *err)
{
	struct kvm_isa_vm *isa = vcpu->vm->isa;
	int r;

	r = restore_msrs(vcpu);
	if (r == 0)
		r = kvm_ioctl(vcpu->fd, KVM_SET_XSAVE, isa->xsave);
	if (r == 0)
		r = kvm_ioctl(vcpu->fd, KVM_SET_XCRS, &isa->xcrs);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot reset vCPU %u: %s", vcpu->index, strerror(-r));
	return move_parts(vcpu, true, err);
}

/* ---- devices ---- */

int kvm_x86_devices_save(struct backend_vm *vm)
{
	uint32_t i;
	int r;

	for (i = 0; i < X86_CHIPS; i++) {
		vm->isa->chips[i].chip_id = i;
		r = kvm_ioctl(vm->fd, KVM_GET_IRQCHIP, &vm->isa->chips[i]);
		if (r < 0)
			return r;
	}
	return kvm_ioctl(vm->fd, KVM_GET_PIT2, &vm->isa->pit);
}

int kvm_isa_vm_reset(struct backend_vm *vm, struct backend_error *err)
{
	uint32_t i;
	int r = 0;

	if (!vm->irqchip)
		return 0;
	for (i = 0; i < X86_CHIPS && r == 0; i++)
		r = kvm_ioctl(vm->fd, KVM_SET_IRQCHIP, &vm->isa->chips[i]);
	if (r == 0)
		r = kvm_ioctl(vm->fd, KVM_SET_PIT2, &vm->isa->pit);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot reset the interrupt controllers: %s", strerror(-r));
	return 0;
}
