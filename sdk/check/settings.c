/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings for the devices that are checked: what --set says, and something for each setting that
 * is required and was not given.
 */
#include <stdio.h>
#include <string.h>

#include "sdk/check/check.h"

/* ---- TYPE.KEY=VALUE ---- */

struct set {
	const char *type, *key, *value; /* the first two not ended */
	size_t type_size, key_size;
};

static bool parse_set(const char *text, struct set *ret_set)
{
	const char *equals = strchr(text, '='), *dot = strchr(text, '.');

	if (!equals || !dot || dot > equals || dot == text || dot + 1 == equals)
		return false;
	*ret_set = (struct set){ text, dot + 1, equals + 1, (size_t)(dot - text),
		(size_t)(equals - dot - 1) };
	return true;
}

static bool is_for(const struct set *s, const char *type)
{
	return strlen(type) == s->type_size && memcmp(type, s->type, s->type_size) == 0;
}

static const struct tenon_key *find_key(
	const struct tenon_device_class *cls, const char *name, size_t size)
{
	for (const struct tenon_key *k = TENON_HAS(cls, keys) ? cls->keys : NULL; k && k->name; k++)
		if (strlen(k->name) == size && memcmp(k->name, name, size) == 0)
			return k;
	return NULL;
}

/* NULL when it is fine. */
static const char *set_fault(const char *text, const struct tenon_plugin *plugin)
{
	struct set s;

	if (!parse_set(text, &s))
		return "wanted TYPE.KEY=VALUE";
	for (unsigned i = 0; plugin->devices[i]; i++)
		if (is_for(&s, plugin->devices[i]->name))
			return find_key(plugin->devices[i], s.key, s.key_size)
				       ? NULL
				       : "the class has no such setting";
	return "the plugin has no such class";
}

bool sets_are_fine(
	const struct options *options, const struct tenon_plugin *plugin, char *why, size_t room)
{
	for (unsigned i = 0; i < options->n_sets; i++) {
		const char *fault = set_fault(options->sets[i], plugin);

		if (!fault)
			continue;
		(void)snprintf(why, room, "--set %s: %s", options->sets[i], fault);
		return false;
	}
	return true;
}

static const char *given(
	const struct options *options, const char *type, const struct tenon_key *key)
{
	for (unsigned i = 0; i < options->n_sets; i++) {
		struct set s;

		if (parse_set(options->sets[i], &s) && is_for(&s, type) &&
			strlen(key->name) == s.key_size &&
			memcmp(key->name, s.key, s.key_size) == 0)
			return s.value;
	}
	return NULL;
}

/* ---- values ---- */

/* The first end of "MIN..MAX" that is there, else @other. */
static void from_range(const char *values, const char *other, char *to, size_t room)
{
	const char *dots = values ? strstr(values, "..") : NULL;

	if (!dots)
		(void)snprintf(to, room, "%s", values && values[0] ? values : other);
	else if (dots > values)
		(void)snprintf(to, room, "%.*s", (int)(dots - values), values);
	else
		(void)snprintf(to, room, "%s", dots[2] ? dots + 2 : other);
}

static void make_text(
	const struct options *options, const struct tenon_key *key, char *to, size_t room)
{
	switch (key->type) {
	case TENON_KEY_BOOL:
		(void)snprintf(to, room, "true");
		break;
	case TENON_KEY_INT:
		from_range(key->values, "1", to, room);
		break;
	case TENON_KEY_SIZE:
		from_range(key->values, "1M", to, room);
		break;
	case TENON_KEY_ADDR:
		(void)snprintf(to, room, "0xd8000000");
		break;
	case TENON_KEY_PATH:
		(void)snprintf(to, room, "%s/file", options->folder);
		break;
	case TENON_KEY_ENUM:
		(void)snprintf(to, room, "%.*s", (int)strcspn(key->values, "|"), key->values);
		break;
	case TENON_KEY_MAC:
		(void)snprintf(to, room, "52:54:00:12:34:56");
		break;
	case TENON_KEY_STRING:
		(void)snprintf(to, room, "check");
		break;
	default: /* a descriptor: nobody can tell of what */
		to[0] = '\0';
		break;
	}
}

static bool is_bare(const struct tenon_key *key)
{
	return key->type == TENON_KEY_BOOL || key->type == TENON_KEY_INT ||
	       key->type == TENON_KEY_FD;
}

static void append_text(char *to, size_t room, const char *text)
{
	size_t n = strlen(to);

	(void)snprintf(to + n, room - n, "%s", text);
}

/* `key = value;`, the value quoted as its type wants; a list when it has to be one. */
static void append_setting(struct surveyed *c, const struct tenon_key *key, const char *value)
{
	bool list = (key->flags & TENON_KEY_LIST) && value[0] != '(' && value[0] != '[';
	bool raw = is_bare(key) || ((key->flags & TENON_KEY_LIST) && !list);
	char text[MAX_TEXT];
	size_t n;

	(void)snprintf(text, sizeof(text), "%s = %s", key->name, list ? "( " : "");
	append_text(text, sizeof(text), raw ? "" : "\"");
	for (const char *p = value; *p; p++) {
		n = strlen(text);
		if (n + 16 > sizeof(text))
			break;
		if (!raw && (*p == '"' || *p == '\\'))
			text[n++] = '\\';
		text[n] = *p;
		text[n + 1] = '\0';
	}
	append_text(text, sizeof(text), raw ? "" : "\"");
	append_text(text, sizeof(text), list ? " ); " : "; ");
	append_text(c->settings, sizeof(c->settings), text);
}

static void append_name(char *to, size_t room, const char *name)
{
	if (to[0])
		append_text(to, room, ", ");
	append_text(to, room, name);
}

void settings_make(const struct options *options, const struct tenon_device_class *cls,
	struct surveyed *ret_class)
{
	const struct tenon_key *keys = TENON_HAS(cls, keys) ? cls->keys : NULL;

	*ret_class = (struct surveyed){ .type = "" };
	(void)snprintf(ret_class->type, sizeof(ret_class->type), "%s", cls->name);
	for (const struct tenon_key *k = keys; k && k->name; k++) {
		const char *value = given(options, cls->name, k);
		char made[400], said[480];

		if (value) {
			append_setting(ret_class, k, value);
			continue;
		}
		if (!(k->flags & TENON_KEY_REQUIRED))
			continue;
		make_text(options, k, made, sizeof(made));
		if (!made[0]) {
			append_name(ret_class->unmade, sizeof(ret_class->unmade), k->name);
			continue;
		}
		append_setting(ret_class, k, made);
		(void)snprintf(said, sizeof(said), "%.64s=%s", k->name, made);
		append_name(ret_class->made, sizeof(ret_class->made), said);
	}
}
