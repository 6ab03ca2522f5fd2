/* SPDX-License-Identifier: Apache-2.0 */
/* The types of settings: how each is read, and how it is described to people. */
#include "core/settings_value.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/setting.h"
#include "core/size.h"

/* ---- ranges ---- */

/* The whole of @text as a decimal or 0x number. */
static int parse_int(const char *text, int64_t *ret_number)
{
	char *end;
	long long number;

	if (!isdigit((unsigned char)text[0]) &&
		!(text[0] == '-' && isdigit((unsigned char)text[1])))
		return -EINVAL;
	errno = 0;
	number = strtoll(text, &end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	if (errno || *end)
		return -EINVAL;

	*ret_number = number;
	return 0;
}

/* Splits "MIN..MAX"; either end may be empty. */
static int split_range(const char *values, char min[32], char max[32])
{
	const char *dots = strstr(values, "..");

	if (!dots || dots - values >= 32 || strlen(dots + 2) >= 32)
		return -EINVAL;
	memcpy(min, values, (size_t)(dots - values));
	min[dots - values] = '\0';
	memcpy(max, dots + 2, strlen(dots + 2) + 1);
	return 0;
}

int value_int_range(const char *values, int64_t *ret_min, int64_t *ret_max)
{
	char min[32], max[32];

	*ret_min = INT64_MIN;
	*ret_max = INT64_MAX;
	if (!values)
		return 0;
	if (split_range(values, min, max) < 0)
		return -EINVAL;
	if ((min[0] && parse_int(min, ret_min) < 0) || (max[0] && parse_int(max, ret_max) < 0))
		return -EINVAL;
	return *ret_min <= *ret_max ? 0 : -EINVAL;
}

int value_size_range(const char *values, uint64_t *ret_min, uint64_t *ret_max)
{
	char min[32], max[32];

	*ret_min = 0;
	*ret_max = UINT64_MAX;
	if (!values)
		return 0;
	if (split_range(values, min, max) < 0)
		return -EINVAL;
	if ((min[0] && size_parse(min, ret_min) < 0) || (max[0] && size_parse(max, ret_max) < 0))
		return -EINVAL;
	return *ret_min <= *ret_max ? 0 : -EINVAL;
}

/* ---- reading ---- */

static bool is_text(const struct setting *setting)
{
	return setting->kind == SETTING_STRING || setting->kind == SETTING_WORD;
}

static int read_bool(const struct setting *setting, struct value *value)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	if (setting->kind == SETTING_BOOL) {
		value->number = setting->number;
		return 0;
	}
	for (size_t i = 0; setting->kind == SETTING_WORD && i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(setting->text, words[i]) == 0) {
			value->number = (int64_t)(i & 1);
			return 0;
		}
	return -EINVAL;
}

static int read_int(const struct tenon_key *key, const struct setting *setting, struct value *value)
{
	int64_t min, max;

	if (setting->kind == SETTING_INT)
		value->number = setting->number;
	else if (setting->kind != SETTING_WORD || parse_int(setting->text, &value->number) < 0)
		return -EINVAL;
	if (value_int_range(key->values, &min, &max) < 0)
		return -EINVAL;
	return value->number >= min && value->number <= max ? 0 : -EINVAL;
}

/* A number is taken only where the reader of the file cannot have wrapped it. */
static int read_size(
	const struct tenon_key *key, const struct setting *setting, struct value *value)
{
	uint64_t min, max;

	if (setting->kind == SETTING_INT && setting->number >= 0 && setting->number <= INT32_MAX)
		value->size = (uint64_t)setting->number;
	else if (!is_text(setting) || size_parse(setting->text, &value->size) < 0)
		return -EINVAL;
	if (value_size_range(key->values, &min, &max) < 0)
		return -EINVAL;
	return value->size >= min && value->size <= max ? 0 : -EINVAL;
}

static int read_enum(
	const struct tenon_key *key, const struct setting *setting, struct value *value)
{
	const char *choice = key->values ? key->values : "";

	if (!is_text(setting) || !setting->text[0])
		return -EINVAL;
	for (int64_t i = 0;; i++) {
		size_t n = strcspn(choice, "|");

		if (n == strlen(setting->text) && strncmp(choice, setting->text, n) == 0) {
			value->number = i;
			return 0;
		}
		if (!choice[n])
			return -EINVAL;
		choice += n + 1;
	}
}

static int read_mac(const struct setting *setting)
{
	const char *text = setting->text;

	if (!is_text(setting) || strlen(text) != 17)
		return -EINVAL;
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return -EINVAL;
	return 0;
}

static int read_fd(const struct setting *setting, struct value *value)
{
	if (setting->kind == SETTING_INT)
		value->number = setting->number;
	else if (setting->kind != SETTING_WORD || parse_int(setting->text, &value->number) < 0)
		return -EINVAL;
	if (value->number < 0 || value->number > INT_MAX)
		return -EINVAL;
	return fcntl((int)value->number, F_GETFD) < 0 ? -EBADF : 0;
}

