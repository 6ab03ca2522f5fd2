/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine: the VM's descriptor, its memory slots, and the wires between eventfds, interrupts
 * and the guest's bus.
 */
#include "backends/kvm/kvm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BITS  4095u
#define FIRST_ROOM 8

int kvm_vm_create(const struct backend_vm_config *config, struct backend_vm **ret_vm,
	struct backend_error *err)
{
	struct backend_vm *vm;
	int r;

	if (config->isa != kvm_isa)
		return backend_fail(err, -ENOTSUP,
			"KVM runs guests of the host's own instruction set only (wanted %d, host "
			"is %d)",
			(int)config->isa, (int)kvm_isa);
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return backend_fail(err, -ENOMEM, "out of memory");
	vm->fd = -1;
	(void)pthread_mutex_init(&vm->create_lock, NULL);
	vm->kvm_fd = kvm_open(err);
	if (vm->kvm_fd < 0) {
		r = vm->kvm_fd;
		goto undo;
	}
	vm->fd = kvm_ioctl_value(vm->kvm_fd, KVM_CREATE_VM, kvm_isa_vm_type(vm->kvm_fd));
	if (vm->fd < 0) {
		r = backend_fail(err, vm->fd, "KVM cannot create a VM: %s", strerror(-vm->fd));
		goto undo;
	}
	r = kvm_isa_vm_create(vm, config, err);
	if (r < 0)
		goto undo;
	*ret_vm = vm;
	return 0;
undo:
	kvm_vm_destroy(vm);
	return r;
}

void kvm_vm_destroy(struct backend_vm *vm)
{
	if (!vm)
		return;
	kvm_isa_vm_destroy(vm);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	(void)pthread_mutex_destroy(&vm->create_lock);
	free(vm->slots);
	free(vm);
}

/* ---- memory ---- */

static int find_slot(const struct backend_vm *vm, uint64_t gpa, uint64_t size)
{
	size_t i;

	for (i = 0; i < vm->slot_count; i++)
		if (size && vm->slots[i].size == size && vm->slots[i].gpa == gpa)
			return (int)i;
	return -ENOENT;
}

static int free_slot(struct backend_vm *vm)
{
	size_t i, room = vm->slot_count ? vm->slot_count * 2 : FIRST_ROOM;
	struct kvm_slot *slots;

	for (i = 0; i < vm->slot_count; i++)
		if (vm->slots[i].size == 0)
			return (int)i;
	slots = realloc(vm->slots, room * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memset(slots + vm->slot_count, 0, (room - vm->slot_count) * sizeof(*slots));
	vm->slots = slots;
	vm->slot_count = room;
	return (int)i;
}

static int set_slot(
	struct backend_vm *vm, int slot, uint64_t gpa, uint64_t size, void *host, uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = (uint32_t)slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return kvm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

int kvm_mem_map(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host, uint32_t flags,
	struct backend_error *err)
{
	uint32_t kvm_flags = 0;
	uint64_t end;
	int slot, r;

	if (size == 0 || ((gpa | size | (uintptr_t)host) & PAGE_BITS) ||
		__builtin_add_overflow(gpa, size, &end))
		return backend_fail(err, -EINVAL,
			"cannot map 0x%" PRIx64 " bytes at guest address 0x%" PRIx64
			": not whole pages",
			size, gpa);
	if (flags & BACKEND_MAP_READONLY)
		kvm_flags |= KVM_MEM_READONLY;
	if (flags & BACKEND_MAP_LOG)
		kvm_flags |= KVM_MEM_LOG_DIRTY_PAGES;
	slot = free_slot(vm);
	r = slot < 0 ? slot : set_slot(vm, slot, gpa, size, host, kvm_flags);
	if (r < 0)
		return backend_fail(err, r,
			"KVM cannot map 0x%" PRIx64 " bytes at guest address 0x%" PRIx64 ": %s",
			size, gpa, r == -EEXIST ? "it overlaps another mapping" : strerror(-r));
	vm->slots[slot] = (struct kvm_slot){ .gpa = gpa, .size = size, .flags = kvm_flags };
	return 0;
}

int kvm_mem_unmap(struct backend_vm *vm, uint64_t gpa, uint64_t size)
{
	int slot = find_slot(vm, gpa, size);
	int r;

	if (slot < 0)
		return slot;
	r = set_slot(vm, slot, gpa, 0, NULL, 0);
	if (r == 0)
		vm->slots[slot].size = 0;
	return r;
}

int kvm_mem_dirty(struct backend_vm *vm, uint64_t gpa, uint64_t size, uint64_t *bitmap)
{
	int slot = find_slot(vm, gpa, size);
	struct kvm_dirty_log log = { .dirty_bitmap = bitmap };

	if (slot < 0)
		return slot;
	if (!(vm->slots[slot].flags & KVM_MEM_LOG_DIRTY_PAGES))
		return -ENOTSUP;
	log.slot = (uint32_t)slot;
	return kvm_ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

/* ---- wires ---- */

int kvm_irq_line(struct backend_vm *vm, uint32_t gsi, bool level)
{
	struct kvm_irq_level line = { .irq = kvm_isa_irq_line(gsi), .level = level };

	return vm->irqchip ? kvm_ioctl(vm->fd, KVM_IRQ_LINE, &line) : -ENOTSUP;
}

int kvm_irqfd(struct backend_vm *vm, uint32_t gsi, int fd, bool assign)
{
	struct kvm_irqfd irqfd = {
		.fd = (uint32_t)fd,
		.gsi = gsi,
		.flags = assign ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};

	return vm->irqchip && kvm_isa_irqfd ? kvm_ioctl(vm->fd, KVM_IRQFD, &irqfd) : -ENOTSUP;
}

int kvm_doorbell(struct backend_vm *vm, uint64_t address, uint32_t size, const uint64_t *match,
	bool pio, int fd, bool assign)
{
	struct kvm_ioeventfd doorbell = {
		.datamatch = match ? *match : 0,
		.addr = address,
		.len = size,
		.fd = fd,
		.flags = (match ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0u) |
			 (pio ? KVM_IOEVENTFD_FLAG_PIO : 0u) |
			 (assign ? 0u : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	return kvm_ioctl(vm->fd, KVM_IOEVENTFD, &doorbell);
}
