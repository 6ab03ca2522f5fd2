/* SPDX-License-Identifier: Apache-2.0 */
/* A device that says hello and lies still; C and C++ at once. */
#include <tenon/tenon.h>

static const struct tenon_host *host;

static int still_attach(struct tenon_dev *dev)
{
	host->log(dev, TENON_LOG_WARN, "here");
	return 0;
}

static const struct tenon_device_class still_class = {
	.struct_size = sizeof(still_class),
	.threads = TENON_SERIAL,
	.name = "still",
	.summary = "lies still",
	.attach = still_attach,
};

static const struct tenon_device_class *const classes[] = { &still_class, NULL };

static int still_init(const struct tenon_host *h)
{
	host = h;
	return 0;
}

TENON_PLUGIN("org.example.still", "1.0", "Apache-2.0", still_init, classes, "still");
