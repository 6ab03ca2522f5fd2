/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's way through life, as core/device.c leads it, and the look at what it leaves behind.
 *
 * The settings take the core's own way: the text becomes a configuration with one device in it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config.h"
#include "core/settings.h"
#include "sdk/testkit/kit.h"

#define CLASS_FN(d, member) (TENON_HAS((d)->cls, member) ? (d)->cls->member : NULL)

/* ---- descriptors ---- */

static unsigned open_fds(int fds[KIT_MAX_FDS])
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned n = 0;

	while (folder && (entry = readdir(folder))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (entry->d_name[0] != '.' && fd != dirfd(folder) && n < KIT_MAX_FDS)
			fds[n++] = fd;
	}
	if (folder)
		(void)closedir(folder);
	return n;
}

static bool among(const int *fds, unsigned n, int fd)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i] == fd)
			return true;
	return false;
}

static void fds_left(const struct tk_dev *d)
{
	int now[KIT_MAX_FDS];
	unsigned n = open_fds(now);

	for (unsigned i = 0; i < n; i++) {
		char link[64], target[256];
		ssize_t size;

		if (among(d->fds, d->n_fds, now[i]))
			continue;
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", now[i]);
		size = readlink(link, target, sizeof(target) - 1);
		target[size > 0 ? size : 0] = '\0';
		kit_fail("%s left descriptor %d open (%s)", d->cd->name, now[i], target);
	}
}

/* ---- create ---- */

static struct vm_config *read_settings(const char *type, const char *settings)
{
	static const char around[] =
		"payload: { kernel = \"none\"; }; devices = ( { type = \"%s\"; "
		"%s } );";
	size_t room = sizeof(around) + strlen(type) + strlen(settings);
	struct vm_config *config = NULL;
	struct error err = { .text = "" };
	char *text = kit_alloc(room);

	(void)snprintf(text, room, around, type, settings);
	if (vm_config_read_string(text, strlen(text), "settings", NULL, 0, &config, &err) < 0)
		kit_set_error("%s", err.text);
	free(text);
	return config;
}

static int control(struct tk_dev *d, int (*fn)(struct tenon_dev *dev), const char *what)
{
	struct kit_here before;
	int ret;

	if (!fn)
		return 0;
	kit_enter(d, ROLE_MAIN, &before);
	kit.error[0] = '\0';
	d->failing = true;
	ret = fn(kit_handle(d));
	d->failing = false;
	kit_leave(d, &before);
	if (ret < 0 && !kit.error[0])
		kit_set_error("%s: cannot %s: %s", d->cd->name, what, strerror(-ret));
	if (ret > 0)
		kit_fail(
			"%s: %s returned %d; wanted 0 or a negative errno", d->cd->name, what, ret);
	return ret;
}

static void control_void(struct tk_dev *d, void (*fn)(struct tenon_dev *dev))
{
	struct kit_here before;

	if (!fn)
		return;
	kit_enter(d, ROLE_MAIN, &before);
	fn(kit_handle(d));
	kit_leave(d, &before);
}

static int call_create(struct tenon_dev *dev)
{
	return dev->d.cls->create(dev, dev->d.settings);
}

static void append(struct tk_dev *d)
{
	struct tk_dev **at = &kit.devices;

	while (*at)
		at = &(*at)->next;
	*at = d;
}

static void dispose(struct tk_dev *d)
{
	for (struct tk_dev **at = &kit.devices; *at; at = &(*at)->next) {
		if (*at == d) {
			*at = d->next;
			break;
		}
	}
	kit_events_free(d);
	settings_free(d->settings);
	vm_config_free(d->config);
	(void)pthread_mutex_destroy(&d->lock);
	free(d->priv);
	free(d);
}

struct tk_dev *tk_create(const char *type, const char *settings)
{
	const struct tenon_device_class *cls = kit_class(type);
	struct error err = { .text = "" };
	struct vm_config *config;
	struct tk_dev *d;

	(void)kit_memory(); /* its descriptors are not the device's */
	kit.error[0] = '\0';
	config = read_settings(type, settings ? settings : "");
	if (!config)
		return NULL;
	d = kit_alloc(sizeof(struct tenon_dev));
	d->cls = cls;
	d->config = config;
	d->cd = &config->devices[0];
	(void)pthread_mutex_init(&d->lock, NULL);
	append(d);
	d->n_fds = open_fds(d->fds);
	if (settings_check(d->cd, TENON_HAS(cls, keys) ? cls->keys : NULL, &d->settings, &err) <
		0) {
		kit_set_error("%s", err.text);
		dispose(d);
		return NULL;
	}
	d->priv = kit_alloc(cls->priv_size);
	d->state = KIT_CREATED;
	if (control(d, CLASS_FN(d, create) ? call_create : NULL, "create it") < 0) {
		tk_destroy(d);
		return NULL;
	}
	return d;
}

/* ---- further ---- */

void kit_must_be(const struct tk_dev *d, const char *what, bool right)
{
	static const char *const names[] = { "new", "created", "attached", "started", "quiesced",
		"detached" };

	if (!right)
		kit_fail(
			"the test wants to %s %s, which is %s", what, d->cd->name, names[d->state]);
}