static int check_type(
	const struct tenon_key *key, const struct setting *setting, struct value *value)
{
	switch (key->type) {
	case TENON_KEY_BOOL:
		return read_bool(setting, value);
	case TENON_KEY_INT:
		return read_int(key, setting, value);
	case TENON_KEY_SIZE:
	case TENON_KEY_ADDR:
		return read_size(key, setting, value);
	case TENON_KEY_STRING:
		return is_text(setting) ? 0 : -EINVAL;
	case TENON_KEY_PATH:
		return is_text(setting) && setting->text[0] ? 0 : -EINVAL;
	case TENON_KEY_ENUM:
		return read_enum(key, setting, value);
	case TENON_KEY_MAC:
		return read_mac(setting);
	case TENON_KEY_FD:
		return read_fd(setting, value);
	default:
		return -EINVAL;
	}
}

int value_read(struct arena *arena, const struct tenon_key *key, const struct setting *setting,
	struct value *ret_value)
{
	struct value value = { 0 };
	int r = check_type(key, setting, &value);

	if (r < 0)
		return r;
	if (is_text(setting)) {
		value.text = key->type == TENON_KEY_PATH
				     ? setting_path(arena, &setting->place, setting->text)
				     : arena_strdup(arena, setting->text);
		if (!value.text)
			return -ENOMEM;
	}
	*ret_value = value;
	return 0;
}

/* ---- describing ---- */

static void wanted_int(const struct tenon_key *key, char text[VALUE_WANTED_MAX])
{
	int64_t min, max;

	(void)value_int_range(key->values, &min, &max);
	if (min != INT64_MIN && max != INT64_MAX)
		(void)snprintf(
			text, VALUE_WANTED_MAX, "a number from %" PRId64 " to %" PRId64, min, max);
	else if (min != INT64_MIN)
		(void)snprintf(text, VALUE_WANTED_MAX, "a number of at least %" PRId64, min);
	else if (max != INT64_MAX)
		(void)snprintf(text, VALUE_WANTED_MAX, "a number of at most %" PRId64, max);
	else
		(void)snprintf(text, VALUE_WANTED_MAX, "a number");
}

static void wanted_size(const struct tenon_key *key, char text[VALUE_WANTED_MAX])
{
	char low[SIZE_TEXT_MAX], high[SIZE_TEXT_MAX];
	uint64_t min, max;

	(void)value_size_range(key->values, &min, &max);
	size_format(min, low);
	size_format(max, high);
	if (max != UINT64_MAX)
		(void)snprintf(text, VALUE_WANTED_MAX, "a size from \"%s\" to \"%s\"", low, high);
	else if (min)
		(void)snprintf(text, VALUE_WANTED_MAX, "a size of at least \"%s\"", low);
	else
		(void)snprintf(text, VALUE_WANTED_MAX, "a size such as \"512M\"");
}

static void wanted_enum(const struct tenon_key *key, char text[VALUE_WANTED_MAX])
{
	const char *choice = key->values ? key->values : "";
	size_t used = 0;

	for (;;) {
		size_t n = strcspn(choice, "|");
		bool last = !choice[n];
		const char *joint = used == 0 ? "" : last ? " or " : ", ";
		int written = snprintf(
			text + used, VALUE_WANTED_MAX - used, "%s\"%.*s\"", joint, (int)n, choice);

		if (written < 0 || (size_t)written >= VALUE_WANTED_MAX - used || last)
			return;
		used += (size_t)written;
		choice += n + 1;
	}
}

const char *value_wanted(const struct tenon_key *key, char text[VALUE_WANTED_MAX])
{
	const char *plain = "a value";

	switch (key->type) {
	case TENON_KEY_INT:
		wanted_int(key, text);
		return text;
	case TENON_KEY_SIZE:
		wanted_size(key, text);
		return text;
	case TENON_KEY_ENUM:
		wanted_enum(key, text);
		return text;
	case TENON_KEY_BOOL:
		plain = "true or false";
		break;
	case TENON_KEY_ADDR:
		plain = "an address such as \"0xd0000000\"";
		break;
	case TENON_KEY_STRING:
		plain = "a string";
		break;
	case TENON_KEY_PATH:
		plain = "a path";
		break;
	case TENON_KEY_MAC:
		plain = "a MAC address such as \"52:54:00:12:34:56\"";
		break;
	case TENON_KEY_FD:
		plain = "the number of an open descriptor";
		break;
	default:
		break;
	}
	(void)snprintf(text, VALUE_WANTED_MAX, "%s", plain);
	return text;
}

int value_check_values(const struct tenon_key *key)
{
	uint64_t low, high;
	int64_t min, max;

	switch (key->type) {
	case TENON_KEY_INT:
		return value_int_range(key->values, &min, &max);
	case TENON_KEY_SIZE:
	case TENON_KEY_ADDR:
		return value_size_range(key->values, &low, &high);
	case TENON_KEY_ENUM:
		if (!key->values || !key->values[0] || strstr(key->values, "||") ||
			key->values[0] == '|' || key->values[strlen(key->values) - 1] == '|')
			return -EINVAL;
		return 0;
	default:
		return key->values ? -EINVAL : 0;
	}
}
