/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree of an aarch64 machine, read back through libfdt and judged by dtc. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/aarch64/aarch64.h"
#include "arch/aarch64/layout.h"
#include "arch/arch.h"
#include "arch/fdt.h"
#include "arch/fdt_test_machine.h"
#include "core/error.h"

#define MIB (1ull << 20)

struct fixture {
	struct guest_memory *gm;
	struct machine machine;
	struct loaded loaded;
	const void *blob;
};

static struct fixture made(uint32_t vcpus, size_t n_virtio)
{
	struct fixture f = { .gm = guest_memory_create(),
		.machine = fdt_test_machine(vcpus, n_virtio, ARM_MMIO, 0) };

	assert_int_equal(guest_memory_add(f.gm, ARM_RAM, 64 * MIB, GUEST_RAM, false, NULL), 0);
	f.loaded = (struct loaded){ .protocol = BOOT_IMAGE, .fdt_gpa = ARM_FDT };
	return f;
}

static void fact(struct fixture *f, uint32_t number, uint64_t value)
{
	f->machine.facts[f->machine.n_facts++] =
		(struct backend_reg){ .id = ARM_CONF(number), .value = value };
}

static void write_tree(struct fixture *f)
{
	struct error err = { .text = "" };
	const char *said;

	assert_int_equal(arm_boot_tables(f->gm, &f->loaded, &f->machine, &err), 0);
	f->blob = guest_memory_ptr(f->gm, ARM_FDT, ARM_FDT_ROOM);
	assert_int_equal(fdt_check_header(f->blob), 0);
	said = fdt_dtc_says(f->blob);
	if (strcmp(said, "no dtc") != 0)
		assert_string_equal(said, "");
}

static void finish(struct fixture *f)
{
	free(f->machine.nodes);
	guest_memory_destroy(f->gm);
}

static void cells_are(const struct fixture *f, const char *path, const char *name, size_t n,
	const uint32_t *cells)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(fdt_test_cell(f->blob, path, name, (int)i), cells[i]);
	assert_int_equal(fdt_test_cell(f->blob, path, name, (int)n), UINT32_MAX);
}

static void a_gicv3_is_told_without_facts(void **state)
{
	struct fixture f = made(3, 1);

	write_tree(&f);
	assert_string_equal(
		fdt_test_text(f.blob, "/interrupt-controller@8000000", "compatible"), "arm,gic-v3");
	cells_are(&f, "/interrupt-controller@8000000", "reg", 8,
		(const uint32_t[]){ 0, 0x08000000, 0, 0x10000, 0, 0x10000000, 0, 3 * 0x20000 });
	assert_int_equal(fdt_test_cell(f.blob, "/", "interrupt-parent", 0),
		fdt_test_cell(f.blob, "/interrupt-controller@8000000", "phandle", 0));
	cells_are(&f, "/timer", "interrupts", 12,
		(const uint32_t[]){ 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4 });
	assert_true(fdt_path_offset(f.blob, "/pmu") < 0);
	finish(&f);
}

static void a_gicv2_is_told_when_it_is_there(void **state)
{
	struct fixture f = made(3, 1);

	fact(&f, ARM_CONF_GIC, 2);
	fact(&f, ARM_CONF_PMU, 1);
	write_tree(&f);
	assert_string_equal(fdt_test_text(f.blob, "/interrupt-controller@8000000", "compatible"),
		"arm,cortex-a15-gic");
	cells_are(&f, "/interrupt-controller@8000000", "reg", 8,
		(const uint32_t[]){ 0, 0x08000000, 0, 0x1000, 0, 0x08010000, 0, 0x2000 });
	cells_are(&f, "/timer", "interrupts", 12,
		(const uint32_t[]){ 1, 13, 0x704, 1, 14, 0x704, 1, 11, 0x704, 1, 10, 0x704 });
	cells_are(&f, "/pmu", "interrupts", 3, (const uint32_t[]){ 1, 7, 0x704 });
	finish(&f);
}

/* A GICv2 has lines to 8; what lies above the mask are other flags. */
static void a_gicv2_names_eight_processors_at_most(void **state)
{
	static const uint32_t vcpus[] = { 8, 9, 40 };

	for (size_t i = 0; i < 3; i++) {
		struct fixture f = made(vcpus[i], 0);

		fact(&f, ARM_CONF_GIC, 2);
		write_tree(&f);
		assert_int_equal(fdt_test_cell(f.blob, "/timer", "interrupts", 2), 0xff04);
		finish(&f);
	}
}

static void counters_are_told_when_they_are_there(void **state)
{
	struct fixture f = made(1, 0);

	fact(&f, ARM_CONF_GIC, 3);
	fact(&f, ARM_CONF_PMU, 1);
	write_tree(&f);
	assert_string_equal(fdt_test_text(f.blob, "/pmu", "compatible"), "arm,armv8-pmuv3");
	cells_are(&f, "/pmu", "interrupts", 3, (const uint32_t[]){ 1, 7, 4 });
	finish(&f);
}

