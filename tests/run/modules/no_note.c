/* SPDX-License-Identifier: Apache-2.0 */
/* The object without the note. */
#include "tests/run/modules/plain.h"

extern const struct tenon_plugin TENON_PLUGIN_SYMBOL TENON_EXPORT;
const struct tenon_plugin TENON_PLUGIN_SYMBOL = { sizeof(struct tenon_plugin), TENON_ABI_MAJOR,
	TENON_ABI_MINOR, "org.tenon.quiet", "1", "Apache-2.0", plain_init, NULL, plain_classes };
