/* SPDX-License-Identifier: Apache-2.0 */
/* A device that does nothing but need a library. */
#include <tenon/plugin.h>

int heavy_lifting(void);

static int standin_attach(struct tenon_dev *dev)
{
	(void)dev;
	return heavy_lifting();
}

static const struct tenon_device_class standin_class = {
	.struct_size = sizeof(standin_class),
	.threads = TENON_SERIAL,
	.name = TYPE,
	.summary = "stands in for a heavy module",
	.attach = standin_attach,
};

static const struct tenon_device_class *const classes[] = { &standin_class, NULL };

TENON_PLUGIN("org.example.standin", "1.0", "Apache-2.0", NULL, classes, TYPE);
