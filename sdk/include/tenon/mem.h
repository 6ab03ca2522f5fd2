/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/mem.h - guest physical memory for devices.  Addresses and sizes in bytes.
 *
 * A virtio device rarely needs this: its chains arrive as mapped iovecs.
 */
#ifndef TENON_MEM_H
#define TENON_MEM_H

#include <tenon/abi.h>

#define TENON_SVC_MEM "tenon.mem/1"

#define TENON_PROT_READ  1u
#define TENON_PROT_WRITE 2u

/* One stretch of guest memory, as regions() reports it. */
struct tenon_mem_region {
	uint32_t struct_size;
	uint32_t prot;
	uint64_t gpa, size;
	int32_t fd; /* borrowed; the memory at fd_offset */
	uint32_t reserved;
	uint64_t fd_offset;
};

struct tenon_mem {
	uint32_t struct_size;

	/* Copy; the range may cross adjacent regions.  0, or -EFAULT with nothing copied.  [any] */
	int (*read)(struct tenon_dev *dev, uint64_t gpa, void *to, size_t size);
	int (*write)(struct tenon_dev *dev, uint64_t gpa, const void *from, size_t size);

	/*
	 * Host address of a range inside one region; NULL where it leaves it.  Valid until detach;
	 * the guest changes the bytes at any time.  [any]
	 */
	void *(*map)(struct tenon_dev *dev, uint64_t gpa, size_t size, uint32_t prot);
	/* Ends the use of a mapping; written bytes are marked dirty.  [any] */
	void (*unmap)(struct tenon_dev *dev, void *host, size_t size);
	/* Tells migration that the device wrote through a mapping.  [any] */
	void (*mark_dirty)(struct tenon_dev *dev, uint64_t gpa, size_t size);

	/* Calls @each for every region, ascending; stops at the first non-zero answer.  [main] */
	int (*regions)(struct tenon_dev *dev,
		int (*each)(void *arg, const struct tenon_mem_region *region), void *arg);
};

#endif
