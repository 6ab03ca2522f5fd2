/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/mmio.h - windows of registers on the guest's memory or port bus.
 *
 * A window is created, then mapped; the core decides where unless the configuration or the device
 * names the address.  The core checks that accesses are 1, 2, 4 or 8 bytes inside the window.
 */
#ifndef TENON_MMIO_H
#define TENON_MMIO_H

#include <tenon/abi.h>

#define TENON_SVC_MMIO "tenon.mmio/1"

#define TENON_SPACE_MMIO 0u
#define TENON_SPACE_PIO  1u /* x86 ports; -ENOTSUP elsewhere */

#define TENON_ADDR_ANY UINT64_MAX

/* Register accesses, under the instance's lock.  [vcpu] */
struct tenon_region_ops {
	uint32_t struct_size;
	uint64_t (*read)(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size);
	void (*write)(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size,
		uint64_t value);
};

struct tenon_region_desc {
	uint32_t struct_size;
	uint32_t space;   /* TENON_SPACE_* */
	uint64_t size;    /* bytes; windows in memory are rounded up to 4096 */
	const char *name; /* static; for listings */
	const struct tenon_region_ops *ops;
	void *opaque; /* handed to ops */
};

struct tenon_mmio {
	uint32_t struct_size;

	/* [main], from attach.  The window exists but the guest does not see it yet. */
	int (*region_create)(struct tenon_dev *dev, const struct tenon_region_desc *desc,
		struct tenon_region **ret_region);
	/*
	 * Puts the window at @address, or where the core likes for TENON_ADDR_ANY.  -EBUSY where
	 * something else is, -ENOSPC where there is no room.  [main]
	 */
	int (*map)(struct tenon_region *region, uint64_t address);
	uint64_t (*address)(
		const struct tenon_region *region); /* TENON_ADDR_ANY = not mapped [any] */
	/* On return no access is under way and none will come.  !locked [main] */
	void (*unmap)(struct tenon_region *region);
	void (*region_destroy)(struct tenon_region *region); /* unmaps first; NULL is fine [main] */

	/*
	 * A guest write of @size bytes at @offset signals @notifier without calling ops; with
	 * @match only when the value equals *@match.  Falls back to a trap where the hypervisor
	 * offers nothing faster.  Undone by unmap.  [main]
	 */
	int (*doorbell)(struct tenon_region *region, uint64_t offset, uint32_t size,
		const uint64_t *match, struct tenon_notifier *notifier);
};

#endif
