/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's own settings, declared as a device declares its: tenon.conf(5) describes the same.
 */
#ifndef TENON_CORE_CONFIG_TABLES_H
#define TENON_CORE_CONFIG_TABLES_H

#include <tenon/plugin.h>

extern const struct tenon_key config_vm_keys[];
extern const struct tenon_key config_payload_keys[];
extern const struct tenon_key config_device_keys[]; /* the reserved ones, of every device */

/* "vm" or "payload" for a setting that stands in there; NULL if there is no such setting. */
const char *config_section_of(const char *key);

#endif
