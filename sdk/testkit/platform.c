/* SPDX-License-Identifier: Apache-2.0 */
/* tenon.power/1 and tenon.firmware/1: both write down what they are told. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "sdk/testkit/kit.h"

/* ---- power ---- */

static void power_off(struct tenon_dev *dev)
{
	kit_role("tenon.power off", ROLE_ANY);
	kit_lock();
	dev->d.offs++;
	kit_unlock();
}

static void power_reset(struct tenon_dev *dev)
{
	kit_role("tenon.power reset", ROLE_ANY);
	kit_lock();
	dev->d.resets++;
	kit_unlock();
}

static int power_button(struct tenon_dev *dev, void (*pressed)(struct tenon_dev *dev))
{
	if (kit_fails("tenon.power button", ROLE_MAIN))
		return -ENOMEM;
	dev->d.pressed = pressed;
	return 0;
}

static void power_mark(struct tenon_dev *dev, uint64_t value)
{
	kit_role("tenon.power mark", ROLE_ANY);
	kit_lock();
	dev->d.marks++;
	dev->d.last_mark = value;
	kit_unlock();
}

const struct tenon_power kit_power = {
	.struct_size = sizeof(struct tenon_power),
	.off = power_off,
	.reset = power_reset,
	.button = power_button,
	.mark = power_mark,
};

unsigned tk_power_offs(struct tk_dev *d)
{
	return d->offs;
}

unsigned tk_power_resets(struct tk_dev *d)
{
	return d->resets;
}

unsigned tk_power_marks(struct tk_dev *d, uint64_t *ret_last)
{
	if (ret_last)
		*ret_last = d->last_mark;
	return d->marks;
}

void tk_press_button(struct tk_dev *d)
{
	struct kit_here before;

	if (!d->pressed)
		kit_fail("%s did not ask for the power button", d->cd->name);
	kit_enter(d, ROLE_LOOP, &before);
	d->pressed(kit_handle(d));
	kit_leave(d, &before);
}

/* ---- firmware ---- */

#define MAX_NODES 16u

struct tenon_fw_node {
	char text[400];
};

struct tenon_fw {
	struct tenon_fw_node nodes[MAX_NODES];
	unsigned n;
};

__attribute__((format(printf, 2, 3))) static int add(
	struct tenon_fw_node *node, const char *format, ...)
{
	size_t n = strlen(node->text);
	va_list args;
	int more;

	va_start(args, format);
	more = vsnprintf(node->text + n, sizeof(node->text) - n, format, args);
	va_end(args);
	return more >= 0 && (size_t)more < sizeof(node->text) - n ? 0 : -ENOSPC;
}

static struct tenon_fw_node *add_node(struct tenon_fw *fw, const char *name)
{
	struct tenon_fw_node *node = fw->n < MAX_NODES ? &fw->nodes[fw->n] : NULL;

	if (!node || add(node, "%s:", name) < 0)
		return NULL;
	fw->n++;
	return node;
}

static struct tenon_fw_node *fw_node(struct tenon_fw *fw, const char *name)
{
	return kit_fails("tenon.firmware node", ROLE_MAIN) ? NULL : add_node(fw, name);
}

static int fw_compatible(struct tenon_fw_node *node, const char *text)
{
	return kit_fails("tenon.firmware compatible", ROLE_MAIN)
		       ? -ENOSPC
		       : add(node, " compatible=%s", text);
}

static int fw_hid(struct tenon_fw_node *node, const char *acpi_id)
{
	return kit_fails("tenon.firmware hid", ROLE_MAIN) ? -ENOSPC : add(node, " hid=%s", acpi_id);
}

static const char *space_of(const struct tenon_region *r)
{
	return r->desc.space == TENON_SPACE_PIO ? "pio" : "mmio";
}

static int fw_region(struct tenon_fw_node *node, const struct tenon_region *region)
{
	if (kit_fails("tenon.firmware region", ROLE_MAIN))
		return -ENOSPC;
	if (region->address == TENON_ADDR_ANY)
		return -EINVAL;
	return add(node, " %s=0x%" PRIx64 "+%" PRIu64, space_of(region), region->address,
		region->desc.size);
}

static int fw_irq(struct tenon_fw_node *node, const struct tenon_irq *irq)
{
	if (kit_fails("tenon.firmware irq", ROLE_MAIN))
		return -ENOSPC;
	return add(node, " irq=%u", irq->number);
}

static int fw_prop_u32(struct tenon_fw_node *node, const char *name, uint32_t value)
{
	return kit_fails("tenon.firmware prop_u32", ROLE_MAIN) ? -ENOSPC
							       : add(node, " %s=%u", name, value);
}

static int fw_prop_str(struct tenon_fw_node *node, const char *name, const char *value)
{
	return kit_fails("tenon.firmware prop_str", ROLE_MAIN)
		       ? -ENOSPC
		       : add(node, " %s=\"%s\"", name, value);
}

static int fw_power_registers(struct tenon_fw *fw, const struct tenon_region *region,
	uint64_t sleep_control, uint64_t sleep_status, uint64_t reset, uint8_t reset_value)
{
	struct tenon_fw_node *node;

	if (kit_fails("tenon.firmware power_registers", ROLE_MAIN))
		return -ENOSPC;
	if (region->address == TENON_ADDR_ANY)
		return -EINVAL;
	if (sleep_control >= region->desc.size || sleep_status >= region->desc.size ||
		reset >= region->desc.size)
		return -ERANGE;
	node = add_node(fw, "power-registers");
	if (!node)
		return -ENOSPC;
	return add(node,
		" %s=0x%" PRIx64 " sleep-control=%" PRIu64 " sleep-status=%" PRIu64
		" reset=%" PRIu64 " reset-value=%u",
		space_of(region), region->address, sleep_control, sleep_status, reset, reset_value);
}

static int fw_power_button(struct tenon_fw *fw, const struct tenon_irq *irq)
{
	struct tenon_fw_node *node;

	if (kit_fails("tenon.firmware power_button", ROLE_MAIN))
		return -ENOSPC;
	node = add_node(fw, "power-button");
	return node ? add(node, " irq=%u", irq->number) : -ENOSPC;
}

const struct tenon_firmware kit_firmware = {
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

const char *tk_describe(struct tk_dev *d)
{
	static char text[MAX_NODES * sizeof(struct tenon_fw_node) + 1];
	struct tenon_fw *fw;
	struct kit_here before;
	size_t n = 0;
	int ret = 0;

	if (d->state < KIT_ATTACHED || d->state > KIT_QUIESCED)
		kit_fail("the test describes %s, which is not attached", d->cd->name);
	fw = kit_alloc(sizeof(*fw));
	kit.error[0] = '\0';
	if (TENON_HAS(d->cls, describe)) {
		kit_enter(d, ROLE_MAIN, &before);
		d->failing = true;
		ret = d->cls->describe(kit_handle(d), fw);
		d->failing = false;
		kit_leave(d, &before);
	}
	if (ret < 0 && !kit.error[0])
		kit_set_error("%s: cannot describe it: %s", d->cd->name, strerror(-ret));
	text[0] = '\0';
	for (unsigned i = 0; i < fw->n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", fw->nodes[i].text);
	free(fw);
	return ret < 0 ? NULL : text;
}
