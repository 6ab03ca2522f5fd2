/* SPDX-License-Identifier: Apache-2.0 */
/* What the device tree of an aarch64 machine has of its own: processors, PSCI, timer, interrupt
 * controller. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/aarch64/aarch64.h"
#include "arch/aarch64/layout.h"
#include "arch/arch.h"
#include "arch/dt.h"
#include "arch/fdt.h"
#include "core/machine.h"
#include "core/payload.h"

/* Interrupts (Linux: bindings/interrupt-controller/arm,gic-v3.yaml): kind, number, trigger. */
#define KIND_SPI   0u
#define KIND_PPI   1u
#define EDGE_RISES 1u
#define LEVEL_HIGH 4u

#define GICV2_VCPUS 8u

#define PHANDLE_CPU FDT_PHANDLE_FREE

/* ---- processors ---- */

/* MPIDR_EL1: 16 in a group, up to 256 groups in the next one. */
uint32_t arm_mpidr(uint32_t index)
{
	return (index & 0xf) | (index >> 4 & 0xff) << 8 | (index >> 12 & 0xff) << 16;
}

static void write_cpu(struct dt *dt, uint32_t index)
{
	dt_begin_at(dt, "cpu", arm_mpidr(index));
	dt_text(dt, "device_type", "cpu");
	dt_text(dt, "compatible", "arm,armv8");
	dt_u32(dt, "reg", arm_mpidr(index));
	dt_text(dt, "enable-method", "psci");
	dt_u32(dt, "phandle", PHANDLE_CPU + index);
	dt_end(dt);
}

struct topology {
	uint32_t threads, cores, vcpus;
};

static void write_core(struct dt *dt, const struct topology *t, uint32_t first, uint32_t core)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "core%u", core);
	dt_begin(dt, name);
	if (t->threads == 1)
		dt_u32(dt, "cpu", PHANDLE_CPU + first);
	for (uint32_t i = 0; t->threads > 1 && i < t->threads && first + i < t->vcpus; i++) {
		(void)snprintf(name, sizeof(name), "thread%u", i);
		dt_begin(dt, name);
		dt_u32(dt, "cpu", PHANDLE_CPU + first + i);
		dt_end(dt);
	}
	dt_end(dt);
}

static void write_socket(struct dt *dt, const struct topology *t, uint32_t first, uint32_t socket)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "socket%u", socket);
	dt_begin(dt, name);
	dt_begin(dt, "cluster0");
	for (uint32_t core = 0; core < t->cores; core++, first += t->threads)
		if (first < t->vcpus)
			write_core(dt, t, first, core);
	dt_end(dt);
	dt_end(dt);
}

/* bindings/cpu/cpu-topology.txt */
static void write_topology(struct dt *dt, const struct machine *m)
{
	struct topology t = { .threads = m->threads_per_core ? m->threads_per_core : 1,
		.vcpus = m->vcpus };
	uint32_t first = 0;

	t.cores =
		m->cores_per_socket ? m->cores_per_socket : (m->vcpus + t.threads - 1) / t.threads;
	dt_begin(dt, "cpu-map");
	for (uint32_t socket = 0; first < m->vcpus; socket++, first += t.cores * t.threads)
		write_socket(dt, &t, first, socket);
	dt_end(dt);
}

static void write_cpus(struct dt *dt, const struct machine *m)
{
	dt_begin(dt, "cpus");
	dt_u32(dt, "#address-cells", 1);
	dt_u32(dt, "#size-cells", 0);
	for (uint32_t i = 0; i < m->vcpus; i++)
		write_cpu(dt, i);
	write_topology(dt, m);
	dt_end(dt);
}

/* ---- PSCI, timer, counters ---- */

static void write_psci(struct dt *dt)
{
	dt_begin(dt, "psci");
	dt_texts(dt, "compatible", "arm,psci-1.0;arm,psci-0.2");
	dt_text(dt, "method", "hvc");
	dt_end(dt);
}

