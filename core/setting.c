/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of values as written. */
#include "core/setting.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"

const char *place_text(const struct place *place, char text[PLACE_TEXT_MAX])
{
	if (place->line)
		(void)snprintf(text, PLACE_TEXT_MAX, "%s:%u", place->file, place->line);
	else
		(void)snprintf(text, PLACE_TEXT_MAX, "%s", place->file);
	return text;
}

struct setting *setting_find(const struct setting *group, const char *name)
{
	for (size_t i = 0; i < group->n_items; i++)
		if (group->items[i].name && strcmp(group->items[i].name, name) == 0)
			return &group->items[i];
	return NULL;
}

struct setting *setting_add(
	struct arena *arena, struct setting *parent, const char *name, const struct place *place)
{
	struct setting *items =
		arena_grow(arena, parent->items, parent->n_items, sizeof(*parent->items));
	struct setting *item;

	if (!items)
		return NULL;
	parent->items = items;

	item = &items[parent->n_items];
	if (name) {
		item->name = arena_strdup(arena, name);
		if (!item->name)
			return NULL;
	}
	item->place = *place;
	parent->n_items++;
	return item;
}

const char *setting_found(const struct setting *setting, char text[SETTING_FOUND_MAX])
{
	switch (setting->kind) {
	case SETTING_BOOL:
		(void)snprintf(text, SETTING_FOUND_MAX, "%s", setting->number ? "true" : "false");
		break;
	case SETTING_INT:
		(void)snprintf(text, SETTING_FOUND_MAX, "the number %" PRId64, setting->number);
		break;
	case SETTING_FLOAT:
		(void)snprintf(text, SETTING_FOUND_MAX, "the number %s", setting->text);
		break;
	case SETTING_STRING:
	case SETTING_WORD:
		if (strlen(setting->text) <= 60)
			(void)snprintf(text, SETTING_FOUND_MAX, "\"%s\"", setting->text);
		else
			(void)snprintf(text, SETTING_FOUND_MAX, "\"%.57s...\"", setting->text);
		break;
	case SETTING_LIST:
		(void)snprintf(text, SETTING_FOUND_MAX, "%s",
			setting->repeated ? "given more than once" : "a list");
		break;
	case SETTING_GROUP:
		(void)snprintf(text, SETTING_FOUND_MAX, "a group { }");
		break;
	}
	return text;
}

const char *setting_path(struct arena *arena, const struct place *place, const char *path)
{
	if (path[0] == '/' || !place->folder)
		return arena_strdup(arena, path);
	return arena_printf(
		arena, "%s%s%s", place->folder, strcmp(place->folder, "/") == 0 ? "" : "/", path);
}
