/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a bzImage: its protected-mode part unpacks itself and is entered in 64-bit mode. */
#include "arch/x86_64/bzimage.h"

#include <errno.h>
#include <string.h>

#include "arch/bytes.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

/* Fields of the setup header, by their offset in the file. */
#define SETUP_SECTS      0x1f1
#define BOOT_FLAG        0x1fe
#define MAGIC            0x202
#define VERSION          0x206
#define LOADFLAGS        0x211
#define INITRD_ADDR_MAX  0x22c
#define KERNEL_ALIGNMENT 0x230
#define RELOCATABLE      0x234
#define XLOADFLAGS       0x236
#define CMDLINE_SIZE     0x238
#define PAYLOAD_OFFSET   0x248
#define PAYLOAD_LENGTH   0x24c
#define PREF_ADDRESS     0x258
#define INIT_SIZE        0x260
#define HEADER_END       0x264 /* of what is read here */

#define FLAG          0xaa55u
#define HDRS          0x53726448u
#define VERSION_MIN   0x020cu
#define LOADED_HIGH   0x01u
#define XLF_KERNEL_64 0x01u
#define XLF_ABOVE_4G  0x02u
#define ENTRY_64      0x200u
#define SECTOR        512u

static int refuse(const struct blob *image, struct error *err, const char *why)
{
	return error_set(err, EXIT_USAGE, -ENOEXEC, "%s: %s", image->path, why);
}

bool bzimage_is(const struct blob *image)
{
	return image->size >= MAGIC + 4 && get_le16(image->bytes + BOOT_FLAG) == FLAG &&
	       get_le32(image->bytes + MAGIC) == HDRS;
}

static int check_protocol(const struct blob *image, struct error *err)
{
	const uint8_t *h = image->bytes;
	unsigned version;

	if (image->size < HEADER_END)
		return refuse(image, err, "the bzImage is cut short");
	version = get_le16(h + VERSION);
	if (version < VERSION_MIN)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: a kernel of boot protocol %u.%02u, 2.12 or newer (Linux 3.8) is "
			"wanted",
			image->path, version >> 8, version & 0xff);
	if (!(get_le16(h + XLOADFLAGS) & XLF_KERNEL_64))
		return refuse(image, err, "a 32-bit kernel, a 64-bit one is wanted");
	if (!(h[LOADFLAGS] & LOADED_HIGH))
		return refuse(image, err, "a zImage that loads low, a bzImage is wanted");
	return 0;
}

int bzimage_parse(const struct blob *image, struct bzimage *ret_bz, struct error *err)
{
	const uint8_t *h = image->bytes;
	struct bzimage bz = { 0 };
	int ret = check_protocol(image, err);
	unsigned sects;

	if (ret < 0)
		return ret;
	sects = h[SETUP_SECTS] ? h[SETUP_SECTS] : 4;
	bz.payload_offset = (uint64_t)(sects + 1) * SECTOR;
	if (bz.payload_offset + ENTRY_64 >= image->size)
		return refuse(image, err, "the bzImage ends before its kernel begins");
	bz.payload_size = image->size - bz.payload_offset;
	bz.load_gpa = get_le64(h + PREF_ADDRESS);
	bz.init_size = get_le32(h + INIT_SIZE);
	if (bz.init_size < bz.payload_size)
		bz.init_size = bz.payload_size;
	bz.alignment = get_le32(h + KERNEL_ALIGNMENT);
	if (bz.alignment == 0 || (bz.alignment & (bz.alignment - 1)) != 0)
		return refuse(image, err, "the setup header's kernel_alignment is no power of two");
	bz.relocatable = h[RELOCATABLE] != 0;
	bz.initrd_max = get_le32(h + INITRD_ADDR_MAX);
	if (get_le16(h + XLOADFLAGS) & XLF_ABOVE_4G)
		bz.initrd_max = UINT64_MAX;
	bz.cmdline_max = get_le32(h + CMDLINE_SIZE);
	if (bz.cmdline_max == 0)
		bz.cmdline_max = 255; /* as before the field was there */
	*ret_bz = bz;
	return 0;
}

int bzimage_packed(const struct blob *image, struct blob *ret_packed, struct error *err)
{
	struct bzimage bz = { 0 };
	uint64_t offset, size;
	int ret;

	if (!bzimage_is(image))
		return 0;
	ret = bzimage_parse(image, &bz, err);
	if (ret < 0)
		return ret;
	offset = bz.payload_offset + get_le32(image->bytes + PAYLOAD_OFFSET);
	size = get_le32(image->bytes + PAYLOAD_LENGTH);
	if (size == 0 || offset > image->size || size > image->size - offset)
		return refuse(image, err, "the packed kernel lies outside of the bzImage");
	*ret_packed = (struct blob){ image->bytes + offset, (size_t)size, image->path };
	return 1;
}

int bzimage_load(struct guest_memory *gm, const struct blob *image, const struct bzimage *bz,
	struct loaded *loaded, struct error *err)
{
	size_t header = image->size - SETUP_SECTS;
	int ret = guest_memory_claim(gm, bz->load_gpa, bz->init_size, "the kernel", err);

	if (ret < 0) {
		error_prefix(err, "%s", image->path);
		return ret;
	}
	memcpy(guest_memory_ptr(gm, bz->load_gpa, bz->payload_size),
		image->bytes + bz->payload_offset, bz->payload_size);
	if (header > sizeof(loaded->setup_header))
		header = sizeof(loaded->setup_header);
	memcpy(loaded->setup_header, image->bytes + SETUP_SECTS, header);
	loaded->setup_header_size = (uint32_t)header;
	loaded->protocol = BOOT_LINUX64;
	loaded->entry = bz->load_gpa + ENTRY_64;
	loaded->kernel_gpa = bz->load_gpa;
	loaded->kernel_size = bz->init_size;
	return 0;
}
