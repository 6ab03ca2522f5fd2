/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line changes in a configuration: --set and --device, on the tree as written.
 */
#ifndef TENON_CORE_CONFIG_OVERRIDE_H
#define TENON_CORE_CONFIG_OVERRIDE_H

#include <stddef.h>

struct arena;
struct config_override;
struct error;
struct place;
struct setting;

/* Gives every device that has none a name: its type, or the type and the first free number.
 * Devices that are not well formed are left for config.c to refuse. */
int config_name_devices(struct arena *arena, struct setting *root, struct error *err);

/* Applies one to the tree, whose devices have names. */
int config_override_apply(struct arena *arena, struct setting *root,
	const struct config_override *override, struct error *err);

/* Adds "KEY=VALUE", or "KEY" for something that is on, to a device. */
int config_add_pair(struct arena *arena, struct setting *device, const char *text,
	const struct place *place, struct error *err);

/* Adds a device of the type, with a name, at the end; for those that nobody wrote. */
struct setting *config_add_device(struct arena *arena, struct setting *root, const char *type,
	const struct place *place, struct error *err);

#endif
