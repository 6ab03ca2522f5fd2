/* SPDX-License-Identifier: Apache-2.0 */
/* Built with the headers of another version. */
#include "tests/run/modules/plain.h"

#undef TENON_ABI_MINOR
#define TENON_ABI_MINOR 0

TENON_PLUGIN("org.tenon.old", "1", "Apache-2.0", plain_init, plain_classes, "old-abi");
