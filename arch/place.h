/* SPDX-License-Identifier: Apache-2.0 */
/* Command line and initrd: where they go differs, how they get there does not. */
#ifndef TENON_ARCH_PLACE_H
#define TENON_ARCH_PLACE_H

#include <stdint.h>

struct error;
struct guest_memory;
struct loaded;
struct payload;

struct place_cmdline {
	uint64_t gpa;
	uint32_t room; /* bytes there, with the zero */
	uint32_t read; /* bytes that this kernel reads, without the zero: the rest is cut off */
};

/*
 * Puts @extra, which is the core's, and the payload's own command line at its place, and says so in
 * @loaded.  [main]
 */
int place_cmdline(struct guest_memory *gm, const struct payload *payload, const char *extra,
	const struct place_cmdline *where, struct loaded *loaded, struct error *err);
/* Puts the initrd, if there is one, as high as it may go below @end.  [main] */
int place_initrd(struct guest_memory *gm, const struct payload *payload, uint64_t end,
	struct loaded *loaded, struct error *err);
/* Puts a bundle's kernel where the bundle says; the boot protocol is the caller's.  [main] */
int place_bundle(struct guest_memory *gm, const struct payload *payload, struct loaded *loaded,
	struct error *err);

#endif
