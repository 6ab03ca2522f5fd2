/* SPDX-License-Identifier: Apache-2.0 */
/* Places the payload: kernel, command line, initrd. */
#include <errno.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/place.h"
#include "arch/x86_64/bzimage.h"
#include "arch/x86_64/elf.h"
#include "arch/x86_64/x86_64.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

#define CMDLINE_GPA 0x20000u
#define GIB4        0x100000000ull

/* What x86 Linux reads where no setup header says so: its COMMAND_LINE_SIZE without the zero. */
#define LINUX_CMDLINE_MAX 2047u

#define FIRMWARE_SHADOW_END 0x100000u
#define FIRMWARE_SHADOW_MAX 0x40000u

/* What the kernel allows. */
struct limits {
	uint64_t initrd_max;  /* last address */
	uint32_t cmdline_max; /* bytes, without the zero */
};

static int load_kernel(struct guest_memory *gm, const struct payload *p, struct loaded *loaded,
	struct limits *limits, struct error *err)
{
	struct bzimage bz;
	int ret;

	*limits = (struct limits){ GIB4 - 1, LINUX_CMDLINE_MAX };
	if (elf_is(&p->kernel))
		return elf_load(gm, &p->kernel, p->boot, loaded, err);
	if (!bzimage_is(&p->kernel))
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: neither an ELF kernel nor a bzImage", p->kernel.path);
	if (strcmp(p->boot, "pvh") == 0)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: `boot = \"pvh\"` is wanted, but only an ELF kernel (vmlinux) has that "
			"entry, not a bzImage",
			p->kernel.path);
	ret = bzimage_parse(&p->kernel, &bz, err);
	if (ret < 0)
		return ret;
	*limits = (struct limits){ bz.initrd_max, bz.cmdline_max };
	return bzimage_load(gm, &p->kernel, &bz, loaded, err);
}

static int load_bundle(struct guest_memory *gm, const struct payload *p, struct loaded *loaded,
	struct limits *limits, struct error *err)
{
	*limits = (struct limits){ GIB4 - 1, LINUX_CMDLINE_MAX };
	loaded->protocol = BOOT_LINUX64;
	return place_bundle(gm, p, loaded, err);
}

static int load_rest(struct guest_memory *gm, const struct payload *p, const char *extra,
	const struct limits *limits, struct loaded *loaded, struct error *err)
{
	const struct place_cmdline where = { CMDLINE_GPA, x86_layout.cmdline_max,
		limits->cmdline_max };
	const uint64_t last = limits->initrd_max;
	int ret = place_cmdline(gm, p, extra, &where, loaded, err);

	return ret < 0 ? ret
		       : place_initrd(gm, p, last == UINT64_MAX ? last : last + 1, loaded, err);
}

/*
 * The last 256 KiB of a PC's firmware are seen below 1 MiB too, where the CPU goes with its first
 * far jump.  On a PC that is RAM which firmware writes to once it has found out how; here it is RAM
 * at once.
 */
static int load_firmware(
	struct guest_memory *gm, const struct payload *p, struct loaded *loaded, struct error *err)
{
	const size_t size =
		p->kernel.size < FIRMWARE_SHADOW_MAX ? p->kernel.size : FIRMWARE_SHADOW_MAX;
	const uint64_t gpa = FIRMWARE_SHADOW_END - size;
	int ret = guest_memory_claim(gm, gpa, size, "the firmware's shadow", err);

	if (ret < 0)
		return ret;
	memcpy(guest_memory_ptr(gm, gpa, size), p->kernel.bytes + p->kernel.size - size, size);
	loaded->entry = 0xfffffff0u;
	return 0;
}

int x86_load(struct guest_memory *gm, const struct payload *payload, const char *extra_cmdline,
	struct loaded *ret_loaded, struct error *err)
{
	struct loaded loaded = { .protocol = BOOT_RESET };
	struct limits limits;
	int ret;

	if (payload->kind == PAYLOAD_FIRMWARE) {
		ret = load_firmware(gm, payload, &loaded, err);
		if (ret == 0)
			*ret_loaded = loaded;
		return ret;
	}
	if (payload->kind == PAYLOAD_BUNDLE)
		ret = load_bundle(gm, payload, &loaded, &limits, err);
	else
		ret = load_kernel(gm, payload, &loaded, &limits, err);
	if (ret == 0)
		ret = load_rest(gm, payload, extra_cmdline, &limits, &loaded, err);
	if (ret == 0)
		*ret_loaded = loaded;
	return ret;
}
