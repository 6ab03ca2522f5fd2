/* SPDX-License-Identifier: Apache-2.0 */
/* The list of devices: what of each belongs to the core, and what to its class. */
#include <string.h>

#include "core/config.h"
#include "core/config_tables.h"
#include "core/config_take.h"
#include "core/settings.h"

static bool is_type(const char *text)
{
	return text[0] && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text) &&
	       strlen(text) <= CONFIG_MAX_NAME;
}

/* Parts what belongs to the core from what belongs to the device's class. */
static int part_settings(struct vm_config *config, const struct setting *device,
	struct setting *ret_core, struct setting *ret_own, struct error *err)
{
	struct setting *own, *core;

	*ret_core = *ret_own = (struct setting){ .place = device->place, .kind = SETTING_GROUP };
	core = arena_alloc(&config->arena, device->n_items, sizeof(*core));
	own = arena_alloc(&config->arena, device->n_items, sizeof(*own));
	if (!core || !own)
		return config_no_memory(err);

	ret_core->items = core;
	ret_own->items = own;
	for (size_t i = 0; i < device->n_items; i++) {
		if (settings_reserved(device->items[i].name))
			core[ret_core->n_items++] = device->items[i];
		else
			own[ret_own->n_items++] = device->items[i];
	}
	return 0;
}

static int check_device(
	const struct config_device *device, struct config_source *source, struct error *err)
{
	const char *const keys[] = { "name", "iothread" };
	struct place place;

	if (!is_type(device->type)) {
		place = config_take_place(source, "type");
		return config_refuse(err, &place,
			"\"type\" is \"%s\"; wanted at most %u letters a-z, digits and -",
			device->type, CONFIG_MAX_NAME);
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *text = i ? device->iothread : device->name;

		if (!text || config_is_name(text))
			continue;
		place = config_take_place(source, keys[i]);
		return config_refuse(err, &place,
			"%s: \"%s\" is \"%s\"; wanted at most %u letters, digits, _ and -",
			device->type, keys[i], text, CONFIG_MAX_NAME);
	}
	return 0;
}

/* A bare name is looked for in the plugin folders; anything with a slash is a path. */
static const char *take_plugin(struct config_source *source)
{
	const struct place *place = settings_place(source->settings, "plugin");
	const char *text = settings_str(source->settings, "plugin", 0);
	const char *path;

	if (!text || !strchr(text, '/'))
		return config_take_str(source, "plugin");
	path = setting_path(&source->config->arena, place, text);
	source->failed |= !path;
	return path;
}

static void take_device(struct config_device *device, struct config_source *source)
{
	const struct tenon_config *core = source->settings;

	device->type = config_take_str(source, "type");
	device->name = config_take_str(source, "name");
	device->plugin = take_plugin(source);
	device->has_address = settings_count(core, "address");
	device->address = settings_size(core, "address");
	device->has_irq = settings_count(core, "irq");
	device->irq = (uint32_t)settings_int(core, "irq");
	device->iothread = config_take_str(source, "iothread");
	device->isolation = config_take_str(source, "isolation");
	device->transport = config_take_str(source, "transport");
	device->type_place = config_take_place(source, "type");
	device->plugin_place = config_take_place(source, "plugin");
	device->address_place = config_take_place(source, "address");
	device->irq_place = config_take_place(source, "irq");
}

static int read_device(struct vm_config *config, const struct setting *setting,
	struct config_device *device, struct error *err)
{
	struct config_source source = { .config = config, .fallback = setting->place };
	const struct setting *name;
	struct tenon_config *settings;
	struct setting core;
	int r;

	if (setting->kind != SETTING_GROUP)
		return config_refuse(err, &setting->place, "a device must be a group { }");
	r = part_settings(config, setting, &core, &device->settings, err);
	if (r < 0)
		return r;
	name = setting_find(setting, "name");
	r = settings_check_group(&core, &setting->place,
		name && name->kind == SETTING_STRING ? name->text : NULL, "a device",
		config_device_keys, &settings, err);
	if (r < 0)
		return r;

	source.settings = settings;
	device->place = setting->place;
	take_device(device, &source);
	r = source.failed ? config_no_memory(err) : check_device(device, &source, err);
	settings_free(settings);
	return r;
}

static int check_unique(
	const struct vm_config *config, const struct config_device *device, struct error *err)
{
	char where[PLACE_TEXT_MAX];

	for (const struct config_device *other = config->devices; other < device; other++)
		if (strcmp(other->name, device->name) == 0)
			return config_refuse(err, &device->place,
				"the name \"%s\" belongs to the device at %s already", device->name,
				place_text(&other->place, where));
	return 0;
}

static int note_iothread(
	struct vm_config *config, const struct config_device *device, struct error *err)
{
	const char **grown;

	if (!device->iothread)
		return 0;
	for (size_t i = 0; i < config->n_iothreads; i++)
		if (strcmp(config->iothreads[i], device->iothread) == 0)
			return 0;
	grown = arena_grow(&config->arena, config->iothreads, config->n_iothreads, sizeof(*grown));
	if (!grown)
		return config_no_memory(err);
	config->iothreads = grown;
	grown[config->n_iothreads++] = device->iothread;
	return 0;
}

int config_read_devices(
	struct vm_config *config, const struct setting *root, size_t n_written, struct error *err)
{
	const struct setting *list = setting_find(root, "devices");

	if (!list)
		return 0;
	if (n_written > CONFIG_MAX_DEVICES)
		return config_refuse(err, &list->place, "there are %zu devices; wanted at most %u",
			n_written, CONFIG_MAX_DEVICES);
	config->devices = arena_alloc(&config->arena, list->n_items, sizeof(*config->devices));
	if (!config->devices)
		return config_no_memory(err);

	for (size_t i = 0; i < list->n_items; i++) {
		struct config_device *device = &config->devices[i];
		int r = read_device(config, &list->items[i], device, err);

		if (!r)
			r = check_unique(config, device, err);
		if (!r)
			r = note_iothread(config, device, err);
		if (r < 0)
			return r;
		device->implied = i >= n_written;
		config->n_devices++;
	}
	return 0;
}
