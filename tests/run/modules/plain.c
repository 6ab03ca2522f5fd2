/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin with nothing wrong. */
#include "tests/run/modules/plain.h"

TENON_PLUGIN("org.tenon.plain", "1", "Apache-2.0", plain_init, plain_classes, "plain");
