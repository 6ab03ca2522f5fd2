/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was attached: the one registry that firmware tables, `tenon check` and the command line are
 * written from.  Filled while devices attach, read-only afterwards.
 */
#ifndef TENON_CORE_MACHINE_H
#define TENON_CORE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/backend.h"

#define MACHINE_MAX_WINDOWS 4
#define MACHINE_MAX_PROPS   16
#define MACHINE_MAX_NAME    64
#define MACHINE_MAX_OEM     16
#define MACHINE_MAX_FACTS   32

struct machine_window {
	uint64_t address, size;
	bool pio;
};

struct machine_prop {
	char name[32];
	bool is_text;
	uint32_t number;
	char text[64];
};

/* One node in the firmware tables. */
struct machine_node {
	char name[MACHINE_MAX_NAME];           /* "virtio_mmio", "serial" */
	char compatible[2 * MACHINE_MAX_NAME]; /* with ';' between; "" = not in a device tree */
	char hid[16];                          /* "" = not in ACPI */
	struct machine_window windows[MACHINE_MAX_WINDOWS];
	size_t n_windows;
	uint32_t irqs[2];
	bool irq_level[2], irq_shared[2];
	size_t n_irqs;
	bool is_virtio;
	struct machine_prop props[MACHINE_MAX_PROPS];
	size_t n_props;
};

/* Register addresses of the platform's power device; see tenon/firmware.h. */
struct machine_power {
	bool has_registers, pio;
	uint64_t sleep_control, sleep_status, reset;
	uint8_t reset_value;
	bool has_button;
	uint32_t button_irq;
};

struct machine {
	struct machine_node *nodes; /* owned */
	size_t n_nodes;
	struct machine_power power;
	uint32_t vcpus;
	uint32_t threads_per_core, cores_per_socket; /* topology; sockets follow */
	const char *vm_name;
	const char
		*oem_strings[MACHINE_MAX_OEM]; /* SMBIOS type 11; borrowed from the configuration */
	size_t n_oem_strings;
	bool acpi;          /* false: the command line lists the devices */
	bool deterministic; /* nothing may differ from start to start */
	bool irqchip;       /* the backend has the interrupt controller, and not the architecture */
	/* What the first vCPU is, by the architecture's list of facts. */
	struct backend_reg facts[MACHINE_MAX_FACTS];
	size_t n_facts;
};

static inline uint64_t machine_fact(const struct machine *machine, uint32_t id, uint64_t otherwise)
{
	for (size_t i = 0; i < machine->n_facts; i++)
		if (machine->facts[i].id == id)
			return machine->facts[i].value;
	return otherwise;
}

#endif
