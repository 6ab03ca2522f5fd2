/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine with a device tree, shared by the tests of the architectures that have one, and the
 * look of dtc at what was written.
 */
#ifndef TENON_ARCH_FDT_TEST_MACHINE_H
#define TENON_ARCH_FDT_TEST_MACHINE_H

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/guest_memory.h"
#include "core/machine.h"
#include "core/payload.h"

static inline struct machine_node *fdt_test_node(
	struct machine *m, const char *name, const char *compatible, uint64_t address, uint32_t irq)
{
	struct machine_node *n = &m->nodes[m->n_nodes++];

	(void)snprintf(n->name, sizeof(n->name), "%s", name);
	(void)snprintf(n->compatible, sizeof(n->compatible), "%s", compatible);
	n->windows[0] = (struct machine_window){ address, 0x1000, false };
	n->n_windows = 1;
	n->irqs[0] = irq;
	n->n_irqs = 1;
	return n;
}

/* A serial port at @mmio on line @irq, and @n_virtio virtio devices behind it. */
static inline struct machine fdt_test_machine(
	uint32_t vcpus, size_t n_virtio, uint64_t mmio, uint32_t irq)
{
	struct machine m = { .vcpus = vcpus, .vm_name = "demo", .acpi = true };
	struct machine_node *n;

	m.nodes = calloc(n_virtio + 1, sizeof(*m.nodes));
	if (!m.nodes)
		abort();
	n = fdt_test_node(&m, "serial", "ns16550a", mmio, irq);
	n->n_props = 1;
	(void)snprintf(n->props[0].name, sizeof(n->props[0].name), "clock-frequency");
	n->props[0].number = 1843200;
	for (size_t i = 0; i < n_virtio; i++)
		fdt_test_node(&m, "virtio_mmio", "virtio,mmio", mmio + 0x1000 * (i + 1),
			irq + 1 + (uint32_t)i)
			->is_virtio = true;
	return m;
}

/* The end of what it says, "" when it has nothing to say, or "no dtc". */
static inline const char *fdt_dtc_says(const void *blob)
{
	static char said[4096];
	char path[] = "/tmp/tenon-fdt-XXXXXX", command[128];
	int fd = mkstemp(path);
	FILE *out;
	size_t n;

	if (system("command -v dtc >/dev/null") != 0) { /* NOLINT(cert-env33-c) */
		if (fd >= 0)
			(void)close(fd);
		(void)unlink(path);
		return "no dtc";
	}
	if (fd < 0 || write(fd, blob, fdt_totalsize(blob)) != (ssize_t)fdt_totalsize(blob))
		abort();
	(void)close(fd);
	(void)snprintf(command, sizeof(command), "dtc -I dtb -O dts -o /dev/null %s 2>&1", path);
	out = popen(command, "r"); /* NOLINT(cert-env33-c) */
	if (!out)
		abort();
	n = fread(said, 1, sizeof(said) - 1, out);
	said[n] = '\0';
	if (pclose(out) != 0 && n == 0)
		(void)snprintf(said, sizeof(said), "dtc failed");
	(void)unlink(path);
	return said;
}

static inline uint32_t fdt_test_cell(const void *blob, const char *path, const char *name, int i)
{
	int node = fdt_path_offset(blob, path), len = 0;
	const fdt32_t *cells = node < 0 ? NULL : fdt_getprop(blob, node, name, &len);

	if (!cells || len < 4 * (i + 1))
		return UINT32_MAX;
	return fdt32_ld(cells + i);
}

static inline const char *fdt_test_text(const void *blob, const char *path, const char *name)
{
	int node = fdt_path_offset(blob, path);
	const char *text = node < 0 ? NULL : fdt_getprop(blob, node, name, NULL);

	return text ? text : "(none)";
}

#endif
