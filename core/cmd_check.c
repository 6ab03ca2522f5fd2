/* SPDX-License-Identifier: Apache-2.0 */
/* tenon check: builds the machine without starting it and prints it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "core/commands.h"
#include "core/config.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/irq.h"
#include "core/isolation.h"
#include "core/sandbox.h"
#include "core/services.h"
#include "core/settings.h"
#include "core/size.h"
#include "core/vm.h"

static const char *const region_names[] = {
	[GUEST_RAM] = "RAM",
	[GUEST_FIRMWARE] = "firmware",
	[GUEST_SHM] = "shared memory",
};

static const char *const protocols[] = {
	[BOOT_LINUX64] = "Linux 64-bit",
	[BOOT_PVH] = "PVH",
	[BOOT_RESET] = "reset vector",
	[BOOT_IMAGE] = "Image",
};

static void print_memory(const struct vm *vm)
{
	const struct guest_claim *claims;
	size_t n = guest_memory_claims(vm->gm, &claims);
	char size[SIZE_TEXT_MAX];

	(void)puts("memory:");
	for (size_t i = 0; i < guest_memory_count(vm->gm); i++) {
		const struct guest_region *r = guest_memory_region(vm->gm, i);

		(void)printf("  0x%012" PRIx64 "-0x%012" PRIx64 "  %s, %s%s\n", r->gpa,
			r->gpa + r->size - 1, region_names[r->kind], size_format(r->size, size),
			r->read_only ? ", read-only" : "");
	}
	(void)puts("boot:");
	(void)printf(
		"  entry 0x%" PRIx64 " (%s)\n", vm->loaded.entry, protocols[vm->loaded.protocol]);
	for (size_t i = 0; i < n; i++)
		(void)printf("  0x%012" PRIx64 "-0x%012" PRIx64 "  %s\n", claims[i].gpa,
			claims[i].gpa + claims[i].size - 1, claims[i].what);
}

static void print_irqs(const struct vm *vm, const struct tenon_dev *dev)
{
	const struct tenon_irq *irq;

	for (unsigned i = 0; (irq = irq_owned(vm->irqs, dev, i)); i++)
		(void)printf("    interrupt %u, %s%s\n", irq_number(irq),
			irq_is_level(irq) ? "level" : "edge",
			irq_is_shared(irq) ? ", shareable" : "");
}

static void print_lines(const char *lines, const char *before)
{
	for (size_t n; *lines; lines += n + (lines[n] == '\n')) {
		n = strcspn(lines, "\n");
		(void)printf("%s%.*s\n", before, (int)n, lines);
	}
}

static int print_device(const struct vm *vm, struct tenon_dev *dev)
{
	const struct config_device *isolated = isolation_config(vm->isolation, dev);
	struct region_info r;

	(void)printf("  %s: %s", dev->config->name, isolated ? isolated->type : dev->cls->name);
	if (dev->virtio)
		(void)printf(" (virtio device %u)", virtio_host_device_id(dev->virtio));
	if (dev->config->implied)
		(void)printf(", added by the core");
	if (dev->config->iothread)
		(void)printf(", iothread %s", dev->config->iothread);
	(void)putchar('\n');
	for (unsigned i = 0; region_info(dev, i, &r); i++) {
		if (r.pio)
			(void)printf("    ports 0x%04" PRIx64 "-0x%04" PRIx64 "  %s\n", r.address,
				r.address + r.size - 1, r.name);
		else
			(void)printf("    0x%012" PRIx64 "-0x%012" PRIx64 "  %s\n", r.address,
				r.address + r.size - 1, r.name);
	}
	print_irqs(vm, dev);
	if (isolated) {
		print_lines(isolation_settings(vm->isolation, dev), "    ");
		(void)puts("    home: a process of its own");
		print_lines(isolation_touches(vm->isolation, dev), "    ");
		return 0;
	}
	settings_print(dev->settings, "    ", stdout);
	(void)puts("    home: in process");
	return sandbox_print(dev, "    ", stdout);
}

static int print_machine(const struct vm *vm, struct error *err)
{
	const struct vm_config *c = vm->config;
	char size[SIZE_TEXT_MAX];
	int ret = 0;

	(void)printf("vm: %s, %u vcpu%s, %s of memory, hypervisor %s\n", c->name, c->vcpus,
		c->vcpus == 1 ? "" : "s", size_format(c->memory_bytes, size), c->hypervisor);
	print_memory(vm);
	(void)puts("devices:");
	for (struct tenon_dev *d = vm->devices; d && ret == 0; d = d->next)
		ret = print_device(vm, d);
	return ret < 0 ? error_set(err, EXIT_HOST, ret, "out of memory") : 0;
}

/* ---- the device tree ---- */

static int write_file(const char *path, const void *bytes, size_t size)
{
	FILE *f = fopen(path, "we");
	int ret = 0;

	if (!f)
		return -errno;
	if (fwrite(bytes, 1, size, f) != size)
		ret = errno ? -errno : -EIO;
	if (fclose(f) != 0 && ret == 0)
		ret = -errno;
	return ret;
}

/* The claims are what the boot tables took. */
static int dump_tree(const struct vm *vm, const char *path, struct error *err)
{
	const struct guest_claim *claims;
	size_t n = guest_memory_claims(vm->gm, &claims);
	int ret = -ENOENT;

	for (size_t i = 0; vm->loaded.fdt_gpa && i < n && ret == -ENOENT; i++)
		if (claims[i].gpa == vm->loaded.fdt_gpa)
			ret = write_file(path,
				guest_memory_ptr(vm->gm, claims[i].gpa, claims[i].size),
				claims[i].size);
	if (ret == -ENOENT && !vm->loaded.fdt_gpa)
		return error_set(err, EXIT_USAGE, -ENOTSUP,
			"--dump-dtb: a machine of %s has no device tree", vm->arch->name);
	if (ret < 0)
		return error_set(err, EXIT_USAGE, ret, "--dump-dtb: cannot write \"%s\": %s", path,
			strerror(-ret));
	return 0;
}

int cmd_check(
	const struct vm_config *config, const struct check_options *options, struct error *err)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	int ret;

	if (!vm)
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
	vm->config = config;
	ret = vm_build_for_check(vm, options->dump_dtb != NULL, err);
	if (ret == 0) {
		ret = print_machine(vm, err);
		if (ret == 0 && options->dump_dtb)
			ret = dump_tree(vm, options->dump_dtb, err);
		vm_destroy(vm);
	}
	free(vm);
	return ret;
}
