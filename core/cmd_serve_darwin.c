/* SPDX-License-Identifier: Apache-2.0 */
/* `tenon serve` where its sandbox and the descriptors that it passes are not to be had. */
#include <errno.h>

#include "core/commands.h"
#include "core/error.h"

int cmd_serve(const struct serve_options *options, const struct config_override *settings,
	size_t n_settings, struct error *err)
{
	(void)settings;
	(void)n_settings;
	return error_set(err, EXIT_HOST, -ENOTSUP,
		"%s: this host cannot serve devices to another program: that takes Linux",
		options->type);
}
