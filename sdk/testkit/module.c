/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin: loaded, held against the contract as the core's loader does, initialised once. */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/settings.h"
#include "sdk/testkit/kit.h"

#define STRING_OF(x)  STRING_OF_(x)
#define STRING_OF_(x) #x
#define MAX_PLUGINS   16u

static struct loaded {
	char path[PATH_MAX];
	const struct tenon_plugin *plugin;
	bool hooked, initialised;
} loaded[MAX_PLUGINS];
static unsigned n_loaded;

/* ---- checks ---- */

static bool class_name_is_fine(const char *name)
{
	return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static bool check(const char *path, const struct tenon_plugin *p)
{
	if (p->abi_major != TENON_ABI_MAJOR || p->abi_minor != TENON_ABI_MINOR) {
		kit_set_error("%s: built for ABI %u.%u, this test kit has %u.%u: rebuild it", path,
			p->abi_major, p->abi_minor, TENON_ABI_MAJOR, TENON_ABI_MINOR);
		return false;
	}
	if (!TENON_HAS(p, devices) || !TENON_HAS(p, id)) {
		kit_set_error("%s: its description has no id or no device classes", path);
		return false;
	}
	for (size_t i = 0; p->devices[i]; i++) {
		const struct tenon_device_class *c = p->devices[i];
		struct error err = { .text = "" };

		if (!TENON_HAS(c, name) || !class_name_is_fine(c->name) ||
			c->threads > TENON_PARALLEL) {
			kit_set_error("%s: one of its device classes is malformed", path);
			return false;
		}
		if (TENON_HAS(c, keys) && settings_check_table(c->name, c->keys, &err) < 0) {
			kit_set_error("%s: %s", path, err.text);
			return false;
		}
	}
	return true;
}

int tk_check_keys(const char *type, const struct tenon_key *keys)
{
	struct error err = { .text = "" };

	if (settings_check_table(type, keys, &err) == 0)
		return 0;
	kit_set_error("%s", err.text);
	return -EINVAL;
}

/* ---- loading ---- */

static struct loaded *load(const char *path)
{
	struct loaded *l = &loaded[n_loaded];
	void *module;

	for (unsigned i = 0; i < n_loaded; i++)
		if (strcmp(loaded[i].path, path) == 0)
			return &loaded[i];
	if (n_loaded == MAX_PLUGINS) {
		kit_set_error("more than %u plugins", MAX_PLUGINS);
		return NULL;
	}
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!module) {
		kit_set_error("cannot load plugin: %s", dlerror());
		return NULL;
	}
	l->plugin = dlsym(module, STRING_OF(TENON_PLUGIN_SYMBOL));
	if (!l->plugin) {
		kit_set_error("%s: not a plugin of this version: it does not export \"%s\"", path,
			STRING_OF(TENON_PLUGIN_SYMBOL));
		return NULL;
	}
	if (!check(path, l->plugin))
		return NULL;
	(void)snprintf(l->path, sizeof(l->path), "%s", path);
	kit_hook(module);
	n_loaded++;
	return l;
}

static bool initialise(struct loaded *l)
{
	struct kit_here before;
	int ret = 0;

	if (l->initialised)
		return true;
	kit_enter(NULL, ROLE_MAIN, &before);
	if (TENON_HAS(l->plugin, init))
		ret = l->plugin->init(&kit_host);
	kit_leave(NULL, &before);
	if (ret < 0) {
		if (!kit.error[0])
			kit_set_error("%s: the plugin does not start: %s", l->path, strerror(-ret));
		return false;
	}
	l->initialised = true;
	return true;
}

const struct tenon_plugin *tk_plugin_try(const char *path)
{
	char full[PATH_MAX];
	struct loaded *l;

	kit.error[0] = '\0';
	if (!path)
		path = getenv("TENON_TESTKIT_PLUGIN");
	if (!path) {
		kit_set_error("no plugin to test: build with TENON_TESTKIT_PLUGIN, or set it in "
			      "the environment");
		return NULL;
	}
	if (!realpath(path, full)) {
		kit_set_error("%s: there is no such plugin", path);
		return NULL;
	}
	l = load(full);
	return l && initialise(l) ? l->plugin : NULL;
}

const struct tenon_plugin *tk_plugin(const char *path)
{
	const struct tenon_plugin *p = tk_plugin_try(path);

	if (!p)
		kit_fail("%s", kit.error);
	return p;
}

/* The default plugin is loaded unless another was. */
const struct tenon_device_class *kit_class(const char *type)
{
	bool any = false;

	for (unsigned i = 0; i < n_loaded; i++)
		any |= loaded[i].initialised;
	if (!any)
		(void)tk_plugin(NULL);
	for (unsigned i = 0; i < n_loaded; i++)
		for (size_t c = 0; loaded[i].initialised && loaded[i].plugin->devices[c]; c++)
			if (strcmp(loaded[i].plugin->devices[c]->name, type) == 0)
				return loaded[i].plugin->devices[c];
	kit_fail("no plugin that is loaded has a device class \"%s\"", type);
}

void kit_fini(void)
{
	for (unsigned i = 0; i < n_loaded; i++) {
		struct kit_here before;

		if (loaded[i].initialised && TENON_HAS(loaded[i].plugin, fini)) {
			kit_enter(NULL, ROLE_MAIN, &before);
			loaded[i].plugin->fini();
			kit_leave(NULL, &before);
		}
		loaded[i].initialised = false;
	}
}