static void psci_is_a_hypervisor_call(void **state)
{
	struct fixture f = made(1, 0);

	write_tree(&f);
	assert_string_equal(fdt_test_text(f.blob, "/psci", "compatible"), "arm,psci-1.0");
	assert_string_equal(fdt_test_text(f.blob, "/psci", "method"), "hvc");
	assert_string_equal(fdt_test_text(f.blob, "/cpus/cpu@0", "enable-method"), "psci");
	finish(&f);
}

static void interrupts_of_devices_are_shared_ones(void **state)
{
	struct fixture f = made(1, 2);

	f.machine.nodes[2].irq_level[0] = true;
	write_tree(&f);
	cells_are(&f, "/serial@20000000", "interrupts", 3, (const uint32_t[]){ 0, 0, 1 });
	cells_are(&f, "/virtio_mmio@20001000", "interrupts", 3, (const uint32_t[]){ 0, 1, 1 });
	cells_are(&f, "/virtio_mmio@20002000", "interrupts", 3, (const uint32_t[]){ 0, 2, 4 });
	finish(&f);
}

static void the_topology_is_as_configured(void **state)
{
	struct fixture f = made(7, 0);

	f.machine.threads_per_core = 2;
	f.machine.cores_per_socket = 2;
	write_tree(&f);
	assert_int_equal(
		fdt_test_cell(f.blob, "/cpus/cpu-map/socket0/cluster0/core1/thread1", "cpu", 0),
		fdt_test_cell(f.blob, "/cpus/cpu@3", "phandle", 0));
	assert_int_equal(
		fdt_test_cell(f.blob, "/cpus/cpu-map/socket1/cluster0/core1/thread0", "cpu", 0),
		fdt_test_cell(f.blob, "/cpus/cpu@6", "phandle", 0));
	assert_true(fdt_path_offset(f.blob, "/cpus/cpu-map/socket1/cluster0/core1/thread1") < 0);
	assert_true(fdt_path_offset(f.blob, "/cpus/cpu-map/socket2") < 0);
	finish(&f);
}

static void without_threads_a_core_is_a_processor(void **state)
{
	struct fixture f = made(3, 0);

	write_tree(&f);
	assert_int_equal(fdt_test_cell(f.blob, "/cpus/cpu-map/socket0/cluster0/core2", "cpu", 0),
		fdt_test_cell(f.blob, "/cpus/cpu@2", "phandle", 0));
	assert_true(fdt_path_offset(f.blob, "/cpus/cpu-map/socket1") < 0);
	finish(&f);
}

/* Sixteen share the lowest field, as the interrupt controller addresses them. */
static void processors_are_numbered_in_groups(void **state)
{
	static const uint32_t expected[] = { 0, 1, 0xf, 0x100, 0x10f, 0xff0f, 0x10000 };
	static const uint32_t index[] = { 0, 1, 15, 16, 31, 4095, 4096 };
	struct fixture f = made(18, 0);

	for (size_t i = 0; i < 7; i++)
		assert_int_equal(arm_mpidr(index[i]), expected[i]);
	write_tree(&f);
	assert_int_equal(fdt_test_cell(f.blob, "/cpus/cpu@f", "reg", 0), 0xf);
	assert_int_equal(fdt_test_cell(f.blob, "/cpus/cpu@101", "reg", 0), 0x101);
	finish(&f);
}

/* The largest machine: every processor, every virtio window, a line for each. */
static void the_largest_machine_fits(void **state)
{
	struct fixture f = made(ARM_MAX_VCPUS, arm_layout.max_virtio);

	assert_true(arm_layout.max_virtio < arm_layout.irq_last);
	assert_true(ARM_GICR + ARM_MAX_VCPUS * ARM_GICR_SIZE <= ARM_MMIO);
	write_tree(&f);
	assert_true(fdt_totalsize(f.blob) <= ARM_FDT_ROOM);
	assert_true(fdt_path_offset(f.blob, "/cpus/cpu@1f0f") > 0);
	assert_true(fdt_path_offset(f.blob, "/virtio_mmio@20100000") > 0);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gicv3_is_told_without_facts),
		cmocka_unit_test(a_gicv2_is_told_when_it_is_there),
		cmocka_unit_test(a_gicv2_names_eight_processors_at_most),
		cmocka_unit_test(counters_are_told_when_they_are_there),
		cmocka_unit_test(psci_is_a_hypervisor_call),
		cmocka_unit_test(interrupts_of_devices_are_shared_ones),
		cmocka_unit_test(the_topology_is_as_configured),
		cmocka_unit_test(without_threads_a_core_is_a_processor),
		cmocka_unit_test(processors_are_numbered_in_groups),
		cmocka_unit_test(the_largest_machine_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
