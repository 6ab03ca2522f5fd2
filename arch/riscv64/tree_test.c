/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree, read back through libfdt and judged by dtc; and where things lie in memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "arch/fdt.h"
#include "arch/fdt_test_machine.h"
#include "arch/riscv64/isa.h"
#include "arch/riscv64/plic.h"
#include "arch/riscv64/riscv64.h"
#include "core/error.h"
#include "core/riscv_ext.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

#define ALL_LETTERS ((1u << 26) - 1)

struct fixture {
	struct guest_memory *gm;
	struct machine machine;
	struct loaded loaded;
	struct error err;
	const void *blob;
	int ret;
};

static struct payload payload = {
	.kind = PAYLOAD_KERNEL, .cmdline = "console=hvc0", .boot = "auto"
};
static uint8_t kernel[8192];

static void put_kernel(uint64_t image_size)
{
	memset(kernel, 0, sizeof(kernel));
	kernel[10] = 0x20; /* text_offset 0x200000 */
	memcpy(kernel + 16, &image_size, sizeof(image_size));
	memcpy(kernel + 56, "RSC\x05", 4);
	payload.kernel = (struct blob){ kernel, sizeof(kernel), "vmlinux" };
}

static struct fixture written(uint64_t ram, uint32_t vcpus, size_t n_virtio, bool aia)
{
	struct fixture f = { .gm = guest_memory_create(),
		.machine = fdt_test_machine(vcpus, n_virtio, RISCV_MMIO_BASE, 1) };

	put_kernel(0x10000);
	f.machine.irqchip = aia;
	assert_int_equal(riscv_create_memory(f.gm, ram, &payload, &f.err), 0);
	assert_int_equal(riscv_load(f.gm, &payload, "", &f.loaded, &f.err), 0);
	return f;
}

static void write_tree(struct fixture *f)
{
	f->ret = riscv_boot_tables(f->gm, &f->loaded, &f->machine, &f->err);
	f->blob = guest_memory_ptr(f->gm, f->loaded.fdt_gpa, 64);
}

static void finish(struct fixture *f)
{
	guest_memory_destroy(f->gm);
	free(f->machine.nodes);
}

static void fact(struct machine *m, uint32_t conf, uint64_t value)
{
	m->facts[m->n_facts++] = (struct backend_reg){ RISCV_CONF(conf), 0, value };
}

static uint64_t reg_of(const void *blob, const char *path, int i)
{
	return (uint64_t)fdt_test_cell(blob, path, "reg", 2 * i) << 32 |
	       fdt_test_cell(blob, path, "reg", 2 * i + 1);
}

static void harts_are_what_the_hypervisor_says(void **state)
{
	struct fixture f = written(256 * MIB, 2, 1, false);

	fact(&f.machine, RISCV_CONF_LETTERS,
		1u << 0 | 1u << 2 | 1u << 3 | 1u << 5 | 1u << 8 | 1u << 12 | 1u << 18 | 1u << 20);
	fact(&f.machine, RISCV_CONF_TIMEBASE, 12345678);
	fact(&f.machine, RISCV_CONF_SATP, 10);
	fact(&f.machine, RISCV_CONF_CBOZ, 64);
	fact(&f.machine, RISCV_CONF_EXT,
		1ull << RISCV_EXT_SSTC | 1ull << RISCV_EXT_ZICBOZ | 1ull << RISCV_EXT_ZAWRS);
	write_tree(&f);
	assert_int_equal(f.ret, 0);
	assert_int_equal(fdt_test_cell(f.blob, "/cpus", "timebase-frequency", 0), 12345678);
	assert_string_equal(
		fdt_test_text(f.blob, "/cpus/cpu@1", "riscv,isa"), "rv64imafdc_sstc_zicboz_zawrs");
	assert_string_equal(fdt_test_text(f.blob, "/cpus/cpu@1", "riscv,isa-base"), "rv64i");
	assert_int_equal(fdt_stringlist_search(f.blob, fdt_path_offset(f.blob, "/cpus/cpu@0"),
				 "riscv,isa-extensions", "zicboz"),
		7);
	assert_string_equal(fdt_test_text(f.blob, "/cpus/cpu@0", "mmu-type"), "riscv,sv57");
	assert_int_equal(fdt_test_cell(f.blob, "/cpus/cpu@0", "riscv,cboz-block-size", 0), 64);
	assert_int_equal(
		fdt_test_cell(f.blob, "/cpus/cpu@0", "riscv,cbom-block-size", 0), UINT32_MAX);
	assert_string_equal(fdt_dtc_says(f.blob), "");
	finish(&f);
}

