/* SPDX-License-Identifier: Apache-2.0 */
/* What a device may do: needs and paths, from its class and its settings, for seals and people. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tenon/plugin.h>

#include "core/config.h"
#include "core/device.h"
#include "core/sandbox_parts.h"
#include "core/settings.h"
#include "sdk/virtio/table.h"

#define MAX_OWN_PATHS 4096 /* a plugin that never ends its list */

uint64_t sandbox_needs(const struct tenon_device_class *cls)
{
	return TABLE_COVERS(cls, needs) ? cls->needs : 0;
}

const char *const *sandbox_syscalls(const struct tenon_device_class *cls)
{
	return TENON_HAS(cls, syscalls) ? cls->syscalls : NULL;
}

static int append(struct sandbox_paths *paths, const char *path, uint32_t access)
{
	struct sandbox_path *grown = reallocarray(paths->at, paths->n + 1, sizeof(*paths->at));

	if (!grown)
		return -ENOMEM;
	paths->at = grown;
	grown[paths->n].path = strdup(path);
	grown[paths->n].access = access;
	if (!grown[paths->n].path)
		return -ENOMEM;
	paths->n++;
	return 0;
}

static uint32_t access_of(const struct tenon_key *key)
{
	if (key->flags & TENON_KEY_ATTACHES)
		return 0;
	if (key->flags & TENON_KEY_READS)
		return TENON_PATH_READ;
	if (key->flags & TENON_KEY_CREATES)
		return TENON_PATH_READ | TENON_PATH_WRITE | TENON_PATH_CREATE | TENON_PATH_REMOVE;
	return TENON_PATH_READ | TENON_PATH_WRITE;
}

static int add_key(
	struct sandbox_paths *paths, const struct tenon_dev *dev, const struct tenon_key *key)
{
	uint32_t n = key->type == TENON_KEY_PATH ? settings_count(dev->settings, key->name) : 0;
	int ret = 0;

	for (uint32_t i = 0; i < n && ret == 0 && access_of(key); i++)
		ret = append(paths, settings_str(dev->settings, key->name, i), access_of(key));
	return ret;
}

int sandbox_paths_add(struct sandbox_paths *paths, struct tenon_dev *dev)
{
	const struct tenon_key *keys = TENON_HAS(dev->cls, keys) ? dev->cls->keys : NULL;
	int ret = 0;

	for (; keys && keys->name && ret == 0; keys++)
		ret = add_key(paths, dev, keys);
	for (uint32_t i = 0; TENON_HAS(dev->cls, path) && i < MAX_OWN_PATHS && ret == 0; i++) {
		uint32_t access = 0;
		const char *path = dev->cls->path(dev, i, &access);

		if (!path)
			break;
		ret = append(paths, path, access);
	}
	return ret;
}

void sandbox_paths_free(struct sandbox_paths *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		free(paths->at[i].path);
	free(paths->at);
	*paths = (struct sandbox_paths){ NULL, 0 };
}

/* ---- for people ---- */

static void print_needs(uint64_t needs, const char *const *calls, FILE *out)
{
	const char *gap = "";

	for (unsigned i = 0; i < 64; i++) {
		const char *name = needs >> i & 1 ? sandbox_need_name(1ull << i) : NULL;

		if (name)
			(void)fprintf(out, "%s%s", gap, name);
		if (name)
			gap = ", ";
	}
	for (; calls && *calls; calls++, gap = ", ")
		(void)fprintf(out, "%s%s()", gap, *calls);
	(void)fputs(gap[0] ? "\n" : "nothing\n", out);
}

static void print_access(uint32_t access, FILE *out)
{
	static const char *const words[] = { "read", "write", "create", "remove" };
	const char *gap = "  ";

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(access >> i & 1))
			continue;
		(void)fprintf(out, "%s%s", gap, words[i]);
		gap = ", ";
	}
	(void)fputc('\n', out);
}

int sandbox_print(struct tenon_dev *dev, const char *indent, FILE *out)
{
	struct sandbox_paths paths = { NULL, 0 };
	int ret = sandbox_paths_add(&paths, dev);

	(void)fprintf(out, "%ssandbox: needs ", indent);
	print_needs(sandbox_needs(dev->cls), sandbox_syscalls(dev->cls), out);
	for (size_t i = 0; i < paths.n; i++) {
		(void)fprintf(out, "%ssandbox: %s", indent, paths.at[i].path);
		print_access(paths.at[i].access, out);
	}
	sandbox_paths_free(&paths);
	return ret;
}
