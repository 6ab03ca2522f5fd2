/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processors: what each is (KVM_ARM_VCPU_INIT, which also resets it) and its registers by the
 * core's numbers.  The guest gets what the host's processor has: vectors, pointer authentication.
 */
#include "backends/kvm/kvm_aarch64.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PMU_INTERRUPT (16 + ARM_PPI_PMU)

/* ---- what it is ---- */

static void want(struct kvm_vcpu_init *init, unsigned feature)
{
	init->features[feature / 32] |= 1u << (feature % 32);
}

static int init_vcpu(struct backend_vcpu *vcpu)
{
	const struct kvm_isa_vm *vm = vcpu->vm->isa;
	struct kvm_vcpu_init *init = &vcpu->isa->init;
	int sve = KVM_ARM_VCPU_SVE;
	int r = kvm_ioctl(vcpu->vm->fd, KVM_ARM_PREFERRED_TARGET, init);

	if (r < 0)
		return r;
	want(init, KVM_ARM_VCPU_PSCI_0_2);
	if (vcpu->index > 0)
		want(init, KVM_ARM_VCPU_POWER_OFF);
	if (vm->pmu)
		want(init, KVM_ARM_VCPU_PMU_V3);
	if (vm->sve)
		want(init, KVM_ARM_VCPU_SVE);
	if (vm->ptrauth) {
		want(init, KVM_ARM_VCPU_PTRAUTH_ADDRESS);
		want(init, KVM_ARM_VCPU_PTRAUTH_GENERIC);
	}
	r = kvm_ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, init);
	if (r == 0 && vm->sve)
		r = kvm_ioctl(vcpu->fd, KVM_ARM_VCPU_FINALIZE, &sve);
	return r;
}

static void register_vcpu(struct backend_vcpu *vcpu, struct backend_vcpu *is)
{
	struct kvm_isa_vm *isa = vcpu->vm->isa;

	(void)pthread_mutex_lock(&isa->lock);
	isa->vcpus[vcpu->index] = is;
	(void)pthread_mutex_unlock(&isa->lock);
}

int kvm_isa_vcpu_create(struct backend_vcpu *vcpu, struct backend_error *err)
{
	int r;

	if (vcpu->index >= ARM_MAX_VCPUS)
		return backend_fail(err, -E2BIG, "vCPU %u is one too many, %u are the most",
			vcpu->index, ARM_MAX_VCPUS);
	vcpu->isa = calloc(1, sizeof(*vcpu->isa));
	if (!vcpu->isa)
		return backend_fail(err, -ENOMEM, "out of memory");
	r = init_vcpu(vcpu);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot set up vCPU %u: %s", vcpu->index, strerror(-r));
	register_vcpu(vcpu, vcpu);
	return 0;
}

void kvm_isa_vcpu_destroy(struct backend_vcpu *vcpu)
{
	if (!vcpu->isa)
		return;
	register_vcpu(vcpu, NULL);
	free(vcpu->isa);
	vcpu->isa = NULL;
}

int kvm_isa_vcpu_reset(struct backend_vcpu *vcpu, struct backend_error *err)
{
	int r = kvm_ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &vcpu->isa->init);

	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot reset vCPU %u: %s", vcpu->index, strerror(-r));
	return 0;
}

static int finish_pmu(const struct backend_vcpu *vcpu)
{
	const int irq = PMU_INTERRUPT;
	int r = kvm_arm_set_attr(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_IRQ, &irq);

	return r < 0 ? r
		     : kvm_arm_set_attr(
			       vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_INIT, NULL);
}

int kvm_arm_pmu_finish(struct backend_vm *vm)
{
	struct kvm_isa_vm *isa = vm->isa;
	int r = 0;

	(void)pthread_mutex_lock(&isa->lock);
	for (uint32_t i = 0; isa->pmu && i < ARM_MAX_VCPUS && r == 0; i++)
		if (isa->vcpus[i])
			r = finish_pmu(isa->vcpus[i]);
	(void)pthread_mutex_unlock(&isa->lock);
	return r;
}

/* ---- registers ---- */

#define CORE(member) (KVM_REG_ARM_CORE | offsetof(struct kvm_regs, member) / sizeof(__u32))

/* KVM's number for one of the core's; 0 where there is none. */
static uint64_t one_reg(uint32_t id)
{
	const uint64_t kind = KVM_REG_ARM64 | KVM_REG_SIZE_U64;
	const uint32_t n = REG_NUMBER(id);

	if (REG_CLASS(id) == REG_ARM_SYS)
		return n > 0xffff ? 0 : kind | KVM_REG_ARM64_SYSREG | n;
	if (REG_CLASS(id) != REG_ARM_CORE)
		return 0;
	if (n <= 30)
		return kind | (CORE(regs.regs[0]) + n * 2);
	switch (n) {
	case REG_NUMBER(ARM_SP_EL1):
		return kind | CORE(sp_el1);
	case REG_NUMBER(ARM_PC):
		return kind | CORE(regs.pc);
	case REG_NUMBER(ARM_PSTATE):
		return kind | CORE(regs.pstate);
	default:
		return 0;
	}
}

static int move_reg(
	const struct backend_vcpu *vcpu, unsigned long request, uint32_t id, uint64_t *value)
{
	struct kvm_one_reg reg = { .id = one_reg(id), .addr = (uintptr_t)value };

	return reg.id == 0 ? -ENOENT : kvm_ioctl(vcpu->fd, request, &reg);
}

int kvm_isa_set_regs(struct backend_vcpu *vcpu, const struct backend_reg *regs, size_t n,
	struct backend_error *err)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = regs[i].value;
		int r = move_reg(vcpu, KVM_SET_ONE_REG, regs[i].id, &value);

		if (r < 0)
			return backend_fail(err, r, "KVM refuses register 0x%x of vCPU %u: %s",
				regs[i].id, vcpu->index, strerror(-r));
	}
	return 0;
}

/* What the machine is. */
static int read_conf(const struct backend_vcpu *vcpu, uint32_t number, uint64_t *ret_value)
{
	const struct kvm_isa_vm *isa = vcpu->vm->isa;

	switch (number) {
	case ARM_CONF_GIC:
		if (isa->gic_version == 0)
			return -ENOENT;
		*ret_value = isa->gic_version;
		return 0;
	case ARM_CONF_PMU:
		*ret_value = isa->pmu;
		return 0;
	default:
		return -ENOENT;
	}
}

int kvm_isa_get_regs(struct backend_vcpu *vcpu, struct backend_reg *regs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = REG_CLASS(regs[i].id) == REG_ARM_CONF
				? read_conf(vcpu, REG_NUMBER(regs[i].id), &regs[i].value)
				: move_reg(vcpu, KVM_GET_ONE_REG, regs[i].id, &regs[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Kernels before Linux 5.5 have no exit for this. */
const char *kvm_isa_guest_fault(int code)
{
	return code == -ENOSYS ? "an instruction that KVM cannot take apart accessed an address "
				 "where there is no memory"
			       : NULL;
}
