/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an x86-64 machine needs of KVM beyond memory and processors: the pages that Intel's hardware
 * wants for itself, the interrupt controllers, the timer, and CPUID.
 */
#include "backends/kvm/kvm_x86_64.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CPUID_1_TSC_DEADLINE (1u << 24) /* leaf 1, ECX */
#define PAGE                 4096ull
#define RESERVED_SIZE        (4 * PAGE) /* the identity map, then three pages of TSS */
#define FOUR_GIB             (UINT64_C(1) << 32)
#define CPUID_MOST           256 /* that KVM ever gives out or takes */
#define LEAF_ADDRESS         0x80000008u

const enum isa kvm_isa = ISA_X86_64;
const bool kvm_isa_irqfd = true;

const struct kvm_needed kvm_isa_needed[] = {
	KVM_NEEDED(USER_MEMORY),
	KVM_NEEDED(SET_TSS_ADDR),
	KVM_NEEDED(SET_IDENTITY_MAP_ADDR),
	KVM_NEEDED(IRQCHIP),
	KVM_NEEDED(PIT2),
	KVM_NEEDED(PIT_STATE2),
	KVM_NEEDED(IRQFD),
	KVM_NEEDED(IOEVENTFD),
	KVM_NEEDED(IMMEDIATE_EXIT),
	KVM_NEEDED(EXT_CPUID),
	KVM_NEEDED(MP_STATE),
	KVM_NEEDED(VCPU_EVENTS),
	KVM_NEEDED(DEBUGREGS),
	KVM_NEEDED(XSAVE),
	KVM_NEEDED(XCRS),
	{ 0, NULL },
};

/* ---- CPUID ---- */

/*
 * KVM's own table.  It is the same for every VM, and the kernel makes it anew each time from the
 * processor's CPUID, which takes long on a host that is a guest itself: it is read once.
 */
static union {
	struct kvm_cpuid2 table;
	uint8_t room[sizeof(struct kvm_cpuid2) + CPUID_MOST * sizeof(struct kvm_cpuid_entry2)];
} supported;

static int read_cpuid(int kvm_fd, const struct kvm_cpuid2 **ret_table)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int r = 0;

	(void)pthread_mutex_lock(&lock);
	if (supported.table.nent == 0) {
		supported.table.nent = CPUID_MOST;
		r = kvm_ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &supported.table);
		if (r < 0)
			supported.table.nent = 0;
	}
	(void)pthread_mutex_unlock(&lock);
	if (r < 0)
		return r;
	*ret_table = &supported.table;
	return 0;
}

int kvm_isa_cpuid_supported(struct backend_vm *vm, struct backend_cpuid *entries, size_t *n)
{
	const struct kvm_cpuid2 *table;
	size_t i, room = *n;
	int r = read_cpuid(vm->kvm_fd, &table);

	if (r < 0)
		return r;
	*n = table->nent;
	if (room < table->nent)
		return -E2BIG;
	for (i = 0; i < table->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &table->entries[i];

		entries[i] = (struct backend_cpuid){
			.leaf = e->function,
			.subleaf = e->index,
			.flags = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX ? BACKEND_CPUID_SUBLEAF
									    : 0,
			.eax = e->eax,
			.ebx = e->ebx,
			.ecx = e->ecx,
			.edx = e->edx,
		};
		/* Never reported here, because it depends on the local APIC being in the kernel. */
		if (e->function == 1 && kvm_capability(vm->kvm_fd, KVM_CAP_TSC_DEADLINE_TIMER))
			entries[i].ecx |= CPUID_1_TSC_DEADLINE;
	}
	return 0;
}

int kvm_isa_set_cpuid(struct backend_vcpu *vcpu, const struct backend_cpuid *entries, size_t n,
	struct backend_error *err)
{
	struct kvm_cpuid2 *table;
	size_t i;
	int r;

