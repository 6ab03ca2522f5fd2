/* SPDX-License-Identifier: Apache-2.0 */
/* The packages that the project itself is split into. */
#include "core/packages.h"

#include <stdio.h>
#include <string.h>

#include "core/suggest.h"

struct bringer {
	const char *what;
	const char *package;
};

static const struct bringer devices[] = {
#define PACKAGE_DEVICE(type, package) { type, package },
#define PACKAGE_BACKEND(name, package)
#define PACKAGE_PLATFORM(type)
#include "core/packages.def"
#undef PACKAGE_DEVICE
#undef PACKAGE_BACKEND
#undef PACKAGE_PLATFORM
	{ NULL, NULL },
};

static const struct bringer backends[] = {
#define PACKAGE_DEVICE(type, package)
#define PACKAGE_BACKEND(name, package) { name, package },
#define PACKAGE_PLATFORM(type)
#include "core/packages.def"
#undef PACKAGE_DEVICE
#undef PACKAGE_BACKEND
#undef PACKAGE_PLATFORM
	{ NULL, NULL },
};

static const char *const platform[] = {
#define PACKAGE_DEVICE(type, package)
#define PACKAGE_BACKEND(name, package)
#define PACKAGE_PLATFORM(type) type,
#include "core/packages.def"
#undef PACKAGE_DEVICE
#undef PACKAGE_BACKEND
#undef PACKAGE_PLATFORM
};

static const char *find(const struct bringer *table, const char *what)
{
	for (; table->what; table++)
		if (strcmp(table->what, what) == 0)
			return table->package;
	return NULL;
}

const char *package_of_device(const char *type)
{
	return find(devices, type);
}

const char *package_of_backend(const char *name)
{
	return find(backends, name);
}

bool package_is_platform(const char *type)
{
	for (size_t i = 0; i < sizeof(platform) / sizeof(*platform); i++)
		if (strcmp(platform[i], type) == 0)
			return true;
	return false;
}

static void unknown(const char *kind, const struct bringer *table, const char *what,
	const char *const *known, size_t n_known, char *text, size_t size)
{
	struct suggestion near = { .word = what };
	const char *package = find(table, what);
	char tail[SUGGEST_TEXT_MAX];

	if (package) {
		(void)snprintf(text, size, "%s \"%s\" is not installed (package %s brings it)",
			kind, what, package);
		return;
	}

	for (size_t i = 0; i < n_known; i++)
		suggest_consider(&near, known[i]);
	for (; table->what; table++)
		suggest_consider(&near, table->what);
	(void)snprintf(text, size, "unknown %s \"%s\"%s", kind, what,
		near.best ? suggest_text(&near, tail) : "; `tenon plugins` lists what there is");
}

void package_unknown_device(
	const char *type, const char *const *known, size_t n_known, char *text, size_t size)
{
	unknown("device type", devices, type, known, n_known, text, size);
}

void package_unknown_backend(
	const char *name, const char *const *known, size_t n_known, char *text, size_t size)
{
	unknown("hypervisor", backends, name, known, n_known, text, size);
}
