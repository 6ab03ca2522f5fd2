/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the tree as written to the description of a VM.  The core's own settings are declared in
 * tables and go through settings.c like those of a device; what is left to do here is what one
 * table cannot say.
 */
#include "core/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config_file.h"
#include "core/config_override.h"
#include "core/config_tables.h"
#include "core/error.h"
#include "core/machine.h"
#include "core/settings.h"
#include "core/size.h"
#include "core/suggest.h"

#define MEMORY_UNIT ((uint64_t)4096)

/* ---- errors ---- */

__attribute__((format(printf, 3, 4))) static int refuse(
	struct error *err, const struct place *place, const char *format, ...)
{
	char text[700], where[PLACE_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(err, EXIT_USAGE, -EINVAL, "%s: %s", place_text(place, where), text);
}

static int out_of_memory(struct error *err)
{
	return error_set(err, EXIT_INTERNAL, -ENOMEM, "out of memory");
}

/* ---- copying out of checked settings ---- */

/* What is read from one table into the configuration; `failed` collects out of memory. */
struct source {
	struct vm_config *config;
	const struct tenon_config *settings;
	struct place fallback; /* for what was not written */
	bool failed;
};

static const char *take_str(struct source *source, const char *key)
{
	const char *text = settings_str(source->settings, key, 0);
	char *copy;

	if (!text)
		return NULL;
	copy = arena_strdup(&source->config->arena, text);
	source->failed |= !copy;
	return copy;
}

static const char **take_list(struct source *source, const char *key, size_t *ret_n)
{
	uint32_t n = settings_count(source->settings, key);
	const char **list = arena_alloc(&source->config->arena, n, sizeof(*list));

	source->failed |= !list;
	for (uint32_t i = 0; list && i < n; i++) {
		list[i] = arena_strdup(
			&source->config->arena, settings_str(source->settings, key, i));
		source->failed |= !list[i];
	}
	*ret_n = list ? n : 0;
	return list;
}

static struct place take_place(struct source *source, const char *key)
{
	const struct place *place = settings_place(source->settings, key);
	struct place copy = source->fallback;

