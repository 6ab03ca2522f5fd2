/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where plugins are, which one has a device type, and whether it may be used.
 *
 * Folders are searched in this order: `plugin_path` of the configuration, TENON_PLUGIN_PATH (unless
 * the process has more rights than its user), the folders of modules beside the program (an
 * installation, wherever it was moved to, or a build tree), the folder that was built in.
 */
#ifndef TENON_CORE_LOADER_H
#define TENON_CORE_LOADER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tenon/plugin.h>

struct backend_module;
struct config_device;
struct error;

#define LOADER_MAX_FOLDERS 16

struct loaded_plugin;

struct loader {
	char *folders[LOADER_MAX_FOLDERS]; /* of device plugins, owned */
	size_t n_folders;
	char *backend_folders[3]; /* owned */
	size_t n_backend_folders;
	struct loaded_plugin *loaded;
	/* Called after each load, for `--timing`; may be NULL. */
	void (*timed)(void *opaque, const char *name, uint64_t ns);
	void *opaque;
};

/* @extra: folders from the configuration.  [main] */
int loader_init(struct loader *loader, const char *const *extra, size_t n_extra, struct error *err);
/* Runs fini of every plugin that was initialised.  Zeroed is fine.  [main] */
void loader_finish(struct loader *loader);

/* The class that a device of the configuration asks for; loads and initialises its plugin once. */
int loader_class(struct loader *loader, const struct config_device *device,
	const struct tenon_device_class **ret_class, struct error *err);

/* The backend called @name.  */
int loader_backend(struct loader *loader, const char *name,
	const struct backend_module **ret_module, struct error *err);

/* ---- listing: no code of a plugin runs ---- */

struct plugin_entry {
	char path[PATH_MAX];
	bool has_note;
	struct tenon_note note;
	char refusal[160]; /* "" = usable as far as the note tells */
};

/* Calls @each for every module file, folder by folder, sorted by name. */
int loader_list(const struct loader *loader,
	int (*each)(void *arg, const struct plugin_entry *entry), void *arg);
/* The same for backends: names without ".so". */
int loader_list_backends(const struct loader *loader,
	int (*each)(void *arg, const char *name, const char *path), void *arg);

/* Loads one plugin by its path and runs its init; for `tenon plugins NAME`. */
int loader_open(struct loader *loader, const char *path, const struct tenon_plugin **ret_plugin,
	struct error *err);

/* Whether @note's list of classes has @name. */
bool note_has_class(const struct tenon_note *note, const char *name);

#endif