int tk_attach(struct tk_dev *d)
{
	kit_must_be(d, "attach", d->state == KIT_CREATED);
	d->state = KIT_ATTACHED; /* detach follows a failed attach too */
	return control(d, CLASS_FN(d, attach), "attach it");
}

int tk_start(struct tk_dev *d)
{
	int ret;

	kit_must_be(d, "start", d->state == KIT_ATTACHED);
	ret = control(d, CLASS_FN(d, start), "start it");
	if (ret < 0)
		return ret;
	d->state = KIT_STARTED;
	d->loaded = false;
	kit_virtio_go(d);
	kit_display_pause(d, false);
	return 0;
}

int tk_quiesce(struct tk_dev *d)
{
	int ret;

	kit_must_be(d, "quiesce", d->state == KIT_STARTED);
	kit_virtio_quiesce(d);
	kit_display_pause(d, true);
	ret = control(d, CLASS_FN(d, quiesce), "quiesce it");
	d->state = KIT_QUIESCED;
	return ret;
}

int tk_resume(struct tk_dev *d)
{
	int ret;

	kit_must_be(d, "resume", d->state == KIT_QUIESCED);
	ret = control(d, CLASS_FN(d, resume), "resume it");
	if (ret < 0)
		return ret;
	d->state = KIT_STARTED;
	kit_virtio_resume(d);
	kit_display_pause(d, false);
	return 0;
}

void tk_reset(struct tk_dev *d)
{
	kit_must_be(d, "reset", d->state == KIT_STARTED || d->state == KIT_QUIESCED);
	kit_driver_forget(d);
	kit_virtio_reset(d);
	control_void(d, CLASS_FN(d, reset));
}

/* What the contract says the device gives back itself; the rest the core takes. */
void tk_detach(struct tk_dev *d)
{
	kit_must_be(d, "detach",
		d->state == KIT_ATTACHED || d->state == KIT_STARTED || d->state == KIT_QUIESCED);
	kit_driver_destroy(d);
	control_void(d, CLASS_FN(d, detach));
	kit_display_release(d);
	kit_shm_release(d);
	kit_virtio_destroy(d);
	kit_work_left(d);
	kit_events_left(d);
	kit_forget_posts(d);
	kit_regions_left(d);
	kit_irqs_left(d);
	kit_terminal_release(d);
	d->pressed = NULL;
	d->state = KIT_DETACHED;
}

void tk_destroy(struct tk_dev *d)
{
	if (!d)
		return;
	if (d->state == KIT_STARTED)
		(void)tk_quiesce(d);
	if (d->state == KIT_ATTACHED || d->state == KIT_QUIESCED)
		tk_detach(d);
	control_void(d, CLASS_FN(d, destroy));
	kit_notifiers_left(d);
	if (kit.devices == d && !d->next)
		fds_left(d);
	dispose(d);
}

void kit_destroy_all(void)
{
	while (kit.devices) {
		struct tk_dev *d = kit.devices;

		while (d->next)
			d = d->next;
		tk_destroy(d);
	}
}

/* ---- all at once ---- */

struct tk_dev *tk_started(const char *type, const char *settings)
{
	struct tk_dev *d = tk_create(type, settings);

	if (!d || tk_attach(d) < 0 || tk_start(d) < 0)
		kit_fail("%s", kit.error);
	return d;
}

struct tk_dev *tk_device(const char *type, const char *settings)
{
	struct tk_dev *d = tk_started(type, settings);
	int ret = tk_is_virtio(d) ? tk_driver(d, UINT64_MAX, 0) : 0;

	if (ret < 0)
		kit_fail("%s: the driver cannot take it over: %s", d->cd->name, strerror(-ret));
	return d;
}

/* ---- every call failing once ---- */

/* True when something was made to fail: there is more to try. */
static bool life_with_fault(const char *type, const char *settings, unsigned kind, unsigned nth)
{
	struct tk_dev *d;
	int ret = 0;

	tk_fail_nth(kind, nth);
	d = tk_create(type, settings);
	if (d)
		ret = tk_attach(d);
	if (d && ret == 0)
		ret = tk_start(d);
	if ((!d || ret < 0) && !tk_fail_fired())
		kit_fail("no call was made to fail, and yet: %s", kit.error);
	if ((!d || ret < 0) && !kit.error[0])
		kit_fail("%s failed without a word", type);
	if (d && ret == 0)
		(void)tk_describe(d);
	tk_destroy(d);
	return tk_fail_fired();
}

static void blocks_left(const char *type, size_t before, unsigned kind, unsigned nth)
{
	static const char *const kinds[] = { "allocation", "service call", "read", "write",
		"open" };

	if (tk_live_blocks() != before)
		kit_fail("%s left %zu blocks of memory when %s %u failed", type,
			tk_live_blocks() - before, kinds[kind], nth);
}

unsigned tk_fault_sweep(const char *type, const char *settings)
{
	unsigned n = 0;
	size_t before;

	(void)life_with_fault(type, settings, 0, 0); /* what is made once and kept is made now */
	before = tk_live_blocks();
	for (unsigned kind = 0; kind < TK_FAIL_KINDS; kind++)
		for (unsigned nth = 1;; nth++) {
			bool more = life_with_fault(type, settings, kind, nth);

			blocks_left(type, before, kind, nth);
			if (!more)
				break;
			n++;
		}
	tk_fail_nth(TK_FAIL_ALLOC, 0);
	return n;
}
