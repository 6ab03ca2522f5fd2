/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an aarch64 machine needs of KVM beyond memory and processors: the size of its address space,
 * and the order in which the interrupt controller comes to be.  It is created before the vCPUs, so
 * that they know it, and can be used (irqfds, running) once it is finished, after the last of them.
 */
#include "backends/kvm/kvm_aarch64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of intermediate addresses, where KVM does not say: the width that machine type 0 stands for.
 * More would cost every access of the guest another level of tables. */
#define IPA_BITS 40u

/* KVM_IRQ_LINE: what kind of interrupt, and its number. */
#define IRQ_LINE_SPI (KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT)

const enum isa kvm_isa = ISA_AARCH64;
const bool kvm_isa_irqfd = true;

const struct kvm_needed kvm_isa_needed[] = {
	KVM_NEEDED(USER_MEMORY),
	KVM_NEEDED(IRQFD),
	KVM_NEEDED(IOEVENTFD),
	KVM_NEEDED(IMMEDIATE_EXIT),
	KVM_NEEDED(ONE_REG),
	KVM_NEEDED(MP_STATE),
	KVM_NEEDED(DEVICE_CTRL),
	KVM_NEEDED(ARM_PSCI_0_2),
	{ 0, NULL },
};

int kvm_arm_set_attr(int fd, uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)value };

	return kvm_ioctl(fd, KVM_SET_DEVICE_ATTR, &a);
}

bool kvm_arm_has_attr(int fd, uint32_t group, uint64_t attr)
{
	struct kvm_device_attr a = { .group = group, .attr = attr };

	return kvm_ioctl(fd, KVM_HAS_DEVICE_ATTR, &a) == 0;
}

static uint32_t ipa_bits(int kvm_fd)
{
	uint32_t most = (uint32_t)kvm_capability(kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE);

	return most == 0 || most > IPA_BITS ? IPA_BITS : most;
}

int kvm_isa_probe(int kvm_fd, struct backend_caps *caps, struct backend_error *err)
{
	(void)err;
	caps->phys_bits = ipa_bits(kvm_fd);
	if (caps->max_vcpus > ARM_MAX_VCPUS)
		caps->max_vcpus = ARM_MAX_VCPUS;
	return 0;
}

/* 0 where KVM knows nothing else. */
unsigned long kvm_isa_vm_type(int kvm_fd)
{
	return kvm_capability(kvm_fd, KVM_CAP_ARM_VM_IPA_SIZE) > 0 ? ipa_bits(kvm_fd) : 0;
}

/* ---- the machine ---- */

/* What KVM cannot take apart becomes an exit, which knows the address, instead of an error. */
static void ask_for_fault_exits(const struct backend_vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_NISV_TO_USER };

	if (kvm_capability(vm->fd, KVM_CAP_ARM_NISV_TO_USER) > 0)
		(void)kvm_ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

int kvm_isa_vm_create(
	struct backend_vm *vm, const struct backend_vm_config *config, struct backend_error *err)
{
	struct kvm_isa_vm *isa = calloc(1, sizeof(*isa));

	if (!isa)
		return backend_fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutex_init(&isa->lock, NULL);
	isa->gic_fd = -1;
	isa->wanted = config->vcpus;
	isa->gic_irqs = (ARM_SPI_BASE + config->irq_lines + 31u) & ~31u;
	memcpy(isa->gpa, config->irqchip_gpa, sizeof(isa->gpa));
	isa->sve = kvm_capability(vm->fd, KVM_CAP_ARM_SVE) > 0;
	isa->ptrauth = kvm_capability(vm->fd, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 &&
		       kvm_capability(vm->fd, KVM_CAP_ARM_PTRAUTH_GENERIC) > 0;
	ask_for_fault_exits(vm);
	isa->pmu = config->pmu;
	vm->isa = isa;
	if (isa->pmu && kvm_capability(vm->fd, KVM_CAP_ARM_PMU_V3) <= 0)
		return backend_fail(err, -ENOTSUP,
			"this host's KVM has no performance counters for guests, which pmu = true "
			"asks for");
	return 0;
}

void kvm_isa_vm_destroy(struct backend_vm *vm)
{
	if (!vm->isa)
		return;
	if (vm->isa->gic_fd >= 0)
		close(vm->isa->gic_fd);
	(void)pthread_mutex_destroy(&vm->isa->lock);
	free(vm->isa);
	vm->isa = NULL;
}

int kvm_isa_irqchip_finish(struct backend_vm *vm, struct backend_error *err)
{
	int r;

	if (!vm->irqchip)
		return backend_fail(err, -EINVAL, "there is no interrupt controller");
	r = kvm_arm_gic_finish(vm);
	if (r < 0)
		return backend_fail(err, r,
			"KVM cannot finish the interrupt controller (GICv%u): %s",
			vm->isa->gic_version, strerror(-r));
	r = kvm_arm_pmu_finish(vm);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot start the performance counters: %s", strerror(-r));
	return 0;
}

int kvm_isa_vm_reset(struct backend_vm *vm, struct backend_error *err)
{
	int r = vm->irqchip ? kvm_arm_gic_reset(vm) : 0;

	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot reset the interrupt controller: %s", strerror(-r));
	return 0;
}

uint32_t kvm_isa_irq_line(uint32_t gsi)
{
	return IRQ_LINE_SPI | (gsi + ARM_SPI_BASE);
}

/* A vCPU's input lines are the controller's, and without it nothing here runs. */
int kvm_isa_vcpu_interrupt(struct backend_vcpu *vcpu, uint32_t line, bool level)
{
	(void)vcpu;
	(void)line;
	(void)level;
	return -ENOTSUP;
}
