/* SPDX-License-Identifier: Apache-2.0 */
/* Placing what comes with a kernel. */
#include "arch/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/guest_memory.h"
#include "core/log.h"
#include "core/payload.h"

#define PAGE 4096u

/*
 * The kernel copies as much as it has room for without looking for the end, and stops at a text
 * that does not end there: a longer one is cut.  What the core has to say comes first, because a
 * kernel takes all that follows "--" for its init's.
 */
int place_cmdline(struct guest_memory *gm, const struct payload *p, const char *extra,
	const struct place_cmdline *where, struct loaded *loaded, struct error *err)
{
	size_t own = strlen(p->cmdline), more = strlen(extra);
	size_t length = own + (own && more) + more;
	char *to;
	int ret;

	if (length >= where->room)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"the command line has %zu bytes, at most %u fit", length, where->room - 1);
	if (more > where->read)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"the command line needs %zu bytes to list the devices, this kernel reads "
			"%u",
			more, where->read);
	if (length > where->read) {
		log_msg(LOG_LEVEL_WARN,
			"the command line has %zu bytes, this kernel reads %u: the rest is cut off",
			length, where->read);
		length = where->read;
	}
	ret = guest_memory_claim(gm, where->gpa, length + 1, "the command line", err);
	if (ret < 0)
		return ret;
	to = guest_memory_ptr(gm, where->gpa, length + 1);
	(void)snprintf(to, length + 1, "%s%s%s", extra, own && more ? " " : "", p->cmdline);
	loaded->cmdline_gpa = where->gpa;
	loaded->cmdline_size = (uint32_t)length + 1;
	return 0;
}

int place_initrd(struct guest_memory *gm, const struct payload *p, uint64_t end,
	struct loaded *loaded, struct error *err)
{
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

int place_bundle(
	struct guest_memory *gm, const struct payload *p, struct loaded *loaded, struct error *err)
{
	int ret = guest_memory_claim(gm, p->bundle_gpa, p->kernel.size, "the kernel", err);

	if (ret < 0) {
		error_prefix(err, "%s", p->kernel.path);
		return ret;
	}
	memcpy(guest_memory_ptr(gm, p->bundle_gpa, p->kernel.size), p->kernel.bytes,
		p->kernel.size);
	loaded->entry = p->bundle_entry;
	loaded->kernel_gpa = p->bundle_gpa;
	loaded->kernel_size = p->kernel.size;
	if (loaded->entry < p->bundle_gpa || loaded->entry - p->bundle_gpa >= p->kernel.size)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"%s: the entry 0x%llx lies outside of the bundle's kernel", p->kernel.path,
			(unsigned long long)loaded->entry);
	return 0;
}
