/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One device under \_SB for each described node and each vCPU, the power button with the event
 * device that reports it, and \_S5.
 */
#include "arch/x86_64/dsdt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/bytes.h"
#include "arch/x86_64/aml.h"
#include "core/error.h"
#include "core/machine.h"

#define STA_PRESENT 0x0fu /* present, enabled, shown, working */
#define PRESSED     0x80u
#define BUTTON      "\\_SB.PWRB"

/* daffd814-6eba-4d8c-8a91-bc9bbf4aa301: device properties */
static const uint8_t properties_uuid[16] = { 0x14, 0xd8, 0xff, 0xda, 0xba, 0x6e, 0x8c, 0x4d, 0x8a,
	0x91, 0xbc, 0x9b, 0xbf, 0x4a, 0xa3, 0x01 };

static void identity(struct bytes *b, const char *hid, uint32_t uid)
{
	aml_name(b, "_HID");
	aml_id(b, hid);
	aml_name(b, "_UID");
	aml_int(b, uid);
	aml_name(b, "_STA");
	aml_int(b, STA_PRESENT);
}

static void resources(struct bytes *b, const struct machine_node *node)
{
	size_t at;

	if (node->n_windows == 0 && node->n_irqs == 0)
		return;
	aml_name(b, "_CRS");
	at = aml_resources(b);
	for (size_t i = 0; i < node->n_windows; i++) {
		const struct machine_window *w = &node->windows[i];

		if (w->pio)
			aml_io(b, w->address, w->size);
		else
			aml_memory(b, w->address, w->size);
	}
	for (size_t i = 0; i < node->n_irqs; i++)
		aml_interrupt(b, node->irqs[i], node->irq_level[i], node->irq_shared[i]);
	aml_resources_close(b, at);
}

/* _DSD: a UUID, then a package of pairs. */
static void properties(struct bytes *b, const struct machine_node *node)
{
	size_t whole, list, pair;

	if (node->n_props == 0)
		return;
	aml_name(b, "_DSD");
	whole = aml_package(b, 2);
	aml_buffer(b, properties_uuid, sizeof(properties_uuid));
	list = aml_package(b, (uint8_t)node->n_props);
	for (size_t i = 0; i < node->n_props; i++) {
		pair = aml_package(b, 2);
		aml_string(b, node->props[i].name);
		if (node->props[i].is_text)
			aml_string(b, node->props[i].text);
		else
			aml_int(b, node->props[i].number);
		aml_close(b, pair);
	}
	aml_close(b, list);
	aml_close(b, whole);
}

/* How many nodes before this one have its hardware ID. */
static uint32_t uid_of(const struct machine *machine, size_t index)
{
	uint32_t uid = 0;

	for (size_t i = 0; i < index; i++)
		uid += strcmp(machine->nodes[i].hid, machine->nodes[index].hid) == 0;
	return uid;
}

static int node_device(
	struct bytes *b, const struct machine *machine, size_t index, struct error *err)
{
	const struct machine_node *node = &machine->nodes[index];
	char name[8];
	size_t at;

	(void)snprintf(name, sizeof(name), "%c%03X", node->is_virtio ? 'V' : 'D',
		(unsigned)(index & 0xfff));
	at = aml_device(b, name);
	identity(b, node->hid, uid_of(machine, index));
	resources(b, node);
	properties(b, node);
	aml_close(b, at);
	if (b->error == -EINVAL)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"device %zu (%s, %s) cannot be described in ACPI: its windows, name or "
			"properties do not fit",
			index, node->name, node->hid);
	return b->error;
}

static void power_button(struct bytes *b, const struct machine *machine)
{
	size_t device, inner, test;

	if (!machine->power.has_button)
		return;
	device = aml_device(b, "PWRB");
	identity(b, "PNP0C0C", 0);
	aml_close(b, device);

	device = aml_device(b, "GED");
	identity(b, "ACPI0013", 0);
	aml_name(b, "_CRS");
	inner = aml_resources(b);
	aml_interrupt(b, machine->power.button_irq, false, false);
	aml_resources_close(b, inner);
	inner = aml_method(b, "_EVT", 1, true);
	test = aml_if_arg0_is(b, machine->power.button_irq);
	aml_notify(b, BUTTON, PRESSED);
	aml_close(b, test);
	aml_close(b, inner);
	aml_close(b, device);
}

static void processors(struct bytes *b, uint32_t vcpus)
{
	for (uint32_t i = 0; i < vcpus; i++) {
		char name[8];
		size_t at;

		(void)snprintf(name, sizeof(name), "C%03X", (unsigned)(i & 0xfff));
		at = aml_device(b, name);
		identity(b, "ACPI0007", i);
		aml_close(b, at);
	}
}

static void switched_off(struct bytes *b)
{
	size_t at;

	aml_name(b, "\\_S5");
	at = aml_package(b, 4);
	aml_int(b, DSDT_S5);
	aml_int(b, DSDT_S5);
	aml_int(b, 0);
	aml_int(b, 0);
	aml_close(b, at);
}

int dsdt_append(struct bytes *b, const struct machine *machine, struct error *err)
{
	size_t scope;
	int ret;

	if (machine->n_nodes > DSDT_MAX_NODES || machine->vcpus > DSDT_MAX_VCPUS)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"%zu devices and %u vCPUs are more than ACPI tables of ours name (%u and "
			"%u)",
			machine->n_nodes, machine->vcpus, DSDT_MAX_NODES, DSDT_MAX_VCPUS);
	scope = aml_scope(b, "\\_SB");
	processors(b, machine->vcpus);
	for (size_t i = 0; i < machine->n_nodes; i++) {
		if (!machine->nodes[i].hid[0])
			continue;
		ret = node_device(b, machine, i, err);
		if (ret < 0)
			return ret;
	}
	power_button(b, machine);
	aml_close(b, scope);
	if (machine->power.has_registers)
		switched_off(b);
	return b->error;
}
