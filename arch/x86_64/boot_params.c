/* SPDX-License-Identifier: Apache-2.0 */
/* The zero page: the kernel's own setup header, or one made up, and what the loader has to fill. */
#include "arch/x86_64/boot_params.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "arch/bytes.h"
#include "arch/x86_64/boot_layout.h"
#include "arch/x86_64/memmap.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

#define HEADER_MAGIC      0x53726448u /* "HdrS" */
#define HEADER_FLAG       0xaa55u
#define VERSION           0x020fu
#define LOADER_UNDEFINED  0xffu
#define LOADED_HIGH       0x01u
#define CAN_USE_HEAP      0x80u
#define QUIET             0x20u
#define XLF_KERNEL_64     0x01u
#define XLF_ABOVE_4G      0x02u
#define VIDEO_NORMAL      0xffffu
#define KERNEL_ALIGNMENT  0x1000000u
#define SETUP_DATA_HEADER 16u
#define SETUP_DATA_SIZE   (SETUP_DATA_HEADER + RNG_SEED_SIZE)

_Static_assert(ZP_E820_TABLE + MEMMAP_MAX * ZP_E820_ENTRY_SIZE <= ZP_SIZE, "the map fits");

/* What the kernel's file says about itself. */
static int copy_header(uint8_t *zp, const struct loaded *loaded, struct error *err)
{
	const uint8_t *header = loaded->setup_header;
	uint32_t size = loaded->setup_header_size;
	uint32_t end;

	/* The byte after the jump instruction's opcode says how long the header is. */
	if (size > sizeof(loaded->setup_header) || size <= ZP_MAGIC + 4 - ZP_HEADER ||
		get_le32(header + (ZP_MAGIC - ZP_HEADER)) != HEADER_MAGIC)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"the kernel's setup header (%u bytes) is not one", size);
	end = ZP_MAGIC + header[ZP_JUMP_OFFSET - ZP_HEADER];
	if (end > ZP_HEADER_END)
		end = ZP_HEADER_END;
	if (size > end - ZP_HEADER)
		size = end - ZP_HEADER;
	memcpy(zp + ZP_HEADER, header, size);
	return 0;
}

/* An ELF kernel has none. */
static void make_header(uint8_t *zp, const struct loaded *loaded)
{
	put_le16(zp + ZP_BOOT_FLAG, HEADER_FLAG);
	put_le32(zp + ZP_MAGIC, HEADER_MAGIC);
	put_le16(zp + ZP_VERSION, VERSION);
	put_le32(zp + ZP_INITRD_ADDR_MAX, UINT32_MAX);
	put_le32(zp + ZP_KERNEL_ALIGNMENT, KERNEL_ALIGNMENT);
	put_le16(zp + ZP_XLOADFLAGS, XLF_KERNEL_64 | XLF_ABOVE_4G);
	put_le32(zp + ZP_CMDLINE_SIZE, loaded->cmdline_size);
}

static void fill(uint8_t *zp, const struct loaded *loaded, const struct memmap *map, uint64_t rsdp)
{
	zp[ZP_TYPE_OF_LOADER] = LOADER_UNDEFINED;
	zp[ZP_LOADFLAGS] = (uint8_t)((zp[ZP_LOADFLAGS] | LOADED_HIGH) & ~(CAN_USE_HEAP | QUIET));
	put_le16(zp + ZP_VID_MODE, VIDEO_NORMAL);
	put_le32(zp + ZP_CMD_LINE_PTR, (uint32_t)loaded->cmdline_gpa);
	put_le32(zp + ZP_EXT_CMD_LINE_PTR, (uint32_t)(loaded->cmdline_gpa >> 32));
	if (loaded->initrd_size > 0) {
		put_le32(zp + ZP_RAMDISK_IMAGE, (uint32_t)loaded->initrd_gpa);
		put_le32(zp + ZP_EXT_RAMDISK_IMAGE, (uint32_t)(loaded->initrd_gpa >> 32));
		put_le32(zp + ZP_RAMDISK_SIZE, (uint32_t)loaded->initrd_size);
		put_le32(zp + ZP_EXT_RAMDISK_SIZE, (uint32_t)(loaded->initrd_size >> 32));
	}
	put_le64(zp + ZP_ACPI_RSDP_ADDR, rsdp);
	put_le64(zp + ZP_SETUP_DATA, BOOT_SETUP_DATA);
	zp[ZP_E820_ENTRIES] = (uint8_t)map->n;
	for (size_t i = 0; i < map->n; i++) {
		uint8_t *e = zp + ZP_E820_TABLE + i * ZP_E820_ENTRY_SIZE;

		put_le64(e, map->entries[i].base);
		put_le64(e + 8, map->entries[i].size);
		put_le32(e + 16, map->entries[i].type);
	}
}

/* One entry: next (none), type, length, the seed.  The kernel wipes it after reading. */
static int write_seed(struct guest_memory *gm, struct error *err)
{
	uint8_t *data;
	int ret;

	ret = guest_memory_claim(gm, BOOT_SETUP_DATA, SETUP_DATA_SIZE, "the setup data", err);
	if (ret < 0)
		return ret;
	data = guest_memory_ptr(gm, BOOT_SETUP_DATA, SETUP_DATA_SIZE);
	put_le64(data, 0);
	put_le32(data + 8, SETUP_RNG_SEED);
	put_le32(data + 12, RNG_SEED_SIZE);
	if (getentropy(data + SETUP_DATA_HEADER, RNG_SEED_SIZE) < 0)
		return error_set(err, EXIT_HOST, -errno, "the guest's random seed: getentropy: %s",
			strerror(errno));
	return 0;
}

int boot_params_write(struct guest_memory *gm, const struct loaded *loaded,
	const struct memmap *map, uint64_t rsdp, struct error *err)
{
	uint8_t *zp;
	int ret;

	ret = guest_memory_claim(gm, BOOT_ZERO_PAGE, ZP_SIZE, "the zero page", err);
	if (ret < 0)
		return ret;
	zp = guest_memory_ptr(gm, BOOT_ZERO_PAGE, ZP_SIZE);
	memset(zp, 0, ZP_SIZE);
	if (loaded->setup_header_size > 0) {
		ret = copy_header(zp, loaded, err);
		if (ret < 0)
			return ret;
	} else {
		make_header(zp, loaded);
	}
	fill(zp, loaded, map, rsdp);
	return write_seed(gm, err);
}
