/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader: folder search, version checks, init.  A module is refused with one sentence that
 * names the file, what was found and what was wanted.
 */
#include "core/loader.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/backend.h"
#include "core/build_id.h"
#include "core/config.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/module.h"
#include "core/packages.h"
#include "core/platform.h"
#include "core/services.h"
#include "core/settings.h"
#include "sdk/virtio/table.h"

#ifndef TENON_LIBDIR
#define TENON_LIBDIR "/usr/local/lib"
#endif
#ifndef TENON_LIBDIR_FROM_PROGRAM /* the libraries, from the folder of the program */
#define TENON_LIBDIR_FROM_PROGRAM "../lib"
#endif

#define STRING_OF(x)  STRING_OF_(x)
#define STRING_OF_(x) #x
#define MAX_CLASSES   64

struct loaded_plugin {
	struct loaded_plugin *next;
	char *path;
	const struct tenon_plugin *plugin;
};

/* ---- folders ---- */

/* Under its real name, and once: the same folder may be named in several ways. */
static int add_folder(struct loader *l, const char *path, size_t size)
{
	char full[PATH_MAX];
	char *folder;

	if (size == 0)
		return 0;
	folder = strndup(path, size);
	if (!folder)
		return -ENOMEM;
	if (realpath(folder, full)) {
		free(folder);
		for (size_t i = 0; i < l->n_folders; i++)
			if (strcmp(l->folders[i], full) == 0)
				return 0;
		folder = strdup(full);
		if (!folder)
			return -ENOMEM;
	}
	if (l->n_folders == LOADER_MAX_FOLDERS) {
		free(folder);
		return -ENOSPC;
	}
	l->folders[l->n_folders++] = folder;
	return 0;
}

static int add_list(struct loader *l, const char *list)
{
	int ret = 0;

	while (list && *list && ret == 0) {
		size_t n = strcspn(list, ":");

		ret = add_folder(l, list, n);
		list += n + (list[n] == ':');
	}
	return ret;
}

/* The folder that the program is in. */
static bool own_folder(char to[PATH_MAX])
{
	long n = platform_program_path(to, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return false;
	to[n] = '\0';
	slash = strrchr(to, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

/* The modules under @lib, which stands under @base. */
static int add_modules(struct loader *l, const char *base, const char *lib)
{
	char path[2 * PATH_MAX];
	int n, ret;

	n = snprintf(path, sizeof(path), "%s%s/tenon/%d", base, lib, TENON_ABI_MAJOR);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	ret = add_folder(l, path, (size_t)n);
	if (ret < 0)
		return ret;
	(void)snprintf(path, sizeof(path), "%s%s/tenon/core", base, lib);
	l->backend_folders[l->n_backend_folders] = strdup(path);
	if (!l->backend_folders[l->n_backend_folders])
		return -ENOMEM;
	l->n_backend_folders++;
	return 0;
}

/*
 * Beside the program first, so that an installation may be moved whole: where its libraries are
 * installed to, then "lib", which is what a build tree has.
 */
static int add_builtin(struct loader *l)
{
	char own[PATH_MAX];
	int ret = 0;

	if (own_folder(own)) {
		ret = add_modules(l, own, "/" TENON_LIBDIR_FROM_PROGRAM);
		if (ret == 0 && strcmp(TENON_LIBDIR_FROM_PROGRAM, "../lib") != 0)
			ret = add_modules(l, own, "/../lib");
	}
	return ret < 0 ? ret : add_modules(l, "", TENON_LIBDIR);
}

int loader_init(struct loader *loader, const char *const *extra, size_t n_extra, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < n_extra && ret == 0; i++)
		ret = add_folder(loader, extra[i], strlen(extra[i]));
	if (ret == 0)
		ret = add_list(loader, platform_getenv("TENON_PLUGIN_PATH"));
	if (ret == 0)
		ret = add_builtin(loader);
	if (ret < 0) {
		loader_finish(loader);
		return error_set(err, ret == -ENOSPC ? EXIT_USAGE : EXIT_HOST, ret,
			"plugin folders: %s",
			ret == -ENOSPC ? "more than 16 are named" : strerror(-ret));
	}
	return 0;
}

void loader_finish(struct loader *loader)
{
	while (loader->loaded) {
		struct loaded_plugin *p = loader->loaded;

		loader->loaded = p->next;
		if (TENON_HAS(p->plugin, fini))
			p->plugin->fini();
		free(p->path);
		free(p);
	}
	for (size_t i = 0; i < loader->n_folders; i++)
		free(loader->folders[i]);
	for (size_t i = 0; i < loader->n_backend_folders; i++)
		free(loader->backend_folders[i]);
	loader->n_folders = loader->n_backend_folders = 0;
}

/* ---- notes ---- */

bool note_has_class(const struct tenon_note *note, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = note->classes; *at;) {
		size_t word = strcspn(at, " ");

		if (word == n && memcmp(at, name, n) == 0)
			return true;
		at += word + (at[word] == ' ');
	}
	return false;
}

/* While the major is 0 nothing is promised: the minor must be equal too. */
static bool abi_fits(unsigned major, unsigned minor)
{
	return major == TENON_ABI_MAJOR && minor == TENON_ABI_MINOR;
}

static void judge(struct plugin_entry *e)
{
	int ret = module_read_note(e->path, &e->note);

	e->has_note = ret == 0;
	e->refusal[0] = '\0';
	if (ret == -ESRCH)
		(void)snprintf(e->refusal, sizeof(e->refusal), "built for another kind of CPU");
	else if (ret == -ENODATA)
		(void)snprintf(
			e->refusal, sizeof(e->refusal), "cut short: a part of it is missing");
	else if (ret < 0)
		(void)snprintf(
			e->refusal, sizeof(e->refusal), "not a plugin: it has no \"tenon\" note");
	else if (!abi_fits(e->note.abi_major, e->note.abi_minor))
		(void)snprintf(e->refusal, sizeof(e->refusal),
			"built for ABI %u.%u, this core has %u.%u: rebuild it", e->note.abi_major,
			e->note.abi_minor, (unsigned)TENON_ABI_MAJOR, (unsigned)TENON_ABI_MINOR);
}

static int is_module(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 3 && d->d_name[0] != '.' && strcmp(d->d_name + n - 3, ".so") == 0;
}

static int scan(const char *folder, int (*each)(void *arg, const char *path), void *arg)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_module, alphasort), ret = 0;

	if (n < 0)
		return 0; /* a folder that is not there has no plugins */
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX], full[PATH_MAX];
		int len = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);

		if (ret == 0 && len > 0 && (size_t)len < sizeof(path) && realpath(path, full))
			ret = each(arg, full);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

