/* SPDX-License-Identifier: Apache-2.0 */
/* A machine to write tables for, shared by the tests of this folder. */
#ifndef TENON_ARCH_X86_64_TEST_MACHINE_H
#define TENON_ARCH_X86_64_TEST_MACHINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/guest_memory.h"
#include "core/machine.h"
#include "core/payload.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* Low RAM of @low bytes and, unless 0, high RAM of @high bytes. */
static inline struct guest_memory *test_memory(uint64_t low, uint64_t high)
{
	struct guest_memory *gm = guest_memory_create();

	if (!gm || guest_memory_add(gm, 0, low, GUEST_RAM, false, NULL) < 0 ||
		(high > 0 && guest_memory_add(gm, 4 * GIB, high, GUEST_RAM, false, NULL) < 0))
		abort();
	return gm;
}

static inline struct machine_node *test_node(
	struct machine *machine, const char *name, const char *hid)
{
	struct machine_node *node = &machine->nodes[machine->n_nodes++];

	(void)snprintf(node->name, sizeof(node->name), "%s", name);
	(void)snprintf(node->hid, sizeof(node->hid), "%s", hid);
	return node;
}

/* A serial port, @n_virtio virtio devices from 0xd0000000 on lines 5..22, a power device. */
static inline struct machine test_machine(uint32_t vcpus, size_t n_virtio)
{
	struct machine machine = { .vcpus = vcpus, .vm_name = "demo", .acpi = true };
	struct machine_node *node;

	machine.nodes = calloc(n_virtio + 4, sizeof(*machine.nodes));
	if (!machine.nodes)
		abort();
	node = test_node(&machine, "serial", "PNP0501");
	node->windows[0] = (struct machine_window){ 0x3f8, 8, true };
	node->n_windows = 1;
	node->irqs[0] = 4;
	node->n_irqs = 1;
	for (size_t i = 0; i < n_virtio; i++) {
		node = test_node(&machine, "virtio_mmio", "LNRO0005");
		node->windows[0] =
			(struct machine_window){ 0xd0000000u + 0x1000 * i, 0x1000, false };
		node->n_windows = 1;
		node->irqs[0] = 5 + (uint32_t)(i % 18);
		node->irq_shared[0] = n_virtio > 18;
		node->n_irqs = 1;
		node->is_virtio = true;
	}
	machine.power = (struct machine_power){
		.has_registers = true,
		.pio = true,
		.sleep_control = 0x600,
		.sleep_status = 0x601,
		.reset = 0x602,
		.reset_value = 1,
		.has_button = true,
		.button_irq = 23,
	};
	return machine;
}

static inline struct loaded test_loaded(enum boot_protocol protocol)
{
	return (struct loaded){
		.protocol = protocol,
		.entry = 0x1000200,
		.kernel_gpa = 0x1000000,
		.kernel_size = 16 * MIB,
		.initrd_gpa = 0x3000000,
		.initrd_size = 0x12345,
		.cmdline_gpa = 0x20000,
		.cmdline_size = 100,
	};
}

#endif
