/* SPDX-License-Identifier: Apache-2.0 */
/* The host table, and the services by their ids. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/config.h"
#include "core/device.h"
#include "core/error.h"
#include "core/services.h"
#include "core/settings.h"
#include "core/work.h"
#include "sdk/state/state.h"

static const struct {
	const char *id;
	const void *table;
} services[] = {
	{ TENON_SVC_MEM, &service_mem },
	{ TENON_SVC_MMIO, &service_mmio },
	{ TENON_SVC_IRQ, &service_irq },
	{ TENON_SVC_NOTIFIER, &service_notifier },
	{ TENON_SVC_EVENT, &service_event },
	{ TENON_SVC_WORK, &service_work },
	{ TENON_SVC_CLOCK, &service_clock },
	{ TENON_SVC_TERMINAL, &service_terminal },
	{ TENON_SVC_POWER, &service_power },
	{ TENON_SVC_FIRMWARE, &service_firmware },
	{ TENON_SVC_VIRTIO, &service_virtio },
	{ TENON_SVC_SHM, &service_shm },
	{ TENON_SVC_DISPLAY, &service_display },
	{ TENON_SVC_STATE, &state_service },
};

static const void *host_service(const char *id)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (strcmp(services[i].id, id) != 0)
			continue;
		if (services[i].table == &service_work)
			work_asked_for();
		return services[i].table;
	}
	return NULL;
}

static void host_log(struct tenon_dev *dev, uint32_t level, const char *text)
{
	enum log_level l = level > TENON_LOG_DEBUG ? LOG_LEVEL_DEBUG : (enum log_level)level;

	if (!log_enabled(l))
		return;
	if (dev)
		log_limited(&dev->log_limit, l, "%s: %s", dev->config->name, text);
	else
		log_msg(l, "%s", text);
}

/* What a setting can be the reason of is the configuration's fault, the rest the host's. */
static enum exit_code exit_code_of(int err)
{
	switch (-err) {
	case EINVAL:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EEXIST:
	case ERANGE:
	case E2BIG:
	case ENAMETOOLONG:
		return EXIT_USAGE;
	default:
		return EXIT_HOST;
	}
}

static int host_fail(struct tenon_dev *dev, int err, const char *text)
{
	if (!dev)
		log_msg(LOG_LEVEL_ERR, "%s", text);
	else if (dev->err)
		(void)error_set(
			dev->err, exit_code_of(err), err, "%s: %s", dev->config->name, text);
	else
		log_limited(&dev->log_limit, LOG_LEVEL_ERR, "%s: %s", dev->config->name, text);
	return err;
}

static void *host_priv(struct tenon_dev *dev)
{
	return dev->priv;
}

static const char *host_name(const struct tenon_dev *dev)
{
	return dev->config->name;
}

const struct tenon_host tenon_host_table = {
	.struct_size = sizeof(struct tenon_host),
	.abi_major = TENON_ABI_MAJOR,
	.abi_minor = TENON_ABI_MINOR,
	.service = host_service,
	.log = host_log,
	.fail = host_fail,
	.priv = host_priv,
	.name = host_name,
	.conf_count = settings_count,
	.conf_str = settings_str,
	.conf_int = settings_int,
	.conf_size = settings_size,
};
