/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices are to be in processes of their own, on every host. */
#include "core/isolation.h"

#include <string.h>

#include "core/config.h"
#include "core/packages.h"

bool isolation_is_wanted(const struct vm_config *config, const struct config_device *device)
{
	if (device->isolation)
		return strcmp(device->isolation, "process") == 0;
	return config->isolate && !device->implied && !package_is_platform(device->type);
}