	if (!place)
		return copy;
	copy = *place;
	copy.file = arena_strdup(&source->config->arena, place->file);
	copy.folder = place->folder ? arena_strdup(&source->config->arena, place->folder) : NULL;
	source->failed |= !copy.file || (place->folder && !copy.folder);
	return copy;
}

/* ---- vm ---- */

static bool is_name(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return text[0] && strspn(text, letters) == strlen(text) && strlen(text) <= CONFIG_MAX_NAME;
}

/* The file's name without folder and ending, as far as it is a name. */
static const char *default_name(struct vm_config *config)
{
	const char *slash = config->path ? strrchr(config->path, '/') : NULL;
	const char *base = slash ? slash + 1 : config->path;
	char *name;

	if (!base)
		return "tenon";
	name = arena_strndup(&config->arena, base, strcspn(base, "."));
	return name && is_name(name) ? name : "tenon";
}

static int check_topology(struct vm_config *config, struct error *err)
{
	uint32_t per_socket;

	if (config->vcpus % config->threads_per_core)
		return refuse(err, &config->vcpus_place,
			"%u vCPUs do not make whole cores of %u (threads_per_core)", config->vcpus,
			config->threads_per_core);
	if (!config->cores_per_socket)
		config->cores_per_socket = config->vcpus / config->threads_per_core;
	if (__builtin_mul_overflow(
		    config->cores_per_socket, config->threads_per_core, &per_socket) ||
		config->vcpus % per_socket)
		return refuse(err, &config->vcpus_place,
			"%u vCPUs do not make whole sockets of %u (cores_per_socket = %u, "
			"threads_per_core = %u)",
			config->vcpus, config->cores_per_socket * config->threads_per_core,
			config->cores_per_socket, config->threads_per_core);
	return 0;
}

static int check_vm(struct vm_config *config, struct source *source, struct error *err)
{
	struct place strings = take_place(source, "oem_strings");

	if (!is_name(config->name))
		return refuse(err, settings_place(source->settings, "name"),
			"\"name\" is \"%s\"; wanted at most %u letters, digits, _ and -",
			config->name, CONFIG_MAX_NAME);
	if (config->memory_bytes % MEMORY_UNIT)
		return refuse(err, &config->memory_place,
			"\"memory\" is %llu bytes; wanted a multiple of \"4K\"",
			(unsigned long long)config->memory_bytes);
	if (!config->hypervisor[0])
		return refuse(err, &config->hypervisor_place,
			"\"hypervisor\" is empty; wanted \"auto\" or a backend's name");
	if (config->n_oem_strings > MACHINE_MAX_OEM)
		return refuse(err, &strings, "\"oem_strings\" has %zu elements; wanted at most %d",
			config->n_oem_strings, MACHINE_MAX_OEM);
	return check_topology(config, err);
}

static void take_vm(struct vm_config *config, struct source *source)
{
	const struct tenon_config *vm = source->settings;

	config->name = take_str(source, "name");
	if (!config->name)
		config->name = default_name(config);
	config->vcpus = (uint32_t)settings_int(vm, "vcpus");
	config->threads_per_core = (uint32_t)settings_int(vm, "threads_per_core");
	config->cores_per_socket = (uint32_t)settings_int(vm, "cores_per_socket");
	config->memory_bytes = settings_size(vm, "memory");
	config->hypervisor = take_str(source, "hypervisor");
	config->on_reboot = settings_int(vm, "on_reboot") ? ON_REBOOT_EXIT : ON_REBOOT_RESET;
	config->shutdown_timeout = (uint32_t)settings_int(vm, "shutdown_timeout");
	config->acpi = settings_int(vm, "acpi");
	config->timing = settings_int(vm, "timing");
	config->platform_devices = settings_int(vm, "platform_devices");
	config->oem_strings = take_list(source, "oem_strings", &config->n_oem_strings);
	config->plugin_path = take_list(source, "plugin_path", &config->n_plugin_path);
	config->vcpus_place = take_place(source, "vcpus");
	config->memory_place = take_place(source, "memory");
	config->hypervisor_place = take_place(source, "hypervisor");
}

/* A top-level group; an empty one if it is not there. */
static int find_group(
	const struct setting *root, const char *name, struct setting *ret_group, struct error *err)
{
	const struct setting *group = setting_find(root, name);

	if (group && group->kind != SETTING_GROUP)
		return refuse(err, &group->place, "\"%s\" must be a group { }", name);
	if (group)
		*ret_group = *group;
	else
		*ret_group = (struct setting){ .place = root->place, .kind = SETTING_GROUP };
	return 0;
}

static int read_vm(struct vm_config *config, const struct setting *root, struct error *err)
{
	struct source source = { .config = config };
	struct tenon_config *settings;
	struct setting group;
	int r = find_group(root, "vm", &group, err);

	if (!r)
		r = settings_check_group(
			&group, &group.place, NULL, "vm", config_vm_keys, &settings, err);
	if (r < 0)
		return r;

	config->vm_place = source.fallback = group.place;
	source.settings = settings;
	take_vm(config, &source);
	r = source.failed ? out_of_memory(err) : check_vm(config, &source, err);
	settings_free(settings);
	return r;
}

/* ---- payload ---- */

static int check_payload(const struct vm_config *config, struct error *err)
{
	const struct payload_config *p = &config->payload;
	int n = !!p->kernel + !!p->bundle + !!p->firmware;

	if (!n)
		return refuse(err, &config->payload_place,
			"there is nothing to boot: payload needs kernel, bundle or firmware");
	if (n > 1)
		return refuse(err, p->firmware ? &config->firmware_place : &config->bundle_place,
			"payload has %s and %s; wanted one of kernel, bundle and firmware",
			p->kernel ? "kernel" : "bundle", p->firmware ? "firmware" : "bundle");
	if (p->firmware && p->initrd)
		return refuse(err, &config->initrd_place,
			"firmware takes no initrd: it finds its own on the devices");
	return 0;
}

static int read_payload(struct vm_config *config, const struct setting *root, struct error *err)
{
	struct payload_config *p = &config->payload;
	struct source source = { .config = config };
	struct tenon_config *settings;
	struct setting group;
	int r = find_group(root, "payload", &group, err);

	if (!r)
		r = settings_check_group(
			&group, &group.place, NULL, "payload", config_payload_keys, &settings, err);
	if (r < 0)
		return r;

	config->payload_place = source.fallback = group.place;
	source.settings = settings;
	p->kernel = take_str(&source, "kernel");
	p->initrd = take_str(&source, "initrd");
	p->bundle = take_str(&source, "bundle");
	p->firmware = take_str(&source, "firmware");
	p->cmdline = take_str(&source, "cmdline");
	p->boot = take_str(&source, "boot");
	config->kernel_place = take_place(&source, "kernel");
	config->initrd_place = take_place(&source, "initrd");
	config->bundle_place = take_place(&source, "bundle");
	config->firmware_place = take_place(&source, "firmware");
	r = source.failed ? out_of_memory(err) : check_payload(config, err);
	settings_free(settings);
	return r;
}

/* ---- devices ---- */

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
		return out_of_memory(err);

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
	const struct config_device *device, struct source *source, struct error *err)
{
	const char *const keys[] = { "name", "iothread" };
	struct place place;

	if (!is_type(device->type)) {
		place = take_place(source, "type");
		return refuse(err, &place,
			"\"type\" is \"%s\"; wanted at most %u letters a-z, digits and -",
			device->type, CONFIG_MAX_NAME);
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *text = i ? device->iothread : device->name;

		if (!text || is_name(text))
			continue;
		place = take_place(source, keys[i]);
		return refuse(err, &place,
			"%s: \"%s\" is \"%s\"; wanted at most %u letters, digits, _ and -",
			device->type, keys[i], text, CONFIG_MAX_NAME);
	}
	return 0;
}

