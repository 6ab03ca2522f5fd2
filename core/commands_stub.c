/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that are still to come: each says so. */
#include "core/commands.h"

#include <errno.h>

#include "core/error.h"

static int missing(const char *name, struct error *err)
{
	return error_set(err, EXIT_INTERNAL, -ENOSYS, "\"%s\" is not built yet", name);
}

__attribute__((weak)) int cmd_run(
	const struct vm_config *config, const struct run_options *options, struct error *err)
{
	return missing("run", err);
}

__attribute__((weak)) int cmd_check(const struct vm_config *config, struct error *err)
{
	return missing("check", err);
}

__attribute__((weak)) int cmd_plugins(const struct plugins_options *options, struct error *err)
{
	return missing("plugins", err);
}

__attribute__((weak)) int cmd_host(const struct host_options *options, struct error *err)
{
	return missing("host", err);
}

__attribute__((weak)) int cmd_bundle(const struct bundle_options *options, struct error *err)
{
	return missing("bundle", err);
}
