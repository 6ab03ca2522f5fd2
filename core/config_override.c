/* SPDX-License-Identifier: Apache-2.0 */
/* Every override is written into the tree at the place "--set KEY=VALUE", and checked later like
 * anything else in it. */
#include "core/config_override.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/config.h"
#include "core/config_file.h"
#include "core/config_tables.h"
#include "core/error.h"
#include "core/setting.h"
#include "core/suggest.h"

/* One override being applied. */
struct job {
	struct arena *arena;
	struct setting *root;
	struct place place; /* "--set vm.memory=1G" */
	struct error *err;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
}

/* ---- names ---- */

static const char *text_of(const struct setting *group, const char *key)
{
	const struct setting *setting =
		group->kind == SETTING_GROUP ? setting_find(group, key) : NULL;

	if (!setting || (setting->kind != SETTING_STRING && setting->kind != SETTING_WORD))
		return NULL;
	return setting->text;
}

static struct setting *find_device(const struct setting *devices, const char *name)
{
	for (size_t i = 0; i < devices->n_items; i++) {
		const char *other = text_of(&devices->items[i], "name");

		if (other && strcmp(other, name) == 0)
			return &devices->items[i];
	}
	return NULL;
}

static int name_device(struct arena *arena, const struct setting *devices, struct setting *device,
	struct error *err)
{
	const char *type = text_of(device, "type");
	struct setting *name;
	const char *text;

	if (!type || setting_find(device, "name"))
		return 0;
	text = arena_strdup(arena, type);
	for (unsigned int i = 1; text && find_device(devices, text); i++)
		text = arena_printf(arena, "%s%u", type, i);

	name = text ? setting_add(arena, device, "name", &device->place) : NULL;
	if (!name)
		return out_of_memory(err);
	name->kind = SETTING_STRING;
	name->text = text;
	return 0;
}

int config_name_devices(struct arena *arena, struct setting *root, struct error *err)
{
	struct setting *devices = setting_find(root, "devices");
	int r = 0;

	if (!devices || devices->kind != SETTING_LIST)
		return 0;
	/* More than a machine can have is refused later, and not worth the search for names. */
	for (size_t i = 0; !r && i < devices->n_items && i < CONFIG_MAX_DEVICES; i++)
		if (devices->items[i].kind == SETTING_GROUP)
			r = name_device(arena, devices, &devices->items[i], err);
	return r;
}

/* ---- writing into the tree ---- */

__attribute__((format(printf, 2, 3))) static int refuse(
	const struct job *job, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(job->err, EXIT_USAGE, -EINVAL, "%s: %s", job->place.file, text);
}

/* The member, made new if need be, emptied if not. */
static struct setting *member(const struct job *job, struct setting *group, const char *name)
{
	struct setting *setting = setting_find(group, name);

	if (!setting)
		return setting_add(job->arena, group, name, &job->place);
	*setting = (struct setting){ .name = setting->name, .place = job->place };
	return setting;
}

static int assign(const struct job *job, struct setting *group, const char *key, const char *text)
{
	struct setting *setting = member(job, group, key);

	if (!setting)
		return out_of_memory(job->err);
	return config_value_parse(job->arena, text, &job->place, setting, job->err);
}

/* The top-level group or list, made if it is not there. */
static int section(const struct job *job, const char *name, enum setting_kind kind,
	struct setting **ret_section)
{
	struct setting *setting = setting_find(job->root, name);

	if (!setting) {
		setting = setting_add(job->arena, job->root, name, &job->place);
		if (!setting)
			return out_of_memory(job->err);
		setting->kind = kind;
	}
	if (setting->kind != kind) {
		char where[PLACE_TEXT_MAX];

		return error_set(job->err, EXIT_USAGE, -EINVAL, "%s: \"%s\" must be %s",
			place_text(&setting->place, where), name,
			kind == SETTING_GROUP ? "a group { }" : "a list ( ) of groups { }");
	}
	*ret_section = setting;
	return 0;
}

/* ---- --set ---- */

static int set_in_device(const struct job *job, const char *rest, const char *text)
{
	struct suggestion near = { .word = NULL };
	const char *dot = strchr(rest, '.');
	struct setting *devices, *device;
	char tail[SUGGEST_TEXT_MAX];
	const char *name;
	int r;

	if (!dot || dot == rest || !dot[1])
		return refuse(job, "wanted devices.NAME.KEY=VALUE");
	name = arena_strndup(job->arena, rest, (size_t)(dot - rest));
	if (!name)
		return out_of_memory(job->err);
	r = section(job, "devices", SETTING_LIST, &devices);
	if (r < 0)
		return r;

	device = find_device(devices, name);
	if (device)
		return assign(job, device, dot + 1, text);

	near.word = name;
	for (size_t i = 0; i < devices->n_items; i++)
		if (text_of(&devices->items[i], "name"))
			suggest_consider(&near, text_of(&devices->items[i], "name"));
	return refuse(job, "there is no device called \"%s\"%s", name, suggest_text(&near, tail));
}

static int set_path(const struct job *job, const char *path, const char *text)
{
	const char *dot = strchr(path, '.');
	struct setting *group;
	const char *name;
	int r;

	if (!dot && config_section_of(path))
		return refuse(job, "\"%s\" is not a setting (did you mean \"%s.%s\"?)", path,
			config_section_of(path), path);
	if (!dot || dot == path || !dot[1])
		return refuse(job,
			"\"%s\" is not a setting; wanted vm.KEY, payload.KEY or devices.NAME.KEY",
			path);
	name = arena_strndup(job->arena, path, (size_t)(dot - path));
	if (!name)
		return out_of_memory(job->err);
	if (strcmp(name, "devices") == 0)
		return set_in_device(job, dot + 1, text);
	if (strcmp(name, "vm") != 0 && strcmp(name, "payload") != 0)
		return refuse(job,
			"there is no \"%s\" in a configuration; wanted vm.KEY, payload.KEY or "
			"devices.NAME.KEY",
			name);

	r = section(job, name, SETTING_GROUP, &group);
	return r < 0 ? r : assign(job, group, dot + 1, text);
}

