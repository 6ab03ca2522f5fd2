/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a riscv64 device tree has of its own: harts with what they are, and the interrupt
 * controller: the PLIC, or APLIC and IMSICs where the hypervisor has the advanced architecture.
 */
#include "arch/riscv64/tree.h"

#include <errno.h>
#include <stdio.h>

#include "arch/arch.h"
#include "arch/dt.h"
#include "arch/fdt.h"
#include "arch/riscv64/isa.h"
#include "arch/riscv64/plic.h"
#include "arch/riscv64/riscv64.h"
#include "core/machine.h"
#include "core/payload.h"

#define PHANDLE_IMSIC    FDT_PHANDLE_FREE
#define PHANDLE_CPU(i)   (FDT_PHANDLE_FREE + 1u + 2u * (i))
#define PHANDLE_HART(i)  (FDT_PHANDLE_FREE + 2u + 2u * (i)) /* its interrupt controller */
#define IMSIC_SIZE       0x1000ull
#define APLIC_SIZE       0x4000ull
#define IMSIC_IDENTITIES 255u
#define EDGE_RISING      1u
#define LEVEL_HIGH       4u

/* ---- harts ---- */

static void write_blocks(struct dt *dt, const struct machine *m)
{
	static const struct {
		uint32_t conf;
		const char *name;
	} blocks[] = {
		{ RISCV_CONF_CBOM, "riscv,cbom-block-size" },
		{ RISCV_CONF_CBOZ, "riscv,cboz-block-size" },
		{ RISCV_CONF_CBOP, "riscv,cbop-block-size" },
	};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		uint64_t size = machine_fact(m, RISCV_CONF(blocks[i].conf), 0);

		if (size)
			dt_u32(dt, blocks[i].name, (uint32_t)size);
	}
}

static void write_hart(struct dt *dt, const struct machine *m, uint32_t i)
{
	char text[ISA_TEXT_MAX];

	dt_begin_at(dt, "cpu", i);
	dt_text(dt, "device_type", "cpu");
	dt_text(dt, "compatible", "riscv");
	dt_u32(dt, "reg", i);
	dt_text(dt, "status", "okay");
	dt_text(dt, "riscv,isa", isa_string(m, text));
	dt_text(dt, "riscv,isa-base", "rv64i");
	dt_texts(dt, "riscv,isa-extensions", isa_list(m, text));
	if (isa_mmu(m))
		dt_text(dt, "mmu-type", isa_mmu(m));
	write_blocks(dt, m);
	dt_u32(dt, "phandle", PHANDLE_CPU(i));
	dt_begin(dt, "interrupt-controller");
	dt_text(dt, "compatible", "riscv,cpu-intc");
	dt_u32(dt, "#interrupt-cells", 1);
	dt_u32(dt, "#address-cells", 0);
	dt_empty(dt, "interrupt-controller");
	/* It has none above it; what the root says is for devices. */
	dt_u32(dt, "interrupt-parent", PHANDLE_HART(i));
	dt_u32(dt, "phandle", PHANDLE_HART(i));
	dt_end(dt);
	dt_end(dt);
}

static void begin_numbered(struct dt *dt, const char *name, uint32_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%s%u", name, number);
	dt_begin(dt, text);
}

static void write_core(struct dt *dt, const struct machine *m, uint32_t first, uint32_t threads)
{
	if (threads == 1)
		dt_u32(dt, "cpu", PHANDLE_CPU(first));
	for (uint32_t t = 0; threads > 1 && t < threads && first + t < m->vcpus; t++) {
		begin_numbered(dt, "thread", t);
		dt_u32(dt, "cpu", PHANDLE_CPU(first + t));
		dt_end(dt);
	}
}

static void write_topology(struct dt *dt, const struct machine *m)
{
	uint32_t threads = m->threads_per_core ? m->threads_per_core : 1;
	uint32_t cores = m->cores_per_socket ? m->cores_per_socket : m->vcpus;

	dt_begin(dt, "cpu-map");
	for (uint32_t s = 0; s * cores * threads < m->vcpus; s++) {
		begin_numbered(dt, "cluster", s);
		for (uint32_t c = 0; c < cores; c++) {
			uint32_t first = (s * cores + c) * threads;

			if (first >= m->vcpus)
				break;
			begin_numbered(dt, "core", c);
			write_core(dt, m, first, threads);
			dt_end(dt);
		}
		dt_end(dt);
	}
	dt_end(dt);
}

