/* SPDX-License-Identifier: Apache-2.0 */
/* Settings held against their table, and the getters that plugins read them with. */
#include "core/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/config.h"
#include "core/config_file.h"
#include "core/error.h"
#include "core/setting.h"
#include "core/settings_value.h"
#include "core/size.h"
#include "core/suggest.h"

/* What one key of the table came to. */
struct entry {
	bool given; /* written by somebody, at `place` */
	struct place place;
	struct value *values;
	uint32_t n_values;
};

struct tenon_config {
	const struct tenon_key *keys;
	size_t n_keys;
	struct entry *entries; /* one per key */
	struct arena arena;
};

/* What is being checked; for errors. */
struct check {
	struct tenon_config *config;
	const char *subject, *owner;
	bool in_device; /* the core's settings of a device stand beside these */
	struct error *err;
};

static const struct tenon_key no_keys[1];

/* ---- errors ---- */

__attribute__((format(printf, 3, 4))) static int refuse(
	const struct check *check, const struct place *place, const char *format, ...)
{
	char text[700], where[PLACE_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(check->err, EXIT_USAGE, -EINVAL, "%s: %s%s%s", place_text(place, where),
		check->subject ? check->subject : "", check->subject ? ": " : "", text);
}

static int out_of_memory(const struct check *check)
{
	return error_set(check->err, EXIT_HOST, -ENOMEM, "out of memory");
}

/* A plain number that is past what the file's reader keeps: show how to write it. */
static int refuse_wide(const struct check *check, const struct tenon_key *key, const char *what,
	const struct setting *setting)
{
	char found[SETTING_FOUND_MAX], size[SIZE_TEXT_MAX];
	uint64_t number = setting->number > 0 ? (uint64_t)setting->number : 0;

	setting_found(setting, found);
	if (key->type == TENON_KEY_ADDR)
		return refuse(check, &setting->place,
			"%s is %s; write addresses as strings, such as \"0x%" PRIx64 "\"", what,
			found, number ? number : UINT64_C(0xd0000000));
	return refuse(check, &setting->place, "%s is %s; write sizes as strings, such as \"%s\"",
		what, found, size_format(number ? number : UINT64_C(512) << 20, size));
}

static int refuse_value(const struct check *check, const struct tenon_key *key, const char *what,
	const struct setting *setting, int r)
{
	char found[SETTING_FOUND_MAX], wanted[VALUE_WANTED_MAX];
	bool secret = key->flags & TENON_KEY_SECRET;

	if (r == -ENOMEM)
		return out_of_memory(check);
	if (r == -EBADF)
		return refuse(check, &setting->place, "%s is %s, which is not an open descriptor",
			what, setting_found(setting, found));
	if ((key->type == TENON_KEY_SIZE || key->type == TENON_KEY_ADDR) &&
		setting->kind == SETTING_INT &&
		(setting->number < 0 || setting->number > INT32_MAX))
		return refuse_wide(check, key, what, setting);

	return refuse(check, &setting->place, "%s is %s; wanted %s", what,
		secret ? "something else" : setting_found(setting, found),
		value_wanted(key, wanted));
}

static int refuse_unknown(const struct check *check, const struct setting *setting)
{
	struct suggestion near = { .word = setting->name };
	char tail[SUGGEST_TEXT_MAX];

	for (const struct tenon_key *key = check->config->keys; key->name; key++)
		suggest_consider(&near, key->name);
	for (size_t i = 0; check->in_device && settings_reserved_name(i); i++)
		suggest_consider(&near, settings_reserved_name(i));
	return refuse(check, &setting->place, "unknown setting \"%s\" for %s%s", setting->name,
		check->owner, suggest_text(&near, tail));
}

/* ---- checking ---- */

static const struct tenon_key *find_key(const struct tenon_config *config, const char *name)
{
	for (const struct tenon_key *key = config->keys; key->name; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

static struct entry *find_entry(const struct tenon_config *config, const char *name)
{
	const struct tenon_key *key = config ? find_key(config, name) : NULL;

	return key ? &config->entries[key - config->keys] : NULL;
}

static int read_list(const struct check *check, const struct tenon_key *key,
	const struct setting *setting, struct entry *entry)
{
	struct arena *arena = &check->config->arena;

	if (setting->n_items > UINT32_MAX)
		return out_of_memory(check);
	entry->values = arena_alloc(arena, setting->n_items, sizeof(*entry->values));
	if (!entry->values)
		return out_of_memory(check);

	for (size_t i = 0; i < setting->n_items; i++) {
		int r = value_read(arena, key, &setting->items[i], &entry->values[i]);

		if (r < 0) {
			char what[128];

			(void)snprintf(
				what, sizeof(what), "element %zu of \"%s\"", i + 1, key->name);
			return refuse_value(check, key, what, &setting->items[i], r);
		}
	}
	entry->n_values = (uint32_t)setting->n_items;
	return 0;
}

static int read_entry(const struct check *check, const struct tenon_key *key,
	const struct setting *setting, struct entry *entry)
{
	char what[128];
	int r;

	if ((key->flags & TENON_KEY_LIST) && setting->kind == SETTING_LIST)
		return read_list(check, key, setting, entry);

	entry->values = arena_alloc(&check->config->arena, 1, sizeof(*entry->values));
	if (!entry->values)
		return out_of_memory(check);
	r = value_read(&check->config->arena, key, setting, entry->values);
	if (r < 0) {
		(void)snprintf(what, sizeof(what), "\"%s\"", key->name);
		return refuse_value(check, key, what, setting, r);
	}
	entry->n_values = 1;
	return 0;
}

static int copy_place(struct arena *arena, const struct place *place, struct place *ret_place)
{
	*ret_place = *place;
	ret_place->file = arena_strdup(arena, place->file);
	ret_place->folder = place->folder ? arena_strdup(arena, place->folder) : NULL;
	return ret_place->file && (ret_place->folder || !place->folder) ? 0 : -ENOMEM;
}

static int read_given(const struct check *check, const struct setting *group)
{
	for (size_t i = 0; i < group->n_items; i++) {
		const struct setting *setting = &group->items[i];
		const struct tenon_key *key = find_key(check->config, setting->name);
		struct entry *entry = find_entry(check->config, setting->name);
		int r;

		if (!key)
			return refuse_unknown(check, setting);
		r = read_entry(check, key, setting, entry);
		if (r < 0)
			return r;
		if (copy_place(&check->config->arena, &setting->place, &entry->place) < 0)
			return out_of_memory(check);
		entry->given = true;
	}
	return 0;
}

static int read_fallback(const struct check *check, const struct tenon_key *key,
	const struct place *place, struct entry *entry)
{
	/* A path among them starts from where a written one would. */
	struct place nowhere = {
		.file = place->file, .folder = place->folder, .line = place->line
	};
	struct setting setting = { .name = key->name, .place = nowhere };
	struct check quiet = *check;
	int r;

	quiet.err = NULL;
	r = config_value_parse(&check->config->arena, key->fallback, &nowhere, &setting, quiet.err);
	if (!r)
		r = read_entry(&quiet, key, &setting, entry);
	if (r < 0)
		return error_set(check->err, EXIT_INTERNAL, r,
			"%s: the default of \"%s\" in the plugin is not usable: '%s'", check->owner,
			key->name, key->fallback);
	return 0;
}

static int fill_missing(const struct check *check, const struct place *place)
{
	for (size_t i = 0; i < check->config->n_keys; i++) {
		const struct tenon_key *key = &check->config->keys[i];
		struct entry *entry = &check->config->entries[i];
		int r;

		if (entry->given)
			continue;
		if (key->flags & TENON_KEY_REQUIRED)
			return refuse(check, place, "\"%s\" is missing: %s needs it", key->name,
				check->owner);
		if (!key->fallback)
			continue;
		r = read_fallback(check, key, place, entry);
		if (r < 0)
			return r;
	}
	return 0;
}

/* @check without its config. */
static int check_group(struct check check, const struct setting *group, const struct place *place,
	const struct tenon_key *keys, struct tenon_config **ret_config)
{
	struct tenon_config *config = calloc(1, sizeof(*config));
	int r;

	check.config = config;
	if (!config)
		return out_of_memory(&check);
	config->keys = keys ? keys : no_keys;
	while (config->keys[config->n_keys].name)
		config->n_keys++;
	config->entries = arena_alloc(&config->arena, config->n_keys, sizeof(*config->entries));
	if (!config->entries) {
		r = out_of_memory(&check);
		goto free_config;
	}

	r = read_given(&check, group);
	if (r < 0)
		goto free_config;
	r = fill_missing(&check, place);
	if (r < 0)
		goto free_config;

	*ret_config = config;
	return 0;

free_config:
	settings_free(config);
	return r;
}

int settings_check_group(const struct setting *group, const struct place *place,
	const char *subject, const char *owner, const struct tenon_key *keys,
	struct tenon_config **ret_config, struct error *err)
{
	const struct check check = { .subject = subject, .owner = owner, .err = err };

	return check_group(check, group, place, keys, ret_config);
}

int settings_check(const struct config_device *device, const struct tenon_key *keys,
	struct tenon_config **ret_config, struct error *err)
{
	const struct check check = {
		.subject = device->name, .owner = device->type, .in_device = true, .err = err
	};

	return check_group(check, &device->settings, &device->place, keys, ret_config);
}

void settings_free(struct tenon_config *config)
{
	if (!config)
		return;
	arena_finish(&config->arena);
	free(config);
}

/* ---- getters ---- */

uint32_t settings_count(const struct tenon_config *config, const char *key)
{
	const struct entry *entry = find_entry(config, key);

	return entry ? entry->n_values : 0;
}

const char *settings_str(const struct tenon_config *config, const char *key, uint32_t index)
{
	const struct entry *entry = find_entry(config, key);

	return entry && index < entry->n_values ? entry->values[index].text : NULL;
}

int64_t settings_int(const struct tenon_config *config, const char *key)
{
	const struct entry *entry = find_entry(config, key);

	return entry && entry->n_values ? entry->values[0].number : 0;
}

uint64_t settings_size(const struct tenon_config *config, const char *key)
{
	const struct entry *entry = find_entry(config, key);

	return entry && entry->n_values ? entry->values[0].size : 0;
}

const struct place *settings_place(const struct tenon_config *config, const char *key)
{
	const struct entry *entry = find_entry(config, key);

	return entry && entry->given ? &entry->place : NULL;
}

/* ---- printing ---- */

static void print_quoted(const char *text, FILE *out)
{
	(void)fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			(void)fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

static void print_value(const struct tenon_key *key, const struct value *value, FILE *out)
{
	char size[SIZE_TEXT_MAX];

	switch (key->type) {
	case TENON_KEY_BOOL:
		(void)fputs(value->number ? "true" : "false", out);
		break;
	case TENON_KEY_INT:
	case TENON_KEY_FD:
		(void)fprintf(out, "%" PRId64, value->number);
		break;
	case TENON_KEY_SIZE:
		(void)fprintf(out, "\"%s\"", size_format(value->size, size));
		break;
	case TENON_KEY_ADDR:
		(void)fprintf(out, "\"0x%" PRIx64 "\"", value->size);
		break;
	default:
		print_quoted(value->text ? value->text : "", out);
		break;
	}
}

static void print_entry(const struct tenon_key *key, const struct entry *entry, FILE *out)
{
	if (key->flags & TENON_KEY_SECRET) {
		(void)fputs("\"***\"", out);
		return;
	}
	if (!(key->flags & TENON_KEY_LIST)) {
		print_value(key, entry->values, out);
		return;
	}
	(void)fputc('(', out);
	for (uint32_t i = 0; i < entry->n_values; i++) {
		(void)fputs(i ? ", " : " ", out);
		print_value(key, &entry->values[i], out);
	}
	(void)fputs(" )", out);
}

void settings_print(const struct tenon_config *config, const char *indent, FILE *out)
{
	for (size_t i = 0; i < config->n_keys; i++) {
		const struct entry *entry = &config->entries[i];

		if (!entry->given && !entry->n_values)
			continue;
		(void)fprintf(out, "%s%s = ", indent, config->keys[i].name);
		print_entry(&config->keys[i], entry, out);
		(void)fputs(entry->given ? "\n" : " (default)\n", out);
	}
}
