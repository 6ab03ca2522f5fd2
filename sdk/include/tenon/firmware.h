/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/firmware.h - how a device appears in the tables that the guest reads: one description,
 * printed as a device tree node (Devicetree Specification 0.4) or as ACPI (6.4).
 *
 * All of it is for the class's describe(), on [main]; handles and nodes are valid during that call.
 * Texts are copied.  Virtio devices are described by the core.  Texts that are too long are refused
 * with -ENAMETOOLONG, one thing too many with -ENOSPC.
 */
#ifndef TENON_FIRMWARE_H
#define TENON_FIRMWARE_H

#include <tenon/abi.h>

#define TENON_SVC_FIRMWARE "tenon.firmware/1"

struct tenon_fw_node; /* one node being written */

struct tenon_firmware {
	uint32_t struct_size;

	/*
	 * Begins a node of the device.  @name as in a device tree, without an address: "serial".
	 * NULL when memory is short or the device has too many.  [main]
	 */
	struct tenon_fw_node *(*node)(struct tenon_fw *fw, const char *name);
	/*
	 * What a driver matches in a device tree, such as "ns16550a" (Devicetree 2.3.1); may be
	 * repeated, the most specific first.  [main]
	 */
	int (*compatible)(struct tenon_fw_node *node, const char *text);
	/* What a driver matches in ACPI, such as "PNP0501" (ACPI 6.1.5).  [main] */
	int (*hid)(struct tenon_fw_node *node, const char *acpi_id);
	/*
	 * A window of the device: `reg`, or _CRS (ACPI 6.2.2).  -EINVAL for one that is not mapped.
	 * [main]
	 */
	int (*region)(struct tenon_fw_node *node, const struct tenon_region *region);
	/* An interrupt of the device, with its trigger: `interrupts`, or _CRS.  [main] */
	int (*irq)(struct tenon_fw_node *node, const struct tenon_irq *irq);
	/* A property of one 32-bit number; in ACPI part of _DSD (ACPI 6.2.5).  [main] */
	int (*prop_u32)(struct tenon_fw_node *node, const char *name, uint32_t value);
	/* A property of text, likewise.  [main] */
	int (*prop_str)(struct tenon_fw_node *node, const char *name, const char *value);

	/*
	 * The registers by which the guest switches itself off and resets, for the platform's
	 * tables: ACPI 6.4 section 4.8.3.7 (sleep control and status, hardware-reduced) and 4.8.3.6
	 * (reset).  Offsets into @region; writing @reset_value resets.  -EINVAL when the window is
	 * not mapped or a device has said it already, -ERANGE for an offset outside it.  [main]
	 */
	int (*power_registers)(struct tenon_fw *fw, const struct tenon_region *region,
		uint64_t sleep_control, uint64_t sleep_status, uint64_t reset, uint8_t reset_value);
	/*
	 * An edge on @irq means that the power button was pressed.  -EINVAL when a device has said
	 * it already.  [main]
	 */
	int (*power_button)(struct tenon_fw *fw, const struct tenon_irq *irq);
};

#endif