	if (n > CPUID_MOST)
		return backend_fail(err, -E2BIG, "%zu CPUID entries are too many", n);
	table = calloc(1, sizeof(*table) + n * sizeof(table->entries[0]));
	if (!table)
		return backend_fail(err, -ENOMEM, "out of memory");
	table->nent = (uint32_t)n;
	for (i = 0; i < n; i++)
		table->entries[i] = (struct kvm_cpuid_entry2){
			.function = entries[i].leaf,
			.index = entries[i].subleaf,
			.flags = entries[i].flags & BACKEND_CPUID_SUBLEAF
					 ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX
					 : 0,
			.eax = entries[i].eax,
			.ebx = entries[i].ebx,
			.ecx = entries[i].ecx,
			.edx = entries[i].edx,
		};
	r = kvm_ioctl(vcpu->fd, KVM_SET_CPUID2, table);
	free(table);
	if (r < 0)
		return backend_fail(
			err, r, "KVM refuses the CPUID of vCPU %u: %s", vcpu->index, strerror(-r));
	return 0;
}

int kvm_isa_probe(int kvm_fd, struct backend_caps *caps, struct backend_error *err)
{
	const struct kvm_cpuid2 *table = NULL;
	uint32_t i;
	int r = read_cpuid(kvm_fd, &table);

	if (r < 0)
		return backend_fail(
			err, r, "KVM does not say which CPUID it supports: %s", strerror(-r));
	assert(table);
	caps->phys_bits = 36; /* of a processor that does not say */
	for (i = 0; i < table->nent; i++)
		if (table->entries[i].function == LEAF_ADDRESS)
			caps->phys_bits = table->entries[i].eax & 0xff;
	return 0;
}

/* ---- the machine ---- */

unsigned long kvm_isa_vm_type(int kvm_fd)
{
	(void)kvm_fd;
	return 0;
}

uint32_t kvm_isa_irq_line(uint32_t gsi)
{
	return gsi;
}

static int reserve_pages(struct backend_vm *vm, uint64_t gpa, struct backend_error *err)
{
	int r;

	if (gpa == 0 || gpa % PAGE || gpa > FOUR_GIB - RESERVED_SIZE)
		return backend_fail(err, -EINVAL,
			"KVM cannot use the four pages at 0x%" PRIx64
			": they must lie below 4 GiB, and not at 0",
			gpa);
	r = kvm_ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &gpa);
	if (r == 0)
		r = kvm_ioctl_value(vm->fd, KVM_SET_TSS_ADDR, gpa + PAGE);
	if (r < 0)
		return backend_fail(err, r, "KVM cannot use the four pages at 0x%" PRIx64 ": %s",
			gpa, strerror(-r));
	return 0;
}

int kvm_isa_vm_create(
	struct backend_vm *vm, const struct backend_vm_config *config, struct backend_error *err)
{
	struct kvm_isa_vm *isa = calloc(1, sizeof(*isa));

	if (!isa)
		return backend_fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutex_init(&isa->lock, NULL);
	vm->isa = isa;
	vm->reserved_gpa = config->reserved_gpa;
	return reserve_pages(vm, config->reserved_gpa, err);
}

void kvm_isa_vm_destroy(struct backend_vm *vm)
{
	if (!vm->isa)
		return;
	(void)pthread_mutex_destroy(&vm->isa->lock);
	free(vm->isa->msrs);
	free(vm->isa);
	vm->isa = NULL;
}

int kvm_isa_irqchip_create(struct backend_vm *vm, struct backend_error *err)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int r;

	r = kvm_ioctl_value(vm->fd, KVM_CREATE_IRQCHIP, 0);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot create the interrupt controllers: %s", strerror(-r));
	r = kvm_ioctl(vm->fd, KVM_CREATE_PIT2, &pit);
	if (r < 0)
		return backend_fail(err, r, "KVM cannot create the timer: %s", strerror(-r));
	vm->irqchip = true;
	r = kvm_x86_devices_save(vm);
	if (r < 0)
		return backend_fail(
			err, r, "KVM does not show the interrupt controllers: %s", strerror(-r));
	return 0;
}

int kvm_isa_irqchip_finish(struct backend_vm *vm, struct backend_error *err)
{
	return vm->irqchip ? 0 : backend_fail(err, -EINVAL, "there is no interrupt controller");
}

/* A vector for a vCPU without a local APIC: nothing here runs without one. */
int kvm_isa_vcpu_interrupt(struct backend_vcpu *vcpu, uint32_t line, bool level)
{
	return -ENOTSUP;
}
