/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree of a machine; see the header for what is whose. */
#include "arch/fdt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <tenon/iov.h>

#include "arch/dt.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/machine.h"
#include "core/payload.h"

#define SEED_SIZE   32u
#define PATH_SIZE   (MACHINE_MAX_NAME + 32)
#define CLOCK_HZ    24000000u /* of the bus of ARM's peripherals; nothing depends on it */
#define KEY_POWER   116u      /* of Linux' input events */
#define PRIMECELL   "arm,primecell"
#define MAX_WINDOWS MACHINE_MAX_WINDOWS

/* ---- memory, chosen ---- */

static void write_memory(struct dt *dt, const struct guest_memory *gm)
{
	for (size_t i = 0; i < guest_memory_count(gm); i++) {
		const struct guest_region *r = guest_memory_region(gm, i);
		const uint64_t reg[] = { r->gpa, r->size };

		if (r->kind != GUEST_RAM)
			continue;
		dt_begin_at(dt, "memory", r->gpa);
		dt_text(dt, "device_type", "memory");
		dt_u64s(dt, "reg", reg, 2);
		dt_end(dt);
	}
}

/* Whether it is in the tree: a window in memory or none, and a driver to match. */
static bool is_told(const struct machine_node *n)
{
	for (size_t i = 0; i < n->n_windows; i++)
		if (n->windows[i].pio)
			return false;
	return n->compatible[0] != '\0';
}

static const struct machine_node *find_serial(const struct machine *m)
{
	for (size_t i = 0; i < m->n_nodes; i++) {
		const struct machine_node *n = &m->nodes[i];

		if (is_told(n) && n->n_windows > 0 && strcmp(n->name, "serial") == 0)
			return n;
	}
	return NULL;
}

static void write_stdout(struct dt *dt, const struct machine *m)
{
	const struct machine_node *serial = find_serial(m);
	char path[PATH_SIZE];

	if (!serial)
		return;
	(void)snprintf(
		path, sizeof(path), "/%s@%" PRIx64, serial->name, serial->windows[0].address);
	dt_text(dt, "stdout-path", path);
}

/* A guest that boots before it can gather entropy gets some, new at every start. */
static int write_seeds(struct dt *dt)
{
	uint8_t seed[SEED_SIZE];
	uint64_t kaslr;

	if (tenon_random(seed, sizeof(seed)) < 0 || tenon_random(&kaslr, sizeof(kaslr)) < 0)
		return -EIO;
	dt_bytes(dt, "rng-seed", seed, sizeof(seed));
	dt_u64(dt, "kaslr-seed", kaslr);
	return 0;
}

static int write_chosen(struct dt *dt, const struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *m)
{
	const char *cmdline = guest_memory_ptr(gm, loaded->cmdline_gpa, loaded->cmdline_size);
	int ret;

	dt_begin(dt, "chosen");
	if (cmdline && loaded->cmdline_size > 1)
		dt_bytes(dt, "bootargs", cmdline, loaded->cmdline_size);
	if (loaded->initrd_size) {
		dt_u64(dt, "linux,initrd-start", loaded->initrd_gpa);
		dt_u64(dt, "linux,initrd-end", loaded->initrd_gpa + loaded->initrd_size);
	}
	write_stdout(dt, m);
	/* A deterministic machine has none: they are of the host's randomness. */
	ret = m->deterministic ? 0 : write_seeds(dt);
	dt_end(dt);
	return ret;
}

/* ---- devices ---- */

static void write_interrupts(
	struct dt *dt, const struct machine_node *n, const struct fdt_platform *platform)
{
	uint32_t cells[2 * FDT_MAX_CELLS];

	if (n->n_irqs == 0)
		return;
	for (size_t i = 0; i < n->n_irqs; i++)
		platform->interrupt(
			n->irqs[i], n->irq_level[i], cells + i * platform->interrupt_cells);
	dt_cells(dt, "interrupts", cells, n->n_irqs * platform->interrupt_cells);
}

static bool is_primecell(const struct machine_node *n)
{
	return strstr(n->compatible, PRIMECELL) != NULL;
}

static void write_props(struct dt *dt, const struct machine_node *n)
{
	for (size_t i = 0; i < n->n_props; i++) {
		const struct machine_prop *p = &n->props[i];

		if (p->is_text)
			dt_text(dt, p->name, p->text);
		else
			dt_u32(dt, p->name, p->number);
	}
	if (is_primecell(n)) {
		dt_u32(dt, "clocks", FDT_PHANDLE_CLOCK);
		dt_text(dt, "clock-names", "apb_pclk");
	}
	if (n->is_virtio)
		dt_empty(dt, "dma-coherent");
}

