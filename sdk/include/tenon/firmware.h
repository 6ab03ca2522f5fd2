/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/firmware.h - how a device appears in the tables that the guest reads: one description,
 * printed as a device tree node or as ACPI.
 */
#ifndef TENON_FIRMWARE_H
#define TENON_FIRMWARE_H

#include <tenon/abi.h>

#define TENON_SVC_FIRMWARE "tenon.firmware/1"

struct tenon_fw_node;

struct tenon_firmware {
	uint32_t struct_size;

	/* A node of the device; valid during describe.  @name as in a device tree: "serial".  NULL
	 * when memory is short.  [main] */
	struct tenon_fw_node *(*node)(struct tenon_fw *fw, const char *name);
	int (*compatible)(
		struct tenon_fw_node *node, const char *text);       /* may be repeated [main] */
	int (*hid)(struct tenon_fw_node *node, const char *acpi_id); /* "PNP0501" [main] */
	int (*region)(struct tenon_fw_node *node, const struct tenon_region *region);  /* [main] */
	int (*irq)(struct tenon_fw_node *node, const struct tenon_irq *irq);           /* [main] */
	int (*prop_u32)(struct tenon_fw_node *node, const char *name, uint32_t value); /* [main] */
	int (*prop_str)(
		struct tenon_fw_node *node, const char *name, const char *value); /* [main] */

	/*
	 * The registers by which the guest switches itself off and resets, for the platform's
	 * tables: ACPI 6.4 section 4.8.3.7 (sleep control and status, hardware-reduced) and 4.8.3.6
	 * (reset). Offsets into @region; writing @reset_value resets.  [main]
	 */
	int (*power_registers)(struct tenon_fw *fw, const struct tenon_region *region,
		uint64_t sleep_control, uint64_t sleep_status, uint64_t reset, uint8_t reset_value);
	/* An edge on @irq means that the power button was pressed.  [main] */
	int (*power_button)(struct tenon_fw *fw, const struct tenon_irq *irq);
};

#endif
