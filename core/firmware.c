/* SPDX-License-Identifier: Apache-2.0 */
/* tenon.firmware/1: devices write themselves into the machine's registry. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/grow.h"
#include "core/services.h"

static struct machine_node *node_of(const struct tenon_fw_node *handle)
{
	return &handle->machine->nodes[handle->index];
}

static struct machine_node *add_node(struct machine *m, const char *name)
{
	struct machine_node *more = grow_array(m->nodes, m->n_nodes + 1, sizeof(*more)), *node;

	if (!more)
		return NULL;
	m->nodes = more;
	node = &more[m->n_nodes++];
	memset(node, 0, sizeof(*node));
	(void)snprintf(node->name, sizeof(node->name), "%s", name);
	return node;
}

static struct tenon_fw_node *fw_node(struct tenon_fw *fw, const char *name)
{
	struct tenon_fw_node *handle;

	if (fw->n_handles == FIRMWARE_MAX_HANDLES || !add_node(fw->machine, name))
		return NULL;
	handle = &fw->handles[fw->n_handles++];
	*handle = (struct tenon_fw_node){ fw->machine, fw->machine->n_nodes - 1 };
	return handle;
}

/* Text into a field of fixed size; -ENAMETOOLONG. */
static int put_text(char *field, size_t room, const char *text)
{
	size_t n = strlen(text);

	if (n >= room)
		return -ENAMETOOLONG;
	memcpy(field, text, n + 1);
	return 0;
}

static int fw_compatible(struct tenon_fw_node *node, const char *text)
{
	struct machine_node *n = node_of(node);
	size_t used = strlen(n->compatible);
	int ret;

	if (used == 0)
		return put_text(n->compatible, sizeof(n->compatible), text);
	if (used + 1 == sizeof(n->compatible))
		return -ENAMETOOLONG;
	ret = put_text(n->compatible + used + 1, sizeof(n->compatible) - used - 1, text);
	if (ret == 0)
		n->compatible[used] = ';';
	return ret;
}

static int fw_hid(struct tenon_fw_node *node, const char *acpi_id)
{
	struct machine_node *n = node_of(node);

	return put_text(n->hid, sizeof(n->hid), acpi_id);
}

static int add_window(struct machine_node *n, uint64_t address, uint64_t size, bool pio)
{
	if (n->n_windows == MACHINE_MAX_WINDOWS)
		return -ENOSPC;
	n->windows[n->n_windows++] = (struct machine_window){ address, size, pio };
	return 0;
}

static int fw_region(struct tenon_fw_node *node, const struct tenon_region *region)
{
	struct region_info info;

	region_describe(region, &info);
	if (info.address == TENON_ADDR_ANY)
		return -EINVAL;
	return add_window(node_of(node), info.address, info.size, info.pio);
}

static int add_irq(struct machine_node *n, const struct tenon_irq *irq)
{
	if (n->n_irqs == sizeof(n->irqs) / sizeof(n->irqs[0]))
		return -ENOSPC;
	n->irqs[n->n_irqs] = irq_number(irq);
	n->irq_level[n->n_irqs] = irq_is_level(irq);
	n->irq_shared[n->n_irqs] = irq_is_shared(irq);
	n->n_irqs++;
	return 0;
}

static int fw_irq(struct tenon_fw_node *node, const struct tenon_irq *irq)
{
	return add_irq(node_of(node), irq);
}

static struct machine_prop *add_prop(struct machine_node *n, const char *name)
{
	struct machine_prop *p = &n->props[n->n_props];

	if (n->n_props == MACHINE_MAX_PROPS || put_text(p->name, sizeof(p->name), name) < 0)
		return NULL;
	n->n_props++;
	return p;
}

static int fw_prop_u32(struct tenon_fw_node *node, const char *name, uint32_t value)
{
	struct machine_prop *p = add_prop(node_of(node), name);

	if (!p)
		return -ENOSPC;
	p->number = value;
	return 0;
}

static int fw_prop_str(struct tenon_fw_node *node, const char *name, const char *value)
{
	struct machine_prop *p = add_prop(node_of(node), name);

	if (!p)
		return -ENOSPC;
	p->is_text = true;
	return put_text(p->text, sizeof(p->text), value);
}

static int fw_power_registers(struct tenon_fw *fw, const struct tenon_region *region,
	uint64_t sleep_control, uint64_t sleep_status, uint64_t reset, uint8_t reset_value)
{
	struct machine_power *p = &fw->machine->power;
	struct region_info info;

	region_describe(region, &info);
	if (p->has_registers || info.address == TENON_ADDR_ANY)
		return -EINVAL;
	if (sleep_control >= info.size || sleep_status >= info.size || reset >= info.size)
		return -ERANGE;
	p->has_registers = true;
	p->pio = info.pio;
	p->sleep_control = info.address + sleep_control;
	p->sleep_status = info.address + sleep_status;
	p->reset = info.address + reset;
	p->reset_value = reset_value;
	return 0;
}

static int fw_power_button(struct tenon_fw *fw, const struct tenon_irq *irq)
{
	if (fw->machine->power.has_button)
		return -EINVAL;
	fw->machine->power.has_button = true;
	fw->machine->power.button_irq = irq_number(irq);
	return 0;
}

int firmware_add_virtio(
	struct tenon_fw *fw, uint64_t address, uint64_t size, const struct tenon_irq *irq)
{
	struct machine_node *n = add_node(fw->machine, "virtio_mmio");
	int ret;

	if (!n)
		return -ENOMEM;
	n->is_virtio = true;
	(void)put_text(n->compatible, sizeof(n->compatible), "virtio,mmio");
	(void)put_text(n->hid, sizeof(n->hid), "LNRO0005");
	ret = add_window(n, address, size, false);
	return ret < 0 ? ret : add_irq(n, irq);
}

const struct tenon_firmware service_firmware = {
	.struct_size = sizeof(struct tenon_firmware),
	.node = fw_node,
	.compatible = fw_compatible,
	.hid = fw_hid,
	.region = fw_region,
	.irq = fw_irq,
	.prop_u32 = fw_prop_u32,
	.prop_str = fw_prop_str,
	.power_registers = fw_power_registers,
	.power_button = fw_power_button,
};
