/* SPDX-License-Identifier: Apache-2.0 */
/* A device's settings without a machine around it. */
#include "core/serve_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/commands.h"
#include "core/config.h"
#include "core/config_file.h"
#include "core/config_override.h"
#include "core/config_take.h"
#include "core/error.h"

#define MAX_TEXT (1u << 20)

/* ---- the text of a group ---- */

static int read_all(int fd, char *text, size_t *ret_n, struct error *err)
{
	size_t n = 0;

	(void)lseek(fd, 0, SEEK_SET); /* another process may have read them */
	for (;;) {
		ssize_t got = read(fd, text + n, MAX_TEXT - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(err, EXIT_USAGE, -errno,
				"cannot read settings from descriptor %d: %s", fd, strerror(errno));
		if (got == 0)
			break;
		n += (size_t)got;
		if (n == MAX_TEXT)
			return error_set(err, EXIT_USAGE, -E2BIG,
				"the settings on descriptor %d are more than %u bytes", fd,
				MAX_TEXT);
	}
	*ret_n = n;
	return 0;
}

/* What the text says of type and name is what the command line says, or nothing. */
static int merge(struct vm_config *config, struct setting *device, const struct setting *from,
	struct error *err)
{
	for (size_t i = 0; i < from->n_items; i++) {
		const struct setting *item = &from->items[i];
		struct setting *own = setting_find(device, item->name);

		if (own && strcmp(item->name, "type") == 0 &&
			(!item->text || strcmp(own->text, item->text) != 0))
			return config_refuse(err, &item->place,
				"the settings are of another type than \"%s\"", own->text);
		if (!own)
			own = setting_add(&config->arena, device, item->name, &item->place);
		if (!own)
			return config_no_memory(err);
		if (strcmp(item->name, "type") != 0)
			*own = *item;
	}
	return 0;
}

/* Paths among them start from where they were written. */
static void set_folder(struct setting *setting, const char *folder) /* NOLINT(misc-no-recursion) */
{
	setting->place.folder = folder;
	for (size_t i = 0; i < setting->n_items; i++)
		set_folder(&setting->items[i], folder);
}

static int take_text(struct vm_config *config, struct setting *device,
	const struct serve_options *options, struct error *err)
{
	const char *name = options->settings_file ? options->settings_file : "settings";
	const int fd = options->settings_fd;
	char *text = malloc(MAX_TEXT);
	struct setting root;
	size_t n = 0;
	int ret = text ? read_all(fd, text, &n, err) : config_no_memory(err);

	if (ret == 0)
		ret = config_file_read_string(&config->arena, text, n, name, &root, err);
	if (ret == 0 && options->settings_folder)
		set_folder(&root, options->settings_folder);
	if (ret == 0)
		ret = merge(config, device, &root, err);
	free(text);
	(void)close(fd);
	return ret;
}

/* ---- the device ---- */

static int set_name(struct vm_config *config, struct setting *device,
	const struct serve_options *options, struct error *err)
{
	struct setting *name = setting_find(device, "name");

	if (name && !options->name)
		return 0;
	if (!name)
		name = setting_add(&config->arena, device, "name", &device->place);
	if (!name)
		return config_no_memory(err);
	name->kind = SETTING_STRING;
	name->text = arena_strdup(&config->arena, options->name ? options->name : options->type);
	return name->text ? 0 : config_no_memory(err);
}

/* These are about the machine that a device is in. */
static int check_keys(const struct setting *device, struct error *err)
{
	static const char *const keys[] = { "address", "irq", "iothread", "isolation",
		"transport" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct setting *found = setting_find(device, keys[i]);

		if (found)
			return config_refuse(err, &found->place,
				"\"%s\" is about a place in a machine, which a device that is "
				"served does not have",
				keys[i]);
	}
	return 0;
}

static int build(struct vm_config *config, const struct serve_options *options,
	const struct config_override *settings, size_t n_settings, struct error *err)
{
	struct setting root = { .kind = SETTING_GROUP };
	struct setting *device;
	int ret = 0;

	root.place.file = options->settings_place
				  ? options->settings_place
				  : arena_printf(&config->arena, "serve %s", options->type);
	if (!root.place.file)
		return config_no_memory(err);
	device = config_add_device(&config->arena, &root, options->type, &root.place, err);
	if (!device)
		return -ENOMEM;
	device->n_items = 1; /* the type; its name comes last */
	if (options->settings_fd >= 0)
		ret = take_text(config, device, options, err);
	for (size_t i = 0; i < n_settings && ret == 0; i++)
		ret = config_add_pair(&config->arena, device, settings[i].text, &root.place, err);
	if (ret == 0)
		ret = set_name(config, device, options, err);
	if (ret == 0)
		ret = check_keys(device, err);
	return ret < 0 ? ret : config_read_devices(config, &root, 1, err);
}

int serve_config_read(const struct serve_options *options, const struct config_override *settings,
	size_t n_settings, struct vm_config **ret_config, struct error *err)
{
	struct vm_config *config = calloc(1, sizeof(*config));
	int ret;

	if (!config)
		return config_no_memory(err);
	ret = build(config, options, settings, n_settings, err);
	if (ret < 0)
		vm_config_free(config);
	else
		*ret_config = config;
	return ret;
}

/* ---- lists ---- */

static bool wants_list(const struct tenon_key *keys, const char *name)
{
	for (; keys && keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys->flags & TENON_KEY_LIST;
	return false;
}

static int split(struct vm_config *config, struct setting *setting, struct error *err)
{
	struct setting list = {
		.name = setting->name, .place = setting->place, .kind = SETTING_LIST
	};

	for (const char *at = setting->text; at;
		at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		struct setting *item = setting_add(&config->arena, &list, NULL, &setting->place);

		if (!item)
			return config_no_memory(err);
		item->kind = SETTING_WORD;
		item->text = arena_strndup(&config->arena, at, strcspn(at, ","));
		if (!item->text)
			return config_no_memory(err);
	}
	*setting = list;
	return 0;
}

int serve_config_split(struct vm_config *config, const struct tenon_key *keys, struct error *err)
{
	struct setting *settings = &config->devices[0].settings;
	int ret = 0;

	for (size_t i = 0; i < settings->n_items && ret == 0; i++) {
		struct setting *s = &settings->items[i];

		if (s->kind == SETTING_WORD && strchr(s->text, ',') && wants_list(keys, s->name))
			ret = split(config, s, err);
	}
	return ret;
}
