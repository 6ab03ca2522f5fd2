/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing a backend.  "auto" asks each that is installed; what every one of them answered is said
 * when none will do.
 */
#include "core/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "core/config.h"
#include "core/error.h"
#include "core/loader.h"

static int probe(
	const struct backend_module *m, struct backend_caps *caps, struct backend_error *berr)
{
	int ret;

	memset(caps, 0, sizeof(*caps));
	ret = m->probe(caps, berr);
	if (ret < 0 && !berr->text[0])
		(void)snprintf(berr->text, sizeof(berr->text), "%s", strerror(-ret));
	return ret;
}

/* "runs x86_64 and riscv64 guests, this one is for aarch64" */
static void say_mismatch(uint32_t isas, enum isa isa, char *to, size_t room)
{
	size_t at = (size_t)snprintf(to, room, "runs ");
	const char *join = "";

	for (enum isa i = ISA_X86_64; i <= ISA_RISCV64; i++) {
		if (!(isas & (1u << i)) || at >= room)
			continue;
		at += (size_t)snprintf(to + at, room - at, "%s%s", join, arch_isa_name(i));
		join = " and ";
	}
	if (at < room)
		(void)snprintf(to + at, room - at, "%s guests here, this one is for %s",
			isas ? "" : "no", arch_isa_name(isa));
}

static int use_named(struct loader *loader, const struct vm_config *config, enum isa isa,
	const char *payload, const struct backend_module **ret_module,
	struct backend_caps *ret_caps, struct error *err)
{
	struct backend_error berr = { "" };
	char place[PLACE_TEXT_MAX], why[128];
	int ret = loader_backend(loader, config->hypervisor, ret_module, err);

	if (ret < 0) {
		error_prefix(err, "%s", place_text(&config->hypervisor_place, place));
		return ret;
	}
	/* Whoever names it need not wait for a trial. */
	memset(ret_caps, 0, sizeof(*ret_caps));
	ret = (*ret_module)->caps ? (*ret_module)->caps(ret_caps, &berr)
				  : probe(*ret_module, ret_caps, &berr);
	if (ret < 0)
		return error_set(err, EXIT_HOST, ret, "hypervisor \"%s\": %s", config->hypervisor,
			berr.text[0] ? berr.text : strerror(-ret));
	if (ret_caps->isas & (1u << isa))
		return 0;
	say_mismatch(ret_caps->isas, isa, why, sizeof(why));
	return error_set(err, EXIT_HOST, -ENOTSUP, "%s: hypervisor \"%s\" %s", payload,
		config->hypervisor, why);
}

struct contest {
	struct loader *loader;
	enum isa isa;
	const struct backend_module *best;
	struct backend_caps caps;
	char reasons[768];
};

static void add_reason(struct contest *c, const char *name, const char *why)
{
	size_t at = strlen(c->reasons);

	(void)snprintf(
		c->reasons + at, sizeof(c->reasons) - at, "%s%s: %s", at ? "; " : "", name, why);
}

static int consider(void *arg, const char *name, const char *path)
{
	struct contest *c = arg;
	const struct backend_module *m;
	struct backend_error berr = { "" };
	struct error err = { .text = "" };
	struct backend_caps caps;
	char why[128];

	(void)path;
	if (loader_backend(c->loader, name, &m, &err) < 0) {
		add_reason(c, name, err.text);
	} else if (probe(m, &caps, &berr) < 0) {
		add_reason(c, name, berr.text);
	} else if (caps.speed == 0) {
		return 0; /* for tests */
	} else if (!(caps.isas & (1u << c->isa))) {
		say_mismatch(caps.isas, c->isa, why, sizeof(why));
		add_reason(c, name, why);
	} else if (caps.features & BACKEND_SLOW) {
		add_reason(c, name,
			"this host emulates ordinary guests instruction by instruction, too slowly "
			"for a stock kernel (`--set vm.hypervisor=kvm` uses it all the same)");
	} else if (!c->best || caps.speed > c->caps.speed) {
		c->best = m;
		c->caps = caps;
	}
	return 0;
}

int backend_choose(struct loader *loader, const struct vm_config *config, enum isa isa,
	const char *payload, const struct backend_module **ret_module,
	struct backend_caps *ret_caps, struct error *err)
{
	struct contest c = { .loader = loader, .isa = isa };

	if (strcmp(config->hypervisor, "auto") != 0)
		return use_named(loader, config, isa, payload, ret_module, ret_caps, err);
	(void)loader_list_backends(loader, consider, &c);
	if (!c.best)
		return error_set(err, EXIT_HOST, -ENODEV, "%s: no hypervisor can be used (%s)",
			payload, c.reasons[0] ? c.reasons : "none is installed");
	*ret_module = c.best;
	*ret_caps = c.caps;
	return 0;
}