static uint64_t gic_version(const struct machine *m)
{
	return machine_fact(m, ARM_CONF(ARM_CONF_GIC), 3);
}

/* Those of a GICv2 say for which of its vCPUs, 8 at the most, they are. */
static void put_ppi(const struct machine *m, uint32_t number, uint32_t *ret_cells)
{
	uint32_t all = m->vcpus < GICV2_VCPUS ? (1u << m->vcpus) - 1 : (1u << GICV2_VCPUS) - 1;
	uint32_t mask = gic_version(m) == 2 ? all << 8 : 0;

	ret_cells[0] = KIND_PPI;
	ret_cells[1] = number;
	ret_cells[2] = LEVEL_HIGH | mask;
}

static void write_timer(struct dt *dt, const struct machine *m)
{
	static const uint32_t numbers[] = { ARM_PPI_TIMER_SECURE, ARM_PPI_TIMER_PHYS,
		ARM_PPI_TIMER_VIRT, ARM_PPI_TIMER_HYP };
	uint32_t cells[4 * 3];

	for (size_t i = 0; i < 4; i++)
		put_ppi(m, numbers[i], cells + 3 * i);
	dt_begin(dt, "timer");
	dt_text(dt, "compatible", "arm,armv8-timer");
	dt_cells(dt, "interrupts", cells, 12);
	dt_empty(dt, "always-on");
	dt_end(dt);
}

static void write_pmu(struct dt *dt, const struct machine *m)
{
	uint32_t cells[3];

	if (!machine_fact(m, ARM_CONF(ARM_CONF_PMU), 0))
		return;
	put_ppi(m, ARM_PPI_PMU, cells);
	dt_begin(dt, "pmu");
	dt_text(dt, "compatible", "arm,armv8-pmuv3");
	dt_cells(dt, "interrupts", cells, 3);
	dt_end(dt);
}

/* ---- interrupt controller ---- */

static void write_gic(struct dt *dt, const struct machine *m)
{
	const uint64_t v3[] = { ARM_GICD, ARM_GICD_V3_SIZE, ARM_GICR, ARM_GICR_SIZE * m->vcpus };
	const uint64_t v2[] = { ARM_GICD, ARM_GICD_V2_SIZE, ARM_GICC, ARM_GICC_SIZE };

	dt_begin_at(dt, "interrupt-controller", ARM_GICD);
	if (gic_version(m) == 2) {
		dt_text(dt, "compatible", "arm,cortex-a15-gic");
		dt_u64s(dt, "reg", v2, 4);
	} else {
		dt_text(dt, "compatible", "arm,gic-v3");
		dt_u64s(dt, "reg", v3, 4);
		dt_u32(dt, "#redistributor-regions", 1);
	}
	dt_empty(dt, "interrupt-controller");
	dt_u32(dt, "#interrupt-cells", 3);
	dt_u32(dt, "#address-cells", 0);
	dt_u32(dt, "phandle", FDT_PHANDLE_INTC);
	dt_end(dt);
}

static void write_spi(uint32_t number, bool level, uint32_t *ret_cells)
{
	ret_cells[0] = KIND_SPI;
	ret_cells[1] = number;
	ret_cells[2] = level ? LEVEL_HIGH : EDGE_RISES;
}

static void write_nodes(struct dt *dt, const struct machine *machine)
{
	write_cpus(dt, machine);
	write_psci(dt);
	write_timer(dt, machine);
	write_pmu(dt, machine);
	write_gic(dt, machine);
}

static const struct fdt_platform platform = {
	.compatible = "linux,dummy-virt",
	.interrupt_cells = 3,
	.interrupt = write_spi,
	.nodes = write_nodes,
};

int arm_boot_tables(struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, struct error *err)
{
	return fdt_write(gm, loaded->fdt_gpa, ARM_FDT_ROOM, loaded, machine, &platform, err);
}
