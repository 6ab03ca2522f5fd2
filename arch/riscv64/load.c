/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places the payload: a kernel or firmware 2 MiB into RAM, where both expect to be, and the device
 * tree, the command line and the initrd at RAM's top.  What runs in S-mode has no firmware below
 * it: what M-mode would do is done by the hypervisor.
 */
#include <errno.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/image.h"
#include "arch/place.h"
#include "arch/riscv64/riscv64.h"
#include "arch/riscv64/tree.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

#define GIB 0x40000000ull
/* What riscv Linux reads: its COMMAND_LINE_SIZE without the zero. */
#define LINUX_CMDLINE_MAX 1023u
/* Kernels and firmware read the tree, and firmware the initrd, before they map all of RAM. */
#define LOW_END (RISCV_RAM_BASE + 2 * GIB)

static int load_firmware(
	struct guest_memory *gm, const struct blob *image, struct loaded *loaded, struct error *err)
{
	const uint64_t gpa = RISCV_RAM_BASE + IMAGE_ALIGN;
	int ret = guest_memory_claim(gm, gpa, image->size, "the firmware", err);

	if (ret < 0) {
		error_prefix(err, "%s", image->path);
		return ret;
	}
	memcpy(guest_memory_ptr(gm, gpa, image->size), image->bytes, image->size);
	loaded->protocol = BOOT_IMAGE;
	loaded->entry = gpa;
	loaded->kernel_gpa = gpa;
	loaded->kernel_size = image->size;
	return 0;
}

static int load_kernel(
	struct guest_memory *gm, const struct payload *p, struct loaded *loaded, struct error *err)
{
	struct image image;
	int ret;

	if (p->kind == PAYLOAD_FIRMWARE)
		return load_firmware(gm, &p->kernel, loaded, err);
	if (p->kind == PAYLOAD_BUNDLE) {
		loaded->protocol = BOOT_IMAGE;
		return place_bundle(gm, p, loaded, err);
	}
	if (image_isa(&p->kernel) != ISA_RISCV64)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: not an Image, which is what riscv64 boots (arch/riscv/boot/Image, or "
			"Debian's vmlinux)",
			p->kernel.path);
	ret = image_parse(&p->kernel, ISA_RISCV64, &image, err);
	return ret < 0 ? ret : image_load(gm, &p->kernel, &image, RISCV_RAM_BASE, loaded, err);
}

int riscv_load(struct guest_memory *gm, const struct payload *payload, const char *extra_cmdline,
	struct loaded *ret_loaded, struct error *err)
{
	struct place_cmdline cmdline = { .room = riscv_layout.cmdline_max,
		.read = LINUX_CMDLINE_MAX };
	uint64_t end = guest_memory_ram_end(gm, UINT64_MAX);
	struct loaded loaded = { .fdt_gpa = 0 };
	int ret;

	if (end > LOW_END)
		end = LOW_END;
	loaded.fdt_gpa = (end - TREE_ROOM) & ~(IMAGE_ALIGN - 1);
	cmdline.gpa = loaded.fdt_gpa - cmdline.room;
	ret = load_kernel(gm, payload, &loaded, err);
	if (ret == 0)
		ret = place_cmdline(gm, payload, extra_cmdline, &cmdline, &loaded, err);
	if (ret == 0)
		ret = place_initrd(gm, payload, cmdline.gpa, &loaded, err);
	if (ret == 0)
		*ret_loaded = loaded;
	return ret;
}
