/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the tree as written to the description of a VM.  The core's own settings are declared in
 * tables and go through settings.c like those of a device; what is left to do here is what one
 * table cannot say.
 */
#include "core/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config_file.h"
#include "core/config_override.h"
#include "core/config_tables.h"
#include "core/config_take.h"
#include "core/machine.h"
#include "core/settings.h"
#include "core/suggest.h"

#define MEMORY_UNIT ((uint64_t)4096)

/* ---- vm ---- */

/* The file's name without folder and ending, as far as it is a name. */
static const char *default_name(struct vm_config *config)
{
	const char *slash = config->path ? strrchr(config->path, '/') : NULL;
	const char *base = slash ? slash + 1 : config->path;
	char *name;

	if (!base)
		return "tenon";
	name = arena_strndup(&config->arena, base, strcspn(base, "."));
	return name && config_is_name(name) ? name : "tenon";
}

static int check_topology(struct vm_config *config, struct error *err)
{
	uint32_t per_socket;

	if (config->vcpus % config->threads_per_core)
		return config_refuse(err, &config->vcpus_place,
			"%u vCPUs do not make whole cores of %u (threads_per_core)", config->vcpus,
			config->threads_per_core);
	if (!config->cores_per_socket)
		config->cores_per_socket = config->vcpus / config->threads_per_core;
	if (__builtin_mul_overflow(
		    config->cores_per_socket, config->threads_per_core, &per_socket) ||
		config->vcpus % per_socket)
		return config_refuse(err, &config->vcpus_place,
			"%u vCPUs do not make whole sockets of %u (cores_per_socket = %u, "
			"threads_per_core = %u)",
			config->vcpus, config->cores_per_socket * config->threads_per_core,
			config->cores_per_socket, config->threads_per_core);
	return 0;
}

static int check_vm(struct vm_config *config, struct config_source *source, struct error *err)
{
	struct place strings = config_take_place(source, "oem_strings");

	if (!config_is_name(config->name))
		return config_refuse(err, settings_place(source->settings, "name"),
			"\"name\" is \"%s\"; wanted at most %u letters, digits, _ and -",
			config->name, CONFIG_MAX_NAME);
	if (config->memory_bytes % MEMORY_UNIT)
		return config_refuse(err, &config->memory_place,
			"\"memory\" is %llu bytes; wanted a multiple of \"4K\"",
			(unsigned long long)config->memory_bytes);
	if (!config->hypervisor[0])
		return config_refuse(err, &config->hypervisor_place,
			"\"hypervisor\" is empty; wanted \"auto\" or a backend's name");
	if (config->n_oem_strings > MACHINE_MAX_OEM)
		return config_refuse(err, &strings,
			"\"oem_strings\" has %zu elements; wanted at most %d",
			config->n_oem_strings, MACHINE_MAX_OEM);
	return check_topology(config, err);
}

static void take_vm(struct vm_config *config, struct config_source *source)
{
	const struct tenon_config *vm = source->settings;

	config->name = config_take_str(source, "name");
	if (!config->name)
		config->name = default_name(config);
	config->vcpus = (uint32_t)settings_int(vm, "vcpus");
	config->threads_per_core = (uint32_t)settings_int(vm, "threads_per_core");
	config->cores_per_socket = (uint32_t)settings_int(vm, "cores_per_socket");
	config->memory_bytes = settings_size(vm, "memory");
	config->hypervisor = config_take_str(source, "hypervisor");
	config->deterministic = settings_int(vm, "deterministic");
	config->on_reboot = settings_int(vm, "on_reboot") ? ON_REBOOT_EXIT : ON_REBOOT_RESET;
	config->shutdown_timeout = (uint32_t)settings_int(vm, "shutdown_timeout");
	config->acpi = settings_int(vm, "acpi");
	config->pmu = settings_int(vm, "pmu");
	config->sandbox = (enum sandbox_mode)settings_int(vm, "sandbox");
	config->timing = settings_int(vm, "timing");
	config->platform_devices = settings_int(vm, "platform_devices");
	config->isolate = settings_int(vm, "isolation");
	config->restart_limit = (uint32_t)settings_int(vm, "restart_limit");
	config->oem_strings = config_take_list(source, "oem_strings", &config->n_oem_strings);
	config->plugin_path = config_take_list(source, "plugin_path", &config->n_plugin_path);
	config->vcpus_place = config_take_place(source, "vcpus");
	config->memory_place = config_take_place(source, "memory");
	config->hypervisor_place = config_take_place(source, "hypervisor");
	config->deterministic_place = config_take_place(source, "deterministic");
}

