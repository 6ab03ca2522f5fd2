/* SPDX-License-Identifier: Apache-2.0 */
/* Declares a setting that belongs to the core. */
#include "tests/run/modules/plain.h"

static const struct tenon_key keys[] = {
	{ "address", TENON_KEY_ADDR, 0, NULL, NULL, "mine" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};
static const struct tenon_device_class class = {
	.struct_size = sizeof(class), .name = "plain", .keys = keys
};
static const struct tenon_device_class *const classes[] = { &class, NULL };

TENON_PLUGIN("org.tenon.bad-keys", "1", "Apache-2.0", plain_init, classes, "plain");