/* A bare name is looked for in the plugin folders; anything with a slash is a path. */
static const char *take_plugin(struct source *source)
{
	const struct place *place = settings_place(source->settings, "plugin");
	const char *text = settings_str(source->settings, "plugin", 0);
	const char *path;

	if (!text || !strchr(text, '/'))
		return take_str(source, "plugin");
	path = setting_path(&source->config->arena, place, text);
	source->failed |= !path;
	return path;
}

static void take_device(struct config_device *device, struct source *source)
{
	const struct tenon_config *core = source->settings;

	device->type = take_str(source, "type");
	device->name = take_str(source, "name");
	device->plugin = take_plugin(source);
	device->has_address = settings_count(core, "address");
	device->address = settings_size(core, "address");
	device->has_irq = settings_count(core, "irq");
	device->irq = (uint32_t)settings_int(core, "irq");
	device->iothread = take_str(source, "iothread");
	device->isolation = take_str(source, "isolation");
	device->transport = take_str(source, "transport");
	device->type_place = take_place(source, "type");
	device->plugin_place = take_place(source, "plugin");
	device->address_place = take_place(source, "address");
	device->irq_place = take_place(source, "irq");
}

static int read_device(struct vm_config *config, const struct setting *setting,
	struct config_device *device, struct error *err)
{
	struct source source = { .config = config, .fallback = setting->place };
	const struct setting *name;
	struct tenon_config *settings;
	struct setting core;
	int r;

	if (setting->kind != SETTING_GROUP)
		return refuse(err, &setting->place, "a device must be a group { }");
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
	r = source.failed ? out_of_memory(err) : check_device(device, &source, err);
	settings_free(settings);
	return r;
}

