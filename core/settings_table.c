/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a plugin's key table is one, before anything is read with it. */
#include <errno.h>
#include <string.h>

#include "core/error.h"
#include "core/setting.h"
#include "core/settings.h"
#include "core/settings_value.h"

#define KNOWN_FLAGS                                                                                \
	(TENON_KEY_REQUIRED | TENON_KEY_LIST | TENON_KEY_SECRET | TENON_KEY_READS |                \
		TENON_KEY_CREATES | TENON_KEY_ATTACHES)

const char *settings_reserved_name(size_t index)
{
	static const char *const names[] = { "type", "name", "plugin", "address", "irq", "iothread",
		"isolation", "transport" };

	return index < sizeof(names) / sizeof(*names) ? names[index] : NULL;
}

bool settings_reserved(const char *name)
{
	for (size_t i = 0; settings_reserved_name(i); i++)
		if (strcmp(name, settings_reserved_name(i)) == 0)
			return true;
	return false;
}

static bool is_key_name(const char *name)
{
	return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* Why the key is not one; NULL if it is. */
static const char *key_fault(const struct tenon_key *keys, const struct tenon_key *key)
{
	if (!is_key_name(key->name))
		return "the name must be of a-z, 0-9 and _";
	if (settings_reserved(key->name))
		return "the name belongs to the core";
	for (const struct tenon_key *other = keys; other < key; other++)
		if (strcmp(other->name, key->name) == 0)
			return "the name is there twice";
	if (key->type < TENON_KEY_BOOL || key->type > TENON_KEY_FD)
		return "the type is not known";
	if (key->flags & ~KNOWN_FLAGS)
		return "a flag is not known";
	if ((key->flags & TENON_KEY_REQUIRED) && key->fallback)
		return "it is required and has a default";
	if (value_check_values(key) < 0)
		return "\"values\" do not fit the type";
	return NULL;
}

/* Reads the defaults as an instance without settings would. */
static int check_fallbacks(const char *class_name, const struct tenon_key *key, struct error *err)
{
	const struct tenon_key one[2] = { *key, { 0 } };
	const struct place place = { .file = class_name };
	const struct setting nothing = { .kind = SETTING_GROUP };
	struct tenon_config *config;
	int r;

	if (!key->fallback)
		return 0;
	r = settings_check_group(&nothing, &place, NULL, class_name, one, &config, err);
	if (!r)
		settings_free(config);
	return r;
}

int settings_check_table(const char *class_name, const struct tenon_key *keys, struct error *err)
{
	for (const struct tenon_key *key = keys; key && key->name; key++) {
		const char *fault = key_fault(keys, key);
		int r;

		if (fault)
			return error_set(err, EXIT_INTERNAL, -EINVAL,
				"%s: setting \"%s\" of the plugin: %s", class_name, key->name,
				fault);
		r = check_fallbacks(class_name, key, err);
		if (r < 0)
			return r;
	}
	return 0;
}

const char *settings_type_name(const struct tenon_key *key)
{
	static const char *const names[][2] = {
		[TENON_KEY_BOOL] = { "boolean", "list of booleans" },
		[TENON_KEY_INT] = { "integer", "list of integers" },
		[TENON_KEY_SIZE] = { "size", "list of sizes" },
		[TENON_KEY_ADDR] = { "address", "list of addresses" },
		[TENON_KEY_STRING] = { "string", "list of strings" },
		[TENON_KEY_PATH] = { "path", "list of paths" },
		[TENON_KEY_ENUM] = { "choice", "list of choices" },
		[TENON_KEY_MAC] = { "MAC address", "list of MAC addresses" },
		[TENON_KEY_FD] = { "descriptor", "list of descriptors" },
	};

	if (key->type < TENON_KEY_BOOL || key->type > TENON_KEY_FD)
		return "unknown";
	return names[key->type][(key->flags & TENON_KEY_LIST) != 0];
}
