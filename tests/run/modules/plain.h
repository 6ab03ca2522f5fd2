/* SPDX-License-Identifier: Apache-2.0 */
/* A device class that does nothing, for modules that are wrong in one respect each. */
#ifndef TENON_TESTS_RUN_MODULES_PLAIN_H
#define TENON_TESTS_RUN_MODULES_PLAIN_H

#include <errno.h>

#include <tenon/tenon.h>

static const struct tenon_device_class plain_class = {
	.struct_size = sizeof(plain_class),
	.name = "plain",
	.summary = "nothing",
};

static const struct tenon_device_class *const plain_classes[] = { &plain_class, NULL };

static inline int plain_init(const struct tenon_host *host)
{
	(void)host;
	return 0;
}

#endif