static void write_harts(struct dt *dt, const struct machine *m)
{
	dt_begin(dt, "cpus");
	dt_u32(dt, "#address-cells", 1);
	dt_u32(dt, "#size-cells", 0);
	dt_u32(dt, "timebase-frequency", isa_timebase(m));
	for (uint32_t i = 0; i < m->vcpus; i++)
		write_hart(dt, m, i);
	write_topology(dt, m);
	dt_end(dt);
}

/* ---- interrupt controllers ---- */

/* The external interrupt of every hart. */
static void write_outputs(struct dt *dt, const struct machine *m)
{
	uint32_t cells[2 * RISCV_MAX_VCPUS];
	size_t n = m->vcpus < RISCV_MAX_VCPUS ? m->vcpus : RISCV_MAX_VCPUS;

	for (size_t i = 0; i < n; i++) {
		cells[2 * i] = PHANDLE_HART((uint32_t)i);
		cells[2 * i + 1] = RISCV_LINE_EXTERNAL;
	}
	dt_cells(dt, "interrupts-extended", cells, n * 2);
}

static void write_reg(struct dt *dt, uint64_t base, uint64_t size)
{
	const uint64_t reg[] = { base, size };

	dt_u64s(dt, "reg", reg, 2);
}

static void write_plic(struct dt *dt, const struct machine *m)
{
	dt_begin_at(dt, "interrupt-controller", RISCV_PLIC_BASE);
	dt_texts(dt, "compatible", "sifive,plic-1.0.0;riscv,plic0");
	dt_u32(dt, "#interrupt-cells", 1);
	dt_u32(dt, "#address-cells", 0);
	dt_empty(dt, "interrupt-controller");
	write_reg(dt, RISCV_PLIC_BASE, plic_size(m->vcpus));
	write_outputs(dt, m);
	dt_u32(dt, "riscv,ndev", RISCV_SOURCES);
	dt_u32(dt, "phandle", FDT_PHANDLE_INTC);
	dt_end(dt);
}

static void write_aia(struct dt *dt, const struct machine *m)
{
	dt_begin_at(dt, "interrupt-controller", RISCV_IMSIC_BASE);
	dt_text(dt, "compatible", "riscv,imsics");
	dt_u32(dt, "#interrupt-cells", 0);
	dt_u32(dt, "#address-cells", 0);
	dt_empty(dt, "interrupt-controller");
	dt_empty(dt, "msi-controller");
	dt_u32(dt, "#msi-cells", 0);
	write_reg(dt, RISCV_IMSIC_BASE, m->vcpus * IMSIC_SIZE);
	write_outputs(dt, m);
	dt_u32(dt, "riscv,num-ids", IMSIC_IDENTITIES);
	dt_u32(dt, "phandle", PHANDLE_IMSIC);
	dt_end(dt);

	dt_begin_at(dt, "interrupt-controller", RISCV_APLIC_BASE);
	dt_text(dt, "compatible", "riscv,aplic");
	dt_u32(dt, "#interrupt-cells", 2);
	dt_u32(dt, "#address-cells", 0);
	dt_empty(dt, "interrupt-controller");
	write_reg(dt, RISCV_APLIC_BASE, APLIC_SIZE);
	dt_u32(dt, "msi-parent", PHANDLE_IMSIC);
	dt_u32(dt, "riscv,num-sources", RISCV_SOURCES);
	dt_u32(dt, "phandle", FDT_PHANDLE_INTC);
	dt_end(dt);
}

static void plic_interrupt(uint32_t number, bool level, uint32_t *ret_cells)
{
	(void)level; /* a PLIC is not told how a source triggers */
	ret_cells[0] = number;
}

static void aplic_interrupt(uint32_t number, bool level, uint32_t *ret_cells)
{
	ret_cells[0] = number;
	ret_cells[1] = level ? LEVEL_HIGH : EDGE_RISING;
}

/* ---- all of it ---- */

static void write_nodes(struct dt *dt, const struct machine *machine)
{
	write_harts(dt, machine);
	if (machine->irqchip)
		write_aia(dt, machine);
	else
		write_plic(dt, machine);
}

int riscv_boot_tables(struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, struct error *err)
{
	const struct fdt_platform platform = {
		.compatible = "linux,dummy-virt",
		.interrupt_cells = machine->irqchip ? 2 : 1,
		.interrupt = machine->irqchip ? aplic_interrupt : plic_interrupt,
		.nodes = write_nodes,
	};

	return fdt_write(gm, loaded->fdt_gpa, TREE_ROOM, loaded, machine, &platform, err);
}