static void without_a_hypervisor_they_are_rv64gc(void **state)
{
	struct fixture f = written(256 * MIB, 1, 0, false);

	write_tree(&f);
	assert_string_equal(fdt_test_text(f.blob, "/cpus/cpu@0", "riscv,isa"), "rv64imafdc");
	assert_string_equal(fdt_test_text(f.blob, "/cpus/cpu@0", "mmu-type"), "riscv,sv39");
	finish(&f);
}

static void harts_without_an_mmu_have_no_type_of_it(void **state)
{
	struct fixture f = written(256 * MIB, 1, 0, false);

	fact(&f.machine, RISCV_CONF_SATP, 0);
	write_tree(&f);
	assert_string_equal(fdt_test_text(f.blob, "/cpus/cpu@0", "mmu-type"), "(none)");
	finish(&f);
}

static void the_plic_leads_to_every_hart(void **state)
{
	static const char path[] = "/interrupt-controller@c000000";
	struct fixture f = written(256 * MIB, 3, 2, false);

	write_tree(&f);
	assert_int_equal(f.ret, 0);
	assert_int_equal(reg_of(f.blob, path, 0), RISCV_PLIC_BASE);
	assert_int_equal(reg_of(f.blob, path, 1), plic_size(3));
	assert_int_equal(fdt_test_cell(f.blob, path, "riscv,ndev", 0), RISCV_SOURCES);
	for (int i = 0; i < 3; i++) {
		uint32_t phandle = fdt_test_cell(f.blob, path, "interrupts-extended", 2 * i);
		int node = fdt_node_offset_by_phandle(f.blob, phandle);
		char cpu[32];

		(void)snprintf(cpu, sizeof(cpu), "/cpus/cpu@%d", i);
		assert_int_equal(fdt_parent_offset(f.blob, node), fdt_path_offset(f.blob, cpu));
		assert_int_equal(fdt_test_cell(f.blob, path, "interrupts-extended", 2 * i + 1), 9);
		/* It is the root of the interrupts: what it hangs on is itself. */
		assert_int_equal(
			fdt32_ld(fdt_getprop(f.blob, node, "interrupt-parent", NULL)), phandle);
	}
	assert_int_equal(fdt_test_cell(f.blob, "/virtio_mmio@10002000", "interrupts", 0), 3);
	assert_int_equal(
		fdt_test_cell(f.blob, "/virtio_mmio@10002000", "interrupts", 1), UINT32_MAX);
	assert_string_equal(fdt_dtc_says(f.blob), "");
	finish(&f);
}

static void the_advanced_architecture_has_both_parts(void **state)
{
	struct fixture f = written(256 * MIB, 2, 2, true);

	write_tree(&f);
	assert_int_equal(f.ret, 0);
	assert_true(fdt_path_offset(f.blob, "/interrupt-controller@c000000") < 0);
	assert_int_equal(
		fdt_test_cell(f.blob, "/interrupt-controller@d000000", "riscv,num-sources", 0),
		RISCV_SOURCES);
	assert_int_equal(fdt_test_cell(f.blob, "/interrupt-controller@d000000", "msi-parent", 0),
		fdt_test_cell(f.blob, "/interrupt-controller@20000000", "phandle", 0));
	assert_int_equal(reg_of(f.blob, "/interrupt-controller@20000000", 1), 0x2000);
	assert_int_equal(fdt_test_cell(f.blob, "/virtio_mmio@10002000", "interrupts", 0), 3);
	assert_int_equal(fdt_test_cell(f.blob, "/virtio_mmio@10002000", "interrupts", 1), 1);
	assert_string_equal(fdt_dtc_says(f.blob), "");
	finish(&f);
}

static void the_topology_is_told(void **state)
{
	struct fixture f = written(256 * MIB, 8, 0, false);

	f.machine.threads_per_core = 2;
	f.machine.cores_per_socket = 2;
	write_tree(&f);
	assert_int_equal(fdt_test_cell(f.blob, "/cpus/cpu-map/cluster1/core1/thread1", "cpu", 0),
		fdt_test_cell(f.blob, "/cpus/cpu@7", "phandle", 0));
	assert_true(fdt_path_offset(f.blob, "/cpus/cpu-map/cluster2") < 0);
	assert_string_equal(fdt_dtc_says(f.blob), "");
	finish(&f);
}

/* The most that a machine has of everything. */
static void the_largest_machine_fits(void **state)
{
	struct fixture f = written(256 * MIB, RISCV_MAX_VCPUS, riscv_layout.max_virtio, false);

	fact(&f.machine, RISCV_CONF_LETTERS, ALL_LETTERS);
	fact(&f.machine, RISCV_CONF_EXT, UINT64_MAX);
	write_tree(&f);
	assert_int_equal(f.ret, 0);
	assert_int_equal(fdt_test_cell(f.blob, "/cpus/cpu@fe", "reg", 0), RISCV_MAX_VCPUS - 1);
	finish(&f);
}

