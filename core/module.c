/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Module files.
 *
 * libltdl says "file not found" whatever went wrong, and binds lazily: so dlopen() tries first, at
 * once and in full, and its reason is the one that people read.
 */
#include "core/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <ltdl.h>
#include <string.h>

#include "core/error.h"

static lt_dlhandle open_resident(const char *path)
{
	lt_dlhandle handle = NULL;
	lt_dladvise advise;

	if (lt_dlinit() != 0 || lt_dladvise_init(&advise) != 0)
		return NULL;
	if (lt_dladvise_local(&advise) == 0 && lt_dladvise_resident(&advise) == 0)
		handle = lt_dlopenadvise(path, advise);
	(void)lt_dladvise_destroy(&advise);
	return handle;
}

/* The linker names the module or, where that needs another one, only the other. */
static int cannot_load(const char *path, const char *why, struct error *err)
{
	if (strstr(why, path))
		return error_set(err, EXIT_HOST, -ENOEXEC, "cannot load plugin: %s", why);
	return error_set(err, EXIT_HOST, -ENOEXEC, "cannot load plugin: %s: %s", path, why);
}

int module_load(const char *path, const char *symbol, const void **ret_object, struct error *err)
{
	lt_dlhandle handle;
	void *first, *object;

	if (path[0] != '/')
		return error_set(err, EXIT_INTERNAL, -EINVAL, "%s: not an absolute path", path);
	first = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!first)
		return cannot_load(path, dlerror(), err);
	handle = open_resident(path);
	(void)dlclose(first);
	if (!handle)
		return error_set(
			err, EXIT_HOST, -ENOEXEC, "%s: cannot load plugin: %s", path, lt_dlerror());
	object = lt_dlsym(handle, symbol);
	if (!object)
		return error_set(err, EXIT_HOST, -ENOEXEC,
			"%s: not a plugin of this version: it does not export \"%s\"", path,
			symbol);
	*ret_object = object;
	return 0;
}
