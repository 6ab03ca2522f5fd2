/* SPDX-License-Identifier: Apache-2.0 */
/* PVH start_info with its module list and memory map. */
#include "arch/x86_64/pvh.h"

#include <string.h>

#include "arch/bytes.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/memmap.h"
#include "core/guest_memory.h"
#include "core/payload.h"

_Static_assert(BOOT_START_INFO + PVH_SIZE <= BOOT_MODULES, "start_info fits");
_Static_assert(BOOT_MODULES + PVH_MODULE_SIZE <= BOOT_MEMMAP, "one module fits");
_Static_assert(BOOT_MEMMAP + MEMMAP_MAX * PVH_MEMMAP_ENTRY_SIZE <= BOOT_PVH_END, "the map fits");

int pvh_write(struct guest_memory *gm, const struct loaded *loaded, const struct memmap *map,
	uint64_t rsdp, struct error *err)
{
	const uint32_t size = BOOT_PVH_END - BOOT_START_INFO;
	uint8_t *info;
	int ret;

	ret = guest_memory_claim(gm, BOOT_START_INFO, size, "the PVH start_info", err);
	if (ret < 0)
		return ret;
	info = guest_memory_ptr(gm, BOOT_START_INFO, size);
	memset(info, 0, size);
	put_le32(info, PVH_MAGIC);
	put_le32(info + PVH_VERSION, 1);
	put_le64(info + PVH_CMDLINE, loaded->cmdline_gpa);
	put_le64(info + PVH_RSDP, rsdp);
	put_le64(info + PVH_MEMMAP, BOOT_MEMMAP);
	put_le32(info + PVH_MEMMAP_ENTRIES, (uint32_t)map->n);
	if (loaded->initrd_size > 0) {
		uint8_t *module = info + (BOOT_MODULES - BOOT_START_INFO);

		put_le32(info + PVH_NR_MODULES, 1);
		put_le64(info + PVH_MODLIST, BOOT_MODULES);
		put_le64(module, loaded->initrd_gpa);
		put_le64(module + 8, loaded->initrd_size);
	}
	for (size_t i = 0; i < map->n; i++) {
		uint8_t *e = info + (BOOT_MEMMAP - BOOT_START_INFO) + i * PVH_MEMMAP_ENTRY_SIZE;

		put_le64(e, map->entries[i].base);
		put_le64(e + 8, map->entries[i].size);
		put_le32(e + 16, map->entries[i].type);
	}
	return 0;
}
