/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a riscv64 machine needs of KVM beyond memory and processors: the advanced interrupt
 * architecture, where the host has it.  Without, KVM has no interrupt controller and the core has
 * one, whose output is each vCPU's external interrupt.
 */
#include "backends/kvm/kvm_riscv64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define AIA_IDENTITIES 255u /* of messages to a vCPU */

const enum isa kvm_isa = ISA_RISCV64;

/* KVM raises a line for an irqfd and never lowers it, so that there is one edge and no second one.
 * The core raises and lowers it instead. */
const bool kvm_isa_irqfd = false;

const struct kvm_needed kvm_isa_needed[] = {
	KVM_NEEDED(USER_MEMORY),
	KVM_NEEDED(IOEVENTFD),
	KVM_NEEDED(IMMEDIATE_EXIT),
	KVM_NEEDED(ONE_REG),
	KVM_NEEDED(MP_STATE),
	{ 0, NULL },
};

int kvm_isa_probe(int kvm_fd, struct backend_caps *caps, struct backend_error *err)
{
	(void)err;
	caps->phys_bits = (uint32_t)kvm_capability(kvm_fd, KVM_CAP_VM_GPA_BITS);
	caps->features &= ~(uint32_t)BACKEND_IRQFD;
	if (!kvm_capability(kvm_fd, KVM_CAP_IRQCHIP))
		caps->features &= ~(uint32_t)BACKEND_IRQCHIP;
	return 0;
}

unsigned long kvm_isa_vm_type(int kvm_fd)
{
	(void)kvm_fd;
	return 0;
}

uint32_t kvm_isa_irq_line(uint32_t gsi)
{
	return gsi;
}

/* ---- the machine ---- */

int kvm_isa_vm_create(
	struct backend_vm *vm, const struct backend_vm_config *config, struct backend_error *err)
{
	struct kvm_isa_vm *isa = calloc(1, sizeof(*isa));

	if (!isa)
		return backend_fail(err, -ENOMEM, "out of memory");
	isa->created = calloc(config->vcpus, sizeof(*isa->created));
	if (!isa->created) {
		free(isa);
		return backend_fail(err, -ENOMEM, "out of memory");
	}
	isa->aia_fd = -1;
	isa->vcpus = config->vcpus;
	isa->irq_lines = config->irq_lines;
	memcpy(isa->gpa, config->irqchip_gpa, sizeof(isa->gpa));
	vm->isa = isa;
	return 0;
}

void kvm_isa_vm_destroy(struct backend_vm *vm)
{
	if (!vm->isa)
		return;
	if (vm->isa->aia_fd >= 0)
		close(vm->isa->aia_fd);
	free(vm->isa->created);
	free(vm->isa);
	vm->isa = NULL;
}

/* ---- the advanced interrupt architecture ---- */

static int set_attr(const struct kvm_isa_vm *isa, uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)value };

	return kvm_ioctl(isa->aia_fd, KVM_SET_DEVICE_ATTR, &a);
}

static int set_config(const struct kvm_isa_vm *isa, uint64_t attr, uint32_t value)
{
	return set_attr(isa, KVM_DEV_RISCV_AIA_GRP_CONFIG, attr, &value);
}

static uint32_t hart_bits(uint32_t vcpus)
{
	uint32_t bits = 0;

	while (vcpus > 1u << bits)
		bits++;
	return bits;
}

/* AUTO uses the processor's own files of messages while there are enough. */
static int configure(const struct kvm_isa_vm *isa)
{
	int r = set_config(isa, KVM_DEV_RISCV_AIA_CONFIG_IDS, AIA_IDENTITIES);

	if (r == 0)
		r = set_config(isa, KVM_DEV_RISCV_AIA_CONFIG_SRCS, isa->irq_lines - 1);
	if (r == 0)
		r = set_config(isa, KVM_DEV_RISCV_AIA_CONFIG_HART_BITS, hart_bits(isa->vcpus));
	return r < 0 ? r
		     : set_attr(isa, KVM_DEV_RISCV_AIA_GRP_ADDR, KVM_DEV_RISCV_AIA_ADDR_APLIC,
			       &isa->gpa[IRQCHIP_RISCV_APLIC]);
}

/* Each vCPU's page of messages, by KVM's number of it. */
static int place_messages(const struct kvm_isa_vm *isa)
{
	int r = 0;

	for (uint32_t i = 0; i < isa->vcpus && r == 0; i++) {
		uint64_t gpa = isa->gpa[IRQCHIP_RISCV_IMSIC] +
			       isa->created[i] * (uint64_t)KVM_DEV_RISCV_IMSIC_SIZE;

		r = set_attr(
			isa, KVM_DEV_RISCV_AIA_GRP_ADDR, KVM_DEV_RISCV_AIA_ADDR_IMSIC(i), &gpa);
	}
	return r;
}

