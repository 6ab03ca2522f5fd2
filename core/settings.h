/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checked settings: what was written, held against a table of keys that says what is wanted.
 * Devices declare such a table (tenon/plugin.h); the core's own settings go through the same door.
 */
#ifndef TENON_CORE_SETTINGS_H
#define TENON_CORE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <tenon/plugin.h>

struct config_device;
struct error;
struct place;
struct setting;

/*
 * The settings of one device, as struct tenon_config of the plugin contract: types and ranges are
 * checked, defaults filled in, paths resolved.  @keys (may be NULL) must outlive the result,
 * @device need not.  Free with settings_free().  [main]
 */
int settings_check(const struct config_device *device, const struct tenon_key *keys,
	struct tenon_config **ret_config, struct error *err);

/*
 * The same for any group.  @subject ("disk0") goes in front of the sentence unless NULL; @owner is
 * whose settings they are ("block", "vm").  @place is where a missing setting should have been.
 */
int settings_check_group(const struct setting *group, const struct place *place,
	const char *subject, const char *owner, const struct tenon_key *keys,
	struct tenon_config **ret_config, struct error *err);

void settings_free(struct tenon_config *config); /* NULL is fine */

/* The getters of struct tenon_host; see there. */
uint32_t settings_count(const struct tenon_config *config, const char *key);
const char *settings_str(const struct tenon_config *config, const char *key, uint32_t index);
int64_t settings_int(const struct tenon_config *config, const char *key);
uint64_t settings_size(const struct tenon_config *config, const char *key);

/* Where the setting was written; NULL if it was not (a default, or unset). */
const struct place *settings_place(const struct tenon_config *config, const char *key);

/* One line per setting, "@indent path = \"root.img\"", defaults marked, secrets hidden. */
void settings_print(const struct tenon_config *config, const char *indent, FILE *out);

/* Whether a class's table is one: names, types, values, fallbacks; reserved names are refused. */
int settings_check_table(const char *class_name, const struct tenon_key *keys, struct error *err);

/* "size", "a list of strings", ...: a key's type for people, for `tenon plugins NAME`. */
const char *settings_type_name(const struct tenon_key *key);

/* Whether the name belongs to the core in every device. */
bool settings_reserved(const char *name);
/* These names one by one; NULL past the last. */
const char *settings_reserved_name(size_t index);

#endif
