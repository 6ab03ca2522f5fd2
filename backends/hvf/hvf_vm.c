/* SPDX-License-Identifier: Apache-2.0 */
/* The machine and its memory. */
#include "backends/hvf/hvf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- life ---- */

hv_return_t hvf_create_machine(void)
{
	const struct hvf_newer *f = hvf_newer();
	hv_vm_config_t config = NULL;
	uint32_t bits;
	hv_return_t ret;

	if (f->vm_config_create && f->get_max_ipa_size && f->set_ipa_size && f->release)
		config = f->vm_config_create();
	if (!config)
		return hv_vm_create(NULL);
	ret = f->get_max_ipa_size(&bits);
	if (ret == HV_SUCCESS)
		ret = f->set_ipa_size(config, bits);
	if (ret == HV_SUCCESS)
		ret = hv_vm_create(config);
	f->release(config);
	return ret;
}

int hvf_vm_create(const struct backend_vm_config *config, struct backend_vm **ret_vm,
	struct backend_error *err)
{
	struct backend_vm *vm;
	hv_return_t ret;

	if (config->isa != ISA_AARCH64)
		return backend_fail(err, -ENOTSUP, "this Mac runs aarch64 guests only");
	if (config->vcpus > HVF_MAX_VCPUS)
		return backend_fail(err, -E2BIG, "%u vCPUs are too many, most %u", config->vcpus,
			HVF_MAX_VCPUS);
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return backend_fail(err, -ENOMEM, "out of memory");
	ret = hvf_create_machine();
	if (ret != HV_SUCCESS) {
		free(vm);
		return backend_fail(
			err, hvf_errno(ret), "macOS cannot create the machine: %s", hvf_text(ret));
	}
	vm->vcpus = config->vcpus;
	vm->gicd = config->irqchip_gpa[IRQCHIP_ARM_GICD];
	vm->gicr = config->irqchip_gpa[IRQCHIP_ARM_GICR];
	(void)pthread_mutex_init(&vm->lock, NULL);
	*ret_vm = vm;
	return 0;
}

void hvf_vm_destroy(struct backend_vm *vm)
{
	if (!vm)
		return;
	(void)hv_vm_destroy();
	(void)pthread_mutex_destroy(&vm->lock);
	free(vm->maps);
	free(vm);
}

/* ---- memory ---- */

static bool overlaps(const struct backend_vm *vm, uint64_t gpa, uint64_t size)
{
	for (size_t i = 0; i < vm->n_maps; i++)
		if (gpa < vm->maps[i].gpa + vm->maps[i].size && vm->maps[i].gpa < gpa + size)
			return true;
	return false;
}

/* The lock is held. */
static int add_map(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host, uint32_t flags,
	hv_return_t *ret_hv)
{
	hv_memory_flags_t may = HV_MEMORY_READ | HV_MEMORY_EXEC;
	struct hvf_map *maps;

	if (overlaps(vm, gpa, size))
		return -EEXIST;
	maps = realloc(vm->maps, (vm->n_maps + 1) * sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	vm->maps = maps;
	if (!(flags & BACKEND_MAP_READONLY))
		may |= HV_MEMORY_WRITE;
	*ret_hv = hv_vm_map(host, gpa, (size_t)size, may);
	if (*ret_hv != HV_SUCCESS)
		return hvf_errno(*ret_hv);
	maps[vm->n_maps++] = (struct hvf_map){ gpa, size };
	return 0;
}

static int cannot_map(
	struct backend_error *err, int code, uint64_t gpa, uint64_t size, const char *why)
{
	return backend_fail(err, code,
		"cannot map 0x%" PRIx64 " bytes at guest address 0x%" PRIx64 ": %s", size, gpa,
		why);
}

int hvf_mem_map(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host, uint32_t flags,
	struct backend_error *err)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	hv_return_t ret = HV_SUCCESS;
	uint64_t end;
	int r;

	if (flags & BACKEND_MAP_LOG)
		return cannot_map(err, -ENOTSUP, gpa, size, "macOS keeps no log of written pages");
	if (size == 0 || ((gpa | size | (uintptr_t)host) & (page - 1)) ||
		__builtin_add_overflow(gpa, size, &end))
		return cannot_map(err, -EINVAL, gpa, size, "not whole pages of the host's");
	(void)pthread_mutex_lock(&vm->lock);
	r = add_map(vm, gpa, size, host, flags, &ret);
	(void)pthread_mutex_unlock(&vm->lock);
	if (ret != HV_SUCCESS)
		return cannot_map(err, r, gpa, size, hvf_text(ret));
	if (r < 0)
		return cannot_map(err, r, gpa, size,
			r == -EEXIST ? "it overlaps another mapping" : strerror(-r));
	return 0;
}

int hvf_mem_unmap(struct backend_vm *vm, uint64_t gpa, uint64_t size)
{
	int r = -ENOENT;

	(void)pthread_mutex_lock(&vm->lock);
	for (size_t i = 0; i < vm->n_maps; i++) {
		if (vm->maps[i].gpa != gpa || vm->maps[i].size != size)
			continue;
		r = hvf_errno(hv_vm_unmap(gpa, (size_t)size));
		if (r == 0)
			vm->maps[i] = vm->maps[--vm->n_maps];
		break;
	}
	(void)pthread_mutex_unlock(&vm->lock);
	return r;
}
