/* SPDX-License-Identifier: Apache-2.0 */
/* Places the payload: kernel, command line, initrd. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/x86_64/bzimage.h"
#include "arch/x86_64/elf.h"
#include "arch/x86_64/x86_64.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/log.h"
#include "core/payload.h"

#define CMDLINE_GPA 0x20000u
#define GIB4        0x100000000ull

/* What x86 Linux reads where no setup header says so: its COMMAND_LINE_SIZE without the zero. */
#define LINUX_CMDLINE_MAX 2047u
#define PAGE              4096u

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
	int ret;

	*limits = (struct limits){ GIB4 - 1, LINUX_CMDLINE_MAX };
	ret = guest_memory_claim(gm, p->bundle_gpa, p->kernel.size, "the kernel", err);
	if (ret < 0) {
		error_prefix(err, "%s", p->kernel.path);
		return ret;
	}
	memcpy(guest_memory_ptr(gm, p->bundle_gpa, p->kernel.size), p->kernel.bytes,
		p->kernel.size);
	loaded->protocol = BOOT_LINUX64;
	loaded->entry = p->bundle_entry;
	loaded->kernel_gpa = p->bundle_gpa;
	loaded->kernel_size = p->kernel.size;
	if (loaded->entry < p->bundle_gpa || loaded->entry - p->bundle_gpa >= p->kernel.size)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: the entry 0x%llx lies outside of the bundle's kernel", p->kernel.path,
			(unsigned long long)loaded->entry);
	return 0;
}

/*
 * The kernel copies as much as it has room for without looking for the end, and stops at a text
 * that does not end there: a longer one is cut.  What the core has to say comes first, because a
 * kernel takes all that follows "--" for its init's.
 */
static int load_cmdline(struct guest_memory *gm, const struct payload *p, const char *extra,
	const struct limits *limits, struct loaded *loaded, struct error *err)
{
	size_t own = strlen(p->cmdline), more = strlen(extra);
	size_t length = own + (own && more) + more;
	char *to;
	int ret;

	if (length >= x86_layout.cmdline_max)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"the command line has %zu bytes, at most %u fit", length,
			x86_layout.cmdline_max - 1);
	if (more > limits->cmdline_max)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"the command line needs %zu bytes to list the devices, this kernel reads "
			"%u",
			more, limits->cmdline_max);
	if (length > limits->cmdline_max) {
		log_msg(LOG_LEVEL_WARN,
			"the command line has %zu bytes, this kernel reads %u: the rest is cut off",
			length, limits->cmdline_max);
		length = limits->cmdline_max;
	}
	ret = guest_memory_claim(gm, CMDLINE_GPA, length + 1, "the command line", err);
	if (ret < 0)
		return ret;
	to = guest_memory_ptr(gm, CMDLINE_GPA, length + 1);
	(void)snprintf(to, length + 1, "%s%s%s", extra, own && more ? " " : "", p->cmdline);
	loaded->cmdline_gpa = CMDLINE_GPA;
	loaded->cmdline_size = (uint32_t)length + 1;
	return 0;
}

static int load_initrd(struct guest_memory *gm, const struct payload *p,
	const struct limits *limits, struct loaded *loaded, struct error *err)
{
	uint64_t end = limits->initrd_max == UINT64_MAX ? UINT64_MAX : limits->initrd_max + 1;
	int ret;

	if (!p->initrd.bytes || p->initrd.size == 0)
		return 0;
	ret = guest_memory_claim_top(
		gm, p->initrd.size, PAGE, end, "the initrd", &loaded->initrd_gpa, err);
	if (ret < 0) {
		error_prefix(err, "%s", p->initrd.path);
		return ret;
	}
	loaded->initrd_size = p->initrd.size;
	memcpy(guest_memory_ptr(gm, loaded->initrd_gpa, p->initrd.size), p->initrd.bytes,
		p->initrd.size);
	return 0;
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
		ret = load_cmdline(gm, payload, extra_cmdline, &limits, &loaded, err);
	if (ret == 0)
		ret = load_initrd(gm, payload, &limits, &loaded, err);
	if (ret == 0)
		*ret_loaded = loaded;
	return ret;
}
