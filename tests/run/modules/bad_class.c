/* SPDX-License-Identifier: Apache-2.0 */
/* The name of its class is none. */
#include "tests/run/modules/plain.h"

static const struct tenon_device_class class = { .struct_size = sizeof(class), .name = "Bad Name" };
static const struct tenon_device_class *const classes[] = { &class, NULL };

TENON_PLUGIN("org.tenon.bad-class", "1", "Apache-2.0", plain_init, classes, "plain");