struct listing {
	int (*each)(void *arg, const struct plugin_entry *entry);
	void *arg;
};

static int list_one(void *arg, const char *path)
{
	const struct listing *l = arg;
	struct plugin_entry e;

	(void)snprintf(e.path, sizeof(e.path), "%s", path);
	memset(&e.note, 0, sizeof(e.note));
	judge(&e);
	return l->each(l->arg, &e);
}

int loader_list(const struct loader *loader,
	int (*each)(void *arg, const struct plugin_entry *entry), void *arg)
{
	struct listing l = { each, arg };
	int ret = 0;

	for (size_t i = 0; i < loader->n_folders && ret == 0; i++)
		ret = scan(loader->folders[i], list_one, &l);
	return ret;
}

/* ---- plugins ---- */

static int refuse(struct error *err, const char *path, const char *why)
{
	return error_set(err, EXIT_HOST, -ENOEXEC, "%s: %s", path, why);
}

static int check_plugin(const char *path, const struct tenon_plugin *p, struct error *err)
{
	if (!abi_fits(p->abi_major, p->abi_minor))
		return error_set(err, EXIT_HOST, -ENOEXEC,
			"%s: built for ABI %u.%u, this core has %u.%u: rebuild it", path,
			p->abi_major, p->abi_minor, TENON_ABI_MAJOR, TENON_ABI_MINOR);
	if (!TENON_HAS(p, devices) || !TENON_HAS(p, id))
		return refuse(err, path, "its description has no id or no device classes");
	for (size_t i = 0; p->devices[i]; i++) {
		const struct tenon_device_class *c = p->devices[i];

		if (i == MAX_CLASSES || !TENON_HAS(c, name) || !TABLE_COVERS(c, priv_size) ||
			!c->name[0] ||
			c->name[strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789-")] ||
			c->threads > TENON_PARALLEL)
			return refuse(err, path, "one of its device classes is malformed");
		if (TENON_HAS(c, keys) && settings_check_table(c->name, c->keys, err) < 0) {
			error_prefix(err, "%s", path);
			if (err)
				err->exit_code = EXIT_HOST; /* it is not ours to mend */
			return -ENOEXEC;
		}
	}
	return 0;
}

static int run_init(const char *path, const struct tenon_plugin *p, struct error *err)
{
	int ret = TENON_HAS(p, init) ? p->init(&tenon_host_table) : 0;

	return ret < 0 ? error_set(err, EXIT_HOST, ret, "%s: the plugin does not start: %s", path,
				 strerror(-ret))
		       : 0;
}

static const struct tenon_plugin *already(const struct loader *l, const char *path)
{
	for (const struct loaded_plugin *p = l->loaded; p; p = p->next)
		if (strcmp(p->path, path) == 0)
			return p->plugin;
	return NULL;
}

static int remember(
	struct loader *l, const char *path, const struct tenon_plugin *plugin, struct error *err)
{
	struct loaded_plugin *p = calloc(1, sizeof(*p));

	if (p)
		p->path = strdup(path);
	if (!p || !p->path) {
		free(p);
		return error_set(err, EXIT_HOST, -ENOMEM, "%s: out of memory", path);
	}
	p->plugin = plugin;
	p->next = l->loaded;
	l->loaded = p;
	return 0;
}

static void forget_newest(struct loader *l)
{
	struct loaded_plugin *p = l->loaded;

	l->loaded = p->next;
	free(p->path);
	free(p);
}

int loader_open(struct loader *loader, const char *path, const struct tenon_plugin **ret_plugin,
	struct error *err)
{
	uint64_t start = monotonic_ns();
	struct plugin_entry e = { .refusal = "" };
	const void *object;
	int ret;

	*ret_plugin = already(loader, path);
	if (*ret_plugin)
		return 0;
	(void)snprintf(e.path, sizeof(e.path), "%s", path);
	judge(&e);
	if (e.refusal[0])
		return refuse(err, path, e.refusal);
	ret = module_load(path, STRING_OF(TENON_PLUGIN_SYMBOL), &object, err);
	if (ret == 0)
		ret = check_plugin(path, object, err);
	if (ret == 0)
		ret = remember(loader, path, object, err);
	if (ret < 0)
		return ret;
	ret = run_init(path, object, err);
	if (ret < 0) {
		forget_newest(loader);
		return ret;
	}
	*ret_plugin = object;
	if (loader->timed)
		loader->timed(loader->opaque, strrchr(path, '/') + 1, monotonic_ns() - start);
	return 0;
}

/* ---- the class of a device ---- */

struct search {
	const char *type;
	char path[PATH_MAX];
	char refused[PATH_MAX + 256]; /* the first that would have it but may not be used */
	const char *known[MAX_CLASSES];
	char names[MAX_CLASSES][64];
	size_t n_known;
};

static void note_known(struct search *s, const struct tenon_note *note)
{
	for (const char *at = note->classes; *at && s->n_known < MAX_CLASSES;) {
		size_t n = strcspn(at, " ");

		if (n > 0 && n < sizeof(s->names[0])) {
			memcpy(s->names[s->n_known], at, n);
			s->names[s->n_known][n] = '\0';
			s->known[s->n_known] = s->names[s->n_known];
			s->n_known++;
		}
		at += n + (at[n] == ' ');
	}
}

static int consider(void *arg, const struct plugin_entry *e)
{
	struct search *s = arg;

	if (!e->has_note)
		return 0;
	note_known(s, &e->note);
	if (!note_has_class(&e->note, s->type))
		return 0;
	if (e->refusal[0]) {
		if (!s->refused[0])
			(void)snprintf(
				s->refused, sizeof(s->refused), "%s: %s", e->path, e->refusal);
		return 0;
	}
	(void)snprintf(s->path, sizeof(s->path), "%s", e->path);
	return 1;
}

/* Most plugins are named for their one class: look there before reading every note. */
static bool guess(const struct loader *l, const char *type, char path[PATH_MAX])
{
	for (size_t i = 0; i < l->n_folders; i++) {
		char name[PATH_MAX];
		struct tenon_note note;
		int n = snprintf(name, sizeof(name), "%s/%s.so", l->folders[i], type);

		if (n <= 0 || (size_t)n >= sizeof(name) || access(name, R_OK) < 0)
			continue;
		return realpath(name, path) && module_read_note(path, &note) == 0 &&
		       abi_fits(note.abi_major, note.abi_minor) && note_has_class(&note, type);
	}
	return false;
}

static int find_type(
	struct loader *l, const struct config_device *d, char path[PATH_MAX], struct error *err)
{
	struct search *s;
	char place[PLACE_TEXT_MAX], text[256];
	int ret = 0;

	if (guess(l, d->type, path))
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory for plugins");
	s->type = d->type;
	(void)loader_list(l, consider, s);
	if (s->path[0]) {
		memcpy(path, s->path, sizeof(s->path));
	} else if (s->refused[0]) {
		ret = error_set(err, EXIT_HOST, -ENOEXEC,
			"%s: device type \"%s\" cannot be used: %s",
			place_text(&d->type_place, place), d->type, s->refused);
	} else {
		package_unknown_device(d->type, s->known, s->n_known, text, sizeof(text));
		ret = error_set(err, package_of_device(d->type) ? EXIT_HOST : EXIT_USAGE, -ENOENT,
			"%s: %s", place_text(&d->type_place, place), text);
	}
	free(s);
	return ret;
}

/* `plugin =`: a path, or a module's bare name in one of the folders. */
static int find_named(
	struct loader *l, const struct config_device *d, char path[PATH_MAX], struct error *err)
{
	char place[PLACE_TEXT_MAX], name[PATH_MAX];

	if (strchr(d->plugin, '/')) {
		if (realpath(d->plugin, path))
			return 0;
	} else {
		for (size_t i = 0; i < l->n_folders; i++) {
			int n = snprintf(name, sizeof(name), "%s/%s%s", l->folders[i], d->plugin,
				strstr(d->plugin, ".so") ? "" : ".so");

			if (n > 0 && (size_t)n < sizeof(name) && realpath(name, path))
				return 0;
		}
	}
	return error_set(err, EXIT_USAGE, -ENOENT, "%s: there is no plugin \"%s\"",
		place_text(&d->plugin_place, place), d->plugin);
}

int loader_class(struct loader *loader, const struct config_device *device,
	const struct tenon_device_class **ret_class, struct error *err)
{
	const struct tenon_plugin *plugin = NULL;
	char path[PATH_MAX], place[PLACE_TEXT_MAX];
	int ret;

	if (device->plugin)
		ret = find_named(loader, device, path, err);
	else
		ret = find_type(loader, device, path, err);
	if (ret < 0)
		return ret;
	ret = loader_open(loader, path, &plugin, err);
	if (ret < 0) {
		error_prefix(err, "%s",
			place_text(device->plugin ? &device->plugin_place : &device->type_place,
				place));
		return ret;
	}
	assert(plugin);
	for (size_t i = 0; plugin->devices[i]; i++) {
		if (strcmp(plugin->devices[i]->name, device->type) == 0) {
			*ret_class = plugin->devices[i];
			return 0;
		}
	}
	return error_set(err, EXIT_USAGE, -ENOENT, "%s: plugin \"%s\" has no device type \"%s\"",
		place_text(&device->type_place, place), path, device->type);
}

/* ---- backends ---- */

struct backend_listing {
	int (*each)(void *arg, const char *name, const char *path);
	void *arg;
};

static int list_backend(void *arg, const char *path)
{
	const struct backend_listing *l = arg;
	char name[64];

	(void)snprintf(name, sizeof(name), "%s", strrchr(path, '/') + 1);
	name[strlen(name) > 3 ? strlen(name) - 3 : 0] = '\0';
	return l->each(l->arg, name, path);
}

int loader_list_backends(const struct loader *loader,
	int (*each)(void *arg, const char *name, const char *path), void *arg)
{
	struct backend_listing l = { each, arg };

	/* The first folder that has any: never half of one build and half of another. */
	for (size_t i = 0; i < loader->n_backend_folders; i++) {
		if (access(loader->backend_folders[i], X_OK) < 0)
			continue;
		return scan(loader->backend_folders[i], list_backend, &l);
	}
	return 0;
}

static int open_backend(
	const char *path, const struct backend_module **ret_module, struct error *err)
{
	const struct backend_module *m;
	const void *object;
	int ret = module_load(path, BACKEND_SYMBOL, &object, err);

	if (ret < 0)
		return ret;
	m = object;
	if (m->struct_size < sizeof(*m) || !m->build_id || strcmp(m->build_id, TENON_BUILD_ID) != 0)
		return error_set(err, EXIT_HOST, -ENOEXEC,
			"%s: built as \"%s\", this core is \"%s\": reinstall the backend", path,
			m->struct_size >= sizeof(*m) && m->build_id ? m->build_id : "?",
			TENON_BUILD_ID);
	*ret_module = m;
	return 0;
}

int loader_backend(struct loader *loader, const char *name,
	const struct backend_module **ret_module, struct error *err)
{
	char text[256];

	if (name[0] && !strchr(name, '/')) {
		for (size_t i = 0; i < loader->n_backend_folders; i++) {
			char path[PATH_MAX], full[PATH_MAX];
			int n = snprintf(
				path, sizeof(path), "%s/%s.so", loader->backend_folders[i], name);
			uint64_t start = monotonic_ns();
			int ret;

			if (n <= 0 || (size_t)n >= sizeof(path) || !realpath(path, full))
				continue;
			ret = open_backend(full, ret_module, err);
			if (ret == 0 && loader->timed)
				loader->timed(loader->opaque, strrchr(full, '/') + 1,
					monotonic_ns() - start);
			return ret;
		}
	}
	package_unknown_backend(name, NULL, 0, text, sizeof(text));
	return error_set(
		err, package_of_backend(name) ? EXIT_HOST : EXIT_USAGE, -ENOENT, "%s", text);
}
