/* SPDX-License-Identifier: Apache-2.0 */
/* What all device trees have in common, read back through libfdt and judged by dtc. */
#include "arch/fdt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/dt.h"
#include "arch/fdt_test_machine.h"
#include "core/error.h"

#define MIB  (1ull << 20)
#define RAM  (1ull << 30)
#define ROOM (2 * MIB)
#define MMIO 0x10000000u

static void interrupt(uint32_t number, bool level, uint32_t *ret_cells)
{
	ret_cells[0] = number;
	ret_cells[1] = level ? 4 : 1;
}

static void nodes(struct dt *dt, const struct machine *machine)
{
	dt_begin_at(dt, "intc", 0x8000000);
	dt_text(dt, "compatible", "test,intc");
	dt_empty(dt, "interrupt-controller");
	dt_u32(dt, "#interrupt-cells", 2);
	dt_u32(dt, "#address-cells", 0);
	dt_u64s(dt, "reg", (const uint64_t[]){ 0x8000000, 0x10000 }, 2);
	dt_u32(dt, "phandle", FDT_PHANDLE_INTC);
	dt_end(dt);
}

static const struct fdt_platform platform = {
	.compatible = "test,machine",
	.interrupt_cells = 2,
	.interrupt = interrupt,
	.nodes = nodes,
};

struct fixture {
	struct guest_memory *gm;
	struct machine machine;
	struct loaded loaded;
	const void *blob;
};

static struct fixture written(size_t n_virtio, const char *cmdline)
{
	struct fixture f = { .gm = guest_memory_create(),
		.machine = fdt_test_machine(2, n_virtio, MMIO, 1) };
	struct error err = { .text = "" };
	size_t n = strlen(cmdline) + 1;

	assert_int_equal(guest_memory_add(f.gm, RAM, 64 * MIB, GUEST_RAM, false, &err), 0);
	assert_int_equal(guest_memory_add(f.gm, 8 * RAM, 16 * MIB, GUEST_RAM, false, &err), 0);
	f.loaded = (struct loaded){ .cmdline_gpa = RAM + 32 * MIB,
		.cmdline_size = (uint32_t)n,
		.initrd_gpa = RAM + 48 * MIB,
		.initrd_size = 0x12345 };
	memcpy(guest_memory_ptr(f.gm, f.loaded.cmdline_gpa, n), cmdline, n);
	assert_int_equal(fdt_write(f.gm, RAM, ROOM, &f.loaded, &f.machine, &platform, &err), 0);
	f.blob = guest_memory_ptr(f.gm, RAM, ROOM);
	assert_int_equal(fdt_check_header(f.blob), 0);
	return f;
}

static void finish(struct fixture *f)
{
	free(f->machine.nodes);
	guest_memory_destroy(f->gm);
}

static void dtc_has_nothing_to_say(void **state)
{
	struct fixture f = written(3, "console=hvc0");
	const char *said = fdt_dtc_says(f.blob);

	if (strcmp(said, "no dtc") != 0)
		assert_string_equal(said, "");
	finish(&f);
}

static void memory_is_told(void **state)
{
	struct fixture f = written(0, "");

	assert_string_equal(fdt_test_text(f.blob, "/memory@40000000", "device_type"), "memory");
	assert_int_equal(fdt_test_cell(f.blob, "/memory@40000000", "reg", 1), RAM);
	assert_int_equal(fdt_test_cell(f.blob, "/memory@40000000", "reg", 3), 64 * MIB);
	assert_int_equal(fdt_test_cell(f.blob, "/memory@200000000", "reg", 0), 2);
	assert_int_equal(fdt_test_cell(f.blob, "/memory@200000000", "reg", 3), 16 * MIB);
	finish(&f);
}

static void chosen_is_complete(void **state)
{
	struct fixture f = written(0, "console=hvc0 quiet");

	assert_string_equal(fdt_test_text(f.blob, "/chosen", "bootargs"), "console=hvc0 quiet");
	assert_string_equal(fdt_test_text(f.blob, "/chosen", "stdout-path"), "/serial@10000000");
	assert_int_equal(fdt_test_cell(f.blob, "/chosen", "linux,initrd-start", 1), RAM + 48 * MIB);
	assert_int_equal(
		fdt_test_cell(f.blob, "/chosen", "linux,initrd-end", 1), RAM + 48 * MIB + 0x12345);
	assert_true(fdt_path_offset(f.blob, "/chosen") > 0);
	finish(&f);
}

/* Not even the first words of two are alike, but once in 2^64. */
static void seeds_are_new_every_time(void **state)
{
	struct fixture one = written(0, ""), two = written(0, "");
	static const char *const names[] = { "rng-seed", "kaslr-seed" };

	for (size_t i = 0; i < 2; i++) {
		int len_one, len_two;
		const void *a = fdt_getprop(
			one.blob, fdt_path_offset(one.blob, "/chosen"), names[i], &len_one);
		const void *b = fdt_getprop(
			two.blob, fdt_path_offset(two.blob, "/chosen"), names[i], &len_two);

		assert_int_equal(len_one, i == 0 ? 32 : 8);
		assert_int_equal(len_one, len_two);
		assert_memory_not_equal(a, b, 8);
	}
	finish(&one);
	finish(&two);
}

