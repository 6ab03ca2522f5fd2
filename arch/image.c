/* SPDX-License-Identifier: Apache-2.0 */
/* Loading an Image.  Everything in the header is checked before it is used. */
#include "arch/image.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/bytes.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

/* Offsets in the header. */
#define H_TEXT_OFFSET 8
#define H_IMAGE_SIZE  16
#define H_FLAGS       24
#define H_MAGIC       56
#define H_SIZE        64u

#define MAGIC_ARM64 0x644d5241u /* "ARM\x64" */
#define MAGIC_RISCV 0x05435352u /* "RSC\x05" */
#define FLAG_BE     1u

/* arm64 kernels from before 3.17 say no image_size: text_offset is then this, whatever stands
 * there. */
#define ARM_OLD_OFFSET 0x80000u

enum isa image_isa(const struct blob *kernel)
{
	if (kernel->size < H_SIZE)
		return (enum isa)0;
	switch (get_le32(kernel->bytes + H_MAGIC)) {
	case MAGIC_ARM64:
		return ISA_AARCH64;
	case MAGIC_RISCV:
		return ISA_RISCV64;
	default:
		return (enum isa)0;
	}
}

static int check_sizes(const struct blob *kernel, struct image *image, struct error *err)
{
	if (image->image_size == 0) {
		if (image->isa == ISA_AARCH64)
			image->text_offset = ARM_OLD_OFFSET;
		image->image_size = kernel->size;
	}
	/* riscv64 has all of it, for firmware below the kernel. */
	if (image->text_offset > IMAGE_ALIGN)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: the Image wants to lie 0x%" PRIx64
			" bytes past a multiple of 2 MiB, at most 2 MiB is wanted",
			kernel->path, image->text_offset);
	if (image->image_size < kernel->size)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: the Image's header says that it takes 0x%" PRIx64
			" bytes, the file alone has 0x%zx",
			kernel->path, image->image_size, kernel->size);
	return 0;
}

int image_parse(const struct blob *kernel, enum isa isa, struct image *ret_image, struct error *err)
{
	struct image image = { .isa = image_isa(kernel) };
	int ret;

	if (image.isa != isa)
		return error_set(err, EXIT_USAGE, -ENOEXEC, "%s: not an Image for %s", kernel->path,
			isa == ISA_AARCH64 ? "aarch64" : "riscv64");
	image.text_offset = get_le64(kernel->bytes + H_TEXT_OFFSET);
	image.image_size = get_le64(kernel->bytes + H_IMAGE_SIZE);
	image.flags = get_le64(kernel->bytes + H_FLAGS);
	if (image.flags & FLAG_BE)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: a big-endian Image, a little-endian one is wanted", kernel->path);
	ret = check_sizes(kernel, &image, err);
	if (ret == 0)
		*ret_image = image;
	return ret;
}

int image_load(struct guest_memory *gm, const struct blob *kernel, const struct image *image,
	uint64_t base, struct loaded *loaded, struct error *err)
{
	uint64_t gpa = base + image->text_offset;
	uint8_t *to;
	int ret = guest_memory_claim(gm, gpa, image->image_size, "the kernel", err);

	if (ret < 0) {
		error_prefix(err, "%s", kernel->path);
		return ret;
	}
	to = guest_memory_ptr(gm, gpa, image->image_size);
	memcpy(to, kernel->bytes, kernel->size);
	memset(to + kernel->size, 0, image->image_size - kernel->size);
	loaded->protocol = BOOT_IMAGE;
	loaded->entry = gpa;
	loaded->kernel_gpa = gpa;
	loaded->kernel_size = image->image_size;
	return 0;
}
