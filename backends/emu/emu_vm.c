/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine: its memory map and the list of its harts.
 */
#include "backends/emu/emu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/emu/emu_timed_wait.h"

int emu_vm_create(const struct backend_vm_config *config, struct backend_vm **ret_vm,
	struct backend_error *err)
{
	struct backend_vm *vm;

	if (config->isa != ISA_RISCV64)
		return backend_fail(err, -ENOTSUP, "the emulator runs riscv64 guests only");
	if (config->vcpus > EMU_MAX_HARTS)
		return backend_fail(err, -EINVAL, "%u vCPUs are too many for the emulator: most %u",
			config->vcpus, EMU_MAX_HARTS);
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return backend_fail(err, -ENOMEM, "out of memory");
	vm->vcpus = config->vcpus;
	vm->deterministic = config->deterministic;
	(void)pthread_mutex_init(&vm->lock, NULL);
	(void)pthread_mutex_init(&vm->turn_lock, NULL);
	emu_timed_wait_init(&vm->turn_changed);
	emu_clock_init(vm);
	*ret_vm = vm;
	return 0;
}

void emu_vm_destroy(struct backend_vm *vm)
{
	struct emu_map *map;

	if (!vm)
		return;
	map = atomic_load(&vm->map);
	while (map) {
		struct emu_map *older = map->older;

		free(map);
		map = older;
	}
	(void)pthread_cond_destroy(&vm->turn_changed);
	(void)pthread_mutex_destroy(&vm->turn_lock);
	(void)pthread_mutex_destroy(&vm->lock);
	free(vm);
}

/* ---- memory ---- */

const struct emu_region *emu_region_at(const struct backend_vm *vm, uint64_t pa)
{
	const struct emu_map *map = atomic_load_explicit(&vm->map, memory_order_acquire);

	for (size_t i = 0; map && i < map->count; i++)
		if (pa - map->regions[i].gpa < map->regions[i].size)
			return &map->regions[i];
	return NULL;
}

/* A copy of the map with room for one more region. */
static struct emu_map *copy_map(struct backend_vm *vm)
{
	struct emu_map *old = atomic_load(&vm->map), *map;
	size_t n = old ? old->count : 0;

	map = calloc(1, sizeof(*map) + (n + 1) * sizeof(map->regions[0]));
	if (!map)
		return NULL;
	map->older = old;
	map->count = n;
	if (n)
		memcpy(map->regions, old->regions, n * sizeof(map->regions[0]));
	return map;
}

static bool overlaps(const struct backend_vm *vm, uint64_t gpa, uint64_t size)
{
	const struct emu_map *map = atomic_load(&vm->map);

	for (size_t i = 0; map && i < map->count; i++)
		if (gpa < map->regions[i].gpa + map->regions[i].size &&
			map->regions[i].gpa < gpa + size)
			return true;
	return false;
}

int emu_mem_map(struct backend_vm *vm, uint64_t gpa, uint64_t size, void *host, uint32_t flags,
	struct backend_error *err)
{
	struct emu_map *map;
	uint64_t end;

	if (flags & BACKEND_MAP_LOG)
		return backend_fail(err, -ENOTSUP, "the emulator keeps no log of written pages");
	if (size == 0 || ((gpa | size | (uintptr_t)host) & EMU_PAGE_MASK) ||
		__builtin_add_overflow(gpa, size, &end) || end > 1ull << EMU_PHYS_BITS)
		return backend_fail(err, -EINVAL,
			"cannot map 0x%" PRIx64 " bytes at guest address 0x%" PRIx64
			": not whole pages below 2^%u",
			size, gpa, EMU_PHYS_BITS);
	if (overlaps(vm, gpa, size))
		return backend_fail(err, -EEXIST,
			"cannot map 0x%" PRIx64 " bytes at guest address 0x%" PRIx64
			": it overlaps another mapping",
			size, gpa);
	map = copy_map(vm);
	if (!map)
		return backend_fail(err, -ENOMEM, "out of memory");
	map->regions[map->count++] = (struct emu_region){
		.gpa = gpa, .size = size, .host = host, .readonly = flags & BACKEND_MAP_READONLY
	};
	atomic_store_explicit(&vm->map, map, memory_order_release);
	return 0;
}

/* No hart may look at the memory any more when this returns. */
static void fence_all(struct backend_vm *vm)
{
	(void)pthread_mutex_lock(&vm->lock);
	for (uint32_t i = 0; i < EMU_MAX_HARTS; i++)
		if (vm->harts[i])
			emu_fence_hart(vm->harts[i], EMU_FENCE_VMA | EMU_FENCE_FLUSH);
	(void)pthread_mutex_unlock(&vm->lock);
}

int emu_mem_unmap(struct backend_vm *vm, uint64_t gpa, uint64_t size)
{
	struct emu_map *map = copy_map(vm);
	size_t i = 0;

	if (!map)
		return -ENOMEM;
	while (i < map->count && (map->regions[i].gpa != gpa || map->regions[i].size != size))
		i++;
	if (i == map->count) {
		free(map);
		return -ENOENT;
	}
	map->regions[i] = map->regions[--map->count];
	atomic_store_explicit(&vm->map, map, memory_order_release);
	fence_all(vm);
	return 0;
}