static void write_node(struct dt *dt, const struct machine_node *n, size_t index,
	const struct fdt_platform *platform)
{
	uint64_t reg[2 * MAX_WINDOWS] = { 0 };
	char name[PATH_SIZE];

	for (size_t i = 0; i < n->n_windows; i++) {
		reg[2 * i] = n->windows[i].address;
		reg[2 * i + 1] = n->windows[i].size;
	}
	(void)snprintf(name, sizeof(name), "%s-%zu", n->name, index);
	if (n->n_windows > 0)
		dt_begin_at(dt, n->name, reg[0]);
	else
		dt_begin(dt, name);
	dt_texts(dt, "compatible", n->compatible);
	if (n->n_windows > 0)
		dt_u64s(dt, "reg", reg, 2 * n->n_windows);
	write_interrupts(dt, n, platform);
	write_props(dt, n);
	dt_end(dt);
}

static void write_devices(
	struct dt *dt, const struct machine *m, const struct fdt_platform *platform)
{
	bool clock = false;

	for (size_t i = 0; i < m->n_nodes; i++) {
		if (!is_told(&m->nodes[i]))
			continue;
		write_node(dt, &m->nodes[i], i, platform);
		clock |= is_primecell(&m->nodes[i]);
	}
	if (!clock)
		return;
	dt_begin(dt, "apb-pclk");
	dt_text(dt, "compatible", "fixed-clock");
	dt_u32(dt, "#clock-cells", 0);
	dt_u32(dt, "clock-frequency", CLOCK_HZ);
	dt_text(dt, "clock-output-names", "clk24mhz");
	dt_u32(dt, "phandle", FDT_PHANDLE_CLOCK);
	dt_end(dt);
}

/*
 * A key that only has an interrupt: Linux reports it as pressed and let go at each one, and there
 * is no need of a controller of pins (bindings/input/gpio-keys.yaml).  The label is the device's
 * name.
 */
static void write_button(
	struct dt *dt, const struct machine *m, const struct fdt_platform *platform)
{
	uint32_t cells[FDT_MAX_CELLS];

	if (!m->power.has_button)
		return;
	platform->interrupt(m->power.button_irq, false, cells);
	dt_begin(dt, "gpio-keys");
	dt_text(dt, "compatible", "gpio-keys");
	dt_text(dt, "label", "Power Button");
	dt_begin(dt, "power");
	dt_text(dt, "label", "Power Button");
	dt_u32(dt, "linux,code", KEY_POWER);
	dt_cells(dt, "interrupts", cells, platform->interrupt_cells);
	dt_end(dt);
	dt_end(dt);
}

/* ---- all of it ---- */

static int write_tree(struct dt *dt, const struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *m, const struct fdt_platform *platform)
{
	int ret;

	dt_begin(dt, "");
	dt_texts(dt, "compatible", platform->compatible);
	dt_text(dt, "model", m->vm_name && m->vm_name[0] ? m->vm_name : "tenon");
	dt_u32(dt, "#address-cells", 2);
	dt_u32(dt, "#size-cells", 2);
	dt_u32(dt, "interrupt-parent", FDT_PHANDLE_INTC);
	ret = write_chosen(dt, gm, loaded, m);
	write_memory(dt, gm);
	platform->nodes(dt, m);
	write_devices(dt, m, platform);
	write_button(dt, m, platform);
	dt_end(dt);
	return ret;
}

static int place(struct guest_memory *gm, uint64_t gpa, uint64_t room, const void *blob,
	size_t size, struct error *err)
{
	int ret;

	if (size > room)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"the device tree has %zu bytes, at most %" PRIu64 " fit", size, room);
	ret = guest_memory_claim(gm, gpa, size, "the device tree", err);
	if (ret == 0)
		memcpy(guest_memory_ptr(gm, gpa, size), blob, size);
	return ret;
}

int fdt_write(struct guest_memory *gm, uint64_t gpa, uint64_t room, const struct loaded *loaded,
	const struct machine *machine, const struct fdt_platform *platform, struct error *err)
{
	struct dt dt;
	size_t size = 0;
	int ret = dt_init(&dt);

	if (ret == 0)
		ret = write_tree(&dt, gm, loaded, machine, platform);
	if (ret == 0)
		ret = dt_done(&dt, &size);
	if (ret == -E2BIG)
		(void)error_set(err, EXIT_USAGE, ret,
			"the device tree is longer than %zu MiB, which no kernel reads",
			DT_MAX >> 20);
	else if (ret < 0)
		(void)error_set(
			err, EXIT_HOST, ret, "cannot write the device tree: %s", strerror(-ret));
	else
		ret = place(gm, gpa, room, dt.blob, size, err);
	dt_finish(&dt);
	return ret;
}
