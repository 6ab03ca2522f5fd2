/* SPDX-License-Identifier: Apache-2.0 */
/* The description that the module exports: the plugin, its classes, their settings, its init. */
#include <ctype.h>
#include <dlfcn.h>
#include <string.h>

#include <tenon/tenon.h>
#include <tenon/testkit.h>

#include "sdk/check/check.h"

#define STRING_OF(x)  STRING_OF_(x)
#define STRING_OF_(x) #x

#define MAX_STRUCT 4096u       /* of a description, from whatever future */
#define MAX_PRIV   (16u << 20) /* of an instance */

const struct tenon_plugin *check_load(const struct options *options)
{
	void *module = dlopen(options->full_path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const struct tenon_plugin *p =
		module ? dlsym(module, STRING_OF(TENON_PLUGIN_SYMBOL)) : NULL;

	if (!module)
		CHECK_FAIL("the dynamic linker refuses it: %s", dlerror());
	if (!p)
		CHECK_FAIL("it does not export \"%s\"", STRING_OF(TENON_PLUGIN_SYMBOL));
	return p;
}

/* ---- the plugin ---- */

/* "org.tenon.rng": at least two parts, so that vendors do not meet. */
static bool is_id(const char *id)
{
	size_t n = strlen(id);

	return n > 2 && n < sizeof(((struct tenon_note *)0)->id) && strchr(id, '.') &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		       n &&
	       id[0] != '.' && id[n - 1] != '.' && !strstr(id, "..");
}

void check_descriptor(const struct subject *s)
{
	const struct tenon_plugin *p = check_load(s->options);

	if (p->struct_size < offsetof(struct tenon_plugin, devices) + sizeof(p->devices) ||
		p->struct_size > MAX_STRUCT)
		CHECK_FAIL("struct_size is %u; wanted sizeof(struct tenon_plugin), here %zu",
			p->struct_size, sizeof(*p));
	if (p->abi_major != TENON_ABI_MAJOR || p->abi_minor != TENON_ABI_MINOR)
		CHECK_FAIL("it was built for ABI %u.%u; this tool checks %u.%u", p->abi_major,
			p->abi_minor, TENON_ABI_MAJOR, TENON_ABI_MINOR);
	if (!p->id || !is_id(p->id))
		CHECK_FAIL("the id is \"%s\"; wanted a name such as \"org.example.device\"",
			p->id ? p->id : "(none)");
	if (!p->version || !p->version[0])
		CHECK_FAIL("it has no version");
	if (!p->license || !p->license[0])
		CHECK_FAIL("it has no license; wanted an SPDX expression such as \"Apache-2.0\"");
	if (!p->devices || !p->devices[0])
		CHECK_FAIL("it has no device classes");
	check_passed(
		"%s %s, %s, ABI %u.%u", p->id, p->version, p->license, p->abi_major, p->abi_minor);
}

/* ---- classes ---- */

static bool is_class_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < MAX_TYPE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[0] != '-' &&
	       name[n - 1] != '-';
}

/* Text for people: one line of printable characters (or bytes of UTF-8). */
static bool is_line(const char *text)
{
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			return false;
	return text[0] != '\0';
}

static void check_class(const struct tenon_device_class *c)
{
	if (c->struct_size < offsetof(struct tenon_device_class, name) + sizeof(c->name) ||
		c->struct_size > MAX_STRUCT)
		CHECK_FAIL(
			"struct_size of a class is %u; wanted sizeof(struct tenon_device_class), "
			"here %zu",
			c->struct_size, sizeof(*c));
	if (!c->name || !is_class_name(c->name))
		CHECK_FAIL("a class is called \"%s\"; wanted a-z, 0-9 and - inside, at most %u",
			c->name ? c->name : "(none)", MAX_TYPE - 1);
	if (c->threads > TENON_PARALLEL)
		CHECK_FAIL("%s: threads is %u; wanted TENON_SERIAL, _PER_QUEUE or _PARALLEL",
			c->name, c->threads);
	if (!TENON_HAS(c, summary) || !is_line(c->summary))
		CHECK_FAIL("%s: it has no summary of one line", c->name);
	if (c->struct_size >= offsetof(struct tenon_device_class, create) &&
		c->priv_size > MAX_PRIV)
		CHECK_FAIL("%s: priv_size is %zu; wanted at most %u: allocate the rest in attach",
			c->name, c->priv_size, MAX_PRIV);
	if (TENON_HAS(c, save) != TENON_HAS(c, load))
		CHECK_FAIL("%s: it has one of save and load, and not the other", c->name);
}

