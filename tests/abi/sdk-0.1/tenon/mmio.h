/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/mmio.h - windows of registers on the guest's memory or port bus.
 *
 * A window is created, then mapped; the core decides where unless the configuration or the device
 * names the address.  The core checks that accesses are 1, 2, 4 or 8 bytes inside the window.
 * Values are in the guest's byte order as a number: the lowest byte is at the lowest address.
 * What a device does not give back in detach, the core takes back after it.
 */
#ifndef TENON_MMIO_H
#define TENON_MMIO_H

#include <tenon/abi.h>

#define TENON_SVC_MMIO "tenon.mmio/1"

/* Where a window is. */
#define TENON_SPACE_MMIO 0u
#define TENON_SPACE_PIO  1u /* x86 ports; -ENOTSUP elsewhere */

/* Of map(): where the core likes; of address(): not mapped. */
#define TENON_ADDR_ANY UINT64_MAX

/* Register accesses, under the instance's lock for TENON_SERIAL classes.  Either may be NULL. */
struct tenon_region_ops {
	uint32_t struct_size;

	/*
	 * The guest reads @size (1, 2, 4, 8) bytes at @offset of the window; returns the value.  A
	 * register that there is not reads as the device's specification says, else as 0.  Without
	 * it everything reads as 0.  [vcpu]
	 */
	uint64_t (*read)(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size);
	/* The guest writes @value; what means nothing to the device is ignored.  [vcpu] */
	void (*write)(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size,
		uint64_t value);
};

/* What a window is; copied by region_create(). */
struct tenon_region_desc {
	uint32_t struct_size;
	uint32_t space;                     /* TENON_SPACE_* */
	uint64_t size;                      /* bytes; windows in memory are rounded up to 4096 */
	const char *name;                   /* for listings; lives until region_destroy() */
	const struct tenon_region_ops *ops; /* lives until region_destroy() */
	void *opaque;                       /* handed to ops */
};

struct tenon_mmio {
	uint32_t struct_size;

	/*
	 * Makes a window that the guest does not see yet; from attach.  -EINVAL for an empty one or
	 * one without ops, -ENOTSUP for ports where the platform has none.  [main]
	 */
	int (*region_create)(struct tenon_dev *dev, const struct tenon_region_desc *desc,
		struct tenon_region **ret_region);
	/*
	 * Puts the window at @address, or where the core likes for TENON_ADDR_ANY; `address` of the
	 * configuration comes before either, for the first window of a device.  -EBUSY where
	 * something else is or the window is mapped already, -ENOSPC where there is no room,
	 * -EINVAL past the last port; the core has then said why.  [main]
	 */
	int (*map)(struct tenon_region *region, uint64_t address);
	/* Where the window is; TENON_ADDR_ANY while it is not mapped.  [any] */
	uint64_t (*address)(const struct tenon_region *region);
	/*
	 * Takes the window from the guest, with its doorbells.  On return no access is under way
	 * and none will come.  Nothing happens to one that is not mapped.  !locked [main]
	 */
	void (*unmap)(struct tenon_region *region);
	/* Unmaps the window where need be and ends it.  NULL is fine.  !locked [main] */
	void (*region_destroy)(struct tenon_region *region);

	/*
	 * A guest write of @size bytes at @offset signals @notifier without calling ops; with
	 * @match (copied) only when the value equals *@match.  Falls back to a trap where the
	 * hypervisor offers nothing faster.  The notifier is borrowed until unmap, which undoes it.
	 * -EINVAL outside the window.  [main]
	 */
	int (*doorbell)(struct tenon_region *region, uint64_t offset, uint32_t size,
		const uint64_t *match, struct tenon_notifier *notifier);
};

#endif
