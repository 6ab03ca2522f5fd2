/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon plugins: what is installed.  The list is read from the modules' notes and runs no code of
 * theirs; only a plugin that is asked for by name or path is loaded.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/commands.h"
#include "core/error.h"
#include "core/json.h"
#include "core/loader.h"
#include "core/packages.h"
#include "core/settings.h"

/* ---- the list ---- */

struct list {
	bool json, any;
};

static int list_text(void *arg, const struct plugin_entry *e)
{
	struct list *l = arg;

	if (!l->any)
		(void)printf("%-24s %-10s %-6s %s\n", "TYPES", "VERSION", "ABI", "MODULE");
	l->any = true;
	if (e->has_note)
		(void)printf("%-24s %-10s %u.%-4u %s%s%s\n", e->note.classes, e->note.version,
			e->note.abi_major, e->note.abi_minor, e->path, e->refusal[0] ? ": " : "",
			e->refusal);
	else
		(void)printf("%-24s %-10s %-6s %s: %s\n", "-", "-", "-", e->path, e->refusal);
	return 0;
}

static int list_json(void *arg, const struct plugin_entry *e)
{
	struct list *l = arg;

	(void)printf("%s\n  {\"path\": ", l->any ? "," : "");
	l->any = true;
	json_text(stdout, e->path);
	if (e->has_note) {
		(void)fputs(", \"id\": ", stdout);
		json_text(stdout, e->note.id);
		(void)fputs(", \"version\": ", stdout);
		json_text(stdout, e->note.version);
		(void)fputs(", \"types\": ", stdout);
		json_text(stdout, e->note.classes);
		(void)printf(", \"abi\": \"%u.%u\"", e->note.abi_major, e->note.abi_minor);
	}
	(void)printf(", \"usable\": %s", e->refusal[0] ? "false" : "true");
	if (e->refusal[0]) {
		(void)fputs(", \"reason\": ", stdout);
		json_text(stdout, e->refusal);
	}
	(void)fputc('}', stdout);
	return 0;
}

static int list_all(const struct loader *loader, bool json)
{
	struct list l = { json, false };

	if (json)
		(void)fputc('[', stdout);
	(void)loader_list(loader, json ? list_json : list_text, &l);
	if (json)
		(void)puts(l.any ? "\n]" : "]");
	else if (!l.any)
		(void)puts("no plugin is installed");
	return 0;
}

/* ---- one ---- */

static void print_key_text(const struct tenon_key *k)
{
	(void)printf("  %-16s %s", k->name, settings_type_name(k));
	if (k->flags & TENON_KEY_REQUIRED)
		(void)fputs(", required", stdout);
	if (k->values)
		(void)printf(", %s", k->values);
	if (k->fallback)
		(void)printf(", default %s", k->fallback);
	(void)printf("\n%-18s %s\n", "", k->help ? k->help : "");
}

static void print_class_text(const struct tenon_device_class *c)
{
	(void)printf("type = \"%s\": %s\n", c->name, TENON_HAS(c, summary) ? c->summary : "");
	for (const struct tenon_key *k = TENON_HAS(c, keys) ? c->keys : NULL; k && k->name; k++)
		print_key_text(k);
}

static void print_key_json(const struct tenon_key *k, bool first)
{
	(void)printf("%s\n      {\"name\": ", first ? "" : ",");
	json_text(stdout, k->name);
	(void)fputs(", \"type\": ", stdout);
	json_text(stdout, settings_type_name(k));
	(void)printf(", \"required\": %s", k->flags & TENON_KEY_REQUIRED ? "true" : "false");
	(void)fputs(", \"default\": ", stdout);
	json_text(stdout, k->fallback);
	(void)fputs(", \"values\": ", stdout);
	json_text(stdout, k->values);
	(void)fputs(", \"help\": ", stdout);
	json_text(stdout, k->help);
	(void)fputc('}', stdout);
}

static void print_class_json(const struct tenon_device_class *c, bool first)
{
	const struct tenon_key *keys = TENON_HAS(c, keys) ? c->keys : NULL;

	(void)printf("%s\n    {\"type\": ", first ? "" : ",");
	json_text(stdout, c->name);
	(void)fputs(", \"summary\": ", stdout);
	json_text(stdout, TENON_HAS(c, summary) ? c->summary : "");
	(void)fputs(", \"settings\": [", stdout);
	for (const struct tenon_key *k = keys; k && k->name; k++)
		print_key_json(k, k == keys);
	(void)fputs("]}", stdout);
}

static void print_plugin(const char *path, const struct tenon_plugin *p, bool json)
{
	if (!json) {
		(void)printf("id=%s\nversion=%s\nlicense=%s\nabi=%u.%u\npath=%s\n", p->id,
			TENON_HAS(p, version) ? p->version : "",
			TENON_HAS(p, license) ? p->license : "", p->abi_major, p->abi_minor, path);
		for (size_t i = 0; p->devices[i]; i++)
			print_class_text(p->devices[i]);
		return;
	}
	(void)fputs("{\"id\": ", stdout);
	json_text(stdout, p->id);
	(void)fputs(", \"version\": ", stdout);
	json_text(stdout, p->version);
	(void)fputs(", \"license\": ", stdout);
	json_text(stdout, p->license);
	(void)printf(", \"abi\": \"%u.%u\", \"path\": ", p->abi_major, p->abi_minor);
	json_text(stdout, path);
	(void)fputs(", \"devices\": [", stdout);
	for (size_t i = 0; p->devices[i]; i++)
		print_class_json(p->devices[i], i == 0);
	(void)puts("]}");
}

struct find {
	const char *name;
	char path[PATH_MAX];
};

/* By device type or by the module's name. */
static int find(void *arg, const struct plugin_entry *e)
{
	struct find *f = arg;
	const char *base = strrchr(e->path, '/') + 1;
	size_t n = strlen(f->name);

	if ((!e->has_note || !note_has_class(&e->note, f->name)) &&
		(strncmp(base, f->name, n) != 0 || (base[n] && strcmp(base + n, ".so") != 0)))
		return 0;
	(void)snprintf(f->path, sizeof(f->path), "%s", e->path);
	return 1;
}

static int show_one(struct loader *loader, const struct plugins_options *options, struct error *err)
{
	const struct tenon_plugin *plugin;
	struct find f = { .name = options->name };
	int ret;

	if (strchr(options->name, '/')) {
		if (!realpath(options->name, f.path))
			return error_set(err, EXIT_USAGE, -errno, "plugin \"%s\": %s",
				options->name, strerror(errno));
	} else {
		(void)loader_list(loader, find, &f);
	}
	if (!f.path[0]) {
		char text[256];

		package_unknown_device(options->name, NULL, 0, text, sizeof(text));
		return error_set(err, EXIT_USAGE, -ENOENT, "%s", text);
	}
	ret = loader_open(loader, f.path, &plugin, err);
	if (ret == 0)
		print_plugin(f.path, plugin, options->json);
	return ret;
}

int cmd_plugins(const struct plugins_options *options, struct error *err)
{
	struct loader loader = { .n_folders = 0 };
	int ret = loader_init(&loader, NULL, 0, err);

	if (ret < 0)
		return ret;
	if (options->name)
		ret = show_one(&loader, options, err);
	else
		ret = list_all(&loader, options->json);
	loader_finish(&loader);
	return ret;
}
