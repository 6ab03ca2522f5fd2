/* SPDX-License-Identifier: Apache-2.0 */
/* Small steps from checked settings to the description of a VM. */
#include "core/config_take.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/config.h"
#include "core/error.h"
#include "core/settings.h"

/* ---- errors ---- */

int config_refuse(struct error *err, const struct place *place, const char *format, ...)
{
	char text[700], where[PLACE_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(err, EXIT_USAGE, -EINVAL, "%s: %s", place_text(place, where), text);
}

int config_no_memory(struct error *err)
{
	return error_set(err, EXIT_HOST, -ENOMEM, "out of memory");
}

/* ---- copying out of checked settings ---- */

const char *config_take_str(struct config_source *source, const char *key)
{
	const char *text = settings_str(source->settings, key, 0);
	char *copy;

	if (!text)
		return NULL;
	copy = arena_strdup(&source->config->arena, text);
	source->failed |= !copy;
	return copy;
}

const char **config_take_list(struct config_source *source, const char *key, size_t *ret_n)
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

struct place config_take_place(struct config_source *source, const char *key)
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

bool config_is_name(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return text[0] && strspn(text, letters) == strlen(text) && strlen(text) <= CONFIG_MAX_NAME;
}
