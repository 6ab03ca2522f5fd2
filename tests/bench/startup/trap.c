/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that ends the process which runs anything of it.  A list of the plugins that are
 * installed is read from their notes, so it must list this one.
 */
#include <tenon/tenon.h>
#include <unistd.h>

#define TRAPPED 99

static void __attribute__((constructor)) spring(void)
{
	_exit(TRAPPED);
}

static const struct tenon_device_class *const classes[] = { NULL };

TENON_PLUGIN("bench-trap", "1.0", "Apache-2.0", NULL, classes, "trap");
