/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a device that is served alone: from the command line, or as the text of its group
 * in a configuration file.
 */
#ifndef TENON_CORE_SERVE_CONFIG_H
#define TENON_CORE_SERVE_CONFIG_H

#include <stddef.h>

#include <tenon/plugin.h>

struct config_override;
struct error;
struct serve_options;
struct vm_config;

/* A configuration with this one device.  @settings are KEY=VALUE; free with vm_config_free(). */
int serve_config_read(const struct serve_options *options, const struct config_override *settings,
	size_t n_settings, struct vm_config **ret_config, struct error *err);
/* Once the keys of its class are known: "a,b" is a list where one is wanted. */
int serve_config_split(struct vm_config *config, const struct tenon_key *keys, struct error *err);

#endif