static void devices_have_windows_and_interrupts(void **state)
{
	struct fixture f = written(40, "");

	assert_int_equal(fdt_test_cell(f.blob, "/serial@10000000", "clock-frequency", 0), 1843200);
	assert_int_equal(fdt_test_cell(f.blob, "/serial@10000000", "interrupts", 0), 1);
	for (unsigned i = 0; i < 40; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/virtio_mmio@%x", MMIO + 0x1000 * (i + 1));
		assert_string_equal(fdt_test_text(f.blob, path, "compatible"), "virtio,mmio");
		assert_int_equal(fdt_test_cell(f.blob, path, "reg", 3), 0x1000);
		assert_int_equal(fdt_test_cell(f.blob, path, "interrupts", 0), i + 2);
		assert_int_equal(fdt_test_cell(f.blob, path, "interrupts", 1), 1);
		assert_non_null(
			fdt_getprop(f.blob, fdt_path_offset(f.blob, path), "dma-coherent", NULL));
	}
	finish(&f);
}

static void what_has_ports_or_no_driver_is_left_out(void **state)
{
	struct fixture f = written(2, "");
	struct error err = { .text = "" };

	f.machine.nodes[1].windows[0].pio = true;
	f.machine.nodes[2].compatible[0] = '\0';
	guest_memory_forget_claims(f.gm);
	assert_int_equal(fdt_write(f.gm, RAM, ROOM, &f.loaded, &f.machine, &platform, &err), 0);
	assert_true(fdt_path_offset(f.blob, "/serial@10000000") > 0);
	assert_true(fdt_path_offset(f.blob, "/virtio_mmio@10001000") < 0);
	assert_true(fdt_path_offset(f.blob, "/virtio_mmio@10002000") < 0);
	finish(&f);
}

static void primecells_have_their_clock(void **state)
{
	struct fixture f = written(1, "");
	struct error err = { .text = "" };

	(void)snprintf(f.machine.nodes[1].compatible, sizeof(f.machine.nodes[1].compatible),
		"arm,pl031;arm,primecell");
	guest_memory_forget_claims(f.gm);
	assert_int_equal(fdt_write(f.gm, RAM, ROOM, &f.loaded, &f.machine, &platform, &err), 0);
	assert_int_equal(fdt_test_cell(f.blob, "/virtio_mmio@10001000", "clocks", 0),
		fdt_test_cell(f.blob, "/apb-pclk", "phandle", 0));
	finish(&f);
}

static void the_power_button_is_a_key(void **state)
{
	struct fixture f = written(1, "");
	struct error err = { .text = "" };
	const char *said;

	assert_true(fdt_path_offset(f.blob, "/gpio-keys") < 0);
	f.machine.power.has_button = true;
	f.machine.power.button_irq = 9;
	guest_memory_forget_claims(f.gm);
	assert_int_equal(fdt_write(f.gm, RAM, ROOM, &f.loaded, &f.machine, &platform, &err), 0);
	assert_string_equal(fdt_test_text(f.blob, "/gpio-keys", "compatible"), "gpio-keys");
	assert_string_equal(fdt_test_text(f.blob, "/gpio-keys", "label"), "Power Button");
	assert_int_equal(fdt_test_cell(f.blob, "/gpio-keys/power", "linux,code", 0), 116);
	assert_int_equal(fdt_test_cell(f.blob, "/gpio-keys/power", "interrupts", 0), 9);
	assert_int_equal(fdt_test_cell(f.blob, "/gpio-keys/power", "interrupts", 1), 1);
	said = fdt_dtc_says(f.blob);
	if (strcmp(said, "no dtc") != 0)
		assert_string_equal(said, "");
	finish(&f);
}

static void no_room_is_a_sentence(void **state)
{
	struct fixture f = written(2, "");
	struct error err = { .text = "" };

	guest_memory_forget_claims(f.gm);
	assert_int_equal(fdt_write(f.gm, RAM, 512, &f.loaded, &f.machine, &platform, &err), -E2BIG);
	assert_non_null(strstr(err.text, "at most 512 fit"));
	assert_int_equal(guest_memory_claim(f.gm, RAM + 64, 64, "a hole", &err), 0);
	err.text[0] = 0;
	assert_true(fdt_write(f.gm, RAM, ROOM, &f.loaded, &f.machine, &platform, &err) < 0);
	assert_non_null(strstr(err.text, "the device tree"));
	assert_non_null(strstr(err.text, "a hole"));
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dtc_has_nothing_to_say),
		cmocka_unit_test(memory_is_told),
		cmocka_unit_test(chosen_is_complete),
		cmocka_unit_test(seeds_are_new_every_time),
		cmocka_unit_test(devices_have_windows_and_interrupts),
		cmocka_unit_test(what_has_ports_or_no_driver_is_left_out),
		cmocka_unit_test(primecells_have_their_clock),
		cmocka_unit_test(the_power_button_is_a_key),
		cmocka_unit_test(no_room_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
