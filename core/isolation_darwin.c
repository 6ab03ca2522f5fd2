/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No devices in processes of their own: what keeps and seals those processes, and what connects
 * them, is Linux's.
 */
#include "core/isolation.h"

#include <errno.h>
#include <stddef.h>

#include "core/config.h"
#include "core/error.h"

int isolation_create(
	const struct vm_config *config, struct isolation **ret_isolation, struct error *err)
{
	*ret_isolation = NULL;
	for (size_t i = 0; i < config->n_devices; i++)
		if (isolation_is_wanted(config, &config->devices[i]))
			return error_set(err, EXIT_HOST, -ENOTSUP,
				"%s: this host cannot isolate a device in a process of its own: "
				"say isolation = \"none\"",
				config->devices[i].name);
	return 0;
}

bool isolation_has(const struct isolation *isolation, const struct config_device *device)
{
	(void)isolation;
	(void)device;
	return false;
}

int isolation_start(struct isolation *isolation, struct error *err)
{
	(void)isolation;
	(void)err;
	return 0;
}

int isolation_front_end(struct isolation *isolation, const struct config_device *device,
	const struct config_device **ret_front_end, struct error *err)
{
	(void)isolation;
	(void)ret_front_end;
	return error_set(
		err, EXIT_INTERNAL, -ENOTSUP, "%s: is in no process of its own", device->name);
}

int isolation_attached(struct isolation *isolation, struct tenon_dev *dev, struct error *err)
{
	(void)isolation;
	(void)dev;
	(void)err;
	return 0;
}

const char *isolation_touches(const struct isolation *isolation, const struct tenon_dev *dev)
{
	(void)isolation;
	(void)dev;
	return NULL;
}

const char *isolation_settings(const struct isolation *isolation, const struct tenon_dev *dev)
{
	(void)isolation;
	(void)dev;
	return NULL;
}

const struct config_device *isolation_config(
	const struct isolation *isolation, const struct tenon_dev *dev)
{
	(void)isolation;
	(void)dev;
	return NULL;
}

int isolation_run(struct isolation *isolation, struct event_loop *loop, struct error *err)
{
	(void)isolation;
	(void)loop;
	(void)err;
	return 0;
}

void isolation_end(struct isolation *isolation)
{
	(void)isolation;
}

void isolation_destroy(struct isolation *isolation)
{
	(void)isolation;
}
