/* SPDX-License-Identifier: Apache-2.0 */
/* Runs libconfig over the prepared text and copies what it found into our own tree. */
#include "core/config_file.h"

#include <ctype.h>
#include <errno.h>
#include <libconfig.h>
#include <stdbool.h>
#include <string.h>

#include "core/arena.h"
#include "core/config_text.h"
#include "core/error.h"
#include "core/setting.h"

static int out_of_memory(struct error *err)
{
	return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
}

/* ---- from libconfig's objects to ours ---- */

struct copier {
	struct arena *arena;
	const struct config_text *text; /* NULL: every place is that of the parent */
	struct error *err;
};

static int copy_value(const struct copier *copier, config_setting_t *from, struct setting *to);

static int copy_items(const struct copier *copier, config_setting_t *from, struct setting *to)
{
	int n = config_setting_length(from);

	for (int i = 0; i < n; i++) {
		config_setting_t *item = config_setting_get_elem(from, (unsigned int)i);
		const struct place *place = copier->text ? config_text_place(copier->text,
								   config_setting_source_line(item))
							 : &to->place;
		struct setting *copy =
			setting_add(copier->arena, to, config_setting_name(item), place);
		int r;

		if (!copy)
			return out_of_memory(copier->err);
		r = copy_value(copier, item, copy);
		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_text(const struct copier *copier, const char *text, struct setting *to)
{
	to->text = arena_strdup(copier->arena, text);
	return to->text ? 0 : out_of_memory(copier->err);
}

static int copy_value(const struct copier *copier, config_setting_t *from, struct setting *to)
{
	switch (config_setting_type(from)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		to->kind = SETTING_INT;
		to->number = config_setting_get_int64(from);
		return 0;
	case CONFIG_TYPE_BOOL:
		to->kind = SETTING_BOOL;
		to->number = config_setting_get_bool(from) != 0;
		return 0;
	case CONFIG_TYPE_FLOAT:
		to->kind = SETTING_FLOAT;
		to->text = arena_printf(copier->arena, "%g", config_setting_get_float(from));
		return to->text ? 0 : out_of_memory(copier->err);
	case CONFIG_TYPE_STRING: {
		const char *text = config_setting_get_string(from);

		to->kind = SETTING_STRING;
		return copy_text(copier, text ? text : "", to);
	}
	case CONFIG_TYPE_GROUP:
		to->kind = SETTING_GROUP;
		return copy_items(copier, from, to);
	default:
		to->kind = SETTING_LIST;
		return copy_items(copier, from, to);
	}
}

/* ---- libconfig's errors in our words ---- */

/* The one name that is given a value on the line; NULL if there are none or several. */
static const char *name_on_line(struct arena *arena, const char *line, size_t n)
{
	const char *found = NULL;
	size_t found_size = 0;

	for (size_t i = 0; i < n;) {
		size_t start = i, after;

		if (line[i] == '"') {
			for (i++; i < n && line[i] != '"'; i++)
				i += line[i] == '\\';
			i++;
			continue;
		}
		while (i < n && (isalnum((unsigned char)line[i]) || strchr("_-*", line[i])))
			i++;
		if (i == start) {
			i++;
			continue;
		}
		for (after = i; after < n && (line[after] == ' ' || line[after] == '\t');)
			after++;
		if (after < n && (line[after] == '=' || line[after] == ':')) {
			if (found)
				return NULL;
			found = line + start;
			found_size = i - start;
		}
	}
	return found ? arena_strndup(arena, found, found_size) : NULL;
}

/* The line of the text, without blanks at its ends. */
static const char *text_line(const struct config_text *text, unsigned int number, size_t *ret_size)
{
	const char *line = text->text ? text->text : "";
	size_t n;

	for (unsigned int i = 1; i < number; i++) {
		const char *newline = strchr(line, '\n');

		if (!newline)
			break;
		line = newline + 1;
	}
	n = strcspn(line, "\n");
	while (n && isspace((unsigned char)line[0])) {
		line++;
		n--;
	}
	while (n && isspace((unsigned char)line[n - 1]))
		n--;
	*ret_size = n;
	return line;
}

static int refuse_parse(struct arena *arena, const config_t *parser, const struct config_text *text,
	struct error *err)
{
	unsigned int number =
		config_error_line(parser) > 0 ? (unsigned)config_error_line(parser) : 1;
	const char *cause = config_error_text(parser);
	char where[PLACE_TEXT_MAX];
	const char *line, *name;
	size_t n;

	place_text(config_text_place(text, number), where);
	line = text_line(text, number, &n);
	if (cause && strcmp(cause, "duplicate setting name") == 0) {
		name = name_on_line(arena, line, n);
		if (name)
			return error_set(err, EXIT_USAGE, -EINVAL,
				"%s: the setting \"%s\" is there twice", where, name);
		return error_set(err, EXIT_USAGE, -EINVAL, "%s: a setting is there twice", where);
	}
	if (cause && strcmp(cause, "mismatched element type in array") == 0)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"%s: the elements of an array [ ] must be of one type; write ( ) instead",
			where);
	if (!n)
		return error_set(err, EXIT_USAGE, -EINVAL, "%s: syntax error", where);
	return error_set(err, EXIT_USAGE, -EINVAL, "%s: syntax error at or before '%.*s'", where,
		n > 60 ? 60 : (int)n, line);
}

/* ---- doors ---- */

static int parse(struct arena *arena, const struct config_text *text, struct setting *root,
	struct error *err)
{
	struct copier copier = { .arena = arena, .text = text, .err = err };
	config_t parser;
	int r;

	config_init(&parser);
	if (config_read_string(&parser, text->text ? text->text : "") == CONFIG_TRUE)
		r = copy_value(&copier, config_root_setting(&parser), root);
	else
		r = refuse_parse(arena, &parser, text, err);
	config_destroy(&parser);
	return r;
}

static int parse_into(struct arena *arena, struct config_text *text, const char *name,
	struct setting *ret_root, struct error *err)
{
	struct setting root = { .kind = SETTING_GROUP };
	int r;

	root.place.file = arena_strdup(arena, name);
	root.place.folder = config_text_place(text, 1)->folder;
	r = root.place.file ? parse(arena, text, &root, err) : out_of_memory(err);
	config_text_finish(text);
	if (r < 0)
		return r;

	*ret_root = root;
	return 0;
}

int config_file_read(
	struct arena *arena, const char *path, struct setting *ret_root, struct error *err)
{
	struct config_text text;
	int r = config_text_read(arena, path, &text, err);

	return r < 0 ? r : parse_into(arena, &text, path, ret_root, err);
}

int config_file_read_string(struct arena *arena, const char *text, size_t size, const char *name,
	struct setting *ret_root, struct error *err)
{
	struct config_text prepared;
	int r = config_text_from_string(arena, text, size, name, &prepared, err);

	return r < 0 ? r : parse_into(arena, &prepared, name, ret_root, err);
}

/* Parses "value = TEXT" and hands out what stands behind it. */
static int parse_literal(struct arena *arena, const char *text, const struct place *place,
	struct setting *setting, struct error *err)
{
	struct copier copier = { .arena = arena, .err = err };
	const char *whole = arena_printf(arena, "value = %s", text);
	struct config_text prepared;
	config_t parser;
	int r;

	if (!whole)
		return out_of_memory(err);
	r = config_text_from_string(arena, whole, strlen(whole), "value", &prepared, NULL);
	if (r < 0)
		return r;

	config_init(&parser);
	r = -EINVAL;
	if (config_read_string(&parser, prepared.text) == CONFIG_TRUE &&
		config_setting_length(config_root_setting(&parser)) == 1) {
		setting->place = *place;
		r = copy_value(
			&copier, config_setting_get_elem(config_root_setting(&parser), 0), setting);
	}
	config_destroy(&parser);
	config_text_finish(&prepared);
	return r;
}

int config_value_parse(struct arena *arena, const char *text, const struct place *place,
	struct setting *setting, struct error *err)
{
	char where[PLACE_TEXT_MAX];
	int r;

	if (text[0] && strchr("\"([{", text[0])) {
		r = parse_literal(arena, text, place, setting, err);
		if (r == -EINVAL)
			return error_set(err, EXIT_USAGE, r,
				"%s: '%s' is not a value in libconfig's syntax",
				place_text(place, where), text);
		return r;
	}
	setting->kind = SETTING_WORD;
	setting->text = arena_strdup(arena, text);
	return setting->text ? 0 : out_of_memory(err);
}