static int check_unique(
	const struct vm_config *config, const struct config_device *device, struct error *err)
{
	char where[PLACE_TEXT_MAX];

	for (const struct config_device *other = config->devices; other < device; other++)
		if (strcmp(other->name, device->name) == 0)
			return refuse(err, &device->place,
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
		return out_of_memory(err);
	config->iothreads = grown;
	grown[config->n_iothreads++] = device->iothread;
	return 0;
}

static int read_devices(
	struct vm_config *config, const struct setting *root, size_t n_written, struct error *err)
{
	const struct setting *list = setting_find(root, "devices");

	if (!list)
		return 0;
	if (n_written > CONFIG_MAX_DEVICES)
		return refuse(err, &list->place, "there are %zu devices; wanted at most %u",
			n_written, CONFIG_MAX_DEVICES);
	config->devices = arena_alloc(&config->arena, list->n_items, sizeof(*config->devices));
	if (!config->devices)
		return out_of_memory(err);

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

static bool has_device(const struct setting *devices, const char *type)
{
	for (size_t i = 0; devices && i < devices->n_items; i++) {
		const struct setting *device = &devices->items[i];
		const struct setting *found =
			device->kind == SETTING_GROUP ? setting_find(device, "type") : NULL;

		if (found && found->text && strcmp(found->text, type) == 0)
			return true;
	}
	return false;
}

/* ---- the whole ---- */

static const char *const sections[] = { "vm", "payload", "devices" };
#define N_SECTIONS (sizeof(sections) / sizeof(*sections))

static int refuse_section(const struct setting *section, struct error *err)
{
	struct suggestion near = { .word = section->name };
	const char *home = config_section_of(section->name);
	char tail[SUGGEST_TEXT_MAX];

	if (home)
		return refuse(err, &section->place, "\"%s\" stands alone; it belongs into %s: { }",
			section->name, home);
	for (size_t i = 0; i < N_SECTIONS; i++)
		suggest_consider(&near, sections[i]);
	return refuse(err, &section->place, "unknown section \"%s\"%s", section->name,
		near.best ? suggest_text(&near, tail) : "; wanted vm, payload or devices");
}

static int check_sections(const struct setting *root, struct error *err)
{
	const struct setting *devices = setting_find(root, "devices");

	for (size_t i = 0; i < root->n_items; i++) {
		bool known = false;

		for (size_t j = 0; j < N_SECTIONS; j++)
			known |= strcmp(root->items[i].name, sections[j]) == 0;
		if (!known)
			return refuse_section(&root->items[i], err);
	}
	if (devices && devices->kind != SETTING_LIST)
		return refuse(err, &devices->place, "\"devices\" must be a list ( ) of groups { }");
	return 0;
}

/* The machine's own power device, and for the quick form something to talk to. */
static int add_implied(struct vm_config *config, struct setting *root, struct error *err)
{
	const struct setting *devices = setting_find(root, "devices");
	struct place place = { .file = root->place.file };

	if (!config->path && !has_device(devices, "console") && !(devices && devices->n_items)) {
		if (!config_add_device(&config->arena, root, "console", &place, err) ||
			!config_add_device(&config->arena, root, "rng", &place, err))
			return -ENOMEM;
		if (config->payload.kernel && !config->payload.cmdline[0])
			config->payload.cmdline = "console=hvc0";
	}
	if (config->platform_devices && !has_device(setting_find(root, "devices"), "power") &&
		!config_add_device(&config->arena, root, "power", &place, err))
		return -ENOMEM;
	return 0;
}

static int interpret(struct vm_config *config, struct setting *root,
	const struct config_override *overrides, size_t n_overrides, struct error *err)
{
	const struct setting *devices;
	size_t n_written;
	int r = check_sections(root, err);

	if (!r)
		r = config_name_devices(&config->arena, root, err);
	for (size_t i = 0; !r && i < n_overrides; i++)
		r = config_override_apply(&config->arena, root, &overrides[i], err);
	if (!r)
		r = read_vm(config, root, err);
	if (!r)
		r = read_payload(config, root, err);
	devices = setting_find(root, "devices");
	n_written = devices ? devices->n_items : 0;
	if (!r)
		r = add_implied(config, root, err);
	return r < 0 ? r : read_devices(config, root, n_written, err);
}

static struct vm_config *config_new(struct error *err)
{
	struct vm_config *config = calloc(1, sizeof(*config));

	if (!config)
		(void)out_of_memory(err);
	return config;
}

/* The last step of every way in. */
static int conclude(struct vm_config *config, int r, struct vm_config **ret_config)
{
	if (r < 0)
		vm_config_free(config);
	else
		*ret_config = config;
	return r;
}

int vm_config_read(const char *path, const struct config_override *overrides, size_t n_overrides,
	struct vm_config **ret_config, struct error *err)
{
	struct vm_config *config = config_new(err);
	struct setting root;
	int r;

	if (!config)
		return -ENOMEM;
	r = config_file_read(&config->arena, path, &root, err);
	if (!r)
		config->path = root.place.file;
	if (!r)
		r = interpret(config, &root, overrides, n_overrides, err);
	return conclude(config, r, ret_config);
}

int vm_config_read_string(const char *text, size_t size, const char *name,
	const struct config_override *overrides, size_t n_overrides, struct vm_config **ret_config,
	struct error *err)
{
	struct vm_config *config = config_new(err);
	struct setting root;
	int r;

	if (!config)
		return -ENOMEM;
	r = config_file_read_string(&config->arena, text, size, name, &root, err);
	if (!r)
		config->path = root.place.file;
	if (!r)
		r = interpret(config, &root, overrides, n_overrides, err);
	return conclude(config, r, ret_config);
}

int vm_config_from_command_line(const struct config_override *overrides, size_t n_overrides,
	struct vm_config **ret_config, struct error *err)
{
	struct setting root = { .kind = SETTING_GROUP, .place.file = "command line" };
	struct vm_config *config = config_new(err);

	if (!config)
		return -ENOMEM;
	return conclude(config, interpret(config, &root, overrides, n_overrides, err), ret_config);
}

static int check_file(
	const char *what, const char *path, const struct place *place, struct error *err)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

	if (!path)
		return 0;
	if (fd < 0)
		return refuse(
			err, place, "%s: cannot open \"%s\": %s", what, path, strerror(errno));
	(void)close(fd);
	return 0;
}

int vm_config_check_files(const struct vm_config *config, struct error *err)
{
	const struct payload_config *p = &config->payload;
	int r = check_file("kernel", p->kernel, &config->kernel_place, err);

	if (!r)
		r = check_file("bundle", p->bundle, &config->bundle_place, err);
	if (!r)
		r = check_file("firmware", p->firmware, &config->firmware_place, err);
	if (!r)
		r = check_file("initrd", p->initrd, &config->initrd_place, err);
	return r;
}

void vm_config_free(struct vm_config *config)
{
	if (!config)
		return;
	arena_finish(&config->arena);
	free(config);
}
