/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Service tables as other cores would have them: cut ones end before a member that today's have,
 * and poison lies behind; grown ones have members that no plugin of today knows.  host.c is built
 * to hand them out.
 */
#undef service_clock
#undef service_mmio

#include <tenon/clock.h>
#include <tenon/mmio.h>

extern const struct tenon_clock service_clock, cut_clock;
extern const struct tenon_mmio service_mmio, cut_mmio;

struct grown_clock {
	struct tenon_clock table;
	uintptr_t more[4];
};
struct grown_mmio {
	struct tenon_mmio table;
	uintptr_t more[4];
};
extern struct grown_clock grown_clock;
extern struct grown_mmio grown_mmio;

#define POISON ((uintptr_t)0xbad0bad0bad0)

/* An older core: no clock but its size, and windows that cannot have doorbells. */
const struct tenon_clock cut_clock = {
	.struct_size = offsetof(struct tenon_clock, monotonic_ns),
	.monotonic_ns = (uint64_t(*)(void))POISON,
};
const struct tenon_mmio cut_mmio = {
	.struct_size = offsetof(struct tenon_mmio, region_destroy),
	.region_destroy = (void (*)(struct tenon_region *))POISON,
};

struct grown_clock grown_clock = { .more = { POISON, POISON, POISON, POISON } };
struct grown_mmio grown_mmio = { .more = { POISON, POISON, POISON, POISON } };

__attribute__((constructor)) static void grow(void)
{
	grown_clock.table = service_clock;
	grown_clock.table.struct_size = sizeof(grown_clock);
	grown_mmio.table = service_mmio;
	grown_mmio.table.struct_size = sizeof(grown_mmio);
}
