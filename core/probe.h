/* SPDX-License-Identifier: Apache-2.0 */
/* Which hypervisor backend runs a VM. */
#ifndef TENON_CORE_PROBE_H
#define TENON_CORE_PROBE_H

#include "core/backend.h"

struct error;
struct loader;
struct vm_config;

/*
 * The backend that the configuration names, or for "auto" the fastest that works for @isa and runs
 * ordinary guest code at its own speed.  @payload, which is for that ISA, is named in errors.
 * [main]
 */
int backend_choose(struct loader *loader, const struct vm_config *config, enum isa isa,
	const char *payload, const struct backend_module **ret_module,
	struct backend_caps *ret_caps, struct error *err);

#endif