void check_classes(const struct subject *s)
{
	const struct tenon_plugin *p = check_load(s->options);
	char names[256] = "";
	unsigned n = 0;

	for (; p->devices[n]; n++) {
		if (n == MAX_CLASSES)
			CHECK_FAIL(
				"it has more than %u classes, or the list does not end with NULL",
				MAX_CLASSES);
		check_class(p->devices[n]);
		for (unsigned i = 0; i < n; i++)
			if (strcmp(p->devices[i]->name, p->devices[n]->name) == 0)
				CHECK_FAIL("two classes are called \"%s\"", p->devices[n]->name);
		(void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			n ? ", " : "", p->devices[n]->name);
	}
	check_passed("%u: %s", n, names);
}

/* ---- settings ---- */

static unsigned check_table(const struct tenon_device_class *c)
{
	unsigned n = 0;

	for (const struct tenon_key *k = c->keys; k->name; k++, n++) {
		if (n == 1000)
			CHECK_FAIL(
				"%s: its table of settings does not end with a NULL name", c->name);
		if (!k->help || !is_line(k->help))
			CHECK_FAIL("%s: setting \"%s\" has no help text of one line", c->name,
				k->name);
		if ((k->type == TENON_KEY_ENUM) && (!k->values || !k->values[0]))
			CHECK_FAIL("%s: setting \"%s\" is a choice of nothing", c->name, k->name);
	}
	if (tk_check_keys(c->name, c->keys) < 0)
		CHECK_FAIL("%s", tk_error());
	return n;
}

void check_keys(const struct subject *s)
{
	const struct tenon_plugin *p = check_load(s->options);
	char why[MAX_TEXT];
	unsigned n = 0;

	for (unsigned i = 0; p->devices[i]; i++)
		if (TENON_HAS(p->devices[i], keys))
			n += check_table(p->devices[i]);
	if (!sets_are_fine(s->options, p, why, sizeof(why)))
		CHECK_FAIL("%s", why);
	check_passed("%u settings: names, types, ranges, defaults and help are in order", n);
}

/* ---- init ---- */

static const char *const services[] = { TENON_SVC_MEM, TENON_SVC_MMIO, TENON_SVC_IRQ,
	TENON_SVC_NOTIFIER, TENON_SVC_EVENT, TENON_SVC_WORK, TENON_SVC_CLOCK, TENON_SVC_TERMINAL,
	TENON_SVC_POWER, TENON_SVC_FIRMWARE, TENON_SVC_VIRTIO, TENON_SVC_STATE };

#define N_SERVICES (sizeof(services) / sizeof(services[0]))

struct lacking {
	const struct subject *s;
	const char *id;
};

static const struct tenon_plugin *start_without(const struct lacking *l)
{
	const struct tenon_plugin *p;

	tk_lack_service(l->id);
	p = tk_plugin_try(l->s->options->full_path);
	if (!p)
		TK_TRUE(tk_error()[0] != '\0');
	return p;
}

static void init_without(void *arg)
{
	(void)start_without(arg);
}

/* A plugin that starts without the service must be able to go on without it. */
static void live_without(void *arg)
{
	const struct lacking *l = arg;
	const struct surveyed *c = l->s->cls;
	struct tk_dev *d;

	if (!start_without(l))
		return;
	d = tk_create(c->type, c->settings);
	if (d && tk_attach(d) == 0)
		(void)tk_start(d);
	tk_run_until_idle(d);
	tk_destroy(d);
}

static void each_lacking(const struct subject *s, void (*run)(void *arg))
{
	char why[MAX_TEXT];

	for (size_t i = 0; i < N_SERVICES; i++) {
		struct lacking l = { .s = s, .id = services[i] };

		if (tk_isolated(run, &l, why, sizeof(why)) != 0)
			CHECK_FAIL("in a core without %s: %.900s", services[i], why);
	}
}

void check_init(const struct subject *s)
{
	each_lacking(s, init_without);
	if (!tk_plugin_try(s->options->full_path))
		CHECK_FAIL("%s", tk_error());
	check_passed("starts, and survives it when one of %zu services is lacking", N_SERVICES);
}

void check_services(const struct subject *s)
{
	each_lacking(s, live_without);
	check_passed(
		"refuses to start, or goes on, when one of %zu services is lacking", N_SERVICES);
}
