/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What config.c and config_device.c share: refusing, and copying out of checked settings.
 */
#ifndef TENON_CORE_CONFIG_TAKE_H
#define TENON_CORE_CONFIG_TAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/setting.h"

struct error;
struct setting;
struct tenon_config;
struct vm_config;

/* What is read from one table into the configuration. */
struct config_source {
	struct vm_config *config;
	const struct tenon_config *settings;
	struct place fallback; /* for what was not written */
	bool failed;           /* out of memory, in any of the calls below */
};

/* Copies that live as long as the configuration; NULL where nothing was set. */
const char *config_take_str(struct config_source *source, const char *key);
const char **config_take_list(struct config_source *source, const char *key, size_t *ret_n);
struct place config_take_place(struct config_source *source, const char *key);

/* "FILE:LINE: sentence"; returns -EINVAL. */
int config_refuse(struct error *err, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int config_no_memory(struct error *err);

/* Letters, digits, _ and -, at most CONFIG_MAX_NAME. */
bool config_is_name(const char *text);

/* config_device.c: the list of devices, of which the first @n_written were written by somebody. */
int config_read_devices(
	struct vm_config *config, const struct setting *root, size_t n_written, struct error *err);

#endif