/* A top-level group; an empty one if it is not there. */
static int find_group(
	const struct setting *root, const char *name, struct setting *ret_group, struct error *err)
{
	const struct setting *group = setting_find(root, name);

	if (group && group->kind != SETTING_GROUP)
		return config_refuse(err, &group->place, "\"%s\" must be a group { }", name);
	if (group)
		*ret_group = *group;
	else
		*ret_group = (struct setting){ .place = root->place, .kind = SETTING_GROUP };
	return 0;
}

static int read_vm(struct vm_config *config, const struct setting *root, struct error *err)
{
	struct config_source source = { .config = config };
	struct tenon_config *settings = NULL;
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
	r = source.failed ? config_no_memory(err) : check_vm(config, &source, err);
	settings_free(settings);
	return r;
}

/* ---- payload ---- */

static int check_payload(const struct vm_config *config, struct error *err)
{
	const struct payload_config *p = &config->payload;
	int n = !!p->kernel + !!p->bundle + !!p->firmware;

	if (!n)
		return config_refuse(err, &config->payload_place,
			"there is nothing to boot: payload needs kernel, bundle or firmware");
	if (n > 1)
		return config_refuse(err,
			p->firmware ? &config->firmware_place : &config->bundle_place,
			"payload has %s and %s; wanted one of kernel, bundle and firmware",
			p->kernel ? "kernel" : "bundle", p->firmware ? "firmware" : "bundle");
	if (p->firmware && p->initrd)
		return config_refuse(err, &config->initrd_place,
			"firmware takes no initrd: it finds its own on the devices");
	return 0;
}

static int read_payload(struct vm_config *config, const struct setting *root, struct error *err)
{
	struct payload_config *p = &config->payload;
	struct config_source source = { .config = config };
	struct tenon_config *settings = NULL;
	struct setting group;
	int r = find_group(root, "payload", &group, err);

	if (!r)
		r = settings_check_group(
			&group, &group.place, NULL, "payload", config_payload_keys, &settings, err);
	if (r < 0)
		return r;

	config->payload_place = source.fallback = group.place;
	source.settings = settings;
	p->kernel = config_take_str(&source, "kernel");
	p->initrd = config_take_str(&source, "initrd");
	p->bundle = config_take_str(&source, "bundle");
	p->firmware = config_take_str(&source, "firmware");
	p->cmdline = config_take_str(&source, "cmdline");
	p->boot = config_take_str(&source, "boot");
	config->kernel_place = config_take_place(&source, "kernel");
	config->initrd_place = config_take_place(&source, "initrd");
	config->bundle_place = config_take_place(&source, "bundle");
	config->firmware_place = config_take_place(&source, "firmware");
	r = source.failed ? config_no_memory(err) : check_payload(config, err);
	settings_free(settings);
	return r;
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
		return config_refuse(err, &section->place,
			"\"%s\" stands alone; it belongs into %s: { }", section->name, home);
	for (size_t i = 0; i < N_SECTIONS; i++)
		suggest_consider(&near, sections[i]);
	return config_refuse(err, &section->place, "unknown section \"%s\"%s", section->name,
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
		return config_refuse(
			err, &devices->place, "\"devices\" must be a list ( ) of groups { }");
	return 0;
}

/* The machine's own power device, and for the quick form something to talk to. */
static int add_implied(struct vm_config *config, struct setting *root, struct error *err)
{
	const struct setting *devices = setting_find(root, "devices");
	const struct setting *payload = setting_find(root, "payload");
	struct place place = { .file = root->place.file };

	if (!config->path && !has_device(devices, "console") && !(devices && devices->n_items)) {
		if (!config_add_device(&config->arena, root, "console", &place, err) ||
			!config_add_device(&config->arena, root, "rng", &place, err))
			return -ENOMEM;
		/* An empty one that was written is what was wanted. */
		if (config->payload.kernel && !(payload && setting_find(payload, "cmdline")))
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
	return r < 0 ? r : config_read_devices(config, root, n_written, err);
}

static struct vm_config *config_new(struct error *err)
{
	struct vm_config *config = calloc(1, sizeof(*config));

	if (!config)
		(void)config_no_memory(err);
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
		return config_refuse(
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
