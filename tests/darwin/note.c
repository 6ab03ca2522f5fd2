/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that has a note, and nothing else. */
#include <tenon/plugin.h>

static int init(const struct tenon_host *host)
{
	return host ? 0 : -1;
}

static const struct tenon_device_class *const classes[] = { NULL };
TENON_PLUGIN("org.example.note", "1.2", "Apache-2.0", init, classes, "one two");