static void every_extension_has_a_name(void **state)
{
	struct machine m = { .vcpus = 1 };
	char text[ISA_TEXT_MAX];

	fact(&m, RISCV_CONF_LETTERS, ALL_LETTERS);
	fact(&m, RISCV_CONF_EXT, UINT64_MAX);
	assert_non_null(strstr(isa_string(&m, text), "rv64imafdqcbvh_sstc_"));
	assert_non_null(strstr(text, "_zawrs"));
	assert_true(strlen(isa_list(&m, text)) < ISA_TEXT_MAX - 1);
}

/* ---- memory ---- */

static void a_kernel_lies_two_mib_into_ram(void **state)
{
	struct arch_vcpu_state cpu;
	struct fixture f = written(256 * MIB, 2, 0, false);

	assert_int_equal(f.loaded.entry, RISCV_RAM_BASE + 2 * MIB);
	assert_int_equal(f.loaded.fdt_gpa % (2 * MIB), 0);
	assert_int_equal(f.loaded.fdt_gpa, RISCV_RAM_BASE + 254 * MIB);
	assert_int_equal(riscv_vcpu_state(f.gm, &f.loaded, &f.machine, 0, &cpu), 0);
	assert_int_equal(cpu.n_regs, 3);
	assert_int_equal(cpu.regs[0].value, f.loaded.entry);
	assert_int_equal(cpu.regs[1].value, 0);
	assert_int_equal(cpu.regs[2].value, f.loaded.fdt_gpa);
	assert_int_equal(riscv_vcpu_state(f.gm, &f.loaded, &f.machine, 1, &cpu), 0);
	assert_int_equal(cpu.n_regs, 0);
	finish(&f);
}

static void the_tree_stays_low_in_large_memory(void **state)
{
	struct fixture f = written(16 * GIB, 1, 0, false);

	assert_int_equal(f.loaded.fdt_gpa, RISCV_RAM_BASE + 2 * GIB - 2 * MIB);
	write_tree(&f);
	assert_int_equal(reg_of(f.blob, "/memory@80000000", 1), 16 * GIB);
	finish(&f);
}

static void firmware_lies_where_kernels_do(void **state)
{
	static const uint8_t image[300] = { 0x6f };
	struct fixture f = { .gm = guest_memory_create() };
	struct payload firmware = { .kind = PAYLOAD_FIRMWARE,
		.kernel = { image, sizeof(image), "u-boot.bin" },
		.cmdline = "" };

	assert_int_equal(riscv_create_memory(f.gm, 64 * MIB, &firmware, &f.err), 0);
	assert_int_equal(riscv_load(f.gm, &firmware, "", &f.loaded, &f.err), 0);
	assert_int_equal(f.loaded.entry, RISCV_RAM_BASE + 2 * MIB);
	assert_memory_equal(
		guest_memory_ptr(f.gm, f.loaded.entry, sizeof(image)), image, sizeof(image));
	finish(&f);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct fixture f = { .gm = guest_memory_create() };

	put_kernel(63 * MIB);
	assert_int_equal(riscv_create_memory(f.gm, 63 * MIB, &payload, &f.err), -EINVAL);
	assert_int_equal(riscv_create_memory(f.gm, 2048 * GIB, &payload, &f.err), -EINVAL);
	assert_int_equal(riscv_create_memory(f.gm, 64 * MIB, &payload, &f.err), 0);
	assert_true(riscv_load(f.gm, &payload, "", &f.loaded, &f.err) < 0);
	assert_non_null(strstr(f.err.text, "vmlinux"));
	finish(&f);
}

static void another_kernel_is_refused(void **state)
{
	struct fixture f = { .gm = guest_memory_create() };

	put_kernel(0x10000);
	memcpy(kernel + 56, "ARM\x64", 4);
	assert_int_equal(riscv_create_memory(f.gm, 64 * MIB, &payload, &f.err), 0);
	assert_int_equal(riscv_load(f.gm, &payload, "", &f.loaded, &f.err), -ENOEXEC);
	assert_non_null(strstr(f.err.text, "not an Image"));
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(harts_are_what_the_hypervisor_says),
		cmocka_unit_test(without_a_hypervisor_they_are_rv64gc),
		cmocka_unit_test(harts_without_an_mmu_have_no_type_of_it),
		cmocka_unit_test(the_plic_leads_to_every_hart),
		cmocka_unit_test(the_advanced_architecture_has_both_parts),
		cmocka_unit_test(the_topology_is_told),
		cmocka_unit_test(the_largest_machine_fits),
		cmocka_unit_test(every_extension_has_a_name),
		cmocka_unit_test(a_kernel_lies_two_mib_into_ram),
		cmocka_unit_test(the_tree_stays_low_in_large_memory),
		cmocka_unit_test(firmware_lies_where_kernels_do),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(another_kernel_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