static int apply_set(const struct job *job, const struct config_override *override)
{
	const char *equals = strchr(override->text, '=');
	const char *key;

	if (override->key)
		return set_path(job, override->key, override->text);
	if (!equals || equals == override->text)
		return refuse(job, "wanted KEY=VALUE");
	key = arena_strndup(job->arena, override->text, (size_t)(equals - override->text));
	return key ? set_path(job, key, equals + 1) : out_of_memory(job->err);
}

/* ---- --device ---- */

/* The length of a value: up to a comma, but not one inside of quotes or brackets that begin it. */
static size_t value_length(const char *text)
{
	bool nests = text[0] && strchr("\"([{", text[0]), quoted = false;
	unsigned int depth = 0;
	size_t n;

	for (n = 0; text[n]; n++) {
		if (!nests) {
			if (text[n] == ',')
				break;
			continue;
		}
		if (quoted && text[n] == '\\' && text[n + 1])
			n++;
		else if (text[n] == '"')
			quoted = !quoted;
		else if (!quoted && strchr("([{", text[n]))
			depth++;
		else if (!quoted && strchr(")]}", text[n]))
			depth -= depth > 0;
		else if (text[n] == ',' && !quoted && !depth)
			break;
	}
	return n;
}

/* A key given again makes a list of what was given. */
static int add_again(const struct job *job, struct setting *setting, const char *text)
{
	struct setting *item;

	if (!setting->repeated) {
		struct setting first = *setting;

		*setting = (struct setting){ .name = first.name,
			.place = first.place,
			.kind = SETTING_LIST,
			.repeated = true };
		item = setting_add(job->arena, setting, NULL, &job->place);
		if (!item)
			return out_of_memory(job->err);
		first.name = NULL;
		*item = first;
	}
	item = setting_add(job->arena, setting, NULL, &job->place);
	if (!item)
		return out_of_memory(job->err);
	return config_value_parse(job->arena, text, &job->place, item, job->err);
}

/* "KEY=VALUE", or "KEY" for something that is on or off. */
static int apply_pair(const struct job *job, struct setting *device, const char *key, size_t n_key,
	const char *value, size_t n_value)
{
	const char *name = arena_strndup(job->arena, key, n_key);
	const char *text = value ? arena_strndup(job->arena, value, n_value)
				 : arena_strdup(job->arena, "true");
	struct setting *setting;

	if (!name || !text)
		return out_of_memory(job->err);
	if (!n_key)
		return refuse(job, "wanted TYPE,KEY=VALUE,...");
	setting = setting_find(device, name);
	return setting ? add_again(job, setting, text) : assign(job, device, name, text);
}

int config_add_pair(struct arena *arena, struct setting *device, const char *text,
	const struct place *place, struct error *err)
{
	const struct job job = { .arena = arena, .place = *place, .err = err };
	const size_t n = strcspn(text, "=");

	if (n == 0)
		return refuse(&job, "wanted KEY=VALUE, not \"%.60s\"", text);
	return apply_pair(&job, device, text, n, text[n] ? text + n + 1 : NULL,
		text[n] ? strlen(text + n + 1) : 0);
}

static int apply_device(const struct job *job, const struct config_override *override)
{
	const char *at = override->text;
	size_t n = strcspn(at, ",");
	struct setting *devices, *device;
	const char *type;
	int r;

	if (!n || memchr(at, '=', n))
		return refuse(job, "wanted TYPE,KEY=VALUE,... with the type first");
	r = section(job, "devices", SETTING_LIST, &devices);
	if (r < 0)
		return r;
	type = arena_strndup(job->arena, at, n);
	device = type ? setting_add(job->arena, devices, NULL, &job->place) : NULL;
	if (!device)
		return out_of_memory(job->err);
	device->kind = SETTING_GROUP;
	r = assign(job, device, "type", type);

	for (at += n; !r && *at == ',';) {
		size_t n_key = strcspn(++at, "=,");
		bool has_value = at[n_key] == '=';
		const char *value = has_value ? at + n_key + 1 : NULL;
		size_t n_value = has_value ? value_length(value) : 0;

		r = apply_pair(job, device, at, n_key, value, n_value);
		at += n_key + (has_value ? 1 + n_value : 0);
	}
	return r < 0 ? r : name_device(job->arena, devices, device, job->err);
}

int config_override_apply(struct arena *arena, struct setting *root,
	const struct config_override *override, struct error *err)
{
	struct job job = { .arena = arena, .root = root, .err = err };

	job.place.file = arena_printf(arena, "%s %s", override->option, override->text);
	if (!job.place.file)
		return out_of_memory(err);
	return override->kind == OVERRIDE_DEVICE ? apply_device(&job, override)
						 : apply_set(&job, override);
}

struct setting *config_add_device(struct arena *arena, struct setting *root, const char *type,
	const struct place *place, struct error *err)
{
	struct job job = { .arena = arena, .root = root, .place = *place, .err = err };
	struct setting *devices, *device;

	if (section(&job, "devices", SETTING_LIST, &devices) < 0)
		return NULL;
	device = setting_add(arena, devices, NULL, place);
	if (!device) {
		(void)out_of_memory(err);
		return NULL;
	}
	device->kind = SETTING_GROUP;
	if (assign(&job, device, "type", type) < 0 || name_device(arena, devices, device, err) < 0)
		return NULL;
	return device;
}
