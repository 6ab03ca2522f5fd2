/* SPDX-License-Identifier: Apache-2.0 */
/* tenon host: what this host can do, what is missing, and how to get it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "arch/arch.h"
#include "core/commands.h"
#include "core/error.h"
#include "core/json.h"
#include "core/loader.h"
#include "core/packages.h"
#include "core/size.h"

#define MIB (1024ull * 1024)

struct host {
	struct loader *loader;
	bool json, any;
	uint32_t isas; /* of which stock kernels run: bits, as in struct backend_caps */
};

struct feature {
	uint32_t bit;
	const char *name;
};

static const struct feature features[] = {
	{ BACKEND_IRQCHIP, "interrupt controller" },
	{ BACKEND_IRQFD, "irqfd" },
	{ BACKEND_DOORBELL, "doorbells" },
	{ BACKEND_DIRTY_LOG, "dirty log" },
	{ BACKEND_READONLY, "read-only memory" },
	{ 0, NULL },
};

static void feature_list(uint32_t bits, char *to, size_t room)
{
	size_t at = 0;

	to[0] = '\0';
	for (const struct feature *f = features; f->name; f++) {
		if (!(bits & f->bit) || at >= room)
			continue;
		at += (size_t)snprintf(to + at, room - at, "%s%s", at ? ", " : "", f->name);
	}
}

static void print_text(const char *name, const struct backend_caps *caps, const char *why)
{
	char list[256];

	if (why) {
		(void)printf("%s: cannot be used: %s\n", name, why);
		return;
	}
	feature_list(caps->features, list, sizeof(list));
	(void)printf("%s: %s\n", name,
		caps->features & BACKEND_SLOW ? "works, but emulates ordinary guests slowly: no "
						"stock kernels"
		: caps->speed == 0            ? "works, for tests"
					      : "works");
	if (caps->detail[0])
		(void)printf("  %s\n", caps->detail);
	(void)printf("  up to %u vcpus, %u bits of guest addresses; %s\n", caps->max_vcpus,
		caps->phys_bits, list);
}

static void print_json(
	struct host *h, const char *name, const struct backend_caps *caps, const char *why)
{
	char list[256];

	(void)printf("%s\n    {\"name\": ", h->any ? "," : "");
	json_text(stdout, name);
	(void)printf(", \"usable\": %s", why ? "false" : "true");
	if (why) {
		(void)fputs(", \"reason\": ", stdout);
		json_text(stdout, why);
	} else {
		feature_list(caps->features, list, sizeof(list));
		(void)printf(", \"slow\": %s, \"max_vcpus\": %u, \"address_bits\": %u, "
			     "\"features\": ",
			caps->features & BACKEND_SLOW ? "true" : "false", caps->max_vcpus,
			caps->phys_bits);
		json_text(stdout, list);
		(void)fputs(", \"detail\": ", stdout);
		json_text(stdout, caps->detail);
	}
	(void)fputc('}', stdout);
}

static int show_backend(void *arg, const char *name, const char *path)
{
	struct host *h = arg;
	const struct backend_module *m;
	struct backend_caps caps = { 0 };
	struct backend_error berr = { "" };
	struct error err = { .text = "" };
	const char *why = NULL;

	(void)path;
	if (loader_backend(h->loader, name, &m, &err) < 0)
		why = err.text;
	else if (m->probe(&caps, &berr) < 0)
		why = berr.text[0] ? berr.text : "it does not say why";
	if (!why && caps.speed > 0 && !(caps.features & BACKEND_SLOW))
		h->isas |= caps.isas;
	if (h->json)
		print_json(h, name, &caps, why);
	else
		print_text(name, &caps, why);
	h->any = true;
	return 0;
}

static void print_machine(bool json)
{
	struct utsname u;
	char size[SIZE_TEXT_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES);
	uint64_t memory = (uint64_t)(pages > 0 ? pages : 0) * (uint64_t)sysconf(_SC_PAGESIZE);

	if (uname(&u) < 0)
		return;
	if (json) {
		(void)fputs("{\"system\": ", stdout);
		json_text(stdout, u.sysname);
		(void)fputs(", \"release\": ", stdout);
		json_text(stdout, u.release);
		(void)fputs(", \"machine\": ", stdout);
		json_text(stdout, u.machine);
		(void)printf(", \"cpus\": %ld, \"memory\": %llu, \"backends\": [", cpus,
			(unsigned long long)memory);
		return;
	}
	(void)printf("host: %s %s on %s, %ld CPUs, %s of memory\n", u.sysname, u.release, u.machine,
		cpus, size_format(memory / MIB * MIB, size));
}

static void print_kernels(const struct host *h)
{
	const struct arch *arch;
	bool any = false;

	(void)fputs("stock kernels:", stdout);
	for (enum isa isa = ISA_X86_64; (arch = arch_get(isa)); isa++) {
		if (!(h->isas & (1u << isa)))
			continue;
		(void)printf("%s %s", any ? "," : "", arch->name);
		any = true;
	}
	(void)puts(any ? "" : " do not run here with the backends above");
}

static void print_json_kernels(const struct host *h)
{
	const struct arch *arch;
	bool any = false;

	(void)printf("%s], \"stock_kernels\": [", h->any ? "\n  " : "");
	for (enum isa isa = ISA_X86_64; (arch = arch_get(isa)); isa++) {
		if (!(h->isas & (1u << isa)))
			continue;
		(void)printf("%s\"%s\"", any ? ", " : "", arch->name);
		any = true;
	}
	(void)puts("]}");
}

int cmd_host(const struct host_options *options, struct error *err)
{
	struct loader loader = { .n_folders = 0 };
	struct host h = { .loader = &loader, .json = options->json };
	int ret = loader_init(&loader, NULL, 0, err);

	if (ret < 0)
		return ret;
	print_machine(options->json);
	(void)loader_list_backends(&loader, show_backend, &h);
	if (options->json)
		print_json_kernels(&h);
	else if (!h.any)
		(void)puts("no hypervisor backend is installed");
	else
		print_kernels(&h);
	loader_finish(&loader);
	return 0;
}
