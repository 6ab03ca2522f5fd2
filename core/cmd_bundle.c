/* SPDX-License-Identifier: Apache-2.0 */
/* tenon bundle: makes a bundle of a kernel and an initrd. */
#include <errno.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "core/bundle.h"
#include "core/commands.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"
#include "core/unpack.h"

#define MIB 1048576u

/*
 * The kernel is loaded into a scratch guest memory, as it would be for a boot, and what lies there
 * is the bundle's kernel: segments in place, so that nothing is left to interpret.
 */
static int flatten(const struct arch *arch, const struct payload *payload, struct guest_memory *gm,
	struct bundle_contents *c, struct error *err)
{
	struct loaded loaded = { .kernel_gpa = 0 };
	int ret = arch->create_memory(gm, 2048ull * MIB, payload, err);

	if (ret == 0)
		ret = arch->load(gm, payload, "", &loaded, err);
	if (ret < 0)
		return ret;
	c->kernel = guest_memory_ptr(gm, loaded.kernel_gpa, loaded.kernel_size);
	if (!c->kernel)
		return error_set(err, EXIT_USAGE, -EINVAL, "%s: the kernel is not in one piece",
			payload->kernel.path);
	c->load_gpa = loaded.kernel_gpa;
	c->entry_gpa = loaded.entry;
	c->kernel_room = c->kernel_size = loaded.kernel_size;
	/* What a kernel only needs zeroed or as room is not stored. */
	while (c->kernel_size > 1 && c->kernel[c->kernel_size - 1] == 0)
		c->kernel_size--;
	return 0;
}

/* A kernel that unpacks itself is replaced by what it would unpack to: a bundle is not to be
 * interpreted. */
static int unwrap(
	const struct arch *arch, struct payload *payload, void **ret_memory, struct error *err)
{
	struct blob packed, inner;
	int ret = arch->packed_kernel ? arch->packed_kernel(&payload->kernel, &packed, err) : 0;

	if (ret <= 0)
		return ret;
	ret = unpack_kernel(&packed, ret_memory, &inner, err);
	if (ret == 0)
		return error_set(err, EXIT_USAGE, -ENOTSUP,
			"%s: the kernel is packed by a method that is not known (gzip, xz, zstd, "
			"lz4 and "
			"bzip2 are)",
			payload->kernel.path);
	if (ret > 0)
		payload->kernel = inner;
	return ret < 0 ? ret : 0;
}

int cmd_bundle(const struct bundle_options *options, struct error *err)
{
	const struct payload_config config = { .kernel = options->kernel,
		.initrd = options->initrd,
		.cmdline = "",
		.boot = "linux64" };
	const struct arch *arch;
	struct bundle_contents contents = { .kernel = NULL };
	struct payload payload, loaded;
	struct guest_memory *gm;
	void *memory = NULL;
	int ret;

	ret = payload_open(&config, &payload, err);
	if (ret < 0)
		return ret;
	contents.isa = arch_kernel_isa(&payload.kernel);
	if (contents.isa == (enum isa)0)
		contents.isa = arch_host_isa();
	arch = arch_get(contents.isa);
	if (!arch) {
		payload_close(&payload);
		return error_set(err, EXIT_HOST, -ENOTSUP,
			"%s: there is no machine for %s in this program", options->kernel,
			arch_isa_name(contents.isa));
	}
	contents.initrd = payload.initrd.bytes;
	contents.initrd_size = payload.initrd.size;
	loaded = payload;
	gm = guest_memory_create();
	ret = gm ? unwrap(arch, &loaded, &memory, err)
		 : error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
	if (ret == 0)
		ret = flatten(arch, &loaded, gm, &contents, err);
	if (ret == 0)
		ret = bundle_write(options->output, &contents, err);
	guest_memory_destroy(gm);
	payload_close(&payload);
	free(memory);
	return ret;
}
