/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree of a machine: one description for the architectures that boot with one.  Common
 * are memory, /chosen and the devices, which come from the machine's registry; processors, timer
 * and interrupt controller are the architecture's.
 */
#ifndef TENON_ARCH_FDT_H
#define TENON_ARCH_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dt;
struct error;
struct guest_memory;
struct loaded;
struct machine;

#define FDT_MAX_CELLS 4
/* The interrupt controller that devices are wired to; the architecture gives the node this. */
#define FDT_PHANDLE_INTC 1u
/* The fixed clock of devices that want one; fdt_write() makes it when one is there. */
#define FDT_PHANDLE_CLOCK 2u
#define FDT_PHANDLE_FREE  16u /* from here on an architecture's own */

/* What an architecture says. */
struct fdt_platform {
	const char *compatible; /* of the machine; as of dt_texts() */
	/* How an interrupt is written: how many cells, and which.  At most FDT_MAX_CELLS. */
	uint32_t interrupt_cells;
	void (*interrupt)(uint32_t number, bool level, uint32_t *ret_cells);
	/* The architecture's own nodes, in the root. */
	void (*nodes)(struct dt *dt, const struct machine *machine);
};

/*
 * Writes the tree at @gpa, where it may have @room bytes, and claims what it takes.  -E2BIG, or
 * what guest_memory_claim() and memory say.  [main]
 */
int fdt_write(struct guest_memory *gm, uint64_t gpa, uint64_t room, const struct loaded *loaded,
	const struct machine *machine, const struct fdt_platform *platform, struct error *err);

#endif