int kvm_isa_irqchip_create(struct backend_vm *vm, struct backend_error *err)
{
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_RISCV_AIA };
	int r;

	if (!kvm_capability(vm->kvm_fd, KVM_CAP_IRQCHIP))
		return -ENOTSUP;
	r = kvm_ioctl(vm->fd, KVM_CREATE_DEVICE, &create);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot create the interrupt controller: %s", strerror(-r));
	vm->isa->aia_fd = (int)create.fd;
	vm->irqchip = true;
	r = configure(vm->isa);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot set up the interrupt controller: %s", strerror(-r));
	return 0;
}

int kvm_isa_irqchip_finish(struct backend_vm *vm, struct backend_error *err)
{
	int r = place_messages(vm->isa);

	if (r == 0)
		r = set_attr(
			vm->isa, KVM_DEV_RISCV_AIA_GRP_CTRL, KVM_DEV_RISCV_AIA_CTRL_INIT, NULL);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot finish the interrupt controller: %s", strerror(-r));
	return 0;
}

/* APLIC: domaincfg, then per source its configuration and enable. */
#define APLIC_DOMAINCFG 0x0u
#define APLIC_SOURCECFG 0x4u
#define APLIC_CLRIE     0x1f00u
#define APLIC_CLRIP     0x1d00u

/* IMSIC: whether it delivers, from what on, and 64 messages in every second register. */
#define IMSIC_EIDELIVERY  0x70u
#define IMSIC_EITHRESHOLD 0x72u
#define IMSIC_EIP         0x80u
#define IMSIC_EIE         0xc0u
#define IMSIC_REGISTERS   (2 * (AIA_IDENTITIES + 1) / 64)

static int clear(const struct kvm_isa_vm *isa, uint32_t offset, uint32_t value)
{
	return set_attr(isa, KVM_DEV_RISCV_AIA_GRP_APLIC, offset, &value);
}

static int reset_sources(const struct kvm_isa_vm *isa)
{
	int r = 0;

	for (uint32_t i = 0; i < (isa->irq_lines + 31) / 32 && r == 0; i++) {
		r = clear(isa, APLIC_CLRIE + 4 * i, UINT32_MAX);
		if (r == 0)
			r = clear(isa, APLIC_CLRIP + 4 * i, UINT32_MAX);
	}
	for (uint32_t i = 0; i + 1 < isa->irq_lines && r == 0; i++)
		r = clear(isa, APLIC_SOURCECFG + 4 * i, 0);
	return r < 0 ? r : clear(isa, APLIC_DOMAINCFG, 0);
}

static int clear_messages(const struct kvm_isa_vm *isa, uint32_t vcpu, uint32_t number)
{
	const uint64_t zero = 0;

	return set_attr(isa, KVM_DEV_RISCV_AIA_GRP_IMSIC,
		KVM_DEV_RISCV_AIA_IMSIC_MKATTR((uint64_t)vcpu, number), &zero);
}

static int reset_messages(const struct kvm_isa_vm *isa, uint32_t vcpu)
{
	int r = clear_messages(isa, vcpu, IMSIC_EIDELIVERY);

	if (r == 0)
		r = clear_messages(isa, vcpu, IMSIC_EITHRESHOLD);
	for (uint32_t i = 0; i < IMSIC_REGISTERS && r == 0; i += 2) {
		r = clear_messages(isa, vcpu, IMSIC_EIE + i);
		if (r == 0)
			r = clear_messages(isa, vcpu, IMSIC_EIP + i);
	}
	return r;
}

int kvm_isa_vm_reset(struct backend_vm *vm, struct backend_error *err)
{
	const struct kvm_isa_vm *isa = vm->isa;
	int r;

	if (!vm->irqchip)
		return 0;
	r = reset_sources(isa);
	for (uint32_t i = 0; i < isa->vcpus && r == 0; i++)
		r = reset_messages(isa, i);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot reset the interrupt controller: %s", strerror(-r));
	return 0;
}

/* Every vCPU has one input, when there is no controller to have it. */
int kvm_isa_vcpu_interrupt(struct backend_vcpu *vcpu, uint32_t line, bool level)
{
	struct kvm_interrupt interrupt = { .irq = level ? KVM_INTERRUPT_SET : KVM_INTERRUPT_UNSET };

	if (vcpu->vm->irqchip)
		return -ENOTSUP;
	if (line != RISCV_LINE_EXTERNAL)
		return -EINVAL;
	return kvm_ioctl(vcpu->fd, KVM_INTERRUPT, &interrupt);
}
