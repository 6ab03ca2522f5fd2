/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin from which every public structure can be reached: what abidiff compares with the
 * baseline.  It is built, never loaded.
 */
#include <tenon/tenon.h>

/* One exported pointer for each table that is looked up at run time. */
#define REACH(type) TENON_EXPORT extern const struct type *reach_##type
#define KEEP(type)  const struct type *reach_##type

REACH(tenon_mem);
REACH(tenon_mem_region);
REACH(tenon_mmio);
REACH(tenon_irq_svc);
REACH(tenon_notifier_svc);
REACH(tenon_event);
REACH(tenon_work);
REACH(tenon_job);
REACH(tenon_clock);
REACH(tenon_firmware);
REACH(tenon_power);
REACH(tenon_terminal);
REACH(tenon_terminal_ops);
REACH(tenon_virtio);
REACH(tenon_virtio_desc);
REACH(tenon_chain);
REACH(tenon_note);

KEEP(tenon_mem);
KEEP(tenon_mem_region);
KEEP(tenon_mmio);
KEEP(tenon_irq_svc);
KEEP(tenon_notifier_svc);
KEEP(tenon_event);
KEEP(tenon_work);
KEEP(tenon_job);
KEEP(tenon_clock);
KEEP(tenon_firmware);
KEEP(tenon_power);
KEEP(tenon_terminal);
KEEP(tenon_terminal_ops);
KEEP(tenon_virtio);
KEEP(tenon_virtio_desc);
KEEP(tenon_chain);
KEEP(tenon_note);

static const struct tenon_device_class reference_class = {
	.struct_size = sizeof(reference_class),
	.name = "reference",
};

static const struct tenon_device_class *const classes[] = { &reference_class, NULL };

TENON_PLUGIN("org.tenon.reference", "1.0", "Apache-2.0", NULL, classes, "reference");
